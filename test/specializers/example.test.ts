// The shipped example of a specializer of one's own: it runs and it composes.

import { describe, expect, it } from "vitest";
import extension, { keywords } from "../../examples/extend/keywords.js";
import { HoneError, makeSpecializer, specializers } from "../../src/index.js";
import { context, listener, make, queryOf } from "./fakes.js";

const table = { ...specializers, ...extension.specializers };
const example = makeSpecializer(
  [{ keywords: { count: 2 } }, { knn: { k: 3, by: "bm25" } }],
  "example",
  table,
);

describe("examples/extend/keywords.ts", () => {
  it("puts each label's typical words into the instruction, under knn too", async () => {
    const subject = listener();
    const specialist = await make(example, subject);
    await specialist.respond(queryOf("the plough"), context);
    const { instruction, demonstrations } = subject.heard[0]!;
    expect(instruction).toContain(
      "Name the place.\n\nTypical words.\nsea: ship, storm\nfield: furrow, plough\niron: ",
    );
    expect(demonstrations).toHaveLength(3);
    expect(specialist.name).toBe("keywords(2) + knn(k=3, bm25)");
  });

  it("is named among the known ones", () => {
    expect(makeSpecializer("keywords", "x", table).label).toBe(keywords().label);
    expect(() => makeSpecializer("keyword", "x", table)).toThrow(/Write "keywords"/);
    expect(() => makeSpecializer("keywords", "x")).toThrow(HoneError);
  });
});
