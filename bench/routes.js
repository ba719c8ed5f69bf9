// Every route to a specialist on six tasks, with `stack` and `search` beside them: does a composition beat the best single route,
// and a linear classifier on words? The tasks, the routes and the questions were fixed before anything was measured. Usage:
//   npm run build && npm run bench:routes -- --data FOLDER [--store FOLDER] [--only licences]
// FOLDER holds law/ and med/. Each task is a separate study, `hone run` with three training seeds, and takes one to two hours on two
// cores, or twice that on one (HONE_THREADS=1); its record is written to bench/recorded/studies/routes-NAME.json when it ends, and it
// is not measured again. The joint results of the records go to bench/recorded/routes.json.
//
// Left out of the single routes, to save time: adapter, bitfit, softPrompt and full, which train the same model at lora's cost; ensemble
// and medprompt, which make several calls per query; selfTrain, since these tasks have no unlabelled rows. lora and head have the learning
// rate and the length that the recorded sweep mostly chose (bench/recorded/recipe.json), and are in neither the stack nor the search, which
// would train them once per fold. The single routes have no budget: what each took is in its record. Search has a token budget, so that
// what it finds does not depend on the machine: 800,000 tokens, of which calls shared by two compositions count twice, are read in about
// the time of one LoRA.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { holm, pairedDifference } from "../dist/index.js";
import { record } from "./record.js";
import { routeTasks } from "./routes-tasks.js";

const { values } = parseArgs({
  options: {
    data: { type: "string" },
    store: { type: "string", default: ".hone" },
    only: { type: "string" },
  },
});
const root = resolve(import.meta.dirname, "..");
const seeds = [1, 2, 3];

const training = { layers: 10, epochs: 2, learningRate: 0.002 };
const cheap = ["linear", { linear: { features: "vectors" } }, { probe: { text: true } }];
/** Routes among which one is chosen on dev; `linear` is also the baseline for all of them. */
const single = [
  { fewShot: { k: 3, draw: "balanced" } },
  { knn: { k: 3, by: "vectors" } },
  "calibrate",
  "optimize",
  ...cheap,
  { setfit: { write: false } },
  { lora: training },
  { head: training },
];
/** The same members and levels for every task, and one budget. */
const composed = {
  stack: { stack: { of: [...cheap, "calibrate"] } },
  search: { search: { alone: [...cheap, "calibrate"], tokens: 800_000, seconds: 36_000 } },
};

if (values.data) {
  for (const [name, task] of Object.entries(routeTasks)) {
    const study = `routes-${name}`;
    if ((values.only && values.only !== name) || existsSync(recordOf(name))) continue;
    const file = join(values.store, `${study}.study.json`);
    mkdirSync(values.store, { recursive: true });
    const spec = {
      study,
      description: `Every route on ${task.name}.`,
      model: "llama:smollm2-135m-instruct",
      encoder: "encoder:minilm-f32",
      task,
      specialists: [...single, ...Object.values(composed), "majority"],
      seeds,
    };
    writeFileSync(file, JSON.stringify(spec, null, 2));
    hone("bin/hone.js", "run", file, "--data", values.data, "--store", values.store);
    hone("bench/study-record.js", study, "--store", values.store);
  }
}
summarise();

function hone(...args) {
  const { status } = spawnSync(process.execPath, [join(root, args[0]), ...args.slice(1)], {
    stdio: "inherit",
  });
  if (status !== 0) throw new Error(`routes: ${args[0]} ended with ${status}`);
}

function recordOf(name) {
  return join(root, `bench/recorded/studies/routes-${name}.json`);
}

/** Summarises the recorded tasks, each and together. */
function summarise() {
  const tasks = Object.keys(routeTasks)
    .filter((name) => existsSync(recordOf(name)))
    .map((name) => taskOf(name, JSON.parse(readFileSync(recordOf(name), "utf8"))));
  if (tasks.length === 0) return;
  const rows = ["stack", "search"].flatMap((system) => [
    ...["best single", "linear"].map((than) => ({
      system,
      than,
      task: "all",
      ...ahead(tasks, system, than),
    })),
    ...tasks.map((task) => ({ system, than: "linear", task: task.name, ...ahead([task], system, "linear") })),
  ]);
  const adjusted = holm(rows.map(({ p }) => p));
  const results = rows.map(({ system, than, task, n, delta, low, high, p }, i) => ({
    ...{ system, than, task, n, delta, low, high },
    ...{ p, holm: adjusted[i] },
  }));
  const chosen = Object.fromEntries(tasks.map(({ name, best }) => [name, best]));
  record("routes", { tasks: tasks.length, of: Object.keys(routeTasks).length, seeds, chosen, results });
  for (const { system, than, task, delta, low, high } of results)
    console.log(
      `routes: ${system} less ${than}, ${task}: ${[delta, low, high].map(points).join(" / ")} points`,
    );
}

/** One task's scores by system: a column of test scores for each training seed. */
function taskOf(name, { results, samples, subjects, tasks: [own] }) {
  const { ids, groups = ids, scores } = samples.find(({ task }) => task === own.name);
  const columns = (subject) =>
    seeds.map((_, s) => scores[subject].map((one) => (Array.isArray(one) ? one[s] : one) ?? 0));
  const called = (head) => subjects.find(({ chain: [first] }) => first?.name === head).name;
  const [stack, search, linear] = [called("stack"), called("search"), called("linear")];
  // The single routes are compared on dev; a reference that ignores the text is excluded.
  const best = results
    .filter(
      ({ task, subject, dev }) => task === own.name && dev && !["majority", stack, search].includes(subject),
    )
    .reduce((a, b) => (b.dev.mean > a.dev.mean ? b : a)).subject;
  return {
    name,
    best,
    groups,
    columns: {
      stack: columns(stack),
      search: columns(search),
      linear: columns(linear),
      "best single": columns(best),
    },
  };
}

/**
 * Difference of two systems as the mean of the tasks' differences; samples and training seeds are units, crossed. Near-duplicates form
 * one unit, and so does a case that occurs in two tasks.
 */
function ahead(tasks, system, than) {
  const joined = (which) => seeds.map((_, s) => tasks.flatMap(({ columns }) => columns[which][s]));
  const weights = tasks.flatMap(({ columns }) => columns.linear[0].map((_, __, all) => 1 / all.length));
  return pairedDifference(joined(system), joined(than), {
    ...{ seed: 1, range: [0, 1], weights },
    groups: tasks.flatMap((one) => one.groups),
  });
}

function points(share) {
  return (100 * share).toFixed(1);
}
