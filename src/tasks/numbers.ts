// Reads the number that a written answer gives: the last one in the text.

/** A comma that separates thousands, or an apostrophe or a narrow space in its place; "1 234" may be two numbers. */
const thousands = String.raw`\d{1,3}(?:[,'’\u00a0\u2009\u202f]\d{3})+(?!\d)(?:\.\d+)?`;
const decimalComma = String.raw`(?<!\d,)(?:\d{1,3}(?:\.\d{3})+|\d+),\d+(?!,?\d)`;
/** One point before three digits is a decimal point, several separate thousands. */
const points = String.raw`(?<![\d.])\d{1,3}(?:\.\d{3}){2,}(?![.,]?\d)`;
const fraction = String.raw`(?<![\d.,/])(?:(?<whole>\d+)\s+)?(?<above>\d+)\s?/\s?(?<below>\d+)(?![\d/]|[.,]\d)`;
const plain = String.raw`\d+(?:\.\d+)?|(?<![\p{L}\p{N}.])\.\d+`;
/** In "1939-1945" and "COVID-19" a hyphen is no sign. */
const sign = String.raw`(?:(?<![\p{L}\p{N}\p{M})\]%])(?<sign>[-\u2212\u2013])\p{Sc}?)?`;
/** 2e5 and 3 × 10^5. */
const power = String.raw`(?:e(?<e>[-+]?\d+)|\s?(?:[×*·x]|\\times|\\cdot)\s?10\^\{?(?<ten>[-+\u2212]?\d+)\}?)?`;
const numbers = new RegExp(
  `${sign}(?:${fraction}|(?:(?<grouped>${thousands})|(?<comma>${decimalComma})|(?<points>${points})|(?<plain>${plain}))${power})`,
  "giu",
);

/**
 * The last number in a text; undefined if there is none. A comma before exactly three digits separates thousands, any other is a
 * decimal comma: 1,234.5 and 1.234,5 and 3,5 are read, and of the list 1,2,3 the 3. Fractions (3/4, 1 1/2, LaTeX's) have their value.
 */
export function lastNumber(text: string): number | undefined {
  const written = text.replace(/(\d?)\\[dt]?frac\{(\d+)\}\{(\d+)\}/g, (_, whole, above, below) =>
    [whole, `${above}/${below}`].join(whole && " "),
  );
  const found = [...written.matchAll(numbers)].at(-1)?.groups;
  if (!found) return undefined;
  const { above, below, whole = "0", grouped, comma, plain: digits, e, ten } = found;
  const read =
    grouped?.replace(/[^\d.]/g, "") ??
    comma?.replaceAll(".", "").replace(",", ".") ??
    found.points?.replaceAll(".", "") ??
    digits;
  const exponent = (e ?? ten ?? "0").replace("\u2212", "-");
  const size =
    above === undefined ? Number(`${read}e${exponent}`) : Number(whole) + Number(above) / Number(below);
  return found.sign === undefined ? size : -size;
}

/** 1 if the last number in the text equals the gold number within a relative tolerance. */
export function numberMatch(text: string, gold: string, tolerance: number): number {
  const found = lastNumber(text);
  const wanted = lastNumber(gold);
  if (found === undefined || wanted === undefined) return 0;
  return Math.abs(found - wanted) <= tolerance * Math.abs(wanted) ? 1 : 0;
}
