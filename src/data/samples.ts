// From rows to samples: filter, fill the templates, read options and label. It decides nothing about splits.

import { HoneError } from "../core/errors.js";
import type { Option } from "../core/language.js";
import type { Sample } from "../core/sample.js";
import type { Row } from "./readers.js";
import type { DatasetSpec } from "./schema.js";
import { asText, compileTemplate, field, fieldOrTemplate, isTemplate, requiredField } from "./template.js";

/** A sample with the place of its row, for errors. */
export interface Placed {
  sample: Sample;
  place: string;
}

/** Rows that did not become samples, by cause. */
export interface Dropped {
  noLabel: number;
  noInput: number;
  otherLabel: number;
}

export interface SampleMaker {
  /** The sample of a row, or undefined where the filter or an empty label or input leaves it out. */
  make(row: Row, fallbackId: string): Placed | undefined;
  readonly dropped: Dropped;
  /** The options shared by all samples. */
  readonly shared: readonly Option[] | undefined;
}

export function sampleMaker(spec: DatasetSpec): SampleMaker {
  const idOf = spec.id === undefined ? undefined : fieldOrTemplate(spec.id);
  const inputOf = fieldOrTemplate(spec.input);
  const questionOf = spec.question === undefined ? undefined : compileTemplate(spec.question);
  const instructionOf = spec.instruction === undefined ? undefined : compileTemplate(spec.instruction);
  const stratumOf = spec.stratum === undefined ? undefined : fieldOrTemplate(spec.stratum);
  const group = spec.group ?? (spec.split?.group === "near" ? undefined : spec.split?.group);
  const groupOf = group === undefined ? undefined : fieldOrTemplate(group);
  const labelTemplate = isTemplate(spec.label) ? compileTemplate(spec.label) : undefined;
  const keep = filterOf(spec.where ?? {});
  const { options } = spec;
  const shared = typeof options === "object" ? sharedOptions(options) : undefined;
  const indexed = Array.isArray(options);
  const dropped: Dropped = { noLabel: 0, noInput: 0, otherLabel: 0 };

  return {
    dropped,
    shared,
    make({ row, place }, fallbackId) {
      if (!keep(row)) return undefined;
      const label = labelTemplate ? labelTemplate(row, place) : requiredField(row, spec.label, place);
      if (isEmpty(label)) {
        dropped.noLabel++;
        return undefined;
      }
      const input = inputOf(row, place).trim();
      if (input === "") {
        dropped.noInput++;
        return undefined;
      }
      const question = questionOf?.(row, place).trim();
      const instruction = instructionOf?.(row, place).trim();
      let own: { options: readonly Option[]; list: boolean } | undefined;
      let gold: string | readonly string[];
      if (shared || options !== undefined) {
        if (!shared) own = rowOptions(requiredField(row, options as string, place), options as string, place);
        const choices = shared ?? own!.options;
        const list = shared ? indexed : own!.list;
        const keys = [label].flat().map((one) => optionKey(one, choices, list, place));
        const known = keys.filter((key) => key !== undefined);
        if (known.length < keys.length) {
          if (spec.otherLabels !== "drop")
            throw otherLabel([label].flat()[keys.indexOf(undefined)], choices, place);
          dropped.otherLabel++;
          return undefined;
        }
        gold = known.length === 1 ? known[0]! : known;
      } else gold = goldTexts(label, place);
      const id = idOf ? idOf(row, place).trim() : asText(row.id).trim() || fallbackId;
      if (id === "")
        throw new HoneError({
          what: "A row has no id.",
          where: place,
          next: "Fill the field, or leave `id` out.",
        });
      const group = groupOf?.(row, place).trim();
      const stratum = stratumOf?.(row, place).trim();
      const evidence = spec.evidence === undefined ? undefined : idsIn(field(row, spec.evidence));
      const sample: Sample = {
        id,
        input,
        ...(question ? { question } : {}),
        ...(instruction ? { instruction } : {}),
        ...(own ? { options: own.options } : {}),
        gold,
        ...(group ? { group } : {}),
        ...(stratum ? { stratum } : {}),
        ...(evidence && evidence.length > 0 ? { evidence } : {}),
      };
      return { sample, place };
    },
  };
}

/** One id or a list of them, each once; a missing field is none. */
function idsIn(value: unknown): string[] {
  const ids = [value].flat().map((one) => asText(one).trim());
  return [...new Set(ids.filter((id) => id !== ""))];
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  if (Array.isArray(value)) return value.every(isEmpty);
  return typeof value === "string" && value.trim() === "";
}

/** Values are compared as text, so that `where: {year: 1990}` also fits CSV. A missing field is null. */
function filterOf(where: NonNullable<DatasetSpec["where"]>): (row: Record<string, unknown>) => boolean {
  const asKey = (value: unknown): string =>
    value === null || value === undefined ? "\0null" : asText(value);
  const tests = Object.entries(where).map(([path, condition]) => {
    const negated = condition !== null && typeof condition === "object" && !Array.isArray(condition);
    const values = negated ? condition.not : condition;
    const wanted = new Set((Array.isArray(values) ? values : [values]).map(asKey));
    return (row: Record<string, unknown>) => wanted.has(asKey(field(row, path))) !== negated;
  });
  return (row) => tests.every((passes) => passes(row));
}

function sharedOptions(options: readonly string[] | Record<string, string>): Option[] {
  if (Array.isArray(options)) return options.map((text: string) => ({ key: text, text }));
  return Object.entries(options as Record<string, string>).map(([key, text]) => ({ key, text }));
}

/** A row's own options: {key: text}, a list of texts (keys A, B, …), or {text: […], label: […]} as some data sets have it. */
function rowOptions(value: unknown, name: string, place: string): { options: Option[]; list: boolean } {
  const bad = (why: string): HoneError =>
    new HoneError({
      what: "Cannot read a row's options.",
      where: place,
      why: `${JSON.stringify(name)} ${why}`,
      next: 'Write them as {"A": "…", "B": "…"} or as a list of texts.',
    });
  if (value === null || typeof value !== "object") throw bad("is neither a map nor a list");
  let options: Option[];
  const { text: texts, label: labels } = value as { text?: unknown; label?: unknown };
  const list = Array.isArray(value);
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
  return { options, list };
}

/** A, B, …, Z, AA, AB, … */
function letterOf(index: number): string {
  const last = String.fromCharCode(65 + (index % 26));
  return index < 26 ? last : letterOf(Math.floor(index / 26) - 1) + last;
}

/**
 * The option that a label means. A number into a list is an index from 0, as the Hub's data sets have it; otherwise the
 * label is a key, else a text, else (for lists) an index written as text.
 */
function optionKey(
  label: unknown,
  options: readonly Option[],
  list: boolean,
  place: string,
): string | undefined {
  if (list && typeof label === "number") return options[label]?.key;
  const text = asText(label).trim();
  if (options.some(({ key }) => key === text)) return text;
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
  if (same[0]) return same[0].key;
  return list && /^\d{1,6}$/.test(text) ? options[Number(text)]?.key : undefined;
}

function otherLabel(label: unknown, options: readonly Option[], place: string): HoneError {
  const keys = options.slice(0, 20).map(({ key }) => key);
  return new HoneError({
    what: "A label is not among the options.",
    where: place,
    why: `the label is ${JSON.stringify(asText(label).slice(0, 80))}; the options are ${keys.join(", ")}${options.length > 20 ? ", …" : ""}`,
    next: "Add it to `options`, filter the row with `where`, or say `otherLabels: drop`.",
  });
}

function goldTexts(label: unknown, place: string): string | readonly string[] {
  if (!Array.isArray(label)) {
    if (label !== null && typeof label === "object") {
      const next = "Name the field in it that holds the answer, for instance `answers.text`.";
      throw new HoneError({ what: "A label is a structure, not a text.", where: place, next });
    }
    return asText(label).trim();
  }
  const texts = label.map((one) => asText(one).trim()).filter((text) => text !== "");
  return [...new Set(texts)];
}
