// Writes the committed record of a study that README or docs quote: its results, and every subject's score on every test
// sample. Run after the study: `npm run bench:study -- NAME --store FOLDER`; writes bench/recorded/studies/NAME.json.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openStudy } from "../dist/index.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { store: { type: "string", default: ".hone" } },
});
const [name] = positionals;
if (!name) {
  console.error("usage: npm run bench:study -- NAME [--store FOLDER]");
  process.exit(2);
}

const study = openStudy(values.store, name);
const { handOver, ...record } = study.record;
// Where the data and the results were stored is specific to this machine.
record.reproduce = record.reproduce.replace(/--data \S+/, "--data FOLDER");
const handedOver = handOver && { n: handOver.n, agree: handOver.agree };

/** The value at a key, created if missing. */
const at = (map, key, make) => {
  if (!map.has(key)) map.set(key, make());
  return map.get(key);
};
const tasks = new Map();
const groupOf = new Map();
for (const { task, subject, sample, group, grade } of study.outcomes()) {
  const taskName = record.tasks.find(({ key }) => key === task).name;
  const subjectName = record.subjects.find(({ ids }) => ids.includes(subject)).name;
  if (group !== undefined) groupOf.set(JSON.stringify([taskName, sample]), group);
  const subjects = at(tasks, taskName, () => new Map());
  at(
    at(subjects, subjectName, () => new Map()),
    sample,
    () => [],
  ).push(grade.score);
}
study.close();

/**
 * By task: the samples' ids once, their groups if they have any, then each subject's scores in the same order; a list if there are several
 * seeds, null if unscored.
 */
const samples = [...tasks].map(([task, subjects]) => {
  const ids = [...new Set([...subjects.values()].flatMap((scores) => [...scores.keys()]))].sort();
  const scoreOf = (scores) => (scores?.length === 1 ? scores[0] : (scores ?? null));
  const inOrder = ([subject, scores]) => [subject, ids.map((id) => scoreOf(scores.get(id)))];
  const groups = ids.map((id) => groupOf.get(JSON.stringify([task, id])) ?? id);
  const grouped = groups.some((group, i) => group !== ids[i]) ? { groups } : {};
  return { task, ids, ...grouped, scores: Object.fromEntries([...subjects].map(inOrder)) };
});

const folder = join(import.meta.dirname, "recorded/studies");
mkdirSync(folder, { recursive: true });
// Figures on separate lines, a subject's scores on one line.
const text = JSON.stringify({ ...record, handOver: handedOver, samples }, null, 1).replace(
  /\[\s+((?:[^[\]{}]|\[[^[\]{}]*\])*?)\s+\]/g,
  (_, inner) => `[${inner.replace(/\s*\n\s*/g, " ")}]`,
);
writeFileSync(join(folder, `${name}.json`), `${text}\n`);
console.log(`recorded in bench/recorded/studies/${name}.json`);
