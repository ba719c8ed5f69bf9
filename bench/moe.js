// Cost of experts: a training step of mixtures against the dense net with the same activated parameters, side by side in one
// run. Usage: npm run bench:moe [-- --rounds 3 --batches 16,64,256 NET...]
//
// For each net, on 16, 64 and 256 rows of 128 tokens per step: the median step in ms over rounds, its ratio to the dense net, parameters,
// and operations per token as counted from the lowered program. AdamW updates all weights in every step however many tokens it learns
// from, so the cost of experts depends on the batch. If HONE_TORCH_PYTHON is a python with torch, the same nets run in PyTorch
// (bench/moe_torch.py, a loop over experts; eager and compiled take turns); their ratios are PyTorch's time over Hone's. A run of all
// nets on all batches writes bench/recorded/moe.json.

import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildNet, countParameters, initWeights } from "../dist/nets/build.js";
import { machine, record } from "./record.js";
import { median, stepOf, trainingArrays } from "./step.js";
import { pause, startWorker } from "./worker.js";

const place = machine();
const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "3" }, batches: { type: "string", default: "16,64,256" } },
});
const rounds = Number(values.rounds);
const batches = values.batches.split(",").map(Number);
const length = 128;
/** Steps of a round: one where a step takes seconds. */
const stepsOf = (batch) => (batch > 64 ? 1 : 3);
const skeleton = { layers: 4, width: 256, heads: 4, hidden: 512, context: length, vocab: 512 };
const nets = {
  "dense x2": { kind: "dense", times: 2 },
  "16 experts top 2": { kind: "gshard", experts: 16 },
  "32 experts top 2": { kind: "gshard", experts: 32 },
  "64 experts top 2": { kind: "gshard", experts: 64 },
  "deepseekmoe 1+63 top 7": { kind: "deepseekmoe", experts: 16 },
};

const made = batches.flatMap((batch) =>
  Object.keys(nets)
    .filter((name) => wanted.length === 0 || wanted.includes(name))
    .map((name) => ({ name, batch, config: buildNet(skeleton, nets[name]), flops: 0, times: [] })),
);
// One net in memory at a time: on 256 rows each takes 5 to 9 GB.
for (let round = 0; round < rounds; round++)
  for (const one of made) {
    // As in training: src/tensor/train.ts.
    const arrays = trainingArrays(initWeights(one.config, 1));
    const { flops, step, release } = await stepOf(one.config, arrays, one.batch);
    one.flops = flops;
    for (let i = 0; i < stepsOf(one.batch); i++) one.times.push(await step());
    await release();
  }

const steps = ({ times }) => times.map(({ gradient, update }) => gradient + update);
const results = made.map((one) => {
  const { name, batch, config, flops, times } = one;
  const dense = made.find((other) => other.batch === batch);
  return {
    net: name,
    batch,
    steps: times.length,
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
if (wanted.length === 0 && batches.join() === "16,64,256")
  record("moe", { rounds, length, skeleton, ...about, results }, place);

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
        const { steps } = await worker.turn(stepsOf(batch));
        times.push(...steps.map(({ ms }) => ms));
      }
  } finally {
    await Promise.all(ways.map(({ worker }) => worker.stop()));
  }
  return ways.map(({ way, worker, times }) => ({ way, ms: Math.round(median(times)), ...worker.first }));
}
