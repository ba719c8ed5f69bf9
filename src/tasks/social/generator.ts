// Defines generators of social situations: each draws situations told in the third person, and solves its own situations
// from their words alone. Also helpers for drawing, and the list of names.

import type { Random } from "../../core/random.js";
import { shuffled } from "../../core/random.js";
import type { Told } from "./told.js";

/** The seven scenarios of EgoSocialArena (arXiv 2410.06195, fig. 1); the two interactive ones are single situations here. */
export const scenarios = [
  "daily-tom",
  "number-guessing",
  "holdem",
  "daily-self",
  "counterfactual",
  "new-world",
  "blackjack",
] as const;

export type Scenario = (typeof scenarios)[number];

/** One situation in the third person. People are named and never referred to by a pronoun, so that the rules can convert it. */
export interface Situation extends Told {
  /** Text that many situations share (rules of a game, a world); precedes the story. */
  rules?: string;
  /** The content without names and filler: two situations with the same content are duplicates. */
  about: string;
  /** Index of the right option. */
  answer: number;
  /** Who becomes "you" in the first person. */
  who: string;
  /** The other people, each of whom could be "you" instead. */
  others: readonly string[];
}

export interface Generator {
  /** `scenario/kind`. */
  name: string;
  scenario: Scenario;
  draw(random: Random): Situation;
  /** The index of the right option, from the words alone, in the third or in the first person; -1 if it finds none. */
  solve(told: Told & { rules?: string }): number;
}

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)] as T;
}

/** `count` different entries, in random order. */
export function some<T>(random: Random, list: readonly T[], count: number): T[] {
  return shuffled(list, random).slice(0, count);
}

/** An integer from low to high, both included. */
export function between(random: Random, low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1));
}

export const names =
  "Ada Amir Anya Bela Bruno Carla Chen Dara Diego Elif Emeka Farah Goran Hana Hugo Ingrid Ivo Jana Jonah Kofi Lena Luca Mara Milo Nadia Noor Olga Omar Petra Pablo Rana Rosa Sami Sven Tara Tomo Uma Vera Wanda Yara Yusuf Zara Zeno Mina Otto Leila Pavel Sofia Niko Dalia".split(
    " ",
  );

/** A person in a text of either person, for patterns. */
export const somebody = "(You|you|I|[A-Z][a-z]+)";

/** One name for the protagonist in all versions of a text. */
export function same(who: string | undefined): string {
  return who === "I" || who === "You" ? "you" : (who ?? "");
}

/** "a, b and c" */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** The words of "a, b and c". */
export function unlisted(text: string): string[] {
  return text.split(/, | and /).map((word) => word.trim());
}

export function article(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;
}
