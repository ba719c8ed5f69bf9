// Converts theory-of-mind items to the first person: read from a file in ToMi's format, in ToMBench's or as plain fields, and converted by
// rules, or by a model if the rules refuse and a model is given. Each item keeps what is needed to restore the original.

import { z } from "zod";
import type { CallContext } from "../../core/call.js";
import { HoneError, messageOf } from "../../core/errors.js";
import type { LanguageSubject } from "../../core/kinds.js";
import { shownPath } from "../../data/index.js";
import { byteLines } from "../../data/text.js";
import { assistedFirstPerson } from "./assisted.js";
import { restore, toFirstPerson } from "./first-person.js";
import { instructions } from "./index.js";
import type { Conversion, Lineage, Told } from "./told.js";
import { protagonistOf, readTombench } from "./tombench.js";
import { readTomi, tomiItem } from "./tomi.js";

/** An item to be converted. */
export interface Item extends Told {
  id: string;
  /** Who becomes "you"; undefined if the question is about nobody with a name. */
  who: string | undefined;
  /** Index of the right option; undefined if the file does not give it. */
  answer: number | undefined;
  /** ToMi's sentences are a controlled language; free text is POS-tagged. */
  controlled: boolean;
}

/** Rows of a JSON lines file; Python's NaN, which ToMBench has where an option is missing, is read as null. */
export async function* itemRows(
  path: string,
): AsyncGenerator<{ row: Record<string, unknown>; place: string }> {
  for await (const lines of byteLines(path, "utf8", shownPath(path))) {
    for (const { bytes, line } of lines) {
      const text = bytes.toString("utf8");
      if (text.trim() !== "") yield itemRow(text, `${shownPath(path)}:${line}`);
    }
  }
}

function itemRow(line: string, place: string): { row: Record<string, unknown>; place: string } {
  let row: unknown;
  try {
    row = JSON.parse(line.replace(/: NaN(?=[,}])/g, ": null"));
  } catch (error) {
    throw unreadable(place, messageOf(error), error);
  }
  if (row === null || typeof row !== "object" || Array.isArray(row))
    throw unreadable(place, "it is not an object");
  return { row: row as Record<string, unknown>, place };
}

const plain = z.object({
  id: z.union([z.string(), z.number()]).optional(),
  story: z.string().min(1),
  question: z.string().min(1),
  options: z.array(z.string().min(1)).min(2),
  answer: z.union([z.int().min(0), z.string()]).optional(),
  who: z.string().min(1).optional(),
});

/**
 * The item of a row.
 * @returns undefined for a row of ToMBench that lacks a story, a question, two options or an answer among them
 * @throws HoneError for a row of unknown format
 */
export function readItem(
  row: Readonly<Record<string, unknown>>,
  place: string,
  index: number,
): Item | undefined {
  if (Object.keys(row).some((key) => key === "STORY" || key.endsWith("\nSTORY"))) {
    const item = readTombench(row, "item", index);
    return item && { ...item, who: protagonistOf(item), controlled: false };
  }
  if (Array.isArray(row.containers)) {
    const { id, story, who, row: read } = tomiItem(readTomi(row, place), index);
    const options = [...read.containers];
    const answer = options.indexOf(read.answer);
    return { id, story, question: read.question, options, answer, who, controlled: true };
  }
  const parsed = plain.safeParse(row);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw unreadable(place, `${issue?.path.join(".") || "the row"}: ${issue?.message}`);
  }
  const { id = index + 1, story, question, options, answer, who } = parsed.data;
  const at = typeof answer === "string" ? options.indexOf(answer) : (answer ?? -1);
  if (answer !== undefined && !(at in options)) throw unreadable(place, "its answer is none of its options");
  const told = { story, question, options };
  return {
    ...told,
    id: String(id),
    who: who ?? protagonistOf(told),
    answer: at < 0 ? undefined : at,
    controlled: false,
  };
}

/** The item in the first person, converted by rules. */
export async function convertItem({ who, controlled, ...told }: Item): Promise<Conversion> {
  if (who === undefined) return { refused: "nobody named is asked about" };
  // Large, and only needed here.
  const tagger = controlled ? undefined : (await import("./tagger.js")).compromiseTagger;
  const found = toFirstPerson(told, who, tagger);
  if (!("refused" in found) && found.told.question === told.question)
    return { refused: "the question is about somebody else" };
  return found;
}

/** A line of the output of `hone data first-person`: fields for a task of kind `choice`, and the lineage for restoring the original. */
export interface FirstPersonRow {
  id: string;
  instruction: string;
  input: string;
  question: string;
  options: { label: string[]; text: string[] };
  /** The right option's label, if the file gave it. */
  answer: string | null;
  /** `rule`, or the name of the model. */
  by: string;
  lineage: Lineage;
}

/**
 * The item as a row, converted by rules or, if they refuse, by the assistant.
 * @returns the row, or why there is none: the refusal of the rules, or the assistant's if it was used
 */
export async function firstPersonRow(
  item: Item,
  assistant?: { subject: LanguageSubject; context: CallContext },
): Promise<FirstPersonRow | { refused: string }> {
  const told = { story: item.story, question: item.question, options: item.options };
  let [found, by] = [await convertItem(item), "rule"];
  if ("refused" in found && assistant && item.who !== undefined) {
    by = assistant.subject.name;
    found = await assistedFirstPerson(told, item.who, assistant.subject, assistant.context);
  }
  if ("refused" in found) return found;
  return {
    id: item.id,
    instruction: instructions.first,
    input: found.told.story,
    question: found.told.question,
    options: { label: item.options.map((_, i) => String(i + 1)), text: [...found.told.options] },
    answer: item.answer === undefined ? null : String(item.answer + 1),
    by,
    lineage: found.lineage,
  };
}

const edits = z.array(z.tuple([z.int().min(0), z.string(), z.string()]));
const written = z.object({
  id: z.string(),
  input: z.string(),
  question: z.string(),
  options: z.object({ text: z.array(z.string()) }),
  answer: z.string().nullable(),
  lineage: z.object({ who: z.string(), story: edits, question: edits, options: z.array(edits) }),
});

/** The original of a converted row, as plain fields. @throws HoneError if the row has no lineage */
export function restoredRow(row: Readonly<Record<string, unknown>>, place: string) {
  const parsed = written.safeParse(row);
  if (!parsed.success)
    throw unreadable(place, `${parsed.error.issues[0]?.path.join(".")} is missing or damaged`);
  const { id, input, question, options, answer, lineage } = parsed.data;
  const told = restore({ story: input, question, options: options.text }, lineage);
  return { id, ...told, who: lineage.who, ...(answer === null ? {} : { answer: Number(answer) - 1 }) };
}

function unreadable(where: string, why: string, cause?: unknown): HoneError {
  return new HoneError({
    what: "This row is not an item that Hone can convert",
    where,
    why,
    next: "Give JSON lines of ToMi or ToMBench, or with story, question and options (answer and who, if known).",
    kind: "usage",
    ...(cause === undefined ? {} : { cause }),
  });
}
