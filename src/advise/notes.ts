// What a user should know of their data before the study is run, one sentence each: labels that are no labels, texts that are
// cut, a split that is not kept, a first row that is no header. Nothing is changed for it.

import { foldLabel, formatOf } from "../data/index.js";
import type { Column, Table } from "./columns.js";
import type { Label } from "./labels.js";

export const countOf = (n: number, what: string) => `${n.toLocaleString("en")} ${what}${n === 1 ? "" : "s"}`;

/** Up to `most` of them, and a mark where there are more. */
const listed = (texts: readonly string[], most: number, by = ", ") =>
  `${texts.slice(0, most).join(by)}${texts.length > most ? `${by}…` : ""}`;

/** Labels with several spellings, labels that say there is none, and several tags written as one label. */
export function labelNotes(labels: readonly Label[], field: string): string[] {
  const notes: string[] = [];
  const joined = labels.filter(({ spellings }) => spellings.length > 1);
  if (joined.length > 0) {
    const also = ({ text, spellings }: Label) =>
      `${text} (also ${spellings
        .slice(1, 4)
        .map((one) => JSON.stringify(one))
        .join(", ")})`;
    notes.push(
      `${countOf(joined.length, "label")} had several spellings that differ by case or white space; each counts as one: ${listed(joined.map(also), 5, "; ")}.`,
    );
  }
  const missing = labels.filter(({ text }) => /^([-–—?.]+|#?n\/?a|nan|null|nil|none)$/i.test(text));
  if (missing.length > 0) {
    const shown = missing.map(({ text, rows }) => `${JSON.stringify(text)} (${countOf(rows, "row")})`);
    const not = missing.flatMap(({ spellings }) => spellings).map((one) => JSON.stringify(one));
    notes.push(
      `${listed(shown, 5)} ${missing.length === 1 ? "counts as a label" : "count as labels"}; if such a value means that there is none, write where: { ${field}: { not: [${not.join(", ")}] } } and take it out of \`options\`.`,
    );
  }
  const tags = tagged(labels);
  if (tags.length > 0)
    notes.push(
      `${countOf(tags.length, "label")} ${tags.length === 1 ? "looks" : "look"} like several tags in one (${listed(
        tags.map(({ text }) => JSON.stringify(text)),
        4,
      )}): each combination and order is a label of its own. In JSON the field can hold a list, of which any tag is right.`,
    );
  if (labels.length > 0 && labels.every(({ text }) => /^[\d.]+$/.test(text)))
    notes.push(
      "The labels are numbers: write what each means after it under `options`; the model reads that.",
    );
  return notes;
}

/** Labels with several parts, each of which is in another label, too. */
function tagged(labels: readonly Label[]): Label[] {
  const partsOf = ({ text }: Label) => [...new Set(text.split(/[,;|]/).map(foldLabel).filter(Boolean))];
  const uses = new Map<string, number>();
  for (const part of labels.flatMap(partsOf)) uses.set(part, (uses.get(part) ?? 0) + 1);
  return labels.filter((label) => {
    const parts = partsOf(label);
    return parts.length > 1 && parts.every((part) => (uses.get(part) ?? 0) > 1);
  });
}

/** Texts of which the model reads only the beginning, in a template that Hone wrote. */
export function cutNotes(template: string, cut: number, { columns, rows, total }: Table): string[] {
  return columns.flatMap(({ name, counts, filled }) => {
    const slot = `{{${name}|${cut}}}`;
    const long = [...counts].reduce((sum, [text, n]) => (text.length > cut ? sum + n : sum), 0);
    if (long === 0 || !template.includes(slot)) return [];
    const of = total > rows.length ? ` (first ${countOf(rows.length, "row")})` : "";
    return [
      `${long.toLocaleString("en")} of ${countOf(filled, "text")} in ${name}${of} are cut to ${cut.toLocaleString("en")} characters: ${slot} under \`input\` sets that.`,
    ];
  });
}

/** The column that says which split a row belongs to. */
export const splitColumn = (columns: readonly Column[]) =>
  columns.find(
    ({ name, filled, counts }) =>
      /^(split|fold|partition|subset|set)$/i.test(name) &&
      filled > 0 &&
      counts.size <= 4 &&
      [...counts.keys()].every((value) => splitName.test(value)),
  );

const splitName =
  /(^|[^a-z])(train(ing)?|dev(el|elopment)?|val(id|idation)?|test(ing)?|eval(uation)?|held-?out|benchmark)([^a-z]|$)/i;

/** A split that the file has and the study does not keep: `where` holds for all rows alike. */
export function splitNotes(columns: readonly Column[]): string[] {
  const column = splitColumn(columns);
  if (!column || column.counts.size < 2) return [];
  const shown = [...column.counts].map(([value, n]) => `${value} ${n.toLocaleString("en")}`);
  return [
    `The field ${column.name} (${shown.join(", ")}) is not kept: rows are divided anew. To keep it, save a file for each, named train, dev and test, and say --data 'FOLDER/*'.`,
  ];
}

/** A first row that was taken for the header and looks like data. */
export function headerNotes({ columns, files, reading }: Table): string[] {
  const format = reading.format ?? formatOf(files[0] as string);
  if (reading.columns || !["csv", "tsv", "xlsx"].includes(format)) return [];
  const isNumber = (text: string) => /^[-+]?\d+([.,]\d+)?$/.test(text);
  // 0, 1, 2, … are what programs write that have no names for their columns.
  const numbered = columns.every(({ name }, place) => name === String(place));
  const odd = columns.find(
    ({ name, counts, filled }) =>
      (isNumber(name) && !numbered && !/^(19|20)\d\d$/.test(name)) ||
      (name.length >= 40 && name.split(/\s+/).length >= 6 && !/[?:]$/.test(name)) ||
      (counts.get(name) ?? 0) > filled / 50 + 1,
  );
  if (!odd) return [];
  const name = odd.name.length > 60 ? `${odd.name.slice(0, 59)}…` : odd.name;
  return [
    `The first row is read as the names of the fields, and ${JSON.stringify(name)} looks like data: where the file has no header, name them with --columns a,b,c.`,
  ];
}
