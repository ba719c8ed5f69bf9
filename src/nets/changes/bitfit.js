// BitFit (Ben Zaken et al. 2022): only additive terms and gains are trained. These families have no biases, so each
// matrix of a block gets one that starts at zero; the gains of the norms are trained as they are.
import { Tensor } from "onnxruntime-node";
import { tensorShapes } from "../config.js";
import { matricesOf } from "./lora.js";
/**
 * The start of BitFit: for each matrix of a block `blk.N.attn_q.bias` [out], zero, and the gains of every norm by their own
 * names, as the model has them.
 *
 * @param own reads one of the model's gains
 */
export function initBitfit(config, own) {
  const made = {};
  const shapes = tensorShapes(config);
  for (const name of matricesOf(config)) {
    const [out] = shapes.get(name);
    made[biasOf(name)] = new Tensor("float32", new Float32Array(out), [out]);
  }
  for (const [name, shape] of shapes) {
    if (shape.length === 1) made[name] = new Tensor("float32", own(name).slice(), [...shape]);
  }
  return made;
}
/** The change that such weights make. */
export function bitfit(trained) {
  return {
    weights: trained,
    linear(name, _x, y) {
      const bias = trained[biasOf(name)];
      return bias ? y.add(bias.ref) : y;
    },
  };
}
function biasOf(name) {
  return name.replace(/\.weight$/, ".bias");
}
