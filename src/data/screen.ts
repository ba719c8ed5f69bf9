// Detects texts that repeat dev or test: runs of words that a text shares with a held-out one (Brown et al. 2020, appendix C,
// with 13 words). Runs that also occur in train are the data set's own phrases and are ignored. Only hashes of the runs are
// kept, so that held-out texts cannot be recovered from them.

import type { Overlap, Screen } from "../core/specializer.js";
import { normalizeText } from "./leakage.js";

/** Words per run. A shorter held-out text is a single run. */
const runWords = 10;
/** A run that occurs in more texts of a split than this is a common phrase ("which of the following is the most likely"), not a copy. */
const mostTexts = 2;
/** Shorter held-out texts ("yes", "aspirin") occur anywhere and are skipped. */
const leastWords = 4;

export interface ScreenTexts {
  train: readonly string[];
  dev: readonly string[];
  test: readonly string[];
}

/**
 * Makes the screen on first use.
 * @param texts called once; the texts are not kept
 */
export function screenOf(texts: () => ScreenTexts): () => Screen {
  let made: Screen | undefined;
  return () => {
    made ??= makeScreen(texts());
    return made;
  };
}

function makeScreen({ train, dev, test }: ScreenTexts): Screen {
  // By run length: one hash for each text that contains the run.
  const collect = (texts: readonly string[]): Map<number, number[]> => {
    const runs = new Map<number, number[]>();
    for (const text of new Set(texts)) {
      const hashes = wordHashes(text);
      const length = Math.min(runWords, hashes.length);
      if (length < leastWords) continue;
      const found = runs.get(length) ?? [];
      runs.set(length, found);
      const own = new Set<number>();
      for (let i = 0; i + length <= hashes.length; i++) own.add(runHash(hashes, i, length));
      found.push(...own);
    }
    return runs;
  };
  const held = { test: collect(test), dev: collect(dev) };
  const lengths = [...new Set([...held.test.keys(), ...held.dev.keys()])].sort((a, b) => b - a);
  // Every run of train at every length that is looked up, since a short held-out text may be a phrase within a longer
  // one.
  const known = new Set<number>();
  for (const text of train) {
    const hashes = wordHashes(text);
    for (const length of lengths)
      for (let i = 0; i + length <= hashes.length; i++) known.add(runHash(hashes, i, length));
  }
  const sorted = (runs: readonly number[] = []) => {
    const all = Float64Array.from(runs).sort();
    const kept: number[] = [];
    for (let i = 0, next = 0; i < all.length; i = next) {
      while (next < all.length && all[next] === all[i]) next++;
      if (next - i <= mostTexts && !known.has(all[i] as number)) kept.push(all[i] as number);
    }
    return Float64Array.from(kept);
  };
  const byLength = lengths.map((length) => ({
    length,
    test: sorted(held.test.get(length)),
    dev: sorted(held.dev.get(length)),
  }));
  return {
    overlap(text): Overlap | undefined {
      const hashes = wordHashes(text);
      for (const { length, test: inTest, dev: inDev } of byLength) {
        for (let i = 0; i + length <= hashes.length; i++) {
          const run = runHash(hashes, i, length);
          if (has(inTest, run)) return { split: "test", words: length };
          if (has(inDev, run)) return { split: "dev", words: length };
        }
      }
      return undefined;
    },
  };
}

function wordHashes(text: string): Uint32Array {
  const normal = normalizeText(text);
  if (normal === "") return new Uint32Array();
  return Uint32Array.from(normal.split(" "), (word) => {
    let h = 0x811c9dc5;
    for (let i = 0; i < word.length; i++) h = Math.imul(h ^ word.charCodeAt(i), 0x01000193);
    return h >>> 0;
  });
}

/** 53 bits of two hashes over a run's words. */
function runHash(hashes: Uint32Array, from: number, length: number): number {
  let high = length;
  let low = 0x9e3779b9 ^ length;
  for (let i = from; i < from + length; i++) {
    high = mix(Math.imul(high, 31) + (hashes[i] as number));
    low = mix(Math.imul(low, 37) ^ (hashes[i] as number));
  }
  return high * 2 ** 21 + (low >>> 11);
}

/** MurmurHash3's finalizer. */
function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function has(sorted: Float64Array, value: number): boolean {
  let low = 0;
  let high = sorted.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = sorted[middle] as number;
    if (found === value) return true;
    if (found < value) low = middle + 1;
    else high = middle - 1;
  }
  return false;
}
