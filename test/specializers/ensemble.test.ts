// ensemble: what its members are shown, how votes are counted, and what it says where members fail or ties stand.

import { expect, test } from "vitest";
import { fingerprint } from "../../src/core/json.js";
import type { Answer, Query } from "../../src/core/language.js";
import { renderPrompt } from "../../src/models/prompt.js";
import { chain } from "../../src/specializers/combine/chain.js";
import { calibrate } from "../../src/specializers/prompting/calibrate.js";
import { type EnsembleOptions, ensemble } from "../../src/specializers/prompting/ensemble.js";
import { knn } from "../../src/specializers/prompting/knn.js";
import { answer } from "../../src/tasks/answer.js";
import { context, labels, letterEncoder, listener, make, queryOf, task, train } from "./fakes.js";

const orderOf = (query: Query) => (query.options ?? []).map(({ key }) => key).join("");

/** The ensemble over a subject that gives one answer after the other, whatever it is shown. */
async function vote(answers: Answer[], options: EnsembleOptions = {}, query = queryOf("a text")) {
  const rest = [...answers];
  const subject = listener(() => rest.shift() as Answer);
  return (await make(ensemble({ members: answers.length, ...options }), subject)).respond(query, context);
}

/** Scores whose softmax is the given probabilities of s, f and i. */
const chances = (choice: string, ...p: number[]): Answer => ({
  choice,
  scores: Object.fromEntries(labels.map(({ key }, i) => [key, Math.log(p[i]!) + 3])),
});

test("each member sees another order; for one query they are the same again, for another query they differ", async () => {
  for (const orders of ["balanced", "random"] as const) {
    const subject = listener();
    const specialist = await make(ensemble({ members: 5, orders }), subject);
    for (const input of ["one", "one", "two", "three", "four"])
      await specialist.respond(queryOf(input), context);
    const drawn = [0, 5, 10, 15, 20].map((i) => subject.heard.slice(i, i + 5).map(orderOf));
    for (const orders of drawn) expect(new Set(orders).size).toBe(5);
    expect(drawn[1]).toEqual(drawn[0]);
    expect(new Set(drawn.map(String)).size).toBeGreaterThan(2);
    expect(subject.heard.every((query) => query.sampling === undefined)).toBe(true);
  }
});

test("two options have two members; the seed decides the orders and is part of the identity", async () => {
  const two = { options: labels.slice(0, 2) };
  const subject = listener();
  const specialist = await make(ensemble(), subject);
  await specialist.respond(queryOf("x", task, two), context);
  expect(subject.heard.map(orderOf).toSorted()).toEqual(["fs", "sf"]);
  expect((await make(ensemble(), subject, { seed: 2 })).id).not.toBe(specialist.id);
});

test("a position that is always chosen is every option's equally often", async () => {
  const subject = listener((query) => ({ choice: query.options![0]!.key }));
  const specialist = await make(ensemble({ members: 3 }), subject);
  const { trail, scores, choice } = await specialist.respond(queryOf("x"), context);
  expect(trail!.map((step) => step.kind === "vote" && step.choice).toSorted()).toEqual(["f", "i", "s"]);
  expect(scores).toEqual({ s: Math.log(1.5 / 4.5), f: Math.log(1.5 / 4.5), i: Math.log(1.5 / 4.5) });
  // The first member's order breaks the tie, and not the query's own.
  expect(choice).toBe(orderOf(subject.heard[0]!)[0]);
});

test("plurality: most votes, then the mean probability of the tied, and members without a choice have no voice", async () => {
  expect((await vote([{ choice: "f" }, { choice: "i" }, { choice: "f" }])).choice).toBe("f");
  // Tied at one vote each: the means are s 0.3, f 0.25, i 0.45.
  expect((await vote([chances("s", 0.5, 0.4, 0.1), chances("i", 0.1, 0.1, 0.8)])).choice).toBe("i");
  // One vote for i is most although its mean probability is not.
  const lone = await vote([{ unscored: "unparsed", text: "?" }, chances("i", 0.5, 0.1, 0.4)]);
  expect(lone.choice).toBe("i");
  expect(lone.trail!.map((step) => step.kind === "vote" && step.choice)).toEqual([null, "i"]);
});

test("probability: the highest mean softmax, even against most votes", async () => {
  const answers = [
    chances("s", 0.4, 0.35, 0.25),
    chances("s", 0.4, 0.35, 0.25),
    chances("f", 0.05, 0.9, 0.05),
  ];
  expect((await vote(answers)).choice).toBe("s");
  const result = await vote(answers, { vote: "probability" });
  expect(result.choice).toBe("f");
  expect(Math.exp(result.scores!.s!)).toBeCloseTo(0.85 / 3, 12);
  expect(Math.exp(result.scores!.f!)).toBeCloseTo(1.6 / 3, 12);
  expect(ensemble({ vote: "probability" }).needs).toEqual(["logprobs"]);
  // Who gives no scores has no voice here.
  expect((await vote([{ choice: "i" }, ...answers], { vote: "probability" }, queryOf("b"))).choice).toBe("f");
  expect((await vote([{ choice: "i" }, { choice: "i" }], { vote: "probability" })).unscored).toBe(
    "no-scores",
  );
});

test("scores are the log of the mean probability where every voter scored, else of the votes", async () => {
  const all = await vote([chances("s", 0.6, 0.3, 0.1), chances("s", 0.8, 0.1, 0.1), { unscored: "timeout" }]);
  expect(Object.values(all.scores!).map(Math.exp)).toEqual([0.7, 0.2, 0.1].map((p) => expect.closeTo(p, 12)));
  const some = await vote([chances("s", 0.6, 0.3, 0.1), { choice: "s" }, { choice: "i" }]);
  expect(Object.values(some.scores!).map(Math.exp)).toEqual(
    [2.5, 0.5, 1.5].map((n) => expect.closeTo(n / 4.5, 12)),
  );
});

test("where no member has a voice the answer is unscored with the commonest cause", async () => {
  const answers = [{ unscored: "a" }, { unscored: "unparsed" }, { unscored: "unparsed" }];
  expect(await vote(answers)).toMatchObject({ unscored: "unparsed" });
  expect(await vote(answers)).not.toHaveProperty("choice");
});

test("prompts of all members share everything before the sample, the one in the usual order too", async () => {
  for (const steps of [
    [knn({ k: 3 }), ensemble({ members: 6 })],
    [knn({ k: 3 }), calibrate(), ensemble({ members: 6 })],
    [ensemble({ members: 6 })],
  ]) {
    const subject = listener(() => chances("s", 0.5, 0.3, 0.2));
    const specialist = await make(chain(steps), subject);
    subject.heard.length = 0;
    await specialist.respond(queryOf("the ship in a storm"), context);
    const asked = subject.heard.filter((query) => query.input === "the ship in a storm");
    expect(new Set(asked.map(orderOf)).size).toBe(6);
    for (const format of ["plain", "chat"] as const) {
      const prompts = asked.map((query) =>
        renderPrompt(query, format)
          .messages.map(({ content }) => content)
          .join("\n\n")
          .split("the ship in a storm"),
      );
      expect(new Set(prompts.map((parts) => parts[0])).size).toBe(1);
      expect(new Set(prompts.map((parts) => parts[1])).size).toBe(6);
      const lists = prompts[0]!.join("").match(/A\. sea\nB\. field\nC\. iron/g) ?? [];
      expect(lists.length).toBeGreaterThanOrEqual(steps.length > 1 ? 3 : 0);
    }
  }
});

test("the neighbours of a query are looked up once for all members", async () => {
  const encoder = letterEncoder();
  const specialist = await make(chain([knn({ k: 2 }), ensemble()]), listener(), {
    encoder: async () => encoder,
  });
  encoder.texts.length = 0;
  await specialist.respond(queryOf("a text"), context);
  expect(encoder.texts).toEqual(["a text"]);
});

test("members' own steps stand before their votes; a passage is told once", async () => {
  const passage = { kind: "passage" as const, id: "p", score: 1, text: "…" };
  const said = (text: string): Answer => ({ choice: "s", trail: [passage, { kind: "rationale", text }] });
  const { trail } = await vote([said("one"), said("two")]);
  expect(trail!.map(({ kind }) => kind)).toEqual(["passage", "rationale", "vote", "rationale", "vote"]);
});

test("open answers are drawn, and the one nearest to all others is given", async () => {
  const open = answer("open", { kind: "answer" });
  const texts = ["zzzz", "the red ship", "the red ships", "qqqq", "a red ship"];
  const rest = [...texts];
  const subject = listener(() => ({ text: rest.shift() as string }));
  const change = { task: open, train: train.slice(0, 2) };
  const result = await (await make(ensemble(), subject, change)).respond(queryOf("who?", open), context);
  expect(["the red ship", "the red ships", "a red ship"]).toContain(result.text);
  // By hand: the largest sum of cosines to the other four.
  const { vectors } = await letterEncoder().embed!(texts, context);
  const sums = vectors.map((a) =>
    vectors.reduce((all, b) => all + a.reduce((sum, x, d) => sum + x * b[d]!, 0), 0),
  );
  expect(result.text).toBe(texts[sums.indexOf(Math.max(...sums))]);
  const drawn = subject.heard.map((query) => query.sampling);
  expect(drawn.map((sampling) => sampling?.temperature)).toEqual([0.7, 0.7, 0.7, 0.7, 0.7]);
  expect(new Set(drawn.map(fingerprint as never)).size).toBe(5);
  expect(result.trail).toHaveLength(5);
});

test("open answers: empty ones have no voice, another encoder is refused", async () => {
  const open = answer("open", { kind: "answer" });
  const change = { task: open, train: train.slice(0, 2) };
  const mute = await make(
    ensemble(),
    listener(() => ({ text: " " })),
    change,
  );
  expect((await mute.respond(queryOf("x", open), context)).unscored).toBe("no-answer");
  let n = 0;
  const specializer = ensemble({ members: 2 });
  const subject = listener(() => ({ text: `${n++}` }));
  const specialist = specializer.apply(subject, { seed: 1, encoder: "another" }, {
    encoder: async () => letterEncoder(),
    artifacts: { path: () => "" },
  } as never);
  await expect(specialist.respond(queryOf("x", open), context)).rejects.toThrow(/another sentence encoder/);
});

test("a temperature makes a choice's members draw their words too", async () => {
  const subject = listener();
  await (await make(ensemble({ members: 2, temperature: 1 }), subject)).respond(queryOf("x"), context);
  expect(subject.heard.map((query) => query.sampling?.temperature)).toEqual([1, 1]);
  expect(() => ensemble({ members: 0 })).toThrow(/members/);
});
