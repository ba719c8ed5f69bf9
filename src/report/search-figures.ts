// The report's drawing of searches: the tree of compositions, with scores, costs and why each branch was dropped, the main
// effects, and the sentence that says how it ended. It works without a script.

import type { Metric } from "../core/metric.js";
import { metricOf, type StudyRecord, type SubjectCard } from "../core/record.js";
import type { SearchBranch, SearchGain, SearchNotes, Spent } from "../core/search.js";
import * as chart from "./chart.js";
import { type Html, html, oneLine } from "./escape.js";
import { subjectName } from "./figures.js";
import {
  differenceUnit,
  formatCost,
  formatCount,
  formatDelta,
  formatDeltaInterval,
  formatDuration,
  formatInterval,
  formatP,
  formatScore,
  formatWhole,
  list,
  plural,
} from "./format.js";
import { table } from "./markdown-parts.js";

/** Most searches that are drawn of one subject, and most subjects. */
const [maxSeeds, maxSubjects] = [3, 8];

interface Shown {
  subject: string;
  seed: number;
  search: SearchNotes;
}

function shownOf({ subjects }: StudyRecord): Shown[] {
  return subjects
    .filter(
      (card): card is SubjectCard & Required<Pick<SubjectCard, "searches">> =>
        (card.searches?.length ?? 0) > 0,
    )
    .slice(0, maxSubjects)
    .flatMap(({ name, searches }) => searches.slice(0, maxSeeds).map((one) => ({ subject: name, ...one })));
}

/** The section's body; empty if there was no search. */
export function searchSection(record: StudyRecord): Html {
  const metric = metricOf(record, record.tasks[0]?.name ?? "");
  const several = record.seeds.length > 1;
  return html`${shownOf(record).map(
    ({
      subject,
      seed,
      search,
    }) => html`<h3>${subjectName(record, subject, false)}${several && `, seed ${seed}`}</h3>
<p>${endOf(search, metric)}</p>${effectTable(search, metric)}${treeTable(search, metric)}`,
  )}`;
}

/** How a search ended, in a few sentences. */
function endOf(search: SearchNotes, metric: Metric): string {
  const { branches, spent, verdict, headroom, interaction, proposed, returned } = search;
  const labelOf = (b: number) => oneLine(branches[b]?.label ?? "", 120);
  const simplest = labelOf(0);
  const unit = differenceUnit(metric) && ` ${differenceUnit(metric)}`;
  const said = (gain: SearchGain) =>
    `${formatDelta(gain.delta, gain.n, metric.display)}${unit} (${formatDeltaInterval(gain.low, gain.high, gain.n, metric.display)}) on ${plural(gain.n, "sample")}`;
  const measured = branches.filter(({ scores }) => scores.length > 0).length;
  const of = measured < branches.length ? `${formatWhole(measured)} of ` : "";
  const looked = `${of}${plural(branches.length, "composition")} measured, at a cost of ${spentText(spent)}.`;
  const interacts = interaction
    ? ` Factors ${interaction.shown ? "interact" : "are not shown to interact"} (p ${formatP(interaction.p ?? 1)}, ${formatWhole(interaction.cells)} combinations on ${plural(interaction.n, "train sample")}), so ${interaction.shown ? "each combination was judged on its own" : "levels were judged by their main effects"}.`
    : "";
  const asked = branches[0]?.scores[0]?.n;
  const untested =
    headroom === null && asked
      ? ` Whether any is better than ${simplest} was not tested first: ${plural(asked, "sample")} of the factorial are too few.`
      : "";
  const who = proposed ? list(proposed.members.map(({ branch }) => labelOf(branch))) : "";
  const found = proposed
    ? ` Proposed: ${who}${proposed.members.length > 1 ? ", pooled" : ""}: ${said(proposed.searched)} out of fold`
    : "";
  const dev = proposed?.confirmed
    ? `, ${said(proposed.confirmed)} of dev, against ${simplest}.`
    : proposed
      ? "."
      : "";
  const ends: Record<SearchNotes["verdict"], string> = {
    "no headroom": ` No composition was found to be better than ${simplest} (p ${formatP(headroom?.p ?? 1)}), which is returned.`,
    "none better": ` No remaining composition was better than ${simplest}, which is returned.`,
    "not confirmed": ` This was not confirmed: ${simplest} is returned.`,
    confirmed: ` Confirmed: ${list(returned.map(labelOf))} ${returned.length > 1 ? "are returned, pooled" : "is returned"}.`,
    "budget ended": ` The budget ran out: ${simplest} is returned.`,
  };
  return `${looked}${untested}${interacts}${found}${dev}${ends[verdict]}`;
}

/** Why the branch at a place was not returned. */
function whyNot({ branches, verdict }: SearchNotes, at: number): string {
  const { dropped } = branches[at] as SearchBranch;
  if (dropped) return `${dropped.stage}: ${oneLine(dropped.why, 160)}`;
  if (at === 0) return "the simplest";
  const ends: Record<SearchNotes["verdict"], string> = {
    "no headroom": "not found to be better than the simplest",
    "none better": "no better than the simplest",
    "not confirmed": "not confirmed on dev",
    confirmed: "",
    "budget ended": "the budget ended",
  };
  return ends[verdict];
}

function spentText({ calls, inputTokens, outputTokens, seconds, usd }: Spent): string {
  const parts = [
    plural(calls, "call"),
    `${formatCount(inputTokens + outputTokens)} tokens`,
    formatDuration(1000 * seconds),
    ...(usd > 0 ? [formatCost(usd)] : []),
  ];
  return list(parts);
}

function axisOver(values: readonly number[]): chart.Axis {
  const known = values.filter(Number.isFinite);
  return chart.linearAxis(Math.min(...known), Math.max(...known), 5, 2);
}

function effectTable({ factors, interaction }: SearchNotes, metric: Metric): Html {
  const effects = factors.flatMap(({ effects }) => effects);
  if (effects.length === 0) return html``;
  const axis = axisOver([0, ...effects.flatMap(({ low, high }) => [low, high])]);
  const height = 22;
  const n = interaction?.n ?? 100;
  // Where factors interact, a level was not dropped as such: its combinations were judged one by one.
  const droppedAsSuch = (kept: boolean) => !kept && !interaction?.shown;
  const rows = factors.flatMap(({ name, effects: own }) =>
    own.map(
      (
        { level, delta, low, high, kept },
        l,
      ) => html`<tr>${l === 0 && html`<th scope="rowgroup" rowspan="${own.length}"><bdi>${oneLine(name, 40)}</bdi></th>`}
<td><bdi>${oneLine(level, 60)}</bdi></td><td class="plot">${chart.canvas(height, [
        chart.vertical(axis.at(0), 0, height, "zero"),
        chart.horizontal(axis.at(low), axis.at(high), height / 2, "interval specialist"),
        chart.mark(axis.at(delta), height / 2, droppedAsSuch(kept) ? "reference" : "specialist"),
      ])}</td><td class="num">${l === 0 ? "0" : formatDelta(delta, n, metric.display)}</td><td class="num">${l === 0 ? "" : formatDeltaInterval(low, high, n, metric.display)}</td><td>${droppedAsSuch(kept) && "dropped"}</td></tr>`,
    ),
  );
  return html`<div class="scroll"><table class="search"><caption>Main effects on ${metric.name}: difference from the factor's first level, averaged over the other factors</caption>
<thead><tr><th scope="col">factor</th><th scope="col">level</th><th scope="col" class="plot"></th><th scope="col" class="num">effect</th><th scope="col" class="num">95 % interval</th><th scope="col"></th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

/** Branches in the order of the tree: combinations by their levels, then those outside the factorial. */
function inOrder({ branches, factors }: SearchNotes): { branch: SearchBranch; at: number }[] {
  const rank = factors.map(({ effects }, f) => {
    const known = [
      ...effects.map(({ level }) => level),
      ...branches.flatMap(({ levels }) => levels?.[f] ?? []),
    ];
    return new Map([...new Set(known)].map((level, i) => [level, i]));
  });
  const of = ({ levels }: SearchBranch) => levels?.map((level, f) => rank[f]?.get(level) ?? 0) ?? [];
  return branches
    .map((branch, at) => ({ branch, at }))
    .sort((a, b) => {
      if ((a.branch.levels === null) !== (b.branch.levels === null)) return a.branch.levels === null ? 1 : -1;
      const [left, right] = [of(a.branch), of(b.branch)];
      const differs = left.findIndex((level, f) => level !== right[f]);
      return differs < 0 ? a.at - b.at : (left[differs] as number) - (right[differs] as number);
    });
}

function treeTable(search: SearchNotes, metric: Metric): Html {
  const { factors, branches, returned } = search;
  const rows = inOrder(search);
  const axis = axisOver(branches.flatMap(({ scores }) => scores.flatMap(({ low, high }) => [low, high])));
  const height = 24;
  const paid = branches.some(({ spent }) => spent.usd > 0);
  const levelCells = (i: number): Html[] => {
    const { levels, label } = (rows[i] as (typeof rows)[number]).branch;
    if (!levels)
      return [
        html`<th scope="row" colspan="${Math.max(1, factors.length)}"><bdi>${oneLine(label, 80)}</bdi></th>`,
      ];
    const same = (j: number, f: number) =>
      levels.slice(0, f + 1).every((level, g) => level === rows[j]?.branch.levels?.[g]);
    return levels.flatMap((level, f) => {
      const last = f === levels.length - 1;
      if (!last && i > 0 && same(i - 1, f)) return [];
      let span = 1;
      while (!last && i + span < rows.length && same(i + span, f)) span++;
      return [
        html`<th scope="${span > 1 ? "rowgroup" : "row"}" rowspan="${span}"><bdi>${oneLine(level, 48)}</bdi></th>`,
      ];
    });
  };
  const body = rows.map(({ branch, at }, i) => {
    const { scores, spent } = branch;
    const score = scores.at(-1);
    const here = returned.includes(at);
    const shape = at === 0 ? "generalist" : branch.dropped ? "reference" : "specialist";
    const drawing = score
      ? [
          chart.horizontal(axis.at(score.low), axis.at(score.high), height / 2, `interval ${shape}`),
          ...scores.slice(0, -1).map(({ mean }) => chart.hollow(axis.at(mean), height / 2)),
          chart.mark(axis.at(score.mean), height / 2, shape, here),
        ]
      : [];
    const fate = here ? html`<b>returned</b>` : whyNot(search, at);
    return html`<tr>${levelCells(i)}<td class="plot">${chart.canvas(height, drawing)}</td>
<td class="num strong">${score ? formatScore(score.mean, score.n, metric.display) : "–"}</td><td class="num">${score ? formatInterval(score.low, score.high, score.n, metric.display) : ""}</td><td class="num">${score ? formatCount(score.n) : ""}</td>
<td class="num">${formatCount(spent.calls)}</td><td class="num">${formatCount(spent.inputTokens + spent.outputTokens)}</td><td class="num">${formatDuration(1000 * spent.seconds)}</td>${paid && html`<td class="num">${formatCost(spent.usd)}</td>`}<td>${fate}</td></tr>`;
  });
  const heads = factors.length > 0 ? factors.map(({ name }) => name) : ["composition"];
  return html`<div class="scroll" tabindex="0" role="region" aria-label="tree of the search"><table class="search"><caption>Every composition: its last score out of fold on train (small circles: earlier ones) and its cost</caption>
<thead><tr>${heads.map((name) => html`<th scope="col"><bdi>${oneLine(name, 40)}</bdi></th>`)}<th scope="col" class="plot"></th><th scope="col" class="num">${metric.name}</th><th scope="col" class="num">95 % interval</th><th scope="col" class="num">n</th><th scope="col" class="num">calls</th><th scope="col" class="num">tokens</th><th scope="col" class="num">time</th>${paid && html`<th scope="col" class="num">money</th>`}<th scope="col">dropped</th></tr></thead><tbody>${body}</tbody></table></div>`;
}

/** The same for the Markdown report. */
export function searchWords(record: StudyRecord, md: (text: string, most?: number) => string): string[] {
  const shown = shownOf(record);
  if (shown.length === 0) return [];
  const metric = metricOf(record, record.tasks[0]?.name ?? "");
  const parts = shown.flatMap(({ subject, seed, search }) => {
    const rows = inOrder(search).map(({ branch: { label, levels, scores, spent }, at }) => {
      const score = scores.at(-1);
      return [
        md(levels ? levels.join(" · ") : label, 120),
        score ? formatScore(score.mean, score.n, metric.display) : "–",
        score ? formatInterval(score.low, score.high, score.n, metric.display) : "",
        score ? String(score.n) : "",
        formatCount(spent.calls),
        formatCount(spent.inputTokens + spent.outputTokens),
        formatDuration(1000 * spent.seconds),
        formatCost(spent.usd),
        search.returned.includes(at) ? "**returned**" : md(whyNot(search, at), 200),
      ];
    });
    const head = [
      "composition",
      md(metric.name),
      "95 % interval",
      "n",
      "calls",
      "tokens",
      "time",
      "money",
      "dropped",
    ];
    return [
      `### ${md(subject, 80)}${record.seeds.length > 1 ? `, seed ${seed}` : ""}`,
      md(endOf(search, metric), 2_000),
      table(head, rows, [0, 8]),
    ];
  });
  return ["## Search", ...parts];
}
