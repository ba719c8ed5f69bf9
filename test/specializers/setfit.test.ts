// setfit on a tiny random XLM-R: what training reads of a text, and a study from labels to predictions.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { openBertFolder } from "../../src/models/net/open.js";
import { trainContrast } from "../../src/specializers/training/contrastive/train.js";
import { drawBatches } from "../../src/specializers/training/setfit.js";
import { planStudy } from "../../src/study/dryrun.js";
import { runStudy } from "../../src/study/run.js";
import { parseStudy } from "../../src/study/spec.js";

const folder = mkdtempSync(join(tmpdir(), "hone-setfit-"));
afterAll(() => rmSync(folder, { recursive: true }));
const encoder = fileURLToPath(new URL("../nets/fixtures/xlmr", import.meta.url));
const { signal } = new AbortController();

it("trains on as many pieces of a text as the encoder reads", async () => {
  const read = async (pieces: number) => {
    const own = await openBertFolder(encoder, { name: "tiny", threads: 1, maxPieces: pieces });
    const long = (word: string) => Array.from({ length: 30 }, () => word).join(" ");
    const texts = ["court", "law", "tax", "union"].map(long);
    const trained = await trainContrast({
      ...{ encoder: own, method: { kind: "full" }, loss: { kind: "supcon", temperature: 0.07, csls: 0 } },
      ...{ batches: [{ texts, labels: [0, 0, 1, 1] }], learningRate: 1e-3, warmup: 0, shape: "constant" },
      ...{ seed: 1, signal },
    });
    await own.close();
    return trained.tokens;
  };
  expect(await read(6)).toBe(4 * 6);
  expect(await read(24)).toBe(4 * 24);
}, 60_000);

const task = {
  query: ({ input }: { input: string }) => ({ input }),
  demonstration: ({ gold }: { gold: string }) => ({ answer: gold }),
} as unknown as Parameters<typeof drawBatches>[0]["task"];

it("pairs a text with itself where no class has two, so that there is something to learn", () => {
  const train = Array.from({ length: 20 }, (_, i) => ({ id: `${i}`, input: `${i}`, gold: `class ${i}` }));
  for (const { texts, labels } of drawBatches({ task, train, seed: 1 }, { steps: 5, batch: 16 })) {
    expect(texts).toHaveLength(16);
    expect(new Set(labels).size).toBe(8);
    for (const [i, label] of labels.entries()) expect(texts[i]).toBe(texts[labels.indexOf(label)]);
  }
});

it("has two classes in every step, however small its batch", () => {
  const train = Array.from({ length: 12 }, (_, i) => ({ id: `${i}`, input: `${i}`, gold: `${i % 3}` }));
  for (const batch of [2, 3, 4, 6, 16]) {
    const drawn = drawBatches({ task, train, seed: 1 }, { steps: 5, batch });
    for (const { labels } of drawn) {
      expect(labels.length).toBe(Math.max(4, 2 * Math.floor(batch / 2)));
      expect(new Set(labels).size).toBe(Math.min(3, labels.length / 2));
    }
  }
});

/** Two kinds of things, eight labels of each. */
function kindsStudy(steps: number, named = `encoder:file:${encoder}?threads=1`) {
  const words = { fruit: ["apple", "pear", "plum", "grape"], tool: ["hammer", "saw", "drill", "wrench"] };
  const rows = (from: number, count: number) =>
    Object.entries(words).flatMap(([label, list]) =>
      Array.from({ length: count }, (_, i) => ({
        id: `${label}-${from + i}`,
        text: `${list[i % 4]} ${list[(i + from) % 4]} ${from + i}`,
        label,
      })),
    );
  for (const [name, of] of Object.entries({ train: rows(1, 8), dev: rows(20, 3), test: rows(40, 6) }))
    writeFileSync(join(folder, `${name}.jsonl`), of.map((row) => JSON.stringify(row)).join("\n"));
  return parseStudy(
    {
      study: "setfit-test",
      model: "mock:",
      encoder: named,
      task: {
        name: "kinds",
        kind: "choice",
        instruction: "What kind of thing is it?",
        data: {
          splits: { train: "file:train.jsonl", dev: "file:dev.jsonl", test: "file:test.jsonl" },
          id: "id",
          input: "text",
          label: "label",
          options: ["fruit", "tool"],
          leakage: "report",
        },
      },
      specialists: [{ setfit: { steps, batch: 8, learningRate: 0.003, write: false } }, "majority"],
    },
    join(folder, "setfit.study.yaml"),
  );
}

it("learns classes from a few labels, and its record holds what it predicts", async () => {
  const study = kindsStudy(30);
  const record = await runStudy(study, { base: folder, store: join(folder, "store") });
  const of = (name: string) => record.results.find(({ subject }) => subject.startsWith(name));
  expect(of("setfit")?.mean).toBeGreaterThan(0.8);
  expect(of("majority")?.mean).toBeCloseTo(0.5, 6);
  expect(of("setfit")?.n).toBe(12);
}, 60_000);

it("is not trained by a dry run, which asks it nothing and says about how long training lasts", async () => {
  const plan = await planStudy(kindsStudy(100_000), { base: folder, store: join(folder, "dry") });
  const planned = plan.subjects.find(({ subject }) => subject.startsWith("setfit"));
  expect(planned?.calls).toEqual({ fit: 0, dev: 0, test: 0 });
  expect(planned?.seconds.training).toBeGreaterThan(0);
}, 60_000);

it("is refused before anything is asked where the encoder cannot be trained", async () => {
  const study = kindsStudy(30, "mock:");
  const where = { base: folder, store: join(folder, "refused") };
  await expect(planStudy(study, where)).rejects.toThrow(/setfit cannot train mock/);
  await expect(runStudy(study, where)).rejects.toThrow(/setfit cannot train mock/);
});
