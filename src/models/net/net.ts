// The networks behind encoders: BERT and XLM-R from a folder with safetensors, and a decoder from a GGUF file. Each tokenizes
// texts, returns every layer's states, and can be written as a folder that transformers loads.

import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { HoneError, messageOf } from "../../core/errors.js";
import { bertConfig, bertHidden, bertShapes, longest } from "../../nets/bert.js";
import { writeBertOnnx } from "../../nets/bert-onnx.js";
import { type NetConfig, netConfig, tensorShapes } from "../../nets/config.js";
import { type Change, hidden, type Weights } from "../../nets/decoder.js";
import { nextLogprobs } from "../../nets/language.js";
import type { TextBlock, TokenText } from "../../nets/texts.js";
import { loadWeights } from "../../nets/weights.js";
import { readGguf } from "../../tensor/gguf.js";
import { readSafetensor, readSafetensors, writeSafetensors } from "../../tensor/safetensors.js";
import { sha256Of } from "../llama/hash.js";
import { tokenizerOf } from "./gguf-tokenizer.js";
import { gemmaFolder } from "./hf-gemma.js";

/** The states that a text's vector averages: all, or those of the text without markers such as [CLS]. */
export type Pool = "all" | "own";

export interface Net {
  /** Identity of weights and tokenizer. */
  readonly id: string;
  readonly family: "bert" | "decoder";
  readonly width: number;
  readonly layers: number;
  /** Most tokens of a text. */
  readonly longest: number;
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  /** Names of the matrices of layers from `first` on, to which LoRA applies. */
  matrices(first: number): string[];
  /**
   * A text's tokens, at most `most` (`longest` by default); or those of a word and its `gloss`, of which there are as many as fit:
   * the vector is then the mean of the word's own states, with the gloss as context.
   */
  read(text: string, pool: Pool, options?: { gloss?: string | undefined; most?: number }): TokenText;
  /** float32, read once. */
  weights(): Promise<Readonly<Record<string, Tensor>>>;
  /** Last states [rows · length, width]; to be traced. `tap` borrows the states before each layer. */
  hidden(
    weights: Weights,
    block: TextBlock,
    changes: readonly Change[],
    tap: (layer: number, states: np.Array) => void,
  ): np.Array;
  /** log p of each of `targets` [rows, length] given the tokens before it, [rows · length], in nats; traced. Decoders only. */
  logprobs?(weights: Weights, block: TextBlock, targets: np.Array, changes: readonly Change[]): np.Array;
  /**
   * Writes config, the given weights in place of its own, and tokenizer for transformers; for BERT and XLM-R also
   * `onnx/model.onnx`, and no layers after `layer`, so that its states are the last. Others read `pieces` tokens of a text.
   */
  write(
    folder: string,
    weights: Readonly<Record<string, Tensor>>,
    read: { layer: number; pieces: number },
  ): Promise<void>;
}

export interface BertFiles {
  config: string;
  model: string;
  tokenizer: string;
  tokenizerConfig: string;
}

/** Opens BERT or XLM-R. @throws HoneError for files that are missing, damaged or of another model */
export async function bertNet(files: BertFiles): Promise<Net> {
  const json = await readJson(files.config);
  const config = bertConfig(json, files.config);
  const [tokenizer, tokenizerConfig] = [
    await readJson(files.tokenizer),
    await readJson(files.tokenizerConfig),
  ];
  const file = await readSafetensors(files.model);
  const shapes = bertShapes(config);
  // In checkpoints with task heads, the encoder's names begin with the model's name.
  const prefix = ["", "bert.", "roberta."].find((one) =>
    file.tensors.has(`${one}embeddings.word_embeddings.weight`),
  );
  const names = new Map<string, string>();
  for (const [name, shape] of shapes) {
    const old = name
      .replace("LayerNorm.weight", "LayerNorm.gamma")
      .replace("LayerNorm.bias", "LayerNorm.beta");
    const own = [name, old].map((one) => `${prefix ?? ""}${one}`).find((one) => file.tensors.has(one));
    const found = own === undefined ? undefined : file.tensors.get(own);
    if (own === undefined || found?.shape.join() !== shape.join() || !/^B?F(16|32)$/.test(found.type)) {
      throw new HoneError({
        what: "The encoder's weights do not fit its config",
        where: files.model,
        why: found
          ? `${own} is ${found.type} [${found.shape.join(", ")}] where [${shape.join(", ")}] was expected`
          : `it lacks ${name}`,
        next: "Name the folder of a BERT or XLM-R model as transformers saves it.",
        kind: "usage",
      });
    }
    names.set(name, own);
  }
  const [model, words] = await Promise.all([sha256Of(files.model), sha256Of(files.tokenizer)]);
  let loading: Promise<Record<string, Tensor>> | undefined;
  return {
    id: `${model.slice(0, 16)}+${words.slice(0, 8)}`,
    family: "bert",
    width: config.width,
    layers: config.layers,
    longest: longest(config),
    shapes,
    matrices: (first) =>
      [...shapes].flatMap(([name, { length }]) => {
        const layer = Number(/^encoder\.layer\.(\d+)\./.exec(name)?.[1] ?? -1);
        return length === 2 && layer >= first && layer >= 0 ? [name] : [];
      }),
    read: await reader(tokenizer, tokenizerConfig, files.tokenizer, longest(config), "pair"),
    weights: () => {
      loading ??= (async () => {
        const made: Record<string, Tensor> = {};
        for (const [name, shape] of shapes) {
          const { data } = await readSafetensor(file, names.get(name) as string);
          made[name] = new Tensor("float32", data as Float32Array, [...shape]);
        }
        return made;
      })();
      loading.catch(() => (loading = undefined));
      return loading;
    },
    hidden: (weights, block, changes, tap) =>
      bertHidden(config, weights, block, changes, tap).reshape([-1, config.width]),
    write: async (folder, weights, { layer, pieces }) => {
      // bertConfig rejects a model without layers.
      const layers = layer > 0 ? layer : config.layers;
      const own = { ...config, layers };
      await mkdir(folder, { recursive: true });
      await writeSafetensors(join(folder, "model.safetensors"), dense(weights, bertShapes(own)), {
        metadata: { format: "pt" },
      });
      const beside = await writeBertOnnx(join(folder, "onnx"), own, weights);
      const web = "transformers.js_config";
      const put = (name: string, value: object) =>
        writeFile(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
      await put("config.json", {
        ...json,
        num_hidden_layers: layers,
        ...(beside || web in json ? { [web]: { use_external_data_format: beside } } : {}),
      });
      await copyFile(files.tokenizer, join(folder, "tokenizer.json"));
      // A checkpoint may set another limit, or none (1e30), which is more tokens than the net has positions.
      await put("tokenizer_config.json", { ...tokenizerConfig, model_max_length: pieces });
    },
  };
}

/** A decoder as an encoder: every token sees those before it. @throws HoneError if it cannot be run here */
export async function decoderNet(path: string): Promise<Net> {
  const gguf = readGguf(path);
  const config = netConfig(gguf);
  const { tokenizer, config: tokenizerConfig } = tokenizerOf(gguf);
  const most = Math.min(config.context, config.window?.tokens ?? config.context, 512);
  let loading: Promise<Record<string, Tensor>> | undefined;
  return {
    id: (await sha256Of(path)).slice(0, 16),
    family: "decoder",
    width: config.width,
    layers: config.layers,
    longest: most,
    shapes: tensorShapes(config),
    matrices: (first) => decoderMatrices(config, first),
    read: await reader(tokenizer, tokenizerConfig, path, most, "before"),
    weights: () => {
      loading ??= loadWeights(gguf, config);
      loading.catch(() => (loading = undefined));
      return loading;
    },
    hidden: (weights, { tokens, positions, segments }, changes, tap) =>
      hidden(config, weights, tokens, { changes, packing: { segments, positions }, tap }).reshape([
        -1,
        config.width,
      ]),
    logprobs: (weights, { tokens, positions, segments }, targets, changes) =>
      nextLogprobs(config, weights, { tokens, targets }, { changes, packing: { segments, positions } }),
    write: async (folder, weights, { pieces }) => {
      const { json, tensors } = gemmaFolder(config, dense(weights, tensorShapes(config)), path);
      await mkdir(folder, { recursive: true });
      await writeSafetensors(join(folder, "model.safetensors"), tensors, { metadata: { format: "pt" } });
      const put = (name: string, value: unknown) => writeFile(join(folder, name), JSON.stringify(value));
      await put("config.json", json);
      await put("tokenizer.json", tokenizer);
      await put("tokenizer_config.json", { ...tokenizerConfig, model_max_length: pieces });
    },
  };
}

function decoderMatrices(config: NetConfig, first: number): string[] {
  return [...tensorShapes(config)].flatMap(([name, shape]) => {
    const layer = Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? -1);
    return shape.length === 2 && layer >= 0 && layer >= first ? [name] : [];
  });
}

function dense(weights: Readonly<Record<string, Tensor>>, shapes: ReadonlyMap<string, readonly number[]>) {
  return Object.fromEntries(
    [...shapes].map(([name, shape]) => [
      name,
      { data: (weights[name] as Tensor).data as Float32Array, shape: [...shape] },
    ]),
  );
}

/** @param place whether a gloss follows its word as a second text, or precedes it because attention is causal */
async function reader(
  tokenizer: object,
  config: object,
  where: string,
  limit: number,
  place: "pair" | "before",
): Promise<Net["read"]> {
  const { Tokenizer } = await import("@huggingface/tokenizers");
  let made: InstanceType<typeof Tokenizer>;
  let markers: { begin: number[]; end: number[] };
  try {
    made = new Tokenizer(tokenizer, config);
    const around: number[] = made.encode("a").ids;
    const bare: number[] = made.encode("a", { add_special_tokens: false }).ids;
    const at = around.findIndex((_, i) => bare.every((id, k) => around[i + k] === id));
    if (at < 0) throw new Error("its special tokens do not surround a text");
    markers = { begin: around.slice(0, at), end: around.slice(at + bare.length) };
  } catch (error) {
    throw new HoneError({
      what: "Cannot read the tokenizer",
      where,
      why: messageOf(error),
      next: "Use the tokenizer.json of a BERT, XLM-R or Gemma model.",
      cause: error,
    });
  }
  const bare = (text: string) => made.encode(text, { add_special_tokens: false }).ids;
  const { begin, end } = markers;
  return (text, pool, { gloss, most = limit } = {}) => {
    const own = bare(text).slice(0, most - begin.length - end.length);
    const room = most - own.length - begin.length - end.length;
    if (own.length === 0) return { ids: [...begin, ...end], from: 0, to: begin.length + end.length };
    if (gloss === undefined) {
      const ids = [...begin, ...own, ...end];
      return pool === "all"
        ? { ids, from: 0, to: ids.length }
        : { ids, from: begin.length, to: begin.length + own.length };
    }
    if (place === "before") {
      const before = bare(`${gloss}: `).slice(0, room);
      const from = begin.length + before.length;
      return { ids: [...begin, ...before, ...own, ...end], from, to: from + own.length };
    }
    const after = bare(gloss).slice(0, Math.max(0, room - end.length));
    return {
      ids: [...begin, ...own, ...end, ...(after.length > 0 ? [...after, ...end] : [])],
      from: begin.length,
      to: begin.length + own.length,
    };
  };
}

async function readJson(path: string): Promise<object> {
  try {
    const read: unknown = JSON.parse(await readFile(path, "utf8"));
    if (read !== null && typeof read === "object") return read;
    throw new Error("it is not a JSON object");
  } catch (error) {
    throw new HoneError({
      what: "Cannot read a file of the encoder",
      where: path,
      why: messageOf(error),
      next: "Name a folder with config.json, model.safetensors, tokenizer.json and tokenizer_config.json.",
      kind: "usage",
      cause: error,
    });
  }
}
