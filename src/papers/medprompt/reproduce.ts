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
import { lookupPlans } from "./lookup.js";
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
import { dataFolders, ladderTask } from "./tasks.js";

interface MedpromptPlan extends Plan {
  model: string;
  task: string;
  kind: "ladder" | "lookup";
  arms: readonly { name: string; arm: unknown }[];
}

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
  const missing = new Set<string>();
  const coalitions = coalitionArms(settings.ladder);
  const plans: MedpromptPlan[] = [];
  const each = await Promise.all(
    models.map(async (model, i) => ({
      model,
      sizes: i === 0 ? settings : { ...settings, ...settings.later },
      // Without log-probabilities the choice is parsed from what is written.
      parse: (await answersOnly(model)) ? { scoring: "parse" } : {},
    })),
  );
  const plan = (
    { model, parse }: (typeof each)[number],
    of: Pick<MedpromptPlan, "files"> & { key: string; task: Readonly<Record<string, unknown>> },
    description: string,
    kind: MedpromptPlan["kind"],
    arms: MedpromptPlan["arms"],
    more: readonly unknown[] = [],
  ): void => {
    const all = [...arms.map(({ arm }) => arm), ...more];
    const written = new Map(all.map((arm) => [JSON.stringify(arm), arm]));
    written.delete(JSON.stringify("zeroShot"));
    const task = of.task.kind === "choice" ? { ...of.task, ...parse } : of.task;
    plans.push({
      name: planName("medprompt", options.preset, of.key.replaceAll(" ", "-"), model),
      description: `${description}, ${model}`,
      files: of.files,
      study: { model, task, specialists: [...written.values(), "majority"] },
      model,
      task: of.key,
      kind,
      arms,
    });
  };
  for (const at of each) {
    for (const one of await lookupPlans(folders, at.sizes))
      plan(at, one, `Retrieval for ${one.key}`, "lookup", [one.without, ...one.with]);
  }
  // Task by task, so that a run which is stopped has whole tasks of every model.
  for (const key of settings.tasks) {
    for (const at of each) {
      const task = await ladderTask(key, at.sizes, folders, { signal });
      if ("missing" in task) missing.add(task.missing);
      else {
        const whole = key === settings.shapley && at === each[0] ? coalitions.map(({ arm }) => arm) : [];
        const direct = settings.plain.includes(key) ? null : at.sizes.direct;
        const arms = rungArms({ ...at.sizes, direct });
        plan(at, task, `Medprompt's ladder on ${task.title}`, "ladder", arms, whole);
      }
    }
  }
  if (!plans.some(({ kind }) => kind === "ladder")) throw noData([...missing]);
  const { finished, stopped } = await runPlans("medprompt", plans, { ...options, store, signal });

  const labelOf = (arm: unknown): string =>
    makeSpecializer(arm, "medprompt", options.use?.specializers).label;
  const measured = (model: string, kind: MedpromptPlan["kind"]): MeasuredTask[] =>
    plans
      .filter((plan) => plan.model === model && plan.kind === kind && finished.has(plan.name))
      .map(({ name, task, arms }) =>
        readMeasured(
          store,
          { model, task, study: name },
          arms.map((one) => ({ name: one.name, label: labelOf(one.arm) })),
        ),
      );
  const byModel = models.map((model) => ({
    model,
    ladder: measured(model, "ladder"),
    lookups: measured(model, "lookup"),
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
    ...byModel.map(({ model, lookups }) => lookupTable(model, lookups)),
  ];
  return {
    type: "done",
    paper: "medprompt",
    preset: options.preset,
    models: [...models],
    claims: byModel.flatMap(({ model, ladder, lookups }, i) => claimsOf(model, i + 1, ladder, lookups)),
    tables: tables.filter(({ rows }) => rows.length > 0),
    deviations: deviationsOf(settings, [...missing]),
    studies: plans.map(({ name }) => name),
    stopped,
    seconds: (performance.now() - started) / 1000,
    machine: `${cpus()[0]?.model.trim() ?? "unknown CPU"}, ${cpus().length} cores, Node ${process.version}`,
    hone: version,
    at: new Date().toISOString(),
    shapley: credit,
    missing: [...missing],
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
  const { limit, chars, lookup, plain, direct } = settings;
  return [
    `k=${k}, ${members} members, ${pool} samples reasoned about in ${shuffles} orders, chains of thought of at most ${maxTokens} tokens, written without worked examples.`,
    `At most ${limit.train} train and ${limit.test} test samples a task${settings.later.limit ? ` (${settings.later.limit.test} for models after the first, without the portfolio)` : ""}; questions cut to their last ${chars.question} characters, contexts to their first ${chars.context}.`,
    "Models other than GPT-4; MiniLM in the place of ada-002. MedMCQA's dev questions are divided where there is no training file.",
    ...(direct !== null && plain.length > 0 ? [`The portfolio is left out on ${plain.join(", ")}.`] : []),
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
