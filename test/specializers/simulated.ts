// A simulated subject whose accuracy is known: base, gains from examples, neighbours and reasoning, and a preference for
// positions. With its samples, its exact expectations and the bound for checks against them; no test is in here.

import { fingerprint } from "../../src/core/json.js";
import type { LanguageSubject } from "../../src/core/kinds.js";
import type { Answer, Option, Query } from "../../src/core/language.js";
import { type Random, randomFor } from "../../src/core/random.js";
import type { Sample } from "../../src/core/sample.js";
import { normalQuantile } from "../../src/statistics/distributions.js";

export interface Mind {
  /** Chance to know the answer without any help. */
  base: number;
  /** Added where there are any examples. */
  examples: number;
  /** Added in proportion to the share of examples of the query's own cluster. */
  neighbours: number;
  /** Added where the query reasons. */
  reasoning: number;
  /** How often it picks a position instead, and then which: weights that sum to 1. */
  bias: number;
  positions: readonly number[];
}

export interface Simulated extends LanguageSubject {
  /** Every query it was asked and what it said, in order. */
  readonly heard: { query: Query; answer: Answer }[];
}

/** Samples whose clusters are `clusterOf(i)`, known by a word of their own; gold is drawn alike from n options. */
export function simulatedSamples(
  count: number,
  n: number,
  clusterOf: (i: number) => number,
  split: string,
): Sample[] {
  const random = randomFor(11, "simulated", split, n);
  return Array.from({ length: count }, (_, i) => ({
    id: `${split}${i}`,
    input: `cluster${clusterOf(i)} ${split}${i}`,
    gold: optionsOf(n)[Math.floor(random() * n)]!.key,
  }));
}

export function optionsOf(n: number): Option[] {
  return Array.from({ length: n }, (_, i) => ({ key: `k${i}`, text: `option ${i}` }));
}

/** The word that all texts of a cluster have in common. */
export function clusterOf(input: string): string {
  return input.split(" ")[0] as string;
}

/** Draws anew for every query that differs in anything, so that arms and members of an ensemble are independent. */
export function simulated(mind: Mind, samples: readonly Sample[], seed = 1): Simulated {
  const golds = new Map(samples.map(({ input, gold }) => [input, gold as string]));
  const heard: Simulated["heard"] = [];
  const choose = (query: Query): string => {
    const random = randomFor(seed, "simulated", JSON.stringify(query));
    const keys = query.options!.map(({ key }) => key);
    if (random() < mind.bias) return keys[drawn(mind.positions, random)]!;
    const shots = query.demonstrations;
    const near = shots.filter(({ input }) => clusterOf(input) === clusterOf(query.input)).length;
    const knows = known(mind, shots.length > 0 ? near / shots.length : null, query.reason !== undefined);
    const gold = golds.get(query.input)!;
    if (random() < knows) return gold;
    const wrong = keys.filter((key) => key !== gold);
    return wrong[Math.floor(random() * wrong.length)]!;
  };
  return {
    kind: "language",
    name: "simulated",
    id: fingerprint(["simulated", mind as never, seed]),
    heard,
    respond: async (query) => {
      const answer: Answer = {
        choice: choose(query),
        ...(query.reason ? { trail: [{ kind: "rationale", text: "So it is." }] } : {}),
      };
      heard.push({ query, answer });
      return answer;
    },
  };
}

/** Chance to know; `near` is the share of examples of the query's own cluster, null where there are no examples. */
export function known(mind: Mind, near: number | null, reasons: boolean): number {
  const shown = near === null ? 0 : mind.examples + mind.neighbours * near;
  return mind.base + shown + (reasons ? mind.reasoning : 0);
}

function drawn(weights: readonly number[], random: Random): number {
  let left = random();
  const at = weights.findIndex((weight) => {
    left -= weight;
    return left < 0;
  });
  return at < 0 ? weights.length - 1 : at;
}

/** Accuracy of one answer where the chance to know is `knows` and gold stands in each position equally often. */
export function expectedAlone({ bias, positions }: Mind, knows: number): number {
  return bias / positions.length + (1 - bias) * knows;
}

/**
 * Accuracy of the plurality of `members`, ties to the option that the first member saw first: summed over all n^members
 * combinations of choices, for gold in each place of the first member's order.
 *
 * `balanced`: each sees the next rotation of one drawn order, so members must be at most n. `random`: every later order is
 * drawn alike from all, each option in each position equally often. That orders are distinct is left out, which at n = 7
 * concerns 1 of 5,040; at n = 2 it makes them rotations too.
 */
export function expectedPlurality(
  { bias, positions }: Mind,
  knows: number,
  members: number,
  orders: "balanced" | "random",
): number {
  const n = positions.length;
  const rotated = orders === "balanced" || n === 2;
  let total = 0;
  for (let gold = 0; gold < n; gold++) {
    const votes = new Array<number>(n).fill(0);
    const sum = (member: number, chance: number): void => {
      if (member === members) {
        if (votes.indexOf(Math.max(...votes)) === gold) total += chance / n;
        return;
      }
      for (let option = 0; option < n; option++) {
        const placed = rotated || member === 0 ? positions[(option - member + n) % n]! : 1 / n;
        const knowing = option === gold ? knows : (1 - knows) / (n - 1);
        votes[option]!++;
        sum(member + 1, chance * (bias * placed + (1 - bias) * knowing));
        votes[option]!--;
      }
    };
    sum(0, 1);
  }
  return total;
}

/**
 * Of a pool that reasons without examples: the share that is right as its options stand, and the share that is right
 * then or, asked again, in one other order. That other order is any but the first with the same chance, so gold stays in
 * its place in (n-1)! - 1 of n! - 1 of them and moves to each other place in (n-1)!.
 */
export function expectedVerified(mind: Mind): { first: number; either: number } {
  const { bias, positions } = mind;
  const n = positions.length;
  const knows = known(mind, null, true);
  const right = positions.map((weight) => bias * weight + (1 - bias) * knows);
  const ways = Array.from({ length: n - 1 }, (_, i) => i + 1).reduce((product, i) => product * i, 1);
  const again = right.map((_, from) =>
    sum(right.map((chance, to) => (chance * (to === from ? ways - 1 : ways)) / (ways * n - 1))),
  );
  return {
    first: mean(right),
    either: mean(right.map((chance, gold) => 1 - (1 - chance) * (1 - again[gold]!))),
  };
}

/**
 * How many standard errors a measured value may lie off where a file makes so many checks: two-sided and by Bonferroni,
 * so that with fresh seeds a whole file of right values would fail once in 100 times. Seeds are fixed, so a run is
 * always the same.
 */
export function boundFor(checks: number): number {
  return normalQuantile(1 - 0.01 / (2 * checks));
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}
