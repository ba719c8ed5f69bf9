// The report's figures, drawn as tables with graphics in their cells or as one canvas: scores, costs, comparisons, profile.
// They draw what the record says and compute nothing but positions.

import { directionOf } from "../core/metric.js";
import {
  type Comparison,
  metricOf,
  type Result,
  type StudyRecord,
  type SubjectCard,
} from "../core/record.js";
import * as chart from "./chart.js";
import { type Html, html, oneLine } from "./escape.js";
import {
  differenceUnit,
  formatBare,
  formatCost,
  formatCount,
  formatDelta,
  formatDeltaInterval,
  formatDuration,
  formatInterval,
  formatP,
  formatScore,
  metricHead,
  testName,
} from "./format.js";
import { subjectIndex } from "./gather.js";

/** How certain a comparison must be, after Holm's correction, to be drawn as shown. */
export const shownBelow = 0.05;

export function roleOf(record: StudyRecord, subject: string): SubjectCard["role"] {
  return record.subjects[subjectIndex(record, subject)]?.role ?? "reference";
}

/** A subject's mark and name; the champion's name is bold and its mark ringed. */
export function subjectName(record: StudyRecord, subject: string, withMark = true): Html {
  const champion = subject === record.verdict?.champion;
  const name = html`<bdi>${oneLine(subject, 64)}</bdi>`;
  const written = champion ? html`<b>${name}</b>` : name;
  return withMark
    ? html`<span class="subject">${chart.glyph(roleOf(record, subject), champion)}<span>${written}</span></span>`
    : written;
}

/** Results of one task, best first; what was never scored comes last. */
export function ranked(record: StudyRecord, task: string): Result[] {
  const results = record.results.filter((result) => result.task === task);
  if (results.length === 0) return [];
  const direction = directionOf(metricOf(record, task));
  const order = ({ n, mean }: Result): number => (n > 0 ? direction * mean : Number.NEGATIVE_INFINITY);
  return results.sort((a, b) => order(b) - order(a) || 0);
}

/** One task's scores as dots and intervals on a shared axis, with majority and chance drawn through the rows. */
export function scoreFigure(record: StudyRecord, task: string): Html {
  const results = ranked(record, task);
  const [best] = results;
  if (!best) return html``;
  const metric = metricOf(record, task);
  const scale = metric.display;
  const values = results
    .flatMap((r) => [r.low, r.high, r.baseline || r.low, r.chance ?? r.low, r.mean, r.dev?.mean ?? r.mean])
    .filter(Number.isFinite);
  const axis = chart.linearAxis(Math.min(...values), Math.max(...values), 6, 1.5);
  const height = 28;
  const grid = axis.ticks.map((tick) => chart.vertical(axis.at(tick), 0, height, "grid"));
  // Without a majority answer (tasks whose answers are free text) there is no reference.
  const lines: Reference[] = [];
  if (best.baseline > 0) lines.push({ name: "majority", style: "baseline", value: best.baseline });
  if (best.chance !== null) lines.push({ name: "chance", style: "chance", value: best.chance });
  const rows = results.map((r) => {
    const y = height / 2;
    const champion = r.subject === record.verdict?.champion;
    const role = roleOf(record, r.subject);
    const drawing = [
      ...grid,
      ...(best.baseline > 0 ? [chart.vertical(axis.at(r.baseline), 0, height, "baseline")] : []),
      ...(r.chance === null ? [] : [chart.vertical(axis.at(r.chance), 0, height, "chance")]),
      ...(r.n > 0
        ? [
            chart.horizontal(axis.at(r.low), axis.at(r.high), y, `interval ${role}`),
            ...(r.dev ? [chart.hollow(axis.at(r.dev.mean), y)] : []),
            chart.mark(axis.at(r.mean), y, role, champion),
          ]
        : []),
    ];
    return html`<tr class="${champion ? "champion" : ""}"><th scope="row">${subjectName(record, r.subject)}</th>
<td class="plot">${chart.canvas(height, drawing)}</td>
<td class="num strong">${formatScore(r.mean, r.n, scale)}</td><td class="num">${formatInterval(r.low, r.high, r.n, scale)}</td>
<td class="num">${formatCount(r.n)}</td></tr>`;
  });
  const head = referenceLabels(lines, axis, (value) => formatScore(value, best.n, scale));
  const foot = axis.ticks.map((tick) => {
    const text = scale === "percent" ? `${formatBare(tick, 1, scale)}%` : formatBare(tick, 1, scale);
    return chart.words(text, axis.at(tick), 14, "middle", "small");
  });
  return html`<table class="dots"><caption class="unseen">${task}: ${metricHead(metric)} with 95 % intervals</caption>
<thead><tr><th scope="col" class="unseen-wide">subject</th><td class="plot">${chart.canvas(32, head)}</td>
<th scope="col" class="num">${metricHead(metric)}</th><th scope="col" class="num">95 % interval</th><th scope="col" class="num">n</th></tr></thead>
<tbody>${rows}</tbody>
<tfoot><tr><td></td><td class="plot">${chart.canvas(18, foot)}</td><td></td><td></td><td></td></tr></tfoot></table>`;
}

interface Reference {
  name: string;
  style: string;
  value: number;
}

/** Names above the reference lines. The line whose name would be crossed by the other gets the upper row. */
function referenceLabels(lines: Reference[], axis: chart.Axis, format: (value: number) => string): Html[] {
  const sorted = [...lines].sort((a, b) => a.value - b.value);
  const toLeft = (line: Reference): boolean => axis.at(line.value) > 60;
  if (sorted.length === 2 && toLeft(sorted[1] as Reference)) sorted.reverse();
  return sorted.flatMap((line, i) => {
    const x = axis.at(line.value);
    const y = sorted.length === 1 ? 27 : 12 + 15 * i;
    const [anchor, shift] = toLeft(line) ? (["end", -4] as const) : (["start", 4] as const);
    return [
      chart.vertical(x, y - 9, 32, line.style),
      chart.words(`${line.name} ${format(line.value)}`, x, y, anchor, "small", shift),
    ];
  });
}

/** The legend of `scoreFigure`. */
export function scoreLegend(record: StudyRecord): Html {
  const roles = (["generalist", "specialist", "reference"] as const).filter((role) =>
    record.subjects.some((subject) => subject.role === role),
  );
  const dev = record.results.some((result) => result.dev !== null);
  const lower = record.tasks.find(({ metric }) => directionOf(metric) < 0);
  return html`<p class="legend">${roles.map((role) => html`<span>${chart.glyph(role)}${role}</span> `)}
${record.verdict?.champion ? html`<span>${chart.glyph("specialist", true)}champion, chosen on dev</span> ` : null}
${dev ? html`<span><svg class="glyph" width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true"><circle class="hollow" r="3"/></svg>dev score, fixed before test was opened</span> ` : null}${lower && html`<span>less ${lower.metric.name} is better</span>`}</p>`;
}

type Price = "usd" | "ms" | "tokens";

const prices: Record<
  Price,
  { name: string; of: (result: Result) => number; format: (value: number) => string }
> = {
  usd: { name: "US dollars", of: (r) => r.perAnswer.usd, format: formatCost },
  ms: { name: "milliseconds", of: (r) => r.perAnswer.msMedian, format: formatDuration },
  tokens: {
    name: "tokens",
    of: (r) => r.perAnswer.inputTokens + r.perAnswer.outputTokens,
    format: formatCount,
  },
};

/** Score against cost per answer, with a switch between the units that this study has. Works without a script. */
export function costFigure(record: StudyRecord, task: string, id: string): Html {
  const results = ranked(record, task).filter((r) => r.n > 0);
  const units = (Object.keys(prices) as Price[]).filter((unit) =>
    results.some((r) => prices[unit].of(r) > 0),
  );
  const [first] = units;
  if (!first || results.length < 2) return html``;
  const choice = (unit: Price): Html =>
    html`<input type="radio" class="pick-${unit}" name="cost-${id}" id="cost-${id}-${unit}"${unit === first && html` checked`}><label for="cost-${id}-${unit}">${prices[unit].name}</label>`;
  return html`<div class="costs"><span class="control-name">cost per answer in</span> ${units.map(choice)}
${units.map((unit) => html`<div class="cost-plot show-${unit}">${costCanvas(record, results, unit)}</div>`)}</div>`;
}

function costCanvas(record: StudyRecord, results: readonly Result[], unit: Price): Html {
  const height = 320;
  const bottom = height - 34;
  const { of, format, name } = prices[unit];
  const metric = metricOf(record, results[0]?.task ?? "");
  const scale = metric.display;
  const costs = results.map(of);
  const positive = costs.filter((cost) => cost > 0);
  const [least, most] = [Math.min(...positive), Math.max(...positive)];
  const wide = most / least > 20;
  const x = wide ? chart.logAxis(least, most, costs.includes(0)) : chart.linearAxis(0, most, 5, 4);
  // An interval may have no end, where all samples are of one group.
  const values = results.flatMap((r) => [r.low, r.mean, r.high]).filter(Number.isFinite);
  const y = chart.linearAxis(Math.min(...values), Math.max(...values), 5);
  const down = (value: number): number => bottom - ((bottom - 14) * y.at(value)) / 100;
  const points = results.map((r) => ({ r, x: x.at(of(r)), y: down(r.mean) }));
  const names = points.map((point) => ({
    text: oneLine(point.r.subject, 28),
    x: point.x,
    y: point.y,
    top: down(point.r.high),
    bottom: down(point.r.low),
    style: point.r.subject === record.verdict?.champion ? "label strong" : "label",
  }));
  const drawing = [
    ...y.ticks.flatMap((tick) => [
      chart.horizontal(0, 100, down(tick), "grid"),
      chart.words(formatScore(tick, 1, scale), 0, down(tick) - 3, "start", "small"),
    ]),
    ...x.ticks.flatMap((tick) => [
      chart.vertical(x.at(tick), bottom, bottom + 4, "tick"),
      chart.words(
        format(tick).replace(/\.0(?= )/, ""),
        x.at(tick),
        bottom + 17,
        x.at(tick) > 94 ? "end" : "middle",
        "small",
      ),
    ]),
    ...points.map((point) =>
      chart.vertical(
        point.x,
        down(point.r.low),
        down(point.r.high),
        `interval thin ${roleOf(record, point.r.subject)}`,
      ),
    ),
    ...points.map((point) =>
      chart.mark(
        point.x,
        point.y,
        roleOf(record, point.r.subject),
        point.r.subject === record.verdict?.champion,
      ),
    ),
    html`<g class="for-wide">${chart.labels(names, 860, bottom)}</g>`,
    html`<g class="for-narrow">${chart.labels(names, 330, bottom)}</g>`,
    chart.words(`${name} per answer${wide ? ", logarithmic" : ""}`, 100, height - 2, "end", "small"),
  ];
  return chart.canvas(
    height,
    drawing,
    `${metricHead(metric)} against ${name} per answer; the figures are in the results table`,
  );
}

/** Comparisons of one task as rows with a forest plot in their middle column. */
export function comparisonTable(record: StudyRecord, task: string): Html {
  const comparisons = record.comparisons.filter((comparison) => comparison.task === task);
  const metric = metricOf(record, task);
  const scale = metric.display;
  const values = comparisons.flatMap((c) => [c.low, c.high, 0]).filter(Number.isFinite);
  if (comparisons.length === 0 || values.length === 0) return html``;
  const axis = chart.linearAxis(Math.min(...values), Math.max(...values), 5, 4);
  const height = 26;
  // Lines reach over the cell's edges so that they run through rows of any height.
  const grid = (top: number): Html[] =>
    axis.ticks.map((tick) => chart.vertical(axis.at(tick), top, height + 4, tick === 0 ? "zero" : "grid"));
  const direction = (c: Comparison): string => {
    if (!(c.pAdjusted < shownBelow)) return "unclear";
    return directionOf(metric) * c.delta > 0 ? "better" : "worse";
  };
  const row = (c: Comparison): Html => {
    const drawing = [
      ...grid(-8),
      Number.isFinite(c.low) &&
        Number.isFinite(c.high) &&
        chart.horizontal(axis.at(c.low), axis.at(c.high), height / 2, `interval ${direction(c)}`),
      c.n > 0 &&
        html`<circle class="estimate ${direction(c)}" cx="${chart.px(axis.at(c.delta))}%" cy="${height / 2}" r="3.5"/>`,
    ];
    return html`<tr><th scope="row">${subjectName(record, c.a)}</th>
<td class="plot">${chart.canvas(height, drawing)}</td>
<td class="num ${direction(c) === "unclear" ? "" : "strong"}">${formatDelta(c.delta, c.n, scale)}</td>
<td class="num">${formatDeltaInterval(c.low, c.high, c.n, scale)}</td>
<td class="num ${c.pAdjusted < shownBelow ? "strong" : ""}">${formatP(c.pAdjusted)}</td>
<td class="whole">${testName(c.test)}</td>
<td class="num">${formatBare(c.detectable, c.n, scale)}</td><td class="num">${formatCount(c.n)}</td></tr>`;
  };
  const others = [...new Set(comparisons.map((c) => c.b))];
  const groups = others.map(
    (other) =>
      html`<tbody><tr class="group"><th scope="rowgroup"><span class="quiet">against</span> ${subjectName(record, other, false)}</th><td class="plot">${chart.canvas(height, grid(0))}</td><td colspan="6"></td></tr>${comparisons.filter((c) => c.b === other).map(row)}</tbody>`,
  );
  const foot = axis.ticks.map((tick) =>
    chart.words(
      formatDelta(tick, 1, scale),
      axis.at(tick),
      13,
      "middle",
      tick === 0 ? "small strong" : "small",
    ),
  );
  const counted = differenceUnit(metric);
  const unit = counted && `, ${counted}`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="comparisons on ${task}"><table class="forest"><thead><tr><th scope="col">subject</th><td class="plot"></td>
<th scope="col" class="num">difference${unit}</th><th scope="col" class="num">95 % interval</th>
<th scope="col" class="num">Holm p</th><th scope="col">test</th>
<th scope="col" class="num">detectable</th><th scope="col" class="num">n</th></tr></thead>${groups}
<tfoot><tr><td></td><td class="plot">${chart.canvas(17, foot)}</td><td colspan="6"></td></tr></tfoot></table></div>`;
}
