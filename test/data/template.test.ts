// Templates of rows: what is too much is told at once.

import { describe, expect, it } from "vitest";
import { compileTemplate, fillTemplate, fixedOrTemplate } from "../../src/data/template.js";

describe("a template", () => {
  it("with ten thousand fields is refused before any row is read", () => {
    expect(() => compileTemplate("{{text}}".repeat(10_000))).toThrow(/more than 1,000 fields/);
    expect(fillTemplate("{{text}}".repeat(1_000), { text: "ab" })).toBe("ab".repeat(1_000));
  });

  it("that makes too long a text stops there, with the row and what to do", () => {
    const row = { text: "x".repeat(1_000_000) };
    expect(() => fillTemplate("{{text}}".repeat(900), row, "rows.jsonl:3")).toThrow(
      /rows\.jsonl:3[\s\S]*more than 2,000,000 characters[\s\S]*\{\{facts\|1200\}\}/,
    );
    expect(fillTemplate("{{text|10}}".repeat(900), row)).toHaveLength(9_000);
  });
});

describe("a fixed text", () => {
  it("is the same for every row, unless it is a field's name, which was meant", () => {
    expect(fixedOrTemplate("What is it?", "question")({ question: "x" }, "row 1")).toBe("What is it?");
    expect(fixedOrTemplate("{{question}}", "question")({ question: "x" }, "row 1")).toBe("x");
    expect(() => fixedOrTemplate("question", "question")({ question: "x" }, "row 1")).toThrow(
      /fixed text[\s\S]*row 1[\s\S]*\{\{question\}\}/,
    );
  });
});
