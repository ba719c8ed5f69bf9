// The rungs of Medprompt on a simulated subject: what each is measured to add agrees with what it adds by construction.
// Intervals are 99.9 % normal ones; seeds are fixed, so a run is always the same.

import { beforeAll, describe, expect, it } from "vitest";
import type { Specializer } from "../../src/core/specializer.js";
import { chain } from "../../src/specializers/chain.js";
import { defineSpecializer } from "../../src/specializers/define.js";
import { ensemble } from "../../src/specializers/ensemble.js";
import { fewShot } from "../../src/specializers/few-shot.js";
import { knn } from "../../src/specializers/knn.js";
import { zeroShot } from "../../src/specializers/zero-shot.js";
import { choice } from "../../src/tasks/choice.js";
import { context, make } from "./fakes.js";
import {
  expectedAlone,
  expectedPlurality,
  type Mind,
  optionsOf,
  simulated,
  simulatedSamples,
} from "./simulated.js";

const count = 4000;
const clusters = 8;
const z = 3.29;

const reasoning = defineSpecializer({
  name: "reasoning",
  behave: () => ({ prepare: (query) => ({ ...query, reason: { maxTokens: 8 } }) }),
});

interface Measured {
  right: number[];
  /** How often the option in each position of the query's own order was chosen. */
  chosen: number[];
}

/** `members` at most n, so that they are the rotations of one order. */
describe.each([
  { n: 2, members: 2, positions: [0.9, 0.1] },
  { n: 4, members: 4, positions: [0.6, 0.2, 0.1, 0.1] },
  { n: 7, members: 5, positions: [0.4, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05] },
])("with $n options", ({ n, members, positions }) => {
  const mind: Mind = { base: 0.5, examples: 0.06, neighbours: 0.12, reasoning: 0.1, bias: 0.25, positions };
  const task = choice(`simulated ${n}`, {}, optionsOf(n));
  const train = simulatedSamples(6 * clusters, n, clusters, "train");
  const test = simulatedSamples(count, n, clusters, "test");
  const subject = simulated(mind, [...train, ...test]);
  const near = knn({ k: 5, by: "bm25" });
  const rungs: [name: string, steps: Specializer[], expected: number][] = [
    ["zero-shot", [zeroShot()], expectedAlone(mind, 0.5)],
    // Test goes through the clusters in turn: whatever is drawn, the mean share of own examples is one in eight.
    ["few-shot", [fewShot({ k: 5 })], expectedAlone(mind, 0.56 + 0.12 / clusters)],
    ["knn", [near], expectedAlone(mind, 0.68)],
    ["knn + reasoning", [near, reasoning], expectedAlone(mind, 0.78)],
    ["zero-shot + ensemble", [ensemble({ members })], expectedPlurality(mind, 0.5, members)],
    [
      "knn + reasoning + ensemble",
      [near, reasoning, ensemble({ members })],
      expectedPlurality(mind, 0.78, members),
    ],
  ];
  const measured = new Map<string, Measured>();

  beforeAll(async () => {
    for (const [name, steps] of rungs) {
      const specialist = await make(chain(steps), subject, { task, train });
      const chosen = new Array<number>(n).fill(0);
      const right: number[] = [];
      for (const sample of test) {
        const { choice: key } = await specialist.respond(task.query(sample), context);
        chosen[optionsOf(n).findIndex((option) => option.key === key)]!++;
        right.push(key === sample.gold ? 1 : 0);
      }
      measured.set(name, { right, chosen });
    }
  }, 60_000);

  it.each(rungs)("%s is as accurate as it is made to be", (name, _steps, expected) => {
    const accuracy = mean(measured.get(name)!.right);
    expect(Math.abs(accuracy - expected)).toBeLessThan(z * Math.sqrt((expected * (1 - expected)) / count));
  });

  it.each([
    ["zero-shot", "few-shot"],
    ["few-shot", "knn"],
    ["knn", "knn + reasoning"],
    ["zero-shot", "zero-shot + ensemble"],
    ["knn + reasoning", "knn + reasoning + ensemble"],
  ])("from %s to %s the paired gain is the derived one", (before, after) => {
    const expectedOf = (name: string) => rungs.find(([rung]) => rung === name)![2];
    const from = measured.get(before)!.right;
    const gains = measured.get(after)!.right.map((score, i) => score - from[i]!);
    const gain = mean(gains);
    const error = Math.sqrt(mean(gains.map((each) => (each - gain) ** 2)) / count);
    expect(Math.abs(gain - (expectedOf(after) - expectedOf(before)))).toBeLessThan(z * error);
  });

  it("prefers positions alone as it is made to, and not as an ensemble", () => {
    const alone = positions.map((weight) => mind.bias * weight + (1 - mind.bias) / n);
    const check = (name: string, shares: number[]) => {
      for (const [i, share] of shares.entries()) {
        const off = Math.abs(measured.get(name)!.chosen[i]! / count - share);
        expect(off, `${name}, position ${i}`).toBeLessThan(z * Math.sqrt((share * (1 - share)) / count));
      }
    };
    check("zero-shot", alone);
    check(
      "zero-shot + ensemble",
      positions.map(() => 1 / n),
    );
    // The test can tell the two apart.
    expect(() =>
      check(
        "zero-shot",
        positions.map(() => 1 / n),
      ),
    ).toThrow();
  });
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
