// The specialization profile: subjects × tasks, with what each gained and lost against the generalist.
// The same picture serves every kind of specialist, so nothing here depends on the kind.

import { directionOf, type Metric } from "../core/metric.js";
import { metricOf, type Result, type StudyRecord, type SubjectCard } from "../core/record.js";
import { type Html, html, oneLine } from "./escape.js";
import { shownBelow, subjectName } from "./figures.js";
import { formatDelta, formatScore, metricHead, plural } from "./format.js";

const resultOf = (record: StudyRecord, subject: string, task: string): Result | undefined =>
  record.results.find((result) => result.subject === subject && result.task === task);

/**
 * How far a subject is from the generalist on a task: the paired difference if the study made that comparison, else that
 * of the two means. Undefined for the generalist itself and if neither is known.
 */
export function fromGeneralist(
  record: StudyRecord,
  subject: string,
  task: string,
): { delta: number; n: number; shown: boolean } | undefined {
  const generalist = record.subjects.find(({ role }) => role === "generalist")?.name;
  if (generalist === undefined || subject === generalist) return undefined;
  const pair = record.comparisons.find(
    ({ a, b, task: on }) =>
      on === task && ((a === subject && b === generalist) || (a === generalist && b === subject)),
  );
  const [own, general] = [resultOf(record, subject, task), resultOf(record, generalist, task)];
  const said = pair
    ? { delta: pair.a === subject ? pair.delta : -pair.delta, n: pair.n, shown: pair.pAdjusted < shownBelow }
    : own && general && { delta: own.mean - general.mean, n: own.n, shown: false };
  return said && Number.isFinite(said.delta) ? said : undefined;
}

/** Subjects × tasks: score, and difference from the generalist as figure and as tint. */
export function profileTable(record: StudyRecord): Html {
  const generalist = record.subjects.find((subject) => subject.role === "generalist");
  const order = [...record.subjects].sort((a, b) => average(record, b.name) - average(record, a.name));
  const cell = (subject: SubjectCard, task: string): Html => {
    const own = resultOf(record, subject.name, task);
    if (!own || own.n === 0) return html`<td class="heat absent">–</td>`;
    const metric = metricOf(record, task);
    const scale = metric.display;
    const general = generalist && resultOf(record, generalist.name, task);
    const said = fromGeneralist(record, subject.name, task);
    const difference = said
      ? html`<span class="difference${said.shown && " strong"}">${formatDelta(said.delta, said.n, scale)}</span>`
      : subject === generalist && html`<span class="difference quiet">generalist</span>`;
    return html`<td class="heat ${tint(metric, said?.delta ?? Number.NaN, general?.mean)}"><span class="score">${formatScore(own.mean, own.n, scale)}</span> ${difference}</td>`;
  };
  return html`<div class="scroll" tabindex="0" role="region" aria-label="profile"><table class="profile"><thead><tr><th scope="col">subject</th>${record.tasks.map(
    (task) =>
      html`<th scope="col"><bdi>${oneLine(task.name, 60)}</bdi><br><span class="quiet">${metricHead(task.metric)}, ${plural(task.counts.test, "sample")}</span></th>`,
  )}</tr></thead><tbody>${order.map(
    (subject) =>
      html`<tr><th scope="row">${subjectName(record, subject.name)}</th>${record.tasks.map((task) => cell(subject, task.name))}</tr>`,
  )}</tbody></table></div>`;
}

function average(record: StudyRecord, subject: string): number {
  const own = record.results.filter((result) => result.subject === subject && Number.isFinite(result.mean));
  return (
    own.reduce((sum, result) => sum + directionOf(metricOf(record, result.task)) * result.mean, 0) /
    Math.max(1, own.length)
  );
}

/**
 * Four steps of gain and four of loss, as classes of the style sheet: shares of the metric's range; for an error, of the
 * generalist's error.
 */
function tint(metric: Metric, delta: number, general: number | undefined): string {
  const direction = directionOf(metric);
  const range = (metric.most ?? 1) - (metric.least ?? 0);
  const change = Math.abs(delta) / (direction < 0 ? (general ?? Number.NaN) : range);
  const steps = direction < 0 ? [0.02, 0.1, 0.25, 0.5] : [0.01, 0.05, 0.1, 0.2];
  const size = steps.filter((step) => change >= step).length;
  return size === 0 ? "even" : `${direction * delta > 0 ? "gain" : "loss"}-${size}`;
}
