// Recall of a sample's evidence among the passages that stood before its answer.

import { describe, expect, it } from "vitest";
import type { LanguageSubject } from "../../src/core/kinds.js";
import type { Answer } from "../../src/core/language.js";
import type { Sample } from "../../src/core/sample.js";
import { taskContext } from "../../src/core/task.js";
import { sampleMaker } from "../../src/data/samples.js";
import { datasetSchema } from "../../src/data/schema.js";
import { answer } from "../../src/tasks/answer.js";
import { choice } from "../../src/tasks/choice.js";

const context = taskContext(new AbortController().signal);
const subject = (ids: readonly string[], more: Answer): LanguageSubject => ({
  kind: "language",
  name: "s",
  id: "s",
  respond: async () => ({
    ...more,
    trail: ids.map((id) => ({ kind: "passage" as const, id, score: 1, text: "t" })),
  }),
});
const sample: Sample = { id: "q", input: "x", gold: "a", evidence: ["d1", "d2"] };
const labels = [
  { key: "a", text: "yes" },
  { key: "b", text: "no" },
];

describe("recall", () => {
  it.each([
    [["d2", "d9", "d2"], 0.5],
    [["d1", "d2"], 1],
    [[], 0],
  ])("of %j among d1 and d2 is %d", async (ids, recall) => {
    const chosen = await choice("t", {}, labels).evaluate(subject(ids, { choice: "b" }), sample, context);
    expect(chosen).toMatchObject({ status: "scored", score: 0, details: { recall } });
    const written = await answer("t", { kind: "answer" }).evaluate(
      subject(ids, { text: "a" }),
      sample,
      context,
    );
    expect(written).toMatchObject({ status: "scored", score: 1, details: { recall } });
  });

  it("stands beside the confidence, and is absent where no evidence is named", async () => {
    const sure = subject(["d1"], { choice: "a", scores: { a: 0, b: 0 } });
    const both = await choice("t", {}, labels).evaluate(sure, sample, context);
    expect(both).toMatchObject({ details: { confidence: 0.5, recall: 0.5 } });
    const bare = { id: "q", input: "x", gold: "a" };
    const none = await choice("t", {}, labels).evaluate(subject(["d1"], { choice: "a" }), bare, context);
    expect(none).not.toHaveProperty("details");
  });

  it.each([
    ["d1", ["d1"]],
    [
      ["d1", " d2", "d1"],
      ["d1", "d2"],
    ],
    [7, ["7"]],
    [[], undefined],
    [null, undefined],
    [undefined, undefined],
  ])("reads %j from a row", (documents, evidence) => {
    const spec = datasetSchema.parse({
      source: "x.jsonl",
      input: "text",
      label: "label",
      evidence: "documents",
    });
    const made = sampleMaker(spec).make(
      { row: { text: "t", label: "l", documents }, place: "x.jsonl:1" },
      "1",
    );
    expect(made?.sample.evidence).toEqual(evidence);
  });
});

it("a choice without options is one error with its sample", () => {
  expect(() => choice("t", {}).query({ id: "q7", input: "x", gold: "a" })).toThrow(
    /A sample has no options[\s\S]*q7/,
  );
});
