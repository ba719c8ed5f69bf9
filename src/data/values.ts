// What a value of a row is, whatever format it was read from: when it is nothing, and when two are the same. CSV has texts
// alone, JSON has numbers and null, and a study means the same by both.

import { asText } from "./template.js";

/** True for null, an absent field, white space, and lists of nothing else. */
export function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  if (Array.isArray(value)) return value.every(isEmpty);
  return typeof value === "string" && value.trim() === "";
}

/** Equal for labels that differ in case, white space or a whole number's `.0` alone. */
export function foldLabel(text: string): string {
  const folded = text.normalize("NFKC").replace(/\s+/g, " ").trim().toLowerCase();
  return /^-?\d+\.0+$/.test(folded) ? folded.slice(0, folded.indexOf(".")) : folded;
}

/**
 * Whether a value is one of those wanted. Texts are compared as they stand; where either side is a number or a boolean, as
 * labels are, so that 1990 is "1990.0" and true is "TRUE". Whatever is empty is null.
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
