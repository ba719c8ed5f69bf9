// Tests whether new inputs look like those on which a specialist was measured: only then can its score be expected.
// Three tests (Holm): lengths and unseen words by Kolmogorov-Smirnov, predicted labels by Pearson's chi-squared.

import { chiSquared, holm, kolmogorovSmirnov } from "../statistics/index.js";
import { measureInput, type Profile, type Seen, seenBy } from "../study/saved.js";

/** One comparison of new inputs with the study's. */
export interface Drift {
  of: "length" | "vocabulary" | "predicted mix";
  test: "Kolmogorov-Smirnov" | "chi-squared";
  /** Largest distance of the distribution functions, or total variation: 0 to 1. */
  size: number;
  /** Holm-adjusted over the tests that were run. */
  p: number;
  /** A difference that is shown and not small: adjusted p below 0.01 and a size of at least 0.1. */
  differs: boolean;
  /** Medians, or the label that changed most, in words. */
  text: string;
}

/** Where a difference begins to matter: large samples show smaller ones, which change little. */
const [level, least] = [0.01, 0.1];

/** Most values kept of a stream of inputs; beyond that, a uniform sample of it. */
const mostKept = 10_000;

export interface DriftWatch {
  add: (input: string, label: string | undefined) => void;
  /** The tests so far; none before 20 inputs. */
  result: () => Drift[];
}

/**
 * Watches inputs as they arrive and compares them with a profile, in constant memory.
 * @param profile of a saved specialist
 */
export function watchDrift(profile: Profile): DriftWatch {
  const seen: Seen | undefined = seenBy(profile);
  const words: number[] = [];
  const unseen: number[] = [];
  const mix: Record<string, number> = Object.create(null);
  let n = 0;
  // Reservoir sampling with a fixed pseudo-random sequence: the same inputs give the same figures.
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const keep = (values: number[], value: number): void => {
    if (values.length < mostKept) values.push(value);
    else {
      const place = Math.floor(random() * n);
      if (place < mostKept) values[place] = value;
    }
  };
  return {
    add(input, label) {
      n++;
      const one = measureInput(input, seen);
      keep(words, one.words);
      if (one.unseen !== undefined) keep(unseen, one.unseen);
      if (label !== undefined) mix[label] = (mix[label] ?? 0) + 1;
    },
    result() {
      if (n < 20 || profile.n < 20) return [];
      const found: Omit<Drift, "differs">[] = [
        {
          of: "length",
          test: "Kolmogorov-Smirnov",
          ...kolmogorovSmirnov(words, profile.words),
          text: `median ${median(words)} words, in the study ${median(profile.words)}`,
        },
      ];
      if (unseen.length > 0 && profile.unseen.length > 0)
        found.push({
          of: "vocabulary",
          test: "Kolmogorov-Smirnov",
          ...kolmogorovSmirnov(unseen, profile.unseen),
          text: `words not in its training data: ${percent(mean(unseen))} of an input, in the study ${percent(mean(profile.unseen))}`,
        });
      if (Object.keys(mix).length > 0 && Object.keys(profile.mix).length > 0)
        found.push({
          of: "predicted mix",
          test: "chi-squared",
          ...chiSquared(mix, profile.mix),
          text: mostChanged(mix, profile.mix),
        });
      const adjusted = holm(found.map(({ p }) => p));
      return found.map((one, i) => {
        const p = adjusted[i] as number;
        return { ...one, p, differs: p < level && one.size >= least };
      });
    },
  };
}

function mostChanged(now: Readonly<Record<string, number>>, then: Readonly<Record<string, number>>): string {
  const [n, m] = [now, then].map((counts) =>
    Object.values(counts).reduce((sum, count) => sum + count, 0),
  ) as [number, number];
  const labels = [...new Set([...Object.keys(now), ...Object.keys(then)])];
  const shares = labels.map((label) => [label, (now[label] ?? 0) / n, (then[label] ?? 0) / m] as const);
  const [label, a, b] = shares.sort(
    (x, y) => Math.abs(y[1] - y[2]) - Math.abs(x[1] - x[2]),
  )[0] as (typeof shares)[number];
  return `${label}: ${percent(a)} of the predictions, in the study ${percent(b)}`;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
