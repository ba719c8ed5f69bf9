// What a score means: its direction, unit, range and display. All code that ranks, bounds, gates or prints a score uses this.

/** How to read the scores of a task. Plain data: it is kept in the record. */
export interface Metric {
  readonly name: string;
  readonly better: "higher" | "lower";
  /** Unit of a raw value; empty for shares and plain numbers. */
  readonly unit: string;
  /** Ends of the scale; an absent end is unbounded. */
  readonly least?: number;
  readonly most?: number;
  /** Percent with differences in points, or the number itself. */
  readonly display: "percent" | "number";
}

/** A share in [0, 1], higher is better: accuracy, F1. */
export function share(name: string): Metric {
  return { name, better: "higher", unit: "", least: 0, most: 1, display: "percent" };
}

/** A quantity from 0, lower is better: an error, a duration. */
export function quantity(name: string, unit = ""): Metric {
  return { name, better: "lower", unit, least: 0, display: "number" };
}

/** 1 where a higher score is better, -1 where a lower one is. */
export function directionOf({ better }: Pick<Metric, "better">): 1 | -1 {
  return better === "lower" ? -1 : 1;
}

/** The worst and the best possible score; infinite where the scale has no end. */
export function extremes({
  better,
  least = Number.NEGATIVE_INFINITY,
  most = Number.POSITIVE_INFINITY,
}: Metric): {
  worst: number;
  best: number;
} {
  return better === "lower" ? { worst: most, best: least } : { worst: least, best: most };
}
