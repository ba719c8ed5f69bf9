// Checks that a change fits its base model: the matrices of an adapter, or the tensors of a replacement file, must be the
// base's. llama.cpp checks some of this and may abort the process; here it is one error, before native code sees the file.

import { HoneError } from "../../core/errors.js";
import type { Change } from "../../core/model.js";
import { type GgufFile, type GgufTensor, metadataTypes, readGguf } from "../../tensor/gguf.js";
import { checkModel } from "./check.js";

/** llama.cpp multiplies adapters as they are stored: only types that are not quantized in blocks. */
const adapterTypes = new Set([0, 1]);

/** @throws HoneError that says which part of the change does not fit `base` */
export function checkChange(base: GgufFile, change: Change, contextTokens: number): void {
  if (change.weights !== undefined) checkReplacement(base, change.weights);
  if (change.lora !== undefined) checkAdapter(base, change.lora);
  // A soft prompt's tokens are in the file that replaces the base.
  const read = change.weights === undefined ? base : readGguf(change.weights);
  if (change.prefix !== undefined) checkPrefix(read, change.prefix, contextTokens);
}

/**
 * Checks a whole file that replaces the base: the same tensors with other values. It may have more feed-forward neurons, more
 * tokens after the base's own, an output matrix separate from the embedding, and biases.
 */
function checkReplacement(base: GgufFile, path: string): void {
  const file = readGguf(path);
  checkModel(file);
  const bad = misfit(path, base);
  checkArchitecture(file, base, bad);
  const tokens = (gguf: GgufFile) => (gguf.metadata.get("tokenizer.ggml.tokens") ?? []) as readonly string[];
  const [own, known] = [tokens(file), tokens(base)];
  if (known.some((token, i) => token !== own[i])) throw bad("its vocabulary does not begin with the base's");
  const wanted = widened(shapesOf(base), file, own.length);
  for (const { name, shape } of file.tensors) {
    const expected = wanted.get(name) ?? optional(name, wanted);
    if (!expected) throw bad(`it has a tensor ${name}, and the base has none`);
    if (!sameShape(expected, shape))
      throw bad(`its ${name} is ${shape.join(" x ")}, not ${expected.join(" x ")}`);
  }
  const names = new Set(file.tensors.map(({ name }) => name));
  for (const name of wanted.keys()) if (!names.has(name)) throw bad(`it has no tensor ${name}`);
}

/** The base's shapes with the file's own number of neurons and of tokens. */
function widened(
  shapes: ReadonlyMap<string, readonly number[]>,
  file: GgufFile,
  vocabulary: number,
): Map<string, readonly number[]> {
  const hidden = Number(file.metadata.get(`${file.architecture}.feed_forward_length`));
  const wider = (name: string, [input, output]: readonly number[]): readonly number[] | undefined => {
    if (/^(token_embd|output)\.weight$/.test(name)) return [input as number, vocabulary];
    if (/\.ffn_(gate|up)\.weight$/.test(name)) return [input as number, hidden];
    if (/\.ffn_down\.weight$/.test(name)) return [hidden, output as number];
    return undefined;
  };
  return new Map([...shapes].map(([name, shape]) => [name, wider(name, shape) ?? shape]));
}

function optional(
  name: string,
  wanted: ReadonlyMap<string, readonly number[]>,
): readonly number[] | undefined {
  if (name === "output.weight") return wanted.get("token_embd.weight");
  const weight = /^blk\.\d+\..+\.bias$/.test(name) ? wanted.get(name.replace(/bias$/, "weight")) : undefined;
  return weight?.length === 2 ? [weight[1] as number] : undefined;
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
  if (file.types.get("adapter.lora.alpha") !== metadataTypes.float32) {
    throw bad("its adapter.lora.alpha is not stored as a 32-bit float");
  }
  const wanted = shapesOf(base);
  const halves = new Map<string, { a?: GgufTensor; b?: GgufTensor }>();
  for (const tensor of file.tensors) {
    const [, name, half] = /^(.+)\.lora_([ab])$/.exec(tensor.name) ?? [];
    if (name === undefined) throw bad(`its tensor ${tensor.name} is not half of a LoRA pair`);
    if (!adapterTypes.has(tensor.type)) throw bad(`its tensor ${tensor.name} is neither F32 nor F16`);
    const pair = halves.get(name) ?? {};
    pair[half as "a" | "b"] = tensor;
    halves.set(name, pair);
  }
  if (halves.size === 0) throw bad("it holds no matrices");
  for (const [name, { a, b }] of halves) {
    const shape = wanted.get(name);
    if (!shape) throw bad(`it changes ${name}, which the base does not have`);
    // llama.cpp lays out the embedding's two LoRA halves differently, and Hone never makes them.
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

/** Trailing dimensions of 1 are ignored: ggml does not always write them. */
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
