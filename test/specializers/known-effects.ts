// A subject whose accuracy is known, for the tests of `optimize`; no test is in here.

import type { LanguageSubject } from "../../src/core/kinds.js";
import type { Query } from "../../src/core/language.js";
import { randomFor } from "../../src/core/random.js";
import type { Sample } from "../../src/core/sample.js";

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
