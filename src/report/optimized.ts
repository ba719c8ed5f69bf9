// A sentence on each optimized prompt: its gain on the samples that it was chosen on, and how much of it was left on fresh samples.

import type { Metric } from "../core/metric.js";
import type { OptimizeNotes } from "../core/optimized.js";
import { metricOf, type StudyRecord } from "../core/record.js";
import { type Html, html } from "./escape.js";
import { subjectName } from "./figures.js";
import { differenceUnit, formatDelta, formatDeltaInterval, formatP, formatWhole, plural } from "./format.js";

interface Told {
  subject: string;
  seed: string;
  words: string;
}

function toldOf(record: StudyRecord): Told[] {
  const metric = metricOf(record, record.tasks[0]?.name ?? "");
  return record.subjects.flatMap(({ name, optimized = [] }) =>
    optimized.map(({ seed, notes }) => ({
      subject: name,
      seed: record.seeds.length > 1 ? `, seed ${seed}` : "",
      words: wordsOf(notes, metric),
    })),
  );
}

function wordsOf(
  { looked, verdict, headroom, best, reflections, searched, confirmed, shrinkage, returned }: OptimizeNotes,
  metric: Metric,
): string {
  const unit = differenceUnit(metric) && ` ${differenceUnit(metric)}`;
  const told = (delta: number, n: number) => `${formatDelta(delta, n, metric.display)}${unit}`;
  const written = reflections
    ? ` (${formatWhole(reflections.written)} of ${plural(reflections.asked, "reflection")} written)`
    : "";
  const looks = `${plural(looked, "prompt")} tried${written}`;
  if (verdict === "no headroom" && headroom)
    return `${looks}; none shows signs of being better than the original prompt on ${plural(headroom.n, "sample")} (p ${formatP(headroom.p)}), so nothing was searched and it is kept.`;
  if (searched === null && best)
    return `${looks}; the best gained ${told(best.delta, best.n)}, within one standard error of the original prompt, which is kept.`;
  if (searched === null) return `${looks}; none is better than the original prompt, which is kept.`;
  if (confirmed === null) return `${looks}; the best gained ${told(searched, 1000)}, and was not confirmed.`;
  const { n, delta, low, high, p } = confirmed;
  const interval = formatDeltaInterval(low, high, n, metric.display);
  const shrunk = shrinkage === null ? "" : `; shrinkage ${told(shrinkage, n)}`;
  const chosen =
    best && best.delta !== searched
      ? `the best gained ${told(best.delta, best.n)}; the shortest within one standard error gained ${told(searched, n)} on the samples that chose it and`
      : `the best gained ${told(searched, n)} on the samples that chose it and`;
  return `${looks}; ${chosen} ${told(delta, n)} (${interval}; p ${formatP(p)}, one-sided) on ${plural(n, "fresh sample")} of train${shrunk}. ${returned ? "It is used." : "The original prompt is kept."}`;
}

/** The section's body; empty if no prompt was optimized. */
export function optimizedSection(record: StudyRecord): Html {
  const named = new Map(record.subjects.map(({ name }) => [name, subjectName(record, name, false)]));
  return html`${toldOf(record).map(({ subject, seed, words }) => html`<p>${named.get(subject)}${seed}: ${words}</p>`)}`;
}

/** The same for Markdown. */
export function optimizedWords(record: StudyRecord, md: (text: string, most?: number) => string): string[] {
  const told = toldOf(record);
  if (told.length === 0) return [];
  const lines = told.map(({ subject, seed, words }) => `- ${md(`${subject}${seed}: ${words}`, 1_000)}`);
  return ["## Optimized prompts", lines.join("\n")];
}
