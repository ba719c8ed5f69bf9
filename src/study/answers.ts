// Whether an answer made elsewhere is right: equal text, or an equal letter or number found in free text.

/**
 * - `exact`: equal to an accepted answer after trimming
 * - `choice`: if the accepted answer is one capital letter or a whole number, the first stand-alone capital letter or
 *   the first whole number of the answer must equal it (Lawma's rule for chat models); other golds are compared exactly
 */
export type Match = "exact" | "choice";

/** One accepted answer, trimmed. */
export interface MatchedGold {
  text: string;
  shape: "letter" | "integer" | "text";
}

/** The accepted answers of a row's `gold`: a text, a number, a boolean, or a list of these; undefined for anything else. */
export function readGold(gold: unknown): MatchedGold[] | undefined {
  const list = Array.isArray(gold) ? gold : [gold];
  const out: MatchedGold[] = [];
  for (const item of list) {
    if (typeof item !== "string" && typeof item !== "number" && typeof item !== "boolean") return undefined;
    const text = String(item).trim();
    if (text === "") return undefined;
    out.push({
      text,
      shape: /^[A-Z]$/.test(text) ? "letter" : /^[-+\u2212]?\d+$/.test(text) ? "integer" : "text",
    });
  }
  return out.length > 0 ? out : undefined;
}

/** @example matches("H. Economic Activity", readGold(" H")!, "choice") // true */
export function matches(answer: string, gold: readonly MatchedGold[], match: Match): boolean {
  const trimmed = answer.trim();
  return gold.some(({ text, shape }) => {
    if (match === "exact" || shape === "text") return trimmed === text;
    if (shape === "integer") return firstInteger(trimmed) === plainInteger(text);
    return firstLetter(trimmed) === text;
  });
}

/**
 * The first stand-alone capital letter. "A" and "I" before a lower-case word ("I would say B", "A court: C") are
 * taken for words if another letter follows.
 */
export function firstLetter(answer: string): string | undefined {
  let word: string | undefined;
  for (const { 0: letter, index } of answer
    .slice(0, longest)
    .matchAll(/(?<![\p{L}\p{N}])[A-Z](?![\p{L}\p{N}])/gu)) {
    const rest = answer.slice(index + 1, index + 4);
    if ((letter === "A" || letter === "I") && /^(['’]\p{Ll}| \p{Ll})/u.test(rest)) word ??= letter;
    else return letter;
  }
  return word;
}

/**
 * The first whole number, without leading zeros or thousands separators: "Answer: 007" gives "7". Decimals, powers of ten
 * and numbers with several points (versions, dates) are skipped as a whole; "3.0" is 3.
 */
export function firstInteger(answer: string): string | undefined {
  for (const [, sign = "", whole = "", rest = ""] of answer.slice(0, longest).matchAll(numbers))
    if (whole !== "" && /^(\.0+)?$/.test(rest)) return plainInteger(sign + whole);
  return undefined;
}

/** Numbers as sign, whole part and what follows it; ".5" has no whole part, but after a letter or a point ("No.5") 5 is one. */
const numbers =
  /((?<![\p{L}\p{N}])[-+\u2212])?(\d{1,3}(?:,\d{3})+(?!\d)|\d+|(?<![\p{L}.])(?=\.\d))((?:\.\d+)*(?:e[-+]?\d+)?)/giu;

function plainInteger(text: string): string {
  const digits = text.replace(/[-+,\u2212]/g, "").replace(/^0+(?=\d)/, "");
  return /^[-\u2212]/.test(text) && digits !== "0" ? `-${digits}` : digits;
}

/** Only this many characters of an answer are searched. */
const longest = 10_000;
