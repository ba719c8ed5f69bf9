// Seeds: worked examples that synthetic data are made from, drawn from train or written by hand into a file.

import { z } from "zod";
import { HoneError } from "../../../core/errors.js";
import type { Option } from "../../../core/language.js";
import { randomFor, shuffled } from "../../../core/random.js";
import type { Given } from "../../../core/specializer.js";
import { asText, formatOf, readRows, resolveSource } from "../../../data/index.js";
import { type Prompted, type Seed, seedOf } from "./pair.js";

export const seedsOptions = z.strictObject({
  count: z
    .int()
    .min(1)
    .max(100_000)
    .default(80)
    .describe("how many seeds are drawn from train, or from the source"),
  source: z
    .string()
    .min(1)
    .optional()
    .describe(
      "file:, hf: or pip: with seeds of your own, in place of train's: instruction, input, question, options, response (or answer)",
    ),
});
export type SeedsOptions = z.output<typeof seedsOptions>;

/** @throws HoneError where there are fewer than two, or a row is not a seed */
export async function readSeeds({ count, source }: SeedsOptions, given: Given): Promise<Seed[]> {
  const { seed, task, train, base, context } = given;
  const all: Seed[] = [];
  if (source === undefined) all.push(...train.map((sample) => seedOf(sample, task)));
  else
    for await (const { row, place } of rowsOf(source, { base, signal: context.signal }))
      all.push({ ...promptedOf(row, place), id: idOf(row, all.length), response: responseOf(row, place) });
  if (all.length < 2) {
    throw new HoneError({
      what: "There are too few seeds",
      where: source ?? `task ${task.name}, split train`,
      why: `${all.length} found, and at least 2 are shown before anything new is written`,
      next: "Give a train split, or a file of seeds as `seeds.source`.",
      kind: "usage",
    });
  }
  return shuffled(all, randomFor(seed, "synthesis/draw")).slice(0, count);
}

/** Rows without an answer. */
export async function readUnlabelled(
  source: string,
  given: Pick<Given, "base" | "context">,
): Promise<(Prompted & { id: string })[]> {
  const all: (Prompted & { id: string })[] = [];
  for await (const { row, place } of rowsOf(source, { base: given.base, signal: given.context.signal }))
    all.push({ ...promptedOf(row, place), id: idOf(row, all.length) });
  return all;
}

type Row = Record<string, unknown>;

async function* rowsOf(source: string, options: { base: string; signal: AbortSignal }) {
  const { files } = await resolveSource(source, options);
  for (const path of files) yield* readRows(path, { format: formatOf(path) });
}

function idOf(row: Row, number: number): string {
  return asText(row.id).trim() || `row ${number + 1}`;
}

/** @throws HoneError for a row that asks nothing */
function promptedOf(row: Row, place: string): Prompted {
  const instruction = asText(row.instruction).trim();
  const input = asText(row.input ?? row.text).trim();
  const question = asText(row.question).trim();
  if (input === "" && question === "") {
    throw new HoneError({
      what: "A row has nothing to ask",
      where: place,
      why: "it has neither `input` nor `question`",
      next: "Give each row `input` (and `instruction`, `question`, `options` where it has them).",
    });
  }
  const options = optionsOf(row.options, place);
  const asked = input === "" ? { input: question } : { input, ...(question === "" ? {} : { question }) };
  const stratum = asText(row.stratum).trim();
  return { instruction, ...asked, ...(options ? { options } : {}), ...(stratum ? { stratum } : {}) };
}

/** A list of texts, or `{label, text}` in columns, as data sets have them. */
function optionsOf(value: unknown, place: string): Option[] | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  const columns = value as { label?: unknown; text?: unknown };
  const texts = Array.isArray(value) ? value : columns.text;
  const labels = Array.isArray(value) ? undefined : columns.label;
  if (Array.isArray(texts) && texts.length >= 2) {
    return texts.map((text, i) => ({
      key: Array.isArray(labels) ? asText(labels[i]) : String.fromCharCode(65 + i),
      text: asText(text).trim(),
    }));
  }
  throw new HoneError({
    what: "A row's options cannot be read",
    where: place,
    next: "Write them as a list of two or more texts.",
  });
}

/** @throws HoneError where it is empty, or is none of the options */
function responseOf(row: Row, place: string): string {
  const response = asText([row.response ?? row.answer ?? row.output].flat()[0]).trim();
  const options = optionsOf(row.options, place);
  const found = options?.find(({ key, text }) => key === response || text === response);
  if (response === "" || (options && !found)) {
    throw new HoneError({
      what: "A seed has no response",
      where: place,
      why: response === "" ? "`response` is empty" : `"${response.slice(0, 60)}" is not one of its options`,
      next: "Give each seed its right answer as `response`.",
    });
  }
  return found?.key ?? response;
}
