// Tests whether the default training recipe learns: LoRA on ticket-like texts, licences and the Supreme Court's issue
// areas, by number of labels and seed, compared with the labels' entropy on dev and with the majority class on test. Run
// by
//   npm run build && npm run bench:recipe -- [--data FOLDER] [--only tickets/100] [--seeds 5] [--dist FOLDER --recipe JSON --as NAME]
// FOLDER holds law/scdb_oyez/; without it the issue areas are skipped. `--dist` uses another build of Hone and `--recipe` its
// options, to measure the figures before a change. Rows are added to bench/recorded/recipe.json as they come.
// The settings not yet swept: `--recipe '{"layers":10,"dropout":0.05}' --as dropout-0.05`, the same with 0.1, and
// `--recipe '{"layers":10,"choose":"metric"}' --as by-metric`, each against the default's rows of the same build.

import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "yaml";
import { tableOf } from "./recipe-table.js";
import { tickets } from "./tickets.js";

const { values } = parseArgs({
  options: {
    data: { type: "string" },
    only: { type: "string" },
    seeds: { type: "string", default: "5" },
    dist: { type: "string", default: resolve(import.meta.dirname, "../dist") },
    recipe: { type: "string", default: '{"layers":10}' },
    as: { type: "string", default: "default" },
    out: { type: "string", default: join(import.meta.dirname, "recorded/recipe.json") },
  },
});
const load = (path) => import(join(resolve(values.dist), path));
const { generalist, loadDataset, lora, makeTask, openModel } = await load("index.js");
const { openArtifacts } = await load("store/artifacts.js");
const signal = new AbortController().signal;

const limits = { dev: 100, test: 200 };
const studies = {
  tickets: ticketTask,
  licences: () => shipped("licences"),
  // Only the facts, as when the first rows were measured.
  "issue area": () => shipped("scotus", { input: "{{facts|600}}" }),
};
const sizes = { tickets: [200], licences: [100, 480], "issue area": [500] };

for (const [name, make] of Object.entries(studies)) {
  for (const labels of sizes[name]) {
    if (values.only && values.only !== `${name}/${labels}`) continue;
    const given = make();
    if (!given) continue;
    for (let seed = 1; seed <= Number(values.seeds); seed++) await measure(name, labels, seed, given);
  }
}
console.log(tableOf(recorded()).join("\n"));

/** Trains once and records the row. */
async function measure(task, labels, seed, { model: reference, task: spec }) {
  const key = { task, labels, seed, recipe: values.as };
  if (recorded().some((row) => Object.entries(key).every(([field, value]) => row[field] === value))) return;
  const { name, data, ...options } = spec;
  const dataset = await loadDataset(
    { ...data, limit: { ...limits, train: labels } },
    { base: values.data ?? ".", onOpen: () => {} },
  );
  const asked = makeTask(name, options, dataset.labels);
  const model = await openModel(reference);
  const artifacts = openArtifacts();
  const started = performance.now();
  const specializer = lora(JSON.parse(values.recipe));
  const state = await specializer.fit(generalist(model), {
    task: asked,
    train: dataset.train,
    dev: dataset.dev,
    seed,
    encoder: () => Promise.reject(new Error("not needed")),
    artifacts,
    base: ".",
    context: { signal },
    progress: (done, total, note) =>
      process.stderr.write(`\r${task} ${labels} ${seed}: ${done}/${total} ${note ?? ""}\x1b[K`),
  });
  const seconds = (performance.now() - started) / 1000;
  const specialist = specializer.apply(generalist(model), state, { artifacts });
  const test = [];
  for await (const sample of dataset.test.open("bench/recipe.js")) test.push(sample);
  let right = 0;
  for (const sample of test) right += (await asked.evaluate(specialist, sample, { signal })).score;
  await model.close();
  await artifacts.close();
  const { report } = state;
  const row = {
    ...key,
    devLoss: round(Math.min(...report.heldOut.map(({ loss }) => loss))),
    guessing: round(guessing(asked, dataset)),
    accuracy: round(right / test.length),
    majority: round(majority(asked, dataset.train, test)),
    n: test.length,
    steps: report.steps,
    bestStep: report.bestStep,
    learningRate: report.learningRate ?? null,
    epochs: report.epochs ?? null,
    sweep: report.sweep ?? [],
    seconds: Math.round(seconds),
    options: JSON.parse(values.recipe),
  };
  const machine = `${cpus()[0]?.model.trim()}, ${cpus().length} cores`;
  const rows = [...recorded(), row];
  writeFileSync(
    values.out,
    `${JSON.stringify({ bench: "recipe", machine, node: process.version, limits, rows }, null, 2)}\n`,
  );
  console.log(`\n${JSON.stringify(row)}`);
}

/** Cross-entropy of dev's labels under train's frequencies, in nats; computed here, so that all builds are judged alike. */
function guessing(task, { train, dev, labels }) {
  const of = (sample) => task.demonstration(sample).answer;
  const count = (answer) => train.filter((sample) => of(sample) === answer).length;
  return (
    dev.reduce((sum, one) => sum - Math.log((count(of(one)) + 1) / (train.length + labels.length)), 0) /
    dev.length
  );
}

function majority(task, train, test) {
  const of = (sample) => task.demonstration(sample).answer;
  const counts = new Map();
  for (const sample of train) counts.set(of(sample), (counts.get(of(sample)) ?? 0) + 1);
  const [most] = [...counts].sort((a, b) => b[1] - a[1])[0];
  return test.filter((sample) => of(sample) === most).length / test.length;
}

function ticketTask() {
  const path = join(mkdtempSync(join(tmpdir(), "hone-recipe-")), "tickets.jsonl");
  writeFileSync(
    path,
    tickets(1000, 1)
      .map((row) => JSON.stringify(row))
      .join("\n"),
  );
  return {
    model: "llama:smollm2-135m-instruct?format=plain",
    task: {
      name: "ticket",
      kind: "choice",
      instruction: "Which team should answer this support ticket?",
      data: {
        source: path,
        id: "id",
        input: "text",
        label: "label",
        options: ["billing", "bug", "access", "feature", "delivery"],
        split: { by: "hash", stratify: true, group: "near", seed: 1 },
        leakage: "report",
      },
    },
  };
}

function shipped(name, data = {}) {
  const { model, task } = parse(
    readFileSync(join(import.meta.dirname, `../examples/${name}.study.yaml`), "utf8"),
  );
  const folder = task.data.splits && join(values.data ?? "", "law/scdb_oyez");
  const asked = { model, task: { ...task, data: { ...task.data, ...data } } };
  if (!folder || (values.data && existsSync(folder))) return asked;
  console.log(`recipe: no ${folder} under --data, skipped`);
  return undefined;
}

function recorded() {
  return existsSync(values.out) ? JSON.parse(readFileSync(values.out, "utf8")).rows : [];
}

function round(value) {
  return Number(value.toFixed(4));
}
