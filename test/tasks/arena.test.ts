// The arena: a language subject at the table, what becomes of its illegal moves, the same deals for everyone, and a whole study.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { LanguageSubject } from "../../src/core/kinds.js";
import type { Answer, EpisodeTrail, Query } from "../../src/core/language.js";
import { type Grade, taskContext } from "../../src/core/task.js";
import { renderPrompt } from "../../src/models/prompt.js";
import { openModel } from "../../src/models/registry.js";
import { begin } from "../../src/study/kinds.js";
import { runStudy } from "../../src/study/run.js";
import { parseStudy } from "../../src/study/spec.js";
import { readMove } from "../../src/tasks/arena/asking.js";
import { arenaDataSchema, drawDeals } from "../../src/tasks/arena/deals.js";
import { arena } from "../../src/tasks/arena/index.js";
import { listener } from "../specializers/fakes.js";

const root = mkdtempSync(join(tmpdir(), "hone-arena-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const context = taskContext(new AbortController().signal);

const dealt = (game: string, test = 12, more: object = {}) =>
  drawDeals({ game }, arenaDataSchema.parse({ train: 20, dev: 2, test, ...more }));
const scored = (grade: Grade) => {
  if (grade.status !== "scored") throw new Error(grade.cause);
  return grade;
};
const episodes = (grade: Grade) =>
  (grade.trail ?? []).flatMap((step) => (step.kind === "episode" ? [step] : []));

describe("deals as samples", () => {
  it("teach: the gold is a legal move of the position that the query shows", () => {
    for (const game of ["holdem", "leduc", "kuhn", "blackjack"]) {
      const task = arena("table", { kind: "arena", game });
      for (const sample of dealt(game).train) {
        const query = task.query(sample);
        expect(query.options?.map(({ key }) => key)).toContain(sample.gold);
        expect(task.demonstration(sample).answer).toBe(sample.gold);
      }
    }
  });

  it("teach against the task's opponent where subjects play one seat: against level 2 the third guess is 40", () => {
    const options = { game: "guessing", opponent: "level2" };
    const { train } = drawDeals(options, arenaDataSchema.parse({ train: 60 }));
    const task = arena("levels", { kind: "arena", ...options });
    const third = train.filter((sample) => /Round 3\. Guess/.test(task.query(sample).input));
    expect(third.length).toBeGreaterThan(0);
    expect(new Set(third.map(({ gold }) => gold))).toEqual(new Set(["40"]));
    expect(task.query(third[0] as never).input).toContain("Round 2: player 1 chose 45, you chose 50.");
  });

  it("are the same from the same seed, and none of test's is in train", () => {
    expect(dealt("holdem")).toEqual(dealt("holdem"));
    const { train, test } = dealt("holdem");
    const numbers = (samples: typeof train) => samples.map(({ input }) => JSON.parse(input).number as number);
    expect(numbers(train).some((number) => numbers(test).includes(number))).toBe(false);
  });
});

describe("a language subject at the table", () => {
  it("is asked with the rules, its cards, and the conversation of this hand", async () => {
    const caller = listener(({ options = [] }) => ({
      choice: (options.find(({ key }) => key === "check" || key === "call") ?? options[0])?.key as string,
    }));
    const task = arena("holdem", { kind: "arena", game: "holdem", opponent: "caller", beliefs: false });
    const [sample] = dealt("holdem").test;
    const grade = scored(await task.evaluate(caller, sample as never, context));
    expect(episodes(grade).map(({ seat }) => seat)).toEqual([0, 1]);
    const [first, second] = caller.heard as [Query, Query];
    expect(first.instruction).toMatch(/Limit Texas Hold'em for two/);
    expect(first.turns).toBeUndefined();
    expect(second.turns?.map(({ role }) => role)).toEqual(["user", "assistant"]);
    const { messages } = renderPrompt(second, "chat");
    expect(messages.map(({ role }) => role)).toEqual(["system", "user", "assistant", "user"]);
    expect(messages.at(-1)?.content).toMatch(/Board: .* of .*\n[\s\S]*A\. fold\nB\. check\nC\. raise/);
    // What the program sees is not shown.
    expect(JSON.stringify(messages)).not.toMatch(/position|"view"/);
  });

  it("is asked again once where it writes no legal move, then checks or folds; both are counted", async () => {
    const answers: Answer[] = [];
    const stubborn = listener((query) => {
      answers.push({ text: "I am all in!", unscored: "unparsed" });
      return query.turns?.at(-1)?.content === "I am all in!" && answers.length < 3
        ? { choice: "call", text: "call" }
        : { text: "I am all in!", unscored: "unparsed" };
    });
    const task = arena("holdem", {
      kind: "arena",
      game: "holdem",
      opponent: "caller",
      beliefs: false,
      scoring: "parse",
    });
    const grade = scored(await task.evaluate(stubborn, dealt("holdem").test[0] as never, context));
    const { illegal } = episodes(grade)[0] as Pick<EpisodeTrail, "illegal">;
    expect(illegal[0]).toEqual({ at: 0, wrote: "I am all in!", by: "asked again" });
    expect(illegal[1]).toMatchObject({ wrote: "I am all in!", again: "I am all in!", by: "safest move" });
    expect(grade.details?.illegal).toBe(1);
    expect(grade.details?.replaced).toBeGreaterThan(0);
    expect(grade.details?.replaced).toBeLessThan(1);
    expect(stubborn.heard[1]?.input).toMatch(/not a legal move. The legal moves are: fold, call, raise/);
  });

  it("is unscored where its endpoint fails, not beaten", async () => {
    const dead: LanguageSubject = { ...listener(() => ({ unscored: "too-long" })), id: "dead" };
    const task = arena("kuhn", { kind: "arena", game: "kuhn" });
    expect(await task.evaluate(dead, dealt("kuhn").test[0] as never, context)).toMatchObject({
      status: "unscored",
      cause: "too-long",
    });
  });

  it("writes numbers where a game has too many moves to list", async () => {
    const guesser = listener(({ position }) => ({
      text: JSON.stringify(position?.view).includes('"asked":"guess"')
        ? "50.\nRound 2. Guess"
        : "one hundred and one",
    }));
    const task = arena("levels", { kind: "arena", game: "guessing", opponent: "level1" });
    const grade = scored(await task.evaluate(guesser, dealt("guessing").test[0] as never, context));
    expect(grade.score).toBe(1);
    expect(grade.details?.replaced).toBe(0.5);
    expect(guesser.heard[0]?.options).toBeUndefined();
  });

  it("reads a number that stands alone, and none from a sentence", () => {
    const legal = Array.from({ length: 100 }, (_, i) => String(i + 1));
    const read = (text: string) => readMove({ text }, legal);
    for (const text of ["45", " 45.", "**45**", '"45"', "45\nRound 5: 40", "\n45 \n"])
      expect(read(text), text).toEqual({ move: "45" });
    for (const text of [
      "Round 4: 45",
      "I think it will be 45.",
      "45 or 50",
      "4 5",
      "-45",
      "45.5",
      "145",
      "4five",
      "",
    ])
      expect(read(text), text).toEqual({ wrote: text });
  });

  it("may play against another model, which is opened by the task and paid apart", async () => {
    const other = listener(({ options = [] }) => ({ choice: options.at(-1)?.key as string }));
    const refs: string[] = [];
    const open = async (ref: string) => {
      refs.push(ref);
      return { subject: other, context };
    };
    const own = listener(({ options = [] }) => ({ choice: options[0]?.key as string }));
    const task = arena("kuhn", { kind: "arena", game: "kuhn", opponent: "mock:other" });
    const grade = scored(await task.evaluate(own, dealt("kuhn").test[0] as never, { ...context, open }));
    expect(refs).toContain("mock:other");
    expect(other.heard.length).toBeGreaterThan(0);
    expect(episodes(grade)[0]?.opponent).toBe("mock:other");
  });

  it("lets an opponent without log-probabilities write its moves", async () => {
    const writer = await openModel("mock:writer?grants=text");
    const open = async () => ({ subject: begin(writer), context });
    const own = listener(({ options = [] }) => ({ choice: options[0]?.key as string }));
    const task = arena("kuhn", { kind: "arena", game: "kuhn", opponent: "mock:writer", scoring: "sum" });
    const grade = scored(await task.evaluate(own, dealt("kuhn").test[0] as never, { ...context, open }));
    expect(episodes(grade)).toHaveLength(2);
    expect(own.heard.map(({ scoring }) => scoring)).toContain("sum");
  });

  it("refuses an opponent that the game has not", () => {
    expect(() => arena("x", { kind: "arena", game: "holdem", opponent: "level2" })).toThrow(
      /no player "level2" of holdem[\s\S]*equilibrium, aggressive/,
    );
    expect(() => arena("x", { kind: "arena", game: "blackjack", opponent: "rule" })).toThrow(/no opponent/);
  });
});

describe("a study of an arena", () => {
  it("ranks scripted players, asks what they believe, and hands the best over", async () => {
    const record = await runStudy(
      parseStudy(
        {
          study: "tables",
          model: "mock:?skill=0",
          task: {
            name: "cards",
            kind: "arena",
            game: "blackjack",
            answerBy: "text",
            scoring: "sum",
            data: { train: 20, dev: 60, test: 200 },
          },
          elsewhere: [{ name: "bluff", kind: "arena", game: "kuhn", data: { train: 0, dev: 0, test: 20 } }],
          specialists: [
            "majority",
            ...["optimal", "rule", "random"].map((player) => ({ scripted: { player } })),
          ],
          seeds: [1],
        },
        "test",
      ),
      { store: join(root, "tables") },
    );
    expect(record.stopped).toBeNull();
    const on = (subject: string, task = "cards") =>
      record.results.find((one) => one.subject === subject && one.task === task);
    const card = record.tasks[0];
    expect(card?.metric).toMatchObject({ name: "winRate", unit: "bets/hand", least: -1, most: 1 });
    expect(on("scripted(optimal)")?.mean).toBeGreaterThan((on("scripted(random)")?.mean as number) + 0.1);
    expect(on("scripted(optimal)")?.details.beliefs).toBeGreaterThan(0.65);
    expect(on("scripted(random)")?.details.beliefs).toBeLessThan(0.6);
    expect(on("zeroShot")?.details.illegal).toBe(0);
    // A player of one game has no answer in another.
    expect(on("scripted(optimal)", "bluff")).toMatchObject({ n: 0, unscored: 20 });
    expect(on("zeroShot", "bluff")?.unscored).toBe(0);
    expect(record.handOver).toMatchObject({ n: 20, agree: 20 });
    const again = await runStudy(
      parseStudy(
        {
          study: "tables",
          model: "mock:",
          task: { name: "x", kind: "arena", game: "kuhn", data: { train: 4, dev: 2, test: 4 } },
          specialists: [{ scripted: { player: "equilibrium" } }],
        },
        "test",
      ),
      { store: join(root, "kuhn") },
    );
    expect(again.results.map(({ unscored }) => unscored)).toEqual([0, 0]);
  });

  it("refuses a scripted player on a task that is no game", async () => {
    const spec = parseStudy(
      {
        study: "none",
        model: "mock:",
        task: { name: "x", kind: "arena", game: "kuhn", data: { train: 4, dev: 2, test: 4 } },
        specialists: [{ scripted: { player: "optimal" } }],
      },
      "test",
    );
    await expect(runStudy(spec, { store: join(root, "none") })).rejects.toThrow(
      /no player "optimal" of kuhn/,
    );
  });
});
