// Options of samples: those that all share or that each row or stratum brings, and the option that a label means.

import { HoneError } from "../core/errors.js";
import type { Option } from "../core/language.js";
import type { Row } from "./reading.js";
import { type DatasetSpec, optionsAre } from "./schema.js";
import { asText, compileTemplate, field, requiredField } from "./template.js";
import { foldLabel, isEmpty } from "./values.js";

/** What a sample chooses from. */
export interface Choices {
  options: readonly Option[];
  /** A number is an index from 0. */
  indexed: boolean;
}
export type Listed = readonly string[] | Readonly<Record<string, string>>;

export function choicesOf(listed: Listed): Choices {
  if (!Array.isArray(listed))
    return { options: Object.entries(listed).map(([key, text]) => ({ key, text })), indexed: false };
  // If the options are [1, 2, 3], the label 1 means the first, not the second.
  const indexed = !listed.some((text: string) => text.trim() !== "" && Number.isFinite(Number(text)));
  return { options: listed.map((text: string) => ({ key: text, text })), indexed };
}

/** How a row's own options are read: from one field, from one field each, or by its stratum. */
export function ownOptions(
  options: DatasetSpec["options"],
): ((row: Row["row"], place: string, stratum: string | undefined) => Choices) | undefined {
  if (options === undefined || Array.isArray(options)) return undefined;
  if (typeof options === "string")
    return (row, place) => rowOptions(requiredField(row, options, place), options, place, row);
  const entries = Object.entries(options);
  if (optionsAre(options) === "by stratum") {
    const sets = new Map(entries.map(([stratum, listed]) => [stratum, choicesOf(listed as Listed)]));
    return (_, place, stratum = "") => {
      const found = sets.get(stratum);
      if (found) return found;
      throw new HoneError({
        what: "A row's stratum has no options.",
        where: place,
        why: `the stratum is ${JSON.stringify(stratum.slice(0, 80))}; \`options\` has ${[...sets.keys()].slice(0, 20).join(", ")}`,
        next: "Add it to `options`, or filter the row with `where`.",
      });
    };
  }
  const fills = entries.map(([key, text]) => [key, optionTemplate(text as string)] as const);
  return (row, place) =>
    rowOptions(
      Object.fromEntries(fills.map(([key, fill]) => [key, fill(row, place)])),
      "options",
      place,
      row,
    );
}

/** An option's template. `{{choices.4}}` is empty, hence not an option, if the list is shorter. */
function optionTemplate(text: string): (row: Row["row"], place: string) => string {
  const fill = compileTemplate(text);
  const item = /^\{\{\s*([^|{}]+)\.\d+\s*\}\}$/.exec(text);
  return (row, place) => {
    const list = item ? field(row, item[1]!) : undefined;
    if (!item || !Array.isArray(list)) return fill(row, place);
    return asText(field(row, text.slice(2, -2).trim()));
  };
}

/** A row's own options: {key: text}, a list of texts (keys A, B, …), or {text: […], label: […]}, as in some data sets. */
function rowOptions(value: unknown, name: string, place: string, row: Row["row"]): Choices {
  const bad = (why: string): HoneError => {
    const better = Object.keys(row).find((key) => key !== name && isOptionList(row[key]));
    return new HoneError({
      what: "Cannot read a row's options.",
      where: place,
      why: `${JSON.stringify(name)} ${why}`,
      next: better
        ? `The field ${JSON.stringify(better)} holds a list: write \`options: ${better}\`.`
        : 'Write them as {"A": "…", "B": "…"} or as a list of texts.',
    });
  };
  if (value === null || typeof value !== "object") throw bad("is neither a map nor a list");
  let options: Option[];
  const { text: texts, label: labels } = value as { text?: unknown; label?: unknown };
  if (Array.isArray(value)) {
    options = value.map((text, i) => ({ key: letterOf(i), text: asText(text).trim() }));
  } else if (Array.isArray(texts) && Array.isArray(labels) && texts.length === labels.length) {
    options = texts.map((text, i) => ({ key: asText(labels[i]), text: asText(text).trim() }));
  } else {
    options = Object.entries(value)
      .filter(([, text]) => !isEmpty(text))
      .map(([key, text]) => ({ key, text: asText(text).trim() }));
  }
  if (options.length < 2) throw bad(`has ${options.length} options; at least 2 are needed`);
  if (options.some(({ text }) => text === "")) throw bad("has an empty option");
  if (new Set(options.map(({ key }) => key)).size < options.length) throw bad("has two options with one key");
  return { options, indexed: Array.isArray(value) };
}

function isOptionList(value: unknown): boolean {
  return Array.isArray(value) && value.length >= 2 && value.every((one) => typeof one === "string");
}

/** A, B, …, Z, AA, AB, … */
function letterOf(index: number): string {
  const last = String.fromCharCode(65 + (index % 26));
  return index < 26 ? last : letterOf(Math.floor(index / 26) - 1) + last;
}

/**
 * The option that a label means. A number into a list is an index from 0, as in the Hub's data sets, unless the study's list itself
 * consists of numbers; otherwise the label is a key, else a text, else (for such lists) an index written as text, else the one key or text
 * that differs from it only in case, white space or a number's `.0`.
 */
export function optionKey(
  label: unknown,
  { options, indexed }: Choices,
  place: string,
): { key: string; respelt?: boolean } | undefined {
  if (indexed && typeof label === "number") return options[label];
  const text = asText(label).trim();
  if (options.some(({ key }) => key === text)) return { key: text };
  const same = options.filter((option) => option.text === text);
  if (same.length > 1) {
    const next = "Give the label as the option's key.";
    throw new HoneError({
      what: "A label fits two options.",
      where: place,
      why: `both read ${JSON.stringify(text.slice(0, 80))}`,
      next,
    });
  }
  if (same[0]) return { key: same[0].key };
  const folded = foldLabel(text);
  const at = indexed && /^\d{1,6}$/.test(folded) ? options[Number(folded)] : undefined;
  if (at) return { key: at.key, respelt: folded !== text };
  const alike = options.filter((one) => foldLabel(one.key) === folded || foldLabel(one.text) === folded);
  return alike.length === 1 ? { key: alike[0]!.key, respelt: true } : undefined;
}
