// What dev decides in a study: the champion, by errors too and with unscored trials; and which dev figures it flatters.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { noCost } from "../../src/core/call.js";
import { quantity, share } from "../../src/core/metric.js";
import type { Outcome } from "../../src/core/outcome.js";
import { makeSpecializer } from "../../src/specializers/index.js";
import type { Journal } from "../../src/store/journal.js";
import type { FittedArm } from "../../src/study/fit.js";
import type { PreparedStudy } from "../../src/study/prepare.js";
import { chooseOnDev } from "../../src/study/record.js";
import { runStudy } from "../../src/study/run.js";
import { toneSpec, writeTones } from "./fixture.js";

const root = mkdtempSync(join(tmpdir(), "hone-dev-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The champion among subjects with these dev scores, one list a seed; null is unscored. */
function champion(metric: ReturnType<typeof share>, scores: Record<string, (number | null)[][]>, tokens = 0) {
  const names = Object.keys(scores);
  const outcomes = (subject: string): Outcome[] =>
    scores[subject]!.flatMap((run, seed) =>
      run.map((score, i) => ({
        subject,
        task: "t",
        split: "dev" as const,
        sample: `${i}`,
        seed,
        gold: "",
        grade:
          score === null
            ? { status: "unscored" as const, cause: "diverged" }
            : { status: "scored" as const, score, prediction: "" },
        cost: { ...noCost, inputTokens: subject === names[0] ? tokens : 0 },
        calls: [],
      })),
    );
  const study = { domain: { task: { metric }, keys: { dev: "t" } } } as unknown as PreparedStudy;
  const fitted = names.map((name) => ({
    arm: { name },
    specialists: scores[name]!.map((_, seed) => ({ seed, subject: { id: name } })),
  })) as unknown as FittedArm[];
  const journal = { outcomes: ({ subject }: { subject: string }) => outcomes(subject) } as unknown as Journal;
  return chooseOnDev(study, fitted, journal)?.arm.name ?? null;
}

describe("the champion", () => {
  const error = quantity("error", "m");

  it("is not the one whose trials diverged, where less is better", () => {
    expect(champion(error, { diverging: [[0.5, null, null, null]], steady: [[0.2, 0.4, 0.3, 0.5]] })).toBe(
      "steady",
    );
    expect(champion(error, { diverging: [[null, null]], bad: [[9, 9]] })).toBe("bad");
  });

  it("pays for what it left unscored under each seed", () => {
    const seeds = {
      a: [
        [1, 1, 1, 0],
        [null, null, null, null],
      ],
      b: [
        [1, 1, 0, 0],
        [1, 0, 0, 1],
      ],
    };
    expect(champion(share("accuracy"), seeds)).toBe("b");
  });

  it("is, of equals, the one whose answers take fewer tokens, then the one listed first", () => {
    expect(champion(share("accuracy"), { a: [[1, 0]], b: [[0, 1]] })).toBe("a");
    expect(champion(share("accuracy"), { a: [[1, 0]], b: [[0, 1]] }, 10)).toBe("b");
  });

  it("is no one where nothing was scored", () => {
    expect(champion(error, { a: [[null]], b: [] })).toBeNull();
  });
});

describe("dev figures", () => {
  it("are marked where dev chose within the subject, and only there", async () => {
    writeTones(join(root, "tones.jsonl"), 400);
    const inner = ["zeroShot", { fewShot: { k: 3 } }];
    const spec = toneSpec({
      model: "mock:?skill=0.6&seed=1",
      specialists: [
        { bestOf: { of: inner } },
        [{ bestOf: { of: inner } }, "calibrate"],
        { fewShot: { k: 3 } },
        "linear",
      ],
    });
    const { results } = await runStudy(spec, { store: join(root, "store"), base: root });
    const marked = results.filter(({ dev }) => dev?.optimistic).map(({ subject }) => subject);
    const best = "bestOf(zeroShot | fewShot(k=3))";
    expect(marked).toEqual([best, `${best} + calibrate`]);
    expect(results).toHaveLength(5);
  });

  it.each([
    ["zeroShot", false],
    ["linear", false],
    [{ bestOf: { of: ["zeroShot"] } }, false],
    ["lora", true],
    ["full", true],
    ["adapter", true],
    ["bitfit", true],
    ["softPrompt", true],
    ["medprompt", true],
    [{ medprompt: { examples: "always" } }, false],
    [["lora", "calibrate"], true],
    [{ subset: { n: 5, use: "lora" } }, true],
    [{ perStratum: { use: "lora" } }, true],
    [{ cot: { use: { bestOf: { of: ["zeroShot", "fewShot"] } } } }, true],
    [{ portfolio: { use: "medprompt", direct: "zeroShot" } }, true],
    ["knnLm", false],
  ])("%j chooses on dev: %s", (spec, expected) => {
    expect(makeSpecializer(spec, "test").choosesOnDev ?? false).toBe(expected);
  });
});
