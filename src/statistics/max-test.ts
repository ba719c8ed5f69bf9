// One test of whether any of several systems is better than the one they are all compared with, so that comparing many
// does not by itself find one.

import type { Random } from "../core/random.js";

/**
 * One-sided p of the largest studentised mean difference (the max-T test of Westfall and Young 1993, by joint sign flips of
 * units): if no system differs from the common one, the signs of all differences in a unit may be flipped together.
 * p = (k + 1) / (draws + 1), k being the drawn patterns whose largest value is at least the observed one. 1 where there is
 * nothing to compare.
 *
 * @param sums one row per system, one signed sum per unit: the system's scores minus the common one's
 */
export function maxTest(
  sums: readonly ArrayLike<number>[],
  { random, draws = 2000 }: { random: Random; draws?: number },
): number {
  const units = sums[0]?.length ?? 0;
  // The studentising scale √Σd² does not change when signs do.
  const scales = sums.map((row) => Math.sqrt(Array.from(row).reduce((total, d) => total + d * d, 0)));
  const largest = (sign: (unit: number) => number): number => {
    let best = Number.NEGATIVE_INFINITY;
    for (const [i, row] of sums.entries()) {
      if (scales[i] === 0) continue;
      let sum = 0;
      for (let u = 0; u < units; u++) sum += sign(u) * row[u]!;
      best = Math.max(best, sum / scales[i]!);
    }
    return best;
  };
  const observed = largest(() => 1);
  if (observed === Number.NEGATIVE_INFINITY) return 1;
  const signs = new Int8Array(units);
  let extreme = 0;
  for (let draw = 0; draw < draws; draw++) {
    for (let u = 0; u < units; u++) signs[u] = random() < 0.5 ? -1 : 1;
    if (largest((u) => signs[u]!) >= observed - 1e-10) extreme++;
  }
  return (extreme + 1) / (draws + 1);
}
