// Checks that a well-formed GGUF file is a consistent language model: its hyperparameters agree with its tensors and its
// vocabulary. llama.cpp asserts some of this and aborts the process; here it is one error that says what is wrong. Faults
// that this does not find end only the trial's process (`trial.ts`).

import { HoneError } from "../../core/errors.js";
import { type GgufFile, ggmlTypes } from "../../tensor/gguf.js";

/** Types that weights never have: integers, F64, and llama.cpp's types for intermediate results. */
const uncomputed = new Set(["I8", "I16", "I32", "I64", "F64", "Q8_1", "Q8_K"]);
const weight = /(^|\.)(token_embd|output|output_norm|attn_\w+|ffn_(gate|up|down|norm))\.weight$/;
const ropeScalings = ["none", "linear", "yarn", "longrope"];

type Bad = (why: string) => HoneError;

/** Throws a HoneError that says what is wrong. Whether the architecture is supported is left to llama.cpp. */
export function checkModel(gguf: GgufFile): void {
  const bad: Bad = (why) =>
    new HoneError({
      what: "Cannot use this model file",
      where: gguf.path,
      why,
      next: "Give a GGUF file of a language model, for instance one that `hone models list` names.",
    });
  if (gguf.tensors.length === 0) throw bad("it holds no tensors");
  checkShape(gguf, bad);
  checkSettings(gguf, bad);
  checkVocabulary(gguf, bad);
}

/** A hyperparameter; the largest if there is one per layer. */
function countOf({ architecture, metadata }: GgufFile, key: string, bad: Bad): number | undefined {
  const value = metadata.get(`${architecture}.${key}`);
  if (value === undefined) return undefined;
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (values.length === 0) throw bad(`its ${architecture}.${key} is an empty list`);
  for (const one of values) {
    const whole = (typeof one === "number" && Number.isInteger(one)) || typeof one === "bigint";
    if (!whole || Number(one) < 0 || Number(one) > 2 ** 31 - 1) {
      throw bad(`its ${architecture}.${key} is ${String(one)}`);
    }
  }
  return Math.max(...values.map(Number));
}

/** Checks layers, widths and heads against each other and the tensors. */
function checkShape(gguf: GgufFile, bad: Bad): void {
  const { architecture: name, metadata, tensors } = gguf;
  const count = (key: string) => countOf(gguf, key, bad);
  const required = (key: string): number => {
    const value = count(key);
    if (value === undefined) throw bad(`its ${name}.${key} is missing`);
    return value;
  };
  const has = (pattern: RegExp) => tensors.some((tensor) => pattern.test(tensor.name));
  const layers = required("block_count");
  if (layers < 1 || layers > 1024) throw bad(`it claims ${layers} layers`);
  const width = required("embedding_length");
  const attends = has(/\.attn_(q|k|v|qkv)\.weight$/);
  const heads = attends ? required("attention.head_count") : count("attention.head_count");
  if (heads !== undefined) {
    if (heads < 1) throw bad("it claims no attention heads");
    const own = metadata.has(`${name}.attention.key_length`);
    if (!own && width % heads !== 0) throw bad(`its ${heads} heads do not divide its width of ${width}`);
    const shared = count("attention.head_count_kv") ?? heads;
    if (shared < 1 || shared > heads || heads % shared !== 0) {
      throw bad(`${heads} heads cannot share ${shared} key heads`);
    }
  }
  for (const key of ["key_length", "value_length", "key_length_swa", "value_length_swa"]) {
    if (count(`attention.${key}`) === 0) throw bad(`its ${name}.attention.${key} is 0`);
  }
  if (required("context_length") < 1) throw bad("its context length is 0");
  const feeds = has(/\.ffn_(up|down)\.weight$/);
  const hidden = feeds ? required("feed_forward_length") : count("feed_forward_length");
  if (feeds && hidden === 0) throw bad("its feed-forward length is 0");
  const experts = count("expert_count") ?? 0;
  const used = count("expert_used_count") ?? 0;
  if (used > experts || (experts > 0 && used < 1)) throw bad(`it uses ${used} of ${experts} experts`);
  const ahead = count("nextn_predict_layers") ?? 0;
  if (ahead > layers) throw bad(`it predicts ahead with ${ahead} of its ${layers} layers`);

  if (!tensors.some((tensor) => tensor.name.startsWith(`blk.${layers - 1}.`))) {
    throw bad(`it claims ${layers} layers, but has no tensor of layer ${layers - 1}`);
  }
  const embedding = tensors.find((tensor) => tensor.name === "token_embd.weight");
  if (!embedding) throw bad("it has no tensor token_embd.weight");
  if (embedding.shape[0] !== width) {
    throw bad(`its embedding is ${embedding.shape[0]} wide, but its width is said to be ${width}`);
  }
  for (const { name: tensor, type } of tensors) {
    const typeName = ggmlTypes[type]?.[0] ?? "";
    if (weight.test(tensor) && uncomputed.has(typeName)) {
      throw bad(`its ${tensor} is stored as ${typeName}, which llama.cpp does not compute with`);
    }
  }
}

/** Checks settings of the computation whose unknown values make llama.cpp abort. */
function checkSettings({ architecture: name, metadata }: GgufFile, bad: Bad): void {
  for (const [key, value] of metadata) {
    if (!key.startsWith(`${name}.`) || !key.endsWith("epsilon")) continue;
    if (typeof value !== "number" || !(value >= 0 && value < 1)) throw bad(`its ${key} is ${String(value)}`);
  }
  const scaling = metadata.get(`${name}.rope.scaling.type`);
  if (scaling !== undefined && !ropeScalings.includes(String(scaling))) {
    const known = ropeScalings.join(", ");
    throw bad(`its ${name}.rope.scaling.type is ${JSON.stringify(String(scaling))}, none of ${known}`);
  }
  const pooling = metadata.get(`${name}.pooling_type`);
  if (pooling !== undefined && ![0, 1, 2, 3, 4].includes(Number(pooling))) {
    throw bad(`its ${name}.pooling_type is ${String(pooling)}`);
  }
}

function checkVocabulary({ metadata, tensors }: GgufFile, bad: Bad): void {
  const tokens = metadata.get("tokenizer.ggml.tokens");
  const reader = metadata.get("tokenizer.ggml.model");
  if (!isTexts(tokens) || tokens.length === 0 || reader === "none" || reader === "no_vocab") {
    throw bad("it has no vocabulary");
  }
  const rows = tensors.find((tensor) => tensor.name === "token_embd.weight")?.shape[1] ?? 1;
  if (rows !== tokens.length) {
    throw bad(`its vocabulary has ${tokens.length} tokens, but its embedding has ${rows}`);
  }
  const known = new Set<string>();
  for (const [i, token] of tokens.entries()) {
    // llama.cpp's own name for an empty token. Invalid UTF-8 is read as �, and two such tokens may differ.
    const text = token === "" ? `[EMPTY_${i}]` : token;
    if (known.has(text) && !text.includes("\ufffd")) {
      throw bad(`its vocabulary has ${JSON.stringify(token.slice(0, 40))} twice (the second is token ${i})`);
    }
    known.add(text);
  }
  if (reader === "llama") {
    // Text that no token spells falls back to byte tokens.
    for (let byte = 0; byte < 256; byte++) {
      const token = `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
      const letter = known.has(byte < 128 ? String.fromCharCode(byte) : "\ufffd");
      if (!known.has(token) && !letter) throw bad(`its vocabulary has no token ${token}`);
    }
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

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
