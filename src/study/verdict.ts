// The verdict: one paragraph computed from the figures, which claims nothing that the comparisons do not show.

import type { Cost } from "../core/call.js";
import { directionOf } from "../core/metric.js";
import {
  type Comparison,
  metricOf,
  type Result,
  type StudyRecord,
  type TaskCard,
  type Verdict,
} from "../core/record.js";
import {
  differenceUnit,
  formatBare,
  formatCost,
  formatDelta,
  formatDeltaInterval,
  formatDuration,
  formatScore,
  list,
  plural,
  sayOpenedBefore,
  sayP,
} from "../report/format.js";
import { belowMajority } from "./warnings.js";

const level = 0.05;

/** @param ownBest the specialist that uses the model and is best on dev; mentioned if a reference won */
export function makeVerdict(
  record: Pick<StudyRecord, "results" | "comparisons" | "subjects" | "tasks" | "openedBefore">,
  champion: string,
  ownBest: string | null,
  notTrained: readonly string[] = [],
): Verdict {
  const { results, comparisons, subjects, tasks, openedBefore: opened } = record;
  const domain = (tasks[0] as TaskCard).name;
  const on = results.filter((result) => result.task === domain);
  const best = on.find((result) => result.subject === champion) as Result;
  const metric = metricOf(record, domain);
  const direction = directionOf(metric);
  const scale = metric.display;
  const unit = differenceUnit(metric);
  const points = unit === "" ? "" : ` ${unit}`;
  const generalist = subjects.find((subject) => subject.role === "generalist")?.name ?? "";
  const score = (value: number, n = best.n) => formatScore(value, n, scale);
  const interval = (result: Result) => `${score(result.low)} to ${score(result.high)}`;
  /** The comparison with the champion as `a`. */
  const against = (other: string): Comparison | undefined => {
    const found = comparisons.find(
      ({ task, a, b }) =>
        task === domain && ((a === champion && b === other) || (a === other && b === champion)),
    );
    if (!found || found.a === champion) return found;
    return {
      ...found,
      ...{ a: champion, b: other, delta: -found.delta, low: -found.high, high: -found.low },
      ...(found.bounds ? { bounds: turned(found.bounds) } : {}),
    };
  };

  const couldShow = ({ detectable, n, test }: Comparison): string =>
    Number.isFinite(detectable)
      ? `at this corrected level, only a difference of about ${formatBare(detectable, n, scale)}${points} or more would have been reliably detected with this many samples`
      : `at this corrected level, no difference could have been detected with so few ${test === "seeds-t" ? "samples or seeds" : "samples"}`;
  /** A rival's difference by its own interval, where that excludes 0. */
  const apart = (rival: string): string[] => {
    const { delta, low, high, n } = against(rival) ?? { delta: 0, low: 0, high: 0, n: 0 };
    if (!(low > 0 || high < 0)) return [];
    const [least, most] = low > 0 ? [low, high] : [-high, -low];
    const size = (value: number) => formatBare(value, n, scale);
    return [
      `${rival} is ${size(Math.abs(delta))}${points} ${direction * delta > 0 ? "behind" : "ahead"} (${size(least)} to ${size(most)})`,
    ];
  };

  const chosen = subjects.find(({ name }) => name === champion);
  const seeds = chosen?.seeds ?? [];
  const sentences = [
    `Chosen on dev, ${champion} scores ${score(best.mean)}${scale === "percent" ? "" : points} ${best.metric} on ${best.n} sealed test samples of ${domain}${seeds.length > 1 ? `, on average over ${seeds.length} training seeds` : ""} (95 % interval ${interval(best)}${scale === "percent" && best.baseline > 0 ? `; majority class: ${score(best.baseline)}` : ""}).`,
  ];
  if (belowMajority(best, metric, chosen))
    sentences.push("That is no better than the majority class, so it is not fit for use, whatever it beats.");
  const versus = champion === generalist ? undefined : against(generalist);
  if (champion === generalist) {
    sentences.push("No specialist beat the unchanged generalist on dev.");
  } else if (versus) {
    const change = `${formatDelta(versus.delta, versus.n, scale)}${points} (95 % interval ${formatDeltaInterval(versus.low, versus.high, versus.n, scale)}; ${sayP(versus.pAdjusted)})`;
    sentences.push(
      versus.pAdjusted < level
        ? `It is ${direction * versus.delta > 0 ? "better" : "worse"} than ${generalist} by ${change}${againstBounds(versus)}.`
        : `No difference from ${generalist} is shown: ${change}; ${couldShow(versus)}.`,
    );
  }
  const others = on.filter(({ subject, n }) => subject !== champion && subject !== generalist && n > 0);
  const beaten: string[] = [];
  const lost: string[] = [];
  const same: string[] = [];
  for (const { subject } of others) {
    const comparison = against(subject);
    if (!comparison || comparison.pAdjusted >= level) same.push(subject);
    else if (direction * comparison.delta > 0) beaten.push(subject);
    else lost.push(subject);
  }
  if (versus && versus.pAdjusted >= level) same.unshift(generalist);
  const ahead = versus && versus.pAdjusted < level && direction * versus.delta > 0;
  if (beaten.length > 0) sentences.push(`It is ${ahead ? "also " : ""}better than ${list(beaten)}.`);
  const undone = beaten.filter((name) => couldBeUndone(against(name) as Comparison));
  if (undone.length > 0) sentences.push(`The unscored samples could undo that for ${list(undone)}.`);
  if (lost.length > 0) {
    sentences.push(
      `On test it is worse than ${list(lost)}: the choice on dev was wrong, and the test figures are the ones to trust.`,
    );
  }
  const rivals = same.filter((name) => name !== generalist);
  const unsure = rivals.flatMap(apart);
  const close = rivals.filter((name) => apart(name).length === 0);
  if (close.length > 0) sentences.push(`No difference is shown from ${list(close)}.`);
  if (unsure.length > 0)
    sentences.push(
      `By ${unsure.length > 1 ? "their own 95 % intervals" : "its own 95 % interval"} ${list(unsure)}; the corrected test ${unsure.length > 1 ? "confirms none of it" : "does not confirm it"}.`,
    );
  const own =
    chosen?.role === "reference" ? on.find(({ subject, n }) => subject === ownBest && n > 0) : undefined;
  const behind = own && against(own.subject);
  if (own && behind) {
    sentences.push(
      `Of the specialists that use the model, ${own.subject} was best on dev: ${score(own.mean)} on test, ${formatDelta(-behind.delta, behind.n, scale)}${points} from it (${sayP(behind.pAdjusted)}).`,
    );
  }
  if (notTrained.length > 0)
    sentences.push(
      `${list(notTrained)} did not learn: the dev loss never fell below guessing, so ${notTrained.length > 1 ? "these figures say" : "this figure says"} nothing about training.`,
    );
  const drawn = subjects
    .filter(
      ({ name, seeded, seeds }) =>
        seeded && seeds.length === 1 && on.some((one) => one.subject === name && one.n > 0),
    )
    .map(({ name }) => name);
  if (drawn.length > 0)
    sentences.push(
      `${list(drawn)} ${drawn.length > 1 ? "were each" : "was"} fitted with one seed: conclusions about ${drawn.length > 1 ? "them" : "it"} hold for this training seed only.`,
    );
  sentences.push(price(best, champion));
  if (opened && opened.rows > 0)
    sentences.push(
      `The test set was not new: ${sayOpenedBefore(opened)}; settings chosen since then may be overfitted to it.`,
    );
  const unscored = on.filter((result) => result.unscored > 0);
  if (unscored.length > 0) {
    sentences.push(
      `Unscored, and therefore bounded rather than counted as wrong: ${list(unscored.map((r) => `${r.subject} ${r.unscored}`))}.`,
    );
  }
  const losses = comparisons.filter(
    ({ task, a, b, pAdjusted, delta }) =>
      task !== domain &&
      a === champion &&
      b === generalist &&
      pAdjusted < level &&
      directionOf(metricOf(record, task)) * delta < 0,
  );
  for (const loss of losses) {
    const there = metricOf(record, loss.task);
    const counted = differenceUnit(there);
    sentences.push(
      `Elsewhere it lost: ${formatDelta(loss.delta, loss.n, there.display)}${counted && ` ${counted}`} on ${loss.task} (${sayP(loss.pAdjusted)}).`,
    );
  }
  return { champion, text: sentences.join(" "), indistinguishable: same };
}

const turned = ([low, high]: NonNullable<Comparison["bounds"]>): [number | null, number | null] => [
  high === null ? null : -high,
  low === null ? null : -low,
];

/**
 * Whether scores for the unscored samples could undo a difference that is shown: whether its interval, moved by the most that
 * they could take from the difference, would reach 0.
 */
export function couldBeUndone({ delta, low, high, dropped = 0, bounds }: Comparison): boolean {
  if (dropped === 0 || !bounds) return false;
  const [least, most] = bounds;
  return !(delta > 0 ? least !== null && low + least - delta > 0 : most !== null && high + most - delta < 0);
}

/** The part of a claim about unscored samples. */
function againstBounds(versus: Comparison): string {
  if (!versus.dropped) return "";
  const unscored = plural(versus.dropped, "unscored sample");
  return couldBeUndone(versus)
    ? `, which the ${unscored} could undo`
    : `, whatever the ${unscored} would have scored`;
}

function price(best: Result, champion: string): string {
  const { build, perAnswer } = best;
  const making =
    build.calls > 0 || build.seconds >= 0.05
      ? `Making ${champion} took ${formatDuration(build.seconds * 1000)}${build.calls > 0 ? ` and ${describe(build)}` : ""}`
      : `Making ${champion} took no time`;
  return `${making}; an answer takes ${formatDuration(perAnswer.msMedian)}${perAnswer.calls > 0 ? ` and ${describe(perAnswer)}` : ""}.`;
}

function describe(cost: Cost): string {
  const tokens = Math.round(cost.inputTokens + cost.outputTokens);
  return `${tokens.toLocaleString("en")} tokens${cost.usd > 0 ? ` (${formatCost(cost.usd)})` : ""}`;
}
