// Changes of any network by the names of its matrices: LoRA on some of them, or full training.

import { Tensor } from "onnxruntime-node";
import { normal, randomFor } from "../../core/random.js";

type Shapes = ReadonlyMap<string, readonly number[]>;

/** A LoRA that does not change the model yet, for `lora()`: `NAME.lora_a` [rank, in], normal with variance 1 / in, `NAME.lora_b` zero. */
export function initLoraOn(
  shapes: Shapes,
  names: readonly string[],
  rank: number,
  seed: number,
): Record<string, Tensor> {
  const made: Record<string, Tensor> = {};
  for (const name of names) {
    const [out, inner] = shapes.get(name) as [number, number];
    const random = randomFor(seed, "lora", name);
    const a = Float32Array.from({ length: rank * inner }, () => normal(random) / Math.sqrt(inner));
    made[`${name}.lora_a`] = new Tensor("float32", a, [rank, inner]);
    made[`${name}.lora_b`] = new Tensor("float32", new Float32Array(out * rank), [out, rank]);
  }
  return made;
}

/** W + (alpha / rank) · B A for every matrix that has a LoRA; the others unchanged. */
export function mergeLora(
  weights: Readonly<Record<string, Tensor>>,
  trained: Readonly<Record<string, Tensor>>,
  scale: number,
): Record<string, Tensor> {
  const made: Record<string, Tensor> = { ...weights };
  for (const [key, a] of Object.entries(trained)) {
    if (!key.endsWith(".lora_a")) continue;
    const name = key.slice(0, -".lora_a".length);
    const [rank, inner] = a.dims as [number, number];
    const b = trained[`${name}.lora_b`] as Tensor;
    const out = b.dims[0] as number;
    const data = Float32Array.from((weights[name] as Tensor).data as Float32Array);
    const [left, right] = [b.data as Float32Array, a.data as Float32Array];
    for (let row = 0; row < out; row++) {
      for (let r = 0; r < rank; r++) {
        const factor = scale * (left[row * rank + r] as number);
        if (factor === 0) continue;
        for (let column = 0; column < inner; column++)
          data[row * inner + column] =
            (data[row * inner + column] as number) + factor * (right[r * inner + column] as number);
      }
    }
    made[name] = new Tensor("float32", data, [out, inner]);
  }
  return made;
}
