// The statistics, as one import. Pure functions: no files, no clock, every draw from a seed.
export { bootstrapInterval } from "./bootstrap.js";
export { nearlyConstantInterval, wilson } from "./bounded.js";
export { detectableMean, pairedDifference } from "./difference.js";
export { tQuantile } from "./distributions.js";
export { holm, holmLevels } from "./holm.js";
export { meanInterval } from "./interval.js";
export { mcnemar, mcnemarCritical, mcnemarDetectable, mcnemarPower, tango } from "./mcnemar.js";
export { pairedStatistic } from "./paired-statistic.js";
export { agreement, balancedAccuracy, classFigures, confusion, macroF1, unscoredBounds } from "./profile.js";
export { coalition, shapley } from "./shapley.js";
export { signFlip } from "./sign-flip.js";
export { standardError, unitsOf } from "./units.js";
