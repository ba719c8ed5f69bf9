// BitFit (Ben Zaken et al. 2022): only additive terms and gains are trained. A matrix of a block without a bias gets one that
// starts at zero; existing biases and norm gains are trained from their present values.

import type { numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { type NetConfig, tensorShapes } from "../config.js";
import type { Change } from "../decoder.js";
import { matricesOf } from "./lora.js";

/**
 * BitFit's initial parameters: for each matrix of a block `blk.N.attn_q.bias` [out], zero if the model has none, and the gains
 * of every norm by their own names, as in the model.
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

/** The change by such weights. Biases that the model already has are ordinary weights, which the decoder adds. */
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
