// What a run tells of itself: the share of time that is over, what is left, and what was spent.

import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Cost, noCost } from "../../src/core/call.js";
import { usableCores } from "../../src/core/cores.js";
import { share } from "../../src/core/metric.js";
import { startMockServer } from "../../src/models/mock-server.js";
import { makeSpecializer } from "../../src/specializers/index.js";
import { planStudy, renderPlan } from "../../src/study/dryrun.js";
import {
  asksWhileTrained,
  ceilingSeconds,
  needsTraining,
  readingSeconds,
  trainingSeconds,
} from "../../src/study/effort.js";
import type { StudyEvent } from "../../src/study/events.js";
import { makeProgress, type Stretch } from "../../src/study/progress.js";
import { runStudy } from "../../src/study/run.js";
import { toneSpec, writeTones } from "./fixture.js";

type Told = Extract<StudyEvent, { type: "progress" }>;
const task = { name: "tone", metric: share("accuracy") };
const stretch = (phase: Stretch["phase"], subject: string, total: number): Stretch => ({
  phase,
  subject,
  task,
  seed: 1,
  total,
});

describe("progress", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
  afterEach(() => void vi.useRealTimers());

  /** A study of three subjects: one that is quick, one four times as slow, one that asks no model. */
  function study(made: { tune: number }) {
    const seconds: Record<string, number> = { zeroShot: 1, knn: 4, linear: 0.001 };
    const names = Object.keys(seconds);
    const plan = [
      ...names.map((name) => stretch("fit", name, 0)),
      ...names.map((name) => stretch("dev", name, 10)),
      ...names.map((name) => stretch("test", name, 40)),
    ];
    const told: (Told & { at: number })[] = [];
    let spent: Cost = noCost;
    const progress = makeProgress(
      plan,
      (event) => {
        if (event.type === "progress") told.push({ ...event, at: performance.now() / 1000 });
      },
      () => spent,
    );
    for (const name of names) progress.fitSeconds(name, 1, name === "knn" ? made.tune : 0);
    for (const one of plan) {
      progress.begin(one);
      if (one.phase === "fit") {
        const steps = one.subject === "knn" ? made.tune : 0;
        for (let i = 1; i <= steps; i++) {
          vi.advanceTimersByTime(1000);
          progress.note(i, steps);
        }
        progress.end();
        const efforts: Record<string, number> = { zeroShot: 100, knn: 400, linear: 0 };
        progress.effort(one.subject, efforts[one.subject]);
        continue;
      }
      for (let i = 0; i < one.total; i++) {
        const each = seconds[one.subject] as number;
        vi.advanceTimersByTime(1000 * each);
        const cost = { ...noCost, calls: one.subject === "linear" ? 0 : 1, inputTokens: 7, ms: 1000 * each };
        if (one.subject !== "linear")
          spent = { ...spent, calls: spent.calls + 1, inputTokens: spent.inputTokens + 7 };
        progress.sample(1, cost);
      }
      progress.end();
    }
    return told;
  }

  it("has a time left that falls and is right before the slow subject was asked at all", () => {
    const told = study({ tune: 50 });
    const end = told.at(-1)?.at as number;
    const reckoned = told.filter(({ etaSeconds }) => etaSeconds !== null);
    expect(reckoned[0]).toMatchObject({ phase: "dev", subject: "zeroShot" });
    for (const { etaSeconds, at } of reckoned)
      expect(Math.abs((etaSeconds as number) - (end - at)), `${at}`).toBeLessThan(3 + 0.1 * (end - at));
    for (const [i, { etaSeconds }] of reckoned.entries())
      if (i > 0)
        expect(etaSeconds as number).toBeLessThanOrEqual((reckoned[i - 1]?.etaSeconds as number) + 1);
  });

  it("has a share that counts the making of specialists, never falls, and ends at 1", () => {
    const told = study({ tune: 250 });
    const at = (phase: string) => told.findLast((one) => one.phase === phase)?.share as number;
    // Making took 250 of 500 seconds. How long answers take is a guess until the first are there.
    expect(at("fit")).toBeGreaterThan(0.25);
    expect(at("dev")).toBeGreaterThan(0.5);
    expect(at("dev")).toBeLessThan(0.7);
    for (const [i, { share }] of told.entries())
      if (i > 0) expect(share).toBeGreaterThanOrEqual(told[i - 1]?.share as number);
    expect(told.at(-1)?.share).toBe(1);
  });

  it("takes what the journal gives for what it is: done in no time, paid by nobody", () => {
    const plan = [stretch("dev", "zeroShot", 20), stretch("test", "zeroShot", 20)];
    const told: Told[] = [];
    let spent: Cost = noCost;
    const progress = makeProgress(
      plan,
      (event) => event.type === "progress" && told.push(event),
      () => spent,
    );
    progress.effort("zeroShot", 100);
    const cost = { ...noCost, calls: 1, inputTokens: 50, ms: 2000, usd: 1 };
    progress.begin(plan[0] as Stretch);
    // Fifteen outcomes are there, one has its call in the journal, four are asked for.
    for (let i = 0; i < 15; i++) progress.sample(1, noCost);
    progress.sample(1, cost);
    for (let i = 0; i < 4; i++) {
      vi.advanceTimersByTime(2000);
      spent = { ...spent, calls: spent.calls + 1, inputTokens: spent.inputTokens + 50, usd: spent.usd + 1 };
      progress.sample(1, cost);
    }
    progress.end();
    expect(told.at(-1)).toMatchObject({ doneAll: 20, tokens: 200, usd: 4, etaSeconds: 40, share: 0.5 });
  });
});

describe("a study", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "hone-progress-"));
    writeTones(join(folder, "tones.jsonl"), 300);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("tells its share and what is left until all is done, and pays nothing the second time", async () => {
    const server = await startMockServer({ model: "?skill=0.9", latencyMs: 20 });
    process.env.OPENAI_API_KEY = "sk-test";
    try {
      const spec = toneSpec({
        model: `openai:m?base=${server.url}&score=top&concurrency=2&price=1,1`,
        specialists: [{ fewShot: { k: 3 } }, "calibrate", "linear"],
        dev: 10,
        test: 20,
        extra: { handOver: 5 },
      });
      const run = async () => {
        const told: Told[] = [];
        const onEvent = (event: StudyEvent) => void (event.type === "progress" && told.push(event));
        await runStudy(spec, { store: join(folder, "store"), base: folder, onEvent });
        return told;
      };
      const first = await run();
      expect(first.at(-1)).toMatchObject({ share: 1, etaSeconds: 0, doneAll: 120, totalAll: 120 });
      expect(first.some(({ phase, etaSeconds }) => phase === "test" && (etaSeconds ?? 0) > 0)).toBe(true);
      expect(first.at(-1)?.usd).toBeGreaterThan(0);
      for (const { tokens, usd } of await run()) expect([tokens, usd]).toEqual([0, 0]);
    } finally {
      delete process.env.OPENAI_API_KEY;
      await server.close();
    }
  }, 60_000);

  it("knows about how long trainings and answers take a model whose weights are here", () => {
    const path = join(folder, "model.gguf");
    writeFileSync(path, "");
    truncateSync(path, 135_000_000);
    const nobody = () => {
      throw new Error("nothing is loaded for an estimate");
    };
    const model = { weights: { path, tokenize: nobody, specialize: nobody, states: nobody } };
    const lora = (options: object) =>
      trainingSeconds(model, makeSpecializer({ lora: options }, "test"), 200, 60) as number;
    const two = lora({ epochs: 2, learningRate: 0.001 });
    // 24,000 tokens, at 270 a second on two cores.
    expect(two * Math.max(1, usableCores() / 2)).toBeCloseTo(90, -1);
    expect(lora({ epochs: 4, learningRate: 0.001 })).toBeCloseTo(2 * two);
    // What chooses the rate by short trainings takes longer.
    expect(lora({ epochs: 2 })).toBeGreaterThan(1.5 * two);
    const chain = makeSpecializer(
      [{ lora: { epochs: 2, learningRate: 0.001 } }, { fewShot: { k: 2 } }],
      "test",
    );
    expect(trainingSeconds(model, chain, 200, 60)).toBeCloseTo(two);
    expect(trainingSeconds(model, makeSpecializer("majority", "test"), 200, 60)).toBe(0);
    expect(trainingSeconds({}, makeSpecializer("lora", "test"), 200, 60)).toBeNull();
    expect(readingSeconds(model, 1000)).toBeGreaterThan(0);
    expect(readingSeconds({}, 1000)).toBeNull();
    const most = readingSeconds(model, 1000) as number;
    expect(ceilingSeconds({ tokens: 1000, seconds: 36_000 }, model)).toBe(most);
    expect(ceilingSeconds({ tokens: 1000, seconds: most / 2 }, model)).toBe(most / 2);
    expect(ceilingSeconds({ tokens: 1000, seconds: 7 }, {})).toBe(7);
    expect(ceilingSeconds({ calls: 5 }, model)).toBeNull();
  });

  it("says beforehand that an endpoint's time is not known", async () => {
    const spec = toneSpec({ model: "mock:?skill=0.9" });
    const plan = await planStudy(spec, { store: join(folder, "none"), base: folder });
    expect(plan.seconds).toEqual({ training: 0, answers: null });
    expect(renderPlan(plan)).toMatch(/How long the answers take depends on the endpoint/);
  });
});

it.each([
  ["lora", true],
  ["probe", true],
  [{ stack: { of: ["linear", "probe"] } }, true],
  [{ stack: { of: ["linear", { fewShot: { k: 2 } }] } }, false],
  ["linear", false],
  ["setfit", true],
  [{ stack: { of: ["linear", "setfit"] } }, true],
  [{ wordVectors: { corpora: "file:c.tsv", dictionaries: "file:d.tsv" } }, true],
  [{ lesion: { cut: ["callosum"] } }, false],
])(
  "a dry run makes no specialist that is trained or made of a language model's states: %j",
  (written, made) => {
    expect(needsTraining(makeSpecializer(written, "test"))).toBe(made);
  },
);

it.each([
  ["lora", false],
  [{ stack: { of: ["linear", "lora"] } }, true],
  [{ bestOf: { of: ["zeroShot", "lora"] } }, true],
  [{ selfSpecialize: { pairs: 10 } }, true],
  [["optimize", "lora"], true],
  [{ average: { use: { stack: { of: ["linear", "lora"] } } } }, true],
  // What it asks is counted by making it.
  [{ stack: { of: ["linear", { fewShot: { k: 2 } }] } }, false],
])(
  "a dry run says what it leaves out: the calls of one that is trained and asks, as of %j",
  (written, asks) => {
    expect(asksWhileTrained(makeSpecializer(written, "test"))).toBe(asks);
  },
);
