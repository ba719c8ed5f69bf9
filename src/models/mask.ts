// Removes an API key from what an endpoint sends: the whole key, pieces of it, and the shortened forms in which endpoints
// echo it (`sk-proj-****abcd`, `sk-…abcd`, "ending in abcd").

export interface Mask {
  /** For errors and logs: also removes possible remnants of the key. */
  message: (text: string) => string;
  /** For answers, which are scored: removes only what is certainly the key. */
  answer: (text: string) => string;
}

const replaced = "[key]";

/** Keys of local servers are words like EMPTY, which may occur in any text; real keys have at least this length. */
const realLength = 12;

/** What endpoints write in place of the omitted characters. */
const gap = /(?:[*•●·…#]|\.{2,}|[xX]{3,}|<[^<>]{1,20}>|\[[^[\]]{1,20}\])(?:[*•●·….#xX_-]| (?=[*•●·…#]))*/g;

/** @param key undefined leaves every text as it is */
export function makeMask(key: string | undefined): Mask {
  if (!key) return { message: (text) => text, answer: (text) => text };
  const real = key.length >= realLength;
  const forms = [...new Set([key, JSON.stringify(key).slice(1, -1), encodeURIComponent(key)])];
  const whole = (text: string) => forms.reduce((left, form) => left.replaceAll(form, replaced), text);
  if (!real) return { message: whole, answer: (text) => text };
  return {
    message: (text) => withoutEnding(withoutPieces(withoutShort(whole(text), key, 2), key), key),
    answer: (text) => withoutShort(whole(text), key, 3),
  };
}

/**
 * Replaces the key's beginning, gap and end.
 * @param least characters required on both sides; in messages one side of twice as many is enough
 */
function withoutShort(text: string, key: string, least: number): string {
  let result = "";
  let from = 0;
  for (const match of text.matchAll(gap)) {
    const before = text.slice(from, match.index);
    const start = beginning(before, key);
    // The gap's last characters may belong to the key's end: `***_a` for a key that ends in `_a`.
    const slack = /(?<=[^xX_-])[xX_-]*$/.exec(match[0])?.[0].length ?? 0;
    const ends = Array.from({ length: slack + 1 }, (_, back) => match.index + match[0].length - back);
    const [end, until] = ends
      .map((at) => [ending(text.slice(at), key), at] as const)
      .reduce((a, b) => (b[0] > a[0] ? b : a));
    const both = start >= least && end >= least;
    const one = least === 2 && (start >= 4 || end >= 3);
    if (!both && !one) continue;
    result += before.slice(0, before.length - start) + replaced;
    from = until + end;
  }
  return result + text.slice(from);
}

/** How many of the key's first characters the text ends with. */
function beginning(text: string, key: string): number {
  for (let n = Math.min(key.length, text.length); n > 0; n--) if (text.endsWith(key.slice(0, n))) return n;
  return 0;
}

/** How many of the key's last characters the text begins with. */
function ending(text: string, key: string): number {
  for (let n = Math.min(key.length, text.length); n > 0; n--) if (text.startsWith(key.slice(-n))) return n;
  return 0;
}

/** Replaces substrings of the key that are too long to be a coincidence. */
function withoutPieces(text: string, key: string): string {
  const pieces = new Map<string, number>();
  for (let i = key.length - realLength; i >= 0; i--) pieces.set(key.slice(i, i + realLength), i);
  let result = "";
  let from = 0;
  for (let at = 0; at + realLength <= text.length; at++) {
    const start = pieces.get(text.slice(at, at + realLength));
    if (start === undefined) continue;
    let length = realLength;
    while (start + length < key.length && text[at + length] === key[start + length]) length++;
    result += text.slice(from, at) + replaced;
    from = at + length;
    at = from - 1;
  }
  return result + text.slice(from);
}

/** Replaces the key's end in phrases such as "The key ending in abcd". */
function withoutEnding(text: string, key: string): string {
  return text.replace(
    /(\b(?:end(?:s|ing)?|last)\b[^\p{L}\p{N}]*(?:in|with|characters?|digits?|four|4)?\W{1,4})(\S+)/giu,
    (all, words, rest) => {
      const n = ending(rest as string, key);
      return n >= 3 ? `${words as string}${replaced}${(rest as string).slice(n)}` : (all as string);
    },
  );
}
