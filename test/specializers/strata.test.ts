// perStratum and subset: who learns from what, who answers what, and that a killed fit goes on.

import { rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { artifactsIn } from "../../src/core/artifacts.js";
import { type Call, noCost } from "../../src/core/call.js";
import type { Sample } from "../../src/core/sample.js";
import type { LanguageSpecializer } from "../../src/core/specializer.js";
import {
  bestOf,
  defineSpecializer,
  linear,
  majority,
  makeSpecializer,
  optimize,
  perStratum,
  subset,
} from "../../src/specializers/index.js";
import { openArtifacts } from "../../src/store/artifacts.js";
import { choice } from "../../src/tasks/choice.js";
import { context, given, listener, make } from "./fakes.js";

const yesNo = [
  { key: "y", text: "Yes" },
  { key: "n", text: "No" },
];
const colours = [
  { key: "r", text: "red" },
  { key: "g", text: "green" },
];

const task = choice("two in one");
const sample = (id: string, stratum: string, input: string, gold: string): Sample => ({
  id,
  stratum,
  input,
  gold,
  instruction: `This is about ${stratum}.`,
  options: stratum === "colour" ? colours : yesNo,
});

const train = [
  sample("1", "colour", "a tomato and a cherry", "r"),
  sample("2", "wet", "the sea in a storm", "y"),
  sample("3", "colour", "grass and leaves", "g"),
  sample("4", "wet", "dust in the desert", "n"),
  sample("5", "colour", "a ripe tomato", "r"),
  sample("6", "wet", "rain over the sea", "y"),
  sample("7", "wet", "sand, dust and sun", "n"),
  sample("8", "wet", "a river in the rain", "y"),
];
const dev = [
  sample("9", "colour", "a leaf of grass", "g"),
  sample("10", "wet", "the storm", "y"),
  sample("11", "wet", "dust", "n"),
];
const ask = (stratum: string, input: string) => task.query(sample("q", stratum, input, "y"));

/** Learns the ids that it was shown, and keeps count; fails at the given fit. */
function rememberer(failAt?: number): { specializer: LanguageSpecializer; fits: string[][] } {
  const fits: string[][] = [];
  const specializer = defineSpecializer<{ ids: string[]; dev: string[] }>({
    name: "rememberer",
    fit: (_subject, all) => {
      if (failAt === fits.length) throw new Error("killed");
      fits.push(all.train.map(({ id }) => id));
      return { ids: all.train.map(({ id }) => id), dev: all.dev.map(({ id }) => id) };
    },
    behave: ({ ids, dev: seen }) => ({ respond: async () => ({ text: `${ids.join()}|${seen.join()}` }) }),
  });
  return { specializer: specializer, fits };
}

describe("perStratum", () => {
  it("says before a fit in which stratum its specialists would have too little to learn from", () => {
    const many = Array.from({ length: 170 }, (_, i) => sample(`c${i}`, "colour", `rose ${i}`, "r"));
    expect(() => perStratum(optimize()).checkTrain?.({ task, train: many })).not.toThrow();
    expect(() => perStratum(optimize()).checkTrain?.({ task, train: [...many, ...train] })).toThrow(
      /optimize has too few train samples: \d+, and it needs 160[\s\S]*two in one, stratum/,
    );
  });

  it("fits each stratum on its own samples and sends each query to its own specialist", async () => {
    const subject = await make(perStratum(rememberer().specializer), listener(), { task, train, dev });
    expect(await subject.respond(ask("colour", "x"), context)).toEqual({ text: "1,3,5|9" });
    expect(await subject.respond(ask("wet", "x"), context)).toEqual({ text: "2,4,6,7,8|10,11" });
  });

  it("has a specialist for a stratum of any name", async () => {
    const odd = train.map((one) => ({
      ...one,
      stratum: one.stratum === "wet" ? "__proto__" : "constructor",
    }));
    const subject = await make(perStratum(rememberer().specializer), listener(), { task, train: odd });
    expect(await subject.respond(ask("__proto__", "x"), context)).toEqual({ text: "2,4,6,7,8|" });
    expect(await subject.respond(ask("constructor", "x"), context)).toEqual({ text: "1,3,5|" });
  });

  it("lets what needs shared labels learn, although the whole has none", async () => {
    const subject = await make(perStratum(linear()), listener(), { task, train, dev });
    expect(await subject.respond(ask("colour", "one more tomato"), context)).toMatchObject({ choice: "r" });
    expect(await subject.respond(ask("wet", "dust and sun"), context)).toMatchObject({ choice: "n" });
    expect(await subject.respond(ask("wet", "the sea, the rain"), context)).toMatchObject({ choice: "y" });
  });

  it("asks the subject as it was about a stratum that train does not have; a reference leaves it", async () => {
    const inner = listener(() => ({ choice: "y" }));
    const query = ask("unheard of", "x");
    const specialist = await make(perStratum(rememberer().specializer), inner, { task, train, dev });
    expect(await specialist.respond(query, context)).toEqual({ choice: "y" });
    expect(inner.heard).toEqual([query]);
    const reference = await make(perStratum(majority()), inner, { task, train, dev });
    expect(await reference.respond(query, context)).toEqual({ unscored: "other-labels" });
    expect(inner.heard).toHaveLength(1);
  });

  it("puts examples of the query's own stratum into the prompt, and no others", async () => {
    const inner = listener();
    const few = makeSpecializer({ perStratum: { use: { fewShot: { k: 9 } } } }, "x");
    const subject = await make(few, inner, { task, train, dev });
    await subject.respond(ask("colour", "x"), context);
    expect(inner.heard[0]?.demonstrations.map(({ input }) => input).sort()).toEqual([
      "a ripe tomato",
      "a tomato and a cherry",
      "grass and leaves",
    ]);
  });

  it("goes on after a kill where it was", async () => {
    const killed = rememberer(1);
    const all = given({ task, train, dev });
    await expect(perStratum(killed.specializer).fit(listener(), all)).rejects.toThrow("killed");
    expect(killed.fits).toEqual([["1", "3", "5"]]);
    const again = rememberer();
    const state = await perStratum(again.specializer).fit(listener(), all);
    expect(again.fits).toEqual([["2", "4", "6", "7", "8"]]);
    expect(Object.keys(state as object)).toEqual(["colour", "wet"]);
  });

  it("counts what was paid before a kill, and makes again whose files were lost", async () => {
    const artifacts = openArtifacts();
    let fits = 0;
    let failAt = 1;
    const payer = defineSpecializer<{ artifact: string }>({
      name: "payer",
      fit: async (_subject, all) => {
        if (failAt === fits++) throw new Error("killed");
        // One call to the model, one to another that it opened.
        const { context: other } = await all.context.open("another");
        for (const { trace } of [all.context, other])
          trace?.({ ...{ key: "k", model: "m", operation: "generate" }, ...call });
        const own = await all.artifacts.scratch("result");
        await writeFile(join(own, "weights"), String(all.train.length));
        return { artifact: await all.artifacts.keep(own) };
      },
      behave: () => ({ prepare: (query) => query }),
    });
    const call = { request: null, response: null, cost: { ...noCost, usd: 1 } };
    const run = async () => {
      let usd = 0;
      const trace = ({ cost }: Call) => {
        usd += cost.usd;
      };
      const opened = { subject: listener(), context: { signal: context.signal, trace } };
      const all = given({ task, train, dev, artifacts });
      const state = await perStratum(payer as LanguageSpecializer).fit(listener(), {
        ...all,
        context: { ...context, trace, open: async () => opened },
      });
      return { usd, ids: artifactsIn(state) };
    };
    await expect(run()).rejects.toThrow("killed");
    failAt = Number.NaN;
    const { usd, ids } = await run();
    expect([usd, fits]).toEqual([4, 3]);
    for (const id of ids) rmSync(artifacts.path(id), { recursive: true });
    expect((await run()).usd).toBe(4);
    expect(fits).toBe(5);
    await artifacts.close();
  });

  it("takes no other candidate's specialists for its own", async () => {
    const named = (name: string, choice: string) =>
      perStratum(
        defineSpecializer<{ by: string }>({
          name,
          fit: () => ({ by: name }),
          behave: ({ by }) => ({ respond: async () => ({ choice, text: by }) }),
        }) as LanguageSpecializer,
      );
    const better = bestOf([named("first", "r"), named("second", "y")]);
    const specialist = await make(better, listener(), { task, train, dev });
    expect((await specialist.respond(ask("wet", "x"), context)).text).toBe("second");
  });

  it("refuses samples without a stratum, by id", async () => {
    const bare = { id: "odd", input: "x", gold: "y", options: yesNo };
    const fit = perStratum(majority()).fit(listener(), given({ task, train: [bare], dev: [] }));
    await expect(fit).rejects.toThrow(/odd/);
  });
});

describe("subset", () => {
  const drawn = async (n: number, seed: number) => {
    const inner = rememberer();
    await subset({ n }, inner.specializer).fit(listener(), given({ task, train, dev, seed }));
    return inner.fits[0] as string[];
  };
  const wet = (ids: string[]) => ids.filter((id) => !["1", "3", "5"].includes(id));

  it("takes n of each stratum, the fewer always among the more", async () => {
    for (const seed of [1, 2, 3, 4]) {
      const two = await drawn(2, seed);
      const four = await drawn(4, seed);
      expect(two).toHaveLength(4);
      expect(wet(two)).toHaveLength(2);
      expect(four).toHaveLength(7);
      expect(four.filter((id) => two.includes(id))).toEqual(two);
    }
  });

  it("draws anew for another seed, and the same for the same", async () => {
    const draws = await Promise.all([1, 2, 3, 4, 5, 6].map((seed) => drawn(1, seed)));
    expect(new Set(draws.map((ids) => ids.join())).size).toBeGreaterThan(1);
    expect(await drawn(1, 3)).toEqual(draws[2]);
  });

  it("leaves dev as it is and is always fitted once a seed", async () => {
    const made = subset({ n: 1 }, rememberer().specializer);
    expect(made.seeded).toBe(true);
    const subject = await make(made, listener(), { task, train, dev });
    expect((await subject.respond(ask("wet", "x"), context)).text).toMatch(/\|9,10,11$/);
  });
});
