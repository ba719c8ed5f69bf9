// LoRA (Hu et al. 2021): to a product W x is added (alpha / rank) · B A x, with A and B trained and W left alone. Names and
// shapes are those of llama.cpp's adapter files. It writes no files.
import { Tensor } from "onnxruntime-node";
import { normal, randomFor } from "../../core/random.js";
import { tensorShapes } from "../config.js";
import { product } from "../decoder.js";
/** The matrices of a block, by GGUF part name. */
export const blockMatrices = ["attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"];
/** GGUF names of a config's matrices that the parts choose, from a layer on, in the order of the file. */
export function matricesOf(config, parts = blockMatrices, from = 0) {
  const known = new Set(blockMatrices);
  const strange = parts.find((part) => !known.has(part));
  if (strange !== undefined) {
    throw new RangeError(`${JSON.stringify(strange)} is none of the matrices ${blockMatrices.join(", ")}.`);
  }
  return [...tensorShapes(config).keys()].filter((name) => {
    const [, layer, part] = name.split(".");
    return parts.includes(part) && Number(layer) >= from;
  });
}
/**
 * A new LoRA that changes nothing yet: for each matrix `NAME.lora_a` [rank, in], normal with variance 1 / in, and
 * `NAME.lora_b` [out, rank], zero. The seed fixes every number, matrix by matrix.
 */
export function initLora(config, shape, seed) {
  const shapes = tensorShapes(config);
  const made = {};
  for (const name of matricesOf(config, shape.targets, shape.from)) {
    const [out, inner] = shapes.get(name);
    const random = randomFor(seed, "lora", name);
    const a = Float32Array.from({ length: shape.rank * inner }, () => normal(random) / Math.sqrt(inner));
    made[`${name}.lora_a`] = new Tensor("float32", a, [shape.rank, inner]);
    made[`${name}.lora_b`] = new Tensor("float32", new Float32Array(out * shape.rank), [out, shape.rank]);
  }
  return made;
}
/** The change that such weights make. `trained` holds the arrays of `initLora`, by the same names. */
export function lora(shape, trained) {
  return {
    linear(name, x, y) {
      const a = trained[`${name}.lora_a`];
      const b = trained[`${name}.lora_b`];
      if (!a || !b) return y;
      // Scaled where it is narrow.
      const inner = product(x.ref, a.ref).mul(shape.alpha / shape.rank);
      return y.add(product(inner, b.ref));
    },
  };
}
