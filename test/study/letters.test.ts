// Compact letter displays: exactly the pairs not shown to differ share a letter, with few letters, in polynomial time.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { letterGroups, letterName } from "../../src/study/letters.js";

/** Checks a display against the pairs that differ; returns the letters. */
function checked(n: number, differs: (i: number, j: number) => boolean): number[][] {
  const groups = letterGroups(n, differs);
  const shared = new Uint32Array(n * n);
  for (const members of groups) {
    expect([...members].sort((a, b) => a - b)).toEqual(members);
    for (const i of members) for (const j of members) shared[i * n + j]!++;
  }
  let alike = 0;
  for (let i = 0; i < n; i++) {
    expect(shared[i * n + i]).toBeGreaterThan(0);
    for (let j = i + 1; j < n; j++) {
      if (!differs(i, j)) alike++;
      expect(shared[i * n + j]! > 0).toBe(!differs(i, j));
    }
  }
  // No letter is spare: each has a pair, or a system, that no other letter covers.
  for (const members of groups)
    expect(members.some((i) => members.some((j) => shared[i * n + j] === 1))).toBe(true);
  expect(groups.length).toBeLessThanOrEqual(alike + n);
  return groups;
}

describe("letters", () => {
  test("are shared exactly by the pairs that are not shown to differ, whatever these are", () => {
    fc.assert(
      fc.property(
        fc
          .integer({ min: 0, max: 14 })
          .chain((n) =>
            fc.tuple(fc.constant(n), fc.array(fc.boolean(), { minLength: n * n, maxLength: n * n })),
          ),
        ([n, bits]) => {
          checked(n, (i, j) => bits[Math.min(i, j) * n + Math.max(i, j)]!);
        },
      ),
      { numRuns: 400 },
    );
  });

  test("are as few as can be where systems differ from some distance on, as ranked means mostly do", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(200), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 60 }),
        (means, gap) => {
          const ranked = means.toSorted((a, b) => b - a);
          const groups = checked(ranked.length, (i, j) => Math.abs(ranked[i]! - ranked[j]!) >= gap);
          // In such a graph the maximal cliques are the windows that end where a later system falls out of reach.
          const ends = ranked.map((mean) => ranked.findLastIndex((other) => mean - other < gap));
          expect(groups.length).toBe(new Set(ends).size);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("disjoint pairs that differ take fewer letters than there are systems, for 100 as for 6", () => {
    for (const n of [6, 28, 100]) {
      const groups = checked(n, (i, j) => i >> 1 === j >> 1);
      // Insert and absorb would list all 2^(n/2) maximal cliques.
      expect(groups.length).toBeLessThan(n);
    }
  });

  test("the most that 100 systems can need: two camps, with every pair across them alike", () => {
    expect(checked(100, (i, j) => i < 50 === j < 50)).toHaveLength(2500);
  });

  test("none, one, all alike, all different", () => {
    expect(letterGroups(0, () => true)).toEqual([]);
    expect(letterGroups(1, () => true)).toEqual([[0]]);
    expect(letterGroups(3, () => false)).toEqual([[0, 1, 2]]);
    expect(letterGroups(3, () => true)).toEqual([[0], [1], [2]]);
    expect([0, 25, 26, 52].map(letterName)).toEqual(["a", "z", "a1", "a2"]);
  });
});
