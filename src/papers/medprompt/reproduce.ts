// hone reproduce medprompt: the ladder task by task, every coalition of rungs on one task, retrieval on two, and what they
// say about the paper's claims. The journal makes it resumable.

import { cpus } from "node:os";
import { resolve } from "node:path";
import { HoneError } from "../../core/errors.js";
import { openModel } from "../../models/registry.js";
import { makeSpecializer, rungs as players } from "../../specializers/index.js";
import { version } from "../../version.js";
import type { PaperTable, ReproduceOptions, Reproduction } from "../index.js";
import { type Plan, planName, runPlans } from "../plans.js";
import { claimsOf } from "./claims.js";
import { type LookupPlan, lookupPlans } from "./lookup.js";
import { creditOf, type MeasuredTask, readMeasured } from "./measured.js";
import { coalitionArms, type MedpromptSettings, presets, rungArms } from "./settings.js";
import {
  biasTable,
  costTable,
  eyesTable,
  ladderTable,
  lookupTable,
  shapleyTable,
  tableOne,
} from "./tables.js";
import { dataFolders, type LadderTask, ladderTask } from "./tasks.js";

type Present = Exclude<LadderTask, { missing: string }>;

/** The arms whose choices' positions are compared: all of the ladder but shuffling, and with it. */
const shuffling = [3, 4];

/**
 * Runs the reproduction, or continues it.
 * @param settings replaces the preset's sizes, for tests
 * @throws HoneError for missing or damaged data
 */
export async function reproduceMedprompt(
  options: ReproduceOptions,
  settings: MedpromptSettings = presets[options.preset],
): Promise<Reproduction> {
  const started = performance.now();
  const store = resolve(options.store ?? ".hone");
  const signal = options.signal ?? new AbortController().signal;
  const models = options.models && options.models.length > 0 ? options.models : settings.models;
  const folders = await dataFolders(rootFolder(options));
  const tasks: Present[] = [];
  const missing: string[] = [];
  for (const key of settings.tasks) {
    const task = await ladderTask(key, settings, folders, { signal });
    if ("missing" in task) missing.push(task.missing);
    else tasks.push(task);
  }
  if (tasks.length === 0) throw noData(missing);
  const lookups = await lookupPlans(folders, settings);
  const rungs = rungArms(settings);
  const coalitions = coalitionArms(settings.ladder);
  const plans: (Plan & { model: string; of: Present | LookupPlan })[] = [];
  for (const model of models) {
    const parse = (await answersOnly(model)) ? { scoring: "parse" } : {};
    const plan = (of: Present | LookupPlan, description: string, arms: readonly unknown[]) => {
      const written = new Map(arms.map((arm) => [JSON.stringify(arm), arm]));
      written.delete(JSON.stringify("zeroShot"));
      const task = of.task.kind === "choice" ? { ...of.task, ...parse } : of.task;
      plans.push({
        name: planName("medprompt", options.preset, of.key.replaceAll(" ", "-"), model),
        description,
        files: of.files,
        study: { model, task, specialists: [...written.values(), "majority"] },
        model,
        of,
      });
    };
    for (const task of tasks) {
      const all = task.key === settings.shapley && model === models[0];
      const arms = [...rungs, ...(all ? coalitions : [])].map(({ arm }) => arm);
      plan(task, `Medprompt's ladder on ${task.title}, ${model}`, arms);
    }
    for (const one of lookups)
      plan(
        one,
        `Retrieval for ${one.key}, ${model}`,
        [one.without, ...one.with].map(({ arm }) => arm),
      );
  }
  const { finished, stopped } = await runPlans("medprompt", plans, { ...options, store, signal });

  const labelOf = (arm: unknown): string => makeSpecializer(arm, "medprompt", options.specializers).label;
  const labelled = (arms: readonly { name: string; arm: unknown }[]) =>
    arms.map(({ name, arm }) => ({ name, label: labelOf(arm) }));
  const measured = (model: string, of: readonly (Present | LookupPlan)[]): MeasuredTask[] =>
    plans
      .filter((plan) => plan.model === model && of.includes(plan.of) && finished.has(plan.name))
      .map(({ name, of: one }) => {
        const arms = "without" in one ? [one.without, ...one.with] : rungs;
        return readMeasured(store, { model, task: one.key, study: name }, labelled(arms));
      });
  const byModel = models.map((model) => ({
    model,
    ladder: measured(model, tasks),
    lookups: measured(model, lookups),
  }));
  const ladders = byModel.flatMap(({ ladder }) => ladder);
  const game = ladders.find(({ task, model }) => task === settings.shapley && model === models[0]);
  const games =
    game &&
    readMeasured(
      store,
      game,
      coalitions.map(({ arm }) => ({ name: "", label: labelOf(arm) })),
    );
  const credit = games
    ? creditOf(
        players,
        coalitions.map(({ members }, i) => ({ members, scores: games.arms[i]?.scores ?? new Map() })),
      )
    : [];
  const tables: PaperTable[] = [
    ...byModel.map(({ model, ladder }) => ladderTable(model, ladder)),
    tableOne(ladders, models, 4),
    ...(credit.length > 0 ? [shapleyTable(models[0] as string, settings.shapley as string, credit)] : []),
    ...byModel.map(({ model, ladder }) => costTable(model, ladder)),
    ...byModel.map(({ model, ladder }) => biasTable(model, ladder, shuffling)),
    ...byModel.map(({ model, ladder }) => eyesTable(model, ladder)),
    ...(lookups.length > 0 ? byModel.map((one) => lookupTable(one.model, one.lookups)) : []),
  ];
  return {
    type: "done",
    paper: "medprompt",
    preset: options.preset,
    models: [...models],
    claims: byModel.flatMap(({ model, ladder, lookups: looked }, i) =>
      claimsOf(model, i + 1, ladder, looked),
    ),
    tables: tables.filter(({ rows }) => rows.length > 0),
    deviations: deviationsOf(settings, missing),
    studies: plans.map(({ name }) => name),
    stopped,
    seconds: (performance.now() - started) / 1000,
    machine: `${cpus()[0]?.model.trim() ?? "unknown CPU"}, ${cpus().length} cores, Node ${process.version}`,
    hone: version,
    at: new Date().toISOString(),
    shapley: credit,
    missing,
  };
}

/** Whether a model gives no log-probabilities, so that its choice has to be parsed from what it writes. */
async function answersOnly(ref: string): Promise<boolean> {
  if (!ref.startsWith("openai:")) return false;
  const model = await openModel(ref);
  await model.close();
  return !model.grants.has("logprobs");
}

function deviationsOf(settings: MedpromptSettings, missing: readonly string[]): string[] {
  const { k, members, pool, shuffles, maxTokens } = settings.ladder;
  const { limit, chars, lookup } = settings;
  return [
    `k=${k}, ${members} members, ${pool} samples reasoned about in ${shuffles} orders, chains of thought of at most ${maxTokens} tokens, written without worked examples.`,
    `At most ${limit.train} train and ${limit.test} test samples a task; questions cut to their last ${chars.question} characters, contexts to their first ${chars.context}.`,
    "Models other than GPT-4; MiniLM in the place of ada-002. MedMCQA's dev questions are divided where there is no training file.",
    ...(lookup
      ? [
          "BioASQ's documents are the parts that its experts quoted, not whole abstracts; those of PubMedQA's own papers are left out.",
        ]
      : []),
    ...missing.map((one) => `Left out: ${one}.`),
  ];
}

/** Where files are looked for; a folder without any makes the Hub the source. */
function rootFolder(options: ReproduceOptions): string {
  const home = process.env.HONE_TEST_DATA;
  if (options.data !== undefined) return resolve(options.base ?? ".", options.data.replace(/^file:/, ""));
  return home !== undefined && home !== "" ? resolve(home) : resolve(options.base ?? ".");
}

function noData(missing: readonly string[]): HoneError {
  return new HoneError({
    what: "No data for medprompt",
    where: "--data",
    why: missing[0] ?? "no task is asked for",
    next: "Give --data with the folder of the sets' files, or make the Hub reachable.",
    kind: "usage",
  });
}
