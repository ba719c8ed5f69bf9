// How the generalist is asked: what the study file leaves open is decided on dev, for all subjects alike, kept in the record
// and in what is handed over; what it fixes stays.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CallError, noCost } from "../../src/core/call.js";
import type { LanguageModel, ScoreRequest } from "../../src/core/model.js";
import { renderSummary } from "../../src/report/terminal.js";
import { planStudy } from "../../src/study/dryrun.js";
import { type RunOptions, runStudy } from "../../src/study/run.js";
import { parseStudy } from "../../src/study/spec.js";
import { loadSpecialist } from "../../src/study/specialist.js";
import { toneStudy, tones, writeTones } from "./fixture.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hone-asking-"));
  writeTones(join(folder, "tones.jsonl"), 200);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Knows the answer only where it is asked without a template and by the options' texts; else the first option it is. */
function picky(asked: ScoreRequest[] = []): LanguageModel {
  return {
    id: "picky",
    name: "picky",
    grants: new Set(["text", "logprobs"]),
    format: "chat",
    formats: ["chat", "plain"],
    concurrency: 4,
    score: async (request) => {
      asked.push(request);
      const text = request.messages.map(({ content }) => content).join("\n");
      const tone = /A (polite|rude|neutral) \w+ number/.exec(text.slice(text.lastIndexOf("A ")))?.[1];
      const byText = request.options.some((option) => option.trim().length > 1);
      const knows = byText && request.format === "plain";
      const options = request.options.map((option, i) => ({
        logprob: (knows ? option.trim() === tone : i === 0) ? -0.1 : -3,
        tokens: 1,
      }));
      return { options, cost: { ...noCost, calls: 1 } };
    },
    generate: async () => ({ text: "", finish: "stop", cost: { ...noCost, calls: 1 } }),
    close: async () => {},
  };
}

const open =
  (asked?: ScoreRequest[]): NonNullable<RunOptions["open"]> =>
  async () =>
    picky(asked);
const study = (task: object = {}, more: object = {}) => {
  const written = toneStudy({
    model: "mock:",
    dev: 40,
    test: 60,
    specialists: [{ fewShot: { k: 2 } }, "majority"],
  });
  const { answerBy: _answerBy, scoring: _scoring, ...rest } = written.task as Record<string, unknown>;
  return parseStudy({ ...written, task: { ...rest, ...task }, ...more }, "test");
};

describe("a study that leaves open how it asks", () => {
  it("takes the way that is best on dev, for all subjects, and hands it over", async () => {
    const asked: ScoreRequest[] = [];
    const record = await runStudy(study(), { base: folder, store: join(folder, "open"), open: open(asked) });
    const [card] = record.tasks;
    expect(card?.asked?.way).toBe("text, sum, plain");
    expect(card?.asked?.tried.map(({ way }) => way)).toEqual([
      ...["label, sum, chat", "label, sum, plain", "label, prior, chat", "label, prior, plain"],
      ...["text, sum, chat", "text, sum, plain", "text, mean, chat", "text, mean, plain"],
      ...["text, prior, chat", "text, prior, plain"],
    ]);
    const means = new Map(record.results.map(({ subject, mean }) => [subject, mean]));
    expect(means.get("zeroShot")).toBe(1);
    expect(means.get("fewShot(k=2)")).toBe(1);
    // The way was chosen by the generalist's dev score, so that score is no fair one.
    expect(Object.fromEntries(record.results.map(({ subject, dev }) => [subject, dev?.optimistic]))).toEqual({
      zeroShot: true,
      "fewShot(k=2)": undefined,
      majority: undefined,
    });
    expect(record.handOver).toMatchObject({ n: 20, agree: 20 });
    const loaded = await loadSpecialist(join(process.cwd(), record.handOver?.path as string), {
      signal: new AbortController().signal,
      open: open(),
    });
    expect(loaded.saved.format).toBe("plain");
    expect(loaded.saved.task.options).toMatchObject({ answerBy: "text", scoring: "sum" });
    const summary = renderSummary(record, { colour: false, width: 200 });
    expect(summary).toContain(
      "All subjects are asked by text, sum, plain, the generalist's best of 10 ways on dev",
    );

    const calls = asked.length;
    const again = await runStudy(study(), { base: folder, store: join(folder, "open"), open: open(asked) });
    expect(again.results).toEqual(record.results);
    expect(asked.length - calls).toBeLessThanOrEqual(20);
  });

  it("says where answers were missing when it chose, and asks for them again with --retry-errors", async () => {
    let down = true;
    const flaky = async () => {
      const model = picky();
      const score: LanguageModel["score"] = async (request, context) => {
        const byText = request.options.some((option) => option.trim().length > 1);
        if (down && byText) throw new CallError("timeout", "no answer");
        return (model.score as NonNullable<LanguageModel["score"]>)(request, context);
      };
      return { ...model, score };
    };
    const options = { base: folder, store: join(folder, "flaky"), open: flaky };
    const first = await runStudy(study(), options);
    expect(first.tasks[0]?.asked?.way).toMatch(/^label/);
    expect(first.warnings?.filter((text) => text.includes("126 of 210 answers"))).toHaveLength(1);
    down = false;
    expect((await runStudy(study(), options)).tasks[0]?.asked?.way).toBe(first.tasks[0]?.asked?.way);
    const again = await runStudy(study(), { ...options, retryErrors: true });
    expect(again.tasks[0]?.asked?.way).toBe("text, sum, plain");
    expect(again.warnings?.filter((text) => text.includes("--retry-errors"))).toEqual([]);
  });

  it("asks what it has fixed, and tries the rest", async () => {
    const record = await runStudy(study({ answerBy: "label" }), {
      ...{ base: folder, store: join(folder, "label"), open: open() },
    });
    expect(record.tasks[0]?.asked?.tried.map(({ way }) => way.split(",")[0])).toEqual(Array(4).fill("label"));
    expect(record.results.find(({ subject }) => subject === "zeroShot")?.mean).toBeLessThan(0.6);
  });

  it("marks dev scores where dev chose within a subject, and no others", async () => {
    const of = { of: ["zeroShot", { fewShot: { k: 2 } }] };
    const fixed = { answerBy: "label", scoring: "sum" };
    const record = await runStudy(study(fixed, { specialists: [{ bestOf: of }, { fewShot: { k: 1 } }] }), {
      ...{
        base: folder,
        store: join(folder, "marked"),
        open: async () => ({ ...picky(), formats: ["plain"] }),
      },
    });
    expect(record.results.map(({ subject, dev }) => [subject, dev?.optimistic])).toEqual([
      ["zeroShot", undefined],
      ["bestOf(zeroShot | fewShot(k=2))", true],
      ["fewShot(k=1)", undefined],
    ]);
  });

  it("says in a dry run how many calls that takes", async () => {
    const plan = await planStudy(study(), { store: join(folder, "dry"), base: folder });
    // The mock has one format: five ways, of which the two that correct by a prior ask twice a sample.
    expect(plan.asking).toBe(7 * (plan.tasks[0]?.counts.dev as number));
    expect(plan.calls).toBeGreaterThan(plan.asking);
  });
});

it("tries nothing where everything is fixed", async () => {
  const fixed = study({ answerBy: "text", scoring: "mean" }, { model: "mock:" });
  const record = await runStudy(fixed, { base: folder, store: join(folder, "fixed") });
  expect(record.tasks[0]).not.toHaveProperty("asked");
  expect(Object.keys(tones)).toHaveLength(3);
});

it("stops before test where no answer could be scored in any way, and says why", async () => {
  const silent = async (): Promise<LanguageModel> => ({
    ...picky(),
    score: async () => {
      throw new CallError("no-logprobs", "the endpoint returned no top_logprobs; use `scoring: parse`");
    },
  });
  const run = runStudy(study(), { base: folder, store: join(folder, "silent"), open: silent });
  await expect(run).rejects.toThrow(
    /No answer of picky on dev could be scored, in any of 10 ways.*use `scoring: parse`/s,
  );
});
