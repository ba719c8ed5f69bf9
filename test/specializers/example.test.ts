// The shipped example of a specializer of one's own: it runs, it composes, and it stays short.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { example, keywords, table } from "../../examples/custom-specializer.js";
import { HoneError, makeSpecializer } from "../../src/index.js";
import { context, listener, make, queryOf } from "./fakes.js";

describe("examples/custom-specializer.ts", () => {
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

  it("has fewer than fifty lines of code and begins with the command that runs it", () => {
    const lines = readFileSync(
      join(import.meta.dirname, "../../examples/custom-specializer.ts"),
      "utf8",
    ).split("\n");
    expect(lines[0]).toBe("// npx vitest run test/specializers/example.test.ts");
    expect(lines.filter((line) => line.trim() && !line.startsWith("//")).length).toBeLessThan(50);
  });
});
