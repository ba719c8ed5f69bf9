// The claims' arithmetic on scores that are known, and the whole reproduction over the mock: complete, resumable, stopped
// by a limit.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { markdownReproduction, renderReproduction } from "../../src/cli/reproduction.js";
import { judge } from "../../src/papers/claim.js";
import { difference, meanOverTasks, type Scores, shareOfTasks } from "../../src/papers/figures.js";
import { lawmaClaims } from "../../src/papers/lawma/claims.js";
import { atNaturalMix, ceilingGap } from "../../src/papers/lawma/natural.js";
import { lawma } from "../../src/papers/lawma/paper.js";
import type { RowsOn } from "../../src/papers/lawma/plans.js";
import { readLawma } from "../../src/papers/lawma/read.js";
import { type LawmaSettings, presets } from "../../src/papers/lawma/settings.js";
import { recordsOf } from "../../src/papers/lawma/tables.js";
import { choose } from "../../src/papers/lawma/tasks.js";
import { specializers } from "../../src/specializers/index.js";
import { openJournal } from "../../src/store/journal.js";
import { writeFactsForm } from "./make.js";

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
    expect(meanOverTasks(some)?.mean).toBeCloseTo(0.5);
    const other = scores({ small: [0, 10], large: [45, 90] });
    expect(difference(some, other)?.mean).toBeCloseTo((1 - 0.5) / 2);
    expect(shareOfTasks(some, other)).toMatchObject({ mean: 0.5, n: 2 });
  });

  it("give a difference that is there an interval without zero, and one that is not an interval with it", () => {
    const good = difference(scores({ a: [45, 50], b: [40, 50] }), scores({ a: [20, 50], b: [20, 50] }));
    expect(good?.low).toBeGreaterThan(0.2);
    const none = difference(scores({ a: [25, 50] }), scores({ a: [25, 50] }));
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
    const gap = ceilingGap([{ task: "one", rows, majority: "a", keep: 0.25, coders: 0.95 }]);
    expect(gap?.mean).toBeCloseTo(-0.05);
    const two = ceilingGap([
      { task: "one", rows, majority: "a", keep: 0.25, coders: 0.95 },
      { task: "two", rows: rows.slice(0, 20), majority: "a", keep: 1, coders: 1 },
    ]);
    expect(two?.mean).toBeCloseTo(-0.025);
  });

  describe("along a curve of two tasks, each trained by itself with three seeds,", () => {
    // How many of 40 each seed of each task gets right.
    const right = { a: [10, 20, 30], b: [12, 22, 32] };
    const rowsOn =
      (order: readonly number[]): RowsOn =>
      (_, arm) =>
        Object.entries(right).flatMap(([task, known]) =>
          [1, 2, 3].flatMap((seed, s) =>
            Array.from({ length: 40 }, (_, i) => ({
              ...{ task: "lawma", sample: `${task}/${i}`, seed, gold: "", prediction: "", details: {} },
              score: arm.endsWith(" 10")
                ? i % 2
                : i < (known[task === "b" ? (order[s] as number) : s] ?? 0)
                  ? 1
                  : 0,
            })),
          ),
        );
    const given = {
      settings: presets.full,
      models: [],
      data: { accuracy: new Map(), predictions: [], chosen: [], heldOut: [] } as never,
    };
    const none = () => new Map();

    it("seed 1 of one is not seed 1 of the other: the order of seeds decides nothing", () => {
      const c1 = (order: readonly number[]) => {
        const claims = judge(lawmaClaims(none, rowsOn(order), given));
        return claims.find(({ id }) => id === "c1");
      };
      const [one, turned] = [c1([0, 1, 2]), c1([2, 1, 0])];
      expect(turned?.low).toBeCloseTo(one?.low as number, 9);
      expect(turned?.p).toBeCloseTo(one?.p as number, 9);
    });

    it("the intervals of its points count the seeds", () => {
      const { curve } = recordsOf(none, rowsOn([0, 1, 2]), given);
      const { low = 0, high = 0, mean, n } = curve.find((point) => point.n === 50)?.tuned ?? {};
      expect([n, mean]).toEqual([80, expect.closeTo(0.525)]);
      // Seeds lie 25 points apart, so that each task's mean has a standard error of 14 points by them alone.
      expect(high - low).toBeGreaterThan(0.3);
    });
  });
});

const real = process.env.HONE_TEST_DATA;
const has = real !== undefined && existsSync(join(real, "law"));
it.skipIf(!has)(
  "recomputes the ceiling from Lawma's stored answers (skipped unless HONE_TEST_DATA has law)",
  async () => {
    const settings = presets.full;
    const data = choose(await readLawma(`${real}/law`, {}), settings);
    const claims = judge(
      lawmaClaims(
        () => new Map(),
        () => [],
        { settings, models: [], data },
      ),
    );
    const ceiling = claims.find(({ id }) => id === "f1");
    expect(ceiling?.measured).toBeCloseTo(ceiling?.published as number, 2);
    expect(ceiling?.holds).toBe(true);
    expect(claims.filter(({ holds }) => holds !== null).map(({ id }) => id)).toEqual(["f1"]);
  },
);

describe("the whole reproduction, over the mock", () => {
  const folder = mkdtempSync(join(tmpdir(), "hone-reproduce-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  writeFactsForm(join(folder, "data", "law"));
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
    lawma.reproduce(
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
    // What is taken from the journal took what it took when it was made.
    expect(again.studySeconds).toBeGreaterThan(result.studySeconds as number);
    expect(page).toMatch(/^`npx hone reproduce lawma.*over all runs of its studies\.$/m);
  });

  it("stops at a limit without a claim that was not measured, and goes on", async () => {
    const drain = new AbortController();
    drain.abort();
    const stopped = await run("other", { drain: drain.signal });
    expect(stopped.stopped).toMatch(/by hand/);
    expect(stopped.studies).toEqual([]);
    expect(stopped.claims.every(({ measured }) => measured === null)).toBe(true);
    const whole = await run("other");
    expect(whole.stopped).toBeNull();
    expect(whole.claims.find(({ id }) => id === "a1")?.measured).not.toBeNull();
  });

  it("refuses data that are not there, and data with too little in them", async () => {
    await expect(run("third", { data: join(folder, "nowhere") })).rejects.toThrow();
    const few = { ...settings, enough: { train: 1000, test: 1000 } };
    const options = { preset: "smoke", data: join(folder, "data"), store: join(folder, "third") } as const;
    await expect(lawma.reproduce(options, few)).rejects.toThrow(/enough examples/);
  });
});
