// hone reproduce medprompt: the ladder task by task, every coalition of rungs on one task, and what they say about the
// paper's claims. The journal makes it resumable.

import { cpus } from "node:os";
import { resolve } from "node:path";
import { HoneError } from "../../core/errors.js";
import { formatBare, formatInterval } from "../../report/format.js";
import { makeSpecializer, rungs as players } from "../../specializers/index.js";
import { openStudy } from "../../study/open.js";
import { coalition, type ShapleyValue, shapley } from "../../study/statistics/index.js";
import { version } from "../../version.js";
import { type Claim, makeClaim } from "../claim.js";
import { macroDifference, macroMean, type Scores, scoresOf } from "../figures.js";
import type { PaperTable, ReproduceOptions, Reproduction } from "../index.js";
import { type Plan, planName, runPlans } from "../plans.js";
import { readTask } from "./read.js";
import { coalitionArms, type MedpromptSettings, presets, rungArms } from "./settings.js";

/** MedQA's ladder with GPT-4 (promptbase's figure); shares of 1. */
const published = [0.817, 0.839, 0.873, 0.884, 0.902];

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
  const folder = dataFolder(options);
  const rungs = rungArms(settings.ladder);
  const coalitions = coalitionArms(settings.ladder);
  const plans: Plan[] = [];
  const missing: string[] = [];
  const studies: { model: string; task: string; name: string }[] = [];
  for (const task of settings.tasks) {
    const rows = await readTask(folder, task, settings);
    if (rows === undefined) {
      missing.push(task);
      continue;
    }
    for (const model of models) {
      const all = task === settings.shapley && model === models[0];
      const arms = [...rungs, ...(all ? coalitions : [])].map(({ arm }) => arm);
      const written = new Map(arms.map((arm) => [JSON.stringify(arm), arm]));
      written.delete(JSON.stringify("zeroShot"));
      const name = planName("medprompt", options.preset, task, model);
      studies.push({ model, task, name });
      plans.push({
        name,
        description: `Medprompt's ladder on ${task}`,
        files: { "train.jsonl": rows.train, "dev.jsonl": rows.dev, "test.jsonl": rows.test },
        study: {
          model,
          task: {
            name: task,
            kind: "choice",
            data: {
              splits: { train: "file:train.jsonl", dev: "file:dev.jsonl", test: "file:test.jsonl" },
              id: "id",
              input: "input",
              question: "{{question}}",
              options: "options",
              label: "answer",
              eyesOff: 0.2,
            },
          },
          specialists: [...written.values()],
        },
      });
    }
  }
  if (plans.length === 0) throw noData(folder);
  const { finished, stopped } = await runPlans("medprompt", plans, { ...options, store, signal });

  const labelOf = (arm: unknown): string => makeSpecializer(arm, "medprompt", options.specializers).label;
  const claims: Claim[] = [];
  const tables: PaperTable[] = [];
  let credit: ShapleyValue[] = [];
  for (const model of models) {
    const done = studies.filter((one) => one.model === model && finished.has(one.name));
    const scores: Scores[] = rungs.map(() => new Map());
    const read = (arms: readonly unknown[], name: string): Scores[] => {
      const opened = openStudy(store, name);
      try {
        return arms.map((arm) => scoresOf(opened, labelOf(arm)));
      } finally {
        opened.close();
      }
    };
    const rows: string[][] = [];
    for (const { task, name } of done) {
      const each = read(
        rungs.map(({ arm }) => arm),
        name,
      );
      scores.forEach((all, i) => {
        scores[i] = new Map([...all, ...(each[i] as Scores)]);
      });
      rows.push([task, ...each.map((one) => shown(macroMean(one)))]);
      if (task === settings.shapley && model === models[0]) {
        const games = read(
          coalitions.map(({ arm }) => arm),
          name,
        );
        const shared = [...(games[0] as Scores).keys()].filter((id) => games.every((game) => game.has(id)));
        const values = new Map(
          coalitions.map(({ members }, i) => [
            coalition(players, members),
            shared.map((id) => games[i]?.get(id)?.score as number),
          ]),
        );
        if (shared.length > 0) credit = shapley(players, values, { seed: 1 });
      }
    }
    tables.push({
      title: `The ladder, ${model}`,
      head: ["task", ...rungs.map(({ name }) => name)],
      rows: [...rows, ["MedQA, GPT-4 (published)", ...published.map((value) => formatBare(value))]],
      right: rungs.map((_, i) => i + 1),
    });
    const first = models.indexOf(model) + 1;
    const gain = (id: string, claim: string, from: number, to: number): void => {
      const words = {
        id: `${id}.${first}`,
        claim: `${claim} (${model}).`,
        published: Math.round(((published[to] as number) - (published[from] as number)) * 1000) / 1000,
        note: "Published: MedQA with GPT-4; ours: mean of the tasks' paired differences.",
      };
      const difference = macroDifference(scores[to] as Scores, scores[from] as Scores);
      claims.push(makeClaim(words, { side: "above", threshold: 0 }, difference));
    };
    gain("m1", "Random worked examples raise accuracy", 0, 1);
    gain("m2", "The model's own chains of thought raise it further", 1, 2);
    gain("m3", "Nearest examples are better than random ones", 2, 3);
    gain("m4", "The choice-shuffle ensemble raises it further", 3, 4);
    gain("m5", "The whole ladder beats zero-shot", 0, 4);
  }
  if (credit.length > 0)
    tables.push({
      title: `Shapley values of the rungs on ${settings.shapley}, ${models[0]}`,
      head: ["rung", "value"],
      rows: credit.map((one) => [one.player, shown(one)]),
      right: [1],
    });
  const { k, members, pool, maxTokens } = settings.ladder;
  return {
    type: "done",
    paper: "medprompt",
    preset: options.preset,
    models: [...models],
    claims,
    tables,
    deviations: [
      `k=${k}, ${members} members, ${pool} samples reasoned about, chains of thought of at most ${maxTokens} tokens.`,
      `At most ${settings.limit.test} test samples a task; questions cut to their last ${settings.chars.question} characters, contexts to their first ${settings.chars.context}.`,
      ...(missing.length > 0 ? [`Not in these data: ${missing.join(", ")}.`] : []),
      "Small open models, not GPT-4; MedMCQA has no training file here, its dev questions are divided.",
    ],
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

function shown(measured: { mean: number; low: number; high: number } | null): string {
  return measured === null
    ? ""
    : `${formatBare(measured.mean)} ${formatInterval(measured.low, measured.high)}`;
}

function dataFolder(options: ReproduceOptions): string {
  const home = process.env.HONE_TEST_DATA;
  if (options.data !== undefined) return resolve(options.base ?? ".", options.data.replace(/^file:/, ""));
  if (home !== undefined && home !== "") return resolve(home, "med");
  throw noData("--data");
}

function noData(where: string): HoneError {
  return new HoneError({
    what: "No data for medprompt",
    where,
    why: "none of the sets' files (medqa_test.jsonl and so on) were found or named",
    next: "Give --data with the folder of the sets' files.",
    kind: "usage",
  });
}
