// Units: what is resampled, sign-flipped or treated as independent. One sample each, or a group of samples that belong
// together (same case, same patient, same author). Everything later needs only each unit's sum and size.
/**
 * Sums values by group. A sample whose group is undefined is a unit of its own.
 *
 * @param groups one entry a value, or absent when all samples are independent
 */
export function unitsOf(values, groups) {
  const n = values.length;
  let sum = 0;
  let constant = true;
  for (let i = 0; i < n; i++) {
    if (!Number.isFinite(values[i])) throw new RangeError(`score ${i} is not a finite number`);
    sum += values[i];
    if (values[i] !== values[0]) constant = false;
  }
  // Equal values have exactly zero variance, whatever rounding does to their sum.
  const mean = n === 0 ? Number.NaN : constant ? values[0] : sum / n;
  if (groups && groups.length !== n) throw new RangeError("groups and scores differ in length");
  const { unit, count } = groups ? numbered(groups) : { unit: null, count: n };
  if (!unit || count === n) {
    const sums = new Float64Array(n);
    const deviations = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      sums[i] = values[i];
      deviations[i] = values[i] - mean;
    }
    return { n, mean, sums, deviations, sizes: null };
  }
  const sums = new Float64Array(count);
  const deviations = new Float64Array(count);
  const sizes = new Float64Array(count);
  for (let i = 0; i < n; i++) {
    sums[unit[i]] += values[i];
    deviations[unit[i]] += values[i] - mean;
    sizes[unit[i]]++;
  }
  return { n, mean, sums, deviations, sizes };
}
/** Units numbered in order of first appearance, and how many there are. */
function numbered(groups) {
  const unit = new Int32Array(groups.length);
  let count = 0;
  if (groups instanceof Int32Array) {
    const known = new Int32Array(groups.reduce((most, code) => Math.max(most, code), -1) + 1);
    for (let i = 0; i < unit.length; i++) {
      const code = groups[i];
      if (known[code] === 0) known[code] = ++count;
      unit[i] = known[code] - 1;
    }
    return { unit, count };
  }
  const known = new Map();
  for (let i = 0; i < unit.length; i++) {
    const group = groups[i];
    const at = group === undefined ? undefined : known.get(group);
    unit[i] = at ?? count++;
    if (at === undefined && group !== undefined) known.set(group, unit[i]);
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
 * Fewer than two units have no standard error: NaN.
 *
 * @param values the values that the units were made of
 */
export function standardError(units, values) {
  const { n, deviations, sizes } = units;
  const count = deviations.length;
  if (count < 2) return { error: Number.NaN, freedom: 0 };
  let total = 0;
  for (let g = 0; g < count; g++) {
    const deviation = deviations[g];
    total += (deviation * deviation) / (1 - (sizes ? sizes[g] : 1) / n);
  }
  const error = Math.sqrt(total) / n;
  if (!sizes) return { error, freedom: count - 1 };
  return { error, freedom: satterthwaite(sizes, n, withinCorrelation(values, units)) };
}
/**
 * Satterthwaite degrees of freedom of the CR2 variance of a mean: tr(M)² / tr(M²), where M is the covariance of the
 * adjusted group residuals a_g e_g, a_g² = 1/(1 - n_g/n), when samples of one group correlate by `within`.
 */
function satterthwaite(sizes, n, within) {
  const count = sizes.length;
  let all = 0;
  const variance = new Float64Array(count);
  for (let g = 0; g < count; g++) {
    const size = sizes[g];
    variance[g] = size * (1 + (size - 1) * within);
    all += variance[g];
  }
  // Cov(e_g, e_h) = [g=h] v_g - n_g v_h/n - n_h v_g/n + n_g n_h V/n². tr(M²) needs all pairs; the sums below are exact.
  let trace = 0;
  let diagonal = 0;
  let offDiagonalOwn = 0;
  let ss = 0;
  let sv = 0;
  let vv = 0;
  for (let g = 0; g < count; g++) {
    const share = sizes[g] / n;
    const v = variance[g];
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
/** Correlation of two samples of one group (one-way analysis of variance, Donner 1986), kept within [0, 1]. */
function withinCorrelation(values, units) {
  const { sizes, deviations, n, mean } = units;
  if (!sizes || sizes.length < 2) return 0;
  let total = 0;
  for (let i = 0; i < n; i++) total += (values[i] - mean) ** 2;
  let between = 0;
  let squares = 0;
  for (let g = 0; g < sizes.length; g++) {
    between += deviations[g] ** 2 / sizes[g];
    squares += sizes[g] ** 2;
  }
  const count = sizes.length;
  if (n === count || total === 0) return 0;
  const meanBetween = between / (count - 1);
  const meanWithin = Math.max(0, total - between) / (n - count);
  const size = (n - squares / n) / (count - 1);
  const correlation = (meanBetween - meanWithin) / (meanBetween + (size - 1) * meanWithin);
  return Math.min(1, Math.max(0, correlation));
}
/**
 * The same data in at most `most` units: units are dealt at random into that many and merged. Resampling merged units
 * is a valid bootstrap (the sum's variance and skewness are kept), and flipping them together is a subgroup of the
 * sign flips, so the test stays exact; it bounds the cost for large n.
 */
export function merged(units, most, random) {
  const count = units.deviations.length;
  if (count <= most) return units;
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const held = order[i];
    order[i] = order[j];
    order[j] = held;
  }
  const sums = new Float64Array(most);
  const deviations = new Float64Array(most);
  const sizes = new Float64Array(most);
  for (let i = 0; i < count; i++) {
    const unit = order[i];
    sums[i % most] += units.sums[unit];
    deviations[i % most] += units.deviations[unit];
    sizes[i % most] += units.sizes ? units.sizes[unit] : 1;
  }
  return { n: units.n, mean: units.mean, sums, deviations, sizes };
}
