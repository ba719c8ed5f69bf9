// stack: weights of a log-linear pool against a hand-made optimum, members that help and members that do not, what is kept
// over a stop, and what it says where nothing can be pooled.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type Call, CallError, noCost } from "../../src/core/call.js";
import type { LanguageSubject } from "../../src/core/kinds.js";
import { normal, randomFor } from "../../src/core/random.js";
import type { Sample } from "../../src/core/sample.js";
import type { LanguageSpecializer } from "../../src/core/specializer.js";
import { crossFitted, fitPool, forecastOf, pool, poolLosses } from "../../src/learn/pool.js";
import { defineSpecializer, linear, majority, stack } from "../../src/specializers/index.js";
import { openArtifacts } from "../../src/store/artifacts.js";
import { choice } from "../../src/tasks/choice.js";
import { context, given, listener } from "./fakes.js";

const folder = mkdtempSync(join(tmpdir(), "hone-stack-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const task = choice("signs", { instruction: "Which?" }, [
  { key: "a", text: "one" },
  { key: "b", text: "two" },
]);
const random = randomFor(1, "stack");
/** Two independent hints at the answer stand in the input; neither is sure. */
const samples: Sample[] = Array.from({ length: 300 }, (_, i) => {
  const gold = i % 2 === 0 ? "a" : "b";
  const sign = gold === "a" ? 1 : -1;
  return { id: `s${i}`, input: `${sign + 1.5 * normal(random)} ${sign + 1.5 * normal(random)}`, gold };
});
const train = samples.slice(0, 200);
const fresh = samples.slice(200);

/** Reads one of the hints, as log-odds times `sure`. */
function reader(name: string, of: (numbers: number[]) => number, sure = 1): LanguageSpecializer {
  return defineSpecializer({
    name,
    behave: () => ({
      respond: async (query) => {
        const hint = of(query.input.split(" ").map(Number)) * sure;
        return { choice: hint > 0 ? "a" : "b", scores: { a: hint, b: 0 } };
      },
    }),
  });
}
const first = reader("first", ([x]) => x as number);
const second = reader("second", ([, y]) => y as number, 5);
const noise = reader("noise", ([x]) => Math.sin(1e4 * (x as number)), 3);
/** Knows every train answer by heart and nothing else. */
const parrot = defineSpecializer<Record<string, string>>({
  name: "parrot",
  fit: (_, { train: known }) => Object.fromEntries(known.map(({ input, gold }) => [input, String(gold)])),
  behave: (heard) => ({
    respond: async ({ input }) => ({
      scores: { a: heard[input] === "a" ? 9 : 0, b: heard[input] === "b" ? 9 : 0 },
    }),
  }),
});

describe("a log-linear pool", () => {
  it("finds the weights with the least loss", async () => {
    const data = train.map((sample) => {
      const [x, y] = sample.input.split(" ").map(Number) as [number, number];
      const keys = ["a", "b"];
      return {
        forecasts: [forecastOf(keys, { a: x, b: 0 }), forecastOf(keys, { a: 5 * y, b: 0 })],
        right: sample.gold === "a" ? 0 : 1,
      };
    });
    const weights = await fitPool(data, 0);
    const loss = (w: number[]) => poolLosses(data, w).reduce((sum, one) => sum + one, 0) / data.length;
    for (const step of [-0.02, 0.02]) {
      expect(loss([(weights[0] as number) + step, weights[1] as number])).toBeGreaterThan(loss(weights));
      expect(loss([weights[0] as number, (weights[1] as number) + step])).toBeGreaterThan(loss(weights));
    }
    // Both hints are worth the same, and the second one speaks five times as loudly.
    expect((weights[0] as number) / (weights[1] as number)).toBeGreaterThan(3);
    expect((weights[0] as number) / (weights[1] as number)).toBeLessThan(8);
    const held = await crossFitted(
      data,
      Int32Array.from(data, (_, i) => i % 5),
    );
    expect(held.reduce((sum, one) => sum + one, 0) / data.length).toBeGreaterThan(loss(weights));
  });

  it("is a distribution, whatever a member leaves out", () => {
    const keys = ["a", "b", "c"];
    expect(forecastOf(keys, undefined)).toEqual(keys.map(() => -Math.log(3)));
    const least = Number.NEGATIVE_INFINITY;
    expect(forecastOf(keys, { a: least, b: least, c: least })).toEqual(forecastOf(keys, undefined));
    const partial = forecastOf(keys, { a: 2, b: 2 });
    expect(partial[0]).toBeCloseTo(Math.log(0.5));
    expect(partial[2]).toBeLessThan(-10);
    // Names of what every object has are labels like others.
    for (const name of ["constructor", "__proto__"])
      expect(forecastOf([name, "a", "b"], { a: 2, b: 2 })).toEqual([Math.log(1e-6), partial[0], partial[1]]);
    const mixed = pool([partial, forecastOf(keys, { c: 0, a: -1, b: -1 })], [0.5, 2]);
    expect(mixed.reduce((sum, one) => sum + Math.exp(one), 0)).toBeCloseTo(1, 12);
  });
});

describe("stack", () => {
  it("takes what helps, refuses what does not, and beats its members on fresh samples", async () => {
    const members = [noise, first, parrot, second] as LanguageSpecializer[];
    const way = stack(members);
    const state = (await way.fit(
      listener(),
      given({ task, train, artifacts: openArtifacts(join(folder, "a")) }),
    )) as {
      members: { label: string; weight: number }[];
      steps: { label: string; taken: boolean; gain: number }[];
      n: number;
    };
    expect(state.members.map(({ label }) => label).sort()).toEqual(["first", "second"]);
    expect(state.n).toBe(200);
    expect(
      state.steps
        .filter(({ taken }) => !taken)
        .map(({ label }) => label)
        .sort(),
    ).toEqual(["noise", "parrot"]);
    const tools = { encoder: () => Promise.reject(new Error("none")), artifacts: openArtifacts() };
    const rate = async (one: LanguageSpecializer, own: unknown) => {
      const made = one.apply(listener(), JSON.parse(JSON.stringify(own)), tools);
      const answers = await Promise.all(fresh.map((sample) => made.respond(task.query(sample), context)));
      const loss = answers.map((answer, i) => {
        const keys = ["a", "b"];
        return -(forecastOf(keys, answer.scores)[keys.indexOf(String(fresh[i]?.gold))] as number);
      });
      return loss.reduce((sum, value) => sum + value, 0) / fresh.length;
    };
    const pooled = await rate(way, state);
    expect(pooled).toBeLessThan((await rate(first, null)) - 0.02);
    expect(pooled).toBeLessThan((await rate(second, null)) - 0.02);
  });

  it("pays for no part twice after a stop", async () => {
    const artifacts = openArtifacts(join(folder, "stopped"));
    const fits: number[] = [];
    let broken = true;
    const counted = defineSpecializer({
      name: "counted",
      fit: (_, { train: own, context }) => {
        fits.push(own.length);
        if (broken && fits.length === 3) throw new Error("the power went out");
        const cost = { ...noCost, inputTokens: own.length };
        const call = { key: `fit ${fits.length}`, model: "counted", operation: "train" } as const;
        context.trace?.({ ...call, request: null, response: null, cost });
        return null;
      },
      behave: (state, subject, tools) => {
        const made = first.apply(subject, state as never, tools);
        return { respond: (query, asked) => made.respond(query, asked) };
      },
    });
    const way = stack([counted as LanguageSpecializer], { folds: 4 });
    await expect(way.fit(listener(), given({ task, train, artifacts }))).rejects.toThrow("the power");
    broken = false;
    let tokens = 0;
    const trace = ({ cost }: Call) => {
      tokens += cost.inputTokens;
    };
    await way.fit(listener(), given({ task, train, artifacts, context: { ...context, trace } }));
    // What was paid before the stop is part of what the pool costs.
    expect(tokens).toBe(4 * 150 + 200);
    // Two parts before the stop, two after it, and all of train at last.
    expect(fits).toEqual([150, 150, 150, 150, 150, 200]);
  });

  it("keeps what its members said of one subject apart from what they say of another", async () => {
    const passes = defineSpecializer({ name: "passes", behave: () => ({ prepare: (query) => query }) });
    const way = stack([passes as LanguageSpecializer], { folds: 2 });
    const all = given({ task, train, artifacts: openArtifacts(join(folder, "two subjects")) });
    const tools = { encoder: all.encoder, artifacts: all.artifacts };
    const lossOn = async (subject: LanguageSubject) =>
      ((await way.fit(subject, all)) as unknown as { steps: { loss: number }[] }).steps[0]?.loss;
    const poor = await lossOn(noise.apply(listener(), null, tools));
    expect(await lossOn(first.apply(listener(), null, tools))).toBeLessThan((poor as number) - 0.05);
  });

  it("predicts at least two folds where one is already enough", async () => {
    const few = { task, train, artifacts: openArtifacts(join(folder, "few")) };
    const { n } = (await stack([first], { held: 20 }).fit(listener(), given(few))) as unknown as {
      n: number;
    };
    expect(n).toBe(80);
  });

  it("never turns a member against itself", async () => {
    const lies = reader("lies", ([x]) => -(x as number));
    const parts = { task, train, artifacts: openArtifacts(join(folder, "lies")) };
    const all = given(parts);
    const way = stack([lies]);
    const state = await way.fit(listener(), all);
    const [{ weight }] = (state as unknown as { members: { weight: number }[] }).members as [
      { weight: number },
    ];
    expect(weight).toBeGreaterThan(0);
    expect(weight).toBeLessThan(0.01);
    const pooled = way.apply(listener(), state, { encoder: all.encoder, artifacts: all.artifacts });
    const query = task.query(train[0] as Sample);
    const [own, { choice }] = [
      await lies
        .apply(listener(), null, { encoder: all.encoder, artifacts: all.artifacts })
        .respond(query, context),
      await pooled.respond(query, context),
    ];
    expect(choice).toBe(own.choice);
  });

  it("says that there is nothing to pool", async () => {
    const parts = { task, train, artifacts: openArtifacts(join(folder, "none")) };
    await expect(stack([majority()]).fit(listener(), given(parts))).rejects.toThrow(/none of its members/);
    const words = stack([linear()]);
    expect(words.reference).toBe(true);
    await expect(words.fit(listener(), given({ ...parts, train: train.slice(0, 1) }))).rejects.toThrow(
      /folds/,
    );
    const down = defineSpecializer({
      name: "down",
      behave: () => ({ respond: () => Promise.reject(new CallError("timeout", "no answer")) }),
    });
    await expect(stack([down as LanguageSpecializer]).fit(listener(), given(parts))).rejects.toThrow(
      /none of its/,
    );
  });
});
