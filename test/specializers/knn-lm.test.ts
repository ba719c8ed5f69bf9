// knnLm by hand: texts are angles in degrees, so that every squared distance is 2 - 2 cos(difference).

import { describe, expect, it } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import type { Query } from "../../src/core/language.js";
import type { Sample } from "../../src/core/sample.js";
import { type KnnLmOptions, knnLm } from "../../src/specializers/retrieval/knn-lm.js";
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

  const times = (n: number, ...samples: Sample[]) => Array.from({ length: n }, () => samples).flat();
  /** Twelve of the sea and twelve of the field, far apart. */
  const apart = Array.from({ length: 12 }, (_, i) => [sample(`${i}`, "s"), sample(`${90 + i}`, "f")]).flat();

  it("chooses what makes the most right, then the likeliest, then the smaller weight", async () => {
    const learn = (change: object, inner = scored()) =>
      knnLm({ k: 2, tuneOn: "dev" }).fit(inner, given({ ...base, ...change }));
    // The model says i everywhere; the memory is right at 50 and 100 degrees.
    const useful = await learn({ dev: times(10, sample("50", "s"), sample("100", "f")) });
    expect((useful as { lambda: number }).lambda).toBeGreaterThan(0.5);
    // Here it is never right, and every weight takes from the model.
    const useless = await learn({ dev: times(10, sample("50", "i"), sample("100", "i")) });
    expect(useless).toMatchObject({ lambda: 0 });
    const certain = listener(() => ({ choice: "s" }));
    // Model and memory agree with certainty: nothing tells the weights apart.
    const agreed = { train: [sample("60", "s"), sample("90", "s")], dev: times(20, sample("50", "s")) };
    expect(await learn(agreed, certain)).toMatchObject({ lambda: 0, temperature: 0.01 });
    expect(await knnLm({ lambda: 0.7 }).fit(scored(), given(base))).toMatchObject({ lambda: 0.7 });
    // Where several answers are right, any of them counts: the memory's f, too, and not only the option that stands first.
    const both = await learn({ dev: times(20, sample("130", "f", { gold: ["s", "f"] })) });
    expect((both as { lambda: number }).lambda).toBeGreaterThan(0.5);
  });

  it("chooses on train, each sample without itself, and never looks at dev", async () => {
    const inner = scored();
    const misleading = times(20, sample("3", "i"));
    const state = await knnLm({ k: 2 }).fit(inner, given({ ...base, train: apart, dev: misleading }));
    // The model says i everywhere, and the neighbours are right.
    expect((state as { lambda: number }).lambda).toBeGreaterThan(0.5);
    expect(inner.heard).toHaveLength(24);
    expect(await knnLm({ k: 2 }).fit(scored(), given({ ...base, train: apart, seed: 9 }))).toEqual(state);
    expect(
      await knnLm({ k: 2, tuneOn: "dev" }).fit(scored(), given({ ...base, train: apart, dev: misleading })),
    ).toMatchObject({
      lambda: 0,
    });
  });

  it("leaves a sample's group out with it", async () => {
    // Pairs half a degree apart, whose labels alternate from pair to pair: only its own twin speaks for a sample's answer.
    const twins = Array.from({ length: 12 }, (_, j) => {
      const gold = j % 2 === 0 ? "i" : "s";
      return [sample(`${10 * j}`, gold), sample(`${10 * j + 0.5}`, gold)].map((one) => ({
        ...one,
        group: `g${j}`,
      }));
    }).flat();
    const learn = (samples: Sample[]) => knnLm({ k: 1 }).fit(scored(), given({ ...base, train: samples }));
    expect(await learn(twins)).toMatchObject({ lambda: 0 });
    const alone = (await learn(twins.map(({ group: _, ...one }) => one))) as { lambda: number };
    expect(alone.lambda).toBeGreaterThan(0.5);
  });

  it("asks about at most 200 samples, and about none where there are too few or nothing is left to choose", async () => {
    const many = Array.from({ length: 250 }, (_, i) => sample(`${i / 2}`, i % 2 ? "s" : "f"));
    const heard = async (options: KnnLmOptions, more: object) => {
      const inner = scored();
      const state = await knnLm(options).fit(inner, given({ ...base, ...more }));
      return { asked: inner.heard.length, state };
    };
    expect((await heard({}, { train: many })).asked).toBe(200);
    expect((await heard({ lambda: 0.5, temperature: 1 }, { train: many })).asked).toBe(0);
    for (const tuneOn of ["train", "dev"] as const) {
      const few = await heard({ tuneOn }, { dev: [sample("50", "s")] });
      expect(few).toMatchObject({ asked: 0, state: { lambda: 0.25, temperature: 0.1 } });
    }
  });

  it("passes the query on as it is", async () => {
    const inner = scored();
    const specialist = await make(knnLm(), inner, base);
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
