// portfolio: the published sum by hand, who is asked what, and what happens where one half has nothing to say.

import { describe, expect, it } from "vitest";
import type { Answer, Query } from "../../src/core/language.js";
import { makeSpecializer } from "../../src/specializers/index.js";
import { defineSpecializer } from "../../src/specializers/parts/define.js";
import { portfolio } from "../../src/specializers/prompting/portfolio.js";
import { context, listener, make, queryOf } from "./fakes.js";

const says = (name: string, answer: Answer) =>
  defineSpecializer({ name, behave: () => ({ respond: async () => answer }) });

const voted = (...choices: (string | null)[]): Answer => ({
  choice: choices[0] ?? "s",
  trail: choices.map((choice) => ({ kind: "vote", choice })),
});

const chances = (s: number, f: number, i: number): Answer => ({
  choice: "s",
  // Log-probabilities that are not normalized: only their differences mean something.
  scores: { s: Math.log(s) - 7, f: Math.log(f) - 7, i: Math.log(i) - 7 },
});

const screened = (answer: "yes" | "no" | undefined) =>
  listener((query) =>
    query.options?.[0]?.key !== "yes"
      ? { unscored: "not asked" }
      : answer === undefined
        ? { unscored: "unparsed" }
        : { choice: answer },
  );

async function ask(reasoned: Answer, direct: Answer, subject = screened("yes"), options = {}) {
  const made = portfolio(options, says("thinks", reasoned), says("reads", direct));
  const specialist = await make(made, subject);
  const answer = await specialist.respond(queryOf("a boat"), context);
  const sums = Object.values(answer.scores ?? {}).map((score) => Math.exp(score));
  return { answer, sums, heard: subject.heard };
}

describe("portfolio", () => {
  // Votes: s 3/5, f 2/5. Probabilities: s 0.2, f 0.7, i 0.1.
  const votes = voted("s", "s", "f", "f", "s");
  const read = chances(0.2, 0.7, 0.1);

  it.each([
    ["yes", 0.5, "f", [0.7, 0.75, 0.05]],
    ["no", 2, "f", [1, 1.8, 0.2]],
    [undefined, 1, "f", [0.8, 1.1, 0.1]],
  ] as const)("adds votes and weighed probabilities, screened: %s", async (screening, w, choice, by) => {
    const { answer, sums } = await ask(votes, read, screened(screening));
    expect(answer.choice).toBe(choice);
    by.forEach((sum, i) => {
      expect(sums[i]).toBeCloseTo(sum / (1 + w), 9);
    });
    expect(answer.trail).toEqual(votes.trail);
  });

  it("lets reasoning win where a scratch-pad is needed, and reading where not", async () => {
    const near = chances(0.3, 0.6, 0.1);
    expect((await ask(votes, near, screened("yes"))).answer.choice).toBe("s");
    expect((await ask(votes, near, screened("no"))).answer.choice).toBe("f");
  });

  it("puts the published question about the query to the subject, once", async () => {
    const { heard } = await ask(votes, read);
    expect(heard).toHaveLength(1);
    expect(heard[0]).toMatchObject({
      input: "a boat",
      question: "Does answering the question above require a scratch-pad?",
      options: [{ text: "Yes" }, { text: "No" }],
      demonstrations: [],
    });
    const unscreened = await ask(votes, read, screened("yes"), { screen: false, weight: { unscreened: 0 } });
    expect(unscreened.heard).toEqual([]);
    expect(unscreened.sums[0]).toBeCloseTo(0.6, 9);
  });

  it("breaks ties by probability, then by order", async () => {
    const options = { screen: false, weight: { unscreened: 1 } };
    // s: 0.6 + 0.2, f: 0.4 + 0.4.
    const byChance = await ask(votes, chances(0.2, 0.4, 0.4), screened("yes"), options);
    expect(byChance.sums[0]).toBeCloseTo(byChance.sums[1] as number, 9);
    expect(byChance.answer.choice).toBe("f");
    const byOrder = await ask(voted("i", "f"), chances(0.2, 0.4, 0.4), screened("yes"), options);
    expect(byOrder.answer.choice).toBe("f");
  });

  it("counts a vote without a choice for nothing, and a lone choice as every vote", async () => {
    const half = await ask(voted("s", null), chances(0.2, 0.4, 0.4));
    expect(half.sums[0]).toBeCloseTo((0.5 + 0.1) / 1.5, 9);
    const lone = await ask({ choice: "i" }, chances(0.2, 0.4, 0.4));
    expect(lone.sums[2]).toBeCloseTo((1 + 0.2) / 1.5, 9);
  });

  it("goes on with one half, and is unscored without both", async () => {
    expect((await ask({ unscored: "unparsed" }, read)).answer.choice).toBe("f");
    expect((await ask(votes, { unscored: "refused" })).answer.choice).toBe("s");
    expect((await ask({ unscored: "unparsed" }, { unscored: "refused" })).answer).toEqual({
      unscored: "unparsed",
    });
  });

  it("leaves open questions to the half that reasons", async () => {
    const subject = screened("yes");
    const made = portfolio({}, says("thinks", { text: "a reef" }), says("reads", read));
    const specialist = await make(made, subject);
    const { options: _options, ...open } = queryOf("where") as Query & { options: unknown };
    expect(await specialist.respond(open, context)).toEqual({ text: "a reef" });
    expect(subject.heard).toEqual([]);
  });

  it("is read from a study, Medprompt and ten direct calls if nothing is said", async () => {
    const made = makeSpecializer({ portfolio: { weight: { plain: 1.2 } } }, "specialists.0");
    expect(made.label).toBe("portfolio(medprompt(k=5, x5) & knn(k=5) + ensemble(m=10, probability))");
    expect(made.options).toMatchObject({ weight: { scratchpad: 0.5, plain: 1.2, unscreened: 1 } });
    const subject = listener((query) => ({
      choice: query.options?.[0]?.key === "yes" ? "yes" : "s",
      scores: Object.fromEntries((query.options ?? []).map(({ key }) => [key, key === "s" ? 0 : -2])),
      ...(query.reason ? { trail: [{ kind: "rationale", text: "Wet." }] } : {}),
    }));
    const specialist = await make(made, subject);
    subject.heard.length = 0;
    expect((await specialist.respond(queryOf("a boat"), context)).choice).toBe("s");
    // Three options have six orders, so of ten direct members six are asked.
    expect(subject.heard).toHaveLength(5 + 6 + 1);
    expect(subject.heard.filter(({ reason }) => reason)).toHaveLength(5);
  });
});
