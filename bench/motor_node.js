// A worker of bench/motor.js: trains controllers with Hone. A line with a number on stdin requests that many updates; a line
// of JSON answers with their times. Called as `motor_node.js FOLDER NAME`.

import { createInterface } from "node:readline";
import { motorTrainer, teach } from "../dist/motor/training.js";
import { zeroMoments } from "../dist/tensor/optimizer.js";
import { learningRate, plant, read, steps } from "./motor_problem.js";

const [folder, name] = process.argv.slice(2);
const { params, inputs, seeds, specialized, ...rest } = read(name, folder);
const { hemispheres, units, layers, callosum, cell, muscles } = rest;
const shape = { hemispheres, units, layers, callosum, cell, muscles, inputs: 16 };
const trainer = motorTrainer({ plant, shape, steps });
const losses = specialized ? "specialized" : "common";
const frozen = teach(
  Array.from({ length: seeds }, () => ({ losses })),
  shape,
);
let at = { params, moments: zeroMoments(params) };
let made = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const updates = [];
  for (let i = 0; i < Number(line); i++) {
    const start = performance.now();
    const [loss, gradients] = await trainer.gradients(frozen, at.params, inputs);
    at = await trainer.update(at.params, at.moments, gradients, ++made, learningRate);
    updates.push({ ms: performance.now() - start, loss: loss.data[0] });
  }
  const { nodes, seconds } = await trainer.gradients.prepare(frozen, at.params, inputs);
  process.stdout.write(`${JSON.stringify({ updates, nodes, seconds })}\n`);
}
