// What `hone run` prints at its end: the verdict, the scores with their intervals, the first comparisons, the openings.
// It returns text and decides nothing about streams; the caller knows whether the terminal has colours and how wide it is.

import { directionOf } from "../core/metric.js";
import { metricOf, type Result, type StudyRecord } from "../core/record.js";
import { displayWidth, pad, wrap } from "./columns.js";
import { oneLine, plainText } from "./escape.js";
import { ranked, roleOf, shownBelow } from "./figures.js";
import {
  askedText,
  differenceUnit,
  formatBare,
  formatCost,
  formatDelta,
  formatDeltaInterval,
  formatDuration,
  formatInterval,
  formatScore,
  formatWhole,
  metricHead,
  plural,
  sayOpenings,
  sayP,
} from "./format.js";
import { verdictText } from "./page.js";

export interface SummaryOptions {
  colour: boolean;
  /** Columns of the terminal; at least 40 are used. */
  width: number;
  /** False for terminals without Unicode. Default true. */
  unicode?: boolean;
}

const maxComparisons = 6;

export function renderSummary(
  record: StudyRecord,
  { colour, width, unicode = true }: SummaryOptions,
): string {
  const columns = Math.max(40, Math.min(width, 110));
  const paint = (code: string, text: string): string => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);
  const lines = ["", paint("1", oneLine(record.study, columns)), ""];
  lines.push(...wrap(plainText(verdictText(record), 4_000), columns), "");
  if (record.verdict && record.stopped)
    lines.push(...wrap(`Stopped: ${oneLine(record.stopped, 300)}`, columns), "");
  const warnings = (record.warnings ?? []).flatMap((text) =>
    wrap(`! ${oneLine(text, 1_000)}`, columns - 2).map((line, i) => paint("33", i > 0 ? `  ${line}` : line)),
  );
  if (warnings.length > 0) lines.push(...warnings, "");
  for (const task of record.tasks) {
    if (record.tasks.length > 1) lines.push(paint("1", oneLine(task.name, columns)));
    const asked = askedText(task);
    if (asked) lines.push(...wrap(oneLine(asked, 300), columns - 2).map((line) => paint("2", `  ${line}`)));
    lines.push(...scoreLines(record, task.name, columns, unicode, paint));
    lines.push(...comparisonLines(record, task.name, columns, paint));
  }
  const facts = [
    sayOpenings(record.openings, record.openedBefore),
    formatDuration(1000 * record.seconds),
    formatCost(record.spentUsd),
  ];
  if (record.gate)
    facts.push(`gate ${record.gate.met ? "met" : "NOT met"}: ${oneLine(record.gate.text, 200)}`);
  lines.push(...wrap(facts.join(unicode ? " · " : ", "), columns).map((line) => paint("2", line)));
  const text = lines.join("\n");
  return unicode
    ? text
    : text
        .replace(/\u2212/g, "-")
        .replace(/–/g, "-")
        .replace(/…/g, "...");
}

type Paint = (code: string, text: string) => string;

function scoreLines(
  record: StudyRecord,
  task: string,
  columns: number,
  unicode: boolean,
  paint: Paint,
): string[] {
  const results = ranked(record, task);
  const [best] = results;
  if (!best) return [];
  const metric = metricOf(record, task);
  const scale = metric.display;
  const champion = (result: Result): boolean => result.subject === record.verdict?.champion;
  const figures = results.map((r) => [
    formatScore(r.mean, r.n, scale),
    formatInterval(r.low, r.high, r.n, scale),
    formatWhole(r.n),
    r.unscored > 0 ? formatWhole(r.unscored) : "",
    r.perAnswer.usd > 0 ? formatCost(r.perAnswer.usd) : formatDuration(r.perAnswer.msMedian),
  ]);
  const heads = [
    metricHead({ ...metric, name: oneLine(metric.name, 12) }),
    "95 % interval",
    "n",
    "unscored",
    "per answer",
  ];
  let used = heads.flatMap((head, i) => (figures.some((row) => row[i] !== "") ? [{ head, i }] : []));
  const widthOf = (i: number): number =>
    Math.max(heads[i]?.length ?? 0, ...figures.map((row) => row[i]?.length ?? 0));
  const needed = (): number => used.reduce((sum, { i }) => sum + widthOf(i) + 2, 0);
  // On a narrow terminal n is dropped first, then cost, then the unscored, before names are cut.
  for (const least of [2, 4, 3]) if (columns - needed() < 14) used = used.filter(({ i }) => i !== least);
  const widths = used.map(({ i }) => widthOf(i));
  const fixed = needed();
  const longest = Math.max(...results.map((r) => displayWidth(oneLine(r.subject, 60)))) + 2;
  // Names that would be cut to the same letters take the bars' space.
  const cut = new Set(results.map((r) => pad(oneLine(r.subject, 60), 22)));
  const least = cut.size < results.length ? longest : Math.min(longest, 24);
  const bar = Math.min(30, columns - fixed - least - 2);
  const drawn = bar >= 12;
  const nameWidth = Math.max(12, Math.min(longest, columns - fixed - (drawn ? bar + 2 : 0)));
  // Written answers and motor tasks have no commonest one.
  const based = directionOf(metric) > 0 && results.some(({ baseline }) => baseline > 0);
  const values = results.flatMap((r) => [r.low, r.high, based ? r.baseline : r.low]).filter(Number.isFinite);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const out = [
    paint(
      "2",
      [
        pad("", nameWidth),
        ...(drawn ? [" ".repeat(bar + 2)] : []),
        ...used.map(({ head }, c) => `  ${head.padStart(widths[c] ?? 0)}`),
      ].join(""),
    ),
  ];
  for (const [r, result] of results.entries()) {
    const name = pad(
      `${champion(result) ? (unicode ? "▸ " : "> ") : "  "}${oneLine(result.subject, 60)}`,
      nameWidth,
    );
    const role = roleOf(record, result.subject);
    const tone = champion(result) ? "1;34" : role === "specialist" ? "34" : role === "reference" ? "2" : "0";
    const cells = used.map(({ i }, c) => `  ${(figures[r]?.[i] ?? "").padStart(widths[c] ?? 0)}`).join("");
    const shown = based ? result : { ...result, baseline: Number.NaN };
    const drawing = drawn ? `  ${paint(tone, intervalBar(shown, low, high, bar, unicode))}` : "";
    out.push(
      `${champion(result) ? paint("1", name) : name}${drawing}${champion(result) ? paint("1", cells) : cells}`,
    );
  }
  const sign = unicode ? "┊" : ":";
  if (!based) {
    out.push(
      ...(directionOf(metric) > 0 ? [] : [paint("2", `  less ${oneLine(metric.name, 12)} is better`)]),
      "",
    );
    return out;
  }
  const baseline = `${scale === "percent" ? "majority" : "baseline"} ${formatScore(best.baseline, best.n, scale)}`;
  const chance = best.chance === null ? "" : `, chance ${formatScore(best.chance, best.n, scale)}`;
  out.push(paint("2", `  ${drawn ? `${sign} ` : ""}${baseline}${chance}`), "");
  return out;
}

/** `├──●───┤` on a shared scale, with the baseline marked where the interval does not cover it. */
function intervalBar(result: Result, low: number, high: number, width: number, unicode: boolean): string {
  const [left, line, right, dot, base] = unicode ? ["├", "─", "┤", "●", "┊"] : ["[", "-", "]", "o", ":"];
  const span = high - low || 1;
  const at = (value: number): number =>
    Math.min(width - 1, Math.max(0, Math.round(((value - low) / span) * (width - 1))));
  const cells = new Array<string>(width).fill(" ");
  if (Number.isFinite(result.baseline)) cells[at(result.baseline)] = base as string;
  if (result.n > 0 && Number.isFinite(result.mean)) {
    for (let i = at(result.low); i <= at(result.high); i++) cells[i] = line as string;
    cells[at(result.low)] = left as string;
    cells[at(result.high)] = right as string;
    cells[at(result.mean)] = dot as string;
  }
  return cells.join("");
}

function comparisonLines(record: StudyRecord, task: string, columns: number, paint: Paint): string[] {
  const metric = metricOf(record, task);
  const scale = metric.display;
  const all = record.comparisons.filter((comparison) => comparison.task === task);
  // The verdict rests on the champion's own comparisons, so they come first; then the surest.
  const about = (c: (typeof all)[number]): number =>
    [c.a, c.b].includes(record.verdict?.champion ?? "") ? 0 : 1;
  const shown = [...all]
    .sort((x, y) => about(x) - about(y) || x.pAdjusted - y.pAdjusted)
    .slice(0, maxComparisons);
  const counted = differenceUnit(metric);
  const unit = counted && ` ${counted}`;
  const detectable = (c: (typeof all)[number]): string =>
    Number.isFinite(c.detectable)
      ? `detectable: ${formatBare(c.detectable, c.n, scale)}${unit}`
      : "n is too small to show any";
  const lines = shown.flatMap((c) => {
    const real = c.pAdjusted < shownBelow;
    const text = `${oneLine(c.a, 40)} against ${oneLine(c.b, 40)}: ${formatDelta(c.delta, c.n, scale)}${unit} (${formatDeltaInterval(c.low, c.high, c.n, scale)}), ${sayP(c.pAdjusted)}${real ? "" : `, not shown (${detectable(c)})`}`;
    return wrap(text, columns - 4).map(
      (line, i) => `  ${i > 0 ? "  " : ""}${real ? line : paint("2", line)}`,
    );
  });
  if (all.length > shown.length)
    lines.push(paint("2", `  and ${plural(all.length - shown.length, "more comparison")} in the report`));
  return lines.length > 0 ? [...lines, ""] : [];
}
