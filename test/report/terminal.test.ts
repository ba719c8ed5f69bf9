import { expect, test } from "vitest";
import { displayWidth, pad, wrap } from "../../src/report/columns.js";
import { renderSummary } from "../../src/report/terminal.js";
import { fixture } from "./fixture.js";

const { record } = fixture();

test.each([40, 60, 80, 100, 200])("at %i columns no line is wider and every figure is there", (width) => {
  const text = renderSummary(record, { colour: false, width });
  for (const line of text.split("\n")) expect(displayWidth(line)).toBeLessThanOrEqual(Math.max(40, width));
  for (const result of record.results) expect(text).toContain(`${(100 * result.mean).toFixed(1)}%`);
  expect(text.replace(/\s+/g, " ")).toContain("120 of 150 rows opened before, by 2 other plans");
});

test("intervals are drawn where there is room, with the baseline beside them", () => {
  const text = renderSummary(record, { colour: false, width: 100 });
  expect(text.match(/├─*●─*┤/g)).toHaveLength(record.results.length);
  expect(text).toContain("┊ majority 32.7%, chance 16.7%");
  expect(text).toMatch(/▸ knn\(k=4, minilm\) \+ .*799 ms/);
  expect(text.replace(/\s+/g, " ")).toContain("Holm p = 1, not shown (detectable: 10.6 points)");
});

test("without colour there is no escape, without Unicode nothing beyond ASCII", () => {
  expect(renderSummary(record, { colour: false, width: 80 })).not.toContain("\x1b");
  expect(renderSummary(record, { colour: true, width: 80 })).toContain("\x1b[1m");
  expect(renderSummary(record, { colour: false, width: 100, unicode: false })).toMatch(/^[\n -~]*$/);
});

test("hostile names bring no escape, no control and no bidirectional override", () => {
  const text = renderSummary(fixture({ hostile: true }).record, { colour: false, width: 100 });
  expect(text).not.toMatch(/[\0-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b]/);
});

test("a stopped study says so", () => {
  const text = renderSummary(
    { ...record, results: [], comparisons: [], verdict: null, stopped: "Ctrl-C" },
    { colour: false, width: 80 },
  );
  expect(text).toContain("No verdict: the run was stopped (Ctrl-C).");
});

test("widths count columns, not characters", () => {
  expect(displayWidth("日本語")).toBe(6);
  expect(displayWidth("e\u0301")).toBe(1);
  expect(pad("日本語", 5)).toBe("日本…");
  expect(pad("ab", 4)).toBe("ab  ");
  expect(wrap("one two three", 7)).toEqual(["one two", "three"]);
  expect(wrap("abcdefghij", 4)).toEqual(["abcd", "efgh", "ij"]);
});

test("names that would be cut to the same letters are shown whole, without bars", () => {
  const long = (name: string): string => `bilateral(specialized, cc) ${name}`;
  const results = record.results.map((result) => ({ ...result, subject: long(result.subject) }));
  const text = renderSummary({ ...record, results, comparisons: [] }, { colour: false, width: 110 });
  for (const { subject } of results) expect(text).toContain(subject);
  expect(text).not.toContain("├");
});
