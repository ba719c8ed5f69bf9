// Contrastive training of MiniLM (all weights, NT-Xent, in-batch negatives) against PyTorch with the same texts, loss and optimizer on
// the same cores: pairs per second, in interleaved rounds. Then sentence-transformers opens the folder that training leaves: the
// greatest difference of a cosine. Usage:
//   npm run build && HONE_TORCH_PYTHON=VENV/bin/python npm run bench:contrastive [-- --rounds 3 --steps 12 --pairs 128]
// Writes bench/recorded/contrastive.json if sizes are the defaults. The python needs torch, transformers, sentence-transformers.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openModel } from "../dist/models/registry.js";
import {
  keepTrained,
  openTrainedFolder,
  writeEncoder,
} from "../dist/specializers/training/contrastive/kept.js";
import { trainContrast } from "../dist/specializers/training/contrastive/train.js";
import { record } from "./record.js";

const usual = { rounds: "3", steps: "12", pairs: "128" };
const { values } = parseArgs({
  options: Object.fromEntries(
    Object.entries(usual).map(([name, value]) => [name, { type: "string", default: value }]),
  ),
});
const [rounds, steps, pairs] = [Number(values.rounds), Number(values.steps), Number(values.pairs)];
const python = process.env.HONE_TORCH_PYTHON;
if (!python) {
  console.log(
    "contrastive: no python with torch, transformers and sentence-transformers (HONE_TORCH_PYTHON), skipped",
  );
  process.exit(0);
}
const threads = availableParallelism();
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

// Words of one to four word pieces; a pair is a word and another with the same beginning.
const stems =
  "court law study model river stone garden music letter winter silver engine market border flower".split(
    " ",
  );
const ends = "s ing ed er less ful ness room house man work light able ship yard".split(" ");
const words = stems.flatMap((stem) => ends.map((end) => stem + end));
const batches = Array.from({ length: steps }, (_, step) => {
  const firsts = Array.from({ length: pairs }, (_, i) => (step * 37 + i * 7) % words.length);
  return {
    texts: firsts.flatMap((at) => [words[at], words[(at + 1) % words.length]]),
    labels: firsts.flatMap((at) => [at, at]),
  };
});

const folder = mkdtempSync(join(tmpdir(), "hone-bench-contrastive-"));
const encoder = await openModel(`encoder:minilm-f32?threads=${threads}`);
const { signal } = new AbortController();
const learning = { learningRate: 2e-5, temperature: 0.07 };
const askPython = (...args) =>
  JSON.parse(
    execFileSync(python, [join(import.meta.dirname, "contrastive_torch.py"), ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    })
      .trim()
      .split("\n")
      .at(-1),
  );
try {
  const base = join(folder, "base");
  await writeEncoder(base, encoder, { kind: "full" }, {});
  writeFileSync(join(folder, "batches.json"), JSON.stringify({ batches, threads, ...learning }));
  const ours = [];
  const theirs = [];
  let trained;
  let [ourLosses, theirLosses] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const seconds = [];
    trained = await trainContrast({
      encoder,
      method: { kind: "full" },
      loss: { kind: "ntxent", temperature: learning.temperature, csls: 0 },
      batches,
      learningRate: learning.learningRate,
      warmup: 0,
      shape: "constant",
      seed: 1,
      signal,
      onStep: (at) => seconds.push(at.seconds),
    });
    ourLosses = trained.losses;
    // The first steps include compilation on both sides.
    ours.push(pairs / median(seconds.slice(2)));
    const found = askPython("train", base, join(folder, "batches.json"));
    theirLosses = found.losses;
    theirs.push(pairs / median(found.seconds.slice(2)));
  }

  const kept = join(folder, "kept");
  await keepTrained(kept, encoder, { kind: "full" }, trained.params, true);
  const opened = await openTrainedFolder(encoder, kept);
  const texts = [
    ...words.slice(0, 60),
    "The court held that the law was void.",
    "A river runs through the garden.",
  ];
  const own = await opened.vectors(texts, signal);
  writeFileSync(join(folder, "texts.json"), JSON.stringify(texts));
  const other = askPython("encode", join(kept, "encoder"), join(folder, "texts.json")).vectors;
  const { width } = encoder.net;
  const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  const rowOf = (at) => own.subarray(at * width, (at + 1) * width);
  let greatest = 0;
  for (let i = 0; i < texts.length; i++)
    for (let j = 0; j <= i; j++)
      greatest = Math.max(greatest, Math.abs(dot(rowOf(i), rowOf(j)) - dot(other[i], other[j])));
  const ratios = ours.map((rate, round) => rate / theirs[round]);
  const result = {
    rounds,
    steps,
    pairs,
    threads,
    pairsPerSecond: median(ours),
    pairsPerSecondPyTorch: median(theirs),
    ratio: median(ratios),
    ratiosByRound: ratios,
    lossFirst: [ourLosses[0], theirLosses[0]],
    lossLast: [ourLosses.at(-1), theirLosses.at(-1)],
    sentenceTransformers: { texts: texts.length, greatestDifferenceOfCosines: greatest },
  };
  if (Object.entries(usual).every(([name, value]) => values[name] === value)) record("contrastive", result);
  else console.log(result);
  console.log(`contrastive: cosines in sentence-transformers differ by at most ${greatest.toExponential(1)}`);
  console.log(`contrastive: ratio ${median(ratios).toFixed(2)} against PyTorch`);
} finally {
  await encoder.close();
  rmSync(folder, { recursive: true });
}
