// Changed weights as the file that llama.cpp serves: a copy of the base with some tensors replaced or grown.
import { HoneError } from "../../../core/errors.js";
import { ggmlTypes } from "../../../tensor/gguf.js";
import { copyGguf } from "../../../tensor/gguf-write.js";
/**
 * Trained tensors in the storage type that the base has for them; what cannot be written so is F16. Gains stay F32: ggml
 * wants them so.
 */
export function replacementsOf(gguf, tensors, matrices) {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { data, dims }]) => {
      const type = dims.length === 1 ? "F32" : (matrices ?? storageOf(gguf, name));
      return [name, { shape: dims, type, data: data }];
    }),
  );
}
/** Writes the base with rows added to its embedding table, each a token that no text contains. */
export async function withMoreTokens(base, rows, target) {
  const { gguf, config, weights } = base;
  const { width, vocab } = config;
  const count = rows.length / width;
  const grown = (own, added) => {
    const all = new Float32Array(own.length + added.length);
    all.set(own);
    all.set(added, own.length);
    return all;
  };
  const table = weights["token_embd.weight"]?.data;
  const output = config.tied ? table : weights["output.weight"]?.data;
  const shape = [vocab + count, width];
  const type = storageOf(gguf, "token_embd.weight");
  const embedding = { shape, type, data: grown(table, rows) };
  // In the output they are zeros: a soft prompt is read and never written.
  const logits = { shape, type, data: grown(output, new Float32Array(rows.length)) };
  await copyGguf(gguf, target, {
    metadata: moreTokens(gguf, config.architecture, vocab, count),
    replace: { "token_embd.weight": embedding, ...(config.tied ? {} : { "output.weight": logits }) },
    ...(config.tied ? { add: { "output.weight": logits } } : {}),
  });
}
function moreTokens(gguf, architecture, vocab, count) {
  const list = (key) => [...(gguf.metadata.get(`tokenizer.ggml.${key}`) ?? [])];
  const tokens = list("tokens");
  if (tokens.length !== vocab) {
    throw new HoneError({
      what: "This model cannot be given more tokens",
      where: gguf.path,
      why: `it names ${tokens.length} tokens and has ${vocab} embeddings`,
      next: "Take lora or adapter in place of softPrompt.",
    });
  }
  const added = Array.from({ length: count }, (_, i) => `<|soft_${i}|>`);
  const scores = list("scores");
  const types = list("token_type");
  const control = 3;
  return {
    "tokenizer.ggml.tokens": { type: "strings", value: [...tokens, ...added] },
    ...(scores.length > 0
      ? { "tokenizer.ggml.scores": { type: "float32s", value: [...scores, ...added.map(() => 0)] } }
      : {}),
    ...(types.length > 0
      ? { "tokenizer.ggml.token_type": { type: "int32s", value: [...types, ...added.map(() => control)] } }
      : {}),
    ...(gguf.metadata.has(`${architecture}.vocab_size`)
      ? { [`${architecture}.vocab_size`]: { type: "uint32", value: vocab + count } }
      : {}),
  };
}
/** The type that the base stores a tensor in, where Hone can write it; F16 otherwise. */
function storageOf(gguf, name) {
  const number = gguf.tensors.find((tensor) => tensor.name === name)?.type ?? 1;
  const known = ggmlTypes[number]?.[0];
  return known === "Q8_0" || known === "F32" ? known : "F16";
}
