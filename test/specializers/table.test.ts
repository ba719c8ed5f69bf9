// The table of specializers, what study files may say of them, and how they compose.

import { describe, expect, it } from "vitest";
import { z } from "zod";
import { requireCapability } from "../../src/core/capabilities.js";
import { HoneError } from "../../src/core/errors.js";
import type { Specializer } from "../../src/core/specializer.js";
import { sourcesIn } from "../../src/data/contents.js";
import { renderPrompt } from "../../src/models/prompt.js";
import { openModel } from "../../src/models/registry.js";
import {
  chain,
  defineSpecializer,
  fewShot,
  knn,
  linear,
  type MakeInner,
  majority,
  makeSpecializer,
  prepared,
  specializers,
  zeroShot,
} from "../../src/specializers/index.js";
import { context, given, listener, make, queryOf } from "./fakes.js";

const failure = (spec: unknown) => {
  try {
    makeSpecializer(spec, "specialists.3");
  } catch (error) {
    expect(error).toBeInstanceOf(HoneError);
    return (error as HoneError).failure;
  }
  throw new Error("no error");
};

/** Options that a specializer cannot be made without. */
function required(name: string, shape: object): object {
  if (name === "average") return { use: "setfit" };
  if (name === "lexical") return { source: "file:pairs.tsv" };
  if ("source" in shape) return { source: "file:rows.jsonl" };
  if ("use" in shape) return { n: 1, use: "linear" };
  if ("of" in shape) return { of: ["linear"] };
  if ("documents" in shape) return { documents: "file:facts.jsonl" };
  if ("corpora" in shape) return { corpora: "file:corpora.tsv", dictionaries: "file:dictionaries.tsv" };
  if ("cut" in shape) return { cut: ["callosum"] };
  return "at" in shape ? { at: 1 } : {};
}

/** Names of the options that are described as files, at any depth of a schema. */
function fileOptions(schema: unknown, key = ""): string[] {
  if (schema === null || typeof schema !== "object") return [];
  const { type, description } = schema as { type?: unknown; description?: unknown };
  const own = type === "string" && /\bfiles\b|file:/.test(String(description)) ? [key] : [];
  return [...own, ...Object.entries(schema).flatMap(([name, inner]) => fileOptions(inner, name))];
}

describe("the table", () => {
  it("has no option that names files whose contents are no part of a build's key", () => {
    const options = Object.values(specializers).flatMap((entry) =>
      fileOptions(z.toJSONSchema(entry.options, { io: "input" })),
    );
    expect(options).toContain("documents");
    for (const name of options) expect(sourcesIn({ [name]: "file:x" }), name).toEqual(["file:x"]);
  });

  it.each(Object.entries(specializers))("describes %s", (name, entry) => {
    // Combinators apply another specializer; here a reference, which stands outside the map as they do.
    const made = (entry.make as (options: object, inner: MakeInner) => Specializer)(
      required(name, entry.options.shape),
      ((written: unknown, field: string) => makeSpecializer(written, field)) as MakeInner,
    );
    expect(made.name).toBe(name);
    expect(entry.summary).not.toMatch(/\n|\.$/);
    expect(entry.paper).toBeTruthy();
    const forBodies = !made.kinds.includes("language");
    // A search of references would still begin with the generalist.
    expect(entry.leaf === null).toBe(made.reference === true || forBodies || name === "search");
    const schema = z.toJSONSchema(entry.options, { io: "input" });
    expect(schema.additionalProperties).toBe(false);
    for (const [option, value] of Object.entries(schema.properties ?? {})) {
      expect((value as { description?: string }).description, `${name}.${option}`).toBeTruthy();
    }
  });
});

describe("makeSpecializer", () => {
  it.each([
    ["zeroShot", "zeroShot"],
    ["fewShot", "fewShot(k=5)"],
    [{ fewShot: null }, "fewShot(k=5)"],
    [{ fewShot: { k: 6, draw: "balanced" } }, "fewShot(k=6, balanced)"],
    [{ knn: { k: 8, by: "bm25" } }, "knn(k=8, bm25)"],
    [{ linear: { features: "both" } }, "linear(both)"],
    [["majority"], "majority"],
    [[{ fewShot: { k: 2 } }, "calibrate"], "fewShot(k=2) + calibrate"],
    [
      { perStratum: { use: [{ fewShot: { k: 2 } }, "calibrate"] } },
      "fewShot(k=2) + calibrate, one a stratum",
    ],
    [{ subset: { n: 50, use: { perStratum: { use: "majority" } } } }, "majority, one a stratum, n=50"],
  ])("reads %j", (spec, label) => {
    expect(makeSpecializer(spec, "x").label).toBe(label);
  });

  it.each([
    ["fewshot", /"fewShot"/],
    ["few-shot", /"fewShot"/],
    ["kNN", /"knn"/],
    ["calibrated", /"calibrate"/],
    ["qqqqqqqqqqqq", /known names/],
    ["__proto__", /known names/],
    ["constructor", /.+/],
    ["x".repeat(100_000), /known names/],
  ])("names what is known for %s", (name, next) => {
    const { what, where, why, next: advice, kind } = failure(name);
    expect(what.length).toBeLessThan(120);
    expect(where).toBe("specialists.3");
    expect(why).toBe(`Known: ${Object.keys(specializers).join(", ")}`);
    expect(advice).toMatch(next);
    expect(kind).toBe("usage");
  });

  it.each([
    [{ fewShot: { n: 3 } }, /no option "n"/, /Options: k, draw/],
    [{ fewShot: { drew: "balanced" } }, /no option "drew"/, /k, draw/],
    [{ zeroShot: { k: 3 } }, /no option "k"/, /none/],
    [{ fewShot: { k: "six" } }, /Bad option for fewShot/, /number/],
    [{ fewShot: { k: 0 } }, /Bad option/, /./],
    [{ fewShot: { k: 1e9 } }, /Bad option/, /./],
    [{ fewShot: { k: 2.5 } }, /Bad option/, /int/],
    [{ knn: { by: "bm52" } }, /Bad option for knn/, /bm25/],
    [{ fewShot: 5 }, /Bad option for fewShot/, /object/],
    [{ fewShot: {}, knn: {} }, /not a specializer/, /2 names/],
    [{}, /not a specializer/, /no name/],
    [[], /not a specializer/, /empty/],
    [[["zeroShot"]], /not a specializer/, /list inside a list/],
    [null, /not a specializer/, /nothing/],
    [7, /not a specializer/, /number/],
  ])("refuses %j in one error", (spec, what, why) => {
    const error = failure(spec);
    expect(error.what).toMatch(what);
    expect(error.why).toMatch(why);
    expect(error.where).toContain("specialists.3");
    expect(error.next).toBeTruthy();
  });

  it("names the field, and the step of a list", () => {
    expect(failure({ fewShot: { k: "six" } }).where).toBe("specialists.3, k");
    expect(failure({ fewShot: { drow: 1 } }).next).toContain("balanced");
    expect(failure(["zeroShot", "knnn"]).where).toBe("specialists.3.1");
  });

  it("checks the options of factories in the same way", () => {
    expect(() => fewShot({ k: -1 })).toThrow(HoneError);
    expect(() => knn({ kk: 1 } as never)).toThrow(/no option "kk"/);
  });
});

describe("choosing on dev", () => {
  it.each([
    ["lora", true],
    ["softPrompt", true],
    [{ bestOf: { of: ["zeroShot", "fewShot"] } }, true],
    [{ bestOf: { of: ["fewShot"] } }, false],
    ["medprompt", true],
    [{ medprompt: { examples: "always" } }, false],
    ["knnLm", false],
    [{ knnLm: { tuneOn: "dev" } }, true],
    [{ knnLm: { tuneOn: "dev", lambda: 0.5, temperature: 1 } }, false],
    ["linear", false],
    ["calibrate", false],
    [["fewShot", "calibrate"], false],
    [["lora", "calibrate"], true],
    [{ perStratum: { use: "lora" } }, true],
    [{ perStratum: { use: "linear" } }, false],
    [{ subset: { n: 9, use: "lora" } }, true],
    [{ cot: { use: { bestOf: { of: ["fewShot", "knn"] } } } }, true],
    ["portfolio", true],
    [{ portfolio: { use: "fewShot", direct: "zeroShot" } }, false],
  ])("is told of %j: %s", (written, expected) => {
    expect(makeSpecializer(written, "specialists.0").choosesOnDev ?? false).toBe(expected);
  });
});

describe("chain", () => {
  it("fits each step on what the ones before it made, nearest to the query last", async () => {
    const subject = listener();
    const both = chain([fewShot({ k: 2 }), knn({ k: 2, by: "bm25" })]);
    const specialist = await make(both, subject);
    expect(specialist.name).toBe("fewShot(k=2) + knn(k=2, bm25)");
    expect(both).toMatchObject({ label: specialist.name, seeded: true, needs: [] });
    await specialist.respond(queryOf("ship in the storm"), context);
    const alone = listener();
    await (await make(knn({ k: 2, by: "bm25" }), alone)).respond(queryOf("ship in the storm"), context);
    const shots = subject.heard[0]!.demonstrations;
    expect(shots).toHaveLength(4);
    expect(shots.slice(2)).toEqual(alone.heard[0]!.demonstrations);
  });

  it("gives what applying by hand gives", async () => {
    const subject = listener();
    const tools = given();
    const [a, b] = [fewShot({ k: 2 }), knn({ k: 1, by: "bm25" })];
    const first = a.apply(subject, await a.fit(subject, given()), tools);
    const second = b.apply(first, await b.fit(first, given()), tools);
    const together = await make(chain([a, b]), subject);
    expect(together.id).toBe(second.id);
    expect(together.name).toBe(second.name);
  });

  it("has a state for each step, and is a reference where it ends in one", async () => {
    const state = await chain([zeroShot(), fewShot({ k: 1 })]).fit(listener(), given());
    expect(state).toHaveLength(2);
    expect(chain([zeroShot(), majority()]).reference).toBe(true);
    expect(chain([zeroShot(), fewShot()]).reference).toBeUndefined();
  });
});

describe("identity", () => {
  it("depends on the inner subject, the options and the state, and on nothing else", async () => {
    const base = await make(fewShot({ k: 3 }), listener());
    expect((await make(fewShot({ k: 3 }), listener())).id).toBe(base.id);
    const others = [
      await make(fewShot({ k: 3 }), { ...listener(), id: "another" }),
      await make(fewShot({ k: 4 }), listener()),
      await make(fewShot({ k: 3, draw: "balanced" }), listener()),
      await make(fewShot({ k: 3 }), listener(), { seed: 2 }),
      await make(linear(), listener()),
    ];
    expect(new Set([base.id, ...others.map(({ id }) => id)]).size).toBe(6);
  });

  it("passes the model through", async () => {
    const model = requireCapability(await openModel("mock:"), "text");
    const specialist = await make(chain([fewShot(), knn({ by: "bm25" })]), { ...listener(), model });
    expect(specialist.model).toBe(model);
  });
});

describe("defineSpecializer", () => {
  it("makes a specializer of a rule alone", async () => {
    const shout = defineSpecializer({
      name: "shout",
      behave: () => ({ prepare: (query) => ({ ...query, input: query.input.toUpperCase() }) }),
    });
    const subject = listener();
    const specialist = await make(chain([fewShot({ k: 1 }), shout]), subject);
    await specialist.respond(queryOf("quiet"), context);
    expect(subject.heard[0]!.input).toBe("QUIET");
    const at = await prepared(specialist, queryOf("quiet"), context);
    expect(at.subject).toBe(subject);
    expect(at.query).toEqual(subject.heard[0]);
    expect(renderPrompt(at.query, "plain").messages[0]!.content).toContain("QUIET");
  });
});
