// Checks whether a LoRA that Hone trained makes the same choices wherever it runs: in llama.cpp, which serves it; in the
// decoder that it was trained in; and in transformers with peft, which load its export. On the test samples of a study's
// task. Run by
//   npm run build && HONE_TORCH_PYTHON=VENV/bin/python node bench/peft.js FOLDER STUDY.yaml [--data FOLDER] [--count 200] [--out FILE.json]
// FOLDER holds `adapter.gguf` and `peft/`. `--random` writes a random adapter into it first, to test the three without training.

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Tensor } from "onnxruntime-node";
import { generalist, loadDataset, makeTask, openModel, readStudy } from "../dist/index.js";
import { answerLogprobs } from "../dist/nets/answer.js";
import { lora, matricesOf } from "../dist/nets/changes/lora.js";
import { netConfig, tensorShapes } from "../dist/nets/config.js";
import { packBlock } from "../dist/nets/packing.js";
import { loadWeights } from "../dist/nets/weights.js";
import { compile } from "../dist/tensor/compile.js";
import { readGguf } from "../dist/tensor/gguf.js";
import { readTensor } from "../dist/tensor/gguf-tensors.js";
import { writeLoraGguf } from "../dist/tensor/gguf-write.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: "string" },
    count: { type: "string", default: "200" },
    out: { type: "string" },
    random: { type: "boolean", default: false },
  },
});
const [folder, studyPath] = positionals;
const python = process.env.HONE_TORCH_PYTHON;
if (!folder || !studyPath) {
  console.error(
    "Usage: node bench/peft.js FOLDER STUDY.yaml [--data FOLDER] [--count 200] [--out FILE.json] [--random]",
  );
  process.exit(2);
}
if (!python) {
  console.log("peft: no python with torch, transformers, peft and gguf (HONE_TORCH_PYTHON), skipped");
  process.exit(0);
}

const spec = await readStudy(studyPath);
const base = await openModel(spec.model);
const gguf = readGguf(base.weights.path);
const config = netConfig(gguf);
if (values.random) await writeRandom();
const adapter = readGguf(join(folder, "adapter.gguf"));

const requests = await askLlama();
const inPeft = askPeft(requests);
const inDecoder = await askDecoder(requests);
await report();

/** Runs the task's first test samples through the served model: every scoring request with its tokens and its answer. */
async function askLlama() {
  const { name, data, ...options } = spec.task;
  const dataset = await loadDataset(data, { base: values.data ?? ".", onOpen: () => {} });
  const task = makeTask(name, options, dataset.labels);
  const served = base.weights.specialize({ id: "check", name: "check", lora: adapter.path });
  const asked = [];
  const recording = {
    ...served,
    score: async (request, context) => {
      const scored = await served.score(request, context);
      const { prompt, options: continuations } = await base.weights.tokenize(request);
      asked.push({ prompt, options: continuations, llama: scored.options.map(({ logprob }) => logprob) });
      return scored;
    },
  };
  const subject = generalist(recording);
  const context = { signal: new AbortController().signal };
  let done = 0;
  for await (const sample of dataset.test.open("bench/peft.js")) {
    if (done++ === Number(values.count)) break;
    await task.evaluate(subject, sample, context);
  }
  await base.close();
  return asked;
}

/** Runs the same requests through peft. */
function askPeft(asked) {
  const input = asked.map(({ prompt, options }) => JSON.stringify({ prompt, options })).join("\n");
  const script = join(import.meta.dirname, "peft_check.py");
  const run = spawnSync(python, [script, gguf.path, join(folder, "peft")], {
    input,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (run.status !== 0) throw new Error(`${python} ended with ${run.status}: ${run.stderr.slice(-2000)}`);
  const [versions, ...answers] = run.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return { versions, logprobs: answers.map((answer) => answer.logprobs) };
}

/** Runs the same requests through the compiled decoder, with a request's options packed behind its prompt as in training. */
async function askDecoder(asked) {
  const weights = await loadWeights(gguf, config);
  const trained = {};
  for (const { name, shape } of adapter.tensors) {
    const { data } = await readTensor(adapter, name);
    trained[name] = new Tensor("float32", data, [...shape].reverse());
  }
  const alpha = adapter.metadata.get("adapter.lora.alpha");
  const rank = Object.entries(trained).find(([name]) => name.endsWith("lora_a"))[1].dims[0];
  const logprobs = compile((fixed, changed, inputs) =>
    answerLogprobs(config, fixed, inputs, [lora({ rank, alpha }, changed)]),
  );
  const found = [];
  for (const { prompt, options } of asked) {
    const answers = options.reduce((sum, option) => sum + option.length, 0);
    const length = Math.ceil((prompt.length + answers) / 64) * 64;
    const examples = options.map((answer, i) => ({
      id: `${i}`,
      group: "one",
      head: prompt.length - 1,
      prompt,
      answer,
    }));
    const shape = { rows: 1, length, examples: options.length, answers };
    const { inputs } = packBlock(examples, [examples.map((_, i) => i)], shape, 1);
    found.push([...(await logprobs(weights, trained, inputs)).data]);
  }
  await logprobs.release();
  return found;
}

async function report() {
  const llama = requests.map((request) => request.llama);
  const pairs = [
    ["llama.cpp", "training", compared(llama, inDecoder)],
    ["llama.cpp", "peft", compared(llama, inPeft.logprobs)],
    ["training", "peft", compared(inDecoder, inPeft.logprobs)],
  ].map(([a, b, figures]) => ({ a, b, ...figures }));
  for (const { a, b, agreement, meanAbsoluteDifference, margins } of pairs) {
    console.log(
      `${a} and ${b}: the same choice in ${(100 * agreement).toFixed(1)} % of ${requests.length}, mean |Δ log p| ${meanAbsoluteDifference}` +
        (margins.length ? `, margins where they differ ${margins.join(", ")}` : ""),
    );
  }
  const result = {
    command: `node bench/peft.js FOLDER ${studyPath} --count ${values.count}${values.random ? " --random" : ""}`,
    model: base.id,
    task: spec.task.name,
    n: requests.length,
    versions: { node: process.version, ...inPeft.versions },
    machine: `${cpus()[0]?.model.trim()}, ${cpus().length} cores`,
    comparisons: pairs,
  };
  if (values.out) writeFileSync(values.out, `${JSON.stringify(result, null, 2)}\n`);
}

/** Agreement of two lists of options' log-probabilities; margins are by how much `a` prefers its own choice to b's, in nats. */
function compared(a, b) {
  const best = (values) => values.indexOf(Math.max(...values));
  let same = 0;
  const margins = [];
  const differences = [];
  for (const [i, ours] of a.entries()) {
    const theirs = b[i];
    if (theirs?.length !== ours.length) throw new Error(`Request ${i + 1} has no answer of its own.`);
    if (best(ours) === best(theirs)) same++;
    else margins.push(Number((ours[best(ours)] - ours[best(theirs)]).toFixed(4)));
    for (const [k, value] of ours.entries()) differences.push(Math.abs(value - theirs[k]));
  }
  const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
  return { agreement: same / a.length, meanAbsoluteDifference: Number(mean.toFixed(5)), margins };
}

/** A LoRA with both matrices drawn at random, in both formats. */
async function writeRandom() {
  const { writePeft } = await import("../dist/specializers/training/finetune/peft.js");
  const [rank, alpha] = [16, 32];
  let state = 1;
  const draw = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  const matrix = (rows, columns, scale) => ({
    shape: [rows, columns],
    data: Float32Array.from({ length: rows * columns }, () => scale * draw()),
  });
  const tensors = {};
  for (const name of matricesOf(config)) {
    const [out, inner] = tensorShapes(config).get(name);
    tensors[name] = { a: matrix(rank, inner, Math.sqrt(3 / inner)), b: matrix(out, rank, 0.02) };
  }
  await writeLoraGguf(join(folder, "adapter.gguf"), { architecture: config.architecture, alpha, tensors });
  await writePeft(join(folder, "peft"), { base: base.name, net: config, rank, alpha, tensors });
}
