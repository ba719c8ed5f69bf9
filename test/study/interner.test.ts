// Texts get the numbers that a Map would give them.

import fc from "fast-check";
import { expect, test } from "vitest";
import { makeInterner } from "../../src/study/interner.js";

test("equal texts have equal numbers, others have not, in order of first appearance", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary", maxLength: 3 }), { maxLength: 3000 }), (texts) => {
      const interner = makeInterner();
      const known = new Map<string, number>();
      for (const text of texts) {
        const expected = known.get(text) ?? known.size;
        known.set(text, expected);
        if (interner.number(text) !== expected) return false;
      }
      return interner.size === known.size;
    }),
    { numRuns: 30 },
  );
});

test("grows through many texts, long ones, and halves of surrogate pairs", () => {
  const interner = makeInterner();
  const texts = [
    ...Array.from({ length: 50_000 }, (_, i) => `case-${i}`),
    "\ud800",
    "\udc00",
    "\ufffd",
    "",
    "x".repeat(100_000),
  ];
  for (let round = 0; round < 2; round++)
    expect(texts.every((text, i) => interner.number(text) === i)).toBe(true);
});
