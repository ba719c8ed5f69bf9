// Turns rows into samples: filters, fills the templates, reads options and label. Splits are decided elsewhere.

import { HoneError } from "../core/errors.js";
import type { Option } from "../core/language.js";
import type { Sample } from "../core/sample.js";
import { choicesOf, type Listed, optionKey, ownOptions } from "./options.js";
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
import { isEmpty, oneOf } from "./values.js";

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
