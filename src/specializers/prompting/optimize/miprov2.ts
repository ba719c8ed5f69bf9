// MIPROv2 (Opsahl-Ong et al. 2024, arXiv 2406.11695) as in DSPy: pairs of instruction and example set, drawn by a tree-
// structured Parzen estimator, scored on minibatches; every few trials the pair with the best mean is scored on all
// samples, and the best of those is returned. `optimize` races instead; this is for comparison with it.

import type { Random } from "../../../core/random.js";

/** An instruction's and an example set's number; 0 and 0 are the prompt as it stands. */
export type Pair = readonly [instruction: number, examples: number];

export interface MiproProblem {
  /** Mean score of a pair on samples, 0 to 1. */
  score(pair: Pair, samples: readonly number[]): Promise<number>;
  /** How many instructions and example sets there are. */
  sizes: Pair;
  search: number;
  trials: number;
  /** Trials between two scorings on all samples. */
  fullEvery: number;
  /** The random draws: a trial's pair, given all earlier trials, and its minibatch. */
  draws: { pair(trials: readonly Trial[]): Pair; minibatch(): readonly number[] };
}

export type Trial = { pair: Pair; score: number; full: boolean };

export type MiproReport = { trials: Trial[]; best: { pair: Pair; score: number } };

export async function miprov2(problem: MiproProblem): Promise<MiproReport> {
  const everything = Array.from({ length: problem.search }, (_, i) => i);
  const trials: Trial[] = [];
  const byPair = new Map<string, { pair: Pair; scores: number[]; full: boolean }>();
  const whole = async (pair: Pair): Promise<Trial> => {
    const trial = { pair, score: percent(await problem.score(pair, everything)), full: true };
    trials.push(trial);
    return trial;
  };
  let best = await whole([0, 0]);
  // DSPy counts scorings on all samples as trials; a last one follows the last trial.
  const { trials: count, fullEvery } = problem;
  const numbered = count + Math.floor(count / fullEvery) + 1 + (count % fullEvery === 0 ? 0 : 1);
  for (let done = 0; done < count; done++) {
    const number = trials.length + 1;
    const pair = problem.draws.pair(trials);
    const score = percent(await problem.score(pair, problem.draws.minibatch()));
    trials.push({ pair, score, full: false });
    const known = byPair.get(pair.join()) ?? { pair, scores: [], full: false };
    known.scores.push(score);
    byPair.set(pair.join(), known);
    if (number % (fullEvery + 1) !== 0 && number !== numbered - 1) continue;
    const ranked = [...byPair.values()].sort((a, b) => meanOf(b.scores) - meanOf(a.scores));
    const next = ranked.find(({ full }) => !full);
    // DSPy fails here. With every pair scored so nothing can change any more; pairs that were not drawn yet may come.
    if (!next && byPair.size === problem.sizes[0] * problem.sizes[1]) break;
    if (!next) continue;
    next.full = true;
    const scored = await whole(next.pair);
    if (scored.score > best.score) best = scored;
  }
  return { trials, best: { pair: best.pair, score: best.score } };
}

/** In percent with two decimals, as DSPy keeps scores: ties depend on it. */
function percent(mean: number): number {
  return Math.round(1e4 * mean) / 100;
}

function meanOf(scores: readonly number[]): number {
  return scores.reduce((total, score) => total + score, 0) / scores.length;
}

/** Random trials before the estimator is trusted; pairs that it proposes for each trial. */
const [startTrials, proposals] = [10, 24];

/**
 * A pair by the multivariate tree-structured Parzen estimator for categories (Bergstra et al. 2011, as Optuna has it, but with all
 * trials weighing the same):
 * trials are split into the best tenth (at most 25) and the rest, each a mixture of one kernel per trial and a uniform one;
 * of 24 draws from the first mixture the one with the largest ratio of the two densities is taken.
 */
export function parzenPair(trials: readonly Trial[], sizes: Pair, random: Random): Pair {
  const uniform = (): Pair => [Math.floor(random() * sizes[0]), Math.floor(random() * sizes[1])];
  if (trials.length < startTrials) return uniform();
  const ranked = [...trials].sort((a, b) => b.score - a.score);
  const good = Math.min(Math.ceil(0.1 * trials.length), 25);
  const [below, above] = [ranked.slice(0, good), ranked.slice(good)];
  const draw = (): Pair => {
    const kernel = below[Math.floor(random() * (below.length + 1))];
    if (!kernel) return uniform();
    // A kernel puts 1 on its own category and 1 / (number of kernels) on each, normalized.
    const category = (own: number, size: number): number =>
      random() * (1 + size / (below.length + 1)) < 1 ? own : Math.floor(random() * size);
    return [category(kernel.pair[0], sizes[0]), category(kernel.pair[1], sizes[1])];
  };
  const density = (mixture: readonly Trial[], pair: Pair): number => {
    const kernels = mixture.length + 1;
    const at = (own: Pair) =>
      [0, 1].reduce((product, axis) => {
        const size = sizes[axis] as number;
        const hit = own[axis] === pair[axis] ? 1 : 0;
        return (product * (hit + 1 / kernels)) / (1 + size / kernels);
      }, 1);
    const prior = 1 / (sizes[0] * sizes[1]);
    return (mixture.reduce((total, trial) => total + at(trial.pair), 0) + prior) / kernels;
  };
  let best = draw();
  const worth = (pair: Pair) => density(below, pair) / density(above, pair);
  for (let i = 1; i < proposals; i++) {
    const other = draw();
    if (worth(other) > worth(best)) best = other;
  }
  return best;
}
