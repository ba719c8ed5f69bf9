// Next-token log-probabilities of the local models: llama.cpp, which serves them, against transformers with the same GGUF
// weights dequantised. Run by `npm run build && HONE_TORCH_PYTHON=VENV/bin/python node bench/parity_torch.js [prompts]`.
// The prompts are made here from fixed words and numbers, of 8 to 200 words.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { openEngines } from "../dist/models/llama/engine.js";
import { pullModel } from "../dist/models/registry.js";

const { signal } = new AbortController();
const count = Number(process.argv[2] ?? 20);
const python = process.env.HONE_TORCH_PYTHON;
const models = ["smollm2-135m-instruct", "gemma3-270m"];

const openings = [
  "The capital of France is the city of",
  "The judgment of the court of appeals is affirmed in part and",
  "Water boils at a temperature of one hundred degrees",
  "def fibonacci(n):\n    if n <",
  "The patient was admitted with fever, cough and shortness of",
  "Q: Which planet is known as the red planet?\nA:",
  "La révolution française commença en l'an",
  "Dear Sir or Madam, I am writing to you about the",
  "One two three four five six seven",
  "The Supreme Court held that the First Amendment protects freedom of",
];
const fillers =
  "The petitioner asked the court to review the decision. Rain fell over the harbour all night. A cell divides into two. She wrote the letter by hand.".split(
    /(?<=\.) /,
  );

/** Prompt i: none to 16 sentences before one of the openings. */
function text(i) {
  const before = Array.from({ length: (i * 5) % 17 }, (_, j) => fillers[(i * 3 + j * j) % fillers.length]);
  return [...before, openings[i % openings.length]].join(" ");
}

if (!python) {
  console.log("parity: no python with torch, transformers and gguf (HONE_TORCH_PYTHON), skipped");
  process.exit(0);
}
for (const name of models) {
  const [file] = (await pullModel(name)).paths;
  await compare(name, file);
}

/** llama.cpp's most probable next token, given the log-probabilities of some. */
async function bestToken(engine, prompt, known, size) {
  let [best, most] = [-1, Number.NEGATIVE_INFINITY];
  const look = (found) => {
    for (const [token, value] of found) if (value > most) [best, most] = [token, value];
  };
  look(known);
  const rest = 1 - [...known.values()].reduce((sum, value) => sum + Math.exp(value), 0);
  // No other token can have more than what is left; where that may be more than the best one has, all are asked.
  const slice = 32_768;
  for (let from = 0; Math.exp(most) <= rest && from < size; from += slice) {
    const wanted = Array.from({ length: Math.min(slice, size - from) }, (_, i) => from + i);
    look(await engine.prompt(prompt, wanted, signal));
  }
  return best;
}

async function compare(name, path) {
  const [engine] = await openEngines({ path, contextTokens: 1024, lanes: 1, threads: 2, gpu: "off" });
  const { vocabulary } = engine;
  const prompts = Array.from({ length: count }, (_, i) => {
    const tokens = vocabulary.tokenize(text(i));
    return vocabulary.bos === undefined ? tokens : [vocabulary.bos, ...tokens];
  });
  const input = prompts.map((prompt) => JSON.stringify({ prompt })).join("\n");
  const script = join(import.meta.dirname, "parity_reference.py");
  const run = spawnSync(python, [script, "next", path], { input, encoding: "utf8", maxBuffer: 1 << 28 });
  if (run.status !== 0) throw new Error(`${python} ended with ${run.status}: ${run.stderr.slice(-2000)}`);
  const reference = run.stdout.trim().split("\n").map(JSON.parse);

  let agree = 0;
  const missed = [];
  const differences = [];
  for (const [i, prompt] of prompts.entries()) {
    const { top, logprobs, vocabulary: size } = reference[i];
    const found = await engine.prompt(prompt, top, signal);
    const best = await bestToken(engine, prompt, found, size);
    if (best === top[0]) agree++;
    else missed.push((logprobs[0] - (logprobs[top.indexOf(best)] ?? Number.NEGATIVE_INFINITY)).toFixed(3));
    for (const [k, token] of top.entries()) {
      if (logprobs[k] > -10) differences.push(Math.abs(found.get(token) - logprobs[k]));
    }
  }
  await engine.close();
  const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
  console.log(
    `${name}: best next token ${agree} of ${count} the same` +
      (missed.length ? ` (elsewhere the reference's margin was ${missed.join(", ")} nats)` : "") +
      `; mean absolute difference of the 20 best log-probabilities ${mean.toFixed(4)}, largest ${Math.max(...differences).toFixed(3)}`,
  );
}
