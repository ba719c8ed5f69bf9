import { describe, expect, it } from "vitest";
import { taskContext } from "../../src/core/task.js";
import { rougeL } from "../../src/learn/rouge.js";
import { answer, exactMatch, tokenF1 } from "../../src/tasks/answer.js";
import { lastNumber, numberMatch } from "../../src/tasks/numbers.js";

it("asks with a sample's own instruction, and with the task's where it has none", () => {
  const task = answer("mixed", { kind: "answer", metric: "exact", instruction: "Answer in one word." });
  const sample = { id: "1", input: "2 + 2", gold: "4" };
  expect(task.query(sample).instruction).toBe("Answer in one word.");
  expect(task.query({ ...sample, instruction: "Compute." }).instruction).toBe("Compute.");
});

describe("answer metrics", () => {
  it("matches exactly after SQuAD's normalization", () => {
    expect(exactMatch("The Eiffel Tower!", "eiffel tower")).toBe(1);
    expect(exactMatch("Eiffel", "eiffel tower")).toBe(0);
  });

  it("compares what normalization would leave empty: the letter A, signs", () => {
    for (const text of ["", "The", "B", "."])
      expect([text, exactMatch(text, "A"), tokenF1(text, "A")]).toEqual([text, 0, 0]);
    for (const text of ["A", "a", "A.", "(A)"]) expect([text, exactMatch(text, "A")]).toEqual([text, 1]);
    expect([exactMatch("-", "+"), exactMatch(" + ", "+")]).toEqual([0, 1]);
  });

  it("keeps vowel signs, and letters that follow one with an accent", () => {
    // "of" in Hindi, feminine and masculine: one consonant, two vowel signs.
    for (const score of [exactMatch, tokenF1, rougeL]) expect(score("की", "का")).toBe(0);
    expect(exactMatch("Españ", "España")).toBe(0);
  });

  it("computes token F1 as in SQuAD", () => {
    // 2 common tokens of 3 and 2: 2*2/(3+2)
    expect(tokenF1("big red barn", "red barn")).toBeCloseTo(0.8, 12);
    expect(tokenF1("", "")).toBe(1);
    expect(tokenF1("the", "cat")).toBe(0);
    // A repeated token counts only as often as gold has it: 1 common of 3 and 1.
    expect(tokenF1("cat cat cat", "cat")).toBeCloseTo(0.5, 12);
  });

  it("computes ROUGE-L on Lin's own example", () => {
    // Lin 2004: "police killed the gunman" and "police kill the gunman" share a subsequence of 3 in 4.
    expect(rougeL("police kill the gunman", "police killed the gunman")).toBeCloseTo(0.75, 12);
    expect(rougeL("the gunman kill police", "police killed the gunman")).toBeCloseTo(0.5, 12);
  });

  it("takes a comma for the decimal sign where it separates no thousands", () => {
    for (const [text, gold] of [
      ["es sind 3,5", "3.5"],
      ["-1.234,5 m", "-1234.5"],
      ["1,234,567", "1234567"],
      ["0,125e2", "125e2"],
      ["1,2,3", "3"],
      ["either 1, 2", "2"],
      ["1,2345", "1.2345"],
    ] as const)
      expect([text, numberMatch(text, gold, 1e-12)]).toEqual([text, 1]);
    expect(numberMatch("4,5", "3,5", 0)).toBe(0);
  });

  it("reads signs, fractions, powers of ten and separators as what they are", () => {
    for (const [text, value] of [
      ["\u22125", -5],
      ["x = \u20135", -5],
      ["-$1,200", -1200],
      ["5 \u2212 8 = \u22123", -3],
      ["from 1939-1945", 1945],
      ["10%-20%", 20],
      ["COVID-19", 19],
      [".5", 0.5],
      ["-.25", -0.25],
      ["No.5", 5],
      ["3/4", 0.75],
      ["1 1/2 cups", 1.5],
      ["\\boxed{-\\frac{3}{4}}", -0.75],
      ["2\\frac{1}{2}", 2.5],
      ["12/3 = 4", 4],
      ["on 12/24/2025", 2025],
      ["1.234.567", 1234567],
      ["1.234", 1.234],
      ["1'234'567.5", 1234567.5],
      ["12\u202f345", 12345],
      ["3 \u00d7 10^5", 300000],
      ["6.5 \\times 10^{-3} m", 0.0065],
      ["-2e-3", -0.002],
      ["5 - 3", 3],
      ["12 and 345", 345],
    ] as const)
      expect([text, lastNumber(text)]).toEqual([text, value]);
  });

  it("reads the last number, with commas, signs and exponents", () => {
    expect(numberMatch("so 3 apples, that is 1,234.50 in all", "1234.5", 0)).toBe(1);
    expect(numberMatch("-2e3", "-2000", 0)).toBe(1);
    expect(numberMatch("99", "100", 0.02)).toBe(1);
    expect(numberMatch("97", "100", 0.02)).toBe(0);
    expect(numberMatch("none", "100", 1)).toBe(0);
  });
});

it("counts an answer that came back empty as wrong, and a failed one as unscored; a number's lack is counted", async () => {
  const task = answer("sums", { kind: "answer", metric: "number" });
  const context = taskContext(new AbortController().signal);
  const graded = (reply: object) =>
    task.evaluate(
      { kind: "language", name: "s", id: "s", respond: async () => reply },
      { id: "1", input: "2 + 2", gold: "4" },
      context,
    );
  expect(await graded({ unscored: "no-answer" })).toMatchObject({
    ...{ status: "scored", score: 0, details: { unparsed: 1 } },
  });
  expect(await graded({ text: "It is four." })).toMatchObject({ score: 0, details: { unparsed: 1 } });
  expect(await graded({ text: "It is 4." })).toMatchObject({ score: 1, details: { unparsed: 0 } });
  expect(await graded({ unscored: "no-scores" })).toMatchObject({ status: "unscored", cause: "no-scores" });
});
