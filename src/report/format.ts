// How numbers are written, the same in terminal, HTML, Markdown and CLI. It rounds and names units; it computes nothing.

import type { Metric } from "../core/metric.js";
import type { Comparison, OpenedBefore, StudyRecord, TaskCard } from "../core/record.js";

const minus = "\u2212";
const none = "–";

/** A metric as the head of a column: `accuracy`, `error (m)`. */
export function metricHead({ name, unit }: Pick<Metric, "name" | "unit">): string {
  return unit === "" ? name : `${name} (${unit})`;
}

/** The unit of a difference of scores, to follow a comma or a figure; empty for plain numbers. */
export function differenceUnit({ display, unit }: Metric): string {
  return display === "percent" ? "points" : unit;
}

/** How a metric is written: as a percentage or as a plain number. */
export type Scale = Metric["display"];

/** A score. Percent with one decimal from 100 samples on and none below: fewer samples do not justify the digit. */
export function formatScore(value: number, n = 100, scale: Scale = "percent"): string {
  const digits = formatBare(value, n, scale);
  return scale === "percent" && digits !== none ? `${digits}%` : digits;
}

/** A score without its unit, for columns whose head names it. */
export function formatBare(value: number, n = 100, scale: Scale = "percent"): string {
  if (!Number.isFinite(value)) return none;
  const text =
    scale === "percent"
      ? (100 * value).toFixed(n >= 100 ? 1 : 0)
      : value.toFixed(Math.abs(value) < 100 ? 3 : 1);
  return text.replace(/^-(?=0*\.?0*$)/, "").replace("-", minus);
}

/** A 95 % interval of scores: `54.7–70.0`, or with `to` where a bound is negative. */
export function formatInterval(low: number, high: number, n = 100, scale: Scale = "percent"): string {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return none;
  const joint = low < 0 ? " to " : "–";
  return `${formatBare(low, n, scale)}${joint}${formatBare(high, n, scale)}`;
}

/** A difference of scores with its sign; percentage points where the scale is percent. */
export function formatDelta(value: number, n = 100, scale: Scale = "percent"): string {
  const text = formatBare(value, n, scale);
  return text === none || text.startsWith(minus) || /^0\.?0*$/.test(text) ? text : `+${text}`;
}

/** An interval of differences: `−3.1 to +8.2`. */
export function formatDeltaInterval(low: number, high: number, n = 100, scale: Scale = "percent"): string {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return none;
  return `${formatDelta(low, n, scale)} to ${formatDelta(high, n, scale)}`;
}

/** A p-value with no more digits than are meaningful. */
export function formatP(p: number): string {
  if (!Number.isFinite(p)) return none;
  if (p < 0.001) return "< 0.001";
  if (p > 0.99) return p === 1 ? "1" : "> 0.99";
  return p.toFixed(p < 0.1 ? 3 : 2);
}

/** A pair's p in a sentence: `Holm p = 0.043`, `Holm p < 0.001`. It is the only p of a pair that is reported. */
export function sayP(p: number): string {
  const text = formatP(p);
  return /^[<>]/.test(text) ? `Holm p ${text}` : `Holm p = ${text}`;
}

/** How a task's subjects are prompted, if dev decided it; undefined otherwise. */
export function askedText({ asked, metric }: Pick<TaskCard, "asked" | "metric">): string | undefined {
  if (!asked) return undefined;
  const { way, tried } = asked;
  const scores = tried.map(({ mean }) => mean).filter(Number.isFinite);
  const n = Math.max(...tried.map((one) => one.n + one.unscored));
  const range = `${formatScore(Math.min(...scores), n, metric.display)} to ${formatScore(Math.max(...scores), n, metric.display)}`;
  return `All subjects are asked by ${way}, the generalist's best of ${tried.length} ways on dev (${range} ${metric.name}, ${plural(n, "sample")}).`;
}

/** How many answers of what was handed over agree with those measured, and which of several seeds it is; empty without a hand-over. */
export function handedOverText({ handOver, tasks }: Pick<StudyRecord, "handOver" | "tasks">): string {
  if (!handOver) return "";
  const { n: checked, agree, seed, score } = handOver;
  const told =
    checked === 0
      ? "No answer was compared."
      : `${formatWhole(agree)} of ${formatWhole(checked)} answers agree.`;
  const metric = tasks[0]?.metric;
  if (seed === undefined || !score || !metric) return told;
  const { n, mean, low, high } = score;
  return `${told} It is from seed ${seed}, which scored ${formatScore(mean, n, metric.display)} ${metric.name} (${formatInterval(low, high, n, metric.display)}) on test.`;
}

/** A test as a table names it. */
export function testName(test: Comparison["test"]): string {
  return { "mcnemar-exact": "McNemar, exact", "sign-flip": "sign flip", "seeds-t": "t over seeds" }[test];
}

/** US dollars with two significant digits below a dollar. Local models cost `$0`. */
export function formatCost(usd: number): string {
  if (!Number.isFinite(usd)) return none;
  if (usd === 0) return "$0";
  if (usd < 0.000001) return "< $0.000001";
  if (usd < 1) return `$${plainDecimal(usd)}`;
  return `$${usd.toLocaleString("en", { minimumFractionDigits: usd < 100 ? 2 : 0, maximumFractionDigits: usd < 100 ? 2 : 0 })}`;
}

/** Two significant digits without an exponent. */
function plainDecimal(value: number): string {
  const digits = Math.min(20, Math.max(2, 1 - Math.floor(Math.log10(value))));
  return value.toFixed(digits);
}

/** Milliseconds as people say them: `0.4 ms`, `850 ms`, `3.1 s`, `4 min 12 s`, `2 h 5 min`. */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return none;
  if (ms === 0) return "0 ms";
  if (ms < 0.001) return "< 0.001 ms";
  if (ms < 0.995) return `${Number(ms.toPrecision(2))} ms`;
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(ms / 60_000);
  return `${Math.floor(minutes / 60).toLocaleString("en")} h ${minutes % 60} min`;
}

/** A count: `812`, `9,412`, `12.4k`, `3.1M`. */
export function formatCount(count: number): string {
  if (!Number.isFinite(count)) return none;
  const rounded = count > 0 && count < 10 ? Math.round(10 * count) / 10 : Math.round(count);
  if (rounded < 10_000) return rounded.toLocaleString("en");
  if (rounded < 999_500) return `${(rounded / 1000).toFixed(rounded < 99_950 ? 1 : 0)}k`;
  return `${(rounded / 1e6).toFixed(rounded < 99.95e6 ? 1 : 0)}M`;
}

/** A whole number with thousands separated. */
export function formatWhole(count: number): string {
  return Number.isFinite(count) ? Math.round(count).toLocaleString("en") : none;
}

/** `1 sample`, `2 samples`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatWhole(count)} ${count === 1 ? one : many}`;
}

/** `a, b and c`. */
export function list(names: readonly string[]): string {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** An ISO time as `23 Nov 2026, 14:05 UTC`; anything else as it is. */
export function formatDate(iso: string): string {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return iso;
  const day = date.toLocaleDateString("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    timeZone: "UTC",
  });
  return `${day}, ${date.toISOString().slice(11, 16)} UTC`;
}

/** How many rows of a test split other plans had opened, in words. */
export function sayOpenedBefore({ rows, of, plans }: OpenedBefore): string {
  if (rows === 0) return `none of ${plural(of, "row")} opened before`;
  return `${formatWhole(rows)} of ${plural(of, "row")} opened before, by ${plural(plans, "other plan")}`;
}

/** How often test was opened, in words; older records do not say which rows had been. */
export function sayOpenings(openings: number, before: OpenedBefore | undefined): string {
  return `test opened by ${plural(openings, "plan")}${before ? `; ${sayOpenedBefore(before)}` : ""}`;
}
