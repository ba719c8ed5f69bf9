// Times the training step of a net trained from scratch, as in `pretrain`, in its two parts; for benchmarks that compare
// nets or optimizers.

import { Tensor } from "onnxruntime-node";
import { trainerOf } from "../dist/specializers/training/pretrain/fit.js";
import { trainingArrays } from "../dist/tensor/fused-adamw.js";
import { scalarTensor } from "../dist/tensor/optimizer.js";

/**
 * Prepares a step on `batch` rows of the net's context, and makes one as a warm-up.
 *
 * @param weights initial weights; several steps may share the arrays of one `trainingArrays` call
 * @returns `flops` of its products, and `step`, which returns the milliseconds of gradient and update
 */
export async function stepOf(config, { params, moments, gradients }, batch, optimizer = "adamw") {
  const rows = batch * config.context;
  const ids = Int32Array.from({ length: rows }, (_, i) => (i * 7919 + (i >> 3)) % 509);
  const shape = [batch, config.context];
  const inputs = {
    tokens: new Tensor("int32", ids, shape),
    targets: new Tensor(
      "int32",
      ids.map((id) => (id * 31 + 7) % 509),
      shape,
    ),
    counts: new Tensor("float32", new Float32Array(rows).fill(1), shape),
  };
  const learning = { optimizer, weightDecay: 0.1, clipNorm: 1 };
  const balance = config.experts ? { experts: 0.01 } : {};
  const trainer = trainerOf(config, { learning, balance, lossFree: 0, rows });
  const { flops } = await trainer.gradients.prepare([], params, inputs);
  const loss = scalarTensor(0);
  let at = { params, moments };
  let made = 0;
  const step = async () => {
    const start = performance.now();
    await trainer.gradients.into([loss, gradients], [], at.params, inputs);
    const middle = performance.now();
    at = await trainer.update(at.params, at.moments, gradients, ++made, 1e-3);
    return { gradient: middle - start, update: performance.now() - middle };
  };
  await step();
  const updateFlops = (await trainer.updateFlops?.(params)) ?? 0;
  return { flops: flops + updateFlops, step, release: trainer.release };
}

export { trainingArrays };

/** The middle of a list; the upper one of two. */
export const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
