// What an encoder with an open network is. Types and a check alone, so that asking costs nothing to load.

import type { numpy as np } from "@jax-js/jax";
import type { Tensor } from "onnxruntime-node";
import type { Encoder, Model } from "../../core/model.js";
import type { TextReply } from "../../core/text.js";
import type { Change } from "../../nets/decoder.js";
import type { TokenText } from "../../nets/texts.js";
import type { Net, Pool } from "./net.js";

/** What training made of an encoder. */
export interface NetChange {
  /** Content identity. */
  readonly id: string;
  readonly name: string;
  /** What was trained, by name; read at the first use. */
  readonly trained: () => Promise<Readonly<Record<string, Tensor>>>;
  /** What the trained arrays do; traced. */
  readonly change: (trained: Readonly<Record<string, np.Array>>) => Change;
  /** The layer that is read from now on; the one before where absent. */
  readonly layer?: number;
}

/** An encoder with its network open. */
export interface NetEncoder extends Encoder {
  readonly net: Net;
  readonly pool: Pool;
  /** The layer whose states are read: 0 is the embeddings, `net.layers` the last. */
  readonly layer: number;
  readonly threads: number | undefined;
  /** A text as it is read, cut where the encoder stops reading: training reads no more than the vectors do. */
  read(text: string): TokenText;
  /** Unit vectors row by row, `texts.length · width`; of the layers that are named, one array each. */
  vectors(texts: readonly string[], signal: AbortSignal): Promise<Float32Array>;
  layers(texts: readonly string[], layers: readonly number[], signal: AbortSignal): Promise<Float32Array[]>;
  /** How unlikely texts are, each from its beginning and read no further than the vectors are; of decoders alone. */
  say?(texts: readonly string[], signal: AbortSignal): Promise<TextReply[]>;
  /** The same encoder, changed. Changes do not add up: this one stands in place of any before. */
  specialise(change: NetChange): NetEncoder;
  /** The same encoder, read at another layer. @throws HoneError where it has no such layer */
  atLayer(layer: number): NetEncoder;
}

export function hasNet(model: Model | undefined): model is NetEncoder {
  return model !== undefined && "net" in model && "specialise" in model;
}
