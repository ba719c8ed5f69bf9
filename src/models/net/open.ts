// Opens an encoder with its network from a folder as transformers saves it, a known model's files, or a GGUF decoder.

import { join } from "node:path";
import { checkLayer, netEncoder } from "./encoder.js";
import { type BertFiles, bertNet, decoderNet, type Pool } from "./net.js";
import type { NetEncoder } from "./types.js";

export interface NetChoice {
  name: string;
  /** By default `own` for decoders and `all` for BERT. */
  pool?: Pool | undefined;
  /** Counted from the embeddings (0); negative counts from the end, -1 is the last. */
  layer?: number | undefined;
  threads?: number | undefined;
  maxPieces?: number | undefined;
}

/** BERT or XLM-R from files. */
export async function openBert(files: BertFiles, choice: NetChoice): Promise<NetEncoder> {
  return chosen(await bertNet(files), choice, "all");
}

/** BERT or XLM-R from a folder with transformers' own file names. */
export function openBertFolder(folder: string, choice: NetChoice): Promise<NetEncoder> {
  const at = (name: string) => join(folder, name);
  const files = {
    config: at("config.json"),
    model: at("model.safetensors"),
    tokenizer: at("tokenizer.json"),
    tokenizerConfig: at("tokenizer_config.json"),
  };
  return openBert(files, choice);
}

/** A decoder in a GGUF file, read as an encoder. */
export async function openDecoderNet(path: string, choice: NetChoice): Promise<NetEncoder> {
  return chosen(await decoderNet(path), choice, "own");
}

function chosen(net: Awaited<ReturnType<typeof bertNet>>, choice: NetChoice, pool: Pool): NetEncoder {
  const { layers } = net;
  const layer =
    choice.layer === undefined ? layers : choice.layer < 0 ? layers + 1 + choice.layer : choice.layer;
  return netEncoder(net, {
    name: choice.name,
    pool: choice.pool ?? pool,
    layer: checkLayer(choice.name, net, layer),
    ...(choice.threads === undefined ? {} : { threads: choice.threads }),
    ...(choice.maxPieces === undefined ? {} : { maxPieces: Math.min(choice.maxPieces, net.longest) }),
  });
}
