// Surface cues of a story: four rules that use only which option's words occur in it, where and how often. They must not
// find the answer of an item whose answer follows from the story; if one beats chance, a model's score must be compared with
// it.

import type { Told } from "./told.js";

export const surfaceRules = ["mentioned", "first", "last", "most"] as const;
/** Chooses an option that is mentioned at all, is mentioned first, has the last mention, or is mentioned most often. */
export type SurfaceRule = (typeof surfaceRules)[number];

/**
 * How often a rule is right on an item: options that it cannot distinguish share the guess.
 * @param answer index of the right option
 * @returns from 0 to 1
 */
export function surfaceScore(rule: SurfaceRule, { story, options }: Told, answer: number): number {
  const values = valuesOf(rule, mentions(story, options));
  const best = Math.max(...values);
  const chosen = values.flatMap((value, i) => (value === best ? [i] : []));
  return chosen.includes(answer) ? 1 / chosen.length : 0;
}

function valuesOf(rule: SurfaceRule, places: readonly (readonly number[])[]): number[] {
  switch (rule) {
    case "mentioned":
      return places.map((at) => Math.min(1, at.length));
    case "first":
      return places.map((at) => -(at[0] ?? Number.POSITIVE_INFINITY));
    case "last":
      return places.map((at) => at.at(-1) ?? -1);
    case "most":
      return places.map((at) => at.length);
  }
}

/** Positions at which each option's content occurs in the story, in either person. */
function mentions(story: string, options: readonly string[]): number[][] {
  const text = story.toLowerCase();
  return contents(options).map((content) => {
    const escaped = content.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    return content === ""
      ? []
      : [...text.matchAll(new RegExp(`(?<![\\p{L}\\p{N}])${escaped}(?![\\p{L}\\p{N}])`, "gu"))].map(
          ({ index }) => index,
        );
  });
}

/** The distinguishing words of each option: without words that all options begin or end with, articles and possessives. */
function contents(options: readonly string[]): string[] {
  const words = options.map((option) => option.toLowerCase().split(/\s+/));
  const shortest = Math.min(...words.map(({ length }) => length));
  const alike = (at: (list: string[]) => string | undefined) => new Set(words.map(at)).size === 1;
  let start = 0;
  while (start < shortest - 1 && alike((list) => list[start])) start++;
  let end = 0;
  while (end < shortest - 1 - start && alike((list) => list.at(-1 - end))) end++;
  return words.map((list) =>
    list
      .slice(start, list.length - end)
      .join(" ")
      .replace(/^(?:an?|the|my|your|\p{L}+'s) /u, ""),
  );
}
