// The encoder kind end to end: a study of MiniLM on real licences through the same table as language models and bodies.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import { taskContext } from "../../src/core/task.js";
import { encoderSubject } from "../../src/models/encoder.js";
import { runStudy } from "../../src/study/run.js";
import { parseStudy } from "../../src/study/spec.js";
import { nearest } from "../../src/tasks/nearest.js";
import { letterEncoder } from "../specializers/fakes.js";

const context = taskContext(new AbortController().signal);
const labels = [
  { key: "z", text: "zoo" },
  { key: "b", text: "bee" },
];

describe("nearest", () => {
  const task = nearest("letters", { kind: "nearest" }, labels);
  const subject = encoderSubject(letterEncoder());

  it("takes the option whose vector is nearest", async () => {
    const grade = await task.evaluate(subject, { id: "1", input: "bee-eater", gold: "b" }, context);
    expect(grade).toMatchObject({ status: "scored", score: 1, prediction: "b" });
    const wrong = await task.evaluate(subject, { id: "2", input: "zoo", gold: ["b"] }, context);
    expect(wrong).toMatchObject({ score: 0, prediction: "z" });
  });

  it("takes a sample's own options, and refuses a sample without any", async () => {
    const options = [{ key: "q", text: "quiz" }];
    const grade = await task.evaluate(subject, { id: "3", input: "zoo", gold: "q", options }, context);
    expect(grade).toMatchObject({ score: 1, prediction: "q" });
    const bare = nearest("bare", { kind: "nearest" });
    await expect(bare.evaluate(subject, { id: "4", input: "zoo", gold: "q" }, context)).rejects.toThrow(
      HoneError,
    );
  });
});

describe("a study of an encoder", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "hone-nearest-"));
    const words = {
      f: [
        "The striker scored twice",
        "A late goal won the cup",
        "The keeper saved a penalty",
        "They lost away from home",
      ],
      c: [
        "Simmer the sauce slowly",
        "Knead the dough and let it rise",
        "Season the soup with salt",
        "Bake until golden",
      ],
      l: [
        "The appeal was dismissed",
        "The jury found him liable",
        "Counsel objected to the evidence",
        "The statute was struck down",
      ],
    };
    const rows = Object.entries(words).flatMap(([label, texts]) =>
      texts.flatMap((text, i) =>
        ["today", "on Monday", "in the end", "as expected", "once more"].map((when, j) =>
          JSON.stringify({ id: `${label}${i}${j}`, text: `${text} ${when}.`, label, group: `${label}${i}` }),
        ),
      ),
    );
    writeFileSync(join(folder, "news.jsonl"), `${rows.join("\n")}\n`);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const study = (more: object = {}) =>
    parseStudy(
      {
        study: "news",
        model: "encoder:minilm",
        task: {
          name: "news",
          kind: "nearest",
          option: "This is about a {{option}}.",
          data: {
            source: "news.jsonl",
            id: "id",
            input: "text",
            label: "label",
            group: "group",
            options: { f: "football match", c: "cooking recipe", l: "court ruling" },
            split: { fractions: { train: 0, dev: 0.3, test: 0.7 } },
          },
        },
        specialists: ["zeroShot"],
        ...more,
      },
      "test",
    );
  const options = () => ({ base: folder, store: join(folder, ".hone") });

  it("runs from rows to a handed-over subject, without train", async () => {
    const record = await runStudy(study(), options());
    const [result] = record.results;
    expect(record.tasks[0]).toMatchObject({ kind: "nearest", counts: { train: 0 } });
    expect(result?.unscored).toBe(0);
    expect(result?.mean).toBeGreaterThan((result?.chance as number) + 0.2);
    expect(result?.details.macroF1).toBeGreaterThan(0.5);
    expect(record.handOver?.agree).toBe(record.handOver?.n);
  }, 120_000);

  it.each([
    [{ specialists: ["majority"] }, /majority is not for[\s\S]*language subjects/],
    [{ model: "mock:" }, /The task news is not for mock[\s\S]*an encoder such as encoder:minilm/],
    [{ model: "motor:arm26" }, /is not for untrained controller/],
  ])("refuses %j by name", async (more, message) => {
    await expect(runStudy(study(more), options())).rejects.toThrow(message);
  });
});
