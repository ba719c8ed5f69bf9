// What experts cost: a training step of mixtures against the dense net with the same activated parameters, side by side in one
// run. usage: npm run bench:moe [-- --rounds 3]
//
// For each net the median step in ms over rounds, its ratio to the dense net, parameters, and operations per token as counted
// from the lowered program. The same nets in PyTorch (bench/moe_torch.py; eager, a loop over experts) where HONE_TORCH_PYTHON is a
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
const [batch, length, each] = [16, 128, 3];
const skeleton = { layers: 4, width: 256, heads: 4, hidden: 512, context: length, vocab: 512 };
const nets = {
  "dense x2": { kind: "dense", times: 2 },
  "16 experts top 2": { kind: "gshard", experts: 16 },
  "32 experts top 2": { kind: "gshard", experts: 32 },
  "64 experts top 2": { kind: "gshard", experts: 64 },
  "deepseekmoe 1+63 top 7": { kind: "deepseekmoe", experts: 16 },
};

const ids = Int32Array.from({ length: batch * length }, (_, i) => (i * 7919 + (i >> 3)) % 509);
const inputs = {
  tokens: new Tensor("int32", ids, [batch, length]),
  targets: new Tensor(
    "int32",
    ids.map((id) => (id * 31 + 7) % 509),
    [batch, length],
  ),
  counts: new Tensor("float32", new Float32Array(batch * length).fill(1), [batch, length]),
};

const made = [];
for (const [name, feedForward] of Object.entries(nets)) {
  const config = buildNet(skeleton, feedForward);
  const trainer = makeTrainer({
    loss: (_frozen, params, given) => {
      const options = { balance: config.experts ? { experts: 0.01 } : {}, scale: 1 / (batch * length) };
      const { loss, nats } = textLoss(config, params, given, options);
      nats.dispose();
      return loss;
    },
    optimizer: { weightDecay: 0.1 },
  });
  // As training has them: src/tensor/train.ts.
  const { params, moments, gradients } = trainingArrays(initWeights(config, 1));
  const program = await trainer.gradients.prepare([], params, inputs);
  const loss = scalarTensor(0);
  let step = 0;
  const whole = async () => {
    const start = performance.now();
    await trainer.gradients.into([loss, gradients], [], params, inputs);
    const middle = performance.now();
    await trainer.update(params, moments, gradients, ++step, 1e-3);
    return { gradient: middle - start, update: performance.now() - middle };
  };
  await whole();
  made.push({ name, config, program, whole, release: trainer.release, times: [] });
}
for (let round = 0; round < rounds; round++)
  for (const one of made) for (let i = 0; i < each; i++) one.times.push(await one.whole());
for (const { release } of made) await release();

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
const base = made[0].times.map(({ gradient, update }) => gradient + update);
const results = made.map(({ name, config, program, times }) => {
  const steps = times.map(({ gradient, update }) => gradient + update);
  return {
    net: name,
    ...countParameters(config),
    mflopsPerToken: program.flops / batch / length / 1e6,
    ms: Math.round(median(steps)),
    gradientMs: Math.round(median(times.map(({ gradient }) => gradient))),
    updateMs: Math.round(median(times.map(({ update }) => update))),
    ratio: Number((median(steps) / median(base)).toFixed(2)),
  };
});
const python = process.env.HONE_TORCH_PYTHON;
const torch = python
  ? JSON.parse(
      execFileSync(python, [join(import.meta.dirname, "moe_torch.py"), String(rounds)], { encoding: "utf8" }),
    )
  : null;
for (const one of results) {
  const theirs = torch?.results.find(({ net }) => net === one.net);
  if (theirs) Object.assign(one, { torchMs: theirs.ms, torchRatio: Number((theirs.ms / one.ms).toFixed(2)) });
  console.log(JSON.stringify(one));
}
const about = torch ? { torch: torch.torch, torchThreads: torch.threads } : {};
record("moe", { rounds, steps: rounds * each, batch, length, skeleton, ...about, results }, place);
