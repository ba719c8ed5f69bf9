// Writes the committed record of a study that README or docs quote: its results, and every subject's score on every test
// sample. Run after the study: `npm run bench:study -- NAME --store FOLDER`; writes bench/recorded/studies/NAME.json. `--command` is what
// reproduces it, where that is not `hone run` with a file of the repository.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openStudy } from "../dist/index.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { store: { type: "string", default: ".hone" }, command: { type: "string" } },
});
const [name] = positionals;
if (!name) {
  console.error("usage: npm run bench:study -- NAME [--store FOLDER] [--command COMMAND]");
  process.exit(2);
}

const study = openStudy(values.store, name);
const { handOver, ...record } = study.record;
// Where the data, the results and a study that a bench wrote were stored is specific to this machine.
record.reproduce = values.command ?? record.reproduce.replace(/--data \S+/, "--data FOLDER");
const handedOver = handOver && { n: handOver.n, agree: handOver.agree };

// Subjects can be identical, for example a search that returned a single route: then they share an id, and outcomes under each seed.
const scoreOf = new Map();
const idsOf = new Map(record.tasks.map(({ key }) => [key, new Set()]));
const groupOf = new Map();
const keyOf = (...parts) => JSON.stringify(parts);
for (const { task, subject, seed, sample, group, grade } of study.outcomes()) {
  idsOf.get(task).add(sample);
  if (group !== undefined) groupOf.set(keyOf(task, sample), group);
  scoreOf.set(keyOf(task, subject, seed, sample), grade.score);
}
study.close();

/**
 * By task: the samples' ids once, their groups if they have any, then each subject's scores in the same order; a list if there are several
 * seeds, null if unscored.
 */
const samples = record.tasks.map(({ key, name }) => {
  const ids = [...idsOf.get(key)].sort();
  const scoresOf = ({ ids: own, seeds }) =>
    ids.map((sample) => {
      const scores = own.map((id, i) => scoreOf.get(keyOf(key, id, seeds[i], sample)) ?? null);
      return scores.length === 1 ? scores[0] : scores;
    });
  const groups = ids.map((id) => groupOf.get(keyOf(key, id)) ?? id);
  const grouped = groups.some((group, i) => group !== ids[i]) ? { groups } : {};
  const scores = Object.fromEntries(record.subjects.map((subject) => [subject.name, scoresOf(subject)]));
  return { task: name, ids, ...grouped, scores };
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
