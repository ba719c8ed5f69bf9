// A Lawma task in memory, from either form of files, and what Lawma does to every task: balance its classes, cut the
// case to its head, keep only tasks with enough examples. It reads no file.

import type { Option } from "../../core/language.js";
import { randomFor, shuffled } from "../../core/random.js";
import type { SplitName } from "../../core/sample.js";
import type { LawmaSettings } from "./settings.js";

/** One case of one task. Keyed tasks differ in instruction, question and options from example to example. */
export interface LawmaExample {
  /** The case, shared by all tasks that ask about it. */
  caseId: string;
  instruction: string;
  question: string;
  /** In codebook order; absent where the answer is a number. */
  options?: readonly Option[];
  /** Codes of the right options, or accepted numbers; any of them is right. */
  gold: readonly string[];
}

export interface LawmaTask {
  name: string;
  splits: Record<SplitName, LawmaExample[]>;
}

/** The data read: tasks, and the text of every case. */
export interface LawmaData {
  tasks: LawmaTask[];
  texts: ReadonlyMap<string, string>;
  /** `facts` for Oyez summaries with SCDB labels, `opinions` for Lawma's own files. */
  kind: "facts" | "opinions";
  /** Cases of train and dev that were left out because their text is also in test. */
  leaked: number;
  /** Published accuracy by task and model, if the data include the table. */
  accuracy: ReadonlyMap<string, Readonly<Record<string, number>>>;
  /** Published predictions with gold, if the data include them. */
  predictions: { task: string; id: string; gold: string; lawma: string }[];
}

/** A task after balancing. `keep` is the share of the majority class that stayed, 1 where nothing was cut. */
export interface BalancedTask extends LawmaTask {
  majority: string;
  keep: Record<SplitName, number>;
}

export interface LeftOut {
  task: string;
  why: string;
}

/** The data read, and the tasks chosen for this run. */
export interface LawmaChoice extends LawmaData {
  chosen: BalancedTask[];
  leftOut: LeftOut[];
  /** Names of the chosen tasks that are kept from training in the transfer experiment. */
  heldOut: string[];
}

/** Lawma's seed for cutting the majority class. */
const balanceSeed = 42;
const splitNames: readonly SplitName[] = ["train", "dev", "test"];

/** The most frequent class; ties go to the one seen first. */
export function majorityOf(examples: readonly LawmaExample[]): { code: string; count: number } {
  const counts = new Map<string, number>();
  for (const { gold } of examples) counts.set(gold[0] as string, (counts.get(gold[0] as string) ?? 0) + 1);
  const [code, count] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a), ["", 0]);
  return { code, count };
}

/**
 * Lawma's balancing, of each split on its own: where a split has more than ten examples and the majority class
 * outnumbers all others together, it is cut at random to their number.
 */
export function balance(task: LawmaTask): BalancedTask {
  const keep = { train: 1, dev: 1, test: 1 };
  const splits = { train: [], dev: [], test: [] } as LawmaTask["splits"];
  for (const split of splitNames) {
    const all = task.splits[split];
    const { code, count } = majorityOf(all);
    const rest = all.length - count;
    if (all.length <= 10 || count <= rest) {
      splits[split] = all;
      continue;
    }
    const mixed = shuffled(all, randomFor(balanceSeed, "lawma/balance", task.name, split));
    let left = rest;
    splits[split] = mixed.filter(({ gold }) => gold[0] !== code || left-- > 0);
    keep[split] = rest / count;
  }
  return { name: task.name, splits, keep, majority: majorityOf(task.splits.test).code };
}

/** The tasks that the settings admit, and why the others are left out. */
export function choose(
  data: LawmaData,
  { tasks: wanted, maxOptions, enough }: Pick<LawmaSettings, "tasks" | "maxOptions" | "enough">,
): LawmaChoice {
  const chosen: BalancedTask[] = [];
  const leftOut: LeftOut[] = [];
  for (const task of data.tasks.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const balanced = balance(task);
    const { train, test } = balanced.splits;
    const options = Math.max(
      0,
      ...splitNames.flatMap((s) => task.splits[s].map((e) => e.options?.length ?? 0)),
    );
    const why = [
      wanted !== null && !wanted.includes(task.name) && "not among this preset's tasks",
      options === 0 && "the answer is a number",
      options > maxOptions && `${options} options; at most ${maxOptions} here`,
      (train.length < enough.train || test.length < enough.test) &&
        `${train.length} train and ${test.length} test cases after balancing; at least ${enough.train} and ${enough.test} here`,
    ].find((one) => one !== false);
    if (why === undefined) chosen.push(balanced);
    else leftOut.push({ task: task.name, why });
  }
  return { ...data, chosen, leftOut, heldOut: heldOut(chosen.map(({ name }) => name)) };
}

/**
 * The tasks held out in the transfer experiment: the Supreme Court's if both courts are present (Lawma's own
 * experiment), else every third by name.
 */
export function heldOut(names: readonly string[]): string[] {
  const court = (name: string) => name.slice(0, name.indexOf("_"));
  const both = new Set(names.map(court)).size > 1;
  return names.filter((name, i) => (both ? court(name) === "sc" : i % 3 === 2));
}

/** The first sentences of an instruction, without the line breaks between them; all of it for null. */
export function sentences(text: string, count: number | null): string {
  if (count === null) return text;
  const parts = text.match(/.*?[.?!](?=\s+[A-Z"])|.+$/gsu) ?? [text];
  return parts.slice(0, count).join("").replace(/\s+/g, " ").trim();
}

/** The head of a text, cut at the end of a word. */
export function head(text: string, chars: number): string {
  if (text.length <= chars) return text;
  const cut = text.slice(0, Math.max(0, chars));
  const space = cut.search(/\s+\S*$/u);
  return (space > 0 ? cut.slice(0, space) : cut).trimEnd();
}

/** How many characters of the case are shown beside this instruction, question and list of options. */
export function roomFor(example: LawmaExample, instruction: string, input: LawmaSettings["input"]): number {
  if ("chars" in input) return input.chars;
  const listed = (example.options ?? []).reduce((sum, { text }) => sum + text.length + 4, 0);
  const taken = instruction.length + example.question.length + listed;
  // Ten tokens for the labels and the answer, as in Lawma.
  return Math.max(200, Math.floor((input.contextTokens - 10) * input.charsPerToken) - taken);
}
