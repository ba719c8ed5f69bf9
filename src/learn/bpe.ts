// Byte-pair encoding (Sennrich et al. 2016) over bytes, as in GPT-2 (Radford et al. 2019): texts are split into words, and
// within words the most frequent pair of tokens is merged repeatedly. Every text can be encoded, and decoding restores it
// exactly. Without merges every byte is a token.

/** A tokenizer: its merges in the order in which they were learnt. */
export interface BpeModel {
  readonly merges: readonly (readonly [string, string])[];
}

/** Encodes and decodes texts. Ids: the 256 bytes, the merged tokens in their order, then the begin token. */
export interface Bpe extends BpeModel {
  /** Number of tokens. */
  readonly size: number;
  /** The token before every text. */
  readonly begin: number;
  /** Tokens as GPT-2 writes them, every byte as one printable character. */
  readonly tokens: readonly string[];
  encode(text: string): number[];
  /** Bytes that are not UTF-8 become U+FFFD. */
  decode(ids: readonly number[]): string;
}

/** GPT-2's splitting into words. */
const words = /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/** GPT-2's printable character for every byte: printable ones stand for themselves, others follow from U+0100 on. */
const byteCharacters: readonly string[] = (() => {
  const plain = (byte: number) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || (byte >= 174 && byte <= 255);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(plain(byte) ? byte : next++));
})();
const bytesOf = new Map(byteCharacters.map((character, byte) => [character, byte]));

const beginToken = "<|endoftext|>";

/** A word as ids of its bytes. */
function bytes(word: string): number[] {
  return [...Buffer.from(word, "utf8")];
}

/** Learns merges until there are `size` tokens, or no pair occurs twice. Ties go to the pair with the smaller ids. */
export function trainBpe(texts: Iterable<string>, size: number): BpeModel {
  const counts = new Map<string, number>();
  for (const text of texts)
    for (const [word] of text.matchAll(words)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const list = [...counts].map(([word, count]) => ({ ids: bytes(word), count }));
  const pairs = new Map<number, { count: number; words: Set<number> }>();
  const keyOf = (a: number, b: number) => a * 65536 + b;
  const change = (index: number, sign: 1 | -1) => {
    const { ids, count } = list[index] as (typeof list)[number];
    for (let i = 0; i + 1 < ids.length; i++) {
      const key = keyOf(ids[i] as number, ids[i + 1] as number);
      const pair = pairs.get(key) ?? { count: 0, words: new Set<number>() };
      pairs.set(key, pair);
      pair.count += sign * count;
      if (sign > 0) pair.words.add(index);
    }
  };
  for (const index of list.keys()) change(index, 1);
  const tokens = [...byteCharacters];
  const merges: [string, string][] = [];
  while (tokens.length + 1 < size) {
    let best: { key: number; count: number } | undefined;
    for (const [key, { count }] of pairs) {
      if (count > (best?.count ?? 1) || (best && count === best.count && key < best.key))
        best = { key, count };
    }
    if (!best) break;
    const [a, b] = [Math.floor(best.key / 65536), best.key % 65536];
    const id = tokens.length;
    tokens.push(`${tokens[a]}${tokens[b]}`);
    merges.push([tokens[a] as string, tokens[b] as string]);
    for (const index of (pairs.get(best.key) as { words: Set<number> }).words) {
      change(index, -1);
      const word = list[index] as (typeof list)[number];
      word.ids = merged(word.ids, a, b, id);
      change(index, 1);
    }
    pairs.delete(best.key);
  }
  return { merges };
}

function merged(ids: readonly number[], a: number, b: number, id: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === a && ids[i + 1] === b) {
      out.push(id);
      i++;
    } else out.push(ids[i] as number);
  }
  return out;
}

/** Maximum number of words whose tokens are cached. */
const remembered = 200_000;

/** Makes a tokenizer from its merges. */
export function bpe({ merges }: BpeModel): Bpe {
  const tokens = [...byteCharacters, ...merges.map(([a, b]) => a + b), beginToken];
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const ranks = new Map(merges.map(([a, b], rank) => [`${ids.get(a)} ${ids.get(b)}`, rank]));
  const begin = tokens.length - 1;
  const known = new Map<string, number[]>();
  const encodeWord = (word: string): number[] => {
    let at = bytes(word);
    while (at.length > 1) {
      let best: { rank: number; i: number } | undefined;
      for (let i = 0; i + 1 < at.length; i++) {
        const rank = ranks.get(`${at[i]} ${at[i + 1]}`);
        if (rank !== undefined && rank < (best?.rank ?? Number.POSITIVE_INFINITY)) best = { rank, i };
      }
      if (!best) break;
      at = merged(at, at[best.i] as number, at[best.i + 1] as number, 256 + best.rank);
    }
    return at;
  };
  return {
    merges,
    size: tokens.length,
    begin,
    tokens,
    encode(text) {
      const out: number[] = [];
      for (const [word] of text.matchAll(words)) {
        let found = known.get(word);
        if (!found) {
          found = encodeWord(word);
          if (known.size < remembered) known.set(word, found);
        }
        for (const id of found) out.push(id);
      }
      return out;
    },
    decode(list) {
      const own = list.filter((id) => id !== begin).flatMap((id) => [...(tokens[id] ?? "")]);
      return Buffer.from(own.map((character) => bytesOf.get(character) ?? 0x3f)).toString("utf8");
    },
  };
}
