// A study whose arms are Medprompt's ladder: a test sample planted in train or dev stops it before anything is asked, and
// without one no prompt of any rung holds a test sample but the one that it asks about.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import type { LanguageModel, Message } from "../../src/core/model.js";
import { ladder } from "../../src/specializers/prompting/medprompt.js";
import { runStudy } from "../../src/study/run.js";
import { parseStudy } from "../../src/study/spec.js";
import { wholeMock } from "../models/whole.js";
import { toneStudy, writeTones } from "./fixture.js";

interface Row {
  id: string;
  text: string;
  tone: string;
}

let folder: string;
let rows: Row[];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hone-medprompt-"));
  writeTones(join(folder, "tones.jsonl"), 110);
  rows = readFileSync(join(folder, "tones.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Split = "train" | "dev" | "test";

/** Runs the ladder on rows 0 to 59, 60 to 79 and 80 to 109; `prompts` collects whatever the model is asked. */
function climb(name: string, prompts: string[], planted: Partial<Record<Split, Row>> = {}) {
  const parts: Record<Split, Row[]> = {
    train: rows.slice(0, 60),
    dev: rows.slice(60, 80),
    test: rows.slice(80),
  };
  const splits = Object.entries(parts).map(([split, own]) => {
    const extra = planted[split as Split];
    const lines = (extra ? [...own, extra] : own).map((row) => JSON.stringify(row));
    writeFileSync(join(folder, `${name}-${split}.jsonl`), lines.join("\n"));
    return [split, `file:${name}-${split}.jsonl`];
  });
  const rungs = ladder({ members: 3, pool: 30, shuffles: 2, maxTokens: 8, by: "bm25" }).slice(0, 5);
  const study = toneStudy({
    name,
    model: "mock:?skill=0.8&seed=1",
    specialists: [...rungs, { medprompt: { k: 3, members: 2, by: "bm25", maxTokens: 8 } }],
  });
  const task = study.task as { data: Record<string, unknown> };
  const { options } = task.data;
  task.data = { splits: Object.fromEntries(splits), input: "text", label: "tone", options };
  const open = async (): Promise<LanguageModel> => {
    const mock = await wholeMock("?skill=0.8&seed=1");
    const noted = <Request extends { messages: readonly Message[] }>(request: Request): Request => {
      prompts.push(request.messages.map(({ content }) => content).join("\n"));
      return request;
    };
    return {
      ...mock,
      generate: (request, context) => mock.generate(noted(request), context),
      score: (request, context) => mock.score(noted(request), context),
    };
  };
  return runStudy(parseStudy(study, "test"), { store: join(folder, name), base: folder, open });
}

it.each([
  ["train", "the same in capitals", (text: string) => text.toUpperCase()],
  ["dev", "the same with other signs", (text: string) => `${text.replaceAll(" ", "  ")}!`],
  ["train", "all but the last word", (text: string) => text.replace(/ \S+$/, "")],
] as const)("stops on a test sample in %s: %s", async (split, _how, change) => {
  const prompts: string[] = [];
  const source = rows[95] as Row;
  const planted = { ...source, id: "planted", text: change(source.text) };
  const error = await climb(`planted-${split}`, prompts, { [split]: planted }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof HoneError)) throw error ?? new Error("the study ran");
  expect(error.exitCode).toBe(100);
  expect(error.failure.what).toBe("Training samples also occur in test.");
  expect(error.failure.where).toMatch(/planted ~ row-95 \(/);
  expect(prompts).toEqual([]);
});

it("asks about test samples with train samples as examples, never with test samples", async () => {
  const prompts: string[] = [];
  const record = await climb("clean", prompts);
  expect(record.tasks[0]?.leakage).toEqual({ exact: 0, near: 0, checked: true });
  expect(record.subjects).toHaveLength(7);

  const held = (from: readonly Row[], prompt: string) => from.filter(({ text }) => prompt.includes(text));
  const asked = new Map<string, number>();
  for (const prompt of prompts) {
    const [own, ...others] = held(rows.slice(60), prompt);
    expect(others).toEqual([]);
    const shots = held(rows.slice(0, 60), prompt);
    if (!own) {
      // A chain of thought about a train sample: it stands alone.
      expect(shots).toHaveLength(1);
      continue;
    }
    for (const { text } of shots) expect(prompt.indexOf(text)).toBeLessThan(prompt.indexOf(own.text));
    const kind = `${rows.indexOf(own) < 80 ? "dev" : "test"}, ${shots.length} examples`;
    asked.set(kind, (asked.get(kind) ?? 0) + 1);
  }
  // Direct once; reasoned twice, to write and to score; shuffled three times as often. The hand-over asks some again.
  expect(asked.get("test, 5 examples")).toBeGreaterThanOrEqual(30 * (1 + 2 + 2 + 3 * 2));
  expect(asked.get("test, 0 examples")).toBeGreaterThanOrEqual(30);
});
