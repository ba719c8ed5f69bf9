// calibrate: the arithmetic of the paper, what counts as content, and where a prior may be kept and where not.

import { describe, expect, it } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import type { Answer, Query } from "../../src/core/language.js";
import { chain } from "../../src/specializers/combine/chain.js";
import { calibrate, contentFree } from "../../src/specializers/prompting/calibrate.js";
import { fewShot } from "../../src/specializers/prompting/few-shot.js";
import { knn } from "../../src/specializers/prompting/knn.js";
import { answer } from "../../src/tasks/answer.js";
import { choice } from "../../src/tasks/choice.js";
import { context, given, listener, make, queryOf, task, train } from "./fakes.js";

const isBlank = (query: Query) => (contentFree as readonly string[]).includes(query.input);

/** Probabilities by input; scores are their logs plus a constant, since scores need not be normalized. */
function teller(table: Record<string, [s: number, f: number, i: number]>) {
  return listener((query): Answer => {
    const [s, f, i] = table[query.input] ?? table.other!;
    const scores = { s: Math.log(s) - 3, f: Math.log(f) - 3, i: Math.log(i) - 3 };
    return { choice: s >= f && s >= i ? "s" : f >= i ? "f" : "i", scores };
  });
}

describe("calibrate", () => {
  it("divides by the mean prior of the three content-free inputs", async () => {
    const subject = teller({
      "N/A": [0.6, 0.3, 0.1],
      "[MASK]": [0.8, 0.1, 0.1],
      "": [0.7, 0.2, 0.1],
      other: [0.5, 0.35, 0.15],
    });
    const specialist = await make(calibrate(), subject);
    const { choice: chosen, scores } = await specialist.respond(queryOf("text"), context);
    // The prior is (0.7, 0.2, 0.1): 0.5/0.7 = 0.714, 0.35/0.2 = 1.75, 0.15/0.1 = 1.5.
    expect(chosen).toBe("f");
    expect(scores!.f! - scores!.s!).toBeCloseTo(Math.log(1.75 / (0.5 / 0.7)), 12);
    expect(scores!.i! - scores!.s!).toBeCloseTo(Math.log(1.5 / (0.5 / 0.7)), 12);
  });

  it("asks for the prior once where all queries share a frame", async () => {
    const subject = teller({ other: [0.5, 0.3, 0.2] });
    const specialist = await make(calibrate(), subject);
    expect(subject.heard.map((query) => query.input)).toEqual([...contentFree]);
    await specialist.respond(queryOf("one"), context);
    await specialist.respond(queryOf("two"), context);
    expect(subject.heard.slice(3).map((query) => query.input)).toEqual(["one", "two"]);
  });

  it("keeps the demonstrations of fewShot in the prior's prompt", async () => {
    const subject = teller({ other: [0.5, 0.3, 0.2] });
    const specialist = await make(chain([fewShot({ k: 3 }), calibrate()]), subject);
    await specialist.respond(queryOf("new"), context);
    expect(subject.heard).toHaveLength(4);
    for (const query of subject.heard) expect(query.demonstrations).toEqual(subject.heard[0]!.demonstrations);
    expect(subject.heard[0]!.demonstrations).toHaveLength(3);
  });

  it("measures the prior with each query's own demonstrations under knn", async () => {
    const subject = teller({ other: [0.5, 0.3, 0.2] });
    const specialist = await make(chain([knn({ k: 2, by: "bm25" }), calibrate()]), subject);
    for (const input of ["ship in the storm", "plough and furrow"]) {
      const before = subject.heard.length;
      await specialist.respond(queryOf(input), context);
      const calls = subject.heard.slice(before);
      expect(calls.map((query) => query.input)).toEqual([input, ...contentFree]);
      for (const query of calls) expect(query.demonstrations).toEqual(calls[0]!.demonstrations);
    }
    const [sea, field] = [subject.heard.at(-5)!, subject.heard.at(-1)!];
    expect(sea.demonstrations).not.toEqual(field.demonstrations);
  });

  it("gives the same under either order of knn and calibrate", async () => {
    const rule = (query: Query): Answer => {
      const bias = query.demonstrations.filter((shot) => shot.answer === "s").length;
      const scores = { s: bias + (isBlank(query) ? 0 : 0.2), f: isBlank(query) ? 0 : 0.5, i: 0 };
      return { choice: "s", scores };
    };
    const [a, b] = await Promise.all(
      [
        [knn({ k: 3, by: "bm25" }), calibrate()],
        [calibrate(), knn({ k: 3, by: "bm25" })],
      ].map((steps) => make(chain(steps), listener(rule))),
    );
    const query = queryOf("ship and storm");
    const answers = [await a!.respond(query, context), await b!.respond(query, context)];
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]!.choice).toBe("f");
  });

  it("measures per query where options are the sample's own, and keeps them in the prompt", async () => {
    const own = choice("own");
    const options = (i: number) => ["a", "b"].map((key) => ({ key, text: `${key}${i}` }));
    const samples = train.map((sample, i) => ({ ...sample, gold: "a", options: options(i) }));
    const subject = listener((query) => ({
      choice: "a",
      scores: isBlank(query) ? { a: -1, b: -3 } : { a: -1, b: -2 },
    }));
    const specialist = await make(calibrate(), subject, { task: own, train: samples });
    const got = await specialist.respond(queryOf("new", own, { options: options(99) }), context);
    expect(got.choice).toBe("b");
    expect(subject.heard.slice(-3).map((query) => query.options)).toEqual([
      options(99),
      options(99),
      options(99),
    ]);
  });

  it("takes the question as content only where questions differ", async () => {
    const ask = async (samples: typeof train) => {
      const subject = teller({ other: [0.5, 0.3, 0.2] });
      const specialist = await make(calibrate(), subject, { train: samples });
      await specialist.respond(queryOf("new", task, { question: "mine?" }), context);
      return subject.heard;
    };
    const differing = await ask(train.map((sample, i) => ({ ...sample, question: `q${i}?` })));
    expect(differing.map((query) => query.question)).toEqual([...contentFree, "mine?"]);
    const same = await ask(train.map((sample) => ({ ...sample, question: "mine?" })));
    expect(same.map((query) => query.question)).toEqual(["mine?", "mine?", "mine?", "mine?"]);
  });

  it("does not break on improbable options", async () => {
    const subject = listener((query) => ({
      choice: "s",
      scores: isBlank(query) ? { s: 0, f: -2000, i: -1 } : { s: 0, f: -1999, i: -5 },
    }));
    const got = await (await make(calibrate(), subject)).respond(queryOf("x"), context);
    expect(got.choice).toBe("f");
    for (const score of Object.values(got.scores!)) expect(Number.isFinite(score)).toBe(true);
  });

  it.each(["__proto__", "constructor", "2"])("treats the key %s as any other", async (key) => {
    const odd = choice("odd", {}, [
      { key, text: "odd" },
      { key: "b", text: "b" },
    ]);
    const samples = train.map((sample) => ({ ...sample, gold: "b" }));
    const subject = listener((query) => ({
      choice: "b",
      scores: Object.fromEntries([
        ["b", isBlank(query) ? -0.1 : -1],
        [key, isBlank(query) ? -3 : -1.5],
      ]),
    }));
    const got = await (await make(calibrate(), subject, { task: odd, train: samples })).respond(
      queryOf("x", odd),
      context,
    );
    expect(got.choice).toBe(key);
    expect(Object.keys(got.scores!).sort()).toEqual([key, "b"].sort());
  });

  it("leaves unscored and written answers as they are, and never passes a choice without scores for calibrated", async () => {
    const answers: Answer[] = [{ unscored: "unparsed", text: "?" }, { choice: "s" }, { text: "words" }];
    let next: Answer | undefined;
    const subject = listener(() => next ?? { choice: "s", scores: { s: -1, f: -2, i: -3 } });
    const specialist = await make(calibrate(), subject);
    next = answers[0];
    expect(await specialist.respond(queryOf("x"), context)).toEqual(answers[0]);
    next = answers[1];
    expect(await specialist.respond(queryOf("x"), context)).toEqual({ unscored: "no-scores" });
    next = answers[2];
    const written = answer("written", { kind: "answer" });
    expect(await specialist.respond(queryOf("x", written), context)).toEqual(answers[2]);
  });

  it.each([
    ["a subject without scores", listener(() => ({ choice: "s" })), {}],
    [
      "a task that asks to write",
      teller({ other: [0.5, 0.3, 0.2] }),
      { task: answer("written", { kind: "answer" }) },
    ],
    ["no samples at all", teller({ other: [0.5, 0.3, 0.2] }), { train: [] }],
  ])("refuses %s", async (_name, subject, change) => {
    const error = await calibrate()
      .fit(subject, given(change))
      .then(
        () => undefined,
        (e: unknown) => e,
      );
    expect(error).toBeInstanceOf(HoneError);
    expect((error as HoneError).failure.next).toBeTruthy();
  });

  it("says that it needs log-probabilities", () => {
    expect(calibrate().needs).toEqual(["logprobs"]);
    expect(chain([fewShot(), calibrate()]).needs).toEqual(["logprobs"]);
  });
});
