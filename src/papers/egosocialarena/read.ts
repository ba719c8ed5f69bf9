// The items of the reproduction: ToMi's and ToMBench's from the data, converted by rule, and drawn situations of every scenario;
// each with a row for every condition in which it can be told.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fingerprint } from "../../core/json.js";
import { randomFor, shuffled } from "../../core/random.js";
import { nearGroups, readRows } from "../../data/index.js";
import { convertItem, type Item, itemRows } from "../../tasks/social/convert.js";
import { instructions, sampleOf } from "../../tasks/social/index.js";
import { alike, drawItems, nearDuplicate, type Person, persons } from "../../tasks/social/items.js";
import type { Told } from "../../tasks/social/told.js";
import { protagonistOf, readTombench, type TombenchItem } from "../../tasks/social/tombench.js";
import { readTomi, solveTomi, type TomiItem, tomiItem, tomiPersons } from "../../tasks/social/tomi.js";

/** How an item is told; `easier` is the third person with a question of one order less. */
export const conditions = ["third", "first", "shuffled", "easier"] as const;
export type Condition = (typeof conditions)[number];

export interface EgoRow {
  /** `scenario/…`, the same in every condition. */
  id: string;
  instruction: string;
  input: string;
  question: string;
  options: { label: string[]; text: string[] };
  answer: string;
  stratum: string;
  /** Case or story: items of one group are not independent. */
  group: string;
}

/** One item, by the conditions in which it can be told; third and first person are always present. */
export type EgoItem = Partial<Record<Condition, EgoRow>> & Record<"third" | "first", EgoRow>;

/** How many published items were read, converted and refused. */
export interface Validation {
  tomi: { read: number; agree: number; converted: number; agreeConverted: number };
  tombench: { read: number; converted: number; refused: Record<string, number> };
}

export interface PublishedItems {
  tomi: readonly EgoItem[];
  tombench: readonly EgoItem[];
  validation: Validation;
}

function rowOf(
  scenario: string,
  id: string,
  told: Told,
  answer: number,
  person: Person,
  group: string,
): EgoRow {
  return {
    id: `${scenario}/${id}`,
    instruction: instructions[person],
    input: told.story,
    question: told.question,
    options: { label: told.options.map((_, i) => String(i + 1)), text: [...told.options] },
    answer: String(answer + 1),
    stratum: scenario,
    group,
  };
}

/** The grammatical person of a condition. */
const personOf = (condition: Condition): Person => (condition === "easier" ? "third" : condition);

/** A belief item of ToMi in every condition. The options' order is random but the same for all conditions of an item. */
function tomiRows(item: TomiItem): EgoItem | undefined {
  const forms = tomiPersons(item, 1);
  if (!forms.first) return undefined;
  const second = forms.easier !== undefined;
  const order = shuffled([...item.row.containers.keys()], randomFor(1, "tomi options", item.id));
  const rows = conditions.flatMap((condition) => {
    const form = forms[condition];
    // With another right answer the control would be a different question.
    if (!form || (condition === "easier" && form.gold !== item.row.answer)) return [];
    const options = order.map((at) => form.told.options[at] as string);
    const row = rowOf(
      second ? "tomi-other" : "tomi-self",
      item.id.replace("tomi/", ""),
      { ...form.told, options },
      options.indexOf(form.gold),
      personOf(condition),
      `tomi/${fingerprint(item.story, 12)}`,
    );
    return [[condition, row] as const];
  });
  return Object.fromEntries(rows) as EgoItem;
}

/**
 * Reads social/tomi and social/tombench.
 * @param folder path of `social`
 * @param tried most items of ToMBench that are converted, drawn with a fixed seed
 * @throws HoneError where a file is damaged or has other fields
 */
export async function readPublished(
  folder: string,
  tried: number,
  signal: AbortSignal,
): Promise<PublishedItems> {
  const validation: Validation = {
    tomi: { read: 0, agree: 0, converted: 0, agreeConverted: 0 },
    tombench: { read: 0, converted: 0, refused: {} },
  };
  const tomi: EgoItem[] = [];
  const path = join(folder, "tomi", "test_balanced.jsonl");
  for await (const { row, place } of readRows(path, {})) {
    const item = tomiItem(readTomi(row, place), validation.tomi.read);
    validation.tomi.read++;
    if (solveTomi(item.row.story, item.row.question) === item.row.answer) validation.tomi.agree++;
    const rows = tomiRows(item);
    if (!rows) continue;
    tomi.push(rows);
    validation.tomi.converted++;
    if (solveTomi(rows.first.input, rows.first.question) === item.row.answer)
      validation.tomi.agreeConverted++;
  }
  return {
    tomi,
    tombench: await readBench(join(folder, "tombench"), validation.tombench, tried, signal),
    validation,
  };
}

async function readBench(
  folder: string,
  count: Validation["tombench"],
  tried: number,
  signal: AbortSignal,
): Promise<EgoItem[]> {
  const found: (TombenchItem & Item)[] = [];
  for (const file of (await readdir(folder)).filter((name) => name.endsWith(".jsonl")).sort()) {
    let index = 0;
    for await (const { row } of itemRows(join(folder, file))) {
      const item = readTombench(row, file.replace(/\.jsonl$/, ""), index++);
      if (item) found.push({ ...item, who: protagonistOf(item), controlled: false });
    }
  }
  const items: EgoItem[] = [];
  const some = someOf(found, tried, "tombench tried");
  const groups = nearGroups(
    some.map(({ story }) => story),
    nearDuplicate,
  );
  for (const [i, item] of some.entries()) {
    signal.throwIfAborted();
    count.read++;
    const converted = await convertItem(item);
    if ("refused" in converted) {
      const why = converted.refused.replace(/:.*$/s, "");
      count.refused[why] = (count.refused[why] ?? 0) + 1;
      continue;
    }
    count.converted++;
    const { told } = converted;
    const about =
      /\byou (?:think|believe|guess|expect|know)\b/.test(told.question) &&
      /\s\p{Lu}\p{Ll}/u.test(told.question);
    const scenario = about ? "tombench-other" : "tombench-self";
    const id = item.id.replace(/\W+/g, "-");
    const group = `tombench/${groups[i]}`;
    items.push({
      third: rowOf(scenario, id, item, item.answer, "third", group),
      first: rowOf(scenario, id, told, item.answer, "first", group),
    });
  }
  return items;
}

/**
 * `count` drawn items of every generator for each seed, in the conditions of drawn items. Items of one seed do not repeat; those
 * of another seed may be about the same thing or paraphrase it, and then share its group.
 */
export function drawnItems(count: number, seeds: readonly number[]): EgoItem[] {
  const drawn = seeds.flatMap((seed) =>
    drawItems(count, seed).map((item) => ({ item, name: `${item.id}#${seed}` })),
  );
  const groups = alike(drawn.map(({ item }) => item));
  return drawn.map(({ item, name }, i) => {
    const rows = persons.map((person) => {
      const { options = [], gold, ...sample } = sampleOf(item, person);
      return [
        person,
        {
          id: name,
          instruction: sample.instruction as string,
          input: sample.input,
          question: sample.question as string,
          options: { label: options.map(({ key }) => key), text: options.map(({ text }) => text) },
          answer: gold as string,
          stratum: item.generator,
          group: (drawn[groups[i] as number] as (typeof drawn)[number]).name,
        },
      ] as const;
    });
    return Object.fromEntries(rows) as EgoItem;
  });
}

/** `count` items, drawn with a fixed seed. */
export function someOf<T>(items: readonly T[], count: number, purpose: string): T[] {
  return shuffled(items, randomFor(1, "egosocialarena", purpose)).slice(0, count);
}
