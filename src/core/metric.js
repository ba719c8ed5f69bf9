// What a score means: its direction, unit, range and display. Whatever ranks, bounds, gates or prints a score asks here.
/** A share of 1 of which more is better: accuracy, F1. */
export function share(name) {
  return { name, better: "higher", unit: "", least: 0, most: 1, display: "percent" };
}
/** A quantity from 0 of which less is better: an error, a duration. */
export function quantity(name, unit = "") {
  return { name, better: "lower", unit, least: 0, display: "number" };
}
/** 1 where a higher score is better, -1 where a lower one is. */
export function directionOf({ better }) {
  return better === "lower" ? -1 : 1;
}
/** The worst and the best score that there can be; infinite where the scale has no end there. */
export function extremes({ better, least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY }) {
  return better === "lower" ? { worst: most, best: least } : { worst: least, best: most };
}
