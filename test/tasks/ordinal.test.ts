// The shipped example of a task of one's own: ranks from the right label, and the worst score for an answer that is no label.

import { expect, it } from "vitest";
import { ordinal } from "../../examples/extend/ordinal.js";
import type { Answer } from "../../src/core/language.js";
import { context, listener } from "../specializers/fakes.js";

const labels = ["cold", "cool", "warm", "hot"].map((key) => ({ key, text: key }));
const task = ordinal("heat", { kind: "ordinal" }, labels);
const score = async (gold: string, answer: Answer) => {
  const grade = await task.evaluate(
    listener(() => answer),
    { id: "a", input: "water", gold },
    context,
  );
  return grade.status === "scored" ? grade.score : grade.cause;
};

it("examples/extend/ordinal.ts scores by ranks from the right label, within its metric", async () => {
  expect(task.metric).toMatchObject({ better: "lower", least: 0, most: 3 });
  for (const [given, { key: choice }] of labels.entries())
    expect(await score("cool", { choice })).toBe(Math.abs(given - 1));
  for (const { key: gold } of labels) {
    expect(await score(gold, { unscored: "unparsed" }), gold).toBe(3);
    expect(await score(gold, { unscored: "no-answer" }), gold).toBe(3);
    expect(await score(gold, { unscored: "budget" }), gold).toBe("budget");
  }
});
