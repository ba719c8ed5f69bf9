import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomFor } from "../../src/core/random.js";
import { findLeaks, nearGroups, normalizeText } from "../../src/data/index.js";

const items = (...texts: string[]) => texts.map((text, i) => ({ id: `${i}`, text }));
const random = randomFor(5, "leakage test");
const vocabulary = Array.from({ length: 3000 }, (_, i) => `w${i}`);
const sentence = (n: number) => Array.from({ length: n }, () => vocabulary[Math.floor(random() * 3000)]!);

/** Jaccard similarity of word 5-shingles, straight from the definition. */
function similarity(a: readonly string[], b: readonly string[]): number {
  const shingles = (words: readonly string[]) =>
    new Set(words.slice(4).map((_, i) => words.slice(i, i + 5).join(" ")));
  const [x, y] = [shingles(a), shingles(b)];
  const common = [...x].filter((s) => y.has(s)).length;
  return common / (x.size + y.size - common);
}

test("normalization", () => {
  expect(normalizeText("  The “Ｆull－width”, court\n\tHELD: №5 ﬁne! ")).toBe(
    "the full width court held no5 fine",
  );
  expect(normalizeText("क्षेत्र")).toBe("क्षेत्र");
  expect(normalizeText("法律条文")).toBe("法 律 条 文");
});

describe("leaks", () => {
  test("exact after normalization, near, and what is neither", () => {
    const base = sentence(100);
    const changed = [...base.slice(0, 99), "other"]; // one shingle of 96 differs
    const train = items("The  Court held!", changed.join(" "), sentence(100).join(" "), "x > y", "💡", "yes");
    const test_ = items(base.join(" "), "the court HELD", "x > y", "😀", "no");
    expect(findLeaks(train, test_)).toEqual([
      { train: "0", test: "1", kind: "exact", similarity: 1 },
      { train: "1", test: "0", kind: "near", similarity: 95 / 97 },
      { train: "3", test: "2", kind: "exact", similarity: 1 },
    ]);
  });

  test("texts of fewer than five words are compared as sets of words", () => {
    expect(findLeaks(items("held court the"), items("the court held"))).toMatchObject([
      { kind: "near", similarity: 1 },
    ]);
    expect(findLeaks(items("held court a"), items("the court held"))).toEqual([]);
  });

  test("finds exactly the pairs that a search over all pairs finds", () => {
    for (const near of [0.3, 0.5, 0.8]) {
      const bases = Array.from({ length: 40 }, () => sentence(60 + Math.floor(random() * 60)));
      const variants = bases.map((words) => {
        const at = Math.floor(random() * words.length);
        const length = Math.floor(random() * words.length * 0.6);
        return [...words.slice(0, at), ...sentence(3), ...words.slice(at + length)];
      });
      const expected = variants.flatMap((words, i) => {
        const s = Math.max(...bases.map((base) => similarity(words, base)));
        return s >= near ? [{ train: `${i}`, similarity: s }] : [];
      });
      const found = findLeaks(
        items(...variants.map((w) => w.join(" "))),
        items(...bases.map((w) => w.join(" "))),
        { near },
      );
      expect(found.map(({ train, similarity: s }) => ({ train, similarity: s }))).toEqual(expected);
      expect(expected.length).toBeGreaterThan(3);
    }
  });

  test("is quick on 2,300 texts with long ones and many near copies", () => {
    const bases = Array.from({ length: 230 }, (_, i) => sentence(i % 20 === 0 ? 5000 : 600));
    const texts = bases.flatMap((words) =>
      Array.from({ length: 10 }, (_, k) => [...words, `v${k}`].join(" ")),
    );
    const start = performance.now();
    const groups = nearGroups(texts);
    expect(new Set(groups).size).toBe(230);
    expect(performance.now() - start).toBeLessThan(8000); // under 2 s alone on one core
  });
});

test("groups are an equivalence that contains every near pair", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(5), fc.nat(3)), { minLength: 1, maxLength: 40 }), (picks) => {
      const bases = Array.from({ length: 6 }, (_, b) => vocabulary.slice(b * 100, b * 100 + 80));
      const words = picks.map(([b, cut]) => bases[b]!.slice(cut));
      const groups = nearGroups(words.map((w) => w.join(" ")));
      for (let i = 0; i < words.length; i++) {
        for (let j = 0; j < i; j++) expect(groups[i] === groups[j]).toBe(picks[i]![0] === picks[j]![0]);
      }
    }),
    { numRuns: 40, seed: 6 },
  );
  expect([...nearGroups(["", "", "a b c d e f", "a b c d e f"])]).toEqual([0, 0, 2, 2]);
});
