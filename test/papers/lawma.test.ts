// The claims' arithmetic on scores that are known, and the whole reproduction over the mock: complete, resumable, stopped
// by a limit.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { markdownReproduction, renderReproduction } from "../../src/cli/reproduction.js";
import { makeClaim } from "../../src/papers/claim.js";
import {
  atNaturalMix,
  ceilingGap,
  macroDifference,
  macroMean,
  type Scores,
  shareOfTasks,
} from "../../src/papers/figures.js";
import { papers } from "../../src/papers/index.js";
import { lawmaClaims } from "../../src/papers/lawma/claims.js";
import { readLawma } from "../../src/papers/lawma/read.js";
import { reproduceLawma } from "../../src/papers/lawma/reproduce.js";
import { type LawmaSettings, presets } from "../../src/papers/lawma/settings.js";
import { specializers } from "../../src/specializers/index.js";
import { openJournal } from "../../src/store/journal.js";
import { writeFactsForm } from "./make.js";

const words = { id: "x", claim: "It does.", published: 0.1, note: "" };
const above = { side: "above", threshold: 0 } as const;
const below = { side: "below", threshold: 0 } as const;

describe("a claim", () => {
  it.each([
    [above, 0.1, 0.3, true, false],
    [above, -0.1, 0.3, false, false],
    [above, -0.3, -0.1, false, true],
    [below, -0.3, -0.1, true, false],
    [below, 0.1, 0.3, false, true],
    [{ side: "above", threshold: 0.5 } as const, 0.4, 0.9, false, false],
  ])("of %j with interval %d to %d", (direction, low, high, holds, opposite) => {
    const claim = makeClaim(words, direction, { mean: (low + high) / 2, low, high, n: 9 });
    expect([claim.holds, claim.opposite]).toEqual([holds, opposite]);
  });

  it("that was not measured neither holds nor fails", () => {
    expect(makeClaim(words, above, null)).toMatchObject({ measured: null, holds: null, opposite: null });
  });
});

/** `right` of `n` answers right, on cases of its own. */
function scores(tasks: Record<string, [right: number, n: number]>): Scores {
  const made = Object.entries(tasks).flatMap(([task, [right, n]]) =>
    Array.from({ length: n }, (_, i) => {
      const gold = i % 2 ? "a" : "b";
      const one = { task, caseId: `${task}${i}`, score: i < right ? 1 : 0, gold, prediction: gold };
      return [`${task}/${i}`, one] as const;
    }),
  );
  return new Map(made);
}

describe("Lawma's figures", () => {
  it("count every task alike, however many samples it has", () => {
    const some = scores({ small: [10, 10], large: [0, 90] });
    expect(macroMean(some)?.mean).toBeCloseTo(0.5);
    const other = scores({ small: [0, 10], large: [45, 90] });
    expect(macroDifference(some, other)?.mean).toBeCloseTo((1 - 0.5) / 2);
    expect(shareOfTasks(some, other)).toMatchObject({ mean: 0.5, n: 2 });
  });

  it("give a difference that is there an interval without zero, and one that is not an interval with it", () => {
    const good = macroDifference(scores({ a: [45, 50], b: [40, 50] }), scores({ a: [20, 50], b: [20, 50] }));
    expect(good?.low).toBeGreaterThan(0.2);
    const none = macroDifference(scores({ a: [25, 50] }), scores({ a: [25, 50] }));
    expect(none?.low).toBeLessThan(0);
    expect(none?.high).toBeGreaterThan(0);
  });

  it("undo balancing by the share that was kept", () => {
    // Natural: 80 of a, 20 of b. Kept: 20 and 20. Right on all of a, on half of b: (80 + 10) / 100.
    const rows = Array.from({ length: 40 }, (_, i) => ({
      gold: i < 20 ? "a" : "b",
      right: i < 30 ? 1 : 0,
      id: `${i}`,
    }));
    expect(atNaturalMix(rows, "a", 0.25)).toBeCloseTo(0.9);
    const gap = ceilingGap([{ rows, majority: "a", keep: 0.25, coders: 0.95 }]);
    expect(gap?.mean).toBeCloseTo(-0.05);
    const two = ceilingGap([
      { rows, majority: "a", keep: 0.25, coders: 0.95 },
      { rows: rows.slice(0, 20), majority: "a", keep: 1, coders: 1 },
    ]);
    expect(two?.mean).toBeCloseTo(-0.025);
  });
});

const real = process.env.HONE_TEST_DATA;
const has = real !== undefined && existsSync(join(real, "law"));
it.skipIf(!has)(
  "recomputes the ceiling from Lawma's stored answers (skipped unless HONE_TEST_DATA has law)",
  async () => {
    const nothing: Scores = new Map();
    const all = {
      zero: nothing,
      few: nothing,
      all: nothing,
      one: nothing,
      linear: nothing,
      majority: nothing,
    };
    const rest = {
      transfer: { scores: nothing, tasks: [] },
      curve: [],
      curveZero: nothing,
      curveMajority: nothing,
    };
    const claims = lawmaClaims({ ...all, ...rest, larger: null }, await readLawma(`file:${real}/law`, {}));
    const ceiling = claims.find(({ id }) => id === "f1");
    expect(ceiling?.measured).toBeCloseTo(ceiling?.published as number, 2);
    expect(ceiling?.holds).toBe(true);
    expect(claims.filter(({ holds }) => holds !== null).map(({ id }) => id)).toEqual(["f1"]);
  },
);

describe("the whole reproduction, over the mock", () => {
  const folder = mkdtempSync(join(tmpdir(), "hone-reproduce-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  writeFactsForm(join(folder, "data"));
  const settings: LawmaSettings = {
    ...presets.smoke,
    tasks: null,
    enough: { train: 10, test: 5 },
    curve: { ...presets.smoke.curve, tasks: ["sc_area"], seeds: [1, 2] },
  };
  // Nothing can be trained in a mock: nearest examples stand where weights would change.
  const table = {
    ...specializers,
    lora: {
      ...specializers.knn,
      make: () => specializers.knn.make({ k: 2, by: "bm25" }),
      options: specializers.lora.options,
    },
  };
  const run = (store: string, more: object = {}) =>
    reproduceLawma(
      {
        preset: "smoke",
        data: join(folder, "data"),
        store: join(folder, store),
        models: ["mock:small", "mock:large"],
        use: { specializers: table },
        ...more,
      },
      settings,
    );

  it("ends with every claim measured that the data can carry, and the same again at once", async () => {
    const stages: string[] = [];
    const result = await run("store", {
      onEvent: (event: { type: string; title?: string }) =>
        event.type === "stage" && stages.push(event.title as string),
    });
    expect(stages).toHaveLength(4);
    expect(result.stopped).toBeNull();
    const open = result.claims.filter(({ measured }) => measured === null).map(({ id }) => id);
    expect(open).toEqual(["f1", "f2"]);
    for (const { measured, low, high, n } of result.claims.filter((claim) => claim.measured !== null)) {
      expect(low).toBeLessThanOrEqual(measured as number);
      expect(high).toBeGreaterThanOrEqual(measured as number);
      expect(n).toBeGreaterThan(0);
    }
    expect(result.tasks).toHaveLength(3);
    const text = renderReproduction(result);
    for (const { id, claim } of result.claims) expect(text).toContain(`${id}  ${claim.slice(0, 40)}`);
    const page = markdownReproduction(result);
    for (const { id } of result.claims) expect(page).toMatch(new RegExp(`^\\| ${id} \\| .* \\|$`, "m"));
    for (const { title, rows } of result.tables) {
      const section = page.split(`## ${title}`)[1]?.split("\n\n")[1] as string;
      expect(section.split("\n")).toHaveLength(rows.length + 2);
    }

    const journal = openJournal(join(folder, "store", "journal.db"));
    const studies = journal.studies().map(({ name }) => name);
    journal.close();
    expect(studies.sort()).toEqual([...result.studies].sort());
    const again = await run("store");
    expect(again.claims).toEqual(result.claims);
    expect(again.seconds).toBeLessThan(result.seconds);
  });

  it("stops at a limit without a claim that was not measured, and goes on", async () => {
    const drain = new AbortController();
    drain.abort();
    const stopped = await run("other", { drain: drain.signal });
    expect(stopped.stopped).toMatch(/by hand/);
    expect(stopped.claims.every(({ measured }) => measured === null)).toBe(true);
    const whole = await run("other");
    expect(whole.stopped).toBeNull();
    expect(whole.claims.find(({ id }) => id === "a1")?.measured).not.toBeNull();
  });

  it("refuses data that are not there, and data with too little in them", async () => {
    await expect(run("third", { data: join(folder, "nowhere") })).rejects.toThrow();
    const few = { ...settings, enough: { train: 1000, test: 1000 } };
    const options = { preset: "smoke", data: join(folder, "data"), store: join(folder, "third") } as const;
    await expect(reproduceLawma(options, few)).rejects.toThrow(/enough examples/);
  });

  it("is in the table of papers", () => {
    expect(Object.keys(papers)).toContain("lawma");
  });
});
