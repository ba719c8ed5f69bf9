// A hostile endpoint ends in a complete study: what it spoils is unscored with its cause, and what is scored is what an
// honest endpoint would have given. Never a wrong "wrong".

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CallContext, CallError } from "../../src/core/call.js";
import type { ScoreRequest } from "../../src/core/model.js";
import type { Outcome } from "../../src/core/outcome.js";
import type { StudyRecord } from "../../src/core/record.js";
import { type Behaviour, behaviours, startMockServer } from "../../src/models/mock-server.js";
import { openStudy } from "../../src/study/open.js";
import { runStudy } from "../../src/study/run.js";
import { wholeMock } from "../models/whole.js";
import { toneSpec, writeTones } from "./fixture.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hone-hostile-"));
  writeTones(join(folder, "tones.jsonl"), 400);
  process.env.OPENAI_API_KEY = "sk-secret-of-the-hostile-test";
});
afterAll(() => {
  delete process.env.OPENAI_API_KEY;
  rmSync(folder, { recursive: true, force: true });
});

async function study(name: string, behaviour: Partial<Record<Behaviour, number>>, scoring: string) {
  const server = await startMockServer({
    behaviour,
    model: "?skill=0.8&seed=5",
    latencyMs: 1,
    retryAfter: "0.05",
  });
  try {
    const spec = toneSpec({
      name,
      model: `openai:m?base=${server.url}&score=top&retries=1&timeout=0.2&totalTimeout=0.6&backoff=0.01&concurrency=8&maxBytes=200000`,
      specialists: [{ fewShot: { k: 2 } }, "majority"],
      scoring,
      dev: 8,
      test: 40,
      extra: { handOver: 0 },
    });
    const record = await runStudy(spec, { base: folder, store: join(folder, name) });
    const opened = openStudy(join(folder, name), name);
    const outcomes = [...opened.outcomes()];
    opened.close();
    return { record, outcomes };
  } finally {
    await server.close();
  }
}

/** Outcomes by subject's place in the study and sample. */
function byPlace(record: StudyRecord, outcomes: readonly Outcome[]): Map<string, Outcome> {
  const place = (id: string) => record.subjects.findIndex(({ ids }) => ids.includes(id));
  return new Map(outcomes.map((outcome) => [`${place(outcome.subject)} ${outcome.sample}`, outcome]));
}

describe.each(["sum", "parse"])("a study over a hostile endpoint, scoring %s", (scoring) => {
  it("is complete, and never calls a failure wrong", async () => {
    const honest = await study(`honest-${scoring}`, {}, scoring);
    expect(honest.record.results.every(({ unscored }) => unscored === 0)).toBe(true);
    // Refusals stand for a wrong key, and a key in the answer's text for a text; both have tests of their own.
    const left = new Set<Behaviour>(["echo-key", "key-in-answer"]);
    const mixed = behaviours.filter((one) => !left.has(one));
    const rates = Object.fromEntries(mixed.map((one) => [one, 0.5 / mixed.length]));
    const hostile = await study(`hostile-${scoring}`, rates, scoring);

    const truth = byPlace(honest.record, honest.outcomes);
    const seen = byPlace(hostile.record, hostile.outcomes);
    expect([...seen.keys()].sort()).toEqual([...truth.keys()].sort());
    const causes = new Set<string>();
    for (const [key, { grade }] of seen) {
      if (grade.status === "unscored") causes.add(grade.cause);
      else expect(grade, key).toMatchObject({ prediction: gradeOf(truth.get(key))?.prediction });
    }
    expect(causes.size).toBeGreaterThanOrEqual(3);
    for (const result of hostile.record.results) {
      expect(result.n + result.unscored).toBe(40);
      expect(Object.values(result.causes).reduce((a, b) => a + b, 0)).toBe(result.unscored);
      expect(result.bounds[0]!).toBeLessThanOrEqual(result.bounds[1]!);
    }
    expect(hostile.record.results.some(({ unscored }) => unscored > 3)).toBe(true);
    expect(JSON.stringify(hostile)).not.toContain("sk-secret");
  }, 120_000);
});

function gradeOf(outcome: Outcome | undefined) {
  return outcome?.grade.status === "scored" ? outcome.grade : undefined;
}

it("a server without log-probabilities leaves everything unscored, and the record says why", async () => {
  const { record } = await study("no-logprobs", { "no-logprobs": 1 }, "sum");
  for (const { subject, n, unscored, causes } of record.results) {
    if (subject === "majority") continue;
    expect([n, unscored, causes]).toEqual([0, 40, { "no-logprobs": 40 }]);
  }
  expect(record.verdict?.champion).toBe("majority");
}, 60_000);

it("a specialist that the model fails to make stays unscored with that cause, and the others are measured", async () => {
  writeTones(join(folder, "tones.jsonl"), 400);
  // Calibration asks about content-free inputs while it is made, and this model refuses just those.
  const spec = toneSpec({
    name: "unmade",
    model: "mock:?skill=0.8",
    specialists: ["calibrate"],
    extra: { handOver: 0 },
  });
  const open = async () => {
    const model = await wholeMock("?skill=0.8");
    return {
      ...model,
      score: async (request: ScoreRequest, context: CallContext) => {
        if (request.messages.at(-1)?.content.includes("N/A")) throw new CallError("server-error", "no");
        return model.score(request, context);
      },
    };
  };
  const record = await runStudy(spec, { base: folder, store: join(folder, "unmade"), open });
  const [zero, calibrated] = record.results;
  expect([zero?.n, zero?.unscored]).toEqual([60, 0]);
  expect([calibrated?.n, calibrated?.causes]).toEqual([0, { "not made: server-error": 60 }]);
  expect(record.verdict?.champion).toBe("zeroShot");
});

it("tells which specialists were made without the answers of failed calls, and makes them again with retryErrors", async () => {
  const specialists = [
    { bestOf: { of: ["zeroShot", { fewShot: { k: 2 } }] } },
    { stack: { of: ["zeroShot", { knn: { k: 3 } }], folds: 3 } },
  ];
  // How often a mock fails is no part of its identity.
  const specOf = (errors: string) =>
    toneSpec({
      ...{ name: "lost", model: `mock:?skill=0.8&seed=6${errors}`, specialists, dev: 20, test: 30 },
      extra: { handOver: 0 },
    });
  const store = join(folder, "lost");
  const meansOf = ({ results }: StudyRecord) => results.map(({ subject, mean }) => [subject, mean]);
  const told = ({ warnings = [] }: StudyRecord) =>
    warnings.filter((one) => /failed while .* was made/.test(one));
  const spoilt = await runStudy(specOf("&errors=500:0.35&retries=0"), { base: folder, store });
  expect(told(spoilt)).toHaveLength(2);
  // Without retryErrors what was made stays, and so does the warning.
  expect(told(await runStudy(specOf(""), { base: folder, store }))).toHaveLength(2);
  const again = await runStudy(specOf(""), { base: folder, store, retryErrors: true });
  expect(told(again)).toEqual([]);
  const fresh = await runStudy(specOf(""), { base: folder, store: join(folder, "never lost") });
  expect(meansOf(again)).toEqual(meansOf(fresh));
});

it("asks again for more samples than a dead endpoint may fail on, and ends where they fail as before", async () => {
  const spec = toneSpec({ name: "again", model: "mock:?skill=0.8", extra: { handOver: 0 } });
  let asked = 0;
  const open = async () => {
    const model = await wholeMock("?skill=0.8");
    return {
      ...model,
      score: async (request: ScoreRequest, context: CallContext) => {
        asked++;
        if (/ \d*[02468]\b/.test(request.messages.at(-1)?.content ?? ""))
          throw new CallError("server-error", "no");
        return model.score(request, context);
      },
    };
  };
  const options = { base: folder, store: join(folder, "again"), open };
  const first = await runStudy(spec, options);
  const failed = first.results[0]?.unscored ?? 0;
  expect(failed).toBeGreaterThan(8);
  asked = 0;
  const again = await runStudy(spec, { ...options, retryErrors: true });
  expect(again.results[0]?.causes).toEqual({ "server-error": failed });
  expect(asked).toBeGreaterThanOrEqual(failed);
});
