// Intervals that respect the ends of the scale: for right/wrong scores, and for scores of which nearly all are equal.
// They are never of zero width, because n equal scores do not show that the next one will be equal too.

/**
 * Wilson's score interval for a proportion (Wilson 1927): (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n).
 * `n` may be an effective sample size and `critical` a t quantile (Korn and Graubard 1998). n = 0 gives [0, 1].
 * @example
 * import { wilson } from "@honelab/hone";
 * wilson(0.5, 100, 1.96).map((bound) => bound.toFixed(3)).join(" to "); // "0.404 to 0.596"
 */
export function wilson(proportion: number, n: number, critical: number): [number, number] {
  if (n <= 0) return [0, 1];
  const z2 = critical * critical;
  const centre = (proportion + z2 / (2 * n)) / (1 + z2 / n);
  const half = (critical / (1 + z2 / n)) * Math.sqrt((proportion * (1 - proportion)) / n + z2 / (4 * n * n));
  // At 0 and 1 the two terms cancel exactly; rounding must not leave a sliver.
  return [proportion <= 0 ? 0 : Math.max(0, centre - half), proportion >= 1 ? 1 : Math.min(1, centre + half)];
}

/**
 * Interval for the mean of nearly constant values, where resampling and t cannot account for values that did not occur.
 *
 * The mean is c + P⁺A⁺ - P⁻A⁻: c the commonest value, P the share of units above (below) it, A their mean distance.
 * Each share gets Wilson's interval. The near limit uses the observed distances; the far limit uses the end of the scale,
 * since a few deviating units do not show how far the next one lies. The two parts are combined by variance recovery
 * (MOVER; Zou and Donner 2008), as Newcombe (1998) does for proportions. With no deviation at all it is
 * [c - q (c - least), c + q (most - c)], q = z²/(n + z²): Wilson's interval for n of n.
 *
 * With weights P and A are weighted, and n is effective: Kish's (Σ w)² / Σ w² (1965) or, if less, P (Σ w)² / Σ' w² with Σ' over the
 * deviating units of that side alone, which gives P the variance of a weighted sum of Poisson counts, Σ' w² / (Σ w)².
 *
 * @param values one value per unit (for groups, their means); `range` the ends of the scale
 * @param weights one per value, positive; absent where all weigh the same
 */
export function nearlyConstantInterval(
  values: ArrayLike<number>,
  common: number,
  range: readonly [number, number],
  critical: number,
  weights?: ArrayLike<number>,
): [number, number] {
  let [total, squares] = [0, 0];
  const up = { weight: 0, squares: 0, sum: 0 };
  const down = { weight: 0, squares: 0, sum: 0 };
  for (let i = 0; i < values.length; i++) {
    const weight = weights ? weights[i]! : 1;
    total += weight;
    squares += weight * weight;
    const deviation = values[i]! - common;
    if (Math.abs(deviation) <= 1e-12 * Math.max(1, Math.abs(common))) continue;
    const side = deviation > 0 ? up : down;
    side.weight += weight;
    side.squares += weight * weight;
    side.sum += weight * Math.abs(deviation);
  }
  const limits = (side: typeof up, reach: number): [number, number, number] => {
    const none = side.weight === 0;
    const n = (total * total) / Math.max(squares, none ? 0 : (side.squares * total) / side.weight);
    const [low, high] = wilson(side.weight / total, n, critical);
    return [side.sum / total, none ? 0 : low * (side.sum / side.weight), high * Math.max(0, reach)];
  };
  const [x, xLow, xHigh] = limits(up, range[1] - common);
  const [y, yLow, yHigh] = limits(down, common - range[0]);
  const estimate = common + x - y;
  return [
    Math.max(range[0], estimate - Math.hypot(x - xLow, yHigh - y)),
    Math.min(range[1], estimate + Math.hypot(xHigh - x, y - yLow)),
  ];
}
