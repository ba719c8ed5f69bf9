// linear and majority: the references. Words, weights and probabilities against scikit-learn's, and the cases in which
// there is hardly anything to learn.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Sample } from "../../src/core/sample.js";
import { taskContext } from "../../src/core/task.js";
import { joined, textBlocks } from "../../src/learn/blocks.js";
import { foldsOf } from "../../src/learn/folds.js";
import { gramOf } from "../../src/learn/gram.js";
import { lbfgs } from "../../src/learn/lbfgs.js";
import { fitLogistic, logProbabilities } from "../../src/learn/logistic.js";
import { type ChosenPenalty, choosePenalty, type Features } from "../../src/learn/penalty.js";
import { learnVocabulary, type Terms, toSparseRows, vectorizer } from "../../src/learn/tfidf.js";
import { linear } from "../../src/specializers/reference/linear.js";
import { majority } from "../../src/specializers/reference/majority.js";
import { answer } from "../../src/tasks/answer.js";
import { choice } from "../../src/tasks/choice.js";
import { context, given, labels, listener, make, queryOf, train } from "./fakes.js";

interface Case {
  name: string;
  by: Terms;
  c: number;
  texts: string[];
  gold: string[];
  classes: string[];
  terms: number;
  probes: string[];
  rowSums: number[];
  probabilities: number[][];
}
const fixture: { cases: Case[] } = JSON.parse(
  readFileSync(join(import.meta.dirname, "fixtures", "linear.json"), "utf8"),
);

type State = {
  classes: string[];
  terms: string[];
  weights: string;
  chosen: ChosenPenalty;
};

describe("against scikit-learn", () => {
  it.each(fixture.cases)(
    "$name",
    async ({ by, c, texts, gold, classes, terms, probes, rowSums, probabilities }) => {
      const vocabulary = learnVocabulary(texts, by);
      expect(vocabulary.terms).toHaveLength(terms);
      const vectorize = vectorizer(vocabulary);
      const rows = toSparseRows(texts.map(vectorize), terms);
      const targets = Int32Array.from(gold, (label) => classes.indexOf(label));
      const exact = await fitLogistic(rows, targets, classes.length, { c, tolerance: 1e-8 });
      const byProducts = await fitLogistic(rows, targets, classes.length, {
        c,
        tolerance: 1e-8,
        gram: gramOf(rows),
      });
      const usual = await fitLogistic(rows, targets, classes.length, { c });
      expect(exact.converged && usual.converged).toBe(true);
      for (const [i, probe] of probes.entries()) {
        const { columns, values } = vectorize(probe);
        expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(rowSums[i]!, 6);
        for (const [model, digits] of [
          [exact, 5],
          [byProducts, 5],
          [usual, 3],
        ] as const) {
          const found = [...logProbabilities(model, columns, values)].map(Math.exp);
          for (const [k, p] of found.entries())
            expect(Math.abs(p - probabilities[i]![k]!)).toBeLessThan(10 ** -digits);
        }
      }
    },
  );
});

describe("L-BFGS", () => {
  it("finds the minimum of a badly scaled bowl", async () => {
    const scales = [1e-3, 1, 1e3, 50];
    const found = await lbfgs(
      (x, gradient) => {
        let value = 0;
        for (const [i, scale] of scales.entries()) {
          const off = x[i]! - i;
          value += 0.5 * scale * off * off;
          gradient[i] = scale * off;
        }
        return value;
      },
      new Float64Array(4).fill(9),
      { tolerance: 1e-10 },
    );
    expect(found.converged).toBe(true);
    for (const [i, x] of found.x.entries()) expect(x).toBeCloseTo(i, 5);
  });

  it("finds the minimum of a valley that is not quadratic", async () => {
    const { x, converged } = await lbfgs(
      (p, gradient) => {
        const [a, b] = [p[0]!, p[1]!];
        gradient[0] = -400 * a * (b - a * a) - 2 * (1 - a);
        gradient[1] = 200 * (b - a * a);
        return 100 * (b - a * a) ** 2 + (1 - a) ** 2;
      },
      Float64Array.of(-1.2, 1),
      { tolerance: 1e-8 },
    );
    expect(converged).toBe(true);
    expect(x[0]).toBeCloseTo(1, 6);
    expect(x[1]).toBeCloseTo(1, 6);
  });

  it("returns at once from a minimum, and gives up where the value is not a number", async () => {
    expect((await lbfgs(() => 0, new Float64Array(3))).iterations).toBe(0);
    const broken = await lbfgs((_, gradient) => gradient.fill(1) && Number.NaN, new Float64Array(3));
    expect(broken.converged).toBe(false);
    expect([...broken.x]).toEqual([0, 0, 0]);
  });
});

describe("the gradient of the loss", () => {
  it("is zero at the fitted weights by finite differences", async () => {
    const [three] = fixture.cases as [Case];
    const vocabulary = learnVocabulary(three.texts);
    const vectorize = vectorizer(vocabulary);
    const rows = three.texts.map(vectorize);
    const targets = Int32Array.from(three.gold, (label) => three.classes.indexOf(label));
    const model = await fitLogistic(toSparseRows(rows, three.terms), targets, 3, { c: 2, tolerance: 1e-9 });
    const value = () => {
      let loss = 0;
      for (const [i, row] of rows.entries())
        loss -= logProbabilities(model, row.columns, row.values)[targets[i]!]!;
      const penalized = model.weights.subarray(0, three.terms * 3);
      return 2 * loss + 0.5 * penalized.reduce((sum, w) => sum + w * w, 0);
    };
    for (const at of [0, 7, three.terms * 3, three.terms * 3 + 2]) {
      const weight = model.weights[at]!;
      const around = [1e-4, -1e-4].map((step) => {
        model.weights[at] = weight + step;
        return value();
      }) as [number, number];
      model.weights[at] = weight;
      expect(Math.abs(around[0] - around[1]) / 2e-4).toBeLessThan(1e-4);
    }
  });
});

describe("the choice of a penalty", () => {
  const copies = (groups: boolean) => {
    const n = 60;
    const targets = Int32Array.from({ length: n }, (_, i) => (i >> 1) % 2);
    // Two rows a group, alike and of one label that the rest of train cannot tell.
    const rows = Array.from({ length: n }, (_, i) => ({ columns: [i >> 1], values: [1] }));
    const candidates = [{ name: "own", rows, columns: n / 2 }];
    const names = Array.from({ length: n }, (_, i) => (groups ? `g${i >> 1}` : undefined));
    return choosePenalty(
      { candidates, targets, classes: 2, groups: names, folds: 5 },
      { signal: new AbortController().signal, progress: () => {} },
    );
  };

  it("holds a group out together, so that its copies do not speak for a weak penalty", async () => {
    const apart = (await copies(false)).chosen;
    expect(Math.min(...apart.grid.map(({ loss }) => loss))).toBeLessThan(0.5);
    const together = (await copies(true)).chosen;
    expect(Math.min(...together.grid.map(({ loss }) => loss))).toBeGreaterThan(0.69);
  });

  it("reads blocks side by side as the same features in one", async () => {
    const [three] = fixture.cases as [Case];
    const { words, characters } = textBlocks(three.texts);
    const both = joined([words, characters]);
    expect(joined([words])).toBe(words);
    const targets = Int32Array.from(three.gold, (label) => three.classes.indexOf(label));
    const chosen = async (features: Features) => {
      const { model } = await choosePenalty(
        { candidates: [features], targets, classes: 3, groups: three.texts.map(() => undefined), folds: 3 },
        { signal: new AbortController().signal, progress: () => {} },
      );
      return both.rows.map(({ columns, values }) => [...logProbabilities(model, columns, values)]);
    };
    const { name, rows, columns } = both;
    const [byBlocks, asOne] = [await chosen(both), await chosen({ name, rows, columns })];
    for (const [i, row] of asOne.entries())
      for (const [k, value] of row.entries()) expect(byBlocks[i]![k]).toBeCloseTo(value, 3);
  });

  it("takes the default where no class is in two parts", async () => {
    const targets = Int32Array.from({ length: 40 }, (_, i) => i >> 1);
    const rows = Array.from({ length: 40 }, (_, i) => ({ columns: [i % 3], values: [1] }));
    const groups = Array.from(targets, (target) => `g${target}`);
    const { chosen } = await choosePenalty(
      { candidates: [{ name: "own", rows, columns: 3 }], targets, classes: 20, groups, folds: 5 },
      { signal: new AbortController().signal, progress: () => {} },
    );
    expect(chosen).toEqual({ features: "own", c: 1, by: "default", n: 0, grid: [] });
  });

  it("cuts train into parts of like size and labels, the same each time", () => {
    const targets = Int32Array.from({ length: 103 }, (_, i) => (i % 10 === 0 ? 2 : i % 2));
    const groups = Array.from({ length: 103 }, (_, i) => (i < 40 ? `g${i % 9}` : undefined));
    const folds = foldsOf(targets, groups, 5);
    expect(foldsOf(targets, groups, 5)).toEqual(folds);
    expect(foldsOf(targets, groups, 5, 2)).not.toEqual(folds);
    for (let g = 0; g < 9; g++)
      expect(new Set([...folds].filter((_, i) => groups[i] === `g${g}`)).size).toBe(1);
    const count = (fold: number, target?: number) =>
      [...folds].filter((f, i) => f === fold && (target === undefined || targets[i] === target)).length;
    for (let fold = 0; fold < 5; fold++) {
      expect(Math.abs(count(fold) - 103 / 5)).toBeLessThan(3);
      for (const target of [0, 1, 2])
        expect(Math.abs(count(fold, target) - [46, 46, 11][target]! / 5)).toBeLessThan(2.5);
    }
  });
});

const separable = Array.from({ length: 60 }, (_, i): Sample => {
  const gold = labels[i % 3]!.key;
  const word = { s: "ship", f: "plough", i: "anvil" }[gold];
  return { id: `x${i}`, input: `${word} number${i % 7} the old ${word}`, gold };
});

describe("linear", () => {
  it.each(["tfidf", "vectors", "both"] as const)("learns what words separate, by %s", async (features) => {
    const dev = separable.slice(0, 12);
    const specialist = await make(linear({ features }), listener(), { train: separable.slice(12), dev });
    for (const [word, key] of [
      ["ship", "s"],
      ["plough", "f"],
      ["anvil", "i"],
    ]) {
      const { choice: chosen, scores } = await specialist.respond(
        queryOf(`${word} the old ${word}`),
        context,
      );
      expect(chosen).toBe(key);
      const total = Object.values(scores!).reduce((sum, score) => sum + Math.exp(score), 0);
      expect(total).toBeCloseTo(1, 6);
    }
    expect(specialist.model).toBeUndefined();
  });

  it("never looks at dev", async () => {
    const unseen = listener();
    const dev = separable.map((sample) => ({ ...sample, gold: "s", input: "onlyindev onlyindev" }));
    const without = await linear().fit(unseen, given({ train: separable }));
    expect(await linear().fit(unseen, given({ train: separable, dev }))).toEqual(without);
    expect(linear().choosesOnDev).toBeUndefined();
  });

  it("is fitted on all of train with what cross-validation chose", async () => {
    const state = (await linear().fit(listener(), given({ train: separable }))) as State;
    const { features, c, by, n, grid } = state.chosen;
    expect(by).toBe("cross-validation");
    expect(n).toBe(60);
    expect(new Set(grid.map((one) => one.features))).toEqual(
      new Set(["words", "characters", "words + characters"]),
    );
    const chosen = grid.find((one) => one.features === features && one.c === c)!;
    expect(chosen.loss).toBeLessThan(0.01 + Math.min(...grid.map(({ loss }) => loss)));
  });

  it("reads characters where words never come twice", async () => {
    const stems = { s: "navig", f: "agrar", i: "metall" };
    const odd = Array.from({ length: 60 }, (_, i): Sample => {
      const gold = labels[i % 3]!.key as keyof typeof stems;
      return { id: `x${i}`, input: `${stems[gold]}${i}q ${i}${stems[gold]}`, gold };
    });
    const state = (await linear().fit(listener(), given({ train: odd }))) as State;
    expect(state.chosen.features).toBe("characters");
    const specialist = await make(linear(), listener(), { train: odd });
    expect((await specialist.respond(queryOf("xmetallx"), context)).choice).toBe("i");
  });

  it("is the same every time, whatever the seed", async () => {
    const [a, b] = await Promise.all(
      [1, 2].map((seed) => linear().fit(listener(), given({ train: separable, seed }))),
    );
    expect(a).toEqual(b);
    expect(linear().seeded).toBe(false);
  });

  it("takes the default where train is too small to be cut up", async () => {
    const small = (await linear().fit(listener(), given({ train }))) as State;
    expect(small.chosen).toEqual({ features: "words", c: 1, by: "default", n: 0, grid: [] });
  });

  it("answers with the only class that train has", async () => {
    const specialist = await make(linear(), listener(), {
      train: train.filter((sample) => sample.gold === "f"),
    });
    const got = await specialist.respond(queryOf("ship"), context);
    expect(got.choice).toBe("f");
    expect(Object.keys(got.scores!)).toEqual(["f"]);
    expect(got.scores!.f).toBeCloseTo(0, 12);
  });

  it("falls back on the classes' frequencies for empty and unknown texts", async () => {
    const specialist = await make(linear(), listener());
    for (const input of ["", "zzzz qqqq"]) {
      const { choice: chosen, scores } = await specialist.respond(queryOf(input), context);
      expect(chosen).toBe("s");
      for (const score of Object.values(scores!)) expect(Number.isFinite(score)).toBe(true);
    }
  });

  it("learns from texts without a repeated word, or without any", async () => {
    for (const input of [(i: number) => `only${i}`, () => ""]) {
      const samples = train.map((sample, i) => ({ ...sample, input: input(i) }));
      const got = await (await make(linear(), listener(), { train: samples })).respond(queryOf("x"), context);
      expect(got.choice).toBe("s");
    }
  });

  it("learns two classes", async () => {
    const two = choice("two", {}, labels.slice(0, 2));
    const samples = separable.filter((sample) => sample.gold !== "i");
    const specialist = await make(linear(), listener(), { task: two, train: samples });
    expect((await specialist.respond(queryOf("the plough", two), context)).choice).toBe("f");
  });

  it("chooses only among the options of the query", async () => {
    const specialist = await make(linear(), listener(), { train: separable });
    const query = { ...queryOf("ship the old ship"), options: labels.slice(1) };
    expect(["f", "i"]).toContain((await specialist.respond(query, context)).choice);
  });

  it("says that it does not know other labels", async () => {
    const specialist = await make(linear(), listener(), { train: separable });
    const other = choice("other", {}, [...labels, { key: "z", text: "new" }]);
    expect(await specialist.respond(queryOf("ship", other), context)).toEqual({ unscored: "other-labels" });
    const written = answer("written", { kind: "answer" });
    expect(await specialist.respond(queryOf("ship", written), context)).toEqual({ unscored: "other-labels" });
  });

  it("refuses tasks without shared labels, and answers that are no label, naming the sample", async () => {
    await expect(linear().fit(listener(), given({ task: choice("own") }))).rejects.toThrow(
      /do not share their labels/,
    );
    const bad = [...train, { id: "bad7", input: "x", gold: "nolabel" }];
    await expect(linear().fit(listener(), given({ train: bad }))).rejects.toThrow(/bad7/);
  });

  it("stops when asked to", async () => {
    const signal = AbortSignal.abort(new Error("stopped by hand"));
    await expect(
      linear().fit(listener(), given({ train: separable, context: taskContext(signal) })),
    ).rejects.toThrow("stopped by hand");
  });

  it("tells how far it is", async () => {
    const told: [number, number][] = [];
    await linear().fit(
      listener(),
      given({ train: separable, progress: (done, total) => told.push([done, total]) }),
    );
    expect(told.length).toBeGreaterThan(3);
    for (const [i, [done, total]] of told.entries()) {
      expect(total).toBe(28);
      expect(done).toBeGreaterThanOrEqual(told[i - 1]?.[0] ?? 0);
    }
    expect(told.at(-1)).toEqual([28, 28]);
  });
});

describe("majority", () => {
  it("always gives the most frequent train answer, asking no one", async () => {
    const subject = listener();
    const specialist = await make(majority(), subject);
    expect(await specialist.respond(queryOf("plough"), context)).toEqual({ choice: "s" });
    expect(subject.heard).toEqual([]);
  });

  it("breaks ties by the order of labels", async () => {
    const tied = [...train.filter((s) => s.gold === "i"), ...train.filter((s) => s.gold === "f").slice(0, 2)];
    expect(
      await (await make(majority(), listener(), { train: tied })).respond(queryOf("x"), context),
    ).toEqual({ choice: "f" });
  });

  it("takes the next frequent where the first is not offered, and says when none is", async () => {
    const specialist = await make(majority(), listener());
    const query = queryOf("x");
    expect(await specialist.respond({ ...query, options: labels.slice(1) }, context)).toEqual({
      choice: "f",
    });
    expect(await specialist.respond({ ...query, options: [{ key: "z", text: "z" }] }, context)).toEqual({
      unscored: "other-labels",
    });
  });

  it("gives the most frequent text where the task asks to write", async () => {
    const written = answer("written", { kind: "answer" });
    const samples = ["b", "a", "c", "a", "b"].map((gold, i) => ({
      id: `${i}`,
      input: `${i}`,
      gold: [gold, "other"],
    }));
    const specialist = await make(majority(), listener(), { task: written, train: samples });
    expect(await specialist.respond(queryOf("x", written), context)).toEqual({ text: "a" });
  });

  it("is the same subject whatever it replaces", async () => {
    const a = await make(majority(), listener());
    const b = await make(majority(), { ...listener(), id: "another" });
    expect(a.id).toBe(b.id);
  });
});

const data = process.env.HONE_TEST_DATA;
const cases = data ? join(data, "law", "scdb_oyez") : "";
describe.skipIf(!existsSync(join(cases, "test.jsonl")))("on Supreme Court cases (HONE_TEST_DATA)", () => {
  const read = (file: string, most?: number): Sample[] =>
    readFileSync(join(cases, file), "utf8")
      .trim()
      .split("\n")
      .slice(0, most)
      .map((line) => JSON.parse(line))
      .filter((row) => row.facts && row.labels.issueArea)
      .map((row) => ({ id: row.id, input: row.facts, gold: row.labels.issueArea }));

  it("beats the majority by far with a sixth of train", async () => {
    const [some, dev, test] = [read("train_1.jsonl", 350), read("val.jsonl"), read("test.jsonl")];
    const keys = [...new Set([...some, ...dev, ...test].map((sample) => sample.gold as string))].sort();
    const area = choice(
      "issueArea",
      {},
      keys.map((key) => ({ key, text: key })),
    );
    const right = async (specializer: ReturnType<typeof linear>) => {
      const specialist = await make(specializer, listener(), { task: area, train: some, dev });
      let count = 0;
      for (const sample of test)
        if ((await specialist.respond(area.query(sample), context)).choice === sample.gold) count++;
      return count / test.length;
    };
    expect(await right(majority())).toBeLessThan(0.35);
    expect(await right(linear())).toBeGreaterThan(0.5);
  });
});
