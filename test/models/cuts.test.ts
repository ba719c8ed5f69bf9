// Where prompts are cut: by their own tokens alone, alike as far as they are alike.

import { describe, expect, it } from "vitest";
import { randomFor } from "../../src/core/random.js";
import { cutsKept, cutterOf } from "../../src/models/llama/cuts.js";

/** 0 stands for an end. */
const cuts = cutterOf(128, (tokens, at) => tokens[at - 1] === 0);
const words = (count: number, from = 1) => Array.from({ length: count }, (_, i) => from + i);

describe("cuts of a prompt", () => {
  it("lie after every chunk, and leave two tokens", () => {
    expect(cuts(words(129))).toEqual([]);
    expect(cuts(words(130))).toEqual([128]);
    expect(cuts(words(300))).toEqual([128, 256]);
  });

  it("lie first at the ends of two paragraphs that are long enough, and then a chunk after each other", () => {
    const prompt = [...words(9), 0, ...words(39), 0, ...words(29), 0, ...words(29), 0, ...words(200)];
    expect(cuts(prompt)).toEqual([50, 80, 208]);
    // Nothing is cut off that is hardly worth a batch of its own.
    expect(cuts([...words(49), 0, ...words(24)])).toEqual([]);
    expect(cuts([...words(49), 0, ...words(25)])).toEqual([50]);
    expect(cuts([...words(127), 0, ...words(90)])).toEqual([128]);
  });

  it("never leave more than a chunk and one token, and at least two", () => {
    const random = randomFor(1, "cuts");
    for (let i = 0; i < 2000; i++) {
      const prompt = words(1 + Math.floor(600 * random())).map((word) => (random() < 0.05 ? 0 : word));
      const all = [0, ...cuts(prompt), prompt.length];
      for (let k = 1; k < all.length; k++) {
        const size = (all[k] as number) - (all[k - 1] as number);
        expect(size).toBeLessThanOrEqual(k < all.length - 1 ? 128 : 129);
        if (prompt.length > 1) expect(size).toBeGreaterThanOrEqual(2);
      }
    }
  });

  it("are shared by prompts that begin alike, and by no others", () => {
    const head = [...words(59), 0];
    const [one, two] = [
      [...head, ...words(80, 100)],
      [...head, ...words(300, 500)],
    ];
    expect(cutsKept(one, cuts(one), two, cuts(two))).toEqual([60]);
    expect(cutsKept(two, cuts(two), one, cuts(one))).toEqual([60]);
    const other = [...words(59, 2), 0, ...words(80, 100)];
    expect(cutsKept(one, cuts(one), other, cuts(other))).toEqual([]);
    // The same tokens evaluated in other pieces are not the same to the last digit.
    expect(cutsKept(two, [128, 256], two, cuts(two))).toEqual([]);
  });
});
