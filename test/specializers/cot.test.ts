// cot: what the reasoning calls see, and which of them become examples.

import { describe, expect, it } from "vitest";
import { cot } from "../../src/specializers/cot.js";
import { knn } from "../../src/specializers/knn.js";
import { context, listener, make, queryOf } from "./fakes.js";

describe("cot", () => {
  it("keeps only reasoning that reached the gold answer, and never shows gold", async () => {
    const subject = listener(() => ({ choice: "s", trail: [{ kind: "rationale", text: "It is wet." }] }));
    const specialist = await make(cot({ shuffles: 2 }, knn({ k: 12 })), subject);
    expect(subject.heard).toHaveLength(6 + 2 * 6);
    for (const query of subject.heard) {
      expect(query.demonstrations).toEqual([]);
      expect(query.reason).toEqual({ maxTokens: 96 });
    }
    subject.heard.length = 0;
    await specialist.respond(queryOf("A sail in the  storm"), context);
    const shots = subject.heard[0]?.demonstrations ?? [];
    expect(shots).toHaveLength(5);
    expect(shots.every((shot) => shot.answer === "s" && shot.rationale === "It is wet.")).toBe(true);
    expect(shots.map((shot) => shot.input)).not.toContain("a sail in the storm");
  });

  it("reasons without examples where nothing is verified", async () => {
    const subject = listener(() => ({ choice: "s" }));
    const specialist = await make(cot({}, knn()), subject);
    subject.heard.length = 0;
    await specialist.respond(queryOf("a boat"), context);
    expect(subject.heard).toMatchObject([{ demonstrations: [], reason: { maxTokens: 96 } }]);
  });
});
