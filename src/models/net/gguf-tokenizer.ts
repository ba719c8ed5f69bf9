// Converts a GGUF file's SentencePiece tokenizer to transformers' tokenizer.json, so that one library reads all tokenizers and
// a saved encoder includes its own.

import { HoneError } from "../../core/errors.js";
import type { GgufFile } from "../../tensor/gguf.js";

/** Types of tokens (llama.cpp, `llama_token_type`). */
const control = 3;
const userDefined = 4;

/**
 * `tokenizer.json` and `tokenizer_config.json` of a SentencePiece BPE vocabulary with byte fallback, as in Gemma.
 * Merges are all ways to make a token from two others, the most likely token first, as in transformers' own converter.
 *
 * @throws HoneError if the file has another kind of tokenizer
 */
export function tokenizerOf(gguf: GgufFile): { tokenizer: object; config: object } {
  const list = (key: string) => gguf.metadata.get(`tokenizer.ggml.${key}`);
  const tokens = list("tokens");
  const scores = list("scores");
  const types = list("token_type");
  const model = list("model");
  if (model !== "llama" || !Array.isArray(tokens) || !Array.isArray(scores) || !Array.isArray(types)) {
    throw new HoneError({
      what: "Hone cannot read this model's tokenizer",
      where: gguf.path,
      why: `an encoder needs SentencePiece's vocabulary with scores, and this is ${JSON.stringify(model)}`,
      next: "Take Gemma 3, or a folder with BERT or XLM-R.",
      kind: "usage",
    });
  }
  const names = tokens as string[];
  const ids = new Map(names.map((token, id) => [token, id]));
  const merges: { pair: [string, string]; score: number; ids: number[] }[] = [];
  for (const [id, token] of names.entries()) {
    if (types[id] === control || token.length < 2) continue;
    for (let cut = 1; cut < token.length; cut++) {
      const pair: [string, string] = [token.slice(0, cut), token.slice(cut)];
      const [left, right] = [ids.get(pair[0]), ids.get(pair[1])];
      if (left === undefined || right === undefined) continue;
      merges.push({ pair, score: Number(scores[id]), ids: [left, right] });
    }
  }
  merges.sort(
    (a, b) =>
      b.score - a.score ||
      (a.ids[0] as number) - (b.ids[0] as number) ||
      (a.ids[1] as number) - (b.ids[1] as number),
  );
  const bos = names[Number(list("bos_token_id"))] as string;
  const special = (id: number, token: string, isSpecial: boolean) => ({
    id,
    content: token,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: isSpecial,
  });
  const added = names.flatMap((token, id) => {
    if (types[id] === control && !token.startsWith("<unused")) return [special(id, token, true)];
    return types[id] === userDefined ? [special(id, token, false)] : [];
  });
  const bosId = ids.get(bos) as number;
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: { type: "Replace", pattern: { String: " " }, content: "▁" },
    pre_tokenizer: null,
    post_processor: {
      type: "TemplateProcessing",
      single: [{ SpecialToken: { id: bos, type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }],
      pair: [
        { SpecialToken: { id: bos, type_id: 0 } },
        { Sequence: { id: "A", type_id: 0 } },
        { Sequence: { id: "B", type_id: 1 } },
      ],
      special_tokens: { [bos]: { id: bos, ids: [bosId], tokens: [bos] } },
    },
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "▁" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
      ],
    },
    model: {
      type: "BPE",
      dropout: null,
      unk_token: "<unk>",
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: Object.fromEntries(ids),
      merges: merges.map(({ pair }) => pair),
    },
  };
  const named = (key: string, otherwise: number) => names[Number(list(key) ?? otherwise)] as string;
  return {
    tokenizer,
    config: {
      tokenizer_class: "GemmaTokenizer",
      bos_token: bos,
      eos_token: named("eos_token_id", 1),
      unk_token: named("unknown_token_id", 3),
      pad_token: named("padding_token_id", 0),
      add_bos_token: true,
      model_max_length: 512,
    },
  };
}
