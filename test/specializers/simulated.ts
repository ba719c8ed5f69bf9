// A simulated subject whose accuracy is known: base, gains from examples, neighbours and reasoning, and a preference for
// positions. With its task and its exact expectations, so that what a rung is measured to add can be checked.

import { fingerprint } from "../../src/core/json.js";
import type { LanguageSubject, Option } from "../../src/core/language.js";
import { type Random, randomFor } from "../../src/core/random.js";
import type { Sample } from "../../src/core/sample.js";

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

/** Samples of `clusters` clusters in turn, known by a word of their own; gold is uniform over n options. */
export function simulatedSamples(count: number, n: number, clusters: number, split: string): Sample[] {
  const random = randomFor(11, "simulated", split, n);
  return Array.from({ length: count }, (_, i) => ({
    id: `${split}${i}`,
    input: `cluster${i % clusters} ${split}${i}`,
    gold: optionsOf(n)[Math.floor(random() * n)]!.key,
  }));
}

export function optionsOf(n: number): Option[] {
  return Array.from({ length: n }, (_, i) => ({ key: `k${i}`, text: `option ${i}` }));
}

/** Draws anew for every query that differs in anything, so that members of an ensemble are independent. */
export function simulated(mind: Mind, samples: readonly Sample[], seed = 1): LanguageSubject {
  const golds = new Map(samples.map(({ input, gold }) => [input, gold]));
  const cluster = (input: string) => input.split(" ")[0];
  return {
    kind: "language",
    name: "simulated",
    id: fingerprint(["simulated", mind as never, seed]),
    respond: async (query) => {
      const random = randomFor(seed, "simulated", fingerprint(query as never));
      const keys = query.options!.map(({ key }) => key);
      if (random() < mind.bias) return { choice: keys[drawn(mind.positions, random)]! };
      const shots = query.demonstrations;
      const near = shots.filter(({ input }) => cluster(input) === cluster(query.input)).length;
      const knows =
        mind.base +
        (shots.length > 0 ? mind.examples + (mind.neighbours * near) / shots.length : 0) +
        (query.reason ? mind.reasoning : 0);
      const gold = golds.get(query.input) as string;
      if (random() < knows) return { choice: gold };
      const wrong = keys.filter((key) => key !== gold);
      return { choice: wrong[Math.floor(random() * wrong.length)]! };
    },
  };
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
 * Accuracy of the plurality of `members` at most n, each seeing the next rotation of one drawn order, ties to the option
 * that stands first in that order: summed over all n^members combinations of choices, for gold in each place of the order.
 */
export function expectedPlurality({ bias, positions }: Mind, knows: number, members: number): number {
  const n = positions.length;
  let total = 0;
  for (let gold = 0; gold < n; gold++) {
    const votes = new Array<number>(n).fill(0);
    const sum = (member: number, chance: number): void => {
      if (member === members) {
        if (votes.indexOf(Math.max(...votes)) === gold) total += chance / n;
        return;
      }
      for (let option = 0; option < n; option++) {
        const position = (option - member + n) % n;
        const knowing = option === gold ? knows : (1 - knows) / (n - 1);
        votes[option]!++;
        sum(member + 1, chance * (bias * positions[position]! + (1 - bias) * knowing));
        votes[option]!--;
      }
    };
    sum(0, 1);
  }
  return total;
}
