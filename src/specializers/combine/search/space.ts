// The compositions that a search may try: one level of each factor, applied one after the other, and specializers used alone.
// Levels that change nothing are left out, as are levels before a reference, which ignores the subject.

import type { Grant } from "../../../core/model.js";
import { randomFor, shuffled } from "../../../core/random.js";
import type { LanguageSpecializer } from "../../../core/specializer.js";
import { chain } from "../chain.js";

/** What a search varies: its levels, the simplest first. A level that changes nothing is null. */
export interface Factor {
  name: string;
  levels: readonly (LanguageSpecializer | null)[];
}

/** What a search tries: combinations of the factors' levels, applied in the factors' order, and specializers alone. */
export interface Space {
  factors: readonly Factor[];
  alone: readonly LanguageSpecializer[];
}

/** A place in a space: a level of each factor, or the position of a specializer used alone. */
export type Place = readonly number[] | number;

export const levelName = (level: LanguageSpecializer | null): string => level?.label ?? "none";

/** The specializer at a place. `plain` changes nothing at all. */
export function composed(
  { factors, alone }: Space,
  place: Place,
  plain: LanguageSpecializer,
): LanguageSpecializer {
  if (typeof place === "number") return alone[place] as LanguageSpecializer;
  const levels = factors.map(({ levels }, f) => levels[place[f] as number] as LanguageSpecializer | null);
  const last = levels.findLastIndex((level) => level?.reference);
  const steps = levels
    .slice(Math.max(0, last))
    .filter((level) => level !== null)
    .filter(({ name }) => name !== plain.name);
  if (steps.length === 0) return plain;
  return steps.length === 1 ? (steps[0] as LanguageSpecializer) : chain(steps);
}

/** Which levels and specializers of a space a model grants; first levels always count as granted. */
export function grantedPlaces(
  space: Space,
  grants: ReadonlySet<Grant>,
): { levels: boolean[][]; alone: boolean[] } {
  const granted = (one: LanguageSpecializer | null) => !one || one.needs.every((need) => grants.has(need));
  return {
    levels: space.factors.map(({ levels }) => levels.map((level, l) => l === 0 || granted(level))),
    alone: space.alone.map(granted),
  };
}

/** How many combinations of levels there are. */
export function sizeOf(levels: readonly (readonly number[])[]): number {
  return levels.reduce((product, of) => product * of.length, 1);
}

/** All combinations of levels, the first factor varying slowest. */
export function product(levels: readonly (readonly number[])[]): number[][] {
  return levels.reduce<number[][]>(
    (places, of) => places.flatMap((place) => of.map((level) => [...place, level])),
    [[]],
  );
}

/**
 * The combinations that are measured: all of them if they are few, else the simplest, every other level on its own, and
 * randomly drawn ones, so that every main effect can be estimated.
 * @param levels open levels of each factor, the simplest first
 */
export function design(levels: readonly (readonly number[])[], most: number, seed: number): number[][] {
  if (sizeOf(levels) <= most) return product(levels);
  const simplest = levels.map(([first]) => first as number);
  const places = [
    simplest,
    ...levels.flatMap((of, f) =>
      of.slice(1).map((level) => simplest.map((one, g) => (g === f ? level : one))),
    ),
  ];
  const seen = new Set(places.map(String));
  const random = randomFor(seed, "search", "design");
  while (places.length < most) {
    const drawn = levels.map((of) => shuffled(of, random)[0] as number);
    if (seen.has(String(drawn))) continue;
    seen.add(String(drawn));
    places.push(drawn);
  }
  return places;
}
