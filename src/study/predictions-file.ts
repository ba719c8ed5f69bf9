// Reading predictions made elsewhere: one row per sample, {"id", "task"?, "group"?, "gold", "answers": {"system": "answer", …}}.
// predictions.ts computes the figures; nothing is generated or judged here.

import { HoneError } from "../core/errors.js";
import { readRows } from "../data/readers.js";
import { type Match, type MatchedGold, matches, readGold } from "./answers.js";
import { makeInterner } from "./interner.js";

/** Names in the task column for the figures over all tasks. */
export const overallNames = { pooled: "(all samples)", means: "(mean of tasks)" } as const;

export interface PredictionsOptions {
  /** The field that holds the answers. Default `answers`; if rows lack it, `pred`, then `predictions`. */
  answersField?: string;
  /** `exact` (default): equal after trimming. `choice`: read the letter or number out of free text first. */
  match?: Match;
  /** Keep only these systems, in this order. */
  systems?: readonly string[];
}

/** One task's samples, in the file's order. */
export interface TaskPredictions {
  task: string;
  /** Number of samples. */
  n: number;
  /**
   * Per sample the number of the unit that it depends on: its group, else its id. The same group or id has the same number in
   * every task.
   */
  units: Int32Array;
  /** Whether some sample has a group; else every sample of the task is a unit of its own. */
  grouped: boolean;
  /** Per sample the number of its accepted answers: equal numbers, equal answers. */
  gold: Int32Array;
  /** Per system and sample: 1, 0, or NaN for no answer. */
  scores: Map<string, Float32Array>;
}

export interface Predictions {
  systems: string[];
  tasks: TaskPredictions[];
  /** How many units there are over all tasks. */
  units: number;
  /** What a reader of the figures should know: fields used, samples without an answer, answers that look misread. */
  notes: string[];
}

const defaultTask = "predictions";
/** With more systems than this a family of comparisons can show nothing. */
const mostSystems = 100;

/**
 * Reads a file of predictions, streaming. A null or absent answer is unscored, not wrong; shadow records without a gold are left
 * out. Any format that holds objects works (.jsonl, .json, .parquet); other endings are read as JSON lines.
 *
 * @throws HoneError naming file and line for a malformed row, a missing gold, answers that are not an object of texts,
 * an id that occurs twice in a task, no rows, or no systems
 */
export async function readPredictions(path: string, options: PredictionsOptions = {}): Promise<Predictions> {
  const match = options.match ?? "exact";
  const tasks = new Map<string, Growing>();
  const units = makeInterner();
  const golds = makeInterner();
  const systems = new Set<string>();
  const chances = new Map<string, { exact: number; choice: number; empty: number }>();
  let field = options.answersField;
  let unknown = 0;
  for await (const { row, place } of rowsOf(path)) {
    if (isUnjudged(row)) {
      unknown++;
      continue;
    }
    field ??= ["answers", "pred", "predictions"].find((name) => Object.hasOwn(row, name)) ?? "answers";
    const { id, task, group, gold, answers } = readRow(row, field, place);
    const entry = tasks.get(task) ?? growing(task);
    tasks.set(task, entry);
    const number = units.number(`id ${id}`);
    if (entry.seen.has(number)) throw await repeated(path, field, task, id, place);
    const at = entry.add(
      number,
      group === undefined ? undefined : units.number(`group ${group}`),
      golds.number(gold.length === 1 ? gold[0]!.text : JSON.stringify(gold.map(({ text }) => text))),
    );
    for (const [system, answer] of answers) {
      if (options.systems && !options.systems.includes(system)) continue;
      systems.add(system);
      if (systems.size > mostSystems)
        throw rowError(
          place,
          `more than ${mostSystems} systems`,
          "Keep fewer systems in a file, or check the answers field.",
        );
      const exact = matches(answer, gold, "exact");
      // An answer equal to the letter or number contains it.
      const choice = exact || matches(answer, gold, "choice");
      entry.score(system, at, (match === "exact" ? exact : choice) ? 1 : 0);
      const chance = chances.get(system) ?? { exact: 0, choice: 0, empty: 0 };
      chances.set(system, chance);
      if (exact) chance.exact++;
      if (choice) chance.choice++;
      if (answer.trim() === "") chance.empty++;
    }
  }
  const named = options.systems ?? [...systems];
  checkSystems(named, systems, path, field ?? "answers");
  const notes: string[] = [];
  if (unknown > 0) notes.push(`${unknown} shadow records without a right answer were left out.`);
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
  return {
    systems: [...named],
    tasks: [...tasks.values()].map((entry) => entry.whole(named)),
    units: units.size,
    notes,
  };
}

const rowsOf = (path: string): ReturnType<typeof readRows> =>
  readRows(path, /\.(json|parquet)$/i.test(path) ? {} : { format: "jsonl" });

/** The error for an id that occurs twice in a task. The file is read again to find the first occurrence. */
async function repeated(
  path: string,
  field: string,
  task: string,
  id: string,
  place: string,
): Promise<HoneError> {
  let first = "an earlier row";
  for await (const earlier of rowsOf(path)) {
    if (isUnjudged(earlier.row)) continue;
    const row = readRow(earlier.row, field, earlier.place);
    if (row.task !== task || row.id !== id) continue;
    first = earlier.place;
    break;
  }
  return rowError(
    place,
    `id ${quote(id)} of task ${quote(task)} already occurs at ${first}`,
    "Give every sample of a task its own id, or keep one of the two rows.",
  );
}

interface Growing {
  /** The numbers of the ids so far. */
  seen: { has: (id: number) => boolean };
  add: (id: number, group: number | undefined, gold: number) => number;
  score: (system: string, at: number, score: 0 | 1) => void;
  whole: (systems: readonly string[]) => TaskPredictions;
}

/** A task while its rows are read. */
function growing(task: string): Growing {
  let n = 0;
  let grouped = false;
  let units = new Int32Array(64);
  let gold = new Int32Array(64);
  /** One bit per id. */
  let ids = new Uint8Array(64);
  const scores = new Map<string, Float32Array>();
  const sized = (list: Float32Array | undefined): Float32Array => {
    if (list && list.length >= n) return list;
    const more = new Float32Array(units.length).fill(Number.NaN);
    if (list) more.set(list);
    return more;
  };
  return {
    seen: { has: (id) => ((ids[id >> 3] ?? 0) & (1 << (id & 7))) !== 0 },
    add(id, group, answer) {
      if (n === units.length) {
        units = Int32Array.from({ length: 2 * n }, (_, i) => units[i] ?? 0);
        gold = Int32Array.from({ length: 2 * n }, (_, i) => gold[i] ?? 0);
      }
      if (id >> 3 >= ids.length) {
        const more = new Uint8Array(2 * ((id >> 3) + 1));
        more.set(ids);
        ids = more;
      }
      ids[id >> 3]! |= 1 << (id & 7);
      grouped ||= group !== undefined;
      units[n] = group ?? id;
      gold[n] = answer;
      return n++;
    },
    score(system, at, score) {
      const list = sized(scores.get(system));
      list[at] = score;
      scores.set(system, list);
    },
    whole: (systems) => ({
      task,
      n,
      grouped,
      units: units.slice(0, n),
      gold: gold.slice(0, n),
      scores: new Map(systems.map((system) => [system, sized(scores.get(system)).slice(0, n)])),
    }),
  };
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
    throw rowError(
      place,
      `${quote(task)} is the name of the figures over all tasks`,
      "Call the task something else.",
    );
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
/** A record of `hone serve --shadow` whose request did not contain the right answer. */
const isUnjudged = (row: Record<string, unknown>): boolean =>
  own(row, "kind") === "shadow" && own(row, "gold") === null;
const quote = (text: string): string => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
const textOf = (value: unknown): string | undefined =>
  typeof value === "string"
    ? value
    : typeof value === "number" || typeof value === "boolean"
      ? String(value)
      : undefined;
