// Whether a well-formed GGUF file is a language model that hangs together: its numbers agree with its tensors and its
// vocabulary. llama.cpp asserts some of this and aborts the process; here it is one error.

import { HoneError } from "../../core/errors.js";
import type { GgufFile } from "../../tensor/gguf.js";

/** Throws a HoneError that says what does not hold. Whether its architecture is known is for llama.cpp to say. */
export function checkModel(gguf: GgufFile): void {
  const { architecture: name, metadata } = gguf;
  const bad = (why: string) =>
    new HoneError({
      what: "Cannot use this model file",
      where: gguf.path,
      why,
      next: "Give a GGUF file of a language model, for instance one that `hone models list` names.",
    });
  if (gguf.tensors.length === 0) throw bad("it holds no tensors");

  const count = (key: string, required: boolean): number | undefined => {
    const value = metadata.get(`${name}.${key}`);
    // Some architectures have one value a layer.
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (value === undefined && !required) return undefined;
    for (const one of values) {
      const whole = (typeof one === "number" && Number.isInteger(one)) || typeof one === "bigint";
      if (!whole || Number(one) < 0 || Number(one) > 2 ** 31 - 1) {
        throw bad(`its ${name}.${key} is ${value === undefined ? "missing" : String(one)}`);
      }
    }
    return Math.max(...values.map(Number));
  };
  const layers = count("block_count", true) as number;
  const width = count("embedding_length", true) as number;
  const heads = count("attention.head_count", false);
  if (layers < 1 || layers > 1024) throw bad(`it claims ${layers} layers`);
  if (heads !== undefined) {
    if (heads < 1) throw bad("it claims no attention heads");
    const own = metadata.has(`${name}.attention.key_length`);
    if (!own && width % heads !== 0) throw bad(`its ${heads} heads do not divide its width of ${width}`);
    const shared = count("attention.head_count_kv", false) ?? heads;
    if (shared < 1 || shared > heads || heads % shared !== 0) {
      throw bad(`${heads} heads cannot share ${shared} key heads`);
    }
  }
  if ((count("context_length", true) as number) < 1) throw bad("its context length is 0");
  count("feed_forward_length", false);

  const last = `blk.${layers - 1}.`;
  if (!gguf.tensors.some((tensor) => tensor.name.startsWith(last))) {
    throw bad(`it claims ${layers} layers, but has no tensor of layer ${layers - 1}`);
  }
  const tokens = metadata.get("tokenizer.ggml.tokens");
  if (!Array.isArray(tokens) || tokens.length === 0) throw bad("it has no vocabulary");
  const embedding = gguf.tensors.find((tensor) => tensor.name === "token_embd.weight");
  if (!embedding) throw bad("it has no tensor token_embd.weight");
  if (embedding.shape[0] !== width) {
    throw bad(`its embedding is ${embedding.shape[0]} wide, but its width is said to be ${width}`);
  }
  if (embedding.shape[1] !== tokens.length) {
    throw bad(`its vocabulary has ${tokens.length} tokens, but its embedding has ${embedding.shape[1]}`);
  }
  for (const key of ["token_type", "scores"]) {
    const list = metadata.get(`tokenizer.ggml.${key}`);
    if (list === undefined) continue;
    if (!Array.isArray(list) || list.length !== tokens.length) {
      throw bad(`its tokenizer.ggml.${key} does not have one entry a token`);
    }
  }
  for (const [key, value] of metadata) {
    if (!/^tokenizer\.ggml\.\w+_token_id$/.test(key)) continue;
    if (typeof value !== "number" || value < 0 || value >= tokens.length) {
      throw bad(`its ${key} is ${String(value)}, outside a vocabulary of ${tokens.length}`);
    }
  }
}
