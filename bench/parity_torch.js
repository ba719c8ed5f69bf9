// Compares the decoder that Hone trains with transformers, on the same GGUF weights dequantized: next-token log-probabilities on
// generated prompts. bench/parity.js does the same with llama.cpp, which rounds activations; here both compute in float32, so
// they must agree. Run by `npm run build && HONE_TORCH_PYTHON=VENV/bin/python node bench/parity_torch.js [--prompts 20]`, with a
// python as described in bench/parity_reference.py.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Tensor } from "onnxruntime-node";
import { openModel } from "../dist/models/registry.js";
import { netConfig } from "../dist/nets/config.js";
import { hidden, logitsOf } from "../dist/nets/decoder.js";
import { loadWeights } from "../dist/nets/weights.js";
import { compile } from "../dist/tensor/compile.js";
import { readGguf } from "../dist/tensor/gguf.js";

const { values } = parseArgs({ options: { prompts: { type: "string", default: "20" } } });
const count = Number(values.prompts);
const python = process.env.HONE_TORCH_PYTHON;
const models = ["llama:smollm2-135m-instruct?format=plain", "llama:gemma3-270m"];
/** One program serves all prompts; the longest exceeds Gemma's window of 512 tokens. */
const length = 896;

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
const fillers = [
  "The petitioner asked the court to review the decision.",
  "Rain fell over the harbour all night.",
  "A cell divides into two.",
  "She wrote the letter by hand.",
];

/** Prompt i: up to 16 sentences before an opening; every tenth prompt has 70. */
function text(i) {
  const sentences = i % 10 === 9 ? 70 : (i * 5) % 17;
  const before = Array.from({ length: sentences }, (_, j) => fillers[(i * 3 + j * j) % fillers.length]);
  return [...before, openings[i % openings.length]].join(" ");
}

if (!python) {
  console.log("parity: no python with torch, transformers and gguf (HONE_TORCH_PYTHON), skipped");
  process.exit(0);
}
for (const ref of models) await compare(ref);

async function compare(ref) {
  const model = await openModel(ref);
  const { path } = model.weights;
  const prompts = [];
  for (let i = 0; i < count; i++) {
    const messages = [{ role: "user", content: text(i) }];
    prompts.push((await model.weights.tokenize({ messages, format: "plain", options: [" a"] })).prompt);
  }
  await model.close();
  const input = prompts.map((prompt) => JSON.stringify({ prompt })).join("\n");
  const script = join(import.meta.dirname, "parity_reference.py");
  const run = spawnSync(python, [script, "next", path], { input, encoding: "utf8", maxBuffer: 1 << 28 });
  if (run.status !== 0) throw new Error(`${python} ended with ${run.status}: ${run.stderr.slice(-2000)}`);
  const reference = run.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

  const gguf = readGguf(path);
  const config = netConfig(gguf);
  const weights = await loadWeights(gguf, config);
  const logits = compile((w, tokens, at) => logitsOf(config, w, hidden(config, w, tokens, { at })));
  let agree = 0;
  const differences = [];
  for (const [i, prompt] of prompts.entries()) {
    const tokens = new Int32Array(length);
    tokens.set(prompt);
    const at = new Tensor("int32", Int32Array.of(prompt.length - 1), [1]);
    const { data } = await logits(weights, new Tensor("int32", tokens, [1, length]), at);
    const { top, logprobs } = reference[i];
    const most = data.reduce((a, b) => Math.max(a, b));
    const total = most + Math.log(data.reduce((sum, value) => sum + Math.exp(value - most), 0));
    if (data.indexOf(most) === top[0]) agree++;
    for (const [k, token] of top.entries()) differences.push(Math.abs(data[token] - total - logprobs[k]));
  }
  await logits.release();
  const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
  const largest = Math.max(...differences);
  const tokens = prompts.map((prompt) => prompt.length);
  console.log(
    `${ref}: best next token ${agree} of ${count} the same, prompts of ${Math.min(...tokens)} to ${Math.max(...tokens)} tokens; ` +
      `the 20 best log-probabilities differ by ${mean.toExponential(1)} on average, ${largest.toExponential(1)} at most`,
  );
  if (agree < count || largest > 1e-2) process.exitCode = 1;
}
