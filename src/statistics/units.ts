// Units: what is resampled, sign-flipped or treated as independent. One sample each, or a group of samples that belong
// together (same case, same patient, same author). Everything later needs only each unit's sum and size: a mean is the ratio
// of their totals, and where samples weigh differently a size is a weight.

import type { Random } from "../core/random.js";

/** Scores summed by independent unit. */
export interface Units {
  /** Number of samples, over all units. */
  n: number;
  /** Total size: the samples' weights, or their number. */
  total: number;
  /** Mean over samples, weighted: Σ w y / Σ w. */
  mean: number;
  /** Per unit: sum of w (value - mean), so that resampled means come out as deviations. */
  deviations: Float64Array;
  /** Per unit: sum of w value, added as given so that a unit of zeros sums to exactly 0. */
  sums: Float64Array;
  /** Per unit: weight or number of its samples; null when every unit is one sample and all weigh the same. */
  sizes: Float64Array | null;
  /** Per unit: sum of squared weights; that of counts is the count. */
  squares: Float64Array | null;
  /** Per sample; null when all weigh the same. */
  weights: ArrayLike<number> | null;
}

/** The name of a sample's group, or undefined for a group of its own. */
export type Group = string | number | undefined;

/** One entry per sample, by name; or whole numbers from 0, which is faster. */
export type Groups = readonly Group[] | Int32Array;

/**
 * Sums values by group. A sample whose group is undefined is a unit of its own.
 *
 * @param groups one entry per value, or absent when all samples are independent
 * @param weights one entry per value, at least 0; equal weights are treated as none
 */
export function unitsOf(values: ArrayLike<number>, groups?: Groups, weights?: ArrayLike<number>): Units {
  const n = values.length;
  const w = weights && unequal(weights, n) ? weights : null;
  let sum = 0;
  let total = 0;
  let constant = true;
  for (let i = 0; i < n; i++) {
    if (!Number.isFinite(values[i])) throw new RangeError(`score ${i} is not a finite number`);
    sum += w ? w[i]! * values[i]! : values[i]!;
    total += w ? w[i]! : 1;
    if (values[i] !== values[0]) constant = false;
  }
  // Equal values have exactly zero variance, whatever rounding does to their sum.
  const mean = n === 0 ? Number.NaN : constant ? values[0]! : sum / total;
  if (groups && groups.length !== n) throw new RangeError("groups and scores differ in length");
  const numbers = groups ? numbered(groups) : null;
  const unit = numbers && numbers.count < n ? numbers.unit : null;
  const count = unit ? numbers!.count : n;
  const sums = new Float64Array(count);
  const deviations = new Float64Array(count);
  const sizes = unit || w ? new Float64Array(count) : null;
  const squares = w ? new Float64Array(count) : sizes;
  for (let i = 0; i < n; i++) {
    const g = unit ? unit[i]! : i;
    const weight = w ? w[i]! : 1;
    sums[g]! += weight * values[i]!;
    deviations[g]! += weight * (values[i]! - mean);
    if (sizes) sizes[g]! += weight;
    if (w) squares![g]! += weight * weight;
  }
  return { n, total, mean, sums, deviations, sizes, squares, weights: w };
}

/** Whether any two weights differ. */
function unequal(weights: ArrayLike<number>, n: number): boolean {
  if (weights.length !== n) throw new RangeError("weights and scores differ in length");
  let differ = false;
  let total = 0;
  for (let i = 0; i < n; i++) {
    if (!(weights[i]! >= 0 && weights[i]! < Number.POSITIVE_INFINITY))
      throw new RangeError(`weight ${i} is not a finite number of at least 0`);
    if (weights[i] !== weights[0]) differ = true;
    total += weights[i]!;
  }
  if (n > 0 && total === 0) throw new RangeError("all weights are 0");
  return differ;
}

/** Units numbered in order of first appearance, and how many there are. */
export function numbered(groups: Groups): { unit: Int32Array; count: number } {
  const unit = new Int32Array(groups.length);
  let count = 0;
  if (groups instanceof Int32Array) {
    const known = new Int32Array(groups.reduce((most, code) => Math.max(most, code), -1) + 1);
    for (let i = 0; i < unit.length; i++) {
      const code = groups[i]!;
      if (known[code] === 0) known[code] = ++count;
      unit[i] = known[code]! - 1;
    }
    return { unit, count };
  }
  const known = new Map<Group, number>();
  for (let i = 0; i < unit.length; i++) {
    const group = groups[i];
    const at = group === undefined ? undefined : known.get(group);
    unit[i] = at ?? count++;
    if (at === undefined && group !== undefined) known.set(group, unit[i]!);
  }
  return { unit, count };
}

/**
 * Standard error of the mean over samples, with independent units.
 *
 * Without groups this is s/√n. With groups it is the CR2 cluster-robust error of a mean (Bell and McCaffrey 2002):
 * V = n⁻² Σ_g (Σ_i∈g (y_i - ȳ))² / (1 - n_g/n), which equals s²/n when every group is one sample. The degrees of freedom
 * are Satterthwaite's for that V, computed under equal correlation within groups (Imbens and Kolesár 2016), with the
 * correlation estimated from the data: few or unequal groups give few degrees of freedom, hence wider intervals.
 * Fewer than two units have no standard error: NaN. With weights n_g and n are sums of weights: the linearized variance
 * of the ratio estimator (Cochran 1977, §6.3), in which a unit's deviations are Σ w (y - ȳ).
 *
 * @param values the values that the units were made of
 */
export function standardError(units: Units, values: ArrayLike<number>): { error: number; freedom: number } {
  const { total: n, deviations, sizes, squares } = units;
  const count = deviations.length;
  if (count < 2) return { error: Number.NaN, freedom: 0 };
  let total = 0;
  for (let g = 0; g < count; g++) {
    const deviation = deviations[g]!;
    total += (deviation * deviation) / (1 - (sizes ? sizes[g]! : 1) / n);
  }
  const error = Math.sqrt(total) / n;
  if (!sizes) return { error, freedom: count - 1 };
  return { error, freedom: satterthwaite(sizes, squares!, n, withinCorrelation(values, units)) };
}

/**
 * Satterthwaite degrees of freedom of the CR2 variance of a mean: tr(M)² / tr(M²), where M is the covariance of the
 * adjusted group residuals a_g e_g, a_g² = 1/(1 - n_g/n), when samples of one group correlate by `within`: v_g is
 * Σ w² + within ((Σ w)² - Σ w²).
 */
function satterthwaite(sizes: Float64Array, squares: Float64Array, n: number, within: number): number {
  const count = sizes.length;
  let all = 0;
  const variance = new Float64Array(count);
  for (let g = 0; g < count; g++) {
    const size = sizes[g]!;
    const square = squares[g]!;
    variance[g] = square > 0 ? square * (1 + ((size * size) / square - 1) * within) : 0;
    all += variance[g]!;
  }
  // Cov(e_g, e_h) = [g=h] v_g - n_g v_h/n - n_h v_g/n + n_g n_h V/n². tr(M²) needs all pairs; the sums below are exact.
  let trace = 0;
  let diagonal = 0;
  let offDiagonalOwn = 0;
  let ss = 0;
  let sv = 0;
  let vv = 0;
  for (let g = 0; g < count; g++) {
    const share = sizes[g]! / n;
    const v = variance[g]!;
    const a2 = 1 / (1 - share);
    const own = a2 * (v - 2 * share * v + share * share * all);
    trace += own;
    diagonal += own * own;
    // For g ≠ h: covariance c_gh = p_g p_h V - p_g v_h - p_h v_g, so a_g² a_h² c_gh² expands into products of these sums.
    ss += a2 * share * share;
    sv += a2 * share * v;
    vv += a2 * v * v;
    const c = share * share * all - 2 * share * v;
    offDiagonalOwn += a2 * a2 * c * c;
  }
  // Σ_gh a_g² a_h² (p_g p_h V - p_g v_h - p_h v_g)²
  const pairs = all * all * ss * ss + 2 * ss * vv + 2 * sv * sv - 4 * all * ss * sv;
  return Math.max(1, (trace * trace) / (diagonal + pairs - offDiagonalOwn));
}

/** Correlation of two samples of one group (one-way analysis of variance by moments, Donner 1986), kept within [0, 1]. */
function withinCorrelation(values: ArrayLike<number>, units: Units): number {
  const { sizes, squares, deviations, n, total, mean, weights } = units;
  if (!sizes || sizes.length < 2 || sizes.length === n) return 0;
  let spread = 0;
  for (let i = 0; i < n; i++) spread += (weights ? weights[i]! : 1) * (values[i]! - mean) ** 2;
  if (spread === 0) return 0;
  let between = 0;
  let sizeSquares = 0;
  let shares = 0;
  let weightSquares = 0;
  for (let g = 0; g < sizes.length; g++) {
    if (sizes[g] === 0) continue;
    between += deviations[g]! ** 2 / sizes[g]!;
    sizeSquares += sizes[g]! ** 2;
    shares += squares![g]! / sizes[g]!;
    weightSquares += squares![g]!;
  }
  // Without weights: the number of groups less 1, and of samples less that of groups.
  const betweenFreedom = shares - weightSquares / total;
  const withinFreedom = total - shares;
  const meanBetween = between / betweenFreedom;
  const meanWithin = Math.max(0, spread - between) / withinFreedom;
  const size = (total - sizeSquares / total) / betweenFreedom;
  const correlation = (meanBetween - meanWithin) / (meanBetween + (size - 1) * meanWithin);
  return Math.min(1, Math.max(0, correlation));
}

/**
 * The same data in at most `most` units: units are dealt at random into that many and merged. Resampling merged units
 * is a valid bootstrap (the sum's variance and skewness are kept), and flipping them together is a subgroup of the
 * sign flips, so the test stays exact; it bounds the cost for large n.
 */
export function merged(units: Units, most: number, random: Random): Units {
  const count = units.deviations.length;
  if (count <= most) return units;
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const held = order[i]!;
    order[i] = order[j]!;
    order[j] = held;
  }
  const sums = new Float64Array(most);
  const deviations = new Float64Array(most);
  const sizes = new Float64Array(most);
  for (let i = 0; i < count; i++) {
    const unit = order[i]!;
    sums[i % most]! += units.sums[unit]!;
    deviations[i % most]! += units.deviations[unit]!;
    sizes[i % most]! += units.sizes ? units.sizes[unit]! : 1;
  }
  return { ...units, sums, deviations, sizes, squares: null, weights: null };
}
