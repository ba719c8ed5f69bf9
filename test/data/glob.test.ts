// File name patterns mean what their regular expressions would mean, and no pattern makes them slow.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { globMatcher } from "../../src/data/glob.js";

/** The same pattern as a regular expression, which backtracks and serves as reference for short ones only. */
function reference(pattern: string): RegExp {
  const parts = pattern.replace(/(\*\*\/)+/g, "**/").replace(/\*{3,}/g, "**");
  const source = parts.replace(/\*\*\/|\*\*|\*|\?|[^*?]+/g, (token) => {
    if (token === "**/") return "(?:[^/]+/)*";
    if (token === "**") return ".*";
    if (token === "*") return "[^/]*";
    if (token === "?") return "[^/]";
    return token.replace(/[\\^$.|+()[\]{}]/g, "\\$&");
  });
  return new RegExp(`^${source}$`, "su");
}

describe("a pattern of file names", () => {
  it.each([
    ["*.jsonl", ["a.jsonl", ".jsonl"], ["a/b.jsonl", "a.json"]],
    ["**/*.jsonl", ["a.jsonl", "a/b.jsonl", "a/b/c.jsonl"], ["a/b.json"]],
    ["a/**", ["a/", "a/b", "a/b/c"], ["a", "b/a/c"]],
    ["{a,b}/?.csv", ["a/x.csv", "b/\u{1f916}.csv"], ["c/x.csv", "a/xy.csv", "a//.csv"]],
    ["a.b", ["a.b"], ["axb"]],
  ])("%s", (pattern, yes, no) => {
    const matches = globMatcher(pattern);
    expect(yes.filter((path) => !matches(path))).toEqual([]);
    expect(no.filter((path) => matches(path))).toEqual([]);
  });

  it("agrees with a regular expression", () => {
    const text = (alphabet: string[], maxLength: number) =>
      fc.array(fc.constantFrom(...alphabet), { maxLength }).map((list) => list.join(""));
    fc.assert(
      fc.property(
        text(["a", "b", "/", "*", "**", "**/", "?", ".", "\u{1f916}"], 8),
        text(["a", "b", "/", ".", "\u{1f916}"], 10),
        (pattern, path) => globMatcher(pattern)(path) === reference(pattern).test(path),
      ),
      { numRuns: 5_000, seed: 1 },
    );
  });

  it("takes no time that grows exponentially", () => {
    const matches = globMatcher(`${"*a".repeat(60)}b`);
    expect(matches("a".repeat(250))).toBe(false);
    expect(globMatcher(`${"**/a*".repeat(60)}b`)(`${"aaaa/".repeat(60)}c`)).toBe(false);
    expect(matches(`${"a".repeat(250)}b`)).toBe(true);
  });
});
