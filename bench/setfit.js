// `setfit` against `linear(vectors)` on the same MiniLM: what training the encoder adds to logistic regression on its vectors, by number
// of labels per class. Three tasks of the shipped studies, five draws of labels each; both see the same draw. Usage:
//   npm run build && npm run bench:setfit -- --data FOLDER [--only licences/8]
// FOLDER holds law/scdb_oyez/ and med/. Of PubMedQA's abstracts and the Court's cases both read the first 128 word pieces, since MiniLM's
// 256 would take more than twice as long; no licence has more than 239. The test rows are those of the shipped studies (200 of each), which
// have opened them before. Rows are added to bench/recorded/setfit.json as they come, so that an interrupted run resumes; a class with
// fewer labels uses all it has.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "yaml";
import { noCost } from "../dist/core/call.js";
import {
  generalist,
  loadDataset,
  makeSpecializer,
  makeTask,
  meanInterval,
  openModel,
  randomFor,
} from "../dist/index.js";
import { openArtifacts } from "../dist/store/artifacts.js";
import { machine } from "./record.js";

const { values } = parseArgs({ options: { data: { type: "string" }, only: { type: "string" } } });
if (!values.data) throw new Error("setfit: say where law/ and med/ lie, with --data FOLDER");
const out = join(import.meta.dirname, "recorded/setfit.json");
const [shots, draws, tested] = [[8, 32, 64], 5, 200];
const systems = {
  setfit: makeSpecializer({ setfit: { write: false } }, "bench"),
  "linear(vectors)": makeSpecializer({ linear: { features: "vectors" } }, "bench"),
};
const { signal } = new AbortController();

const model = await openModel("mock:");
for (const [name, pieces] of Object.entries({ licences: 256, pubmedqa: 128, scotus: 128 })) {
  const encoder = await openModel(`encoder:minilm-f32?pieces=${pieces}`);
  const encoders = { setfit: encoder, "linear(vectors)": remembering(encoder) };
  const given = { ...(await taskOf(name)), encoders, pieces };
  for (const count of shots)
    for (let draw = 1; draw <= draws; draw++) {
      if (values.only && values.only !== `${name}/${count}`) continue;
      if (rows().some((row) => row.task === name && row.shots === count && row.draw === draw)) continue;
      await measure(name, given, count, draw);
    }
  await encoder.close();
}
await model.close();
for (const { task, shots, gain, low, high, family } of write(rows())) {
  const [interval, corrected] = [{ low, high }, family].map(
    (one) => `${points(one.low)} to ${points(one.high)}`,
  );
  console.log(
    `setfit: ${task}, ${shots} a class: ${points(gain)} points (${interval}; of a family of all, ${corrected})`,
  );
}

/** The untrained encoder gives every draw the same vectors, which are computed once; the first draws report its seconds. */
function remembering(encoder) {
  const vectors = new Map();
  return {
    ...encoder,
    async embed(texts, context) {
      const fresh = [...new Set(texts)].filter((text) => !vectors.has(text));
      const made = fresh.length > 0 ? await encoder.embed(fresh, context) : { vectors: [], cost: noCost };
      for (const [i, text] of fresh.entries()) vectors.set(text, made.vectors[i]);
      return { vectors: texts.map((text) => vectors.get(text)), cost: made.cost };
    },
  };
}

/** Every labelled row of train, and test rows. */
async function taskOf(name) {
  const { task } = parse(readFileSync(join(import.meta.dirname, `../examples/${name}.study.yaml`), "utf8"));
  const { name: title, data, ...options } = task;
  const { dev = 100 } = data.limit;
  const dataset = await loadDataset(
    { ...data, limit: { dev, test: tested } },
    { base: values.data, onOpen: () => {} },
  );
  const test = [];
  for await (const sample of dataset.test.open("bench/setfit.js")) test.push(sample);
  return { asked: makeTask(title, options, dataset.labels), train: dataset.train, dev: dataset.dev, test };
}

/** Fits both on one draw and records the row. */
async function measure(name, { asked, train, dev, test, encoders, pieces }, count, draw) {
  const chosen = drawn(asked, train, count, draw);
  const row = { task: name, shots: count, draw, pieces, labels: chosen.length, seconds: {}, scores: {} };
  for (const [system, specializer] of Object.entries(systems)) {
    const started = performance.now();
    const artifacts = openArtifacts();
    const tools = { artifacts, encoder: async () => encoders[system] };
    const state = await specializer.fit(generalist(model), {
      ...tools,
      task: asked,
      train: chosen,
      dev,
      seed: draw,
      base: ".",
      context: { signal },
      progress: () => {},
    });
    const specialist = specializer.apply(generalist(model), state, tools);
    const grades = await Promise.all(test.map((sample) => asked.evaluate(specialist, sample, { signal })));
    await artifacts.close();
    row.scores[system] = grades.map(({ score }) => score).join("");
    row.seconds[system] = Math.round((performance.now() - started) / 1000);
  }
  write([...rows(), row]);
  console.log(`${name} ${count} ${draw}: ${JSON.stringify({ ...row, scores: undefined })}`);
}

/** The same number of samples from each class, drawn by seed. */
function drawn(task, train, count, seed) {
  const random = randomFor(seed, "bench/setfit");
  const order = train.map((sample) => [random(), sample]).sort(([a], [b]) => a - b);
  const taken = new Map();
  return order.flatMap(([, sample]) => {
    const { answer } = task.demonstration(sample);
    taken.set(answer, (taken.get(answer) ?? 0) + 1);
    return taken.get(answer) <= count ? [sample] : [];
  });
}

function rows() {
  return existsSync(out) ? JSON.parse(readFileSync(out, "utf8")).rows : [];
}

/**
 * Draws are units of inference besides samples: the interval is for the gain of another draw on other rows; `family` is the interval
 * at the Bonferroni-corrected level.
 */
function write(all) {
  const cells = [...new Set(all.map(({ task, shots: count }) => `${task} ${count}`))].map((cell) =>
    all.filter(({ task, shots: count }) => `${task} ${count}` === cell),
  );
  const results = cells.map((own) => {
    const [a, b] = Object.keys(systems).map((system) =>
      own.map((row) => Float64Array.from(row.scores[system], Number)),
    );
    const gains = a.map((column, i) => column.map((score, at) => score - b[i][at]));
    const interval = (level) => {
      const { low, high } = meanInterval(gains, { seed: 1, range: [-1, 1], level });
      return { low, high };
    };
    const mean = (columns) =>
      columns.flatMap((one) => [...one]).reduce((x, y, _, all) => x + y / all.length, 0);
    const [{ task, shots: count }] = own;
    return {
      ...{ task, shots: count, draws: own.length, n: a[0].length },
      ...{ setfit: mean(a), "linear(vectors)": mean(b), gain: mean(gains) },
      ...{ ...interval(0.95), family: interval(1 - 0.05 / cells.length) },
    };
  });
  const head = { bench: "setfit", command: "npm run bench:setfit -- --data FOLDER", machine: machine() };
  const digits = (_key, value) =>
    typeof value === "number" && !Number.isInteger(value) ? Number(value.toFixed(4)) : value;
  writeFileSync(out, `${JSON.stringify({ ...head, results, rows: all }, digits, 2)}\n`);
  return results;
}

function points(share) {
  return (100 * share).toFixed(1);
}
