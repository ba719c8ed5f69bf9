// The gate of a study: conditions that its champion must meet on test, for scripts that decide whether to ship it.

import { directionOf } from "../core/metric.js";
import type { Comparison, Estimate, Result, TaskCard } from "../core/record.js";
import { formatP, plural, sayP } from "../report/format.js";
import type { StudySpec } from "./spec.js";
import { couldBeUndone } from "./verdict.js";

/** What is handed over of a champion that was fitted with several seeds: one of them, with its own figures on test. */
export interface Saved {
  seed: number;
  score: Estimate;
  /** Against the subject that the gate names. */
  against: Comparison | undefined;
}

/**
 * Whether the champion meets every condition under any scores of its unscored samples; and which conditions it fails.
 * @param saved absent where the champion was fitted once
 */
export function gateOf(
  gate: NonNullable<StudySpec["gate"]>,
  results: readonly Result[],
  comparisons: readonly Comparison[],
  champion: string | null,
  { name: domain, metric }: TaskCard,
  saved?: Saved,
): { met: boolean; text: string } {
  const best = results.find(({ subject, task }) => subject === champion && task === domain);
  if (!best) return { met: false, text: "no champion was measured on test" };
  const failures: string[] = [];
  const direction = directionOf(metric);
  // The worse end of the interval decides, moved by what the unscored samples could take from the figure.
  const [low, high] = best.bounds;
  const [end, bound] = direction > 0 ? [best.low, low] : [best.high, high];
  const taken = best.unscored === 0 ? 0 : (bound ?? -direction * Number.POSITIVE_INFINITY) - best.mean;
  const worst = end + taken;
  const asked = gate.atLeast ?? gate.atMost;
  if (asked !== undefined && !(direction * (worst - asked) >= 0)) {
    const missing = best.unscored > 0 ? `, with ${plural(best.unscored, "unscored sample")},` : "";
    failures.push(
      `the interval of ${best.subject}${missing} reaches ${Number.isFinite(worst) ? worst.toFixed(3) : "any value"}, worse than the ${asked} asked for`,
    );
  }
  // The mean over seeds may hide that the one that is handed over is worse.
  const own = saved && (direction > 0 ? saved.score.low : saved.score.high) + taken;
  if (saved && own !== undefined && asked !== undefined && !(direction * (own - asked) >= 0))
    failures.push(
      `the interval of what is handed over, seed ${saved.seed} of ${best.subject}, reaches ${Number.isFinite(own) ? own.toFixed(3) : "any value"}, worse than the ${asked} asked for`,
    );
  if (gate.beats !== undefined && gate.beats !== champion) {
    const found = comparisons.find(
      ({ task, a, b }) =>
        task === domain && ((a === champion && b === gate.beats) || (b === champion && a === gate.beats)),
    );
    const lead = (one: Comparison | undefined) =>
      direction * (one ? (one.a === champion ? one.delta : -one.delta) : 0);
    const delta = lead(found);
    if (!found) failures.push(`no sample was scored for ${gate.beats}, which it must beat`);
    else if (!(delta > 0 && found.pAdjusted < 0.05)) {
      failures.push(`${best.subject} is not shown to beat ${gate.beats} (${sayP(found.pAdjusted)})`);
    } else if (couldBeUndone(found)) {
      failures.push(
        `${plural(found.dropped ?? 0, "unscored sample")} could undo that ${best.subject} beats ${gate.beats}`,
      );
    } else if (
      saved &&
      !(saved.against && lead(saved.against) > 0 && saved.against.p < 0.05 && !couldBeUndone(saved.against))
    ) {
      failures.push(
        `what is handed over, seed ${saved.seed} of ${best.subject}, is not itself shown to beat ${gate.beats} (p ${formatP(saved.against?.p ?? 1)})`,
      );
    }
  } else if (gate.beats !== undefined) {
    failures.push(`${gate.beats} is itself the champion`);
  }
  return { met: failures.length === 0, text: failures.join("; ") || "every condition is met" };
}
