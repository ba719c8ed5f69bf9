// Muon against AdamW on a small net trained from scratch: bits per byte on test after the same number of tokens, each optimizer
// at the learning rate chosen on dev, and the time of a step. Usage: npm run bench:muon -- --data FOLDER [--store FOLDER]
//
// FOLDER holds law/, med/, social/ and lexical/. The net is the smallest of papers/deepseekmoe, with the same domains; documents
// are shorter and tokens fewer. First each optimizer is trained at three rates under one seed, and dev chooses; then at that rate
// under three seeds. The difference is of bits per byte on the same documents, with documents and seeds as its units. An
// interrupted run resumes from the store, `.hone` by default. Writes bench/recorded/muon.json.

import { parseArgs } from "node:util";
import { buildNet, countParameters, initWeights } from "../dist/nets/build.js";
import { openData } from "../dist/papers/data.js";
import { readTexts } from "../dist/papers/deepseekmoe/read.js";
import { nets, presets, textsTask } from "../dist/papers/deepseekmoe/settings.js";
import { crossedDifference } from "../dist/papers/figures.js";
import { readStudy, runPlans, splitFiles } from "../dist/papers/plans.js";
import { machine, record } from "./record.js";
import { median, stepOf, trainingArrays } from "./step.js";

const { values } = parseArgs({
  options: { data: { type: "string" }, store: { type: "string", default: ".hone" } },
});
const place = machine();
const optimizers = ["adamw", "muon"];
const rates = [0.003, 0.01, 0.03];
const seeds = [1, 2, 3];
const arm = "dense";
const { full } = presets;
const [model] = full.models;
const texts = { bytes: 800, dev: 4, test: 20, train: 150_000 };
const training = { net: nets[arm](full.experts), vocab: full.training.vocab, tokens: 120_000, batch: 6 };
const signal = new AbortController().signal;
const needs = { folders: ["law", "med", "social", "lexical"], holding: "texts in nine domains" };
const folder = await openData("bench:muon", needs, values.data);
const { train, dev, test } = await readTexts(folder, { ...full, texts }, signal);

const specialist = (optimizer, learningRate) => ({ pretrain: { ...training, optimizer, learningRate } });
const name = (optimizer, rate) => `${optimizer} ${rate}`;

/** Trains these under seeds and returns the finished study. */
async function trained(part, chosen, own) {
  const plan = {
    part,
    model,
    description: `Muon against AdamW: ${part}`,
    files: splitFiles({ train, dev, test }),
    study: {
      task: textsTask(full.domains),
      seeds: own,
    },
    arms: Object.fromEntries(
      chosen.map(([optimizer, rate]) => [name(optimizer, rate), specialist(optimizer, rate)]),
    ),
  };
  const study = `bench-muon-${part}`;
  const options = { store: values.store, signal };
  const { stopped } = await runPlans(new Map([[study, plan]]), options);
  if (stopped !== null) throw new Error(`bench:muon: ${stopped}`);
  return readStudy(plan, study, options);
}

const all = optimizers.flatMap((optimizer) => rates.map((rate) => [optimizer, rate]));
const first = await trained("rates", all, seeds.slice(0, 1));
const chosen = optimizers.map((optimizer) => {
  const tried = rates.map((rate) => ({ rate, dev: first.result(name(optimizer, rate)).dev.mean }));
  return { optimizer, tried, rate: tried.toSorted((a, b) => a.dev - b.dev)[0].rate };
});
const last = await trained(
  "seeds",
  chosen.map(({ optimizer, rate }) => [optimizer, rate]),
  seeds,
);
const results = chosen.map(({ optimizer, rate, tried }) => {
  const { mean, low, high, n } = last.result(name(optimizer, rate));
  return { optimizer, rate, tried, bitsPerByte: { mean, low, high, n } };
});
const rowsOf = (wanted) => {
  const { optimizer, rate } = chosen.find((one) => one.optimizer === wanted);
  return last.rows(name(optimizer, rate));
};
const { mean, low, high, p, n } = crossedDifference(rowsOf("muon"), rowsOf("adamw"), "bytes");

// The time of a step, with the optimizers taking turns.
const sizes = Object.fromEntries(
  [...new URLSearchParams(model.split("?")[1])].map(([key, value]) => [key, Number(value)]),
);
const config = buildNet({ ...sizes, vocab: training.vocab }, training.net);
const steps = [];
for (const optimizer of optimizers) {
  const arrays = trainingArrays(initWeights(config, 1));
  steps.push({ optimizer, ...(await stepOf(config, arrays, training.batch, optimizer)), times: [] });
}
const [rounds, each] = [5, 20];
for (let round = 0; round < rounds; round++)
  for (const one of steps)
    for (let i = 0; i < each; i++) {
      const { gradient, update } = await one.step();
      one.times.push(gradient + update);
    }
for (const { release } of steps) await release();
const [adamw, muon] = steps.map(({ times }) => median(times));
const [least, most] = steps.map(({ flops }) => flops);

const found = {
  net: `${model}, ${arm}`,
  ...countParameters(config),
  tokens: training.tokens,
  seeds,
  results,
  difference: { mean, low, high, p, n },
  step: { rounds, steps: rounds * each, rows: training.batch, adamwMs: adamw, muonMs: muon },
  stepRatio: muon / adamw,
  flopsRatio: most / least,
};
record("muon", found, place);
for (const { optimizer, rate, bitsPerByte } of results)
  console.log(
    `${optimizer} at ${rate}: ${bitsPerByte.mean.toFixed(3)} bits per byte of ${bitsPerByte.n} documents`,
  );
console.log(
  `Muon less AdamW: ${mean.toFixed(3)} bits per byte (${low.toFixed(3)} to ${high.toFixed(3)}, p ${p.toFixed(3)})`,
);
console.log(`muon: ratio ${(muon / adamw).toFixed(2)} against AdamW`);
