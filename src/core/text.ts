// The words for language models that are measured by how well they say whole texts: what is asked of one, and what it replies.

import type { Model } from "./model.js";

/** A text to be said from its beginning. */
export interface TextAsk {
  readonly text: string;
}

/** How unlikely the text was. */
export interface TextReply {
  /** -log p of the whole text. */
  readonly nats: number;
  /** In the model's own tokens, and in bytes of UTF-8: bits per byte compare models of different vocabularies. */
  readonly tokens: number;
  readonly bytes: number;
}

/** The sizes of a net that can be trained from nothing: what a text subject stands on. */
export interface Net extends Model {
  /** What all nets of a comparison share, by name. */
  readonly sizes: Readonly<Record<string, number>>;
}
