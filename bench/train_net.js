// The two problems of the training benchmark, as Hone trains them: (i) a 4-layer transformer with all weights trained, and
// (ii) LoRA of rank 16 on SmolLM2-135M's shapes. Weights and batches are random and fixed. bench/train_torch.py has the same
// functions in PyTorch; both read the same weights file.

import { lax, nn, numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { answerLogprobs } from "../dist/nets/answer.js";
import { lora, matricesOf } from "../dist/nets/changes/lora.js";
import { tensorShapes } from "../dist/nets/config.js";
import { packBlock } from "../dist/nets/packing.js";

export const optimizer = { weightDecay: 0.01, clipNorm: 1 };
export const learningRate = 1e-3;

const small = { layers: 4, width: 256, heads: 4, vocab: 1024, batch: 8, length: 128 };
const smollm = {
  architecture: "llama",
  layers: 30,
  width: 576,
  heads: 9,
  kvHeads: 3,
  headWidth: 64,
  hidden: 1536,
  vocab: 49_152,
  context: 8192,
  normEps: 1e-5,
  rope: { pairs: "neighbours", base: 100_000, windowBase: 100_000 },
  embeddingScale: 1,
  activation: "silu",
  queryNorms: false,
  outputNorms: false,
  biases: [],
  tied: true,
};
const adapter = { rank: 16, alpha: 32 };
const sequences = { rows: 4, length: 256 };

/** Numbers in [0, 1) by xorshift, the same on every machine. */
function draws(seed) {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

function shapesOfSmall() {
  const { layers, width, vocab, length } = small;
  const shapes = [
    ["tokens", [vocab, width]],
    ["places", [length, width]],
    ["out_norm", [width]],
    ["out", [width, vocab]],
  ];
  for (let i = 0; i < layers; i++) {
    shapes.push(
      [`${i}.norm1`, [width]],
      [`${i}.qkv`, [width, 3 * width]],
      [`${i}.proj`, [width, width]],
      [`${i}.norm2`, [width]],
      [`${i}.up`, [width, 4 * width]],
      [`${i}.down`, [4 * width, width]],
    );
  }
  return shapes;
}

function shapesOfLora() {
  const shapes = tensorShapes(smollm);
  return matricesOf(smollm).flatMap((name) => {
    const [out, inner] = shapes.get(name);
    return [
      [`${name}.lora_a`, [adapter.rank, inner]],
      [`${name}.lora_b`, [out, adapter.rank]],
    ];
  });
}

/** All data of a problem: JSON for both sides. `inner` of a matrix is the dimension that is summed over. */
export const problems = {
  small: {
    title: `4-layer transformer, d ${small.width}, ${small.batch} × ${small.length} tokens, vocabulary ${small.vocab}, all trained`,
    ...small,
    frozen: [],
    params: shapesOfSmall(),
    inner: 0,
    tokensPerStep: small.batch * small.length,
    data: () => {
      const draw = draws(7);
      const ids = Array.from({ length: small.batch * (small.length + 1) }, () =>
        Math.floor(draw() * small.vocab),
      );
      const rows = Array.from({ length: small.batch }, (_, i) =>
        ids.slice(i * (small.length + 1), (i + 1) * (small.length + 1)),
      );
      return {
        tokens: rows.flatMap((row) => row.slice(0, -1)),
        targets: rows.flatMap((row) => row.slice(1)),
      };
    },
  },
  lora: {
    title: `LoRA r${adapter.rank} on all matrices of SmolLM2-135M's shapes, ${sequences.rows} × ${sequences.length} tokens, one answer token each`,
    ...smollm,
    ...adapter,
    batch: sequences.rows,
    length: sequences.length,
    frozen: [...tensorShapes(smollm)],
    params: shapesOfLora(),
    inner: 1,
    tokensPerStep: sequences.rows * sequences.length,
    data: () => {
      const draw = draws(11);
      const ids = (n) => Array.from({ length: n }, () => Math.floor(draw() * smollm.vocab));
      return { tokens: ids(sequences.rows * sequences.length), targets: ids(sequences.rows) };
    },
  },
};

/** Random weights of a shape: gains near 1, embeddings small, matrices scaled to preserve magnitudes. */
export function* randomWeights({ frozen, params, inner }) {
  let seed = 100;
  for (const [name, shape] of [...frozen, ...params]) {
    const draw = draws(seed++);
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
    const table = name.startsWith("token") || name === "places";
    const scale = table
      ? 0.05
      : name.endsWith("lora_b")
        ? 0.02
        : Math.sqrt(3 / shape.at(inner - shape.length));
    for (let i = 0; i < data.length; i++) {
      data[i] = shape.length === 1 ? 0.9 + 0.2 * draw() : scale * (2 * draw() - 1);
    }
    yield { name, shape, data };
  }
}

/** Next-token mean cross-entropy of the small transformer: pre-norm, learnt positions, SiLU. */
function smallLoss(_frozen, given, { tokens, targets }) {
  const { layers, width, heads, batch, length, vocab } = small;
  const rows = batch * length;
  const w = (name) => given[name].ref;
  const norm = (x, gain) =>
    x.ref.mul(np.reciprocal(np.sqrt(x.mul(x.ref).mean(-1, { keepdims: true }).add(1e-5)))).mul(gain);
  const seen = Float32Array.from({ length: length * length }, (_, i) =>
    i % length <= i / length ? 0 : -1e9,
  );
  const mask = np.array(seen, { shape: [length, length] });
  const batched = (a, b, axis) =>
    lax.dot(a, b, {
      lhsBatchDims: [0],
      rhsBatchDims: [0],
      lhsContractingDims: [2],
      rhsContractingDims: [axis],
    });

  let x = np.take(w("tokens"), tokens, 0).add(w("places")).reshape([rows, width]);
  for (let i = 0; i < layers; i++) {
    const qkv = np
      .matmul(norm(x.ref, w(`${i}.norm1`)), w(`${i}.qkv`))
      .reshape([batch, length, 3, heads, width / heads])
      .transpose([2, 0, 3, 1, 4])
      .reshape([3, batch * heads, length, width / heads]);
    const [q, k, v] = [0, 1, 2].map((part) => qkv.ref.slice(part));
    qkv.dispose();
    const scores = batched(q.mul(Math.sqrt(heads / width)), k, 2).add(mask.ref);
    const most = lax.stopGradient(scores.ref.max(-1, { keepdims: true }));
    const e = np.exp(scores.sub(most));
    const total = e.ref.sum(-1, { keepdims: true });
    const read = batched(e, v, 1).div(total);
    const joined = read
      .reshape([batch, heads, length, width / heads])
      .transpose([0, 2, 1, 3])
      .reshape([rows, width]);
    x = x.add(np.matmul(joined, w(`${i}.proj`)));
    const u = np.matmul(norm(x.ref, w(`${i}.norm2`)), w(`${i}.up`));
    x = x.add(np.matmul(nn.silu(u), w(`${i}.down`)));
  }
  mask.dispose();
  const logits = np.matmul(norm(x, w("out_norm")), w("out"));
  const chosen = targets.reshape([-1, 1]).equal(np.arange(vocab).reshape([1, -1]));
  const right = np.where(chosen, logits.ref, 0).sum(1);
  const most = lax.stopGradient(logits.ref.max(1, { keepdims: true }));
  const total = np.log(np.exp(logits.sub(most.ref)).sum(1)).add(most.reshape([-1]));
  return total.sub(right).mean();
}

/** The loss of LoRA on answers, as src/specializers/training/finetune computes it. */
function loraLoss(frozen, params, inputs) {
  return answerLogprobs(smollm, frozen, inputs, [lora(adapter, params)])
    .mul(inputs.shares.ref)
    .sum()
    .neg();
}

export const losses = { small: smallLoss, lora: loraLoss };

/** A batch as host tensors. */
export function batchOf(kind, { tokens, targets }) {
  if (kind === "small") {
    const int = (data, ...dims) => new Tensor("int32", Int32Array.from(data), dims);
    return {
      tokens: int(tokens, small.batch, small.length),
      targets: int(targets, small.batch * small.length),
    };
  }
  const { rows, length } = sequences;
  const examples = targets.map((target, i) => ({
    id: `${i}`,
    group: `${i}`,
    head: 0,
    prompt: tokens.slice(i * length, (i + 1) * length),
    answer: [target],
  }));
  const block = examples.map((_, i) => [i]);
  return packBlock(examples, block, { rows, length, examples: rows, answers: rows }, 1 / rows).inputs;
}
