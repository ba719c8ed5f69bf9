// Turns generators into items: the same number from each, no near-duplicates, right answers at every position equally often, and
// each told in the third person, in the first, and with somebody else as "you".

import { HoneError } from "../../core/errors.js";
import { type Random, randomFor, shuffled } from "../../core/random.js";
import { findLeaks, nearGroups } from "../../data/index.js";
import { blackjackSituations } from "./blackjack.js";
import { counterfactual } from "./counterfactual.js";
import { dailySelf } from "./daily-self.js";
import { dailyTom } from "./daily-tom.js";
import { toFirstPerson } from "./first-person.js";
import { type Generator, names, pick, type Scenario, type Situation } from "./generator.js";
import { guessing } from "./guessing.js";
import { holdemSituations } from "./holdem.js";
import { newWorld } from "./new-world.js";
import type { Lineage, Told } from "./told.js";

/** Every generator, by scenario. */
export const generators: readonly Generator[] = [
  ...dailyTom,
  guessing,
  ...holdemSituations,
  ...dailySelf,
  ...counterfactual,
  ...newWorld,
  ...blackjackSituations,
];

/** How an item is told: the protagonist named, as "you", or with somebody else of the story as "you" (a control). */
export const persons = ["third", "first", "shuffled"] as const;
export type Person = (typeof persons)[number];

export interface SocialItem {
  /** `generator/number`, the same in every person. */
  id: string;
  scenario: Scenario;
  generator: string;
  /** The content: no two items drawn together have the same content. */
  about: string;
  told: Readonly<Record<Person, Told & { rules?: string }>>;
  /** Index of the right option. */
  answer: number;
  lineage: Readonly<Record<"first" | "shuffled", Lineage>>;
}

/** Word-shingle similarity, names ignored, from which two items count as paraphrases. */
export const nearDuplicate = 0.8;

/**
 * Draws items. The same seed and count give the same items; another count may give entirely different ones.
 * @param count items per generator
 * @throws HoneError if a generator has too few different situations
 */
export function drawItems(
  count: number,
  seed: number,
  from: readonly Generator[] = generators,
): SocialItem[] {
  return from.flatMap((generator) => placed(generator, drawDistinct(generator, count, seed), seed));
}

/** Draws `count` situations of a generator, no two with the same content, balanced by answer (its index as drawn). */
function drawDistinct(generator: Generator, count: number, seed: number): Situation[] {
  const situations: Situation[] = [];
  // Drawn with a margin, since some will be duplicates; a generator with little variety gets a larger margin.
  for (let size = Math.ceil(count * 1.3); size <= 40 * count; size *= 2) {
    while (situations.length < size)
      situations.push(generator.draw(randomFor(seed, "social", generator.name, situations.length)));
    const distinct = distinctOf(situations);
    // Duplicates are likelier for some answers than for others, so answers take turns.
    const seen = new Map<number, number>();
    const turns = distinct.map((situation) => {
      const turn = seen.get(situation.answer) ?? 0;
      seen.set(situation.answer, turn + 1);
      return { situation, turn };
    });
    const full = Math.min(...seen.values());
    const inTurn = turns.filter(({ turn }) => turn < full).sort((a, b) => a.turn - b.turn);
    if (inTurn.length >= count) return inTurn.slice(0, count).map(({ situation }) => situation);
  }
  throw new HoneError({
    what: `${generator.name} has fewer than ${count} different situations`,
    why: "no two items of a draw share a situation",
    next: "Draw fewer of each generator; there are at least 400.",
    kind: "usage",
  });
}

/** The first situation of each group with the same content or wording. */
function distinctOf(all: readonly Situation[]): Situation[] {
  const known = new Set<string>();
  const drawn = all.filter(({ about }) => !known.has(about) && known.add(about));
  const kept = new Set<number>();
  let rest = drawn.map((situation, i) => ({ id: String(i), text: wording(situation) }));
  // Groups are chains of similarity: an item that is similar only to a dropped one is considered again.
  for (let round = 0; round < 4 && rest.length > 0; round++) {
    const groups = nearGroups(
      rest.map(({ text }) => text),
      nearDuplicate,
    );
    const first = rest.filter((_, i) => groups[i] === i);
    for (const { id } of first) kept.add(Number(id));
    const others = rest.filter((_, i) => groups[i] !== i);
    const alike = new Set(findLeaks(others, first, { near: nearDuplicate }).map(({ train }) => train));
    rest = others.filter(({ id }) => !alike.has(id));
  }
  return drawn.filter((_, i) => kept.has(i));
}

/**
 * Groups items that are not independent: those with the same content, and paraphrases.
 * @returns for each item the index of the first item of its group
 */
export function alike(items: readonly SocialItem[]): number[] {
  const root = nearGroups(
    items.map(({ told }) => wording(told.third)),
    nearDuplicate,
  );
  const first = new Map<string, number>();
  const rootOf = (at: number): number => (root[at] === at ? at : rootOf(root[at] as number));
  for (const [i, { generator, about }] of items.entries()) {
    const key = JSON.stringify([generator, about]);
    const before = first.get(key);
    if (before === undefined) first.set(key, i);
    else {
      const [a, b] = [rootOf(before), rootOf(i)];
      root[Math.max(a, b)] = Math.min(a, b);
    }
  }
  return items.map((_, i) => rootOf(i));
}

/** An item's wording with names and the order of options removed. */
export function wording({ story, question, options }: Told): string {
  const people = new RegExp(`\\b(?:${names.join("|")})\\b`, "g");
  return `${story} ${question} ${options.toSorted().join(" ")}`.replace(people, "somebody");
}

/** Right answers at each position equally often, up to one; the other options in random order. */
function placed(generator: Generator, drawn: readonly Situation[], seed: number): SocialItem[] {
  const random = randomFor(seed, "social places", generator.name);
  const size = drawn[0]?.options.length ?? 1;
  const places = shuffled(
    drawn.map((_, i) => i % size),
    random,
  );
  return drawn.map((situation, i) => itemOf(generator, situation, i, places[i] as number, random));
}

function itemOf(
  { name, scenario }: Generator,
  situation: Situation,
  number: number,
  place: number,
  random: Random,
): SocialItem {
  const { story, question, options, answer, who, others, rules } = situation;
  const right = options[answer];
  if (right === undefined || new Set(options).size < options.length)
    throw new Error(
      `${name} drew a situation without one right option: ${story} ${question} ${options.join(" | ")}`,
    );
  const wrong = shuffled(
    options.filter((_, i) => i !== answer),
    random,
  );
  const told: Told = { story, question, options: [...wrong.slice(0, place), right, ...wrong.slice(place)] };
  const asYou = (one: string) => {
    const converted = toFirstPerson(told, one);
    if ("refused" in converted) throw new Error(`${name}: ${converted.refused}`);
    return converted;
  };
  const first = asYou(who);
  const shuffledOne = asYou(pick(random, others));
  const withRules = (one: Told) => (rules === undefined ? one : { ...one, rules });
  return {
    id: `${name}/${number + 1}`,
    scenario,
    generator: name,
    about: situation.about,
    told: { third: withRules(told), first: withRules(first.told), shuffled: withRules(shuffledOne.told) },
    answer: place,
    lineage: { first: first.lineage, shuffled: shuffledOne.lineage },
  };
}
