// The time of a training step: Hone against jax-js alone and against PyTorch, the same function from the same weights on the
// same batch, in float32. Run by `npm run build && npm run bench:train`, on a quiet machine; PyTorch is found through
// HONE_TORCH_PYTHON, a python with torch (set up as in bench/train_torch.py). A step is forward, backward, clipping and AdamW.
// Each way runs in its own process; they take turns, so that all share the same conditions. Writes bench/recorded/train.json
// if PyTorch is available.

import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { machine, record } from "./record.js";
import { learningRate, optimizer, problems, randomWeights } from "./train_net.js";
import { pause, startWorker } from "./worker.js";

const rounds = Number(process.env.HONE_BENCH_ROUNDS ?? 6);
const python = process.env.HONE_TORCH_PYTHON;
const node = (way) => [process.execPath, join(import.meta.dirname, "train_node.js"), way];
const torch = (way) => [python, join(import.meta.dirname, "train_torch.py"), way];
/** The ways by problem, and how many steps each makes in a turn. */
const plan = {
  small: [
    { name: "Hone", command: node("hone"), steps: 5 },
    { name: "jax-js wasm", command: node("wasm"), steps: 2 },
    ...(python ? [{ name: "PyTorch", command: torch("eager"), steps: 5 }] : []),
    ...(python ? [{ name: "PyTorch compiled", command: torch("compile"), steps: 5, optional: true }] : []),
  ],
  lora: [
    { name: "Hone", command: node("hone"), steps: 2 },
    ...(python ? [{ name: "PyTorch", command: torch("eager"), steps: 2 }] : []),
    ...(python ? [{ name: "PyTorch compiled", command: torch("compile"), steps: 2, optional: true }] : []),
  ],
};
const wanted = process.argv.slice(2);

/** Writes the files that every way reads: the problem, and its weights in sequence. */
function lay(kind, folder) {
  const { data, title, ...problem } = problems[kind];
  const file = openSync(join(folder, `${kind}.bin`), "w");
  for (const weights of randomWeights(problem)) {
    const bytes = new Uint8Array(weights.data.buffer);
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
  }
  closeSync(file);
  writeFileSync(
    join(folder, `${kind}.json`),
    JSON.stringify({ ...problem, data: data(), optimizer, learningRate }),
  );
}

const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};

async function measure(kind, folder) {
  const problem = problems[kind];
  console.log(problem.title);
  lay(kind, folder);
  const ways = [];
  try {
    for (const way of plan[kind]) {
      // Two warm-up steps, since the second step of compiled PyTorch is still slower than usual.
      const worker = await startWorker({ ...way, command: [...way.command, kind, folder] }, 2);
      if (!worker) continue;
      const { steps: first, version } = worker.first;
      ways.push({
        ...worker,
        ...{ name: way.name, label: version ? `${way.name} ${version}` : way.name, steps: way.steps },
        ...{ times: [], losses: first.map(({ loss }) => loss), peakMB: 0 },
      });
    }
    for (let round = 0; round < rounds; round++) {
      for (const way of ways) {
        await pause();
        const { steps, peakMB } = await way.turn(way.steps);
        way.times.push(steps.map(({ ms }) => ms));
        way.losses.push(...steps.map(({ loss }) => loss));
        way.peakMB = peakMB;
      }
    }
  } finally {
    await Promise.all(ways.map((way) => way.stop()));
  }
  return say(problem, ways);
}

/** Prints the measurements, compares the losses, and returns Hone's ratio to each other way. */
function say(problem, ways) {
  const [hone, ...others] = ways;
  const ratios = {};
  for (const way of ways) {
    const ms = median(way.times.flat());
    const rate = (problem.tokensPerStep / ms) * 1000;
    console.log(
      `  ${way.label}: median step ${ms.toFixed(1)} ms of ${way.times.flat().length}, ${rate.toFixed(0)} tokens/s, ` +
        `peak memory ${way.peakMB.toFixed(0)} MB, ready after ${way.readySeconds.toFixed(1)} s, loss ${way.losses[0].toFixed(6)} at first`,
    );
  }
  for (const way of others) {
    const common = Math.min(10, way.losses.length, hone.losses.length);
    const apart = Array.from({ length: common }, (_, i) => Math.abs(way.losses[i] / hone.losses[i] - 1));
    // The first loss checks the forward pass; later ones check gradients and updates.
    if (!(apart[0] < 1e-4) || !(Math.max(...apart) < 1e-2)) {
      throw new Error(
        `${way.name} computes another loss: ${way.losses.slice(0, common)} for ${hone.losses.slice(0, common)}`,
      );
    }
    const each = way.times
      .map((times, round) => median(times) / median(hone.times[round]))
      .sort((a, b) => a - b);
    const ratio = median(way.times.flat()) / median(hone.times.flat());
    ratios[way.name] = { ratio, ms: median(way.times.flat()), honeMs: median(hone.times.flat()) };
    console.log(
      `  ratio ${ratio.toFixed(2)} against ${way.name} (rounds ${each[0].toFixed(2)} to ${each.at(-1).toFixed(2)}); ` +
        `losses of ${common} steps within ${Math.max(...apart).toExponential(1)}`,
    );
  }
  return ratios;
}

const folder = mkdtempSync(join(tmpdir(), "hone-train-"));
try {
  const place = machine();
  console.log(`${place}; ${rounds} rounds`);
  const kinds = Object.keys(plan).filter((kind) => wanted.length === 0 || wanted.includes(kind));
  const found = {};
  for (const kind of kinds) found[kind] = await measure(kind, folder);
  if (found.small)
    console.log(`train: ratio ${found.small["jax-js wasm"].ratio.toFixed(2)} against jax-js wasm`);
  if (!python) console.log("train: no python with torch (HONE_TORCH_PYTHON), PyTorch skipped");
  else if (wanted.length === 0) record("train", { rounds, problems: found }, place);
  for (const [kind, ratios] of Object.entries(found)) {
    if (python) console.log(`train: ratio ${ratios.PyTorch.ratio.toFixed(2)} against PyTorch (${kind})`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
