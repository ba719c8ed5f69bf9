// Types for language models that are measured by the likelihood of whole texts: what one is asked and what it replies.

import type { Model } from "./model.js";

/** A text to be scored from its beginning. */
export interface TextAsk {
  readonly text: string;
}

/** How unlikely the text was. */
export interface TextReply {
  /** -log p of the whole text. */
  readonly nats: number;
  /** Length in the model's own tokens and in UTF-8 bytes: bits per byte compare models of different vocabularies. */
  readonly tokens: number;
  readonly bytes: number;
}

/** A net that can be trained from scratch, given by its sizes: the model of a text subject. */
export interface Net extends Model {
  /** The sizes that all nets of a comparison share, by name. */
  readonly sizes: Readonly<Record<string, number>>;
}
