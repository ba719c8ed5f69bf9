// medprompt: that it is its parts, that a rung left out is out, and that dev decides about examples.

import { describe, expect, it } from "vitest";
import type { Answer, Query } from "../../src/core/language.js";
import { chain } from "../../src/specializers/combine/chain.js";
import { makeSpecializer } from "../../src/specializers/index.js";
import { cot } from "../../src/specializers/prompting/cot.js";
import { ensemble } from "../../src/specializers/prompting/ensemble.js";
import { fewShot } from "../../src/specializers/prompting/few-shot.js";
import { knn } from "../../src/specializers/prompting/knn.js";
import {
  coalitions,
  ladder,
  type MedpromptOptions,
  medprompt,
  type Rung,
} from "../../src/specializers/prompting/medprompt.js";
import { zeroShot } from "../../src/specializers/prompting/zero-shot.js";
import { context, labels, listener, make, queryOf, train } from "./fakes.js";

const dev = ["f1", "f2", "s1", "i1"].map((id) => {
  const sample = train.find((other) => other.id === id);
  return { id: `dev-${id}`, input: `again ${sample?.input}`, gold: sample?.gold ?? "" };
});

const golds = new Map([...train, ...dev].map(({ input, gold }) => [input, gold as string]));

/** Knows every train and dev answer, says "s" to anything else, and reasons where it is asked to. */
const knows = (query: Query): Answer => ({
  choice: golds.get(query.input) ?? "s",
  ...(query.reason ? { trail: [{ kind: "rationale", text: `Because of ${query.input}.` }] } : {}),
});

async function ask(specializer: Parameters<typeof make>[0], query: Query, change = {}) {
  const subject = listener(knows);
  const specialist = await make(specializer, subject, change);
  const fitted = subject.heard.splice(0);
  const answer = await specialist.respond(query, context);
  return { answer, fitted, heard: subject.heard, id: specialist.id };
}

describe("medprompt", () => {
  const always: MedpromptOptions = { k: 3, members: 4, shuffles: 2, examples: "always" };
  const thinking = { pool: 200, shuffles: 2, maxTokens: 96 };
  const vote = ensemble({ members: 4, orders: "random", vote: "plurality" });

  it.each([
    [[], chain([cot(thinking, knn({ k: 3 })), vote])],
    [["neighbours"], chain([cot(thinking, fewShot({ k: 3 })), vote])],
    [["shuffling"], cot(thinking, knn({ k: 3 }))],
    [["reasoning"], chain([knn({ k: 3 }), vote])],
    [["examples"], chain([cot(thinking, zeroShot()), vote])],
    [["examples", "neighbours", "reasoning", "shuffling"], zeroShot()],
  ] as const)("without %j asks and answers as the chain made by hand", async (without, byHand) => {
    const query = queryOf("The ship left the  harbour");
    const mine = await ask(medprompt({ ...always, without: [...without] }), query);
    expect(mine).toEqual(await ask(byHand, query));

    const has = (rung: Rung) => !(without as readonly Rung[]).includes(rung);
    expect(mine.heard).toHaveLength(has("shuffling") ? 4 : 1);
    for (const { demonstrations, reason } of mine.heard) {
      expect(demonstrations).toHaveLength(has("examples") ? 3 : 0);
      expect(reason !== undefined).toBe(has("reasoning"));
      expect(demonstrations.every(({ rationale }) => (rationale !== undefined) === has("reasoning"))).toBe(
        true,
      );
      // The query is a train sample but for case and space: it must not be shown its own answer.
      expect(demonstrations.map(({ input }) => input)).not.toContain("the ship left the harbour");
    }
    for (const { demonstrations } of mine.fitted) expect(demonstrations).toEqual([]);
  });

  it.each([
    ["harmed by examples", (query: Query) => query.demonstrations.length > 0, 0],
    ["helped by them", (query: Query) => query.demonstrations.length === 0, 3],
  ])("shows examples as dev has it: a subject %s", async (_name, lost, shown) => {
    const subject = listener((query) => {
      const { choice, ...rest } = knows(query);
      return {
        ...rest,
        choice: dev.some(({ input }) => input === query.input) && lost(query) ? "none" : (choice as string),
      };
    });
    const specialist = await make(medprompt({ k: 3, members: 2 }), subject, { dev });
    subject.heard.length = 0;
    await specialist.respond(queryOf("a boat"), context);
    expect(subject.heard.map(({ demonstrations }) => demonstrations.length)).toEqual([shown, shown]);
  });

  it("shows examples where there is no dev to measure them on", async () => {
    const { heard } = await ask(medprompt({ k: 3, members: 2 }), queryOf("a boat"));
    expect(heard.map(({ demonstrations }) => demonstrations.length)).toEqual([3, 3]);
  });

  it("says what it is made of", () => {
    expect(medprompt().label).toBe("medprompt(k=5, x5)");
    expect(medprompt({ without: ["neighbours"] }).label).toBe("medprompt(k=5, x5, without neighbours)");
    expect(medprompt({ without: ["examples"], members: 3, by: "bm25", vote: "probability" }).label).toBe(
      "medprompt(x3, probability, without examples and neighbours)",
    );
  });
});

describe("ladder and coalitions", () => {
  it("climbs as published", () => {
    expect(ladder({ pool: 50 }).map((spec, i) => makeSpecializer(spec, `specialists.${i}`).label)).toEqual([
      "medprompt(without examples and reasoning and neighbours and shuffling)",
      "medprompt(k=5, without reasoning and neighbours and shuffling)",
      "medprompt(k=5, without neighbours and shuffling)",
      "medprompt(k=5, without shuffling)",
      "medprompt(k=5, x5)",
      "medprompt(k=20, x11)",
    ]);
    expect(ladder({ pool: 50 }).every((spec) => spec.medprompt.pool === 50)).toBe(true);
  });

  it("has every subset of the rungs once, twelve of them different", () => {
    const all = coalitions();
    expect(new Set(all.map(({ rungs }) => rungs.join())).size).toBe(16);
    expect(new Set(all.map(({ spec }) => JSON.stringify(spec))).size).toBe(12);
    expect(all[0]?.rungs).toEqual([]);
    expect(all[15]).toEqual({
      rungs: ["examples", "reasoning", "neighbours", "shuffling"],
      spec: { medprompt: { without: [], examples: "always" } },
    });
    for (const { spec } of all) expect(spec.medprompt.examples).toBe("always");
  });

  it("shuffles the query's own options and maps the votes back", async () => {
    const { answer, heard } = await ask(
      medprompt({ k: 2, members: 6, examples: "always" }),
      queryOf("a boat"),
    );
    const seen = heard.map(({ options = [] }) => options.map(({ key }) => key).join(""));
    expect(new Set(seen).size).toBe(6);
    expect(answer.choice).toBe("s");
    expect(labels.map(({ key }) => key)).toContain(answer.choice);
  });
});
