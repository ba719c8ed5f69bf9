// average: the mean of several seeds' log-probabilities, by a specializer whose scores are its seed's.

import { expect, test } from "vitest";
import { randomFor } from "../../src/core/random.js";
import { average, linear, makeSpecializer } from "../../src/specializers/index.js";
import { defineSpecializer } from "../../src/specializers/parts/define.js";
import { context, given, listener, make, queryOf, task } from "./fakes.js";

const keys = queryOf("x").options?.map(({ key }) => key) as string[];
const scoresOf = (seed: number): Record<string, number> =>
  Object.fromEntries(keys.map((key) => [key, Math.log(0.1 + randomFor(seed, "said", key)())]));
/** Says what its seed says, not normalized; `told` collects the seeds that it was fitted with. */
const drawn = (told: number[] = []) =>
  defineSpecializer<{ seed: number }>({
    name: "drawn",
    seeded: true,
    fit: (_subject, { seed }) => {
      told.push(seed);
      return { seed };
    },
    behave: ({ seed }) => ({
      respond: async () => ({ choice: keys[0] as string, scores: scoresOf(seed) }),
    }),
  });

test("is the normalized mean of the seeds' log-probabilities", async () => {
  const seeds: number[] = [];
  const specialist = await make(average(drawn(seeds), { seeds: 4 }), listener(), {});
  const { choice, scores } = await specialist.respond(queryOf("x"), context);
  const normalized = seeds.map((seed) => {
    const total = Math.log(Object.values(scoresOf(seed)).reduce((sum, score) => sum + Math.exp(score), 0));
    return (key: string) => (scoresOf(seed)[key] as number) - total;
  });
  const means = keys.map((key) => normalized.reduce((sum, of) => sum + of(key), 0) / seeds.length);
  const total = Math.log(means.reduce((sum, one) => sum + Math.exp(one), 0));
  for (const [k, key] of keys.entries()) expect(scores?.[key]).toBeCloseTo((means[k] as number) - total, 10);
  expect(choice).toBe(keys[means.indexOf(Math.max(...means))]);
});

test("takes the study's seed and others that no other study's seed brings", async () => {
  const of = async (seed: number) => {
    const told: number[] = [];
    await average(drawn(told)).fit(listener(), given({ seed }));
    return told;
  };
  const [one, again, two] = [await of(1), await of(1), await of(2)];
  expect(one).toEqual(again);
  expect(one[0]).toBe(1);
  expect(new Set([...one, ...two]).size).toBe(6);
});

test("stands in a study, and refuses what draws nothing and what has no options", async () => {
  expect(makeSpecializer({ average: { use: { lora: { layers: 10 } } } }, "specialists.0").label).toBe(
    "average(lora(r=16, last 10) x3)",
  );
  expect(() => average(linear())).toThrow(/nothing to average/);
  const open = { ...task, query: (sample: never) => ({ ...task.query(sample), options: undefined }) };
  await expect(average(drawn()).fit(listener(), given({ task: open as never }))).rejects.toThrow(
    /answers are open/,
  );
});
