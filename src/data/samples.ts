// Turns rows into samples: filters, fills the templates, reads options and label. Splits are decided elsewhere.

import { HoneError } from "../core/errors.js";
import type { Option } from "../core/language.js";
import type { Sample } from "../core/sample.js";
import type { Row } from "./reading.js";
import { type DatasetSpec, optionsAre } from "./schema.js";
import {
  asText,
  compileTemplate,
  field,
  fieldOrTemplate,
  fixedOrTemplate,
  isTemplate,
  requiredField,
} from "./template.js";
import { foldLabel, isEmpty, oneOf } from "./values.js";

/** A sample with the position of its row, for errors. */
export interface Placed {
  sample: Sample;
  place: string;
}

/** Rows that did not become samples, by cause. */
export interface Dropped {
  noLabel: number;
  noInput: number;
  otherLabel: number;
  /** Not dropped: their label matched an option except for case, white space or a number's `.0`. */
  respelt: number;
}

export interface SampleMaker {
  /** The sample of a row; undefined if the filter or an empty label or input drops it. */
  make(row: Row, fallbackId: string): Placed | undefined;
  readonly dropped: Dropped;
  /** The options shared by all samples. */
  readonly shared: readonly Option[] | undefined;
  /** Fields of `where` that no row had. */
  readonly unmet: readonly string[];
  /** The error about the first row without the label's field, to be used if no row has it. */
  readonly labelless: HoneError | undefined;
}

/** The parts of a data set's specification that say how a row becomes a sample. */
export type SampleSpec = Pick<DatasetSpec, "input"> &
  Partial<
    Pick<
      DatasetSpec,
      | "id"
      | "question"
      | "instruction"
      | "stratum"
      | "group"
      | "split"
      | "label"
      | "where"
      | "options"
      | "evidence"
      | "otherLabels"
    >
  >;

/** Without `label` in the spec, samples have no gold answer. */
export function sampleMaker(spec: SampleSpec): SampleMaker {
  const idOf = typeof spec.id === "string" ? fieldOrTemplate(spec.id) : undefined;
  const inputOf = fieldOrTemplate(spec.input);
  const questionOf = spec.question === undefined ? undefined : fixedOrTemplate(spec.question, "question");
  const instructionOf =
    spec.instruction === undefined ? undefined : fixedOrTemplate(spec.instruction, "instruction");
  const stratumOf = spec.stratum === undefined ? undefined : fieldOrTemplate(spec.stratum);
  const group = spec.group ?? (spec.split?.group === "near" ? undefined : spec.split?.group);
  const groupOf = group === undefined ? undefined : fieldOrTemplate(group);
  const { label: labelField } = spec;
  const labelTemplate =
    labelField !== undefined && isTemplate(labelField) ? compileTemplate(labelField) : undefined;
  const filter = filterOf(spec.where ?? {});
  const { options } = spec;
  const shared = optionsAre(options) === "shared" ? choicesOf(options as Listed) : undefined;
  const ownOf = shared ? undefined : ownOptions(options);
  const dropped: Dropped = { noLabel: 0, noInput: 0, otherLabel: 0, respelt: 0 };
  let labelless: HoneError | undefined;
  const labelOf = (row: Row["row"], place: string): unknown => {
    try {
      return labelTemplate ? labelTemplate(row, place) : requiredField(row, labelField as string, place);
    } catch (error) {
      if (!(error instanceof HoneError)) throw error;
      labelless ??= error;
      return undefined;
    }
  };

  return {
    dropped,
    shared: shared?.options,
    get unmet() {
      return filter.unmet();
    },
    get labelless() {
      return labelless;
    },
    make({ row, place }, fallbackId) {
      if (!filter.keeps(row)) return undefined;
      const label = labelField === undefined ? undefined : labelOf(row, place);
      if (labelField !== undefined && isEmpty(label)) {
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
      const stratum = stratumOf?.(row, place).trim();
      const own = ownOf?.(row, place, stratum);
      const choices = shared ?? own;
      let gold: string | readonly string[];
      if (labelField === undefined) gold = "";
      else if (choices) {
        const labels = [label].flat().filter((one) => !isEmpty(one));
        const found = labels.map((one) => optionKey(one, choices, place));
        const other = found.indexOf(undefined);
        if (other >= 0) {
          if (spec.otherLabels !== "drop") throw otherLabel(labels[other], choices.options, place);
          dropped.otherLabel++;
          return undefined;
        }
        if (found.some((one) => one?.respelt)) dropped.respelt++;
        const known = [...new Set(found.map((one) => one!.key))];
        gold = known.length === 1 ? known[0]! : known;
      } else gold = goldTexts(label, place);
      const id = idOf
        ? idOf(row, place).trim()
        : (spec.id === undefined && asText(row.id).trim()) || fallbackId;
      if (id === "")
        throw new HoneError({
          what: "A row has no id.",
          where: place,
          next: "Fill the field, or leave `id` out.",
        });
      const group = groupOf?.(row, place).trim();
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

/** One id or a list of them, without duplicates; a missing field gives none. */
function idsIn(value: unknown): string[] {
  const ids = [value].flat().map((one) => asText(one).trim());
  return [...new Set(ids.filter((id) => id !== ""))];
}

/** Whether a row passes `where`, and which of its fields never occurred. */
function filterOf(where: NonNullable<DatasetSpec["where"]>): {
  keeps: (row: Row["row"]) => boolean;
  unmet: () => string[];
} {
  const tests = Object.entries(where).map(([path, condition]) => {
    const negated = condition !== null && typeof condition === "object" && !Array.isArray(condition);
    const matches = oneOf([negated ? condition.not : condition].flat());
    return { path, passes: (value: unknown) => matches(value) !== negated };
  });
  const unmet = new Set(Object.keys(where));
  return {
    keeps(row) {
      const values = tests.map(({ path }) => field(row, path));
      if (unmet.size > 0)
        for (const [i, { path }] of tests.entries()) if (values[i] !== undefined) unmet.delete(path);
      return tests.every(({ passes }, i) => passes(values[i]));
    },
    unmet: () => [...unmet],
  };
}

/** What a sample chooses from. */
interface Choices {
  options: readonly Option[];
  /** A number is an index from 0. */
  indexed: boolean;
}
type Listed = readonly string[] | Readonly<Record<string, string>>;

function choicesOf(listed: Listed): Choices {
  if (!Array.isArray(listed))
    return { options: Object.entries(listed).map(([key, text]) => ({ key, text })), indexed: false };
  // If the options are [1, 2, 3], the label 1 means the first, not the second.
  const indexed = !listed.some((text: string) => text.trim() !== "" && Number.isFinite(Number(text)));
  return { options: listed.map((text: string) => ({ key: text, text })), indexed };
}

/** How a row's own options are read: from one field, from one field each, or by its stratum. */
function ownOptions(
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
function optionKey(
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

function otherLabel(label: unknown, options: readonly Option[], place: string): HoneError {
  const keys = options.slice(0, 20).map(({ key }) => key);
  return new HoneError({
    what: "A label is not among the options.",
    where: place,
    why: `the label is ${JSON.stringify(asText(label).slice(0, 80))}; the options are ${keys.join(", ")}${options.length > 20 ? ", …" : ""}`,
    next: "Add it to `options`, filter the row with `where`, or set `otherLabels: drop`.",
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
