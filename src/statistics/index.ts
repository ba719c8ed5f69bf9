// The statistics, as one import. Pure functions: no files, no clock, every draw from a seed.

export { type BootstrapMethod, bootstrapInterval } from "./bootstrap.js";
export { nearlyConstantInterval, wilson } from "./bounded.js";
export { type Candidate, choose, scoredRow } from "./choose.js";
export { type Difference, type DifferenceOptions, detectableMean, pairedDifference } from "./difference.js";
export { tQuantile } from "./distributions.js";
export { holm, holmLevels } from "./holm.js";
export { type Interval, type IntervalOptions, meanInterval } from "./interval.js";
export { aggregateInterval, type Linearized, linearized, type Statistic } from "./jackknife.js";
export { maxTest } from "./max-test.js";
export { mcnemar, mcnemarCritical, mcnemarDetectable, mcnemarPower, tango } from "./mcnemar.js";
export { pairedStatistic, type StatisticDifference } from "./paired-statistic.js";
export {
  agreement,
  balancedAccuracy,
  type ClassFigures,
  type Confusion,
  classFigures,
  confusion,
  macroF1,
  unscoredBounds,
} from "./profile.js";
export { columnsOf, meansOf, type SystemScores } from "./seeds.js";
export { coalition, type ShapleyOptions, type ShapleyValue, shapley } from "./shapley.js";
export { signFlip } from "./sign-flip.js";
export { chiSquared, kolmogorovSmirnov, type TwoSample } from "./two-sample.js";
export { type Group, type Groups, standardError, type Units, unitsOf } from "./units.js";
