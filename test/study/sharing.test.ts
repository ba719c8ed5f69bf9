// A list of specializers shares what its first one learnt with the rest of the study, where that is the same thing: on the
// study's own subject and all of train. Inside combinators that change either, it is fitted again.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { z } from "zod";
import { defineSpecializer, specializers } from "../../src/specializers/index.js";
import { runStudy } from "../../src/study/run.js";
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
  const { results } = await run();
  clock.mockRestore();
  const seconds = results.find(({ subject }) => subject.startsWith("slow"))?.build.seconds as number;
  expect(seconds).toBeGreaterThan(200);
  expect(seconds).toBeLessThan(260);
});
