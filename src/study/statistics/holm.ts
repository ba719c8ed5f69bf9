// Correction for making many comparisons: Holm's step-down procedure.

/**
 * Holm-adjusted p-values (Holm 1979), in the order given: the i-th smallest p times (m - i + 1), made monotone and at
 * most 1. Rejecting where the adjusted value is ≤ α keeps the family-wise error ≤ α under any dependence.
 * A NaN counts as 1: a comparison that could not be made shows nothing, yet belongs to the family.
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
