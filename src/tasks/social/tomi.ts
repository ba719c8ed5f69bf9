// Items in ToMi's format: read, converted to the form of EgoSocialArena's code, and answered by the symbolic world, in the third
// or in the first person.

import { HoneError } from "../../core/errors.js";
import { randomFor } from "../../core/random.js";
import { toFirstPerson } from "./first-person.js";
import type { Lineage, Told } from "./told.js";
import { makeWorld, type World, type WorldEvent } from "./world.js";

/** One line of ToMi's files as balanced by SimToM. */
export interface TomiRow {
  story: string;
  question: string;
  answer: string;
  story_type: string;
  question_type: string;
  containers: readonly string[];
}

/** Reads a line of ToMi's files. @throws HoneError if it lacks a field */
export function readTomi(row: Readonly<Record<string, unknown>>, where: string): TomiRow {
  const { story, question, answer, story_type, question_type, containers } = row;
  const texts = [story, question, answer].every((one) => typeof one === "string");
  if (
    texts &&
    Array.isArray(containers) &&
    containers.every((one) => typeof one === "string") &&
    containers.includes(answer as string)
  ) {
    return {
      story,
      question,
      answer,
      containers,
      story_type: String(story_type),
      question_type: String(question_type),
    } as TomiRow;
  }
  throw new HoneError({
    what: "This is not a ToMi item",
    where,
    why: "it needs `story`, `question` and `answer`, and `containers` with the answer among them",
    next: "Take data/fixedtomi/test_balanced.jsonl of shawnsihyunlee/simulatedtom.",
  });
}

/** What a question asks: where a thing is, where it was first, or where somebody believes it to be. */
export interface TomiQuestion {
  kind: "reality" | "memory" | "belief";
  /** Who thinks that who thinks …; empty if the question is about no belief. */
  chain: readonly string[];
  thing: string;
}

const name = "([A-Za-z][\\w'-]*)";
const events: [RegExp, (found: string[]) => WorldEvent][] = [
  [new RegExp(`^${name} (?:entered|enter) the (.+)$`), ([who, room]) => enter(who, room)],
  [new RegExp(`^${name} (?:is|are|am) in the (.+)$`), ([who, room]) => enter(who, room)],
  [new RegExp(`^${name} (?:exited|exit|left) the .+$`), ([who]) => ({ kind: "exit", who: person(who) })],
  [
    new RegExp(`^${name} moved the (.+) to the (.+)$`),
    ([who, thing, container]) => ({
      kind: "move",
      who: person(who),
      thing: thing as string,
      container: container as string,
    }),
  ],
  [new RegExp(`^${name} (?:likes?|loves?|dislikes?|hates?) the .+$`), () => ({ kind: "nothing" })],
];

function enter(who: string | undefined, room: string | undefined): WorldEvent {
  return { kind: "enter", who: person(who), room: room as string };
}

/** "You" and "you" are the same person. */
function person(word: string | undefined): string {
  return word?.toLowerCase() === "you" ? "you" : (word as string);
}

const rooms = /^The (.+) (?:is|are) in the (.+)$/;

/**
 * The sentences of a story without line numbers.
 * @param text ToMi's lines, or sentences on one line
 */
function sentencesOf(text: string): string[] {
  return text
    .split(/\n|(?<=\.)\s+/)
    .map((line) => line.replace(/^\d+\s+/, "").trim())
    .filter((line) => line !== "");
}

/** The world after a story. @throws HoneError for a sentence that does not occur in ToMi stories */
function tellTomi(story: string): World {
  const world = makeWorld();
  const sentences = sentencesOf(story);
  // "The P is in the R" places a container if P is one, and a thing otherwise; whatever holds something is a container.
  const containers = new Set(
    sentences.flatMap((sentence) => {
      const moved = /moved the .+ to the (.+)\.$/.exec(sentence);
      const placed = /^The (.+) (?:is|are) in the (.+)\.$/.exec(sentence);
      return moved ? [moved[1] as string] : placed ? [placed[2] as string] : [];
    }),
  );
  for (const sentence of sentences) {
    for (const part of clausesOf(sentence)) {
      const placed = rooms.exec(part);
      if (placed) {
        const [, what = "", where = ""] = placed;
        world.happen(
          containers.has(what)
            ? { kind: "stands", container: what, room: where }
            : { kind: "placed", thing: what, container: where },
        );
        continue;
      }
      const rule = events.find(([pattern]) => pattern.test(part));
      if (!rule) throw strange("story", part);
      world.happen(rule[1]((rule[0].exec(part) as string[]).slice(1)));
    }
  }
  return world;
}

/** Splits EgoSocialArena's merged sentences: "A and B entered the den.", "The x is in the y, the y is in the den." */
function clausesOf(sentence: string): string[] {
  const bare = sentence.replace(/\.$/, "");
  const several = /^(.+?) (entered|exited) the (.+)$/.exec(bare);
  if (several) {
    const [, people = "", verb = "", room = ""] = several;
    return people.split(/, | and /).map((who) => `${who} ${verb} the ${room}`);
  }
  return bare.split(/, (?=[Tt]he )/).map((one) => `${one.charAt(0).toUpperCase()}${one.slice(1)}`);
}

const questions: [RegExp, (found: string[]) => TomiQuestion][] = [
  [
    /^where (?:is|are) the (.+) really\?$/i,
    ([thing]) => ({ kind: "reality", chain: [], thing: thing as string }),
  ],
  [
    /^where (?:was|were) the (.+) at the beginning\?$/i,
    ([thing]) => ({ kind: "memory", chain: [], thing: thing as string }),
  ],
  [
    /^where will (\S+) look for the (.+)\?$/i,
    ([who, thing]) => ({ kind: "belief", chain: [person(who)], thing: thing as string }),
  ],
  [
    /^where (?:does|do) (\S+) think that (\S+) (?:search|searches|look|looks) for the (.+)\?$/i,
    ([outer, inner, thing]) => ({
      kind: "belief",
      chain: [person(outer), person(inner)],
      thing: thing as string,
    }),
  ],
];

/** @throws HoneError for a question that is not one of ToMi's */
function readTomiQuestion(question: string): TomiQuestion {
  const rule = questions.find(([pattern]) => pattern.test(question.trim()));
  if (!rule) throw strange("question", question);
  return rule[1]((rule[0].exec(question.trim()) as string[]).slice(1));
}

/** Where the thing is according to the symbolic world, in the third person or in the first. */
export function solveTomi(story: string, question: string): string | undefined {
  const { kind, chain, thing } = readTomiQuestion(question);
  const world = tellTomi(story);
  return kind === "reality"
    ? world.now(thing)
    : kind === "memory"
      ? world.first(thing)
      : world.belief(chain, thing);
}

function strange(part: string, text: string): HoneError {
  return new HoneError({
    what: `This ${part} is not in ToMi's format`,
    where: JSON.stringify(text.slice(0, 120)),
    next: "Give stories of people who enter and leave rooms and move things, and questions that ask where a thing is.",
  });
}

/** An item in the form of EgoSocialArena's code: sentences merged, and the person whose mind is asked about. */
export interface TomiItem {
  id: string;
  row: TomiRow;
  story: string;
  /** Who becomes "you": the first person in the question's chain of beliefs; undefined if it asks about no belief. */
  who: string | undefined;
  /** The other people of the story. */
  others: readonly string[];
}

export function tomiItem(row: TomiRow, index: number): TomiItem {
  const { chain } = readTomiQuestion(row.question);
  const people = peopleOf(row.story);
  const who = chain[0];
  return {
    id: `tomi/${index + 1}`,
    row,
    story: mergedTomi(row.story),
    who,
    others: people.filter((one) => one !== who),
  };
}

/** Everyone who enters, leaves or moves something. */
function peopleOf(story: string): string[] {
  const found = [...story.matchAll(/^(?:\d+ )?([A-Z]\w*) (?:entered|exited|moved|is in the)/gm)].map(
    ([, one]) => one as string,
  );
  return [...new Set(found)].filter((one) => one !== "The");
}

/**
 * A story on one line, as EgoSocialArena's `evaluate_tomi.py` formats it: consecutive entrances (or exits) of one place become
 * one sentence, and the sentences on where a thing is and where that container stands are joined by a comma.
 */
function mergedTomi(story: string): string {
  const out: string[] = [];
  let run: { people: string[]; rest: string } | undefined;
  const flush = (): void => {
    if (run)
      out.push(
        `${run.people.length > 1 ? `${run.people.slice(0, -1).join(", ")} and ` : ""}${run.people.at(-1)} ${run.rest}`,
      );
    run = undefined;
  };
  for (const sentence of sentencesOf(story)) {
    const move = /^(\w+) ((?:entered|exited) the .+\.)$/.exec(sentence);
    if (move) {
      const [, who = "", rest = ""] = move;
      if (run?.rest === rest) run.people.push(who);
      else {
        flush();
        run = { people: [who], rest };
      }
      continue;
    }
    flush();
    const before = out.at(-1);
    const place = before === undefined ? undefined : /(?:in|to) the (\S+)\.$/.exec(before)?.[1];
    const container = /^The (\S+) is in the /.exec(sentence)?.[1];
    if (before !== undefined && place !== undefined && place === container)
      out[out.length - 1] = `${before.slice(0, -1)}, t${sentence.slice(1)}`;
    else out.push(sentence);
  }
  flush();
  return out.join(" ");
}

/** One version of an item, with its right answer by the data's label, or by the world if the question differs. */
export interface TomiForm {
  told: Told;
  gold: string;
  lineage?: Lineage;
}

/**
 * The versions of an item: the original; with the person asked about as "you"; with somebody else as "you"; and, for a
 * question about another's mind, the easier question in the third person that asks about the inner person alone.
 * @param seed draws who the somebody else is
 */
export function tomiPersons(
  { id, row, story, who, others }: TomiItem,
  seed: number,
): { third: TomiForm; first?: TomiForm; shuffled?: TomiForm; easier?: TomiForm } {
  const told: Told = { story, question: row.question, options: row.containers };
  const third = { told, gold: row.answer };
  const asYou = (one: string | undefined): { form?: TomiForm } => {
    if (one === undefined) return {};
    const converted = toFirstPerson(told, one);
    return "refused" in converted ? {} : { form: { ...converted, gold: row.answer } };
  };
  const first = who === undefined ? undefined : asYou(who).form;
  const random = randomFor(seed, "tomi", id);
  const shuffled = who === undefined ? undefined : asYou(others[Math.floor(random() * others.length)]).form;
  const { chain, thing } = readTomiQuestion(row.question);
  const question = `Where will ${chain[1]} look for the ${thing}?`;
  const gold = chain.length === 2 ? solveTomi(story, question) : undefined;
  return {
    third,
    ...(first ? { first } : {}),
    ...(shuffled ? { shuffled } : {}),
    ...(gold === undefined ? {} : { easier: { told: { ...told, question }, gold } }),
  };
}
