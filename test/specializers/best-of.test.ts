// bestOf: the winner on dev by hand-made candidates whose dev accuracies are known.

import { expect, test } from "vitest";
import { CallError } from "../../src/core/call.js";
import type { Answer } from "../../src/core/language.js";
import { quantity } from "../../src/core/metric.js";
import type { LanguageSpecializer, Specializer } from "../../src/core/specializer.js";
import { bestOf } from "../../src/specializers/combine/best-of.js";
import { chain } from "../../src/specializers/combine/chain.js";
import { makeSpecializer, portfolio } from "../../src/specializers/index.js";
import { defineSpecializer } from "../../src/specializers/parts/define.js";
import { ensemble } from "../../src/specializers/prompting/ensemble.js";
import { fewShot } from "../../src/specializers/prompting/few-shot.js";
import { zeroShot } from "../../src/specializers/prompting/zero-shot.js";
import { context, given, listener, make, queryOf, task, train } from "./fakes.js";

// Twelve samples: six s, four f, two i.
const dev = train;

/** Answers every query alike; the state is what it was fitted with. */
const always = (name: string, answer: () => Answer, seeded = false) =>
  defineSpecializer<{ from: string }>({
    name,
    seeded,
    fit: () => ({ from: name }),
    behave: ({ from }) => ({ respond: async () => ({ ...answer(), text: from }) }),
  });
const says = (key: string) => always(key, () => ({ choice: key }));

test("keeps the candidate with the highest mean on dev, with its own state", async () => {
  const specializer = bestOf([says("i"), says("s"), says("f")]);
  const state = await specializer.fit(listener(), given({ dev }));
  expect(state).toEqual({
    chosen: 1,
    scores: [
      { label: "i", mean: 2 / 12, n: 12, unscored: 0 },
      { label: "s", mean: 6 / 12, n: 12, unscored: 0 },
      { label: "f", mean: 4 / 12, n: 12, unscored: 0 },
    ],
    state: { from: "s" },
  });
  const specialist = await make(specializer, listener(), { dev });
  expect(await specialist.respond(queryOf("x"), context)).toEqual({ choice: "s", text: "s" });
});

test("ties go to the earliest", async () => {
  const twin = always("twin", () => ({ choice: "s" }));
  expect((await bestOf([twin, says("s")]).fit(listener(), given({ dev }))).chosen).toBe(0);
  expect((await bestOf([says("s"), twin]).fit(listener(), given({ dev }))).chosen).toBe(0);
});

test("an unscored sample counts as wrong, and who scored nothing cannot win", async () => {
  const right = ["s", "f", "s", "i", "s", "f"];
  const silentAfter = (count: number, fail = false) => {
    let n = 0;
    return always(`silent${count}`, () => {
      if (n < count) return { choice: right[n++] as string };
      if (fail) throw new CallError("timeout", "too slow");
      return { unscored: "other-labels" };
    });
  };
  // Right wherever it was scored, on 5 of 12, against 6 of 12.
  const { chosen, scores } = await bestOf([silentAfter(5, true), says("s")]).fit(listener(), given({ dev }));
  expect(chosen).toBe(1);
  expect(scores[0]).toEqual({ label: "silent5", mean: 1, n: 5, unscored: 7 });
  expect((await bestOf([silentAfter(5), says("f")]).fit(listener(), given({ dev }))).chosen).toBe(0);
  await expect(bestOf([silentAfter(0)]).fit(listener(), given({ dev }))).rejects.toThrow(/cannot choose/);
});

test("follows the metric's direction", async () => {
  const error: typeof task = {
    ...task,
    metric: quantity("error"),
    evaluate: async (...all) => {
      const grade = await task.evaluate(...all);
      return grade.status === "scored" ? { ...grade, score: 1 - grade.score } : grade;
    },
  };
  const { chosen, scores } = await bestOf([says("i"), says("s"), says("f")]).fit(
    listener(),
    given({ dev, task: error }),
  );
  expect(chosen).toBe(1);
  expect(scores[1]).toMatchObject({ mean: 6 / 12 });
});

test("a fault that is no failed call is not swallowed; no dev is refused", async () => {
  const broken = always("broken", () => {
    throw new TypeError("a fault");
  });
  await expect(bestOf([says("s"), broken]).fit(listener(), given({ dev }))).rejects.toThrow("a fault");
  await expect(bestOf([says("s")]).fit(listener(), given())).rejects.toThrow(/cannot choose/);
});

test("a study writes it in words, and it names what stands in it", () => {
  const made = makeSpecializer(
    {
      bestOf: {
        of: ["zeroShot", [{ fewShot: { k: 5 } }, { ensemble: { members: 3, vote: "probability" } }]],
      },
    },
    "specialists.0",
  );
  expect(made.label).toBe("bestOf(zeroShot | fewShot(k=5) + ensemble(m=3, probability))");
  expect(made.needs).toEqual(["logprobs"]);
  expect(made.seeded).toBe(true);
  expect(bestOf([zeroShot()]).seeded).toBe(false);
  expect(bestOf([fewShot(), ensemble()]).label).toBe("bestOf(fewShot(k=5) | ensemble(m=5))");
  expect(() => makeSpecializer({ bestOf: { of: ["zeroshoot"] } }, "specialists.0")).toThrow(/zeroshoot/);
});

test.each([
  ["bestOf's candidates", bestOf],
  ["a chain's steps", chain],
  ["portfolio's two", ([a, b]) => portfolio({}, a as LanguageSpecializer, b as LanguageSpecializer)],
] satisfies [string, (of: LanguageSpecializer[]) => Specializer][])(
  "%s have each their own place for unfinished work",
  async (_, together) => {
    const places: string[] = [];
    const trained = defineSpecializer({
      name: "trained",
      fit: async (_subject, { artifacts }) => {
        places.push(await artifacts.scratch("training"));
        return null;
      },
      behave: () => ({ respond: async () => ({ choice: "s" }) }),
    });
    await together([trained, trained] as LanguageSpecializer[]).fit(listener(), given({ dev }));
    expect(new Set(places).size).toBe(2);
  },
);
