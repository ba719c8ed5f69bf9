// Row values independent of the format that they were read from: when one is empty, and when two are equal. CSV has only
// text, JSON has numbers and null, and a study treats them alike.

import { asText } from "./template.js";

/** True for null, an absent field, white space, and lists of such values. */
export function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  if (Array.isArray(value)) return value.every(isEmpty);
  return typeof value === "string" && value.trim() === "";
}

/** Equal for labels that differ only in case, white space or a whole number's `.0`. */
export function foldLabel(text: string): string {
  const folded = text.normalize("NFKC").replace(/\s+/g, " ").trim().toLowerCase();
  return /^-?\d+\.0+$/.test(folded) ? folded.slice(0, folded.indexOf(".")) : folded;
}

/**
 * Whether a value is one of those wanted. Texts are compared exactly; if either side is a number or a boolean, values are
 * compared like labels, so that 1990 equals "1990.0" and true equals "TRUE". Empty values equal null.
 */
export function oneOf(wanted: readonly unknown[]): (value: unknown) => boolean {
  const textOf = (value: unknown): string => (isEmpty(value) ? "" : asText(value));
  const isTyped = (value: unknown): boolean => typeof value === "number" || typeof value === "boolean";
  const folded = (values: readonly unknown[]) => new Set(values.map((value) => foldLabel(textOf(value))));
  const texts = new Set(wanted.map(textOf));
  const [all, typed] = [folded(wanted), folded(wanted.filter(isTyped))];
  return (value) => {
    const text = textOf(value);
    if (texts.has(text)) return true;
    const candidates = isTyped(value) ? all : typed;
    return candidates.size > 0 && candidates.has(foldLabel(text));
  };
}
