// Units of inference and figures that are no means, through a whole study: training seeds enter the variance, grades weigh,
// a task's aggregate has intervals, comparisons and a champion.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Extension, LanguageTask } from "../../src/index.js";
import { fingerprint, randomFor, rows, taskEntry } from "../../src/index.js";
import { renderMarkdown } from "../../src/report/markdown.js";
import { defineSpecializer } from "../../src/specializers/index.js";
import { runStudy } from "../../src/study/run.js";
import { parseStudy } from "../../src/study/spec.js";
import { answer, choice } from "../../src/tasks/index.js";
import { toneStudy, writeTones } from "./fixture.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hone-units-"));
  writeTones(join(folder, "tones.jsonl"), 300);
  const random = randomFor(1, "lengths");
  const lines = Array.from({ length: 240 }, (_, i) => {
    const size = 1 + Math.floor(random() * 9);
    return JSON.stringify({
      id: `n${i}`,
      text: `${"x".repeat(size)} ${i}`,
      size: String(size + Math.floor(3 * random())),
    });
  });
  writeFileSync(join(folder, "sizes.jsonl"), `${lines.join("\n")}\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Right with a probability that the seed draws: seeds differ, as trainings do. */
const drawnSkill = defineSpecializer<{ skill: number; seed: number }>({
  name: "drawnSkill",
  seeded: true,
  fit: (_subject, { seed }) => ({ skill: 0.5 + 0.1 * (seed % 4), seed }),
  behave: ({ skill, seed }) => ({
    respond: async (query) => {
      const right = /A (polite|rude|neutral)/.exec(query.input)?.[1];
      const options = query.options ?? [];
      const knows = randomFor(seed, query.input)() < skill;
      return { choice: (options.find(({ text }) => (text === right) === knows) ?? options[0])!.key };
    },
  }),
});
const entry = { make: () => drawnSkill, options: z.strictObject({}), summary: "", paper: "", leaf: null };
const use: Extension = { specializers: { drawnSkill: entry } };

describe("training seeds", () => {
  const run = (seeds: number[]) => {
    const study = toneStudy({
      model: "mock:?skill=0.4&seed=1",
      dev: 40,
      test: 120,
      seeds,
      specialists: ["drawnSkill"],
    });
    return runStudy(parseStudy(study, "test"), { base: folder, store: join(folder, seeds.join("-")), use });
  };

  it("count in the interval and the test; which one is handed over is said", async () => {
    const record = await run([1, 2, 3]);
    const [alone] = (await run([2])).results.filter(({ subject }) => subject === "drawnSkill");
    const [own] = record.results.filter(({ subject }) => subject === "drawnSkill");
    expect(own?.n).toBe(record.tasks[0]?.counts.test);
    expect((own?.high as number) - (own?.low as number)).toBeGreaterThan(
      1.5 * ((alone?.high as number) - (alone?.low as number)),
    );
    expect(record.comparisons[0]).toMatchObject({ n: own?.n, test: "seeds-t" });
    expect(record.verdict?.text).toContain("on average over 3 training seeds");
    expect(record.handOver).toMatchObject({ score: { n: own?.n } });
    expect(record.seeds).toContain(record.handOver?.seed);
    expect(record.handOver?.score?.mean).not.toBe(own?.mean);
    const markdown = renderMarkdown(
      { record, call: () => undefined, sample: () => undefined } as never,
      empty,
    );
    expect(markdown).toContain(`It is from seed ${record.handOver?.seed}, which scored`);
  });

  it("are named where there is one", async () => {
    const record = await run([2]);
    expect(record.verdict?.text).toMatch(
      /drawnSkill\S* was fitted with one seed: conclusions about it hold for this training seed only/,
    );
    expect(record.handOver).not.toHaveProperty("seed");
  });
});

const empty = { confusions: [], rows: [], samples: [], binary: [], movements: [], episodes: [] } as never;

/** The rank correlation of two lists, ties by their mean rank (Spearman 1904). */
function spearman(pairs: readonly (readonly [number, number])[]): number {
  const ranks = (values: number[]) =>
    values.map(
      (value) =>
        values.filter((one) => one < value).length + values.filter((one) => one === value).length / 2,
    );
  const [x, y] = [ranks(pairs.map(([a]) => a)), ranks(pairs.map(([, b]) => b))];
  const mean = (values: number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
  const [mx, my] = [mean(x), mean(y)];
  const cov = x.reduce((sum, one, i) => sum + (one - mx) * ((y[i] as number) - my), 0);
  return (
    cov /
    Math.sqrt(x.reduce((s, one) => s + (one - mx) ** 2, 0) * y.reduce((s, one) => s + (one - my) ** 2, 0))
  );
}

const options = (kind: string) => z.strictObject({ kind: z.literal(kind) });
const lengths = taskEntry({
  options: options("ranked"),
  data: rows,
  make: (name): LanguageTask => ({
    ...answer(name, { kind: "answer", metric: "number" }),
    kind: "ranked",
    binary: false,
    metric: { name: "spearman", better: "higher", unit: "", least: -1, most: 1, display: "number" },
    id: fingerprint(["ranked", name]),
    async evaluate(subject, sample, context) {
      const { text = "0" } = await subject.respond({ input: sample.input, demonstrations: [] }, context);
      return { status: "scored", score: Number(text) || 0, prediction: text };
    },
    aggregate: (all) => spearman(all.map(({ score, gold }) => [score, Number(gold)])),
  }),
});
const weighed = taskEntry({
  options: options("weighed"),
  data: rows,
  make: (name, _options, labels): LanguageTask => {
    const plain = choice(name, { answerBy: "label", scoring: "sum" }, labels);
    return {
      ...plain,
      kind: "weighed",
      binary: false,
      id: fingerprint(["weighed", plain.id]),
      async evaluate(subject, sample, context) {
        const grade = await plain.evaluate(subject, sample, context);
        return grade.status === "scored" ? { ...grade, weight: sample.input.length } : grade;
      },
    };
  },
});
const counts = (noise: number) =>
  defineSpecializer({
    name: `counts${noise}`,
    reference: true,
    behave: () => ({
      respond: async ({ input }) => ({
        text: String((input.match(/x/g) ?? []).length + noise * randomFor(1, input)()),
      }),
    }),
  });
const made = (noise: number) => ({ ...entry, make: () => counts(noise) });
const figures: Extension = {
  tasks: { ranked: lengths, weighed },
  specializers: { near: made(1), far: made(30) },
};

describe("a task whose figure is no mean", () => {
  it("has its aggregate everywhere: results, intervals, comparisons, champion", async () => {
    const study = {
      study: "sizes",
      model: "mock:?seed=1",
      task: {
        name: "sizes",
        kind: "ranked",
        data: {
          source: "sizes.jsonl",
          id: "id",
          input: "text",
          label: "size",
          split: { counts: { train: 20, dev: 60, test: 160 } },
        },
      },
      specialists: ["near", "far"],
    };
    const store = join(folder, "sizes");
    const record = await runStudy(parseStudy(study, "test", undefined, { ranked: lengths }), {
      ...{ base: folder, store, use: figures },
    });
    const near = record.results.find(({ subject }) => subject === "counts1");
    expect(near?.mean).toBeGreaterThan(0.85);
    expect(near?.low).toBeLessThan(near?.mean as number);
    expect(near?.high).toBeLessThanOrEqual(1);
    expect(record.verdict?.champion).toBe("counts1");
    const pair = record.comparisons.find(({ a, b }) => a === "counts1" && b === "counts30");
    expect(pair?.pAdjusted).toBeLessThan(0.05);
    expect(pair?.low).toBeGreaterThan(0.2);
    expect(record.tasks[0]?.aggregated).toBe(true);
  });

  it("weighs its grades", async () => {
    const written = toneStudy({
      model: "mock:?skill=0.6&seed=1",
      dev: 40,
      test: 120,
      specialists: ["majority"],
    });
    const task = { ...(written.task as object), kind: "weighed" } as Record<string, unknown>;
    for (const name of ["instruction", "answerBy", "scoring"]) delete task[name];
    const store = join(folder, "weighed");
    const options = { base: folder, store, use: figures };
    const record = await runStudy(parseStudy({ ...written, task }, "test", undefined, { weighed }), options);
    const { openStudy } = await import("../../src/study/open.js");
    const opened = openStudy(store, "tones");
    let sum = 0;
    let total = 0;
    const id = record.subjects[0]?.ids[0];
    for (const { subject, grade } of opened.outcomes()) {
      if (subject !== id || grade.status !== "scored") continue;
      sum += grade.score * (grade.weight as number);
      total += grade.weight as number;
    }
    opened.close();
    expect(record.results[0]?.mean).toBeCloseTo(sum / total, 12);
  });
});

it("the baseline is what the commonest answer scores, also where several answers are right", async () => {
  const random = randomFor(1, "several");
  const lines = Array.from({ length: 200 }, (_, i) => {
    const label = random() < 0.4 ? ["p"] : random() < 0.5 ? ["r", "p"] : ["n"];
    return JSON.stringify({
      id: `m${i}`,
      text: `text ${i} ${"x".repeat(1 + Math.floor(random() * 60))}`,
      tone: label,
    });
  });
  writeFileSync(join(folder, "several.jsonl"), `${lines.join("\n")}\n`);
  const study = toneStudy({ name: "several", model: "mock:?skill=0.5", specialists: ["majority"], test: 60 });
  const task = study.task as { data: object };
  Object.assign(task.data, { source: "file:several.jsonl" });
  const { results } = await runStudy(parseStudy(study, "test"), {
    base: folder,
    store: join(folder, "several"),
  });
  const majority = results.find(({ subject }) => subject === "majority");
  expect(majority?.mean).toBeGreaterThan(0.5);
  for (const { baseline } of results) expect(baseline).toBeCloseTo(majority?.mean as number, 9);
});
