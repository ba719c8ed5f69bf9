// Every shipped study runs, with its real model and real data, only on fewer samples and shorter texts. The demo's texts come from
// their package; the other two read the folder that HONE_TEST_DATA names, and say so when they skip.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runStudy } from "../src/study/run.js";
import { readStudy } from "../src/study/spec.js";

const root = resolve(import.meta.dirname, "..");
const data = process.env.HONE_TEST_DATA;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hone-examples-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/**
 * @param asked how the generalist is asked, where the study is not to choose among ten ways on dev
 * @param input a shorter one than the study's
 * @param lora options of the study's LoRA that make it small
 */
async function smoke(
  name: string,
  base: string,
  { asked = {}, input, lora }: { asked?: object; input?: string; lora?: object } = {},
) {
  const spec = await readStudy(join(root, "examples", name));
  Object.assign(spec.task, asked);
  if (lora)
    spec.specialists = spec.specialists.map((written) => {
      const own = (written as { lora?: object }).lora;
      return own ? { lora: { ...own, ...lora } } : written;
    });
  spec.task.data = {
    ...spec.task.data,
    ...(input === undefined ? {} : { input }),
    limit: { train: 16, dev: 2, test: 3 },
  } as typeof spec.task.data;
  spec.handOver = 2;
  const started = performance.now();
  const store = join(folder, name);
  const record = await runStudy(spec, { base, store });
  const first = performance.now() - started;
  expect(record.results).toHaveLength(spec.specialists.length + 1);
  for (const { subject, n, unscored } of record.results)
    expect([subject, n, unscored]).toEqual([subject, 3, 0]);
  expect(record.verdict?.text).toContain("sealed test samples");
  expect(record.handOver).toMatchObject({ n: 2, agree: 2 });
  expect(record.openings).toBe(1);

  const again = performance.now();
  const reused = await runStudy(spec, { base, store });
  expect(reused.results).toEqual(record.results);
  expect(performance.now() - again).toBeLessThan(Math.max(4000, first / 2));
}

describe("shipped studies on real models", () => {
  it(
    "licences",
    () =>
      smoke("licences.study.yaml", folder, {
        asked: { answerBy: "label", scoring: "sum" },
        lora: { layers: 2, epochs: 1 },
      }),
    420_000,
  );

  it.skipIf(!data)(
    "scotus (skips without HONE_TEST_DATA)",
    () =>
      smoke("scotus.study.yaml", data as string, {
        asked: { answerBy: "label", scoring: "sum" },
        input: "{{question}} {{facts|300}}",
        lora: { layers: 2, epochs: 1 },
      }),
    420_000,
  );

  it.skipIf(!data)(
    "pubmedqa (skips without HONE_TEST_DATA)",
    () =>
      smoke("pubmedqa.study.yaml", data as string, {
        asked: { answerBy: "text", scoring: "sum" },
        input: "{{context|500}}",
      }),
    420_000,
  );

  it("blackjack, with few deals and little training", async () => {
    const spec = await readStudy(join(root, "examples", "blackjack.study.yaml"));
    // Those of scripts cost nothing; of the others one is enough.
    spec.specialists = [
      { lora: { layers: 1, epochs: 1, learningRate: 0.001 } },
      ...spec.specialists.filter((written) => JSON.stringify(written).includes("scripted")),
    ];
    spec.task.data = { train: 8, dev: 2, test: 4, seed: 0 };
    spec.handOver = 2;
    const record = await runStudy(spec, { base: folder, store: join(folder, "blackjack") });
    expect(record.results.map(({ n, unscored }) => [n, unscored])).toEqual(new Array(5).fill([4, 0]));
    for (const { mean } of record.results) expect(Math.abs(mean)).toBeLessThanOrEqual(1);
    expect(record.handOver).toMatchObject({ n: 2, agree: 2 });
  }, 420_000);

  it("reach, with short trials and little training", async () => {
    const spec = await readStudy(join(root, "examples", "reach.study.yaml"));
    const little = (written: unknown): unknown =>
      Array.isArray(written)
        ? written.map(little)
        : written === "bilateral" || (written as object & { bilateral?: object }).bilateral
          ? { bilateral: { ...(written as { bilateral?: object }).bilateral, updates: 10, batch: 8 } }
          : written;
    const task = {
      ...spec.task,
      steps: 8,
      data: { train: 64, dev: 4, test: 8, seed: 0 },
    } as typeof spec.task;
    const small = {
      ...spec,
      task,
      elsewhere: [],
      seeds: [1],
      handOver: 5,
      specialists: spec.specialists.map(little),
    };
    const record = await runStudy(small, { base: folder, store: join(folder, "reach") });
    expect(record.results).toHaveLength(7);
    for (const { n, unscored, metric } of record.results)
      expect([n, unscored, metric]).toEqual([8, 0, "error"]);
    expect(record.handOver).toMatchObject({ n: 5, agree: 5 });
  }, 120_000);
});
