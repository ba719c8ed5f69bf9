// What was left unscored: an endpoint's failure never counts as wrong, and a claim says whether it could be undone by it;
// what a model wrote that is no answer is wrong, and counted apart.

import { describe, expect, it } from "vitest";
import { share } from "../../src/core/metric.js";
import type { Outcome } from "../../src/core/outcome.js";
import type { Comparison, Result } from "../../src/core/record.js";
import { taskContext } from "../../src/core/task.js";
import { compareFamily, gatherScores } from "../../src/study/analyse.js";
import { makeVerdict } from "../../src/study/verdict.js";
import { choice } from "../../src/tasks/index.js";

const names = ["linear", "zeroShot", "knn"];
const record = (bounds: [number, number], dropped: number) => ({
  tasks: [{ name: "t", metric: share("accuracy") }] as never,
  subjects: names.map((name, i) => ({
    ...{ name, role: i === 1 ? "generalist" : "specialist", ids: [], seeds: [1] },
    chain: [{ name, options: {} }],
  })) as never,
  results: names.map((subject, i) => ({
    ...{
      subject,
      task: "t",
      metric: "accuracy",
      n: 90,
      mean: 0.8 - 0.2 * i,
      low: 0.5,
      high: 0.9,
      baseline: 0.3,
    },
    ...{
      unscored: i === 0 ? dropped : 0,
      dev: null,
      build: { calls: 0, seconds: 0 },
      perAnswer: { calls: 0, msMedian: 1 },
    },
  })) as unknown as Result[],
  comparisons: ["zeroShot", "knn"].map((b) => ({
    ...{ a: "linear", b, task: "t", n: 90, delta: 0.2, low: 0.1, high: 0.3, p: 0.001, pAdjusted: 0.002 },
    ...{ test: "mcnemar-exact", detectable: 0.15, dropped, bounds },
  })) as Comparison[],
});

describe("a claim of superiority", () => {
  it.each([-0.02, 0.04])("says that unscored samples could undo it, where the worst is %d", (least) => {
    const { text } = makeVerdict(record([least, 0.35], 20), "linear", null);
    expect(text).toContain("which the 20 unscored samples could undo");
    expect(text).toContain("The unscored samples could undo that for knn.");
  });

  it("says that they could not, where the interval moved to the worst difference is still above 0", () => {
    const { text } = makeVerdict(record([0.12, 0.31], 20), "linear", null);
    expect(text).toContain("whatever the 20 unscored samples would have scored");
    expect(text).not.toContain("could undo");
  });

  it("says nothing of it where nothing was left unscored", () => {
    expect(makeVerdict(record([0.2, 0.2], 0), "linear", null).text).not.toContain("unscored sample");
  });
});

describe("a sample that one of several training seeds left unscored", () => {
  const task = choice("t", {}, [
    { key: "a", text: "yes" },
    { key: "b", text: "no" },
  ]);
  /** 60 samples: `good` is right on all of them, `bad` on none; of `good` seeds 2 and 3 fail on the first `failed`. */
  const scores = (failed: number) => {
    const outcome = (subject: string, seed: number, i: number): Outcome =>
      ({
        ...{ subject, task: "t", split: "test", seed, sample: String(i), gold: "a" },
        cost: { calls: 1, inputTokens: 1, outputTokens: 0, ms: 1, usd: 0 },
        grade:
          subject === "good" && seed > 1 && i < failed
            ? { status: "unscored", cause: "timeout" }
            : { status: "scored", score: subject === "good" ? 1 : 0, prediction: "a" },
      }) as never;
    const journal = {
      outcomes: ({ subject }: { subject: string }) =>
        [1, 2, 3].flatMap((seed) => Array.from({ length: 60 }, (_, i) => outcome(subject, seed, i))),
    };
    return ["good", "bad"].map((name) =>
      gatherScores(
        name,
        [1, 2, 3].map((seed) => ({ id: name, seed })),
        "t",
        "test",
        true,
        journal as never,
      ),
    );
  };
  const compared = (failed: number) => {
    const [one] = compareFamily(
      [{ prepared: { task }, task: "t", scores: scores(failed), domain: true }],
      "bad",
      "good",
      1,
    );
    return one;
  };

  it("is unscored: it is counted, dropped from the comparison, and bounds it", () => {
    expect(scores(20)[0]).toMatchObject({ scored: 40, unscored: 20, causes: { timeout: 40 } });
    expect(compared(0)).toMatchObject({ n: 60, dropped: 0, bounds: [1, 1] });
    const found = compared(20);
    expect(found).toMatchObject({ n: 40, dropped: 20 });
    expect(found?.bounds?.[0]).toBeCloseTo(40 / 60, 9);
    expect(compared(60)).toMatchObject({ n: 0, dropped: 60 });
  });
});

describe("an answer that cannot be parsed", () => {
  const task = choice("t", { scoring: "parse" }, [
    { key: "a", text: "yes" },
    { key: "b", text: "no" },
  ]);
  const context = taskContext(new AbortController().signal);
  const graded = (answer: object) =>
    task.evaluate(
      { kind: "language", name: "s", id: "s", respond: async () => answer },
      { id: "1", input: "x", gold: "a" },
      context,
    );

  it("is wrong and counted apart; another question's reference is unscored", async () => {
    expect(await graded({ unscored: "unparsed", text: "well" })).toEqual({
      ...{ status: "scored", score: 0, prediction: "", raw: "well", details: { unparsed: 1 } },
    });
    expect(await graded({ choice: "a", text: "yes" })).toMatchObject({ score: 1, details: { unparsed: 0 } });
    expect(await graded({ unscored: "other-labels" })).toMatchObject({ status: "unscored" });
  });
});
