// The report's plain tables and lists: results, confusion matrices, eyes-off, unscored, the seal, how to reproduce.

import type { Metric } from "../core/metric.js";
import { detailOf, metricOf, type Result, type StudyRecord, type TaskCard } from "../core/record.js";
import { type Html, html, oneLine } from "./escape.js";
import { ranked, subjectName } from "./figures.js";
import {
  askedText,
  formatBare,
  formatCost,
  formatCount,
  formatDate,
  formatDuration,
  formatInterval,
  formatScore,
  formatWhole,
  handedOverText,
  metricHead,
  plural,
  sayOpenedBefore,
  sayOpenings,
} from "./format.js";
import type { Confusion } from "./gather.js";

const maxDetails = 8;

/** Names of the further metrics that a task's results carry, few enough for columns. */
export function detailNames(results: readonly Result[]): string[] {
  return [...new Set(results.flatMap((result) => Object.keys(result.details)))].sort().slice(0, maxDetails);
}

/** A further metric of a result; its unit is written where the score's own is another one. */
export function detailText(record: StudyRecord, { task, details, n }: Result, name: string): string {
  const { display } = detailOf(record, task, name);
  const format = display === metricOf(record, task).display ? formatBare : formatScore;
  return format(details[name] ?? Number.NaN, n, display);
}

/** What the score would be if every unscored sample had scored worst, and if every one had scored best. */
export function scoreBounds({ bounds: [low, high], n, unscored }: Result, { display }: Metric): string {
  if (unscored === 0) return "–";
  if (low !== null && high !== null) return formatInterval(low, high, n, display);
  if (low !== null) return `${formatBare(low, n, display)} or more`;
  return high !== null ? `${formatBare(high, n, display)} or less` : "none";
}

/** The score on dev, marked if `resultNotes` explains it. */
export function devScore({ dev }: Result, scale: Metric["display"]): string {
  return dev ? `${formatBare(dev.mean, dev.n, scale)}${dev.optimistic ? "†" : ""}` : "–";
}

/** Notes below a task's results: how its subjects are prompted, and what the mark beside dev scores means. */
export function resultNotes(record: StudyRecord, task: string): string[] {
  const asked = askedText(record.tasks.find(({ name }) => name === task) as TaskCard);
  const marked = record.results.some((result) => result.task === task && result.dev?.optimistic);
  return [
    ...(asked ? [asked] : []),
    ...(marked
      ? [
          "† Optimistic: dev also chose a checkpoint, one of several specializers, or how the generalist is prompted.",
        ]
      : []),
  ];
}

export function resultsTable(record: StudyRecord, task: string): Html {
  const results = ranked(record, task);
  const [best] = results;
  if (!best) return html``;
  const metric = metricOf(record, task);
  const scale = metric.display;
  const more = detailNames(results);
  const priced = results.some((r) => r.perAnswer.usd > 0 || r.build.usd > 0);
  // Columns without information are left out.
  const bounded = results.some((r) => r.unscored > 0);
  const based = results.some((r) => r.baseline > 0);
  const wrote = results.some((r) => r.perAnswer.outputTokens > 0);
  const rows = results.map((r) => {
    const tokens = r.build.inputTokens + r.build.outputTokens;
    return html`<tr class="${r.subject === record.verdict?.champion ? "champion" : ""}"><th scope="row">${subjectName(record, r.subject)}</th>
<td class="num strong">${formatScore(r.mean, r.n, scale)}</td><td class="num">${formatInterval(r.low, r.high, r.n, scale)}</td>
<td class="num">${formatCount(r.n)}</td><td class="num">${r.unscored > 0 ? formatCount(r.unscored) : html`<span class="quiet">0</span>`}</td>
${bounded && html`<td class="num">${r.unscored > 0 ? scoreBounds(r, metric) : html`<span class="quiet">–</span>`}</td>`}
${based && html`<td class="num">${r.baseline > 0 ? formatBare(r.baseline, r.n, scale) : html`<span class="quiet">–</span>`}</td>`}<td class="num">${devScore(r, scale)}</td>
${more.map((name) => html`<td class="num">${detailText(record, r, name)}</td>`)}
<td class="num first">${tokens > 0 ? formatCount(tokens) : html`<span class="quiet">0</span>`}</td><td class="num">${formatDuration(1000 * r.build.seconds)}</td>
${priced && html`<td class="num">${formatCost(r.build.usd)}</td>`}
<td class="num first">${formatCount(r.perAnswer.inputTokens)}</td>${wrote && html`<td class="num">${formatCount(r.perAnswer.outputTokens)}</td>`}<td class="num">${formatDuration(r.perAnswer.msMedian)}</td>
${priced && html`<td class="num">${formatCost(r.perAnswer.usd)}</td>`}</tr>`;
  });
  return html`<div class="scroll" tabindex="0" role="region" aria-label="results on ${task}"><table class="results"><thead>
<tr class="groups"><th></th><th colspan="${5 + (bounded ? 1 : 0) + (based ? 1 : 0) + more.length}" scope="colgroup">on the sealed test samples</th><th class="first" colspan="${priced ? 3 : 2}" scope="colgroup">to build, once</th><th class="first" colspan="${2 + (wrote ? 1 : 0) + (priced ? 1 : 0)}" scope="colgroup">per answer</th></tr>
<tr><th scope="col">subject</th><th scope="col" class="num">${metricHead(metric)}</th><th scope="col" class="num">95 % interval</th><th scope="col" class="num">n</th>
<th scope="col" class="num">unscored</th>${bounded && html`<th scope="col" class="num">bounds</th>`}${based && html`<th scope="col" class="num">majority</th>`}<th scope="col" class="num">dev</th>
${more.map((name) => html`<th scope="col" class="num">${metricHead({ ...detailOf(record, task, name), name: oneLine(name, 24) })}</th>`)}
<th scope="col" class="num first">tokens</th><th scope="col" class="num">time</th>${priced && html`<th scope="col" class="num">money</th>`}
<th scope="col" class="num first">tokens in</th>${wrote && html`<th scope="col" class="num">out</th>`}<th scope="col" class="num">median</th>${priced && html`<th scope="col" class="num">money</th>`}</tr></thead>
<tbody>${rows}</tbody></table></div>${resultNotes(record, task).map((note) => html`<p class="quiet">${note}</p>`)}`;
}

/** The matrices of one task with a selector; the script shows one at a time, starting with the champion's. */
export function confusionFigure(record: StudyRecord, confusions: readonly Confusion[], index: number): Html {
  if (confusions.length === 0) return html``;
  const champion = confusions.findIndex((confusion) => confusion.subject.name === record.verdict?.champion);
  const first = Math.max(0, champion);
  const options = confusions.map(
    (c, i) =>
      html`<option value="${index}-${i}"${i === first && html` selected`}>${oneLine(c.subject.name, 64)}</option>`,
  );
  return html`<p class="controls"><label>Subject <select data-matrices="${index}">${options}</select></label></p>
${confusions.map((confusion, i) => html`<div data-matrix="${index}-${i}"${i !== first && html` hidden`}>${matrix(confusion)}</div>`)}`;
}

/** A matrix with its margins, as page and Markdown show it. A column that is not an answer is shown only if it has counts. */
export function matrixOf({ task, keys, pooled, counts }: Confusion) {
  const labels = new Map((task.labels ?? []).map(({ key, text }) => [key, text]));
  const name = (key: string): string => {
    const label = labels.get(key) ?? key;
    return oneLine(label.length > 40 ? `${key} · ${label}` : label, 44);
  };
  const names = [...keys.map(name), ...(pooled > 0 ? [`${pooled} others`] : [])];
  const size = names.length;
  const total = (column: readonly (number | undefined)[]): number =>
    column.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  const others = ["no answer", "unscored"].flatMap((head, i) =>
    counts.some((row) => (row[size + i] ?? 0) > 0) ? [{ head, at: size + i }] : [],
  );
  /** Whether a row's or column's hits are known: not where keys are pooled. */
  const single = (i: number): boolean => i < keys.length;
  return {
    names,
    heads: [...names, ...others.map(({ head }) => head)],
    rows: counts.map((row, i) => {
      const all = total(row);
      const scored = all - (row[size + 1] ?? 0);
      return {
        name: names[i] ?? "",
        cells: [...row.slice(0, size), ...others.map(({ at }) => row[at] ?? 0)],
        hit: (j: number): boolean => i === j && single(i),
        all,
        recall: formatScore(single(i) ? (row[i] ?? 0) / scored : Number.NaN, scored),
      };
    }),
    precision: names.map((_, j) => {
      const chosen = total(counts.map((row) => row[j]));
      return formatScore(single(j) ? (counts[j]?.[j] ?? 0) / chosen : Number.NaN, chosen);
    }),
  };
}

function matrix(confusion: Confusion): Html {
  const { names, heads, rows, precision } = matrixOf(confusion);
  const body = rows.map(({ name, cells, hit, all, recall }) => {
    const drawn = cells.map((count, j) => {
      const level = all === 0 || count === 0 ? 0 : Math.max(1, Math.ceil((8 * count) / all));
      return html`<td class="num cell ${hit(j) ? "hit" : "miss"}-${level}">${count === 0 ? html`<span class="quiet">·</span>` : formatWhole(count)}</td>`;
    });
    return html`<tr><th scope="row"><bdi>${name}</bdi></th>${drawn}<td class="num total">${formatWhole(all)}</td><td class="num">${recall}</td></tr>`;
  });
  return html`<div class="scroll" tabindex="0" role="region" aria-label="confusion matrix"><table class="matrix"><caption>Rows are the right answer, columns what <bdi>${oneLine(confusion.subject.name, 64)}</bdi> chose; recall counts scored samples only; the tint is the share of the row.</caption>
<thead><tr><td></td>${[...heads, "all", "recall"].map((head) => html`<th scope="col" class="turned"><span><bdi>${head}</bdi></span></th>`)}</tr></thead><tbody>${body}</tbody>
<tfoot><tr><th scope="row">precision</th>${precision.map((share) => html`<td class="num">${share}</td>`)}<td colspan="${heads.length - names.length + 2}"></td></tr></tfoot></table></div>`;
}

/** Eyes-on and eyes-off scores side by side; empty if no part was kept eyes-off. */
export function eyesTable(record: StudyRecord): Html {
  const rows = record.results.flatMap((r) => (r.eyes ? [{ r, eyes: r.eyes }] : []));
  if (rows.length === 0) return html``;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="eyes-off"><table><thead><tr><th scope="col">subject</th>${record.tasks.length > 1 && html`<th scope="col">task</th>`}
<th scope="col" class="num">eyes-on</th><th scope="col" class="num">95 % interval</th><th scope="col" class="num">n</th>
<th scope="col" class="num first">eyes-off</th><th scope="col" class="num">95 % interval</th><th scope="col" class="num">n</th></tr></thead><tbody>${rows.map(
    ({ r, eyes: { on, off } }) => {
      const scale = metricOf(record, r.task).display;
      return html`<tr><th scope="row">${subjectName(record, r.subject)}</th>${record.tasks.length > 1 && html`<td><bdi>${oneLine(r.task, 60)}</bdi></td>`}
<td class="num strong">${formatScore(on.mean, on.n, scale)}</td><td class="num">${formatInterval(on.low, on.high, on.n, scale)}</td><td class="num">${formatCount(on.n)}</td>
<td class="num strong first">${formatScore(off.mean, off.n, scale)}</td><td class="num">${formatInterval(off.low, off.high, off.n, scale)}</td><td class="num">${formatCount(off.n)}</td></tr>`;
    },
  )}</tbody></table></div>`;
}

export function unscoredTable(record: StudyRecord): Html {
  const rows = record.results.filter((r) => r.unscored > 0);
  if (rows.length === 0) return html`<p>Every sample was scored for every subject.</p>`;
  const causes = [...new Set(rows.flatMap((r) => Object.keys(r.causes)))].sort();
  return html`<div class="scroll" tabindex="0" role="region" aria-label="unscored samples"><table><thead><tr><th scope="col">subject</th>${record.tasks.length > 1 && html`<th scope="col">task</th>`}
${causes.map((cause) => html`<th scope="col" class="num">${oneLine(cause, 40)}</th>`)}<th scope="col" class="num first">unscored</th><th scope="col" class="num">of</th><th scope="col" class="num">score between</th></tr></thead><tbody>${rows.map(
    (r) =>
      html`<tr><th scope="row">${subjectName(record, r.subject)}</th>${record.tasks.length > 1 && html`<td><bdi>${oneLine(r.task, 60)}</bdi></td>`}
${causes.map((cause) => html`<td class="num">${formatWhole(Object.hasOwn(r.causes, cause) ? (r.causes[cause] ?? 0) : 0)}</td>`)}<td class="num strong first">${formatWhole(r.unscored)}</td><td class="num">${formatWhole(r.n + r.unscored)}</td>
<td class="num">${scoreBounds(r, metricOf(record, r.task))}</td></tr>`,
  )}</tbody></table></div>`;
}

/** The note above the comparisons: how they are paired, which tests were made, what p and “detectable” mean. */
export function comparisonNote({ comparisons }: StudyRecord): string {
  const used = new Set(comparisons.map(({ test }) => test));
  const flip = "sign-flip permutation, samples of a group together";
  const named = {
    "mcnemar-exact":
      used.size > 1 ? "McNemar's, exact, for right/wrong answers without groups" : "McNemar's, exact",
    "seeds-t": `${used.size > 1 ? "where systems were trained with several seeds, " : ""}t over samples and seeds, and at least the p of ${flip}`,
    "sign-flip": used.size > 1 ? `otherwise ${flip}` : flip,
  };
  const told = (["mcnemar-exact", "seeds-t", "sign-flip"] as const).filter((test) => used.has(test));
  const tests = `${told.length > 1 ? "Tests" : "Test"}: ${told.map((test) => named[test]).join("; ")}.`;
  return `Paired by sample, so that overlapping intervals may still differ. ${tests} p is Holm-adjusted over ${
    comparisons.length === 1
      ? "the study's one comparison"
      : `all ${formatWhole(comparisons.length)} comparisons of the study`
  }. “Detectable” is the smallest true difference that this n would show with 80 % power at the level at which Holm's procedure tests the pair.`;
}

/** How many training samples also occur in test; copies that were left out of training are reported separately. */
export function copiesFound({ exact, near, checked, dropped = 0 }: TaskCard["leakage"]): string {
  if (!checked) return "not checked for copies of training samples";
  const found =
    exact + near === 0
      ? "no copy of a training sample in test"
      : `${plural(exact, "exact copy", "exact copies")} and ${plural(near, "near copy", "near copies")} of training samples in test`;
  return dropped > 0 ? `${found} (${plural(dropped, "copy", "copies")} left out of train and dev)` : found;
}

type Fact = [term: string, fact: string | Html];

export function factList(facts: readonly Fact[]): Html {
  return html`<dl>${facts.map(([term, fact]) => html`<dt>${term}</dt><dd>${fact}</dd>`)}</dl>`;
}

/** The same for a task that is not the study's own, to follow a semicolon. */
export function elsewhereOpened({ tasks }: StudyRecord, task: TaskCard): string {
  return task === tasks[0] || !task.openedBefore ? "" : `; ${sayOpenedBefore(task.openedBefore)}`;
}

/** How the test split was kept: openings, leakage, fingerprints, the hand-over and the gate. */
export function sealFacts(record: StudyRecord): Fact[] {
  const facts: Fact[] = [["the seal", sayOpenings(record.openings, record.openedBefore)]];
  for (const task of record.tasks) {
    const { train, dev, test, eyesOff } = task.counts;
    const sizes = [`${formatWhole(train)} train`, `${formatWhole(dev)} dev`, `${formatWhole(test)} test`];
    if (eyesOff > 0) sizes.push(`of these ${formatWhole(eyesOff)} eyes-off`);
    facts.push([
      task.name,
      html`${sizes.join(", ")}; ${copiesFound(task.leakage)}${elsewhereOpened(record, task)}.<br><span class="quiet">source</span> <bdi>${oneLine(task.source, 300)}</bdi><br><span class="quiet">test split</span> <code>${oneLine(task.testFingerprint, 80)}</code>`,
    ]);
  }
  if (record.handOver) {
    const { path, subject } = record.handOver;
    facts.push([
      "hand-over",
      html`<code>${oneLine(path, 300)}</code> (<code>${oneLine(subject, 80)}</code>), loaded again. ${handedOverText(record)}`,
    ]);
  }
  if (record.gate) facts.push([record.gate.met ? "gate met" : "gate not met", record.gate.text]);
  return facts;
}

export function reproduceFacts(record: StudyRecord): Fact[] {
  return [
    ["command", html`<code class="command">${oneLine(record.reproduce, 1000)}</code>`],
    ["model", record.model],
    ["seeds", record.seeds.join(", ")],
    ["hone", record.hone],
    ["machine", record.machine],
    ["took", `${formatDuration(1000 * record.seconds)}, ${formatCost(record.spentUsd)}`],
    ["made", formatDate(record.at)],
  ];
}

/** Every subject's fingerprints and the chain of specializers behind it. */
export function subjectList(record: StudyRecord): Html {
  return html`<table><thead><tr><th scope="col">subject</th><th scope="col">made by</th><th scope="col">fingerprint</th></tr></thead><tbody>${record.subjects.map(
    (subject) =>
      html`<tr><th scope="row">${subjectName(record, subject.name)}</th><td>${
        subject.chain.length === 0
          ? html`<span class="quiet">${subject.role}</span>`
          : subject.chain.map(
              ({ name, options }, i) =>
                html`${i > 0 && " → "}<code>${oneLine(name, 80)} ${oneLine(JSON.stringify(options), 300)}</code>`,
            )
      }</td><td>${subject.ids.map((id) => html`<code>${oneLine(id, 80)}</code> `)}</td></tr>`,
  )}</tbody></table>`;
}
