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
 * @param values one value per unit (for groups, their means); `range` the ends of the scale
 */
export function nearlyConstantInterval(
  values: ArrayLike<number>,
  common: number,
  range: readonly [number, number],
  critical: number,
): [number, number] {
  const n = values.length;
  let above = 0;
  let below = 0;
  let up = 0;
  let down = 0;
  for (let i = 0; i < n; i++) {
    const deviation = values[i]! - common;
    if (Math.abs(deviation) <= 1e-12 * Math.max(1, Math.abs(common))) continue;
    if (deviation > 0) {
      above++;
      up += deviation;
    } else {
      below++;
      down -= deviation;
    }
  }
  const side = (count: number, sum: number, reach: number): [number, number, number] => {
    const [low, high] = wilson(count / n, n, critical);
    return [sum / n, count === 0 ? 0 : low * (sum / count), high * Math.max(0, reach)];
  };
  const [x, xLow, xHigh] = side(above, up, range[1] - common);
  const [y, yLow, yHigh] = side(below, down, common - range[0]);
  const estimate = common + x - y;
  return [
    Math.max(range[0], estimate - Math.hypot(x - xLow, yHigh - y)),
    Math.min(range[1], estimate + Math.hypot(xHigh - x, y - yLow)),
  ];
}
