// The pool of chains of thought that a simulated subject verifies: as large as derived, made without a look at the right
// answers, and all of its examples right. Values are compared within `boundFor(checks)` standard errors.

import { describe, expect, it } from "vitest";
import { canonicalJson } from "../../src/core/json.js";
import type { Query } from "../../src/core/language.js";
import { cot } from "../../src/specializers/prompting/cot.js";
import { fewShot } from "../../src/specializers/prompting/few-shot.js";
import { choice } from "../../src/tasks/choice.js";
import { context, given } from "./fakes.js";
import {
  boundFor,
  expectedVerified,
  type Mind,
  optionsOf,
  simulated,
  simulatedSamples,
} from "./simulated.js";

const count = 4000;
const sizes = [
  { n: 2, positions: [0.9, 0.1] },
  { n: 4, positions: [0.6, 0.2, 0.1, 0.1] },
  { n: 7, positions: [0.4, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05] },
];
// With one order the share kept; with two that and the calls.
const bound = boundFor(sizes.length * 3);

/** Standard errors that a count lies off a chance. */
function off(times: number, chance: number): number {
  return Math.abs(times / count - chance) / Math.sqrt((chance * (1 - chance)) / count);
}

describe.each(sizes)("of $n options", ({ n, positions }) => {
  const mind: Mind = { base: 0.3, examples: 0.1, neighbours: 0, reasoning: 0.25, bias: 0.3, positions };
  const task = choice(`simulated ${n}`, {}, optionsOf(n));
  const train = simulatedSamples(count, n, (i) => i % 8, "train");
  const samples = new Map(train.map((sample) => [sample.input, sample]));
  const all = given({ task, train });

  /** All that a query says but for the order of its options. */
  const said = (query: Query): string =>
    canonicalJson({ ...query, options: query.options?.toSorted((a, b) => (a.key < b.key ? -1 : 1)) });

  it.each([1, 2])("keeps the derived share, %i orders tried", async (shuffles) => {
    const subject = simulated(mind, train);
    const specializer = cot({ pool: count, shuffles, maxTokens: 8 }, fewShot({ k: 1000 }));
    const state = await specializer.fit(subject, all);
    const asked = subject.heard.splice(0);
    const right = asked.filter(({ query, answer }) => answer.choice === samples.get(query.input)!.gold);
    const { first, either } = expectedVerified(mind);

    expect(off(right.length, shuffles === 1 ? first : either)).toBeLessThan(bound);
    // A second order is tried where the first did not lead to the right answer, and only there.
    if (shuffles === 1) expect(asked).toHaveLength(count);
    else expect(off(asked.length - count, 1 - first)).toBeLessThan(bound);
    // The figure is no matter of chance alone: one try more is seen.
    expect(off(right.length, shuffles === 1 ? either : first)).toBeGreaterThan(bound);
    expect(state).toMatchObject({
      counts: { asked: asked.length, verified: right.length, unscored: 0 },
    });

    // What was asked is what would be asked about samples whose right answers nobody knows.
    for (const { query } of asked) {
      const unknown = { ...samples.get(query.input)!, gold: "nobody knows" };
      expect(said(query)).toBe(said({ ...task.query(unknown), reason: { maxTokens: 8 } }));
    }

    // Every example is one of those, with the answer and the order of its own reasoning.
    const verified = new Map(right.map((one) => [one.query.input, one]));
    expect(verified.size).toBe(right.length);
    await specializer
      .apply(subject, state, all)
      .respond(task.query({ id: "q", input: "cluster0 other", gold: "k0" }), context);
    const shots = subject.heard[0]!.query.demonstrations;
    expect(shots).toHaveLength(1000);
    for (const { input, answer, rationale, options = optionsOf(n) } of shots) {
      const from = verified.get(input);
      expect(answer).toBe(from?.answer.choice);
      expect(answer).toBe(samples.get(input)?.gold);
      expect(options).toEqual(from?.query.options);
      expect(rationale).toBe("So it is.");
    }
  });
});
