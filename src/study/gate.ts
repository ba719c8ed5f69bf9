// The gate of a study: conditions that its champion must meet on test, for scripts that decide whether to ship it.

import { directionOf } from "../core/metric.js";
import type { Comparison, Result, TaskCard } from "../core/record.js";
import { plural, sayP } from "../report/format.js";
import type { StudySpec } from "./spec.js";
import { couldBeUndone } from "./verdict.js";

/** Whether the champion meets every condition under any scores of its unscored samples; and which conditions it fails. */
export function gateOf(
  gate: NonNullable<StudySpec["gate"]>,
  results: readonly Result[],
  comparisons: readonly Comparison[],
  champion: string | null,
  { name: domain, metric }: TaskCard,
): { met: boolean; text: string } {
  const best = results.find(({ subject, task }) => subject === champion && task === domain);
  if (!best) return { met: false, text: "no champion was measured on test" };
  const failures: string[] = [];
  const direction = directionOf(metric);
  // The worse end of the interval decides, moved by what the unscored samples could take from the figure.
  const [low, high] = best.bounds;
  const [end, bound] = direction > 0 ? [best.low, low] : [best.high, high];
  const worst =
    best.unscored === 0 ? end : end + (bound ?? -direction * Number.POSITIVE_INFINITY) - best.mean;
  const asked = gate.atLeast ?? gate.atMost;
  if (asked !== undefined && !(direction * (worst - asked) >= 0)) {
    const missing = best.unscored > 0 ? `, with ${plural(best.unscored, "unscored sample")},` : "";
    failures.push(
      `the interval of ${best.subject}${missing} reaches ${Number.isFinite(worst) ? worst.toFixed(3) : "any value"}, worse than the ${asked} asked for`,
    );
  }
  if (gate.beats !== undefined && gate.beats !== champion) {
    const found = comparisons.find(
      ({ task, a, b }) =>
        task === domain && ((a === champion && b === gate.beats) || (b === champion && a === gate.beats)),
    );
    const delta = direction * (found ? (found.a === champion ? found.delta : -found.delta) : 0);
    if (!found) failures.push(`${gate.beats} is not a subject of this study`);
    else if (!(delta > 0 && found.pAdjusted < 0.05)) {
      failures.push(`${best.subject} is not shown to beat ${gate.beats} (${sayP(found.pAdjusted)})`);
    } else if (couldBeUndone(found)) {
      failures.push(
        `${plural(found.dropped ?? 0, "unscored sample")} could reverse that ${best.subject} beats ${gate.beats}`,
      );
    }
  } else if (gate.beats !== undefined) {
    failures.push(`${gate.beats} is itself the champion`);
  }
  return { met: failures.length === 0, text: failures.join("; ") || "every condition is met" };
}
