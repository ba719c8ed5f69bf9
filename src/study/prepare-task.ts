// One task of a study: its data loaded and sealed, the blind scores on its samples, and the way in which it is prompted.

import { fingerprint } from "../core/json.js";
import type { TaskCard } from "../core/record.js";
import type { Task } from "../core/task.js";
import { type Dataset, type DatasetSpec, loadDataset, type Opening, sealTest } from "../data/index.js";
import { requireOptions } from "../tasks/choice.js";
import type { TaskEntry, TaskSpec, TaskTable } from "../tasks/index.js";
import { dataWarnings } from "./warnings.js";

export interface PreparedTask {
  task: Task;
  /** The task's options: as in the study file, and where that leaves a choice, as dev decided. */
  options: Omit<TaskSpec, "name" | "data">;
  entry: TaskEntry;
  dataset: Dataset;
  /** The folder that files in the options are relative to. */
  base: string;
  card: TaskCard;
  /** Names the task together with one split's contents: keys of its outcomes. */
  keys: { dev: string; test: string };
  /** The most frequent answer of train, or of dev if nothing is learnt; undefined if answers are written. */
  commonest: string | undefined;
  /** The score of guessing uniformly among the options; null if answers are written. */
  chance: number | null;
  /** Warnings that follow from the data alone. */
  warnings: string[];
}

export async function prepareTask(
  spec: TaskSpec,
  table: TaskTable,
  from: {
    base: string;
    signal: AbortSignal;
    onProgress?: (done: number, total: number, note: string) => void;
  },
  onOpen: (opening: Opening) => void,
): Promise<PreparedTask> {
  const { name, data, ...options } = spec;
  const entry = table[spec.kind] as TaskEntry;
  const dataset = entry.draw
    ? drawnDataset(entry.draw(options, data), onOpen)
    : await loadDataset(data as DatasetSpec, {
        base: from.base,
        signal: from.signal,
        name: `${name}: data`,
        onOpen,
        ...(from.onProgress ? { progress: from.onProgress } : {}),
      });
  requireOptions(spec, dataset);
  const prepared = askedWith({ name, entry, dataset, base: from.base }, options);
  return {
    ...prepared,
    warnings: dataWarnings(entry.draw ? null : (data as DatasetSpec), prepared.card, dataset),
  };
}

/** The same data with other prompting options. */
export function askedWith(
  { name, entry, dataset, base }: Pick<PreparedTask, "entry" | "dataset" | "base"> & { name: string },
  options: PreparedTask["options"],
): Omit<PreparedTask, "warnings"> {
  const task = entry.make(name, options, dataset.labels, base);
  const { counts, leakage, source } = dataset;
  const keys = {
    dev: `${name}@${fingerprint([task.id, dataset.dev], 12)}`,
    test: `${name}@${fingerprint([task.id, dataset.test.fingerprint], 12)}`,
  };
  const card: TaskCard = {
    name,
    key: keys.test,
    kind: task.kind,
    metric: task.metric,
    details: task.details ?? [],
    binary: task.binary,
    ...(task.aggregate ? { aggregated: true as const } : {}),
    source,
    counts,
    labels: dataset.labels ? [...dataset.labels] : null,
    testFingerprint: dataset.test.fingerprint,
    leakage,
  };
  return { task, options, entry, dataset, base, card, ...blindScores(task, dataset), keys };
}

/** Trials are drawn, not read: nothing could leak. */
function drawnDataset(
  { train, dev, test, source }: ReturnType<NonNullable<TaskEntry["draw"]>>,
  onOpen: (opening: Opening) => void,
): Dataset {
  return {
    train,
    dev,
    test: sealTest(test, { onOpen }),
    source,
    leakage: { exact: 0, near: 0, checked: false },
    counts: { train: train.length, dev: dev.length, test: test.length, eyesOff: 0 },
    warnings: [],
  };
}

/** The scores of knowing nothing, learnt from train and dev alone: test stays sealed. */
function blindScores(
  task: Task,
  { train, dev, labels }: Dataset,
): Pick<PreparedTask, "commonest" | "chance"> {
  const sizes = [...train, ...dev].map((sample) => sample.options?.length ?? labels?.length ?? 0);
  const known = sizes.filter((size) => size > 0);
  if (!task.binary || known.length === 0) return { commonest: undefined, chance: null };
  const counts = new Map<string, number>();
  for (const { gold } of train.length > 0 ? train : dev) {
    const answer = [gold].flat()[0] as string;
    counts.set(answer, (counts.get(answer) ?? 0) + 1);
  }
  const commonest = [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
  const chance = known.length === 0 ? null : known.reduce((sum, size) => sum + 1 / size, 0) / known.length;
  return { commonest, chance };
}
