// Saves the result of contrastive training and opens it again as an encoder: the trained arrays, and a folder that
// sentence-transformers and transformers.js load.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HoneError, messageOf } from "../../../core/errors.js";
import type { Model } from "../../../core/model.js";
import { sha256Of } from "../../../models/llama/hash.js";
import { hasNet, type NetEncoder } from "../../../models/net/types.js";
import { mergeLora } from "../../../nets/changes/matrices.js";
import { readArrays, writeArrays } from "../../../tensor/arrays-file.js";
import type { Parameters } from "../../../tensor/optimizer.js";
import { type ContrastMethod, changeOf } from "./train.js";

const file = "trained.safetensors";

/** @throws HoneError where the subject's network is not open */
export function requireNet(model: Model | undefined, name: string, where: string): NetEncoder {
  if (hasNet(model)) return model;
  throw new HoneError({
    what: `${name} cannot train ${model?.name ?? "this subject"}`,
    where,
    why: "Hone has no trainable network for it",
    next: "Write encoder:minilm-f32, encoder:gemma3-270m or encoder:file:FOLDER with a BERT or XLM-R model.",
    kind: "usage",
  });
}

/** Why other libraries would compute other vectors from a written encoder; undefined if they compute the same. */
function unwritable({ net, pool, layer }: NetEncoder): string | undefined {
  if (pool === "own")
    return "its vectors leave out markers such as [CLS] (`pool=own`), and other libraries average all tokens";
  if (net.family === "decoder" && layer < net.layers)
    return `its vectors are of layer ${layer}, and transformers normalizes the states of the layer that a model ends with`;
  return layer === 0 ? "its vectors are of the embeddings, and a model has a layer at least" : undefined;
}

/** @throws HoneError if the encoder is to be written for other libraries and its layout cannot hold it */
export function requireWritable(
  encoder: NetEncoder,
  { name, write }: { name: string; write: boolean | undefined },
): void {
  const why = write ? unwritable(encoder) : undefined;
  if (why === undefined) return;
  throw new HoneError({
    what: `${name} cannot write this encoder for transformers`,
    where: `${name}: write`,
    why,
    next: "Leave `write` out, or write `?pool=all` in the encoder's reference and no `layer`.",
    kind: "usage",
  });
}

/**
 * Writes the trained arrays into a folder, and the encoder itself into `encoder/` there.
 * @param write whether to write the encoder; by default BERT and XLM-R, which take little space (a decoder takes a gigabyte), if
 *   other libraries compute the same vectors from what is written
 */
export async function keepTrained(
  folder: string,
  encoder: NetEncoder,
  method: ContrastMethod,
  params: Parameters,
  write?: boolean,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeArrays(join(folder, file), params);
  const about = { base: encoder.id, layer: encoder.layer, pool: encoder.pool, method };
  await writeFile(join(folder, "trained.json"), `${JSON.stringify(about, null, 2)}\n`);
  const whole = write ?? (encoder.net.family === "bert" && unwritable(encoder) === undefined);
  if (whole && method.kind !== "adapter")
    await writeEncoder(join(folder, "encoder"), encoder, method, params);
}

/**
 * Writes the encoder with the trained arrays merged into its weights, for transformers and sentence-transformers, and BERT and
 * XLM-R also for transformers.js (`onnx/model.onnx`).
 */
export async function writeEncoder(
  folder: string,
  encoder: NetEncoder,
  method: Exclude<ContrastMethod, { kind: "adapter" }>,
  params: Parameters,
): Promise<void> {
  const weights = await encoder.net.weights();
  const merged =
    method.kind === "full"
      ? { ...weights, ...params }
      : mergeLora(weights, params, method.alpha / method.rank);
  const pieces = (await encoder.cut?.([]))?.pieces ?? encoder.net.longest;
  await encoder.net.write(folder, merged, { layer: encoder.layer, pieces });
  const put = (name: string, value: unknown) =>
    writeFile(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
  await mkdir(join(folder, "1_Pooling"), { recursive: true });
  await mkdir(join(folder, "2_Normalize"), { recursive: true });
  const module = (idx: number, path: string, type: string) => ({
    idx,
    name: String(idx),
    path,
    type: `sentence_transformers.models.${type}`,
  });
  await put("modules.json", [
    module(0, "", "Transformer"),
    module(1, "1_Pooling", "Pooling"),
    module(2, "2_Normalize", "Normalize"),
  ]);
  await put("1_Pooling/config.json", {
    word_embedding_dimension: encoder.net.width,
    pooling_mode_cls_token: false,
    pooling_mode_mean_tokens: true,
    pooling_mode_max_tokens: false,
    pooling_mode_mean_sqrt_len_tokens: false,
  });
  await put("sentence_bert_config.json", { max_seq_length: pieces, do_lower_case: false });
}

/** The specialized encoder of a kept folder, whose arrays are read at its first use. */
export function openTrained(
  encoder: NetEncoder,
  folder: string,
  { id, name, method }: { id: string; name: string; method: ContrastMethod },
): NetEncoder {
  const trained = () => readArrays(join(folder, file));
  return encoder.specialize({ id, name, trained, change: changeOf(method) });
}

/**
 * The specialized encoder of a folder whose `trained.json` says how it was trained.
 * @throws HoneError if the folder is not of this kind, or was trained on another encoder
 */
export async function openTrainedFolder(encoder: NetEncoder, folder: string): Promise<NetEncoder> {
  const fail = (why: string) =>
    new HoneError({
      what: "Cannot open the trained encoder",
      where: folder,
      why,
      next: "Name a folder with trained.json and trained.safetensors, and the model that it was trained on.",
      kind: "usage",
    });
  let about: { base: string; layer: number; method: ContrastMethod };
  try {
    about = JSON.parse(await readFile(join(folder, "trained.json"), "utf8"));
  } catch (error) {
    throw fail(messageOf(error));
  }
  const own = encoder.id.split(";")[0];
  if (typeof about.base !== "string" || about.base.split(";")[0] !== own)
    throw fail(`it was trained on ${String(about.base)}, and this is ${encoder.id}`);
  return openTrained(encoder.atLayer(about.layer), folder, {
    id: await sha256Of(join(folder, file)),
    name: "trained",
    method: about.method,
  });
}
