// What a study warns of, and that each of its surfaces shows it.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { share } from "../../src/core/metric.js";
import type { Result, StudyRecord, SubjectCard } from "../../src/core/record.js";
import { openMock } from "../../src/models/mock.js";
import { renderSummary } from "../../src/report/terminal.js";
import { specializers } from "../../src/specializers/index.js";
import { defineSpecializer } from "../../src/specializers/parts/define.js";
import { planStudy, renderPlan } from "../../src/study/dryrun.js";
import { openStudy } from "../../src/study/open.js";
import { runStudy } from "../../src/study/run.js";
import { parseStudy, type StudySpec } from "../../src/study/spec.js";
import { belowMajority, tookNone, untrained, unwritten } from "../../src/study/warnings.js";
import { toneStudy, writeTones } from "./fixture.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hone-warnings-"));
  writeTones(join(folder, "tones.jsonl"), 900);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let stores = 0;
const store = (): string => join(folder, `store-${stores++}`);

/** The tone study over other data or limits. */
function spec(
  name: string,
  data: Record<string, unknown>,
  model = "mock:?skill=0.9&seed=1",
  more: object = {},
): StudySpec {
  const study = toneStudy({ name, model, specialists: [{ fewShot: { k: 3 } }], extra: { ...more } });
  const task = study.task as { data: Record<string, unknown> };
  task.data = { ...task.data, ...data };
  return parseStudy(study, "test");
}

/** Rows of one tone each, as many as are asked for. */
function rowsOf(name: string, counts: Record<string, number>): string {
  const lines = Object.entries(counts).flatMap(([tone, count]) =>
    Array.from({ length: count }, (_, i) => ({
      id: `${tone}${i}`,
      text: `Text ${i} of ${tone}, ${(i * 7919) % 1000}`,
      tone,
    })),
  );
  writeFileSync(join(folder, name), lines.map((line) => JSON.stringify(line)).join("\n"));
  return `file:${name}`;
}

const run = (study: StudySpec, options: Parameters<typeof runStudy>[1] = {}): Promise<StudyRecord> =>
  runStudy(study, { store: store(), base: folder, ...options });
const about = (record: { warnings?: string[] }, what: RegExp): string[] =>
  (record.warnings ?? []).filter((text) => what.test(text));

describe("the data", () => {
  test("few test samples, and fewer than asked for with the reason; neither where there are enough", async () => {
    const small = await planStudy(spec("small", { limit: { dev: 20, test: 60 } }), {
      store: store(),
      base: folder,
    });
    expect(about(small, /only 60 test samples: .* ± 13 points/)).toHaveLength(1);
    expect(about(small, /asked for/)).toEqual([]);
    const less = await planStudy(spec("less", { limit: { dev: 20, test: 600 } }), {
      store: store(),
      base: folder,
    });
    expect(
      about(less, /^tone: \d+ test samples of the 600 asked for: test is 20 % of the rows/),
    ).toHaveLength(1);
    const enough = await planStudy(spec("enough", { limit: { dev: 20, test: 120 } }), {
      store: store(),
      base: folder,
    });
    expect(enough.warnings).toEqual([]);
  });

  test("one label, one label that nearly all have, and labels with hardly a sample", async () => {
    const plan = (name: string, counts: Record<string, number>) =>
      planStudy(spec(name, { source: rowsOf(`${name}.jsonl`, counts), limit: { dev: 20 } }), {
        store: store(),
        base: folder,
      });
    expect(
      about(await plan("one", { p: 700 }), /every sample of train and dev has the label "polite"/),
    ).toHaveLength(1);
    const skewed = await plan("skewed", { p: 900, r: 90, n: 4 });
    expect(about(skewed, /^tone: 9\d.*% of train has the label "polite".*macroF1/)).toHaveLength(1);
    expect(about(skewed, /1 of 3 labels have fewer than 5 training samples: "neutral"/)).toHaveLength(1);
    expect(about(await plan("even", { p: 300, r: 300, n: 300 }), /label/)).toEqual([]);
  });

  test("prompts beyond the context are counted in the dry run", async () => {
    const source = "file:long.jsonl";
    const rows = Array.from({ length: 900 }, (_, i) => ({
      id: `l${i}`,
      text: `A polite letter ${i} ${"word ".repeat(i % 3 === 0 ? 3000 : 5)}${i}`,
      tone: i % 2 ? "p" : "r",
    }));
    writeFileSync(join(folder, "long.jsonl"), rows.map((row) => JSON.stringify(row)).join("\n"));
    const study = spec(
      "long",
      { source, limit: { dev: 60, test: 120 } },
      "mock:?skill=0.9&seed=1&context=1000",
    );
    const plan = await planStudy(study, { store: store(), base: folder });
    const [told] = about(plan, /^zeroShot: the prompts of \d+ of 60 dev samples/);
    const count = Number(/prompts of (\d+)/.exec(told ?? "")?.[1]);
    expect(count).toBeGreaterThan(8);
    expect(count).toBeLessThan(32);
    expect(told).toContain("context of 1,000 tokens");
    expect(renderPlan(plan)).toContain(`! ${told}`);
    const record = await run(study);
    expect(about(record, /^zeroShot: \d+ of 120 test answers of tone are unscored/)).toHaveLength(1);
  });

  test("texts that the encoder does not read to their ends are counted where vectors are asked for", async () => {
    const rows = Array.from({ length: 900 }, (_, i) => ({
      id: `c${i}`,
      text: `A polite letter ${i} ${"word ".repeat(i % 3 === 0 ? 300 : 5)}${i}`,
      tone: i % 2 ? "p" : "r",
    }));
    writeFileSync(join(folder, "cut.jsonl"), rows.map((row) => JSON.stringify(row)).join("\n"));
    const study = spec("cut", { source: "file:cut.jsonl", limit: { dev: 60, test: 120 } });
    const told = async (features: string) => {
      const plan = await planStudy(
        { ...study, specialists: [{ linear: { features } }] },
        { store: store(), base: folder },
      );
      return about(plan, /word pieces/);
    };
    expect(await told("tfidf")).toEqual([]);
    const [warning] = await told("vectors");
    const count = Number(/and (\d+) texts of train and dev, of 200/.exec(warning as string)?.[1]);
    expect(Math.abs(count - 200 / 3)).toBeLessThan(35);
    expect(warning).toMatch(/^minilm reads the first 256 word pieces/);
  });
});

describe("training", () => {
  const state = (losses: number[], guessing: number | null) => ({
    report: { heldOut: losses.map((loss, step) => ({ step, loss })), guessing },
  });
  const made = (states: unknown[], options = {}) => [
    {
      name: "lora",
      specializer: { needs: ["gradients" as const], options },
      states: states.map((one) => JSON.stringify(one)),
      failedSeeds: [],
      failedCalls: 0,
    },
  ];

  test("that ended at guessing is told, that learnt is not, and what cannot be judged is not", () => {
    expect(untrained(made([state([1.7, 1.58, 1.6], 1.61)]))[0]?.told).toMatch(
      /^lora is not trained: its best dev loss is 1.58 nats, where .* costs 1.61\..* Try more `epochs`/,
    );
    expect(untrained(made([state([1.7, 1.2], 1.61)]))).toEqual([]);
    expect(untrained(made([state([1.7], null)]))).toEqual([]);
    expect(untrained(made([null, [], { report: { heldOut: [], guessing: 1 } }]))).toEqual([]);
  });

  test("on rows that a model labelled is told where none was taken", () => {
    const one = (taken: number, value: number | null) => ({ labelled: 250, taken, threshold: { value } });
    expect(tookNone(made([one(0, null)]))[0]).toMatch(
      /^lora used none of 250 labelled rows, so it was trained on train alone: .* at any confidence/,
    );
    expect(tookNone(made([one(0, 0.99), one(3, 0.9)]))[0]).toContain("rows for 1 of 2 seeds");
    expect(tookNone(made([one(1, 0.9), null, {}]))).toEqual([]);
    const asked = (written: number) => ({
      report: { looked: 14, returned: 0, reflections: { asked: 4, written } },
    });
    expect(unwritten(made([asked(0), asked(0)]))[0]).toMatch(/asked for 8 instructions and wrote none/);
    expect(unwritten(made([asked(0), asked(1), null]))).toEqual([]);
  });

  test("is found within chains and choices, seed by seed, with advice that fits what was fixed", () => {
    const states = [{ parts: [null, state([1.6], 1.61)] }, { parts: [null, state([0.4], 1.61)] }];
    const [found] = untrained(made(states, [{ name: "lora", options: { learningRate: 0.002, epochs: 6 } }]));
    expect(found?.told).toContain("is not trained for 1 of 2 seeds");
    expect(found?.told).toContain("leave out `learningRate` and `epochs`, so that a short sweep chooses");
  });

  test("is told in record, verdict, terminal and both reports, before anything about the data", async () => {
    const stuck = defineSpecializer({
      name: "stuck",
      needs: ["gradients"],
      fit: () => state([1.2, 1.09], 1.1),
      behave: () => ({ prepare: (query) => query }),
    });
    const study = toneStudy({ name: "stuck", model: "mock:?skill=0.8&seed=1", specialists: ["stuck"] });
    const entry = { make: () => stuck, options: z.strictObject({}), summary: "", paper: "none", leaf: null };
    const table = { ...specializers, stuck: entry };
    const opened = async () => {
      const model = await openMock("?skill=0.8&seed=1");
      return { ...model, grants: new Set([...model.grants, "gradients" as const]) };
    };
    const at = store();
    const record = await runStudy(parseStudy(study, "test"), {
      store: at,
      base: folder,
      use: { specializers: table },
      open: opened,
    });
    expect(record.warnings?.[0]).toMatch(/^stuck is not trained/);
    expect(record.warnings?.[1]).toMatch(/only 60 test samples/);
    expect(record.verdict?.text).toContain(
      "stuck did not learn: the dev loss never fell below guessing, so this figure says nothing about training",
    );
    const told = record.warnings![0]!;
    const flat = (text: string): string => text.replace(/\s+/g, " ");
    expect(flat(renderSummary(record, { colour: false, width: 80 }))).toContain(`! ${told}`);
    const opening = openStudy(at, "stuck");
    const paths = await opening.report(join(folder, "stuck-report"));
    opening.close();
    expect(readFileSync(paths.markdown, "utf8").replaceAll("\\", "")).toContain(`- ${told}`);
    const [list] = readFileSync(paths.html, "utf8").match(/<h2>Warnings<\/h2><ul>.*?<\/ul>/s) ?? [];
    expect(list?.match(/<li>/g)).toHaveLength(record.warnings!.length);
    expect(list).toContain("<li>stuck is not trained: its best dev loss is 1.09 nats");
    expect((JSON.parse(readFileSync(paths.json, "utf8")) as StudyRecord).warnings).toEqual(record.warnings);
  });
});

describe("the champion", () => {
  test("that is no better than the commonest answer is not handed over in silence", async () => {
    const source = rowsOf("hard.jsonl", { p: 500, r: 300, n: 100 });
    const record = await run(spec("hard", { source, limit: { dev: 40, test: 150 } }, "mock:?skill=0&seed=1"));
    const best = record.results.find(({ subject }) => subject === record.verdict?.champion)!;
    expect(best.mean).toBeLessThan(best.baseline);
    expect(record.warnings?.[0]).toMatch(
      /the champion, is no better than the majority class: 3\d\.\d% against 5\d\.\d%/,
    );
    expect(record.warnings?.[0]).toContain(`Do not use what was handed over (${record.handOver?.path})`);
    expect(record.verdict?.text).toContain("no better than the majority class, so it is not fit for use");
  });

  test("is measured against it whatever it is, but for that answer itself", () => {
    const result = (mean: number) => ({ n: 100, mean, baseline: 0.5, metric: "accuracy" }) as Result;
    const card = (name: string, role: SubjectCard["role"]): SubjectCard => {
      return { name, role, ids: [], seeds: [1], chain: [{ name, options: {} }] };
    };
    expect(belowMajority(result(0.4), share("accuracy"), card("linear", "reference"))).toBe(true);
    expect(belowMajority(result(0.5), share("accuracy"), card("lora", "specialist"))).toBe(true);
    expect(belowMajority(result(0.6), share("accuracy"), card("linear", "reference"))).toBe(false);
    expect(belowMajority(result(0.5), share("accuracy"), card("majority", "reference"))).toBe(false);
  });

  test("that is better is not warned of", async () => {
    const record = await run(spec("good", { limit: { dev: 40, test: 150 } }));
    expect(record.warnings).toEqual([]);
    expect(record.verdict?.text).not.toContain("not fit for use");
  });

  test("that is missing is explained: no dev samples, or none that was scored", async () => {
    const none = await run(spec("none", { limit: { dev: 0, test: 120 } }));
    expect(none.verdict).toBeNull();
    expect(renderSummary(none, { colour: false, width: 110 }).replace(/\s+/g, " ")).toContain(
      "No verdict: the data have no dev samples, so no champion could be chosen",
    );
  });
});
