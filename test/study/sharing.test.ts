// A list of specializers shares what its first one learnt with the rest of the study, where that is the same thing: on the
// study's own subject and all of train. Inside combinators that change either, it is fitted again.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { z } from "zod";
import { defineSpecializer, specializers } from "../../src/specializers/index.js";
import { openStudy } from "../../src/study/open.js";
import { type RunOptions, runStudy } from "../../src/study/run.js";
import { parseStudy } from "../../src/study/spec.js";
import { toneStudy, writeTones } from "./fixture.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hone-sharing-"));
  writeTones(join(folder, "tones.jsonl"), 200);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Counts its fits, with the number of train samples of each. */
function counting() {
  const fits: number[] = [];
  const counter = defineSpecializer<{ n: number }>({
    name: "counter",
    fit: async (_subject, { train }) => {
      fits.push(train.length);
      return { n: train.length };
    },
    behave: () => ({ prepare: (query) => query }),
  });
  const entry = { make: () => counter, options: z.strictObject({}), summary: "", paper: "", leaf: null };
  return { fits, table: { ...specializers, counter: entry } };
}

it("fits the first of a list once for the study, and again on a part of train", async () => {
  const { fits, table } = counting();
  const study = toneStudy({
    model: "mock:",
    dev: 5,
    test: 10,
    specialists: [
      "counter",
      ["counter", "majority"],
      ["counter", { fewShot: { k: 1 } }],
      { subset: { n: 12, use: ["counter", { fewShot: { k: 1 } }] } },
      ["zeroShot", "counter"],
    ],
  });
  const record = await runStudy(parseStudy(study, "test"), {
    base: folder,
    store: join(folder, "store"),
    use: { specializers: table } as never,
  });
  expect(record.stopped).toBeNull();
  const train = record.tasks[0]?.counts.train as number;
  // Once for the first three and behind zeroShot, which changes nothing; on twelve in the subset.
  expect(fits).toEqual([train, 12]);
  const seconds = record.results.map(({ build }) => build.seconds);
  expect(seconds.every((one) => one >= 0)).toBe(true);
});

it("counts the seconds before a kill as part of what a specialist took to make", async () => {
  const { now } = performance;
  let ahead = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => now.call(performance) + 1000 * ahead);
  let runs = 0;
  const slow = defineSpecializer<null>({
    name: "slow",
    fit: async (_subject, { progress }) => {
      ahead += 100;
      progress(1, 2, "half");
      if (++runs === 1) throw new Error("the power went out");
      return null;
    },
    behave: () => ({ prepare: (query) => query }),
  });
  const entry = { make: () => slow, options: z.strictObject({}), summary: "", paper: "", leaf: null };
  const spec = parseStudy(toneStudy({ model: "mock:", dev: 5, test: 10, specialists: ["slow"] }), "test");
  const run = () =>
    runStudy(spec, {
      base: folder,
      store: join(folder, "killed"),
      use: { specializers: { ...specializers, slow: entry } } as never,
    });
  await expect(run()).rejects.toThrow("the power");
  const { results, seconds: both } = await run();
  clock.mockRestore();
  const seconds = results.find(({ subject }) => subject.startsWith("slow"))?.build.seconds as number;
  expect(seconds).toBeGreaterThan(200);
  expect(seconds).toBeLessThan(260);
  // The run that failed counts for the study, too.
  expect(both).toBeGreaterThan(200);
  expect(both).toBeLessThan(300);
});

it("a study opened from its store has each outcome of its own seeds once", async () => {
  const store = join(folder, "seeds");
  const run = (seed: number) => {
    const written = {
      model: "mock:",
      test: 10,
      dev: 5,
      seeds: [seed],
      specialists: ["majority", "majority"],
    };
    return runStudy(parseStudy(toneStudy(written), "test"), { base: folder, store });
  };
  await run(1);
  const { study, tasks, subjects } = await run(2);
  const opened = openStudy(store, study);
  const outcomes = [...opened.outcomes()];
  opened.close();
  // The two majorities are one subject; the outcomes of seed 1 lie under the same ids.
  expect(new Set(subjects.flatMap(({ ids }) => ids)).size).toBe(2);
  expect(new Set(outcomes.map(({ seed }) => seed))).toEqual(new Set([2]));
  expect(outcomes).toHaveLength(2 * (tasks[0]?.counts.test ?? 0));
});

it("says that it waits for another study which makes the same specialist, and a stop ends the wait", async () => {
  let [fits, finish] = [0, () => {}];
  const slow = defineSpecializer<null>({
    name: "slow",
    fit: async () => {
      fits++;
      await new Promise<void>((resolve) => (finish = resolve));
      return null;
    },
    behave: () => ({ prepare: (query) => query }),
  });
  const entry = { make: () => slow, options: z.strictObject({}), summary: "", paper: "", leaf: null };
  const run = (name: string, more: Partial<RunOptions> = {}) =>
    runStudy(
      parseStudy(toneStudy({ name, model: "mock:", dev: 5, test: 10, specialists: ["slow"] }), "test"),
      {
        ...{ base: folder, store: join(folder, "waits"), ...more },
        use: { specializers: { ...specializers, slow: entry } } as never,
      },
    );
  const first = run("one");
  await vi.waitFor(() => expect(fits).toBe(1));
  const stop = new AbortController();
  const said: string[] = [];
  const second = await run("two", {
    drain: stop.signal,
    onEvent(event) {
      if (event.type !== "progress" || !event.note?.includes("waiting")) return;
      said.push(event.note);
      stop.abort();
    },
  });
  expect([second.stopped, fits]).toEqual(["by hand", 1]);
  expect(said[0]).toMatch(
    new RegExp(`waiting for process ${process.pid} on .*, which is making the same specialist`),
  );
  finish();
  expect((await first).stopped).toBeNull();
});
