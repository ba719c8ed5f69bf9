// hone data first-person: retells theory-of-mind items in the first person, addressing the reader, and back.

import { join, resolve } from "node:path";
import { HoneError } from "../core/errors.js";
import { writeWhole } from "../core/place.js";
import { resolveSource } from "../data/index.js";
import { openModel } from "../models/registry.js";
import { plainText } from "../report/escape.js";
import { formatWhole } from "../report/format.js";
import { openJournal } from "../store/journal.js";
import { journaled } from "../store/journaled.js";
import { requireFile, requireStore } from "../store/place.js";
import { begin, schemes } from "../study/kinds.js";
import { firstPersonRow, itemRows, readItem, restoredRow } from "../tasks/social/convert.js";
import { makeOutput } from "./output.js";

interface Flags {
  out: string;
  assist?: string;
  back?: boolean;
  store: string;
  json?: boolean;
}

/** Milliseconds between lines of progress. */
const everyMs = 2000;

export async function firstPerson(source: string, flags: Flags): Promise<void> {
  const output = makeOutput(flags);
  requireFile(flags.out, "--out", [source.replace(/^file:/, "")]);
  const lines: string[] = [];
  const by: Record<string, number> = {};
  const refused: Record<string, number> = {};
  const add = (counts: Record<string, number>, key: string) => {
    counts[key] = (counts[key] ?? 0) + 1;
  };
  let read = 0;
  let told = performance.now();
  const assistant = flags.assist === undefined ? undefined : await openAssistant(flags.assist, flags.store);
  try {
    for await (const { row, place } of rowsOf(source)) {
      const index = read++;
      if (flags.back) {
        lines.push(JSON.stringify(restoredRow(row, place)));
        continue;
      }
      if (assistant && performance.now() - told > everyMs) {
        told = performance.now();
        output.log(`${formatWhole(index)} items read, ${formatWhole(lines.length)} retold`);
      }
      const item = readItem(row, place, index);
      const made = item ? await firstPersonRow(item, assistant) : { refused: "the item is not whole" };
      if ("refused" in made) add(refused, made.refused.replace(/:.*$/s, ""));
      else {
        add(by, made.by);
        lines.push(JSON.stringify(made));
      }
    }
    await writeWhole(resolve(flags.out), lines.map((line) => `${line}\n`).join(""));
  } finally {
    await assistant?.close();
  }
  output.record({ type: "done", out: flags.out, read, written: lines.length, by, refused });
  if (flags.json) return;
  output.prose(plainText(`${formatWhole(lines.length)} of ${formatWhole(read)} items in ${flags.out}.`));
  for (const [name, count] of Object.entries(by)) output.say(plainText(`  ${formatWhole(count)} by ${name}`));
  for (const [why, count] of Object.entries(refused).sort(([, a], [, b]) => b - a))
    output.say(plainText(`  ${formatWhole(count)} refused: ${why}`));
}

async function* rowsOf(source: string): ReturnType<typeof itemRows> {
  for (const file of (await resolveSource(source)).files) yield* itemRows(file);
}

/** A model whose finished calls are in the journal: after a stop the same command does not pay for them again. */
async function openAssistant(ref: string, store: string) {
  const model = await openModel(ref, { schemes });
  requireStore(store);
  const journal = openJournal(join(resolve(store), "journal.db"));
  const close = async () => {
    await model.close();
    journal.close();
  };
  const subject = begin(journaled(model, journal));
  if (subject.kind === "language")
    return { subject, context: { signal: new AbortController().signal }, close };
  await close();
  throw new HoneError({
    what: `${model.name} cannot retell items`,
    where: "--assist",
    why: "it does not generate text",
    next: "Name a language model, such as openai:gpt-4o.",
    kind: "usage",
  });
}
