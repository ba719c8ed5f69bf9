// A worker of bench/train.js: trains one problem with Hone (`hone`) or with jax-js alone (`wasm`). A line with a number on
// stdin requests that many steps; a line of JSON answers with their times. Called as `train_node.js hone|wasm PROBLEM FOLDER`.

import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { jit, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { readyJax } from "../dist/tensor/jax.js";
import { adamW } from "../dist/tensor/optimizer.js";
import { makeTrainer, train } from "../dist/tensor/train.js";
import { batchOf, learningRate, losses, optimizer } from "./train_net.js";

const [way, kind, folder] = process.argv.slice(2);
const problem = JSON.parse(readFileSync(join(folder, `${kind}.json`), "utf8"));
const loss = losses[kind];

/** Weights of the given shapes, read in order from where the last read ended. */
const file = openSync(join(folder, `${kind}.bin`));
function read(shapes) {
  return Object.fromEntries(
    shapes.map(([name, shape]) => {
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
      if (readSync(file, new Uint8Array(data.buffer)) !== data.byteLength)
        throw new Error(`${name} is cut off`);
      return [name, new Tensor("float32", data, shape)];
    }),
  );
}
const frozen = read(problem.frozen);
const params = read(problem.params);
closeSync(file);
const inputs = batchOf(kind, problem.data);

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
let wanted = 0;
let made = [];
const note = (ms, loss) => made.push({ ms, loss });
/** Once the requested steps are made, answers and waits for the next request; exits at the end of the input. */
async function turn() {
  if (made.length < wanted) return;
  if (wanted > 0) {
    const peakMB = process.resourceUsage().maxRSS / 1024;
    process.stdout.write(`${JSON.stringify({ steps: made, peakMB })}\n`);
  }
  const { value, done } = await lines.next();
  if (done) process.exit(0);
  made = [];
  wanted = Number(value);
}

/** The product's training loop. It waits between turns in its evaluation on held-out data. */
function hone() {
  return train({
    trainer: makeTrainer({ loss, optimizer }),
    frozen,
    params,
    batches: () => [{ inputs, ids: ["batch"], tokens: problem.tokensPerStep }],
    steps: Number.MAX_SAFE_INTEGER,
    schedule: () => learningRate,
    evaluate: { every: 1, patience: Number.MAX_SAFE_INTEGER, loss: () => turn().then(() => 0) },
    onStep: (step) => note(step.seconds * 1000, step.loss),
  });
}

/** Plain jax-js: the whole step under its jit, on its WebAssembly backend. */
async function wasm() {
  await readyJax();
  const { init, scalars, update } = adamW(optimizer);
  const host = (tensors) =>
    tree.map(({ data, dims, type }) => np.array(data.slice(), { shape: [...dims], dtype: type }), tensors);
  let at = { params: host(params), state: host(init(params)) };
  const batch = host(inputs);
  const step = jit((current, state, rates, given) => {
    const [value, gradients] = valueAndGrad((trained) => loss({}, trained, given))(tree.ref(current));
    return [value, update(current, state, gradients, rates)];
  });
  for (let i = 1; ; i++) {
    const rates = host(scalars(i, learningRate));
    const start = performance.now();
    const [value, { norm, ...next }] = step(at.params, at.state, rates, tree.ref(batch));
    at = next;
    const read = value.dataSync()[0];
    norm.dispose();
    for (const leaf of tree.leaves(tree.ref(at))) leaf.dataSync();
    note(performance.now() - start, read);
    await turn();
  }
}

await turn();
await { hone, wasm }[way]();
