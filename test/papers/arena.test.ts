// The interactive scenarios of EgoSocialArena over the mock: their studies run, and every claim and row has its figure.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { markdownReproduction } from "../../src/cli/reproduction.js";
import { type Draft, judge } from "../../src/papers/claim.js";
import {
  arenaClaims,
  arenaPlans,
  arenaScores,
  arenaTable,
  opponents,
  rules,
} from "../../src/papers/egosocialarena/arena.js";
import type { Reproduction } from "../../src/papers/paper.js";
import { planName, readStudy, runPlans } from "../../src/papers/plans.js";

const store = mkdtempSync(join(tmpdir(), "hone-ego-arena-"));
afterAll(() => rmSync(store, { recursive: true, force: true }));

const bet = { n: 40, mean: 0.25, low: 0.125, high: 0.375, p: 0.001, against: 0 };
const base: Reproduction = {
  claims: [],
  type: "done",
  paper: "egosocialarena",
  preset: "smoke",
  models: [],
  tables: [],
  deviations: [],
  studies: [],
  stopped: null,
  seconds: 0,
  machine: "",
  hone: "",
  at: "",
};

describe("the interactive scenarios", () => {
  it("run, and give every claim and every row of the table its figure", async () => {
    const plans = arenaPlans("mock:?skill=0.3", {
      rules,
      opponents,
      guessing: 2,
      holdem: 3,
      blackjack: { deals: 6, train: 6, dev: 2, tune: { fewShot: { k: 2 } } },
    });
    const named = new Map(plans.map((plan) => [planName("egosocialarena", "smoke", plan), plan]));
    const { signal } = new AbortController();
    const { finished, stopped } = await runPlans(named, { store, signal });
    expect(stopped).toBeNull();
    expect(finished.size).toBe(6);
    const studies = [...named].map(([name, plan]) => ({
      plan,
      study: readStudy(plan, name, { store }),
    }));
    const claims = arenaClaims(arenaScores(studies));
    expect(claims.map(({ id, measured }) => [id, measured === null ? 0 : measured.n])).toEqual([
      ["g1", 6],
      ["g2", 6],
      ["h1", 6],
      ["h2", 6],
      ["h3", 6],
      ["i1", 6],
      ["i2", 6],
      ["i3", 6],
    ]);
    // What is won is no share, and is told as it is.
    const paid = claims.filter(({ unit }) => unit !== undefined);
    expect(paid.map(({ id }) => id)).toEqual(["h1", "h2", "i1", "i2"]);
    const won = { ...base, claims: judge([{ ...(paid[0] as Draft), measured: bet }]) };
    expect(markdownReproduction(won)).toMatch(/^\| h1 \|.* \| 0\.250 big blinds a hand \| 0\.125–0\.375 \|/m);
    const { rows } = arenaTable(studies);
    expect(rows).toHaveLength(3 * 3 + 2 * 3 + 4);
    expect(rows[0]?.slice(0, 3)).toEqual([
      "Number Guessing, share of right guesses, against constant",
      "zero-shot",
      "2",
    ]);
  }, 120_000);

  it("have no figure where nothing was played", () => {
    const claims = arenaClaims(arenaScores([]));
    expect(claims.every(({ measured }) => measured === null)).toBe(true);
    expect(arenaTable([]).rows).toEqual([]);
  });
});
