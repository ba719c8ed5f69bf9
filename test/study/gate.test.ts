// Gates: what a metric cannot be is refused before anything is asked, and the interval's worse end decides.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { share } from "../../src/core/metric.js";
import type { Comparison, Result, TaskCard } from "../../src/core/record.js";
import { mcnemar } from "../../src/statistics/index.js";
import { adjustFamily, compareScores } from "../../src/study/compare.js";
import { gateOf } from "../../src/study/gate.js";
import { runStudy } from "../../src/study/run.js";
import { parseStudy } from "../../src/study/spec.js";
import { toneStudy, writeTones } from "./fixture.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hone-gate-"));
  writeTones(join(folder, "tones.jsonl"), 120);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (gate: object, more: object = {}) => {
  const model = "mock:?skill=0.9&seed=1";
  const study = toneStudy({ model, dev: 20, test: 60, extra: { gate, ...more } });
  return runStudy(parseStudy(study, "test"), { base: folder, store: join(folder, "store") });
};

it.each([
  [{ atLeast: 7 }, /gate\.atLeast[\s\S]*accuracy lies between 0 and 1/],
  [{ atMost: 0.5 }, /gate\.atMost[\s\S]*Write `atLeast`/],
])("refuses %j for an accuracy", async (gate, message) => {
  await expect(run(gate)).rejects.toThrow(message);
});

it("is met where the interval's lower end reaches it, and only there", async () => {
  const record = await run({ atLeast: 0 });
  const low = record.results.find(({ subject }) => subject === record.verdict?.champion)?.low as number;
  expect(record.gate?.met).toBe(true);
  expect((await run({ atLeast: low + 0.001 })).gate?.met).toBe(false);
  expect((await run({ atLeast: low - 0.001 })).gate?.met).toBe(true);
});

it("holds for the seed that is handed over, not only for the mean of all", async () => {
  const specialists = [{ subset: { n: 30, use: "linear" } }];
  const more = { model: "mock:?skill=0.2&seed=1", seeds: [1, 2, 3], specialists };
  const { gate, handOver, verdict } = await run({ atLeast: 0, beats: "zeroShot" }, more);
  expect(verdict?.champion).toMatch(/linear/);
  // The one that is best on dev.
  const alone: number[] = [];
  for (const seed of more.seeds) {
    const { results } = await run({ atLeast: 0 }, { ...more, seeds: [seed] });
    alone.push(results.find(({ subject }) => subject === verdict?.champion)?.dev?.mean as number);
  }
  expect(new Set(alone).size).toBeGreaterThan(1);
  expect(handOver?.seed).toBe(1 + alone.indexOf(Math.max(...alone)));
  const low = handOver?.score?.low as number;
  const text = `the interval of what is handed over, seed ${handOver?.seed} of `;
  expect((await run({ atLeast: low + 0.001 }, more)).gate?.text).toContain(text);
  expect((await run({ atLeast: low - 0.001 }, more)).gate?.text).not.toContain(text);
  expect(gate?.text).toMatch(/every condition is met|handed over/);
});

it("says of a stopped run, and of a rival without a score, what is missing", async () => {
  const stop = new AbortController();
  const model = "mock:?skill=0.9&seed=4";
  const spec = parseStudy(toneStudy({ model, extra: { gate: { beats: "majority" } } }), "test");
  const { stopped, gate } = await runStudy(spec, {
    ...{ base: folder, store: join(folder, "missing"), drain: stop.signal },
    onEvent: (event) => {
      if (event.type === "progress" && event.phase === "test") stop.abort();
    },
  });
  expect(stopped).not.toBeNull();
  expect(gate).toEqual({ met: false, text: "the run was stopped before the end" });
  const best = { subject: "a", task: "t", unscored: 0, bounds: [1, 1] } as unknown as Result;
  const card = { name: "t", metric: share("accuracy") } as TaskCard;
  const { text } = gateOf({ beats: "b" }, [best], [], "a", card);
  expect(text).toBe("no sample was scored for b, which it must beat");
});

it("counts what was left unscored against the condition", () => {
  const card = { name: "t", metric: share("accuracy") } as TaskCard;
  const result = (unscored: number, bounds: [number, number]) =>
    ({ subject: "a", task: "t", n: 90, mean: 0.8, low: 0.7, high: 0.9, unscored, bounds }) as Result;
  const against = (bounds: [number, number]) =>
    ({
      ...{ a: "a", b: "b", task: "t", n: 90, delta: 0.2, low: 0.1, high: 0.3 },
      ...{ pAdjusted: 0.001, dropped: 10, bounds },
    }) as Comparison;
  const met = (gate: object, one: Result, other = against([0.11, 0.3])) =>
    gateOf(gate, [one], [other], "a", card);

  expect(met({ atLeast: 0.7 }, result(0, [0.8, 0.8])).met).toBe(true);
  // What ten unscored samples could take from the mean, they take from the interval.
  expect(met({ atLeast: 0.615 }, result(10, [0.72, 0.82])).met).toBe(true);
  expect(met({ atLeast: 0.63 }, result(10, [0.72, 0.82]))).toEqual({
    met: false,
    text: "the interval of a, with 10 unscored samples, reaches 0.620, worse than the 0.63 asked for",
  });
  expect(met({ beats: "b" }, result(10, [0.72, 0.82])).met).toBe(true);
  // Of several seeds one is handed over, and its own figures must do.
  const saved = (low: number, p: number) => ({
    ...{ seed: 1, score: { n: 90, mean: low + 0.1, low, high: low + 0.2 } },
    against: { ...against([0.11, 0.3]), delta: 0.05, p },
  });
  const handed = (gate: object, low: number, p: number) =>
    gateOf(gate, [result(0, [0.8, 0.8])], [against([0.11, 0.3])], "a", card, saved(low, p));
  expect(handed({ atLeast: 0.7, beats: "b" }, 0.7, 0.01).met).toBe(true);
  expect(handed({ atLeast: 0.7 }, 0.48, 0.01)).toEqual({
    met: false,
    text: "the interval of what is handed over, seed 1 of a, reaches 0.480, worse than the 0.7 asked for",
  });
  expect(handed({ beats: "b" }, 0.48, 0.3)).toEqual({
    met: false,
    text: "what is handed over, seed 1 of a, is not itself shown to beat b (p 0.30)",
  });
  // A difference above 0 in the worst case is not enough: its interval, moved as far, must not reach 0.
  for (const least of [-0.01, 0.09])
    expect(met({ beats: "b" }, result(10, [0.72, 0.82]), against([least, 0.3]))).toEqual({
      met: false,
      text: "10 unscored samples could undo that a beats b",
    });
});

it("is not met where the unscored samples, all to the champion's disadvantage, would leave no difference shown", () => {
  const card = { name: "t", metric: share("accuracy") } as TaskCard;
  const beats = (unscored: number) => {
    // 25 samples that only `a` has right, 5 that only `b` has.
    const right = (i: number, only: boolean) => (i < 25 ? only : i < 30 ? !only : true);
    const scores = (only: boolean) =>
      Array.from({ length: 200 }, (_, i) => ({
        sample: `s${i}`,
        score: only && i >= 200 - unscored ? null : Number(right(i, only)),
      }));
    const systems = [true, false].map((only) => ({
      name: only ? "a" : "b",
      binary: true,
      scores: scores(only),
    }));
    const family = adjustFamily(compareScores({ task: "t", systems, pairs: [["a", "b"]], seed: 1 }));
    const worst = mcnemar(25, 5 + unscored);
    const best = { subject: "a", task: "t", unscored, bounds: [0, 1] } as unknown as Result;
    return { p: family[0]?.pAdjusted, worst, ...gateOf({ beats: "b" }, [best], family, "a", card) };
  };
  const some = beats(18);
  expect(some.p).toBeLessThan(0.001);
  expect(some.worst).toBeGreaterThan(0.5);
  expect(some.met).toBe(false);
  const few = beats(3);
  expect(few.worst).toBeLessThan(0.05);
  expect(few.met).toBe(true);
});
