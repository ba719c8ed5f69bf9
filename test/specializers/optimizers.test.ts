// GEPA and MIPROv2 against their Python packages: with the draws that bench/optimize_reference.py recorded and the same scripted
// model, the same candidates are accepted and rejected, in the same order.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { randomFor } from "../../src/core/random.js";
import { gepa, type Mutation } from "../../src/specializers/prompting/optimize/gepa.js";
import {
  miprov2,
  type Pair,
  parzenPair,
  type Trial,
} from "../../src/specializers/prompting/optimize/miprov2.js";

interface GepaRun {
  seed: number;
  maxCalls: number;
  feedback: number[];
  search: number[];
  /** `from`: how many instances each candidate leads that the parent was drawn from. */
  mutations: (Mutation & { samples: number[]; from: Record<string, number> })[];
  pool: { candidate: number; mean: number }[];
  best: number;
}
interface MiproRun {
  seed: number;
  trials: number;
  sizes: Pair;
  search: number;
  fullEvery: number;
  log: { pair: Pair; full: boolean; score: number; samples: number[] | null }[];
  best?: Pair;
  score?: number;
  /** Why DSPy failed, if it did. */
  error?: string;
}
const recorded: { gepa: GepaRun[]; miprov2: MiproRun[] } = JSON.parse(
  readFileSync("test/specializers/fixtures/optimizers.json", "utf8"),
);

/** Right or wrong by the reference's arithmetic. */
function scripted(a: number, b: number, sample: number): number {
  const drawn = (a * 7919 + b * 3571 + sample * 104_729 + a * sample * 31 + b * sample * 17) % 97;
  return drawn < 40 + ((a * 13) % 30) + ((b * 7) % 20) ? 1 : 0;
}

describe("GEPA", () => {
  it.each(recorded.gepa)("accepts and rejects as its package does, seed $seed", async (run) => {
    let turn = 0;
    let written = 0;
    const found = await gepa({
      ...{ search: run.search.length, maxCalls: run.maxCalls, perfect: 1 },
      score: async (candidate, part, samples) =>
        samples.map((i) => scripted(candidate, 0, run[part][i] as number)),
      propose: async () => ++written,
      draws: {
        parent: (list) => {
          const { parent, from } = run.mutations[turn] as GepaRun["mutations"][number];
          const counts: Record<string, number> = {};
          for (const one of list) counts[one] = (counts[one] ?? 0) + 1;
          expect(counts).toEqual(from);
          return parent;
        },
        minibatch: () => (run.mutations[turn++] as Mutation).samples.map((id) => run.feedback.indexOf(id)),
      },
    });
    expect(found.mutations.map(({ samples: _, ...rest }) => rest)).toEqual(
      run.mutations.map(({ samples: _, from: __, ...rest }) => rest),
    );
    expect(found.pool.map(({ candidate }) => candidate)).toEqual(run.pool.map(({ candidate }) => candidate));
    for (const [i, { mean }] of found.pool.entries())
      expect(mean).toBeCloseTo(run.pool[i]?.mean as number, 12);
    expect(found.best).toBe(run.best);
    expect(run.mutations.some(({ accepted }) => accepted)).toBe(true);
    expect(run.mutations.some(({ accepted }) => !accepted)).toBe(true);
  });
});

describe("MIPROv2", () => {
  it.each(recorded.miprov2)(
    "scores the same pairs on all samples and returns the same one, seed $seed",
    async (run) => {
      const drawn = run.log.filter(({ full }) => !full);
      let turn = 0;
      const { trials, best } = await miprov2({
        ...{ sizes: run.sizes, search: run.search, trials: run.trials, fullEvery: run.fullEvery },
        score: async ([a, b], samples) =>
          samples.reduce((sum, sample) => sum + scripted(a, b, sample), 0) / samples.length,
        draws: {
          pair: () => drawn[turn]?.pair as Pair,
          minibatch: () => drawn[turn++]?.samples as number[],
        },
      });
      expect(trials).toEqual(run.log.map(({ pair, full, score }) => ({ pair, full, score })));
      if (run.error === undefined) expect(best).toEqual({ pair: run.best, score: run.score });
      else expect(best.score).toBe(Math.max(...run.log.filter(({ full }) => full).map(({ score }) => score)));
    },
  );

  it("goes on where the pairs drawn so far were scored in full, and ends where all were", async () => {
    const drawn: Pair[] = [...Array<Pair>(12).fill([1, 1]), ...Array<Pair>(4).fill([0, 1]), [1, 0], [0, 0]];
    let turn = 0;
    const { trials, best } = await miprov2({
      ...{ sizes: [2, 2], search: 50, trials: 60, fullEvery: 2 },
      score: async ([a, b]) => 0.5 + 0.1 * a + 0.2 * b,
      draws: { pair: () => drawn[Math.min(turn++, drawn.length - 1)] as Pair, minibatch: () => [0] },
    });
    const full = trials.flatMap(({ full, pair }) => (full ? [pair.join()] : []));
    expect(full).toEqual(["0,0", "1,1", "0,1", "1,0", "0,0"]);
    expect(best).toEqual({ pair: [1, 1], score: 80 });
    expect(turn).toBeLessThan(30);
  });

  it("draws pairs near to the good ones once it has trials, and all pairs before", () => {
    const random = randomFor(1, "parzen");
    const sizes = [6, 5] as const;
    const trials: Trial[] = Array.from({ length: 30 }, (_, i) => {
      const pair = [i % 6, (i * 7) % 5] as const;
      return { pair, full: false, score: 50 + (pair[0] === 3 ? 20 : 0) + (pair[1] === 2 ? 20 : 0) + (i % 3) };
    });
    const share = (known: readonly Trial[]) =>
      Array.from({ length: 300 }, () => parzenPair(known, sizes, random)).filter(
        ([a, b]) => a === 3 && b === 2,
      ).length / 300;
    expect(share(trials)).toBeGreaterThan(0.3);
    expect(share(trials.slice(0, 5))).toBeLessThan(0.1);
  });
});
