// cot: what the reasoning calls see, and which of them become examples.

import { describe, expect, it } from "vitest";
import { CallError } from "../../src/core/call.js";
import { cot } from "../../src/specializers/prompting/cot.js";
import { fewShot } from "../../src/specializers/prompting/few-shot.js";
import { knn } from "../../src/specializers/prompting/knn.js";
import { choice } from "../../src/tasks/choice.js";
import { context, given, listener, make, queryOf } from "./fakes.js";

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

  it("keeps the options in the order in which the rationale was written", async () => {
    const many = "abcdefg".split("").map((key) => ({ key, text: `place ${key}` }));
    const seven = choice("seven", {}, many);
    // Right only where the gold option stands first, which it does not as they stand.
    const subject = listener(({ options = [] }) => ({
      choice: options[0]?.key ?? "",
      trail: [{ kind: "rationale", text: "It stands first." }],
    }));
    const samples = Array.from({ length: 12 }, (_, i) => ({ id: `n${i}`, input: `thing ${i}`, gold: "c" }));
    const change = { task: seven, train: samples };
    const specialist = await make(cot({ shuffles: 20, pool: 10 }, fewShot({ k: 10 })), subject, change);
    expect(
      new Set(subject.heard.map((query) => query.options?.map(({ key }) => key).join())).size,
    ).toBeGreaterThan(20);
    await specialist.respond(queryOf("another", seven), context);
    const shots = subject.heard.at(-1)?.demonstrations ?? [];
    expect(shots.length).toBeGreaterThan(3);
    expect(new Set(shots.map((shot) => shot.input)).size).toBe(shots.length);
    for (const shot of shots) {
      expect(shot.options?.[0]).toEqual(many[2]);
      expect(shot.options).toHaveLength(7);
    }
  });

  it("tries two options in both orders and no more", async () => {
    const two = choice("two", {}, [
      { key: "y", text: "yes" },
      { key: "n", text: "no" },
    ]);
    const subject = listener(() => ({ choice: "n", trail: [{ kind: "rationale", text: "No." }] }));
    const train = [{ id: "a", input: "is it", gold: "y" }];
    await make(cot({ shuffles: 5 }, knn({ k: 1 })), subject, { task: two, train });
    expect(subject.heard.map(({ options }) => options?.map(({ key }) => key).join(""))).toEqual(["yn", "ny"]);
  });

  it("asks nothing while fitting where no examples are wanted", async () => {
    const subject = listener();
    const specialist = await make(cot(), subject, { train: [] });
    expect(subject.heard).toEqual([]);
    await specialist.respond(queryOf("a boat"), context);
    expect(subject.heard).toMatchObject([{ demonstrations: [], reason: { maxTokens: 96 } }]);
  });

  it("says in its state how many were verified", async () => {
    const subject = listener(({ input }) =>
      input.includes("plough")
        ? { unscored: "unparsed" }
        : { choice: "s", trail: [{ kind: "rationale", text: "So." }] },
    );
    const notes: string[] = [];
    const progress = (_done: number, _total: number, note = "") => notes.push(note);
    const state = await cot({}, fewShot()).fit(subject, given({ progress }));
    expect(state).toMatchObject({ counts: { asked: 12, verified: 6, unscored: 0 } });
    expect(notes.at(-1)).toBe("verified 6 of 12");
  });

  it("passes over a sample that is refused, and stops where the endpoint fails", async () => {
    const failing = (failure: "refused" | "server-error") =>
      listener(({ input }) => {
        if (input.includes("plough")) throw new CallError(failure, "no");
        return { choice: "s", trail: [{ kind: "rationale", text: "So." }] };
      });
    const state = await cot({}, fewShot()).fit(failing("refused"), given());
    expect(state).toMatchObject({ counts: { asked: 12, verified: 6, unscored: 2 } });
    await expect(cot({}, fewShot()).fit(failing("server-error"), given())).rejects.toThrow(CallError);
  });
});
