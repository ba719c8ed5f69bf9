// Cost of experts: a training step of mixtures against the dense net with the same activated parameters, side by side in one
// run. Usage: npm run bench:moe [-- --rounds 3 --batches 16,64 NET...]
//
// For each net, on 16 and on 64 rows of 128 tokens per step: the median step in ms over rounds, its ratio to the dense net, parameters,
// and operations per token as counted from the lowered program. AdamW updates all weights in every step however many tokens it learns
// from, so the cost of experts depends on the batch. If HONE_TORCH_PYTHON is a python with torch, the same nets run in PyTorch
// (bench/moe_torch.py, a loop over experts; eager and compiled take turns); their ratios are PyTorch's time over Hone's. A run of all
// nets on both batches writes bench/recorded/moe.json.

import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildNet, countParameters, initWeights } from "../dist/nets/build.js";
import { machine, record } from "./record.js";
import { median, stepOf, trainingArrays } from "./step.js";
import { pause, startWorker } from "./worker.js";

const place = machine();
const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "3" }, batches: { type: "string", default: "16,64" } },
});
const rounds = Number(values.rounds);
const batches = values.batches.split(",").map(Number);
const [length, each] = [128, 3];
const skeleton = { layers: 4, width: 256, heads: 4, hidden: 512, context: length, vocab: 512 };
const nets = {
  "dense x2": { kind: "dense", times: 2 },
  "16 experts top 2": { kind: "gshard", experts: 16 },
  "32 experts top 2": { kind: "gshard", experts: 32 },
  "64 experts top 2": { kind: "gshard", experts: 64 },
  "deepseekmoe 1+63 top 7": { kind: "deepseekmoe", experts: 16 },
};

const made = [];
for (const [name, feedForward] of Object.entries(nets)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const config = buildNet(skeleton, feedForward);
  // As in training: src/tensor/train.ts.
  const arrays = trainingArrays(initWeights(config, 1));
  for (const batch of batches)
    made.push({ name, batch, config, ...(await stepOf(config, arrays, batch)), times: [] });
}
for (let round = 0; round < rounds; round++)
  for (const one of made) for (let i = 0; i < each; i++) one.times.push(await one.step());
for (const { release } of made) await release();

const steps = ({ times }) => times.map(({ gradient, update }) => gradient + update);
const results = made.map((one) => {
  const { name, batch, config, flops, times } = one;
  const dense = made.find((other) => other.batch === batch);
  return {
    net: name,
    batch,
    ...countParameters(config),
    mflopsPerToken: flops / batch / length / 1e6,
    ms: Math.round(median(steps(one))),
    gradientMs: Math.round(median(times.map(({ gradient }) => gradient))),
    updateMs: Math.round(median(times.map(({ update }) => update))),
    ratio: Number((median(steps(one)) / median(steps(dense))).toFixed(2)),
  };
});
const python = process.env.HONE_TORCH_PYTHON;
const about = {};
for (const one of results) {
  for (const { way, ms, version, threads } of python ? await torchOf(one.net, one.batch) : []) {
    Object.assign(one, { [`${way}Ms`]: ms, [`${way}Ratio`]: Number((ms / one.ms).toFixed(2)) });
    Object.assign(about, { torch: version, torchThreads: threads });
  }
  console.log(JSON.stringify(one));
}
if (!python) console.log("moe: no python with torch (HONE_TORCH_PYTHON), PyTorch skipped");
if (wanted.length === 0 && batches.join() === "16,64")
  record("moe", { rounds, steps: rounds * each, length, skeleton, ...about, results }, place);

/** The same net in PyTorch: the median step of each way, in ms. */
async function torchOf(net, batch) {
  const ways = [];
  try {
    for (const [way, mode] of [
      ["torch", "eager"],
      ["torchCompiled", "compile"],
    ]) {
      const command = [python, join(import.meta.dirname, "moe_torch.py"), mode, net, String(batch)];
      // The numbers of tokens per expert change from step to step: the first steps are compiled for some sizes, later ones for any.
      const worker = await startWorker({ name: way, command, optional: mode === "compile" }, 3);
      if (worker) ways.push({ way, worker, times: [] });
    }
    for (let round = 0; round < rounds; round++)
      for (const { worker, times } of ways) {
        await pause();
        const { steps } = await worker.turn(each);
        times.push(...steps.map(({ ms }) => ms));
      }
  } finally {
    await Promise.all(ways.map(({ worker }) => worker.stop()));
  }
  return ways.map(({ way, worker, times }) => ({ way, ms: Math.round(median(times)), ...worker.first }));
}
