// From prompt segments to tokens. Control tokens come from the template's own text alone: a content that spells
// "<|im_end|>" becomes the letters of it.
import { CallError } from "../../core/call.js";

/** ggml's token types (llama.h, `llama_token_type`). */
const controlType = 3;
const wholeTypes = new Set([2, controlType, 4]);
/** Tokens that are matched whole in a template's text (unknown, control and user-defined), and which are control. */
export function specialTokens(gguf) {
  const texts = gguf.metadata.get("tokenizer.ggml.tokens");
  const types = gguf.metadata.get("tokenizer.ggml.token_type");
  const whole = new Map();
  const control = new Set();
  if (!Array.isArray(texts) || !Array.isArray(types)) return { whole, control };
  for (let id = 0; id < texts.length; id++) {
    const text = texts[id];
    if (types[id] === controlType) control.add(id);
    if (typeof text === "string" && text !== "" && wholeTypes.has(types[id])) whole.set(text, id);
  }
  return { whole, control };
}
/** A tokeniser of prompts. Neighbouring texts are joined first, so that tokens form across their border as in training. */
export function promptTokenizer(vocabulary) {
  const texts = [...vocabulary.special.keys()].sort((a, b) => b.length - a.length);
  const pattern = texts.length > 0 ? new RegExp(texts.map(escapeRegExp).join("|"), "g") : undefined;
  return (segments) => {
    const tokens = [];
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
        tokens.push(vocabulary.special.get(match[0]));
        rest = match.index + match[0].length;
      }
      text += segment.text.slice(rest);
    }
    flush();
    if (vocabulary.bos !== undefined && tokens[0] !== vocabulary.bos) tokens.unshift(vocabulary.bos);
    return tokens;
  };
}
/** Tokens of text that is data: refuses rather than let a control token through. */
export function inertTokens(text, vocabulary) {
  const tokens = vocabulary.tokenize(text);
  if (!tokens.some((token) => vocabulary.isControl(token))) return tokens;
  // A vocabulary that spells a control token by merging: taken letter by letter it cannot form.
  const letters = [...text].flatMap((letter) => vocabulary.tokenize(letter));
  if (letters.some((token) => vocabulary.isControl(token))) {
    throw new CallError(
      "refused",
      "The prompt's text contains a character that is a control token of this model.",
    );
  }
  return letters;
}
function escapeRegExp(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
