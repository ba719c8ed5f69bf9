// Turns prompt segments into tokens. Control tokens come only from the template's own text: content that contains
// "<|im_end|>" is tokenized as ordinary text.

import { CallError } from "../../core/call.js";
import type { GgufFile } from "../../tensor/gguf.js";
import type { Segment } from "../template.js";

/** What tokenizing needs from the model. `tokenize` never turns text into control tokens. */
export interface Vocabulary {
  tokenize(text: string): number[];
  /** Control and user-defined tokens by their texts. */
  special: ReadonlyMap<string, number>;
  isControl(token: number): boolean;
  /** Prepended to every prompt if the model file says so. */
  bos: number | undefined;
}

/** ggml's token types (llama.h, `llama_token_type`). */
const controlType = 3;
const wholeTypes = new Set([2, controlType, 4]);

/** Tokens that are matched whole in a template's text (unknown, control and user-defined), and which are control. */
export function specialTokens(gguf: GgufFile): { whole: Map<string, number>; control: Set<number> } {
  const texts = gguf.metadata.get("tokenizer.ggml.tokens");
  const types = gguf.metadata.get("tokenizer.ggml.token_type");
  const whole = new Map<string, number>();
  const control = new Set<number>();
  if (!Array.isArray(texts) || !Array.isArray(types)) return { whole, control };
  for (let id = 0; id < texts.length; id++) {
    const text: unknown = texts[id];
    if (types[id] === controlType) control.add(id);
    if (typeof text === "string" && text !== "" && wholeTypes.has(types[id] as number)) whole.set(text, id);
  }
  return { whole, control };
}

/** A tokenizer of prompts. Neighbouring texts are joined first, so that tokens can span their border as in training. */
export function promptTokenizer(vocabulary: Vocabulary): (segments: readonly Segment[]) => number[] {
  const texts = [...vocabulary.special.keys()].sort((a, b) => b.length - a.length);
  const pattern = texts.length > 0 ? new RegExp(texts.map(escapeRegExp).join("|"), "g") : undefined;
  return (segments) => {
    const tokens: number[] = [];
    let text = "";
    const flush = () => {
      if (text !== "") tokens.push(...inertTokens(text, vocabulary));
      text = "";
    };
    for (const segment of segments) {
      if (!segment.template || !pattern) {
        text += segment.text;
        continue;
      }
      let rest = 0;
      for (const match of segment.text.matchAll(pattern)) {
        text += segment.text.slice(rest, match.index);
        flush();
        tokens.push(vocabulary.special.get(match[0]) as number);
        rest = match.index + match[0].length;
      }
      text += segment.text.slice(rest);
    }
    flush();
    if (vocabulary.bos !== undefined && tokens[0] !== vocabulary.bos) tokens.unshift(vocabulary.bos);
    return tokens;
  };
}

/** Tokens of text that is data; throws rather than let a control token through. */
export function inertTokens(text: string, vocabulary: Pick<Vocabulary, "tokenize" | "isControl">): number[] {
  const tokens = vocabulary.tokenize(text);
  if (!tokens.some((token) => vocabulary.isControl(token))) return tokens;
  // This vocabulary forms a control token by merging; letter by letter the token cannot form.
  const letters = [...text].flatMap((letter) => vocabulary.tokenize(letter));
  if (letters.some((token) => vocabulary.isControl(token))) {
    throw new CallError(
      "refused",
      "The prompt's text contains a character that is a control token of this model.",
    );
  }
  return letters;
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
