// What a score means: its direction, unit, range and display. Whatever ranks, bounds, gates or prints a score asks here.

/** How the scores of a task are to be read. Plain data: it is kept in the record. */
export interface Metric {
  readonly name: string;
  readonly better: "higher" | "lower";
  /** Of a value as it is; empty for shares and plain numbers. */
  readonly unit: string;
  /** Ends of the scale; an end that is absent has no bound. */
  readonly least?: number;
  readonly most?: number;
  /** Percent with differences in points, or the number itself. */
  readonly display: "percent" | "number";
}

/** A share of 1 of which more is better: accuracy, F1. */
export function share(name: string): Metric {
  return { name, better: "higher", unit: "", least: 0, most: 1, display: "percent" };
}

/** A quantity from 0 of which less is better: an error, a duration. */
export function quantity(name: string, unit = ""): Metric {
  return { name, better: "lower", unit, least: 0, display: "number" };
}

/** 1 where a higher score is better, -1 where a lower one is. */
export function directionOf({ better }: Pick<Metric, "better">): 1 | -1 {
  return better === "lower" ? -1 : 1;
}

/** The worst and the best score that there can be; infinite where the scale has no end there. */
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
