// The problems of bench/motor.js, shared by both ways: controllers, their initial parameters, and one batch of reaches.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { randomFor } from "../dist/core/random.js";
import { initController } from "../dist/motor/controller.js";
import { commonLoss, dominantLoss, nonDominantLoss } from "../dist/motor/loss.js";
import { arm26 } from "../dist/motor/plant/arm.js";
import { reachTrial, trialTensors } from "../dist/motor/trials.js";

export const plant = arm26();
const rest = { layers: 2, cell: "dense", inputs: 16, muscles: 6 };
const unilateral = { ...rest, hemispheres: 1, units: 32, callosum: "none" };
const bilateral = { ...rest, hemispheres: 2, units: 16, callosum: "pooled" };

export const problems = {
  one: { title: "one unilateral controller", shape: unilateral, seeds: 1, specialized: false },
  unilateral: { title: "ten unilateral controllers", shape: unilateral, seeds: 10, specialized: false },
  bilateral: {
    title: "ten specialized bilateral controllers",
    shape: bilateral,
    seeds: 10,
    specialized: true,
  },
};
export const steps = 50;
export const trials = 64;
export const learningRate = 3e-3;

/** Writes a problem as NAME.json and NAME.bin. */
export function lay(name, { shape, seeds, specialized }, folder) {
  const list = Array.from({ length: seeds }, (_, i) => i + 1);
  const params = initController(shape, list);
  const inputs = trialTensors(
    list.map((seed) => {
      const random = randomFor(seed, "trials");
      return Array.from({ length: trials }, () => reachTrial(plant, random));
    }),
  );
  const shapes = (tensors) => Object.entries(tensors).map(([key, { dims }]) => [key, dims]);
  const all = [...Object.values(params), ...Object.values(inputs)].map(({ data }) =>
    Buffer.from(data.buffer),
  );
  writeFileSync(join(folder, `${name}.bin`), Buffer.concat(all));
  writeFileSync(
    join(folder, `${name}.json`),
    JSON.stringify({
      ...shape,
      seeds,
      specialized,
      trials,
      steps,
      learningRate,
      params: shapes(params),
      inputs: shapes(inputs),
      losses: specialized ? [dominantLoss, nonDominantLoss] : [commonLoss],
    }),
  );
}

/** Reads a problem back. */
export function read(name, folder) {
  const problem = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8"));
  const bytes = readFileSync(join(folder, `${name}.bin`));
  let at = bytes.byteOffset;
  const tensors = (shapes) =>
    Object.fromEntries(
      shapes.map(([key, dims]) => {
        const size = dims.reduce((a, b) => a * b, 1);
        const data = new Float32Array(bytes.buffer.slice(at, at + 4 * size));
        at += 4 * size;
        return [key, new Tensor("float32", data, dims)];
      }),
    );
  return { ...problem, params: tensors(problem.params), inputs: tensors(problem.inputs) };
}
