// Whether a change fits the model it is to change: an adapter's matrices or a replacing file's tensors are those of the
// base. llama.cpp checks some of this and may abort the process; here it is one error, before native code sees the file.

import { HoneError } from "../../core/errors.js";
import type { Change } from "../../core/language.js";
import { type GgufFile, type GgufTensor, readGguf } from "../../tensor/gguf.js";
import { checkModel } from "./check.js";

/** llama.cpp multiplies adapters as they are stored: only types without blocks. */
const adapterTypes = new Set([0, 1]);

/** @throws HoneError that says what of the change does not fit `base` */
export function checkChange(base: GgufFile, change: Change, contextTokens: number): void {
  if (change.weights !== undefined) checkReplacement(base, change.weights);
  if (change.lora !== undefined) checkAdapter(base, change.lora);
  if (change.prefix !== undefined) checkPrefix(base, change.prefix, contextTokens);
}

function checkReplacement(base: GgufFile, path: string): void {
  const file = readGguf(path);
  checkModel(file);
  const bad = misfit(path, base);
  checkArchitecture(file, base, bad);
  const wanted = shapesOf(base);
  for (const { name, shape } of file.tensors) {
    const known = wanted.get(name);
    if (!known) throw bad(`it has a tensor ${name}, and the base has none`);
    if (!sameShape(known, shape)) throw bad(`its ${name} is ${shape.join(" x ")}, not ${known.join(" x ")}`);
    wanted.delete(name);
  }
  const [missing] = wanted.keys();
  if (missing !== undefined) throw bad(`it has no tensor ${missing}`);
  const tokens = (gguf: GgufFile) => JSON.stringify(gguf.metadata.get("tokenizer.ggml.tokens"));
  if (tokens(file) !== tokens(base)) throw bad("its vocabulary is another");
}

function checkAdapter(base: GgufFile, path: string): void {
  const file = readGguf(path);
  const bad = misfit(path, base);
  if (file.metadata.get("general.type") !== "adapter" || file.metadata.get("adapter.type") !== "lora") {
    throw bad("it does not say that it is a LoRA adapter");
  }
  checkArchitecture(file, base, bad);
  const alpha = file.metadata.get("adapter.lora.alpha");
  if (typeof alpha !== "number" || !Number.isFinite(alpha) || alpha <= 0) {
    throw bad(`its adapter.lora.alpha is ${String(alpha)}`);
  }
  const wanted = shapesOf(base);
  const halves = new Map<string, { a?: GgufTensor; b?: GgufTensor }>();
  for (const tensor of file.tensors) {
    const [, name, half] = /^(.+)\.lora_([ab])$/.exec(tensor.name) ?? [];
    if (name === undefined) throw bad(`its tensor ${tensor.name} is no half of a LoRA pair`);
    if (!adapterTypes.has(tensor.type)) throw bad(`its tensor ${tensor.name} is neither F32 nor F16`);
    const pair = halves.get(name) ?? {};
    pair[half as "a" | "b"] = tensor;
    halves.set(name, pair);
  }
  if (halves.size === 0) throw bad("it holds no matrices");
  for (const [name, { a, b }] of halves) {
    const shape = wanted.get(name);
    if (!shape) throw bad(`it changes ${name}, which the base does not have`);
    // The embedding's two halves are laid out otherwise in llama.cpp, and nothing here makes one.
    if (shape.length !== 2 || name === "token_embd.weight") throw bad(`${name} cannot carry an adapter`);
    if (!a || !b) throw bad(`${name} has only one half of its LoRA pair`);
    const [input, output] = shape as [number, number];
    const rank = a.shape[1] ?? 1;
    if (!sameShape(a.shape, [input, rank]) || !sameShape(b.shape, [rank, output])) {
      const found = `${a.shape.join(" x ")} and ${b.shape.join(" x ")}`;
      throw bad(`the pair of ${name} is ${found}, which does not make ${shape.join(" x ")}`);
    }
    if (rank > Math.min(input, output)) throw bad(`the rank of ${name} is ${rank}, beyond the matrix's own`);
  }
}

function checkPrefix(base: GgufFile, prefix: readonly number[], contextTokens: number): void {
  const bad = misfit("prefix", base);
  const tokens = base.metadata.get("tokenizer.ggml.tokens");
  const size = Array.isArray(tokens) ? tokens.length : 0;
  if (prefix.length >= contextTokens) {
    throw bad(`its ${prefix.length} tokens fill the context of ${contextTokens}`);
  }
  for (const token of prefix) {
    if (!Number.isInteger(token) || token < 0 || token >= size) {
      throw bad(`its token ${token} is outside a vocabulary of ${size}`);
    }
  }
}

function checkArchitecture(file: GgufFile, base: GgufFile, bad: (why: string) => HoneError): void {
  if (file.architecture !== base.architecture) {
    throw bad(`it is made for ${file.architecture}, and the base is ${base.architecture}`);
  }
}

/** ggml leaves out dimensions of 1 at the end, or does not. */
function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return Array.from({ length: 4 }, (_, i) => (a[i] ?? 1) === (b[i] ?? 1)).every(Boolean);
}

function shapesOf(gguf: GgufFile): Map<string, readonly number[]> {
  return new Map(gguf.tensors.map(({ name, shape }) => [name, shape]));
}

function misfit(where: string, base: GgufFile): (why: string) => HoneError {
  return (why) =>
    new HoneError({
      what: "A specialist does not fit its base model",
      where,
      why: `${why} (base: ${base.path})`,
      next: "Use it with the model it was made from, or make it again.",
    });
}
