// Studies with the same subjects on several tasks: runs them one after the other, and compares two systems over all of them.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { holm, pairedDifference } from "../dist/index.js";

const root = resolve(import.meta.dirname, "..");
const recordOf = (study) => join(root, `bench/recorded/studies/${study}.json`);
export const seeds = [1, 2, 3];

/**
 * Runs a study that is not yet recorded, and records it.
 * @param command what reproduces the record
 */
export function run(spec, { data, store }, command) {
  if (existsSync(recordOf(spec.study))) return;
  mkdirSync(store, { recursive: true });
  const file = join(store, `${spec.study}.study.json`);
  writeFileSync(file, JSON.stringify({ ...spec, seeds }, null, 2));
  hone("bin/hone.js", "run", file, "--data", data, "--store", store);
  hone("bench/study-record.js", spec.study, "--store", store, "--command", command);
}

function hone(...args) {
  const { status } = spawnSync(process.execPath, [join(root, args[0]), ...args.slice(1)], {
    stdio: "inherit",
  });
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}`);
}

/** Some tasks' studies by key, where all of a task's are recorded, each with its key. Several studies of one task are joined. */
export function recorded(studies) {
  return Object.entries(studies)
    .filter(([, parts]) => parts.every((study) => existsSync(recordOf(study))))
    .map(([key, parts]) => ({
      key,
      ...joined(parts.map((study) => JSON.parse(readFileSync(recordOf(study), "utf8")))),
    }));
}

/** Studies of the same samples as one; what two of them have, such as the generalist, is the first's. */
export function joined(studies) {
  const [first] = studies;
  const ids = ({ samples: [own] }) => own.ids.join();
  if (studies.some((study) => ids(study) !== ids(first)))
    throw new Error(`${first.study}: its parts have other samples`);
  const firsts = (rows, keyOf) =>
    rows.filter((row, i) => rows.findIndex((other) => keyOf(other) === keyOf(row)) === i);
  const all = (of) => studies.flatMap(of);
  const scores = studies.map(({ samples: [own] }) => own.scores).reverse();
  return {
    ...first,
    results: firsts(
      all(({ results }) => results),
      ({ task, subject }) => `${task} ${subject}`,
    ),
    subjects: firsts(
      all(({ subjects }) => subjects),
      ({ name }) => name,
    ),
    samples: [{ ...first.samples[0], scores: Object.assign({}, ...scores) }],
  };
}

/**
 * A study's test scores: `groups`, near-duplicates under one name, and of each system a column of scores per training seed.
 * @param systems names of subjects by system
 */
export function scoresOf({ samples: [own] }, systems) {
  const { ids, groups = ids, scores } = own;
  const columns = (subject) =>
    seeds.map((_, s) => scores[subject].map((one) => (Array.isArray(one) ? one[s] : one) ?? 0));
  return {
    groups,
    columns: Object.fromEntries(
      Object.entries(systems).map(([system, subject]) => [system, columns(subject)]),
    ),
  };
}

/**
 * Difference of two systems as the mean of the tasks' differences; samples and training seeds are units, crossed within each task.
 * Near-duplicates form one unit, and so does a case that occurs in two tasks. Until 2026-12-01, when four tasks' scores had been seen,
 * seed s of one task was crossed with seed s of another, though each task draws its own; the results then depended on their numbers.
 */
export function ahead(tasks, system, than) {
  const joined = (which) => seeds.map((_, s) => tasks.flatMap(({ columns }) => columns[which][s]));
  const weights = tasks.flatMap(({ groups }) => groups.map((_, __, all) => 1 / all.length));
  return pairedDifference(joined(system), joined(than), {
    ...{ seed: 1, range: [0, 1], weights },
    groups: tasks.flatMap((one) => one.groups),
    tasks: tasks.flatMap(({ groups }, t) => groups.map(() => String(t))),
  });
}

/** Differences of systems with Holm's p over all of them. */
export function adjusted(rows) {
  const together = holm(rows.map(({ p }) => p));
  return rows.map(({ system, than, task, n, delta, low, high, p }, i) => ({
    ...{ system, than, task, n, delta, low, high, p },
    holm: together[i],
  }));
}

/** "1.2 / -0.3 / 2.7 points" */
export function inPoints({ delta, low, high }) {
  return `${[delta, low, high].map((share) => (100 * share).toFixed(1)).join(" / ")} points`;
}
