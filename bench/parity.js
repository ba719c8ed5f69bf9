// Compares the decoder that Hone trains with llama.cpp, which serves it: log-probabilities of the next token on 200 real
// prompts. Run by `npm run build && HONE_TEST_DATA=… npm run bench:parity -- [MODEL …] [--prompts N]`, MODEL as in study
// files; writes bench/recorded/parity.json.
// Both read the same GGUF file. llama.cpp rounds activations to 8 bits where weights are quantized, so they cannot be equal.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Tensor } from "onnxruntime-node";
import { openWeights } from "../dist/models/llama/weights.js";
import { openModel } from "../dist/models/registry.js";
import { netConfig } from "../dist/nets/config.js";
import { hidden, logitsOf } from "../dist/nets/decoder.js";
import { loadWeights } from "../dist/nets/weights.js";
import { compile } from "../dist/tensor/compile.js";
import { readGguf } from "../dist/tensor/gguf.js";
import { machine, record } from "./record.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { prompts: { type: "string", default: "200" } },
});
const wanted = Number(values.prompts);
const refs = positionals.length ? positionals : ["llama:smollm2-135m-instruct", "llama:gemma3-270m"];
const folder = process.env.HONE_TEST_DATA;
if (!folder) {
  console.error("bench/parity.js needs HONE_TEST_DATA, the folder of real data.");
  process.exit(2);
}
/** Prompts are truncated to these lengths in turn, so that five programs cover all. */
const lengths = [40, 80, 120, 160, 200];
const batch = 5;
/** Candidates whose log-probabilities are compared. */
const compared = 10;
/**
 * Candidates requested from llama.cpp. The likeliest token is among them if the remaining probability mass is below
 * that of the best one; if it is not, `askedMore` candidates are requested.
 */
const asked = 64;
const askedMore = 3000;

const facts = readFileSync(join(folder, "law/scdb_oyez/test.jsonl"), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line).facts)
  .filter((text) => typeof text === "string" && text.length > 1200);

const place = machine();
const models = [];
for (const ref of refs) models.push(await measure(ref));
record("parity", { prompts: wanted, models }, place);

async function measure(ref) {
  const opened = await openModel(ref);
  const { path } = opened.weights;
  await opened.close();
  const gguf = readGguf(path);
  const config = netConfig(gguf);
  const weights = await loadWeights(gguf, config);
  const llama = await openWeights(path, "off");
  const [engine] = await llama.open({ contextTokens: 512, lanes: 1, threads: 1 });
  const { vocabulary } = llama;
  const logits = compile((w, tokens, at) => logitsOf(config, w, hidden(config, w, tokens, { at })));

  const begin = vocabulary.bos === undefined ? [] : [vocabulary.bos];
  const prompts = [];
  for (const text of facts) {
    if (prompts.length === wanted) break;
    const tokens = [...begin, ...vocabulary.tokenize(text)];
    const length = lengths[Math.floor((prompts.length * lengths.length) / wanted)];
    if (tokens.length >= length) prompts.push(tokens.slice(0, length));
  }
  if (prompts.length < wanted) throw new Error(`Only ${prompts.length} texts are long enough.`);

  const ask = (prompt, tokens) => engine.prompt(prompt, tokens, new AbortController().signal);
  let same = 0;
  let unsure = 0;
  const differences = [];
  const best = [];
  const apart = [];
  for (let start = 0; start < prompts.length; ) {
    const length = prompts[start].length;
    const group = prompts.slice(start, start + batch).filter((tokens) => tokens.length === length);
    start += group.length;
    const tokens = new Tensor("int32", Int32Array.from(group.flat()), [group.length, length]);
    const at = Int32Array.from(group, (_, row) => row * length + length - 1);
    const { data } = await logits(weights, tokens, new Tensor("int32", at, [group.length]));
    for (const [row, prompt] of group.entries()) {
      const ours = logSoftmax(data.subarray(row * config.vocab, (row + 1) * config.vocab));
      const candidates = likeliest(ours, asked);
      let theirs = await ask(prompt, candidates);
      if (!isSure(theirs)) theirs = await ask(prompt, likeliest(ours, askedMore));
      if (!isSure(theirs)) unsure++;
      const first = bestOf(theirs);
      if (first === candidates[0]) same++;
      else apart.push(Math.abs(theirs.get(first) - theirs.get(candidates[0])));
      best.push(Math.abs(ours[candidates[0]] - theirs.get(candidates[0])));
      for (const token of candidates.slice(0, compared))
        differences.push(Math.abs(ours[token] - theirs.get(token)));
    }
  }
  await logits.release();
  await llama.close();
  const mean = (numbers) => numbers.reduce((a, b) => a + b, 0) / numbers.length;
  const sorted = differences.toSorted((a, b) => a - b);
  const round = (value) => Number(value.toFixed(4));
  const result = {
    model: ref,
    prompts: prompts.length,
    tokens: lengths,
    top1Agreement: round(same / prompts.length),
    // The disagreements: by how much llama.cpp prefers its own choice, in nats.
    disagreements: apart.map(round),
    meanAbsoluteDifference: round(mean(differences)),
    ofTheLikeliest: round(mean(best)),
    p99: round(sorted[Math.floor(sorted.length * 0.99)]),
    unsure,
  };
  console.log(JSON.stringify(result, null, 1));
  console.log(
    `parity: ${ref}: top-1 ${(100 * result.top1Agreement).toFixed(1)} %, mean |Δ log p| ${result.meanAbsoluteDifference} nats over each prompt's ${compared} likeliest tokens`,
  );
  return result;
}

function bestOf(logprobs) {
  return [...logprobs].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
}

/** Whether no token beyond the requested ones can be likelier than the best of them. */
function isSure(logprobs) {
  let mass = 0;
  for (const value of logprobs.values()) mass += Math.exp(value);
  return 1 - mass < Math.exp(logprobs.get(bestOf(logprobs)));
}

function logSoftmax(values) {
  let most = Number.NEGATIVE_INFINITY;
  for (const value of values) most = Math.max(most, value);
  let total = 0;
  for (const value of values) total += Math.exp(value - most);
  const log = most + Math.log(total);
  return Float64Array.from(values, (value) => value - log);
}

function likeliest(logprobs, count) {
  const order = Uint32Array.from(logprobs.keys());
  order.sort((a, b) => logprobs[b] - logprobs[a]);
  return [...order.subarray(0, count)];
}
