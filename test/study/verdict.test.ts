// What the verdict says of rivals that are not shown to differ from the champion.

import { describe, expect, it } from "vitest";
import { share } from "../../src/core/metric.js";
import { makeVerdict } from "../../src/study/verdict.js";

/** A study of a champion, its generalist and rivals with these differences (champion less rival) and corrected p. */
const told = (rivals: Record<string, [low: number, high: number, pAdjusted: number]>, more = {}): string => {
  const names = ["linear", "zeroShot", ...Object.keys(rivals)];
  const all = { zeroShot: [0.1, 0.3, 0.002], ...rivals };
  const record = {
    tasks: [{ name: "t", metric: share("accuracy") }],
    subjects: names.map((name) => ({
      ...{ name, role: name === "zeroShot" ? "generalist" : "specialist", ids: [], seeds: [1] },
      chain: [{ name, options: {} }],
    })),
    results: names.map((subject) => ({
      ...{ subject, task: "t", metric: "accuracy", n: 150, mean: 0.8, low: 0.7, high: 0.9, baseline: 0.3 },
      ...{ unscored: 0, dev: null, build: { calls: 0, seconds: 0 }, perAnswer: { calls: 0, msMedian: 1 } },
    })),
    comparisons: Object.entries(all).map(([b, [low, high, pAdjusted]]) => ({
      ...{ a: "linear", b, task: "t", n: 150, delta: (low! + high!) / 2, low, high, p: 0.01, pAdjusted },
      ...{ test: "mcnemar-exact", detectable: 0.3, dropped: 0, ...more },
    })),
  };
  return makeVerdict(record as never, "linear", null).text;
};

describe("a rival that is not shown to differ", () => {
  it("is listed, where its own interval holds 0", () => {
    const text = told({ knn: [-0.02, 0.1, 0.4], probe: [-0.1, 0.02, 0.9] });
    expect(text).toContain("No difference is shown from knn and probe.");
    expect(text).not.toContain("own 95 %");
  });

  it("is listed apart with its difference, where its own interval does not", () => {
    const text = told({ knn: [-0.02, 0.1, 0.4], fewShot: [0.263, 0.681, 0.11] });
    expect(text).toContain(
      "No difference is shown from knn. By its own 95 % interval fewShot is 47.2 points behind (26.3 to 68.1); the corrected test does not confirm it.",
    );
    const two = told({ fewShot: [0.263, 0.681, 0.11], probe: [-0.06, -0.01, 0.2] });
    expect(two).not.toContain("No difference is shown");
    expect(two).toContain(
      "By their own 95 % intervals fewShot is 47.2 points behind (26.3 to 68.1) and probe is 3.5 points ahead (1.0 to 6.0); the corrected test confirms none of it.",
    );
  });

  it("is told so without a figure, where no difference on the scale could have been detected", () => {
    const none = { detectable: Number.POSITIVE_INFINITY, pAdjusted: 0.3 };
    expect(told({}, none)).toContain("no difference could have been detected with so few samples.");
    expect(told({}, { ...none, test: "seeds-t" })).toContain("with so few samples or seeds.");
  });
});
