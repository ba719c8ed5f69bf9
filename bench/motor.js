// The time of a motor update: Hone against PyTorch, with the same arm, controllers, losses and initial parameters on the same
// batch (64 reaches of 50 steps per controller), in float32, with Adam. Run by `npm run build && npm run bench:motor`, on a
// quiet machine; PyTorch is found through HONE_TORCH_PYTHON, a python with torch. Each way runs in its own process; they take
// turns. Writes bench/recorded/motor.json if PyTorch is available.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { lay, problems } from "./motor_problem.js";
import { machine, record } from "./record.js";

const rounds = Number(process.env.HONE_BENCH_ROUNDS ?? 4);
const python = process.env.HONE_TORCH_PYTHON;
const here = (file) => join(import.meta.dirname, file);
const ways = [
  { name: "Hone", command: [process.execPath, here("motor_node.js")], updates: 5 },
  // With so many small operators, one core is often faster than all.
  ...(python ? [1, 2] : []).map((threads) => ({
    name: `PyTorch, ${threads} thread${threads > 1 ? "s" : ""}`,
    command: [python, here("motor_torch.py"), `${threads}`],
    updates: 2,
  })),
];

/** A process that makes updates on request. */
function start({ command: [program, ...args] }, name, folder) {
  const child = spawn(program, [...args, folder, name], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = new Promise((resolve) => child.once("close", resolve));
  return {
    turn: async (count) => {
      child.stdin.write(`${count}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${program} ended with ${await ended}`);
      return JSON.parse(value);
    },
    stop: () => {
      child.stdin.end();
      return ended;
    },
  };
}

const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};

async function measure(name, folder) {
  const problem = problems[name];
  console.log(problem.title);
  lay(name, problem, folder);
  const running = ways.map((way) => ({ ...way, ...start(way, name, folder), times: [], losses: [] }));
  try {
    for (let round = 0; round <= rounds; round++) {
      for (const way of running) {
        // Runtime threads spin for a while after their work; the next one gets the cores to itself.
        await new Promise((resolve) => setTimeout(resolve, 300));
        const { updates, ...rest } = await way.turn(way.updates);
        way.losses.push(...updates.map(({ loss }) => loss));
        // The first turn is a warm-up.
        if (round > 0) way.times.push(...updates.map(({ ms }) => ms));
        else if (rest.nodes)
          console.log(
            `  Hone: ${rest.nodes} nodes, ready after ${(rest.seconds.lower + rest.seconds.session).toFixed(1)} s`,
          );
      }
    }
  } finally {
    await Promise.all(running.map((way) => way.stop()));
  }
  const [hone, ...others] = running;
  for (const way of running) {
    const ms = median(way.times);
    const rate = (problem.seeds * 1000) / ms;
    console.log(
      `  ${way.name}: median ${ms.toFixed(1)} ms of ${way.times.length}, ${rate.toFixed(1)} controllers' updates a second`,
    );
    const apart = Math.max(...way.losses.slice(0, 10).map((loss, i) => Math.abs(loss / hone.losses[i] - 1)));
    if (!(apart < 1e-3))
      throw new Error(`${way.name} computes other losses: ${way.losses} for ${hone.losses}`);
  }
  if (others.length === 0) return undefined;
  const [honeMs, torchMs] = [median(hone.times), Math.min(...others.map((way) => median(way.times)))];
  return { title: problem.title, ratio: torchMs / honeMs, honeMs, torchMs };
}

const folder = mkdtempSync(join(tmpdir(), "hone-motor-"));
try {
  const place = machine();
  console.log(`${place}; ${rounds} rounds`);
  const wanted = process.argv.slice(2);
  const found = {};
  for (const name of Object.keys(problems).filter((one) => wanted.length === 0 || wanted.includes(one))) {
    found[name] = await measure(name, folder);
  }
  if (!python) console.log("motor: no python with torch (HONE_TORCH_PYTHON), PyTorch skipped");
  else if (wanted.length === 0) record("motor", { rounds, problems: found }, place);
  for (const one of Object.values(found)) {
    if (one) console.log(`motor: ratio ${one.ratio.toFixed(2)} against PyTorch (${one.title})`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
