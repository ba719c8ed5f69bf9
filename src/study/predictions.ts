// Predictions made elsewhere, read from a file and put through the same statistics as a study's outcomes.
// One row a sample: {"id", "task"?, "gold", "answers": {"system": "answer", …}}. Nothing is generated or judged here.

import { HoneError } from "../core/errors.js";
import type { Estimate } from "../core/record.js";
import { readRows } from "../data/readers.js";
import { type Match, type MatchedGold, matches, readGold } from "./answers.js";
import {
  adjustFamily,
  allPairs,
  compareScores,
  type PairedComparison,
  type Rank,
  rank,
  type ScoredSample,
} from "./compare.js";
import { comparePooled, compareTaskMeans, meanOfTasks, overallNames, pooled } from "./overall.js";
import { meanInterval, unscoredBounds } from "./statistics/index.js";

export interface PredictionsOptions {
  /** The field that holds the answers. Default `answers`; where rows lack it, `pred`, then `predictions`. */
  answersField?: string;
  /** `exact` (default): equal after trimming. `choice`: read the letter or number out of free text first. */
  match?: Match;
  /** Keep only these systems, in this order. */
  systems?: readonly string[];
}

/** One task's samples, in the file's order. `scores` has one entry a sample: 1, 0, or null for no answer. */
export interface TaskPredictions {
  task: string;
  ids: string[];
  groups: (string | undefined)[];
  /** The accepted answers, joined for display. */
  gold: string[];
  scores: Map<string, (0 | 1 | null)[]>;
}

export interface Predictions {
  systems: string[];
  tasks: TaskPredictions[];
  /** What a reader of the figures should know: fields taken, samples without an answer, answers that look misread. */
  notes: string[];
}

export interface PredictionResult extends Estimate {
  subject: string;
  task: string;
  metric: "accuracy";
  unscored: number;
  bounds: [number, number];
  /** Always giving the gold answer that is most frequent in this file, on the same samples. */
  baseline: number;
}

export interface PredictionsReport {
  results: PredictionResult[];
  /** Every pair on every task, and over all tasks where there are several: one family, Holm-adjusted. */
  comparisons: PairedComparison[];
  /** Per task, and over all tasks: who shares a letter is not shown to differ. */
  ranking: { task: string; ranks: Rank[] }[];
  notes: string[];
}

const defaultTask = "predictions";
/** More systems than this make a family of comparisons in which nothing can be shown. */
const mostSystems = 100;

/**
 * Reads a file of predictions, streaming. A null or absent answer is unscored, not wrong. Any format that holds objects
 * will do (.jsonl, .json, .parquet); other endings are read as JSON lines.
 *
 * @throws HoneError naming file and line for a malformed row, a missing gold, answers that are not an object of texts,
 * an id that occurs twice in a task, no rows, or no systems
 */
export async function readPredictions(path: string, options: PredictionsOptions = {}): Promise<Predictions> {
  const match = options.match ?? "exact";
  const tasks = new Map<string, TaskPredictions>();
  const places = new Map<string, string>();
  const systems = new Set<string>();
  const chances = new Map<string, { exact: number; choice: number; empty: number }>();
  let field = options.answersField;
  const format = /\.(json|parquet)$/i.test(path) ? {} : { format: "jsonl" as const };
  for await (const { row, place } of readRows(path, format)) {
    field ??= ["answers", "pred", "predictions"].find((name) => Object.hasOwn(row, name)) ?? "answers";
    const { id, task, group, gold, answers } = readRow(row, field, place);
    const key = JSON.stringify([task, id]);
    const before = places.get(key);
    if (before !== undefined)
      throw rowError(
        place,
        `id ${quote(id)} of task ${quote(task)} already stands at ${before}`,
        "Give every sample of a task its own id, or keep one of the two rows.",
      );
    places.set(key, place);
    let entry = tasks.get(task);
    if (!entry) {
      entry = { task, ids: [], groups: [], gold: [], scores: new Map() };
      tasks.set(task, entry);
    }
    const at = entry.ids.push(id) - 1;
    entry.groups.push(group);
    entry.gold.push(gold.map(({ text }) => text).join(" | "));
    for (const [system, answer] of answers) {
      if (options.systems && !options.systems.includes(system)) continue;
      systems.add(system);
      if (systems.size > mostSystems)
        throw rowError(
          place,
          `more than ${mostSystems} systems`,
          "Keep fewer systems in a file, or check the answers field.",
        );
      let scores = entry.scores.get(system);
      if (!scores) {
        scores = [];
        entry.scores.set(system, scores);
      }
      while (scores.length < at) scores.push(null);
      const exact = matches(answer, gold, "exact");
      const choice = matches(answer, gold, "choice");
      scores.push((match === "exact" ? exact : choice) ? 1 : 0);
      const chance = chances.get(system) ?? { exact: 0, choice: 0, empty: 0 };
      chances.set(system, chance);
      if (exact) chance.exact++;
      if (choice) chance.choice++;
      if (answer.trim() === "") chance.empty++;
    }
  }
  const named = options.systems ?? [...systems];
  checkSystems(named, systems, path, field ?? "answers");
  for (const { ids, scores } of tasks.values()) {
    for (const system of named) {
      const list = scores.get(system) ?? [];
      while (list.length < ids.length) list.push(null);
      scores.set(system, list);
    }
  }
  const notes: string[] = [];
  if (field !== "answers" && options.answersField === undefined)
    notes.push(`The answers were read from the field ${quote(field ?? "")}.`);
  for (const system of named) {
    const { exact = 0, choice = 0, empty = 0 } = chances.get(system) ?? {};
    if (match === "exact" && choice > exact)
      notes.push(
        `${system}: ${exact} answers match the gold exactly, but ${choice} would with the letter or number read out of the text. Try --match choice.`,
      );
    if (empty > 0)
      notes.push(
        `${system}: ${empty} empty answers count as wrong. Write null where a system gave no answer.`,
      );
  }
  return { systems: [...named], tasks: [...tasks.values()], notes };
}

/**
 * Compares all systems in a file of predictions, pair by pair, on every task.
 *
 * With several tasks two more lines stand for all of them: `(all samples)`, where every sample weighs the same, and
 * `(mean of tasks)`, where every task does. In both, rows of one id (or of one `group`) are one unit: they are resampled
 * and flipped together, since the same case may occur in several tasks. All comparisons of the report are one family.
 */
export async function comparePredictionsFile(
  path: string,
  options: PredictionsOptions & { seed?: number } = {},
): Promise<PredictionsReport> {
  const { systems, tasks, notes } = await readPredictions(path, options);
  const seed = options.seed ?? 1;
  const results: PredictionResult[] = [];
  const comparisons: PairedComparison[] = [];
  const pairs = allPairs(systems);
  for (const data of tasks) {
    results.push(...systems.map((system) => resultOf(system, data, seed)));
    comparisons.push(
      ...compareScores({
        task: data.task,
        systems: systems.map((name) => ({ name, binary: true, scores: samplesOf(name, data) })),
        pairs,
        seed,
      }),
    );
  }
  if (tasks.length > 1) {
    const all = pooled(tasks);
    results.push(...systems.map((system) => resultOf(system, all, seed)));
    for (const system of systems) {
      const mean = meanOfTasks(system, tasks, seed);
      const on = results.filter(({ subject, task }) => subject === system && task !== overallNames.pooled);
      const baseline = on.reduce((sum, result) => sum + result.baseline, 0) / tasks.length;
      if (mean)
        results.push({ subject: system, task: overallNames.means, metric: "accuracy", ...mean, baseline });
      else notes.push(`${system} has no scored answer in some tasks, so it has no mean of tasks.`);
    }
    comparisons.push(
      ...comparePooled(all, pairs, seed),
      ...compareTaskMeans(tasks, pairs, comparisons, seed),
    );
  }
  for (const system of systems) {
    const missing = tasks.reduce(
      (sum, { scores }) => sum + scores.get(system)!.filter((score) => score === null).length,
      0,
    );
    if (missing > 0)
      notes.push(
        `${system} has no answer to ${missing} samples: they are unscored, and left out of its comparisons.`,
      );
  }
  if (systems.length === 1) notes.push("There is one system: nothing to compare it with.");
  const family = adjustFamily(comparisons);
  const names = [...new Set(results.map(({ task }) => task))];
  const ranking = names.map((task) => ({ task, ranks: rank(results, family, { task }) }));
  return { results, comparisons: family, ranking, notes };
}

function resultOf(system: string, data: TaskPredictions, seed: number): PredictionResult {
  const samples = samplesOf(system, data);
  const kept = samples.flatMap(({ score }, i) =>
    score === null ? [] : [{ score, i, group: samples[i]!.group }],
  );
  const scores = kept.map(({ score }) => score);
  const grouped = kept.some(({ group }) => group !== undefined);
  const { n, mean, low, high } = meanInterval(scores, {
    seed,
    ...(grouped ? { groups: kept.map(({ group }) => group) } : {}),
  });
  const counts = new Map<string, number>();
  for (const { i } of kept) counts.set(data.gold[i]!, (counts.get(data.gold[i]!) ?? 0) + 1);
  const unscored = samples.length - n;
  return {
    subject: system,
    task: data.task,
    metric: "accuracy",
    n,
    mean,
    low,
    high,
    unscored,
    bounds: unscoredBounds(scores, unscored),
    baseline: n === 0 ? 0 : Math.max(...counts.values()) / n,
  };
}

function samplesOf(system: string, { ids, groups, scores }: TaskPredictions): ScoredSample[] {
  const list = scores.get(system) ?? [];
  return ids.map((sample, i) => ({
    sample,
    score: list[i] ?? null,
    ...(groups[i] === undefined ? {} : { group: groups[i] }),
  }));
}

interface ReadRow {
  id: string;
  task: string;
  group: string | undefined;
  gold: MatchedGold[];
  answers: [system: string, answer: string][];
}

function readRow(row: Record<string, unknown>, field: string, place: string): ReadRow {
  const id = textOf(own(row, "id"));
  if (id === undefined) throw rowError(place, "the row has no `id` (a text or a number)", 'Add "id": "…".');
  const task = own(row, "task") === undefined ? defaultTask : textOf(own(row, "task"));
  if (task === undefined || task === "")
    throw rowError(place, "`task` is neither a text nor a number", 'Write "task": "…", or leave it out.');
  if (task === overallNames.pooled || task === overallNames.means)
    throw rowError(place, `${quote(task)} names the figures over all tasks`, "Call the task something else.");
  const grouped = own(row, "group");
  const group = grouped === undefined || grouped === null ? undefined : textOf(grouped);
  if (group === undefined && grouped !== undefined && grouped !== null)
    throw rowError(place, "`group` is neither a text nor a number", 'Write "group": "…", or leave it out.');
  const gold = readGold(own(row, "gold"));
  if (!gold)
    throw rowError(
      place,
      "the row has no `gold` (a text, a number, or a list of accepted ones)",
      'Add "gold": "…".',
    );
  const answers = own(row, field);
  if (answers === null || typeof answers !== "object" || Array.isArray(answers)) {
    const found = answers === undefined ? "missing" : "not an object";
    throw rowError(
      place,
      `\`${field}\` is ${found}`,
      `Write "${field}": {"system": "answer", …}, or name another field with --answers.`,
    );
  }
  const read: ReadRow["answers"] = [];
  for (const [system, answer] of Object.entries(answers)) {
    if (answer === null) continue;
    const text = textOf(answer);
    if (text === undefined)
      throw rowError(
        place,
        `the answer of ${quote(system)} is neither a text nor a number`,
        "Write answers as texts, and null where there is none.",
      );
    read.push([system, text]);
  }
  return { id, task, group, gold, answers: read };
}

function checkSystems(
  named: readonly string[],
  found: ReadonlySet<string>,
  path: string,
  field: string,
): void {
  if (found.size === 0 && named.length === 0)
    throw new HoneError({
      what: "No system has an answer.",
      where: path,
      why: `\`${field}\` is empty or null in every row`,
      next: "Name the field that holds the answers with --answers.",
      kind: "usage",
    });
  const missing = named.find((name) => !found.has(name));
  if (missing !== undefined)
    throw new HoneError({
      what: `No system is called ${quote(missing)}.`,
      where: path,
      next: `See the names in the file's \`${field}\`.`,
      kind: "usage",
    });
}

function rowError(where: string, why: string, next: string): HoneError {
  return new HoneError({ what: "Cannot use a row of predictions.", where, why, next, kind: "usage" });
}

const own = (row: Record<string, unknown>, key: string): unknown =>
  Object.hasOwn(row, key) ? row[key] : undefined;
const quote = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
const textOf = (value: unknown): string | undefined =>
  typeof value === "string"
    ? value
    : typeof value === "number" || typeof value === "boolean"
      ? String(value)
      : undefined;
