// Reads a study's outcomes twice and keeps what a report shows: confusion counts, and the samples worth opening.
// It counts and selects; every statistic comes with the record, and every text is still raw (the writers escape it).

import type { Call } from "../core/call.js";
import { directionOf } from "../core/metric.js";
import { countsAs, type Outcome, rightAnswers } from "../core/outcome.js";
import type { StudyRecord, SubjectCard, TaskCard } from "../core/record.js";
import { collectEpisodes, type TaskEpisodes } from "./episodes.js";
import { collectMovements, type TaskMovements } from "./movements.js";

/** What a sample showed to its subjects. */
export interface SampleText {
  input: string;
  question?: string;
  options?: readonly { key: string; text: string }[];
}

export interface Source {
  record: StudyRecord;
  /** Every outcome, in any order; called more than once. Splits other than test are skipped. */
  outcomes: () => Iterable<Outcome>;
  /** The journal's call of a key, or undefined if the journal does not have it. */
  call: (key: string) => Call | undefined;
  samples: (task: string, id: string) => SampleText | undefined;
  /** Path of the pairs of a set of synthetic data; undefined if they are gone. */
  pairs?: (artifact: string) => string | undefined;
}

/** Test answers of one subject on one choice task, counted. Rows are gold, columns what was chosen. */
export interface Confusion {
  task: TaskCard;
  subject: SubjectCard;
  /** Shown keys, most frequent in gold first; `pooled` further keys are counted under `other`. */
  keys: string[];
  pooled: number;
  /**
   * `counts[gold][predicted]`: the keys, then "other" if keys are pooled (a row, too), then scored without an answer, then
   * unscored.
   */
  counts: number[][];
}

/** One subject's answers to one sample, one per seed. */
export type Answers = Outcome[];

/** One test sample with every subject's answers, in the order of the record's subjects. */
export interface SampleRow {
  task: number;
  id: string;
  /** All answers that are right. */
  right: string[];
  group?: string;
  eyesOff: boolean;
  answers: Answers[];
}

export interface Gathered {
  confusions: Confusion[];
  /** Samples in order of interest: disagreements and unscored, then failures, then the rest. */
  rows: SampleRow[];
  /** Test samples with an answer of at least one subject, shown or not, by task index. */
  samples: number[];
  /** Per task: whether every score seen is 0 or 1, so that a failure is a score below 1 and not below a half. */
  binary: boolean[];
  /** By task; none for tasks whose subjects do not move. */
  movements: TaskMovements[];
  episodes: TaskEpisodes[];
}

const maxKeys = 14;

/**
 * What makes a sample's score good: more than a half, if it is a share; no worse than the generalist's, where less or more of a
 * quantity is better; nothing, where only all samples together have a score.
 */
export type Judged = "share" | "less" | "more" | "none";

export function judgedBy({ metric, aggregated }: Pick<TaskCard, "metric" | "aggregated">): Judged {
  if (aggregated) return "none";
  if (directionOf(metric) < 0) return "less";
  return metric.display === "percent" ? "share" : "more";
}

/** The index of the task that outcomes name by its key; -1 if the record does not have it. */
function taskIndex(record: StudyRecord, task: string): number {
  return record.tasks.findIndex((card) => card.key === task || card.name === task);
}

/** The subjects that were measured by an outcome: those with its fingerprint under its seed. Equal specialists share theirs. */
function measuredBy(record: StudyRecord, { subject, seed }: Outcome): number[] {
  return record.subjects.flatMap(({ ids, seeds }, s) =>
    ids.some((id, i) => id === subject && seeds[i] === seed) ? [s] : [],
  );
}

/** The index of a subject by name or by one of its fingerprints; -1 if the record does not have it. */
export function subjectIndex(record: StudyRecord, subject: string): number {
  const byName = record.subjects.findIndex((card) => card.name === subject);
  return byName >= 0 ? byName : record.subjects.findIndex((card) => card.ids.includes(subject));
}

interface Seen {
  task: number;
  id: string;
  lowest: number;
  highest: number;
  unscored: boolean;
}

/** At most `most` samples are kept with their answers; memory is proportional to samples, not to their text. */
export function gather(source: Source, most: number): Gathered {
  const { record } = source;
  const tasks = new Map<string, number>();
  const known = new Map<string, number[]>();
  const place = (outcome: Outcome): { task: number; subjects: readonly number[] } | undefined => {
    if (outcome.split !== "test") return undefined;
    const task = child(tasks, outcome.task, () => taskIndex(record, outcome.task));
    const key = `${outcome.seed} ${outcome.subject}`;
    const subjects = child(known, key, () => measuredBy(record, outcome));
    return task < 0 || subjects.length === 0 ? undefined : { task, subjects };
  };

  const seen = new Map<string, Seen>();
  const tallies = new Map<string, Tally>();
  const binary = record.tasks.map(() => true);
  const movements = collectMovements(record);
  const episodes = collectEpisodes(record);
  for (const outcome of source.outcomes()) {
    const at = place(outcome);
    if (!at) continue;
    const { task, subjects } = at;
    for (const subject of subjects) {
      movements.see(task, subject, outcome);
      episodes.see(task, subject, outcome);
    }
    const key = `${task}\n${outcome.sample}`;
    let sample = seen.get(key);
    if (!sample) {
      sample = { task, id: outcome.sample, lowest: 1, highest: 0, unscored: false };
      seen.set(key, sample);
    }
    if (outcome.grade.status === "scored") {
      const { score } = outcome.grade;
      sample.lowest = Math.min(sample.lowest, score);
      sample.highest = Math.max(sample.highest, score);
      if (score !== 0 && score !== 1) binary[task] = false;
    } else sample.unscored = true;
    if (record.tasks[task]?.labels) {
      const predicted = outcome.grade.status === "scored" ? outcome.grade.prediction : null;
      for (const subject of subjects) {
        const tally = child(tallies, `${task} ${subject}`, (): Tally => new Map());
        const row = child(tally, countsAs(outcome, predicted), () => new Map<string | null, number>());
        row.set(predicted, (row.get(predicted) ?? 0) + 1);
      }
    }
  }

  const interest = (sample: Seen): number => {
    // Only shares have failures: whatever an error or a gain is, it could be better.
    if (judgedBy(record.tasks[sample.task] as TaskCard) !== "share") return sample.unscored ? 0 : 1;
    if (sample.unscored || (sample.highest > 0 && sample.lowest < sample.highest)) return 0;
    return sample.lowest < 1 ? 1 : 2;
  };
  const chosen = [...seen.values()].sort((a, b) => interest(a) - interest(b)).slice(0, most);
  const rows = new Map<string, SampleRow>();
  for (const { task, id } of chosen) {
    rows.set(`${task}\n${id}`, {
      task,
      id,
      right: [],
      eyesOff: false,
      answers: record.subjects.map(() => []),
    });
  }
  for (const outcome of source.outcomes()) {
    const at = place(outcome);
    const row = at && rows.get(`${at.task}\n${outcome.sample}`);
    if (!at || !row) continue;
    // Of a game's deal, the teacher's move somewhere in it is known, which is no answer to the deal.
    if (record.tasks[at.task]?.kind !== "arena") row.right = rightAnswers(outcome);
    row.eyesOff ||= outcome.eyesOff === true;
    if (outcome.group !== undefined) row.group = outcome.group;
    for (const subject of at.subjects) row.answers[subject]?.push(outcome);
  }

  const samples = record.tasks.map(() => 0);
  for (const { task } of seen.values()) samples[task] = (samples[task] ?? 0) + 1;
  return {
    confusions: confusionsOf(record, tallies),
    rows: [...rows.values()],
    samples,
    binary,
    movements: movements.all(),
    episodes: episodes.all(),
  };
}

/** Counts by gold and prediction: "" is scored without an answer, null unscored. */
type Tally = Map<string, Map<string | null, number>>;

function confusionsOf(record: StudyRecord, tallies: Map<string, Tally>): Confusion[] {
  const confusions: Confusion[] = [];
  for (const [t, task] of record.tasks.entries()) {
    const frequency = new Map<string, number>();
    for (let s = 0; s < record.subjects.length; s++) {
      for (const [gold, row] of tallies.get(`${t} ${s}`) ?? []) {
        for (const [predicted, count] of row) {
          // Predictions count a thousandth, so that keys that are never gold come after those that are.
          frequency.set(gold, (frequency.get(gold) ?? 0) + count);
          if (predicted) frequency.set(predicted, (frequency.get(predicted) ?? 0) + count / 1000);
        }
      }
    }
    const ranked = [...frequency].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([key]) => key);
    const keys = ranked.length > maxKeys + 1 ? ranked.slice(0, maxKeys) : ranked;
    const pooled = ranked.length - keys.length;
    const size = keys.length + (pooled > 0 ? 1 : 0);
    const position = new Map(ranked.map((key, i) => [key, Math.min(i, size - 1)]));
    for (const [s, subject] of record.subjects.entries()) {
      const tally = tallies.get(`${t} ${s}`);
      if (!tally) continue;
      const counts = Array.from({ length: size }, () => new Array<number>(size + 2).fill(0));
      for (const [gold, row] of tally) {
        const line = counts[position.get(gold) ?? 0];
        if (!line) continue;
        for (const [predicted, count] of row) {
          const column =
            predicted === null ? size + 1 : predicted === "" ? size : (position.get(predicted) ?? 0);
          line[column] = (line[column] ?? 0) + count;
        }
      }
      confusions.push({ task, subject, keys, pooled, counts });
    }
  }
  return confusions;
}

function child<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

/** Mean score of one subject on one sample over its seeds; null if no seed was scored. */
export function meanScore(answers: Answers): number | null {
  let sum = 0;
  let n = 0;
  for (const { grade } of answers) {
    if (grade.status !== "scored") continue;
    sum += grade.score;
    n++;
  }
  return n === 0 ? null : sum / n;
}
