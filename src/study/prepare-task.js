// One task of a study: its data loaded and sealed, its samples' blind scores, and the way in which it is asked.
import { fingerprint } from "../core/json.js";
import { loadDataset, sealTest } from "../data/index.js";
import { dataWarnings } from "./warnings.js";
export async function prepareTask(spec, table, from, onOpen) {
  const { name, data, ...options } = spec;
  const entry = table[spec.kind];
  const dataset = entry.draw
    ? drawnDataset(entry.draw(options, data), onOpen)
    : await loadDataset(data, {
        base: from.base,
        signal: from.signal,
        name: `${name}: data`,
        onOpen,
        ...(from.onProgress ? { progress: from.onProgress } : {}),
      });
  const prepared = askedWith({ name, entry, dataset }, options);
  return {
    ...prepared,
    warnings: dataWarnings(entry.draw ? null : data, prepared.card, dataset),
  };
}
/** The same data asked in another way. */
export function askedWith({ name, entry, dataset }, options) {
  const task = entry.make(name, options, dataset.labels);
  const { counts, leakage, source } = dataset;
  const keys = {
    dev: `${name}@${fingerprint([task.id, dataset.dev], 12)}`,
    test: `${name}@${fingerprint([task.id, dataset.test.fingerprint], 12)}`,
  };
  const card = {
    name,
    key: keys.test,
    kind: task.kind,
    metric: task.metric,
    details: task.details ?? [],
    binary: task.binary,
    source,
    counts,
    labels: dataset.labels ? [...dataset.labels] : null,
    testFingerprint: dataset.test.fingerprint,
    leakage,
  };
  return { task, options, entry, dataset, card, ...blindScores(task, dataset), keys };
}
/** Trials are drawn, not read: there is nothing that could leak. */
function drawnDataset({ train, dev, test, source }, onOpen) {
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
/** What knowing nothing scores, learnt from train and dev alone: test stays sealed. */
function blindScores(task, { train, dev, labels }) {
  const sizes = [...train, ...dev].map((sample) => sample.options?.length ?? labels?.length ?? 0);
  const known = sizes.filter((size) => size > 0);
  if (!task.binary || known.length === 0) return { commonest: undefined, chance: null };
  const counts = new Map();
  for (const { gold } of train.length > 0 ? train : dev) {
    const answer = [gold].flat()[0];
    counts.set(answer, (counts.get(answer) ?? 0) + 1);
  }
  const commonest = [...counts].sort((a, b) => b[1] - a[1])[0]?.[0];
  const chance = known.length === 0 ? null : known.reduce((sum, size) => sum + 1 / size, 0) / known.length;
  return { commonest, chance };
}
