// Attacks by model file: files with defects, loaded by the real engine in Hone's own way: GGUF models, full weights in place
// of a base's, LoRA adapters, saved specialists, safetensors files. A file kills Hone if it ends or hangs Hone's process, or
// causes an error that is not one of Hone's.

import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openLlama } from "../../dist/models/llama.js";
import { writeLoraGguf } from "../../dist/tensor/gguf-write.js";
import { writeSafetensors } from "../../dist/tensor/safetensors.js";
import { breakGguf, damage, drawsOf, matrices, writeModel } from "./lib/model-files.js";

const opener = fileURLToPath(new URL("lib/opener.js", import.meta.url));
const atOnce = 2;
/** Milliseconds after which Hone counts as hung: longer than its own limit for a trial. */
const limitMs = 240_000;
/** The process is restarted after this many files, since no Hone process opens thousands. */
const filesEach = 500;

/** Valid files, from which all others are derived. */
async function writeSound(folder) {
  const at = (name) => join(folder, name);
  const sound = (path, more = {}) => ({ path, bytes: readFileSync(path), ...more });
  const models = [];
  for (const [family, vocabulary] of [
    ["llama", "gpt2"],
    ["llama", "llama"],
    ["gemma3", "llama"],
  ]) {
    const path = at(`${family}-${vocabulary}.gguf`);
    await writeModel(path, family, vocabulary);
    models.push(sound(path));
  }
  const base = models[0].path;
  const rank = 4;
  const numbers = (...shape) => ({
    shape,
    data: Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => Math.sin(i) / 8),
  });
  const tensors = Object.fromEntries(
    Object.entries(matrices).map(([name, [output, input]]) => [
      name,
      { a: numbers(rank, input), b: numbers(output, rank) },
    ]),
  );
  await writeLoraGguf(at("adapter.gguf"), { architecture: "llama", alpha: 8, tensors });
  await writeSafetensors(
    at("weights.safetensors"),
    { a: numbers(4, 8), b: numbers(2, 2) },
    { metadata: { step: "3" } },
  );
  const model = await openLlama(base, { name: "base" });
  await model.close();
  return {
    models,
    adapter: sound(at("adapter.gguf")),
    safetensors: sound(at("weights.safetensors")),
    base,
    modelId: model.id,
  };
}

/** A saved specialist with a given adapter: its hashes are valid, as an attacker's would be. */
function writeSpecialist(folder, adapter, { modelId }) {
  const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
  const files = [{ name: "adapter.gguf", bytes: adapter.length, sha256: sha256(adapter) }];
  const manifest = JSON.stringify({ hone: "artifact/1", files });
  const artifact = sha256(manifest);
  mkdirSync(join(folder, "artifacts", artifact), { recursive: true });
  writeFileSync(join(folder, "artifacts", artifact, "adapter.gguf"), adapter);
  writeFileSync(join(folder, "artifacts", artifact, "manifest.json"), manifest);
  const specialist = {
    hone: "specialist/1",
    name: "lora",
    model: "llama:file:base.gguf",
    modelId,
    encoder: "encoder:minilm",
    specializer: { lora: {} },
    state: { artifact, kept: { lora: "adapter.gguf" }, report: {} },
    task: { name: "letters", options: { kind: "choice" }, labels: null },
    made: { study: "letters", plan: "x" },
  };
  writeFileSync(join(folder, "specialist.json"), JSON.stringify(specialist));
}

/** Writes one case's file; returns how it is opened, and its defect. */
function writeCase(folder, sound, draws) {
  mkdirSync(folder);
  const { pick, int } = draws;
  const write = (way, { fault, bytes }, more = {}) => {
    const path = join(folder, "file");
    writeFileSync(path, bytes);
    return { way, fault, path, ...more };
  };
  const { base, models, adapter, safetensors } = sound;
  const kind = int(0, 99);
  if (kind < 60) return write("model", breakGguf(pick(models), draws));
  if (kind < 65) return write("weights", breakGguf(models[0], draws), { base });
  if (kind < 83) return write("adapter", breakGguf(adapter, draws), { base });
  if (kind < 90) {
    const header = 8 + Number(safetensors.bytes.readBigUInt64LE());
    return write("safetensors", { fault: "bytes", bytes: damage(safetensors.bytes, header, draws) });
  }
  const { fault, bytes } = breakGguf(adapter, draws);
  writeSpecialist(folder, bytes, sound);
  if (kind < 98) return { way: "specialist", fault, path: folder, base };
  const path = join(folder, "specialist.json");
  writeFileSync(path, damage(readFileSync(path), 400, draws));
  return { way: "specialist", fault: "bytes of its JSON", path: folder, base };
}

/** Hone in its own process, which reports how each file ended. */
function openHone(cache) {
  let child;
  let opened = 0;
  const start = () => {
    child = fork(opener, [cache], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
    opened = 0;
    let words = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      words = (words + text).slice(-2000);
    });
    child.lastWords = () => words;
  };
  return {
    async open(file) {
      if (opened >= filesEach) child.kill();
      if (opened >= filesEach || !child) start();
      opened++;
      const hone = child;
      return new Promise((resolve) => {
        const end = (how) => {
          clearTimeout(timer);
          hone.removeAllListeners();
          if (how.ending === "killed") child = undefined;
          resolve(how);
        };
        const timer = setTimeout(() => {
          hone.kill("SIGKILL");
          end({ ending: "killed", words: `it hung for ${limitMs / 1000} s` });
        }, limitMs);
        hone.on("message", end);
        hone.on("close", (code, signal) =>
          end({ ending: "killed", words: `Hone ended with ${signal ?? code}: ${hone.lastWords()}` }),
        );
        hone.send(file);
      });
    },
    close: () => child?.kill(),
  };
}

/**
 * @param {{count: number, seed: number, workdir: string, log: (text: string) => void, only?: number}} given `only`: the
 *   single case to try, whose files are kept
 */
async function run({ count, seed, workdir, log, only }) {
  const folder = join(workdir, "files");
  mkdirSync(folder, { recursive: true });
  const sound = await writeSound(folder);
  const cases = only === undefined ? Array.from({ length: count }, (_, i) => i) : [only];
  const tally = { tried: 0, refused: 0, passed: 0, killed: 0, notes: [], classes: {} };
  let trials = 0;
  const reasons = new Map();
  let next = 0;
  const worker = async () => {
    const hone = openHone(join(folder, "cache"));
    try {
      for (let i = next++; i < cases.length; i = next++) {
        const number = cases[i];
        const place = join(folder, `case-${number}`);
        const file = writeCase(place, sound, drawsOf(seed, number));
        const { ending, words } = await hone.open(file);
        const kind = `${file.way}: ${file.fault}`;
        tally.classes[kind] ??= { tried: 0, refused: 0, passed: 0, killed: 0 };
        const counted = ending === "unclear" ? "killed" : ending;
        for (const counts of [tally, tally.classes[kind]]) {
          counts.tried++;
          counts[counted]++;
        }
        if (counted === "killed") {
          tally.notes.push(`case ${number} (${kind}): ${words}`);
          log(`files: ${tally.notes.at(-1)}`);
        }
        if (/crashes llama\.cpp|does not finish/.test(words)) {
          trials++;
          const why = /why: {3}(.*)/.exec(words)?.[1] ?? words;
          reasons.set(why, [...(reasons.get(why) ?? []), number]);
        }
        if (only !== undefined) log(`case ${number} (${kind}) ${ending}, in ${place}\n${words ?? ""}`);
        else if (ending !== "killed") rmSync(place, { recursive: true });
        if (tally.tried % 1000 === 0) log(`files: ${tally.tried} of ${cases.length}`);
      }
    } finally {
      hone.close();
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, cases.length) }, worker));
  for (const [why, numbers] of reasons)
    tally.notes.push(`ended its trial: ${why} (cases ${numbers.slice(0, 5).join(", ")})`);
  tally.notes.unshift(`${trials} ended the process in which Hone tried them first`);
  return tally;
}

export default { name: "files", count: 10_000, run };
