// A study of motor controllers from end to end, small: what is said of subjects in general holds for those that move.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { StudyRecord } from "../../src/core/record.js";
import { predict } from "../../src/deploy/predict.js";
import type { ControllerSubject } from "../../src/motor/subject.js";
import { openStudy } from "../../src/study/open.js";
import { runStudy } from "../../src/study/run.js";
import { parseStudy } from "../../src/study/spec.js";
import { loadSpecialist } from "../../src/study/specialist.js";

const root = mkdtempSync(join(tmpdir(), "hone-motor-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const { signal } = new AbortController();

const small = { units: 8, layers: 2, updates: 30, batch: 8, learningRate: 0.01 };
const one = { bilateral: { hemispheres: 1, ...small } };
const two = { bilateral: small };
const study = (more: object = {}) => ({
  study: "movements",
  model: "motor:arm26",
  task: { name: "hold", kind: "motor", movement: "hold", steps: 8, data: { train: 64, dev: 8, test: 24 } },
  elsewhere: [
    {
      name: "pushed",
      kind: "motor",
      movement: "hold",
      load: 40,
      steps: 8,
      data: { train: 1, dev: 0, test: 8 },
    },
  ],
  specialists: [one, two, [two, { lesion: { cut: ["callosum"] } }]],
  seeds: [1, 2],
  ...more,
});
const run = (value: object, store: string): Promise<StudyRecord> =>
  runStudy(parseStudy(value, "test"), { store: join(root, store) });

describe("a study of movements", () => {
  it("fits, measures, chooses the least error, hands over, and is the same again at once", async () => {
    const record = await run(study(), "a");
    expect(record.stopped).toBeNull();
    const on = (subject: string) =>
      record.results.find((one) => one.subject === subject && one.task === "hold");
    expect(record.results.map(({ metric, n }) => [metric, n])).toEqual([
      ...Array(4).fill(["error", 24]),
      ...Array(4).fill(["error", 8]),
    ]);
    const champion = record.verdict?.champion as string;
    const devs = record.results.filter(({ task }) => task === "hold").map(({ dev }) => dev?.mean as number);
    expect(on(champion)?.dev?.mean).toBe(Math.min(...devs));
    // Learning to hold still is better than a controller that has learnt nothing, and the verdict says so.
    expect(on(champion)?.mean).toBeLessThan(on("zeroShot")?.mean as number);
    expect(record.verdict?.text).toMatch(
      /scores 0\.\d+ m error on 24[\s\S]*better than zeroShot by −0\.\d+ m/,
    );
    expect(record.handOver).toMatchObject({ n: 20, agree: 20 });
    // A movement is drawn, not read: there is nothing to predict of rows, and the error says so.
    await expect(predict("movements", [], { store: join(root, "a") })).rejects.toThrow(
      /cannot answer rows[\s\S]*a motor subject, and its task is of kind motor[\s\S]*compare it in a study/,
    );
    expect(Object.keys(on(champion)?.details ?? {})).toEqual(
      expect.arrayContaining(["finalError", "peakSpeed", "jerk", "effort", "settling", "spread"]),
    );
    const opened = openStudy(join(root, "a"), "movements");
    const steps = [...opened.outcomes()].flatMap(({ grade }) => grade.trail ?? []);
    opened.close();
    expect(steps.every(({ kind }) => kind === "movement")).toBe(true);
    // Six trials of each of seven fitted controllers on both tasks.
    expect(steps).toHaveLength(2 * 6 * 7);
    const started = performance.now();
    const again = await run(study(), "a");
    expect(again.results).toEqual(record.results);
    expect(performance.now() - started).toBeLessThan(3000);
  });

  it("trains seeds side by side as it trains each alone", async () => {
    const together = await run(study(), "a");
    const alone = await run(study({ seeds: [2], specialists: [two] }), "b");
    const name = "bilateral(specialized, cc, 2x4)";
    const idOf = (record: StudyRecord, seed: number) => {
      const card = record.subjects.find((subject) => subject.name === name);
      return card?.ids[card.seeds.indexOf(seed)];
    };
    // The id is the fingerprint of the weights.
    expect(idOf(alone, 2)).toBe(idOf(together, 2));
    expect(idOf(together, 1)).not.toBe(idOf(together, 2));
  });

  it("hands over a controller that can be loaded and moved", async () => {
    const record = await run(study({ specialists: [two] }), "c");
    const path = join(root, "c", "specialists", "movements.json");
    const { subject, close } = await loadSpecialist(path, { signal });
    if (subject.kind !== "motor") throw new Error(subject.kind);
    const trial = { joints: [1, 1], target: [0.2, 0.3], steps: 4 } as const;
    const movement = await subject.respond(trial, { signal });
    expect(movement.hand).toHaveLength(5);
    expect(record.handOver?.subject).toBe(subject.id);
    expect((subject as ControllerSubject).controller.shape.hemispheres).toBe(2);
    await close();
  });

  it.each<[string, object, RegExp]>([
    ["a prompt for a body", { specialists: ["fewShot"] }, /fewShot.* is not for .*arm26[\s\S]*language/],
    [
      "a text task for a body",
      { task: { name: "t", kind: "choice", data: { source: "x.jsonl", input: "a", label: "b" } } },
      /x\.jsonl|is not for/,
    ],
    ["a cut of nothing", { specialists: [[one, { lesion: { cut: ["callosum"] } }]] }, /no callosum/],
    ["noise in training", { task: { ...study().task, noise: { vision: 0.1 } } }, /trials are noisy/],
    [
      "no trials to learn from",
      { task: { ...study().task, data: { train: 0, dev: 1, test: 2 } } },
      /bilateral has no train samples/,
    ],
    ["no such body", { model: "motor:leg" }, /There is no such body/],
    [
      "a callosum of one",
      { specialists: [{ bilateral: { hemispheres: 1, callosum: "pooled" } }] },
      /two hemispheres/,
    ],
  ])("refuses %s with one error", async (name, more, message) => {
    await expect(run(study({ ...more, study: name.replaceAll(" ", "-") }), "d")).rejects.toThrow(message);
  });

  it("refuses a controller for a language model", async () => {
    const value = { ...study(), model: "mock:" };
    await expect(run(value, "e")).rejects.toThrow(/is not for mock[\s\S]*motor/);
  });
});
