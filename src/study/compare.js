// Systems against each other on the same samples: pairs, the family they form, and who is shown to differ from whom.
// Where the scores come from (a study's journal, a file of predictions) is the caller's business.
import { HoneError } from "../core/errors.js";
import { directionOf } from "../core/metric.js";
import { holm, holmLevels, pairedDifference } from "../statistics/index.js";
import { letterGroups, letterName } from "./letters.js";

/** Of more pairs than this each is resampled less often: coverage was measured with 999 resamples, too. */
const manyPairs = 1000;
/**
 * Compares pairs of systems on the samples that both scored. The result is for `adjustFamily`.
 * A sample scored more than once by one system (several seeds) counts once, with its mean. Samples are taken in the order
 * of their names, so that a pair has one p whichever of the two stands first and in whatever order they were answered.
 *
 * @throws HoneError when a pair names a system that is not there
 */
export function compareScores(input) {
  return comparePairs(tabled(input.task, input.systems), input.pairs, input.seed);
}
/** The same for scores that are already side by side. */
export function comparePairs(table, pairs, seed) {
  const find = (name) => {
    const found = table.scores.get(name);
    if (found) return found;
    throw new HoneError({
      what: `Cannot compare ${JSON.stringify(name)}: there is no such system.`,
      where: table.task,
      next: `Name one of ${[...table.scores.keys()].join(", ")}.`,
      kind: "usage",
    });
  };
  const n = Math.max(0, ...[...table.scores.values()].map(({ length }) => length));
  const both = { a: new Float64Array(n), b: new Float64Array(n), groups: new Int32Array(n) };
  return pairs.map(([a, b]) => {
    const left = find(a);
    const right = find(b);
    let kept = 0;
    let low = 0;
    let high = 0;
    for (let i = 0; i < n; i++) {
      const x = left[i];
      const y = right[i];
      const scored = !Number.isNaN(x - y);
      low += scored ? x - y : (Number.isNaN(x) ? 0 : x) - (Number.isNaN(y) ? 1 : y);
      high += scored ? x - y : (Number.isNaN(x) ? 1 : x) - (Number.isNaN(y) ? 0 : y);
      if (!scored) continue;
      both.a[kept] = x;
      both.b[kept] = y;
      if (table.groups) both.groups[kept] = table.groups[i];
      kept++;
    }
    const { method: _, ...difference } = pairedDifference(
      both.a.subarray(0, kept),
      both.b.subarray(0, kept),
      {
        seed,
        ...(table.groups ? { groups: both.groups.subarray(0, kept) } : {}),
        ...(pairs.length > manyPairs ? { resamples: 1000 } : {}),
      },
    );
    const bounds = n === 0 ? [-1, 1] : [low / n, high / n];
    return { a, b, task: table.task, ...difference, dropped: n - kept, bounds };
  });
}
/**
 * The comparisons as one family: `pAdjusted` by Holm's procedure over all of them, and what each could have shown at the
 * level at which that procedure tests it. So a difference that is not shown is always smaller than its `detectable`.
 */
export function adjustFamily(family, alpha = 0.05) {
  const ps = family.map(({ p }) => p);
  const adjusted = holm(ps);
  const levels = holmLevels(ps, alpha);
  return family.map(({ detectableAt, ...comparison }, i) => ({
    ...comparison,
    pAdjusted: adjusted[i],
    detectable: detectableAt(levels[i]),
  }));
}
/** Every unordered pair, in the order given. */
export function allPairs(names) {
  return names.flatMap((a, i) => names.slice(i + 1).map((b) => [a, b]));
}
/**
 * Ranks the subjects of one task by mean and gives each its letters. Two subjects share a letter exactly when no comparison
 * shows them to differ (pAdjusted < alpha); a pair that was never compared is not shown to differ. Comparisons of other
 * tasks are left aside. NaN means come last.
 */
export function rank(results, comparisons, { task, better = "higher", alpha = 0.05 }) {
  const value = ({ mean }) =>
    Number.isNaN(mean) ? Number.NEGATIVE_INFINITY : directionOf({ better }) * mean;
  const ranked = results
    .filter((result) => result.task === task)
    .toSorted((a, b) => (value(a) === value(b) ? 0 : value(b) - value(a)));
  const order = new Map(ranked.map(({ subject }, i) => [subject, i]));
  const n = ranked.length;
  const shown = new Uint8Array(n * n);
  for (const { a, b, task: where, pAdjusted } of comparisons) {
    const i = order.get(a);
    const j = order.get(b);
    if (where !== task || i === undefined || j === undefined || !(pAdjusted < alpha)) continue;
    shown[i * n + j] = shown[j * n + i] = 1;
  }
  const letters = ranked.map(() => "");
  letterGroups(n, (i, j) => shown[i * n + j] === 1).forEach((members, k) => {
    for (const member of members) letters[member] += letterName(k);
  });
  return ranked.map(({ subject, mean }, i) => ({ subject, mean, letters: letters[i] }));
}
/** Systems side by side: the samples that any of them met, in the order of their names. */
function tabled(task, systems) {
  const names = new Set();
  const groupOf = new Map();
  for (const { scores } of systems) {
    for (const { sample, group } of scores) {
      names.add(sample);
      if (group !== undefined && !groupOf.has(sample)) groupOf.set(sample, group);
    }
  }
  const samples = [...names].sort();
  const at = new Map(samples.map((sample, i) => [sample, i]));
  const columns = systems.map(({ name, binary, scores }) => {
    const sums = new Float64Array(samples.length);
    const counts = new Uint32Array(samples.length);
    for (const { sample, score } of scores) {
      if (score === null) continue;
      if (!(binary ? score === 0 || score === 1 : Number.isFinite(score)))
        throw new RangeError(
          `${name}, sample ${sample}: ${score} is not a ${binary ? "0 or 1" : "finite score"}`,
        );
      const i = at.get(sample);
      sums[i] += score;
      counts[i]++;
    }
    return [name, sums.map((sum, i) => (counts[i] === 0 ? Number.NaN : sum / counts[i]))];
  });
  const groups = groupOf.size === 0 ? null : new Int32Array(samples.length);
  const numbers = new Map();
  for (let i = 0; groups && i < samples.length; i++) {
    const group = groupOf.get(samples[i]);
    const key = group === undefined ? `sample ${samples[i]}` : `group ${group}`;
    const number = numbers.get(key) ?? numbers.size;
    numbers.set(key, number);
    groups[i] = number;
  }
  return { task, scores: new Map(columns), groups };
}
