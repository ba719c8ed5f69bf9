// The text of a query for specializers that compare texts, and how it is split into words.

import type { Demonstration, Query } from "../core/language.js";

/** Scripts written without spaces: there each character is a word. The `v` flag allows the set difference. */
const spaceless =
  "[\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}]";
/** V8's stack does not hold a run of millions of characters. Longer ones, which are no words, are divided. */
const longest = 10_000;
const word = new RegExp(`${spaceless}|[[\\p{L}\\p{N}\\p{M}_]--${spaceless}]{2,${longest}}`, "gv");

/** Words of two or more letters or digits, in lower case; in ASCII the same as scikit-learn's default token pattern. */
export function words(text: string): string[] {
  return text.normalize("NFKC").toLowerCase().match(word) ?? [];
}

type Readable = Pick<Query | Demonstration, "input" | "question">;

/**
 * True if the questions differ between samples and so are informative. A question that all samples share does not tell
 * them apart, and would fill the encoder's window.
 */
export function questionsVary(items: readonly Readable[]): boolean {
  return items.some((item) => item.question !== items[0]?.question);
}

/** Input and question, never the options. The question stands first: encoders cut long texts at the end. */
export function readText(item: Readable, withQuestion: boolean): string {
  return withQuestion && item.question ? `${item.question}\n${item.input}` : item.input;
}

/** Equal for texts that differ only in letter case, white space or Unicode form. */
export function sameTextKey(item: Readable): string {
  return `${item.question ?? ""}\n${item.input}`.normalize("NFKC").toLowerCase().replace(/\s+/g, " ").trim();
}
