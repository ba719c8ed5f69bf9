// The interactive scenarios of EgoSocialArena over the mock: their studies run, and every claim and row has its figure.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { markdownReproduction } from "../../src/cli/reproduction.js";
import type { LanguageSubject } from "../../src/core/kinds.js";
import type { Query } from "../../src/core/language.js";
import type { Callable } from "../../src/core/model.js";
import { randomFor } from "../../src/core/random.js";
import { taskContext } from "../../src/core/task.js";
import { playerOf, type View } from "../../src/games/index.js";
import { renderPrompt } from "../../src/models/prompt.js";
import { openModel } from "../../src/models/registry.js";
import { type Draft, judge } from "../../src/papers/claim.js";
import {
  type ArenaPlan,
  arenaClaims,
  arenaPlans,
  arenaRows,
  arenaTable,
  believes,
  opponents,
  rules,
} from "../../src/papers/egosocialarena/arena.js";
import { presets } from "../../src/papers/egosocialarena/settings.js";
import type { Row } from "../../src/papers/figures.js";
import type { Reproduction } from "../../src/papers/paper.js";
import type { FinishedStudy } from "../../src/papers/plans.js";
import { planName, readStudy, runPlans } from "../../src/papers/plans.js";
import { arenaDataSchema, drawDeals } from "../../src/tasks/arena/deals.js";
import { arena } from "../../src/tasks/arena/index.js";
import { listener } from "../specializers/fakes.js";

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
  unscored: 0,
  stopped: null,
  seconds: 0,
  machine: "",
  hone: "",
  at: "",
};

describe("the interactive scenarios", () => {
  it("run, and give every claim and every row of the table its figure", async () => {
    const sizes = {
      deals: [{ guessing: 2, holdem: 3, blackjack: 6 }],
      solved: { train: 6, dev: 2, tune: { fewShot: { k: 2 } } },
    };
    const plans = arenaPlans(["mock:?skill=0.3"], { rules, opponents, ...sizes }, [1, 2]);
    const named = new Map(plans.map((plan) => [planName("egosocialarena", "smoke", plan), plan]));
    const { signal } = new AbortController();
    const { finished, stopped } = await runPlans(named, { store, signal });
    expect(stopped).toBeNull();
    expect(finished.size).toBe(6);
    const studies = [...named].map(([name, plan]) => ({
      plan,
      study: readStudy(plan, name, { store }),
    }));
    const claims = arenaClaims(arenaRows(studies));
    expect(claims.map(({ id, measured }) => [id, measured === null ? 0 : measured.n])).toEqual([
      ["g1", 6],
      ["g2", 6],
      ["h1", 6],
      ["h2", 6],
      ["h3", 6],
      ["i1", 6],
      ["i2", 6],
      ["i3", 6],
      ["i4", 6],
    ]);
    // What is won is no share, and is told as it is.
    const paid = claims.filter(({ unit }) => unit !== undefined);
    expect(paid.map(({ id }) => id)).toEqual(["h1", "h2", "i1", "i2", "i4"]);
    const won = { ...base, claims: judge([{ ...(paid[0] as Draft), measured: bet }]) };
    const gaps = { ...base, claims: judge([{ ...(paid[0] as Draft), measured: bet }], 3) };
    expect(markdownReproduction(gaps)).toMatch(/^\| h1 \|.* \| not judged \|$/m);
    expect(markdownReproduction(won)).toMatch(/^\| h1 \|.* \| 0\.250 big blinds a hand \| 0\.125–0\.375 \|/m);
    const { rows } = arenaTable(studies);
    expect(rows).toHaveLength(3 * 4 + 2 * 4 + 5);
    expect(rows[0]?.slice(0, 3)).toEqual([
      "Number Guessing, share of right guesses, against constant",
      "mock:, zero-shot",
      "2",
    ]);
  }, 120_000);

  it("let the larger model play the first of the smaller one's deals, untrained", () => {
    const plans = arenaPlans(["mock:a", "mock:b"], presets.full.arena, [1]);
    const [small, large] = ["mock:a", "mock:b"].map((model) =>
      plans.find((plan) => plan.model === model && plan.part === "blackjack"),
    ) as [ArenaPlan, ArenaPlan];
    expect(plans).toHaveLength(12);
    expect([small, large].map(({ arms }) => Object.keys(arms))).toEqual([
      ["zero-shot", "random", "safest", "lora", "best"],
      ["zero-shot", "random", "safest", "best"],
    ]);
    const dealsOf = ({ study }: ArenaPlan) => {
      const { data } = study.task as { data: object };
      return drawDeals({ game: "blackjack" }, arenaDataSchema.parse(data)).test;
    };
    expect(dealsOf(small).slice(0, 300)).toEqual(dealsOf(large));
    expect(dealsOf(large)).toHaveLength(300);
  });

  it("have no figure where nothing was played", () => {
    const claims = arenaClaims(arenaRows([]));
    expect(claims.every(({ measured }) => measured === null)).toBe(true);
    expect(arenaTable([]).rows).toEqual([]);
  });
});

/** A finished study of one game that has these rows. */
const finished = (experiment: string, rows: Readonly<Record<string, readonly Row[]>>) => ({
  plan: { experiment },
  study: { rows: (arm: string) => rows[arm] ?? [] } as FinishedStudy,
});
const row = (i: number, score: number, more: Partial<Row> = {}): Row => ({
  task: "table",
  sample: `test-${i}`,
  seed: 1,
  gold: "",
  prediction: "",
  score,
  details: {},
  ...more,
});
const claimOf = (id: string, ...studies: ReturnType<typeof finished>[]) =>
  judge(arenaClaims(arenaRows(studies)).filter((one) => one.id === id))[0];

async function played(
  game: string,
  subject: LanguageSubject,
  deals: number,
  opponent?: string,
): Promise<Row[]> {
  const task = arena("table", {
    kind: "arena",
    game,
    answerBy: "text",
    scoring: "parse",
    ...(opponent ? { opponent } : {}),
  });
  const { test } = drawDeals({ game }, arenaDataSchema.parse({ train: 0, dev: 0, test: deals }));
  const context = taskContext(new AbortController().signal);
  return Promise.all(
    test.map(async (sample, i) => {
      const grade = await task.evaluate(subject, sample, context);
      if (grade.status !== "scored") throw new Error(grade.cause);
      const episodes = (grade.trail ?? []).filter((step) => step.kind === "episode");
      return row(i, grade.score, { episodes });
    }),
  );
}
const scripted = (game: string, name: string) =>
  listener(({ position, options = [] }) => {
    const player = playerOf(game, name);
    const view = position?.view as View;
    const random = randomFor(0, ...(position?.stream ?? []));
    const belief = { name: position?.belief ?? "", options: options.map(({ key }) => key) };
    const choice =
      position?.belief === undefined ? player.act(view, random) : player.believe?.(view, belief, random);
    return choice === undefined ? { unscored: "no-belief" } : { choice };
  });

describe("claims on what is won", () => {
  it("leave no room for a model that never answers with a legal move", async () => {
    const illegal = listener(() => ({ text: "I am all in!", unscored: "unparsed" }));
    const [model, safest, random] = await Promise.all([
      played("holdem", illegal, 60, "aggressive"),
      played("holdem", scripted("holdem", "safest"), 60, "aggressive"),
      played("holdem", scripted("holdem", "random"), 60, "aggressive"),
    ]);
    const claim = (than: Row[]) =>
      claimOf("h1", finished("holdem-aggressive", { "zero-shot": model, safest: than }));
    expect(claim(safest)).toMatchObject({ measured: 0, holds: false });
    // Moving at random loses more than never moving at all.
    expect(claim(random)?.measured).toBeGreaterThan(0.5);
  });

  it("have intervals in the game's unit, not in shares", () => {
    const won = [12, -9, 15, -4, 20, -11, 8, 17, -6, 9].map((score, i) => row(i, score));
    const lost = won.map((one, i) => ({ ...one, score: -(i % 3) }));
    const claim = claimOf("h1", finished("holdem-aggressive", { "zero-shot": won, safest: lost }));
    expect(claim?.measured).toBeGreaterThan(5);
    expect(claim?.high).toBeGreaterThan(10);
    expect(claim?.low).toBeLessThan(0);
  });

  it("count a deal once, whoever is met on it", () => {
    const rows = {
      "zero-shot": [1, 2, 3].map((score, i) => row(i, score)),
      safest: [0, 0, 0].map((score, i) => row(i, score)),
    };
    const groups = arenaRows(opponents.map((name) => finished(`holdem-${name}`, rows)))(
      "holdem",
      "zero-shot",
    ).map(({ sample, group }) => [sample, group]);
    expect(groups[0]).toEqual(["holdem-aggressive/test-0", "holdem/test-0"]);
    expect(groups[3]).toEqual(["holdem-conservative/test-0", "holdem/test-0"]);
  });

  it("of a trained player count training seeds", () => {
    const deals = Array.from({ length: 60 }, (_, i) => i);
    const lora = [1, 0, 0].flatMap((gain, s) => deals.map((i) => row(i, gain - (i % 2), { seed: s + 1 })));
    const plain = deals.map((i) => row(i, -(i % 2)));
    const claim = claimOf("i1", finished("blackjack", { lora, "zero-shot": plain }));
    // Two of three trainings learnt nothing.
    expect(claim?.measured).toBeCloseTo(1 / 3, 9);
    expect(claim).toMatchObject({ holds: false });
    expect(claim?.p).toBeGreaterThan(0.1);
  });
});

describe("claims on beliefs", () => {
  it("fail a model that always says the commonest answer, and hold for one that reckons", async () => {
    const optimal = await played("blackjack", scripted("blackjack", "optimal"), 200);
    expect(believes(optimal)?.low).toBeGreaterThan(0);
    const always = listener((query) =>
      query.position?.belief === undefined ? { choice: "hit" } : { choice: "no" },
    );
    const constant = await played("blackjack", always, 200);
    expect(believes(constant)?.mean).toBeLessThanOrEqual(0);
    expect(believes([])).toBeNull();
  });

  it("ask nothing that stands in the prompt", async () => {
    const seen = scripted("blackjack", "rule");
    await played("blackjack", seen, 20);
    const asked = seen.heard.filter(({ position }) => position?.belief !== undefined);
    expect(asked.length).toBeGreaterThan(20);
    for (const { options } of asked) expect(options?.map(({ key }) => key)).toEqual(["yes", "no"]);
  });
});

describe("Number Guessing's conversation", () => {
  it("fits the model's context at its longest", async () => {
    const ref = presets.full.models[0] as string;
    const [plan] = arenaPlans([ref], presets.full.arena, [1]) as [ArenaPlan];
    const { maxTokens } = plan.study.task as { maxTokens: number };
    // Longest numbers on both sides, and an answer that is none before each.
    const wrote = "one hundred and one, I think, or";
    const talkative = listener(({ turns = [] }) => ({
      text: turns.at(-1)?.content === wrote ? "100" : wrote,
    }));
    const hundred = listener(() => ({ text: "100" }));
    const context = taskContext(new AbortController().signal);
    const task = arena("longest", { kind: "arena", game: "guessing", opponent: "mock:hundred", maxTokens });
    const [deal] = drawDeals({ game: "guessing" }, arenaDataSchema.parse({ train: 0, dev: 0, test: 1 })).test;
    const open = async () => ({ subject: hundred, context });
    expect(await task.evaluate(talkative, deal as never, { ...context, open })).toMatchObject({ score: 1 });
    const lengthOf = (query: Query) => JSON.stringify(query).length;
    const longest = talkative.heard.toSorted((a, b) => lengthOf(b) - lengthOf(a))[0] as Query;
    const model: Callable = await openModel(`${ref}&lanes=1&threads=1`);
    const { messages } = renderPrompt(longest, "plain");
    const tokens = await model.weights?.tokenize({ messages, format: "plain", options: ["1"] });
    await model.close();
    const room = Number(/context=(\d+)/.exec(ref)?.[1]);
    expect((tokens?.prompt.length ?? room) + maxTokens).toBeLessThanOrEqual(room);
  }, 300_000);
});
