// A subject with planted effects of prompt layers, and layers that only leave their word in the instruction: for the tests and the
// bench of `search`; no test is in here.

import { noCost } from "../../src/core/call.js";
import type { LanguageSubject } from "../../src/core/kinds.js";
import type { LanguageModel } from "../../src/core/model.js";
import { randomFor } from "../../src/core/random.js";
import type { Sample } from "../../src/core/sample.js";
import type { LanguageSpecializer } from "../../src/core/specializer.js";
import { defineSpecializer } from "../../src/specializers/index.js";
import { choice } from "../../src/tasks/choice.js";

export const plantedTask = choice("planted", { instruction: "Which?" }, [
  { key: "a", text: "one" },
  { key: "b", text: "two" },
  { key: "c", text: "three" },
]);

export function plantedSamples(n: number, split: string): Sample[] {
  return Array.from({ length: n }, (_, i) => ({
    id: `${split}${i}`,
    input: `${split} ${i}`,
    gold: "abc"[i % 3] as string,
  }));
}

/** A layer whose word the subject sees. */
export function layer(word: string): LanguageSpecializer {
  return defineSpecializer({
    name: word,
    behave: () => ({
      prepare: (query) => ({ ...query, instruction: `${query.instruction} [${word}]` }),
    }),
  }) as LanguageSpecializer;
}

export interface Planted extends LanguageSubject {
  /** Calls that were made, by what was asked. */
  readonly made: Map<string, number>;
  /** Set to throw before the call of this number. */
  breakAt: number;
  /** Most calls at a time, and calls in all. */
  readonly counts: { inFlight: number; most: number; calls: number };
}

/** Right with the probability that the words of the layers give; half of the luck is the sample's own, so that scores are paired. */
export function planted(
  accuracy: (has: (word: string) => boolean) => number,
  samples: readonly Sample[],
  { seed = 1, concurrency = 4 }: { seed?: number; concurrency?: number } = {},
): Planted {
  const golds = new Map(samples.map(({ input, gold }) => [input, gold as string]));
  const made = new Map<string, number>();
  const counts = { inFlight: 0, most: 0, calls: 0 };
  const subject: Planted = {
    ...{ kind: "language", name: "planted", id: `planted ${seed}`, made, counts },
    breakAt: Number.POSITIVE_INFINITY,
    model: {
      id: "planted",
      name: "planted",
      grants: new Set(["text", "logprobs"]),
      concurrency,
    } as unknown as LanguageModel,
    respond: async (query, context) => {
      const { input, instruction = "" } = query;
      if (counts.calls >= subject.breakAt) throw new Error("the power went out");
      counts.calls++;
      counts.most = Math.max(counts.most, ++counts.inFlight);
      await Promise.resolve();
      counts.inFlight--;
      const key = `${instruction} ${input}`;
      made.set(key, (made.get(key) ?? 0) + 1);
      const gold = golds.get(input) as string;
      const own = randomFor(seed, "sample", input)();
      const draw = randomFor(seed, "call", key)();
      const right = (own < 0.5 ? 2 * own : draw) < accuracy((word) => instruction.includes(`[${word}]`));
      const choice = right ? gold : ("abc".replace(gold, "")[Math.floor(2 * own) % 2] as string);
      context.trace?.({
        ...{ key, model: "planted", operation: "score", request: null, response: null },
        cost: { ...noCost, calls: 1, inputTokens: 20, outputTokens: 1, usd: 0.001 },
      });
      return { choice, scores: { a: 0, b: 0, c: 0, [choice]: 1 } };
    },
  };
  return subject;
}
