// What experts cost: a training step of mixtures against the dense net with the same activated parameters, side by side in one
// run. usage: npm run bench:moe [-- --rounds 3]
//
// For each net, on 16 and on 64 rows of 128 tokens a step, the median step in ms over rounds, its ratio to the dense net, parameters, and
// operations per token as counted from the lowered program. AdamW passes over all weights in every step however many tokens it
// learns from, so what experts cost depends on the batch. The same nets in PyTorch (bench/moe_torch.py; eager, a loop over experts) where HONE_TORCH_PYTHON is a
// python with torch; their ratio is PyTorch's time over Hone's. Writes bench/recorded/moe.json.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { buildNet, countParameters, initWeights } from "../dist/nets/build.js";
import { textLoss } from "../dist/nets/language.js";
import { trainingArrays } from "../dist/tensor/fused-adamw.js";
import { scalarTensor } from "../dist/tensor/optimizer.js";
import { makeTrainer } from "../dist/tensor/train.js";
import { machine, record } from "./record.js";

const place = machine();
const at = process.argv.indexOf("--rounds");
const rounds = at > 0 ? Number(process.argv[at + 1]) : 3;
const [length, each] = [128, 3];
const batches = [16, 64];
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
  const config = buildNet(skeleton, feedForward);
  // As training has them: src/tensor/train.ts.
  const arrays = trainingArrays(initWeights(config, 1));
  for (const batch of batches)
    made.push({ name, batch, config, ...(await stepOf(config, arrays, batch)), times: [] });
}
for (let round = 0; round < rounds; round++)
  for (const one of made) for (let i = 0; i < each; i++) one.times.push(await one.step());
for (const { release } of made) await release();

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const steps = ({ times }) => times.map(({ gradient, update }) => gradient + update);
const results = made.map((one) => {
  const { name, batch, config, program, times } = one;
  const dense = made.find((other) => other.batch === batch);
  return {
    net: name,
    batch,
    ...countParameters(config),
    mflopsPerToken: program.flops / batch / length / 1e6,
    ms: Math.round(median(steps(one))),
    gradientMs: Math.round(median(times.map(({ gradient }) => gradient))),
    updateMs: Math.round(median(times.map(({ update }) => update))),
    ratio: Number((median(steps(one)) / median(steps(dense))).toFixed(2)),
  };
});
const python = process.env.HONE_TORCH_PYTHON;
const torch = python
  ? JSON.parse(
      execFileSync(
        python,
        [join(import.meta.dirname, "moe_torch.py"), String(rounds), ...batches.map(String)],
        {
          encoding: "utf8",
        },
      ),
    )
  : null;
for (const one of results) {
  const theirs = torch?.results.find(({ net, batch }) => net === one.net && batch === one.batch);
  if (theirs) Object.assign(one, { torchMs: theirs.ms, torchRatio: Number((theirs.ms / one.ms).toFixed(2)) });
  console.log(JSON.stringify(one));
}
const about = torch ? { torch: torch.torch, torchThreads: torch.threads } : {};
record("moe", { rounds, steps: rounds * each, length, skeleton, ...about, results }, place);

/** A training step of a net on so many rows, and the time that its two parts take, in ms. */
async function stepOf(config, { params, moments, gradients }, batch) {
  const ids = Int32Array.from({ length: batch * length }, (_, i) => (i * 7919 + (i >> 3)) % 509);
  const targets = ids.map((id) => (id * 31 + 7) % 509);
  const inputs = {
    tokens: new Tensor("int32", ids, [batch, length]),
    targets: new Tensor("int32", targets, [batch, length]),
    counts: new Tensor("float32", new Float32Array(batch * length).fill(1), [batch, length]),
  };
  const trainer = makeTrainer({
    loss: (_frozen, trained, given) => {
      const options = { balance: config.experts ? { experts: 0.01 } : {}, scale: 1 / (batch * length) };
      const { loss, nats } = textLoss(config, trained, given, options);
      nats.dispose();
      return loss;
    },
    optimizer: { weightDecay: 0.1 },
  });
  const program = await trainer.gradients.prepare([], params, inputs);
  const loss = scalarTensor(0);
  let made = 0;
  const step = async () => {
    const start = performance.now();
    await trainer.gradients.into([loss, gradients], [], params, inputs);
    const middle = performance.now();
    await trainer.update(params, moments, gradients, ++made, 1e-3);
    return { gradient: middle - start, update: performance.now() - middle };
  };
  await step();
  return { program, step, release: trainer.release };
}
