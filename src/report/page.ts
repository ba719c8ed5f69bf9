// The report as one HTML page: no request, no font, no image from anywhere; one script and one style, both allowed by hash
// in the page's own policy. It arranges what figures.ts and tables.ts draw.

import { createHash } from "node:crypto";
import { directionOf } from "../core/metric.js";
import type { StudyRecord } from "../core/record.js";
import { browse } from "./browser.js";
import { type Limits, packSamples } from "./details.js";
import { episodeSection, packEpisodes } from "./episode-figures.js";
import { playEpisodes } from "./episode-player.js";
import { type Html, html, oneLine, visibleText } from "./escape.js";
import { comparisonTable, costFigure, scoreFigure, scoreLegend } from "./figures.js";
import { formatCost, formatDate, formatDuration, formatWhole, list, plural, sayOpenings } from "./format.js";
import { type Gathered, judgedBy, type Source } from "./gather.js";
import { movementSection, packMovements } from "./movement-figures.js";
import { playMovements } from "./movement-player.js";
import { optimizedSection } from "./optimized.js";
import { profileTable } from "./profile.js";
import { searchSection } from "./search-figures.js";
import { style } from "./style.js";
import { type ShownData, syntheticFigure } from "./synthetic.js";
import {
  comparisonNote,
  confusionFigure,
  eyesTable,
  factList,
  reproduceFacts,
  resultsTable,
  sealFacts,
  subjectList,
  unscoredTable,
} from "./tables.js";
import { trainingSection } from "./training-figures.js";

/** One line: how many subjects of which model, on how many sealed samples of which tasks. */
export function describeStudy(record: StudyRecord): string {
  const count = (role: string): number => record.subjects.filter((subject) => subject.role === role).length;
  const parts = [`${plural(count("specialist"), "specialist")} of ${record.model}`];
  if (count("reference") > 0) parts.push(plural(count("reference"), "reference"));
  const tasks = record.tasks.map(
    (task) => `${formatWhole(task.counts.test)} sealed test samples of ${task.name}`,
  );
  const measured = `${parts.join(" and ")}, measured on ${tasks.join(" and ")}.`;
  return record.description ? `${record.description.replace(/[^.!?]$/, "$&.")} ${measured}` : measured;
}

/** The verdict, or why there is none. */
export function verdictText(record: StudyRecord): string {
  if (record.verdict) return record.verdict.text;
  if (record.stopped) return `No verdict: the run was stopped (${record.stopped}).`;
  return record.noVerdict ? `No verdict: ${record.noVerdict}.` : "No verdict was reached.";
}

/** How many of all samples a report shows, and the command that shows one of the others. */
export function leftOut(shown: number, all: number): string {
  const rest = all - shown;
  if (rest <= 0) return `All ${plural(all, "test sample")} can be opened.`;
  return `Details of ${plural(rest, "sample")} left out (disagreements and failures were kept first); run \`hone show STUDY --sample ID\` to see one.`;
}

/** The whole page, at most `limits.bytes` long unless its tables alone are longer. */
export function renderPage(
  source: Source,
  gathered: Gathered,
  limits: Required<Limits>,
  synthetic: readonly ShownData[] = [],
): { page: string; shown: number } {
  const { record } = source;
  const { movements, episodes } = gathered;
  const player = movements.length > 0 ? `(${playMovements.toString()})();` : "";
  const replayer = episodes.length > 0 ? `(${playEpisodes.toString()})();` : "";
  const script = `(${browse.toString()})();${player}${replayer}`;
  const before = top(record, script);
  const sections = html`${figures(record, gathered)}${syntheticSection(synthetic)}`;
  const after = bottom(record);
  const moved =
    movements.length > 0
      ? `<script type="application/json" id="movements-data">${packMovements(record, movements)}</script>\n`
      : "";
  const replays =
    episodes.length > 0
      ? `<script type="application/json" id="episodes-data">${packEpisodes(record, episodes)}</script>\n`
      : "";
  const fixed =
    Buffer.byteLength(before + sections.markup + after.markup + moved + replays + script) + 20_000;
  const { json, kept } = packSamples(source, gathered, Math.max(2_000, limits.bytes - fixed), limits.text);
  const all = gathered.samples.reduce((sum, count) => sum + count, 0);
  const samples = sampleSection(record, kept, all);
  // The payload is escaped by `embedJson` and the script is this repository's own, so both go in as they are.
  const page = `${before}${sections.markup}${samples.markup}${after.markup}
<script type="application/json" id="samples-data">${json}</script>
${moved}${replays}<script>${script}</script>
</body></html>
`;
  return { page, shown: kept };
}

function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

function top(record: StudyRecord, script: string): string {
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
  const facts = [
    record.verdict?.champion ? `champion ${oneLine(record.verdict.champion, 64)}` : null,
    sayOpenings(record.openings, record.openedBefore),
    plural(record.subjects.length, "subject"),
    `${record.seeds.length === 1 ? "seed" : "seeds"} ${record.seeds.join(", ")}`,
    formatDuration(1000 * record.seconds),
    formatCost(record.spentUsd),
  ].filter((fact) => fact !== null);
  const title = oneLine(record.study, 120) || "Study";
  const head = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">
<title>${title} · hone</title>
<style>${{ markup: style }}</style></head>
<body>
<header><p class="kicker">Hone study report · ${formatDate(record.at)}</p>
<h1><bdi>${title}</bdi></h1>
<p class="about">${describeStudy(record)}</p>
<p class="verdict${record.verdict ? "" : " stopped"}">${verdictText(record)}</p>
${record.verdict && record.stopped ? html`<p class="stopped">The run was stopped: ${record.stopped}.</p>` : null}
${record.gate && !record.gate.met ? html`<p class="gate-missed">Gate not met: ${record.gate.text}</p>` : null}
<p class="strip-facts">${facts.map((fact, i) => html`${i > 0 && " · "}<span>${fact}</span>`)}</p></header>
<main>`;
  return head.markup;
}

function perTask(record: StudyRecord, draw: (task: string, index: number) => Html): Html {
  const parts = record.tasks.map((task, i) => ({ task, body: draw(task.name, i) }));
  return html`${parts
    .filter(({ body }) => body.markup !== "")
    .map(
      ({ task, body }) =>
        html`${record.tasks.length > 1 && html`<h3><bdi>${oneLine(task.name, 80)}</bdi></h3>`}${body}`,
    )}`;
}

function section(title: string, note: string | null, body: Html): Html {
  if (body.markup === "") return html``;
  return html`<section><h2>${title}</h2>${note && html`<p class="note">${note}</p>`}${body}</section>`;
}

function figures(record: StudyRecord, gathered: Gathered): Html {
  const confusions = record.tasks.map((task) =>
    gathered.confusions.filter((confusion) => confusion.task === task),
  );
  const gained = record.tasks.some(({ metric }) => directionOf(metric) > 0);
  const pointed = record.tasks.every(({ metric }) => metric.display === "percent");
  const warnings = record.warnings ?? [];
  return html`
${section("Warnings", null, warnings.length > 0 ? html`<ul>${warnings.map((text) => html`<li>${visibleText(text, 2_000)}</li>`)}</ul>` : html``)}
<section>${perTask(record, (task) => scoreFigure(record, task))}${record.results.length > 0 && scoreLegend(record)}</section>
${section(
  "Results",
  null,
  perTask(record, (task) => resultsTable(record, task)),
)}
${section(
  "Score against cost",
  null,
  perTask(record, (task, i) => costFigure(record, task, String(i))),
)}
${section(
  "Comparisons",
  comparisonNote(record),
  perTask(record, (task) => comparisonTable(record, task)),
)}
${section(
  "Specialization profile",
  `Score, and difference from the generalist${pointed ? " in points" : ""}; bold where the difference is significant after Holm's correction.${gained ? "" : " Tints are shares of the generalist's error: blue is less, orange more."}`,
  record.results.length > 0 ? profileTable(record) : html``,
)}
${section("Movements", null, movementSection(record, gathered.movements))}
${section("Training", null, trainingSection(record))}
${section("Search", null, searchSection(record))}
${section("Optimized prompts", null, optimizedSection(record))}
${section("Games", null, episodeSection(record, gathered.episodes))}
${section(
  "Confusion",
  null,
  perTask(record, (_, i) => confusionFigure(record, confusions[i] ?? [], i)),
)}
${section("Eyes-on and eyes-off", "The eyes-off part of test was never looked at while prompts were developed.", eyesTable(record))}
${section("Unscored", "An endpoint's failure is not a wrong answer. “Score between” gives the score if every unscored sample had been wrong, and if every one had been right.", record.results.length > 0 ? unscoredTable(record) : html``)}`;
}

/** A model's own data, another model's, and people's rows with a model's labels have separate headings. */
function syntheticSection(all: readonly ShownData[]): Html {
  const written = all.filter(({ card }) => card.way !== "labels");
  const kinds = [
    ["The model's own", written.filter(({ card }) => card.self)],
    ["Another model's (distillation)", written.filter(({ card }) => !card.self)],
    ["Given rows labelled by a model", all.filter(({ card }) => card.way === "labels")],
  ] as const;
  return section(
    "Synthetic data",
    null,
    html`${kinds.map(
      ([title, sets]) =>
        sets.length > 0 &&
        html`<h3>${title}</h3>${sets.map(({ name, card, pairs }) => html`<h4><bdi>${oneLine(name, 120)}</bdi></h4>${syntheticFigure(card, pairs)}`)}`,
    )}`,
  );
}

/** What the marks of samples mean, and on which tasks if that differs. */
function signsOf({ tasks }: StudyRecord): string {
  const meanings = new Map<string, string[]>();
  const relative = "● no worse than the generalist, ○ worse";
  const said = { share: "● right, ○ wrong", less: relative, more: relative, none: "● answered" };
  for (const task of tasks) {
    const meaning = said[judgedBy(task)];
    meanings.set(meaning, [...(meanings.get(meaning) ?? []), oneLine(task.name, 64)]);
  }
  if (meanings.size < 2) return [...meanings.keys()][0] ?? said.share;
  return [...meanings].map(([meaning, names]) => `${meaning} (${list(names)})`).join("; ");
}

function sampleSection(record: StudyRecord, kept: number, all: number): Html {
  const first = record.verdict?.champion ?? record.subjects.find(({ role }) => role === "specialist")?.name;
  const shares = record.tasks.length === 0 || record.tasks.some((task) => judgedBy(task) === "share");
  const filters = [
    ["all", "all"],
    ["failures", shares ? "failures" : "worse than generalist"],
    ["different", "different from generalist"],
    ["unscored", "unscored"],
  ] as const;
  return html`<section><h2>Samples</h2>
<p class="note"><span class="no-print">${leftOut(kept, all)} A row opens to the exact prompt and raw output of any subject.</span> <span>${signsOf(record)}, – unscored; one mark per subject, in the order of the list.</span></p>
<noscript><p class="note">Opening samples needs the script in this file; it makes no network requests.</p></noscript>
<div class="controls" id="samples-controls" hidden>
${record.tasks.length > 1 && html`<label>Task <select id="samples-task"><option value="-1">all</option>${record.tasks.map((task, i) => html`<option value="${i}">${oneLine(task.name, 64)}</option>`)}</select></label>`}
<label>Subject <select id="samples-subject">${record.subjects.map(({ name }, i) => html`<option value="${i}"${name === first && html` selected`}>${oneLine(name, 64)}</option>`)}</select></label>
<fieldset class="segment"><legend class="unseen">Show</legend>${filters.map(
    ([value, name], i) =>
      html`<span class="pick"><input type="radio" name="samples-filter" id="filter-${value}" value="${value}"${i === 0 && html` checked`}><label for="filter-${value}">${name} <span id="count-${value}"></span></label></span>`,
  )}</fieldset>
<input type="search" id="samples-search" data-live="yes" placeholder="find in id, text, answers" aria-label="Find samples">
</div>
<table class="samples" id="samples-table" hidden><thead><tr><th scope="col">sample</th><th scope="col">${record.tasks.some(({ metric, kind }) => directionOf(metric) > 0 && kind !== "arena") && "right answer"}</th><th scope="col">answer</th><th scope="col" class="num">score</th><th scope="col">every subject</th><th scope="col">text</th></tr></thead>
<tbody id="samples-body"></tbody></table>
<p class="note" id="samples-status" role="status"></p><button type="button" class="more" id="samples-more" hidden></button></section>`;
}

function bottom(record: StudyRecord): Html {
  return html`
${section("The seal", null, factList(sealFacts(record)))}
${section("How to reproduce", null, html`${factList(reproduceFacts(record))}<details><summary>Subjects, their options and fingerprints</summary><div class="scroll">${subjectList(record)}</div></details>`)}
</main><footer>Made by hone ${oneLine(record.hone, 40)}. The same report in Markdown and JSON is in this file's folder.</footer>`;
}
