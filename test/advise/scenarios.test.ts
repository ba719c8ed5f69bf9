// Ten situations, each with what a reader of the papers would defend. Every route is taken to be there, whatever the table
// of specializers has at the moment; the last tests go through the table as it is.

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { type Advice, advise, namesIn } from "../../src/advise/advise.js";
import { type Evidence, evidence } from "../../src/advise/evidence.js";
import { routes } from "../../src/advise/routes.js";
import { asking, dollarsOf, latencyOf, type Situation, strengths } from "../../src/advise/situation.js";
import { starter, studyText, withAdvice } from "../../src/advise/study.js";
import type { Grant } from "../../src/core/model.js";
import { makeSpecializer, specializers } from "../../src/specializers/index.js";
import { leaves } from "../../src/specializers/map.js";

const root = resolve(import.meta.dirname, "../..");
const weights: Grant[] = ["text", "logprobs", "embeddings", "gradients", "weights"];

function has(access: Grant[], labels: number, more: Partial<Situation> = {}): Situation {
  return {
    access: new Set(access),
    labels,
    documents: 0,
    task: "choice",
    ownOptions: false,
    calculates: false,
    strength: null,
    answers: 1000,
    price: { input: 1, output: 4 },
    ...more,
  };
}

/** With every route's specializers there. */
const everything = new Set(
  routes.flatMap(({ write }) => namesIn(write(has(weights, 500, { documents: 1 })))),
);
const short = (specializer: unknown) =>
  Array.isArray(specializer) ? "ensemble" : (namesIn(specializer)[0] as string);
const order = ({ routes }: Advice) => routes.map(({ specializer }) => short(specializer));
const out = ({ ruledOut }: Advice) => ruledOut.map(({ specializer }) => short(specializer));
const whyOut = ({ ruledOut }: Advice, name: string) =>
  ruledOut.find(({ specializer }) => short(specializer) === name)?.why ?? "";
const whyIn = ({ routes }: Advice, name: string) =>
  routes.find(({ specializer }) => short(specializer) === name)?.why ?? "";

function inOrder(advice: Advice, ...names: string[]): void {
  const places = names.map((name) => order(advice).indexOf(name));
  expect(places, `${names} in ${order(advice)}`).not.toContain(-1);
  expect(places, `${names} in ${order(advice)}`).toEqual(places.toSorted((a, b) => a - b));
}

/** What the tests below know of, in every combination. */
const situations = [["text"], ["text", "logprobs"], weights].flatMap((access) =>
  [0, 30, 60, 300, 1000, 5000].flatMap((labels) =>
    [null, ...strengths].flatMap((strength) =>
      [{}, { ownOptions: true, options: 4 }, { task: "answer" as const, calculates: true }].flatMap((task) =>
        [0, 10_000].flatMap((documents) =>
          [{}, { latencyMs: 100 }, { budgetUsd: 1, answers: 10_000 }].map((limits) =>
            has(access as Grant[], labels, { strength, documents, ...task, ...limits }),
          ),
        ),
      ),
    ),
  ),
);

describe("hone advise, in ten situations", () => {
  it("1: an endpoint of text, no labels, no documents: the instruction, and reasoning; nothing that learns", () => {
    const advice = advise(has(["text"], 0), everything);
    expect(order(advice)).toEqual(["zeroShot", "cot", "ensemble"]);
    for (const name of ["linear", "majority", "fewShot", "knn", "medprompt"]) {
      expect(whyOut(advice, name)).toContain("you have 0");
    }
    expect(whyOut(advice, "retrieve")).toContain("no documents");
  });

  it("2: an endpoint of text, 50 labels: examples first, nothing that needs probabilities or weights", () => {
    const advice = advise(has(["text"], 50), everything);
    inOrder(advice, "knn", "fewShot", "cot", "zeroShot", "majority");
    expect(order(advice)).toContain("linear");
    for (const name of ["calibrate", "knnLm", "portfolio"])
      expect(whyOut(advice, name)).toContain("logprobs");
    expect(whyOut(advice, "lora")).toContain("weights");
    expect(whyOut(advice, "medprompt")).toContain("100 labels");
  });

  it("3: the same with log-probabilities: calibration can be tried, a memory was not measured", () => {
    const advice = advise(has(["text", "logprobs"], 50), everything);
    inOrder(advice, "knn", "calibrate");
    expect(whyIn(advice, "calibrate")).toContain("Warning");
    expect(whyOut(advice, "knnLm")).toContain("not measured here");
  });

  it("4: weights and 2,000 labels of legal questions: tuning, with linear to beat, before any prompt (Lawma)", () => {
    const advice = advise(has(weights, 2000, { strength: "small", options: 14 }), everything);
    expect(order(advice).slice(0, 4)).toEqual(["linear", "linear", "probe", "lora"]);
    inOrder(advice, "lora", "full", "knn", "zeroShot");
    for (const name of ["adapter", "softPrompt", "bitfit", "average"])
      expect(whyOut(advice, name)).toContain("not measured here");
    for (const name of ["head", "stack", "search", "optimize"])
      expect(whyOut(advice, name)).toContain("not shown to be better than cheaper routes");
    const sources = advice.routes[3]?.evidence.map(({ source }) => source).join(" ");
    expect(sources).toContain("Lawma");
    expect(sources).toContain("this project");
    expect(whyIn(advice, "cot")).toContain("can cost accuracy");
  });

  it("5: ten thousand documents and no labels: search them first", () => {
    const advice = advise(has(["text"], 0, { documents: 10_000 }), everything);
    expect(order(advice).slice(0, 2).toSorted()).toEqual(["retrieve", "zeroShot"]);
    const many = advise(has(["text", "logprobs"], 10, { documents: 10_000 }), everything);
    expect(order(many)[0]).toBe("retrieve");
    expect(order(advice)).not.toContain("knn");
  });

  it("6: 100 ms and 5,000 labels: what answers in one short call, no votes and no reasoning", () => {
    const advice = advise(has(weights, 5000, { latencyMs: 100, strength: "small" }), everything);
    inOrder(advice, "linear", "probe", "lora", "zeroShot");
    for (const name of ["linear", "probe", "lora"])
      expect(whyIn(advice, name)).toContain("on at most 2,103 labels");
    for (const name of ["ensemble", "cot", "medprompt", "portfolio"]) {
      expect(whyOut(advice, name)).toMatch(/about \d+ ms, more than 100/);
    }
  });

  it("7: one dollar for ten thousand answers: not even examples in the prompt", () => {
    const tight = { budgetUsd: 1, answers: 10_000, price: { input: 0.2, output: 0.8 } };
    const advice = advise(has(["text", "logprobs"], 500, tight), everything);
    inOrder(advice, "linear", "zeroShot");
    for (const name of ["knn", "fewShot", "ensemble", "cot", "medprompt"]) {
      expect(whyOut(advice, name)).toMatch(/cost about \$\d+\.\d\d, more than \$1/);
    }
  });

  it("8: answers that must be calculated: a tool was not measured, and what chooses among labels is out", () => {
    const advice = advise(
      has(["text"], 30, { task: "answer", calculates: true, strength: "large" }),
      everything,
    );
    expect(whyOut(advice, "tools")).toContain("not measured here");
    for (const name of ["linear", "ensemble"]) expect(out(advice)).toContain(name);
    expect(whyOut(advise(has(["text"], 30), everything), "tools")).toContain("--calculates");
  });

  it("9: exam questions for a model of GPT-4's class, 1,000 labels: Medprompt, then Medprompt+", () => {
    const exam = has(["text", "logprobs"], 1000, { strength: "large", ownOptions: true, options: 4 });
    const advice = advise(exam, everything);
    inOrder(advice, "medprompt", "cot", "fewShot", "zeroShot");
    inOrder(advice, "medprompt", "portfolio");
    expect(order(advice)[0]).toBe("medprompt");
    expect(advice.routes[0]?.evidence[0]?.figure).toContain("90.2");
    expect(whyOut(advice, "linear")).toContain("own options");
    const small = advise({ ...exam, strength: "small" }, everything);
    expect(whyIn(small, "medprompt")).toContain("Warning");
    inOrder(small, "knn", "medprompt");
  });

  it("10: a model that reasons by itself: asked plainly, and examples as a measured switch", () => {
    const advice = advise(has(["text"], 300, { strength: "reasoning", ownOptions: true }), everything);
    expect(order(advice).slice(0, 2)).toEqual(["zeroShot", "bestOf"]);
    inOrder(advice, "bestOf", "knn");
    for (const name of ["cot", "medprompt"]) expect(whyOut(advice, name)).toContain("reasons by itself");
    expect(whyIn(advice, "fewShot")).toContain("lower a reasoning model");
  });

  it("and 150 labels: what learns them comes first, the price of a prompt counts them, and what few samples show of them is said", () => {
    const advice = advise(has(["text"], 1000, { options: 150 }), everything);
    expect(order(advice).slice(0, 4)).toEqual(["linear", "linear", "setfit", "knn"]);
    const cost = (name: string) => advice.routes.find((one) => short(one.specializer) === name)?.cost;
    expect(cost("zeroShot")?.inputTokens).toBe(200 + 8 * 130);
    expect(cost("linear")?.inputTokens).toBe(0);
    expect(whyIn(advice, "fewShot")).toContain("few of so many labels");
    for (const name of ["linear", "fewShot"])
      expect(whyIn(advise(has(["text"], 1000, { options: 4 }), everything), name)).not.toMatch(
        /so many|fewer than ten/,
      );
    expect(whyIn(advice, "linear")).toContain("fewer than ten samples");
    expect(whyIn(advise(has(["text"], 1500, { options: 150 }), everything), "linear")).not.toContain(
      "fewer than ten",
    );
  });

  it("and weights with few labels: tuning comes late with a warning, or not at all", () => {
    const few = advise(has(weights, 60, { strength: "small" }), everything);
    inOrder(few, "knn", "probe", "lora");
    expect(whyIn(few, "lora")).toContain("Warning: so few labels");
    expect(whyOut(advise(has(weights, 20), everything), "lora")).toContain("you have 20");
    expect(whyOut(advise(has(weights, 9000, { hours: 1 }), everything), "lora")).toMatch(/about 2\.0 hours/);
  });
});

describe("what the advice rests on", () => {
  it("writes the recipe that was measured: the last ten layers, rate and epochs left to the sweep", () => {
    const written = (labels: number) =>
      advise(has(weights, labels, { strength: "small" }), everything)
        .routes.filter(({ needs }) => needs.includes("gradients"))
        .map(({ specializer }) => specializer);
    for (const labels of [200, 999]) expect(written(labels)).toEqual([{ lora: { layers: 10 } }]);
    for (const labels of [1000, 5000]) expect(written(labels)).toEqual([{ lora: { layers: 10 } }, "full"]);
  });

  it("recommends nothing without evidence", () => {
    const recommended = situations.flatMap((one) => advise(one).routes);
    expect(recommended.length).toBeGreaterThan(situations.length);
    expect(recommended.filter(({ evidence }) => evidence.length === 0)).toEqual([]);
  });

  it("recommends each specializer of the table somewhere, or says why not", () => {
    const told = new Set<string>();
    for (const one of situations) {
      const advice = advise(one);
      for (const { specializer } of [...advice.routes, ...advice.ruledOut]) told.add(short(specializer));
    }
    expect([...told]).toEqual(expect.arrayContaining(Object.keys(specializers)));
  });

  it("says of what is not shown to be better by how much it was not", () => {
    for (const name of ["head", "selfSpecialize"])
      expect(whyOut(advise(has(weights, 500)), name)).toMatch(/better than cheaper routes: .*n = \d+/);
    expect(whyOut(advise(has(weights, 200)), "setfit")).toMatch(/fewer than 300 labels .*n = \d+/);
  });

  it("follows what was measured on a small model: no calibration, fixed examples after none, setfit from 300 labels", () => {
    const own = advise(has(weights, 500, { strength: "small" }), everything);
    inOrder(own, "knn", "zeroShot", "fewShot");
    inOrder(own, "probe", "setfit", "lora");
    expect(whyOut(own, "calibrate")).toContain("below zero-shot on each of six tasks");
    expect(order(advise(has(["text"], 500), everything))).toContain("setfit");
  });

  it("times a training by the model's size, and refuses one that does not fit into memory", () => {
    const large = { hours: 2, parameters: 8.2e9, memory: { needed: 55.1, usable: 25 } };
    const advice = advise(has(weights, 2000, large), everything);
    for (const name of ["lora", "full"])
      expect(whyOut(advice, name)).toMatch(
        /55\.1 GB of memory, and this machine has 25\.0.*about \d\d\.\d hours/,
      );
    expect(order(advice)).toContain("linear");
  });

  it("is the same each time, names leaves of the map, and asks no more than it says", () => {
    for (const one of [has(["text"], 50), has(weights, 2000, { strength: "small" })]) {
      expect(advise(one, everything)).toEqual(advise(one, everything));
      for (const { leaf, needs, why } of advise(one, everything).routes) {
        if (leaf) for (const grant of leaves[leaf].needs) expect([...needs, "text"]).toContain(grant);
        for (const grant of needs) expect(one.access).toContain(grant);
        expect(why).toMatch(/\.$/);
      }
    }
  });

  it("names no specializer that the table lacks, and each that it has with options that it takes", () => {
    const table = new Set(Object.keys(specializers));
    for (const one of [
      has(["text"], 0),
      has(weights, 60),
      has(weights, 2000, { documents: 5, calculates: true }),
    ]) {
      const advice = advise(one);
      for (const { specializer } of [...advice.routes, ...advice.ruledOut]) {
        for (const name of namesIn(specializer)) expect(table).toContain(name);
        expect(() => makeSpecializer(specializer, "specialists.0")).not.toThrow();
      }
      expect(studyText("a.study.yaml", withAdvice(starter("a"), advice))).toContain("specialists:");
    }
  });

  it("leaves a route out where a specializer within it is missing", () => {
    const without = new Set([...everything].filter((name) => name !== "ensemble"));
    expect(order(advise(has(weights, 500), without))).not.toContain("portfolio");
    expect(order(advise(has(weights, 500), without))).not.toContain("ensemble");
  });

  it("holds its own figures against the pages that they come from", () => {
    const own = Object.values<Evidence>(evidence).filter(({ source }) => source.startsWith("this project"));
    expect(own.length).toBeGreaterThan(5);
    for (const { own: place, figure, n } of own) {
      const text = readFileSync(join(root, place?.file as string), "utf8");
      for (const words of [place?.says].flat()) {
        expect(text.includes(words as string), `${place?.file}: ${figure}`).toBe(true);
      }
      expect(n).toBeGreaterThan(0);
    }
  });

  it("counts calls, tokens, time and money as it says", () => {
    const cost = asking(5, { shots: 5, reasoning: "parsed" });
    expect(cost).toEqual({ calls: 5, inputTokens: 8500, outputTokens: 505, training: false });
    expect(asking(5, { shots: 5, reasoning: "scored" })).toEqual({ ...cost, calls: 10, inputTokens: 17500 });
    expect(latencyOf(cost)).toBe(250 + 425 + 5050);
    expect(dollarsOf(cost, has(["text"], 0))).toBeCloseTo(8.5 + 2.02, 9);
  });
});
