// Racers and subjects whose accuracy is known, for the tests of `optimize`; no test is in here.

import type { LanguageSubject } from "../../src/core/kinds.js";
import type { Query } from "../../src/core/language.js";
import { normal, randomFor } from "../../src/core/random.js";
import type { Sample } from "../../src/core/sample.js";
import type { Racer, Scorer } from "../../src/specializers/prompting/optimize/race.js";
import { normalQuantile } from "../../src/statistics/distributions.js";

/**
 * Racers that are right with probability base + effect. A sample's difficulty is shared: half of the variance of the latent
 * that decides a racer's answer is the sample's own.
 */
export function known(
  effects: readonly number[],
  { run, base, n }: { run: number; base: number; n: number },
): { racers: Racer[]; score: Scorer } {
  const random = randomFor(run, "known effects");
  const cut = effects.map((effect) => normalQuantile(base + effect));
  const draw = () =>
    Array.from({ length: n }, () => {
      const own = normal(random);
      return effects.map((_, i) => ((own + normal(random)) / Math.SQRT2 < (cut[i] as number) ? 1 : 0));
    });
  const scores = { search: draw(), confirm: draw() };
  return {
    racers: effects.map((_, i) => ({ name: `racer ${i}`, length: 100 + ((i * 37) % 101) })),
    score: async (racer, part, samples) => samples.map((i) => scores[part][i]?.[racer] as number),
  };
}

/** A subject that answers rightly with the probability that `accuracy` gives a query, by the text and not by luck. */
export function answersFor(accuracy: (query: Query) => number, samples: readonly Sample[]): LanguageSubject {
  const golds = new Map(samples.map(({ input, gold }) => [input, gold as string]));
  return {
    kind: "language",
    name: "known",
    id: "known",
    respond: async (query) => {
      const gold = golds.get(query.input);
      const right = randomFor(1, "known answers", query.input)() < accuracy(query);
      const wrong = query.options?.find(({ key }) => key !== gold)?.key as string;
      return { choice: right ? (gold as string) : wrong };
    },
  };
}
