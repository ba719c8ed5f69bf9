// BitFit (Ben Zaken et al. 2022): only additive terms and gains are trained. A matrix of a block that has no bias gets one
// that starts at zero; biases and the gains of the norms that are there are trained as they are.

import type { numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { type NetConfig, tensorShapes } from "../config.js";
import type { Change } from "../decoder.js";
import { matricesOf } from "./lora.js";

/**
 * The start of BitFit: for each matrix of a block `blk.N.attn_q.bias` [out], zero where the model has none, and the gains of
 * every norm by their own names, as the model has them.
 *
 * @param own reads one of the model's gains or biases
 */
export function initBitfit(config: NetConfig, own: (name: string) => Float32Array): Record<string, Tensor> {
  const made: Record<string, Tensor> = {};
  const shapes = tensorShapes(config);
  for (const name of matricesOf(config)) {
    const [out] = shapes.get(name) as [number];
    made[biasOf(name)] = new Tensor("float32", new Float32Array(out), [out]);
  }
  for (const [name, shape] of shapes) {
    if (shape.length === 1) made[name] = new Tensor("float32", own(name).slice(), [...shape]);
  }
  return made;
}

/** The change that such weights make. Biases that the model has are weights like others, and the decoder adds them. */
export function bitfit(config: NetConfig, trained: Readonly<Record<string, np.Array>>): Change {
  return {
    weights: trained,
    linear(name, _x, y) {
      const own = config.biases.includes(name.split(".").at(-2) as string);
      const bias = own ? undefined : trained[biasOf(name)];
      return bias ? y.add(bias.ref) : y;
    },
  };
}

function biasOf(name: string): string {
  return name.replace(/\.weight$/, ".bias");
}
