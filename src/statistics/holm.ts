// Correction for making many comparisons: Holm's step-down procedure.

/**
 * Holm-adjusted p-values (Holm 1979), in the order given: the i-th smallest p times (m - i + 1), made monotone and at
 * most 1. Rejecting where the adjusted value is ≤ α keeps the family-wise error ≤ α under any dependence.
 * A NaN counts as 1: a comparison that could not be made shows nothing, yet belongs to the family.
 * @example
 * import { holm } from "@honelab/hone";
 * holm([0.01, 0.04]).join(); // "0.02,0.04"
 */
export function holm(ps: readonly number[]): number[] {
  const known = ps.map((p) => (Number.isNaN(p) ? 1 : p));
  const order = known.map((_, i) => i).sort((i, j) => known[i]! - known[j]!);
  const adjusted = new Array<number>(ps.length);
  let highest = 0;
  order.forEach((i, rank) => {
    highest = Math.max(highest, Math.min(1, known[i]! * (ps.length - rank)));
    adjusted[i] = highest;
  });
  return adjusted;
}

/**
 * The level at which Holm's procedure tests each p: with the other p-values as they are, a hypothesis is rejected exactly
 * if its own p is below it. It is α/(m - J), J being how many of the others are rejected before it can be.
 */
export function holmLevels(ps: readonly number[], alpha: number): number[] {
  const m = ps.length;
  const known = ps.map((p) => (Number.isNaN(p) ? 1 : p));
  const order = known.map((_, i) => i).sort((i, j) => known[i]! - known[j]!);
  let rejected = 0;
  while (rejected < m && known[order[rejected]!]! * (m - rejected) < alpha) rejected++;
  const levels = new Array<number>(m).fill(alpha / Math.max(1, m - rejected));
  // Without a rejected hypothesis those after it move up one place, where the level is stricter.
  let others = rejected === m ? m - 1 : rejected;
  for (let rank = rejected - 1; rank >= 0; rank--) {
    const after = rank + 1;
    if (after < m && known[order[after]!]! * (m - after + 1) >= alpha) others = rank;
    levels[order[rank]!] = alpha / (m - others);
  }
  return levels;
}
