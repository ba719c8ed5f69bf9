// knnLm by hand: texts are angles in degrees, so that every squared distance is 2 - 2 cos(difference).

import { describe, expect, it } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import type { Query } from "../../src/core/language.js";
import type { Sample } from "../../src/core/sample.js";
import { knnLm } from "../../src/specializers/retrieval/knn-lm.js";
import { answer } from "../../src/tasks/answer.js";
import { choice } from "../../src/tasks/choice.js";
import { context, given, letterEncoder, listener, make, queryOf, task } from "./fakes.js";

const angle = (text: string) => (Number(text) / 180) * Math.PI;
const compass = {
  ...letterEncoder("compass"),
  embed: async (texts: readonly string[]) => ({
    vectors: texts.map((text) => [Math.cos(angle(text)), Math.sin(angle(text))]),
    cost: { calls: 1, inputTokens: 0, outputTokens: 0, ms: 0, usd: 0 },
  }),
};
const sample = (input: string, gold: string, more: Partial<Sample> = {}): Sample => ({
  id: `${input}${gold}`,
  input,
  gold,
  ...more,
});
// Squared distances from 0 degrees: 1 at 60, 2 at 90, 4 at 180.
const train = [sample("180", "i"), sample("60", "s"), sample("90", "f")];
const base = { train, encoder: async () => compass };
const scores = { s: Math.log(0.2), f: Math.log(0.3), i: Math.log(0.5) };
const scored = () => listener(() => ({ choice: "i", scores }));
const probabilities = (found: Readonly<Record<string, number>> | undefined) =>
  Object.fromEntries(Object.entries(found ?? {}).map(([key, value]) => [key, Math.exp(value)]));
const failing = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(HoneError);
  return (error as HoneError).failure;
};

describe("knnLm", () => {
  it("mixes the model's probabilities with the neighbours' votes", async () => {
    const specialist = await make(knnLm({ k: 2, lambda: 0.4, temperature: 1 }), scored(), base);
    const { choice: chosen, scores: found } = await specialist.respond(queryOf("0"), context);
    // exp(-1) and exp(-2), as shares; the third neighbour has no voice.
    const s = Math.exp(-1) / (Math.exp(-1) + Math.exp(-2));
    const p = probabilities(found);
    expect(p.s).toBeCloseTo(0.4 * s + 0.6 * 0.2, 6);
    expect(p.f).toBeCloseTo(0.4 * (1 - s) + 0.6 * 0.3, 6);
    expect(p.i).toBeCloseTo(0.6 * 0.5, 6);
    expect(chosen).toBe("s");
  });

  it("is the inner subject at weight 0, and the vote alone at weight 1", async () => {
    const inner = scored();
    const none = await make(knnLm({ lambda: 0 }), inner, base);
    expect(await none.respond(queryOf("0"), context)).toEqual(await inner.respond(queryOf("0"), context));
    const all = await make(knnLm({ k: 1, lambda: 1, temperature: 0.001 }), inner, base);
    const found = await all.respond(queryOf("80"), context);
    expect(found.choice).toBe("f");
    const p = probabilities(found.scores);
    expect(p.f).toBe(1);
    expect(p.s).toBeCloseTo(0, 12);
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
  });

  it("never takes a query for its own neighbour", async () => {
    const specialist = await make(knnLm({ k: 1, lambda: 1, temperature: 1 }), scored(), base);
    expect((await specialist.respond(queryOf(" 60 "), context)).choice).toBe("f");
    expect((await specialist.respond(queryOf("61"), context)).choice).toBe("s");
  });

  it("takes a choice without scores for certain, and no choice for no knowledge", async () => {
    const options = { k: 1, lambda: 0.4, temperature: 1 };
    const sure = await make(
      knnLm(options),
      listener(() => ({ choice: "i", text: "C" })),
      base,
    );
    const answered = await sure.respond(queryOf("0"), context);
    expect(answered).toMatchObject({ choice: "i", text: "C" });
    expect(probabilities(answered.scores).i).toBeCloseTo(0.6, 6);
    const lost = await make(
      knnLm(options),
      listener(() => ({ unscored: "unparsed" })),
      base,
    );
    const found = await lost.respond(queryOf("0"), context);
    expect(found.choice).toBe("s");
    expect(found.unscored).toBeUndefined();
  });

  it("counts a neighbour for the option that reads the same where each sample has its own", async () => {
    const own = choice("own", {});
    const options = (...texts: string[]) => texts.map((text, i) => ({ key: `o${i}`, text }));
    const specialist = await make(
      knnLm({ k: 2, lambda: 0.5, temperature: 1 }),
      listener(() => ({ choice: "o0", scores: { o0: 0, o1: 0 } })),
      {
        ...base,
        task: own,
        train: [
          sample("60", "o0", { options: options("Guilty", "acquitted") }),
          sample("90", "o0", { options: options("settled", "open") }),
        ],
      },
    );
    const ask = (...texts: string[]) =>
      specialist.respond(queryOf("0", own, { options: options(...texts) }), context);
    expect((await ask("acquitted", "guilty")).choice).toBe("o1");
    // No neighbour speaks for any of these: the model's word stands.
    expect(probabilities((await ask("left", "right")).scores)).toEqual({ o0: 0.5, o1: 0.5 });
  });

  it("chooses on train, each sample left out, what makes the most right, then the likeliest, then the smaller weight", async () => {
    const learn = (samples: Sample[], inner = scored(), k = 1) =>
      knnLm({ k }).fit(inner, given({ ...base, train: samples }));
    // The model says i everywhere; each sample's nearest other one has its answer.
    const useful = await learn([sample("0", "s"), sample("10", "s"), sample("90", "f"), sample("100", "f")]);
    expect((useful as { lambda: number }).lambda).toBeGreaterThan(0.5);
    // The nearest other one has always another answer: every weight takes from the model.
    const harmful = [sample("0", "i"), sample("10", "s"), sample("90", "i"), sample("100", "f")];
    const knows = listener(({ input }) => ({
      choice: harmful.find((one) => one.input === input)!.gold as string,
    }));
    expect(await learn(harmful, knows)).toMatchObject({ lambda: 0 });
    // Model and memory agree with certainty: nothing tells the weights apart.
    const certain = listener(() => ({ choice: "s" }));
    expect(await learn([sample("60", "s"), sample("90", "s")], certain)).toMatchObject({
      lambda: 0,
      temperature: 0.01,
    });
    expect(await learn([sample("60", "s")])).toMatchObject({ lambda: 0.25, temperature: 0.1 });
    expect(await knnLm({ lambda: 0.7 }).fit(scored(), given(base))).toMatchObject({ lambda: 0.7 });
  });

  it("leaves a sample's group out with it", async () => {
    // Within the group each has its twin beside it; without it the nearest one has the other answer.
    const of = (group?: string) =>
      (["0 s", "1 s", "40 f", "41 f"] as const).map((text, i) => {
        const [input, gold] = text.split(" ") as [string, string];
        return sample(input, gold, group ? { group: `${group}${i >> 1}` } : {});
      });
    const knows = () =>
      listener(({ input }) => ({ choice: Number(input) < 20 ? "s" : "f", scores: { s: 0, f: 0, i: -9 } }));
    const learn = (samples: Sample[]) => knnLm({ k: 1 }).fit(knows(), given({ ...base, train: samples }));
    expect(await learn(of())).not.toMatchObject({ lambda: 0 });
    expect(await learn(of("case"))).toMatchObject({ lambda: 0 });
  });

  it("asks about train where there is something to choose, and never about dev", async () => {
    const dev = [sample("50", "s")];
    const inner = scored();
    await knnLm({ lambda: 0.5, temperature: 1 }).fit(inner, given({ ...base, dev }));
    expect(inner.heard).toEqual([]);
    await knnLm().fit(inner, given({ ...base, dev }));
    expect(inner.heard.map(({ input }) => input).sort()).toEqual(["180", "60", "90"]);
    const many = Array.from({ length: 300 }, (_, i) => sample(`${i}`, "s"));
    await knnLm().fit(inner, given({ ...base, train: many }));
    expect(inner.heard).toHaveLength(203);
  });

  it("passes the query on as it is", async () => {
    const inner = scored();
    const specialist = await make(knnLm({ lambda: 0.5, temperature: 1 }), inner, base);
    const query: Query = { ...queryOf("0"), demonstrations: [{ input: "x", answer: "s" }] };
    await specialist.respond(query, context);
    expect(inner.heard).toEqual([query]);
  });

  it("refuses tasks that ask to write, golds that are no option, and nothing to learn from", async () => {
    const write = await failing(
      knnLm().fit(scored(), given({ ...base, task: answer("open", { kind: "answer" }) })),
    );
    expect(write).toMatchObject({ kind: "usage", where: "task open", why: expect.stringContaining("write") });
    const stray = { ...base, train: [sample("1", "zz")] };
    expect((await failing(knnLm().fit(scored(), given(stray)))).why).toContain('"zz"');
    expect((await failing(knnLm().fit(scored(), given({ ...base, train: [] })))).where).toContain(task.name);
  });
});
