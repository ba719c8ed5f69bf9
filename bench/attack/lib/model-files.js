// Small model files that llama.cpp runs, and defects for them: metadata with other values and types, tensors with other
// shapes and types, lists that do not match each other, bytes changed at random, truncation.

import { randomFor } from "../../../dist/core/random.js";
import { readGguf } from "../../../dist/tensor/gguf.js";
import { writeGguf } from "../../../dist/tensor/gguf-write.js";

const width = 32;
const inner = 64;
const string = (value) => ({ type: "string", value });
const uint32 = (value) => ({ type: "uint32", value });
const float32 = (value) => ({ type: "float32", value });

/** Vocabularies in the form of the two common tokenizers. */
const vocabularies = {
  gpt2: () => {
    const printable = (b) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
    let next = 256;
    const letters = Array.from({ length: 256 }, (_, b) => String.fromCharCode(printable(b) ? b : next++));
    const tokens = ["<<end>>", "<<begin>>", "ab", "cd", ...letters];
    return {
      "tokenizer.ggml.model": string("gpt2"),
      "tokenizer.ggml.pre": string("default"),
      "tokenizer.ggml.tokens": { type: "strings", value: tokens },
      "tokenizer.ggml.token_type": { type: "int32s", value: tokens.map((_, i) => (i < 2 ? 3 : 1)) },
      "tokenizer.ggml.merges": { type: "strings", value: ["a b", "c d"] },
      "tokenizer.ggml.eos_token_id": uint32(0),
      "tokenizer.ggml.bos_token_id": uint32(1),
      "tokenizer.ggml.add_bos_token": { type: "bool", value: true },
    };
  },
  llama: () => {
    const bytes = Array.from(
      { length: 256 },
      (_, b) => `<0x${b.toString(16).toUpperCase().padStart(2, "0")}>`,
    );
    const tokens = ["<unk>", "<s>", "</s>", ...bytes, "▁", "a", "b", "ab", "▁ab"];
    const types = tokens.map((_, i) => (i === 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1));
    return {
      "tokenizer.ggml.model": string("llama"),
      "tokenizer.ggml.tokens": { type: "strings", value: tokens },
      "tokenizer.ggml.scores": { type: "float32s", value: tokens.map((_, i) => -i) },
      "tokenizer.ggml.token_type": { type: "int32s", value: types },
      "tokenizer.ggml.bos_token_id": uint32(1),
      "tokenizer.ggml.eos_token_id": uint32(2),
      "tokenizer.ggml.unknown_token_id": uint32(0),
      "tokenizer.ggml.add_bos_token": { type: "bool", value: true },
    };
  },
};

/** Writes a valid model of one layer. @param family "llama" or "gemma3" */
export async function writeModel(path, family, vocabulary) {
  const words = vocabularies[vocabulary]();
  const gemma = family === "gemma3";
  const random = randomFor(1, path.slice(path.lastIndexOf("/")));
  const weights = (name, ...shape) => {
    const count = shape.reduce((product, length) => product * length, 1);
    const data = Float32Array.from({ length: count }, () => (/norm/.test(name) ? 1 : random() - 0.5));
    return [name, { shape, type: "F32", data }];
  };
  const gains = gemma
    ? ["attn_q_norm", "attn_k_norm", "post_attention_norm", "post_ffw_norm"].map((name) =>
        weights(`blk.0.${name}.weight`, name.startsWith("attn") ? width / 2 : width),
      )
    : [];
  const count = words["tokenizer.ggml.tokens"].value.length;
  await writeGguf(path, {
    metadata: {
      "general.architecture": string(family),
      [`${family}.block_count`]: uint32(1),
      [`${family}.context_length`]: uint32(256),
      [`${family}.embedding_length`]: uint32(width),
      [`${family}.feed_forward_length`]: uint32(inner),
      [`${family}.attention.head_count`]: uint32(2),
      [`${family}.attention.head_count_kv`]: uint32(1),
      [`${family}.attention.layer_norm_rms_epsilon`]: float32(1e-5),
      [`${family}.rope.freq_base`]: float32(10000),
      ...(gemma
        ? {
            "gemma3.attention.key_length": uint32(width / 2),
            "gemma3.attention.value_length": uint32(width / 2),
            "gemma3.attention.sliding_window": uint32(64),
          }
        : { "llama.rope.dimension_count": uint32(width / 2) }),
      ...words,
    },
    tensors: Object.fromEntries([
      weights("token_embd.weight", count, width),
      weights("output_norm.weight", width),
      weights("blk.0.attn_norm.weight", width),
      weights("blk.0.attn_q.weight", width, width),
      weights("blk.0.attn_k.weight", width / 2, width),
      weights("blk.0.attn_v.weight", width / 2, width),
      weights("blk.0.attn_output.weight", width, width),
      weights("blk.0.ffn_norm.weight", width),
      weights("blk.0.ffn_gate.weight", inner, width),
      weights("blk.0.ffn_up.weight", inner, width),
      weights("blk.0.ffn_down.weight", width, inner),
      ...gains,
    ]),
  });
}

/** Matrices of such a model that an adapter may change: name, and [output, input]. */
export const matrices = { "blk.0.attn_q.weight": [width, width], "blk.0.ffn_down.weight": [width, inner] };

const numbersOf = {
  u8: 0,
  i8: 1,
  u16: 2,
  i16: 3,
  u32: 4,
  i32: 5,
  f32: 6,
  bool: 7,
  string: 8,
  u64: 10,
  i64: 11,
  f64: 12,
};
const arrayNumber = 9;
const u32 = (value) => Buffer.from(Uint32Array.of(value).buffer);
const u64 = (value) => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
const text = (value) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);

function scalar(type, value) {
  if (type === "string") return text(String(value));
  const number = Number(value) || 0;
  const whole = Number.isFinite(number) ? BigInt(Math.trunc(number)) : 0n;
  const bytes = Buffer.alloc(8);
  if (type === "f32") bytes.writeFloatLE(Number(value));
  else if (type === "f64") bytes.writeDoubleLE(Number(value));
  else bytes.writeBigUInt64LE(BigInt.asUintN(64, whole));
  const length = { u8: 1, i8: 1, bool: 1, u16: 2, i16: 2, u64: 8, i64: 8, f64: 8 }[type] ?? 4;
  return bytes.subarray(0, length);
}

/** A metadata entry's bytes; `value` may be a list. */
function entryBytes(key, type, value) {
  const head = text(key);
  if (!Array.isArray(value)) return Buffer.concat([head, u32(numbersOf[type]), scalar(type, value)]);
  const items = value.map((one) => scalar(type, one));
  return Buffer.concat([head, u32(arrayNumber), u32(numbersOf[type]), u64(value.length), ...items]);
}

/** Parses a GGUF file into parts, so that they can be changed and reassembled. */
export function takeApart(path, bytes) {
  const gguf = readGguf(path);
  const entries = new Map([...gguf.spans].map(([key, [start, end]]) => [key, bytes.subarray(start, end)]));
  const tensors = gguf.tensors.map((tensor) => ({
    ...tensor,
    data: bytes.subarray(gguf.dataStart + tensor.offset, gguf.dataStart + tensor.offset + tensor.bytes),
  }));
  return { gguf, entries, tensors, header: gguf.dataStart };
}

function putTogether(entries, tensors) {
  const pad = (length) => Buffer.alloc((32 - (length % 32)) % 32);
  const head = [Buffer.from("GGUF"), u32(3), u64(tensors.length), u64(entries.size), ...entries.values()];
  let offset = 0;
  for (const { name, shape, type, data } of tensors) {
    head.push(text(name), u32(shape.length), ...shape.map(u64), u32(type), u64(offset));
    offset += data.length + pad(data.length).length;
  }
  const header = Buffer.concat(head);
  return Buffer.concat([
    header,
    pad(header.length),
    ...tensors.flatMap(({ data }) => [data, pad(data.length)]),
  ]);
}

const counts = "0 1 2 3 4 5 7 8 15 31 33 64 255 256 1000 65535 1e6 16777216 2147483647 2147483648 -1 -2"
  .split(" ")
  .map(Number);
const reals = "-1e-5 -1 0 1e-30 1e30 -1e30 NaN Infinity -Infinity 0.5 3e38 1e-45".split(" ").map(Number);
const words = [
  ..."none linear yarn longrope llama3 llama gpt2 bert t5 rwkv plamo2 no_vocab default llama-bpe".split(" "),
  ..."qwen2 gemma3 gemma mamba deepseek2 gpt-oss smollm bpe lora adapter model ab ▁ <0x00> <0xZZ> <0x".split(
    " ",
  ),
  ...["", " ", "a b c", "x".repeat(300), "\u0000", "\ud800", "漢字", "{{", "%s%n"],
];
/** Optional entries that determine how an engine reads the others. */
const others = `
  expert_count expert_used_count expert_shared_count expert_feed_forward_length expert_gating_func expert_group_count
  expert_weights_scale expert_weights_norm leading_dense_block_count vocab_size pooling_type logit_scale residual_scale
  embedding_scale attention.key_length attention.value_length attention.key_length_swa attention.sliding_window
  attention.sliding_window_pattern attention.causal attention.scale attention.clamp_kqv attention.max_alibi_bias
  attention.layer_norm_epsilon attention.group_norm_groups attention.temperature_scale attention.temperature_length
  rope.dimension_count rope.dimension_sections rope.freq_base rope.freq_base_swa rope.scaling.type rope.scaling.factor
  rope.scaling.attn_factor rope.scale_linear rope.scaling.original_context_length rope.scaling.finetuned
  rope.scaling.yarn_log_multiplier rope.scaling.yarn_beta_fast attn_logit_softcapping final_logit_softcapping
  router_logit_softcapping use_parallel_residual tensor_data_layout swin_norm decoder_block_count embedding_length_out
  classifier.output_labels ssm.conv_kernel nextn_predict_layers full_attention_interval n_deepstack_layers
  altup.num_inputs`
  .trim()
  .split(/\s+/);
const otherTokens = `
  eot_token_id eom_token_id unknown_token_id padding_token_id seperator_token_id mask_token_id fim_pre_token_id
  token_type_count add_space_prefix remove_extra_whitespaces add_eos_token add_sep_token precompiled_charsmap
  suppress_tokens scores merges pre model`
  .trim()
  .split(/\s+/);
const otherAdapters = `
  adapter.alora.invocation_tokens adapter.lora.task_name adapter.lora.prompt_prefix adapter.lora.alpha adapter.type
  general.type general.architecture general.alignment`
  .trim()
  .split(/\s+/);
const tensorTypes = [0, 1, 2, 3, 6, 7, 8, 9, 10, 12, 14, 15, 20, 24, 25, 26, 27, 28, 30, 34, 39];

/** Defects of a file, by class; each takes the case's draws and returns bytes. */
const faults = {
  "a vocabulary that does not hold together": ({ parts, pick, int, chance }) => {
    const { entries, gguf } = parts;
    const lists = [...gguf.metadata].filter(([, value]) => Array.isArray(value) && value.length > 0);
    if (lists.length === 0) return faults["metadata of other values"]({ parts, pick, int, chance });
    const [key, list] = pick(lists);
    const type = typeof list[0] === "string" ? "string" : /scores/.test(key) ? "f32" : "i32";
    const changed = [...list];
    const place = int(0, list.length - 1);
    const ways = [
      () => {
        changed[place] = list[int(0, list.length - 1)];
      },
      () => {
        changed[place] = type === "string" ? pick(words) : type === "f32" ? pick(reals) : pick(counts);
      },
      () => changed.splice(place, 1),
      () => changed.push(pick(list)),
      () => changed.splice(0, changed.length),
      () => changed.fill(changed[0]),
      () => changed.reverse(),
    ];
    pick(ways)();
    entries.set(key, entryBytes(key, chance(0.9) ? type : pick(Object.keys(numbersOf)), changed));
  },
  "metadata of other values": ({ parts, pick }) => {
    const { entries, gguf } = parts;
    const [key, value] = pick([...gguf.metadata].filter(([, one]) => !Array.isArray(one)));
    if (typeof value === "string") entries.set(key, entryBytes(key, "string", pick(words)));
    else if (/epsilon|freq|scale|alpha/.test(key)) entries.set(key, entryBytes(key, "f32", pick(reals)));
    else if (typeof value === "boolean") entries.set(key, entryBytes(key, "bool", pick([0, 1, 2, 255])));
    else entries.set(key, entryBytes(key, pick(["u32", "u32", "i32"]), pick(counts)));
  },
  "metadata of other types": ({ parts, pick, chance }) => {
    const { entries, gguf } = parts;
    const [key, value] = pick([...gguf.metadata]);
    const type = pick(Object.keys(numbersOf));
    const one = Array.isArray(value) ? value[0] : value;
    entries.set(key, entryBytes(key, type, chance(0.7) ? one : Array(pick([0, 1, 2, 5])).fill(one)));
  },
  "metadata that was not there": ({ parts, pick, chance }) => {
    const { entries, gguf } = parts;
    const ofModel = chance(0.75)
      ? `${gguf.architecture}.${pick(others)}`
      : `tokenizer.ggml.${pick(otherTokens)}`;
    const key = gguf.metadata.has("adapter.type") && chance(0.8) ? pick(otherAdapters) : ofModel;
    const ways = [
      () => entryBytes(key, "u32", pick(counts)),
      () => entryBytes(key, "u32", pick(counts)),
      () => entryBytes(key, "f32", pick(reals)),
      () => entryBytes(key, "string", pick(words)),
      () => entryBytes(key, "bool", pick([0, 1])),
      () =>
        entryBytes(
          key,
          pick(["i32", "f32", "u8", "bool"]),
          Array(pick([0, 1, 3, 4, 300])).fill(pick(counts)),
        ),
    ];
    entries.set(key, pick(ways)());
  },
  "metadata missing": ({ parts, pick }) => void parts.entries.delete(pick([...parts.entries.keys()])),
  "two values exchanged": ({ parts, pick }) => {
    const { entries, gguf } = parts;
    const [a, b] = [pick([...gguf.metadata.keys()]), pick([...gguf.metadata.keys()])];
    const value = (key) => entries.get(key).subarray(8 + Buffer.byteLength(key));
    const [forA, forB] = [value(b), value(a)];
    entries.set(a, Buffer.concat([text(a), forA]));
    entries.set(b, Buffer.concat([text(b), forB]));
  },
  "another tensor": ({ parts, pick, int }) => {
    const place = int(0, parts.tensors.length - 1);
    const tensor = { ...parts.tensors[place] };
    const ways = [
      () => {
        tensor.type = pick(tensorTypes);
      },
      () => {
        tensor.shape = tensor.shape.toReversed();
      },
      () => {
        tensor.shape = tensor.shape.map((length) => (int(0, 1) ? length : pick([1, 2, 16, 32, 63, 128])));
      },
      () => {
        tensor.shape = [...tensor.shape, pick([1, 1, 2])];
      },
      () => {
        tensor.name = pick([
          ...parts.tensors.map(({ name }) => name),
          "output.weight",
          "rope_freqs.weight",
          "x",
          "blk.0.x",
        ]);
      },
      () => {
        tensor.data = Buffer.alloc(tensor.data.length, pick([0, 0xff, 0x7f, 0x80]));
      },
    ];
    pick(ways)();
    if (int(0, 9) === 0) parts.tensors.splice(place, 1);
    else parts.tensors[place] = tensor;
  },
};

/** Bytes changed, removed, inserted, truncated: damage that any file may suffer. */
export function damage(whole, header, { pick, int, chance }) {
  let bytes = Buffer.from(whole);
  for (let rounds = pick([1, 1, 2, 4]); rounds > 0 && bytes.length > 0; rounds--) {
    const place = int(0, Math.max(0, Math.min(chance(0.8) ? header : bytes.length, bytes.length) - 1));
    const way = int(0, 9);
    if (way < 5) bytes[place] ^= 1 << int(0, 7);
    else if (way < 6) bytes[place] = int(0, 255);
    else if (way < 7 && place + 8 <= bytes.length)
      bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(pick(counts))), place);
    else if (way < 8) bytes = Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + int(1, 40))]);
    else if (way < 9) bytes = Buffer.concat([bytes.subarray(0, place), bytes.subarray(int(0, place))]);
    else bytes = bytes.subarray(0, place);
  }
  return bytes;
}

/** Random draws of one case, fixed by seed and number. */
export function drawsOf(seed, number) {
  const random = randomFor(seed, "files", number);
  const int = (low, high) => low + Math.floor(random() * (high - low + 1));
  return { int, pick: (list) => list[int(0, list.length - 1)], chance: (share) => random() < share };
}

/**
 * A GGUF file with a defect.
 * @param {{path: string, bytes: Buffer}} sound a valid file
 * @returns {{fault: string, bytes: Buffer}}
 */
export function breakGguf({ path, bytes }, draws) {
  const parts = takeApart(path, bytes);
  if (draws.chance(0.25)) return { fault: "bytes", bytes: damage(bytes, parts.header, draws) };
  const fault = draws.pick(Object.keys(faults));
  for (let rounds = draws.pick([1, 1, 1, 2]); rounds > 0; rounds--) faults[fault]({ ...draws, parts });
  return { fault, bytes: putTogether(parts.entries, parts.tensors) };
}
