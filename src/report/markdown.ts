// The report as Markdown: the same facts as the page, in tables that read well as plain text and on a forge.
// It prints a few samples in full; the page can open any of them.

import { detailOf, metricOf, type StudyRecord } from "../core/record.js";
import { episodeWords } from "./episode-figures.js";
import { fenced, escapeMarkdown as md } from "./escape.js";
import { ranked } from "./figures.js";
import {
  differenceUnit,
  formatBare,
  formatCost,
  formatCount,
  formatDate,
  formatDelta,
  formatDeltaInterval,
  formatDuration,
  formatInterval,
  formatP,
  formatScore,
  formatWhole,
  handedOverText,
  metricHead,
  sayOpenings,
  testName,
} from "./format.js";
import { type Confusion, type Gathered, meanScore, type SampleRow, type Source } from "./gather.js";
import { nameOf, perTask, section, table } from "./markdown-parts.js";
import { movementWords } from "./movement-words.js";
import { optimizedWords } from "./optimized.js";
import { describeStudy, leftOut, verdictText } from "./page.js";
import { fromGeneralist } from "./profile.js";
import { searchWords } from "./search-figures.js";
import {
  comparisonNote,
  copiesFound,
  detailNames,
  detailText,
  devScore,
  elsewhereOpened,
  matrixOf,
  resultNotes,
  scoreBounds,
} from "./tables.js";
import { trainingWords } from "./training-figures.js";

const maxSamples = 20;
const maxText = 4_000;

export function renderMarkdown(source: Source, gathered: Gathered): string {
  const { record } = source;
  const parts = [
    `# ${md(record.study, 120)}`,
    md(describeStudy(record)),
    `**Verdict.** ${md(verdictText(record), 5_000)}`,
    ...(record.stopped && record.verdict ? [`The run was stopped: ${md(record.stopped)}.`] : []),
    ...section(
      "Warnings",
      record.warnings?.length ? [record.warnings.map((text) => `- ${md(text, 2_000)}`).join("\n")] : [],
    ),
    ...(record.gate ? [`**Gate ${record.gate.met ? "met" : "not met"}.** ${md(record.gate.text)}`] : []),
    ...results(record),
    ...comparisons(record),
    ...profile(record),
    ...movementWords(record, gathered.movements),
    ...trainingWords(record, md),
    ...searchWords(record, md),
    ...optimizedWords(record, md),
    ...episodeWords(record, gathered.episodes),
    ...confusions(record, gathered.confusions),
    ...eyes(record),
    ...unscored(record),
    ...samples(source, gathered),
    ...seal(record),
    ...reproduce(record),
  ];
  return `${parts.join("\n\n")}\n`;
}

function results(record: StudyRecord): string[] {
  return section(
    "Results",
    perTask(record, (task) => {
      const rows = ranked(record, task);
      const [best] = rows;
      if (!best) return [];
      const metric = metricOf(record, task);
      const scale = metric.display;
      const more = detailNames(rows);
      const head = [
        "subject",
        md(metricHead(metric)),
        "95 % interval",
        "n",
        "unscored",
        "bounds",
        "majority",
        "chance",
        "dev",
      ];
      head.push(
        ...more.map((name) => md(metricHead(detailOf(record, task, name)), 40)),
        "build tokens",
        "build time",
        "build money",
      );
      head.push("tokens in", "tokens out", "median", "money per answer");
      const line = (r: (typeof rows)[number]): string[] => [
        nameOf(record, r.subject),
        formatScore(r.mean, r.n, scale),
        formatInterval(r.low, r.high, r.n, scale),
        formatWhole(r.n),
        formatWhole(r.unscored),
        scoreBounds(r, metric),
        r.baseline > 0 ? formatBare(r.baseline, r.n, scale) : "–",
        r.chance === null ? "–" : formatBare(r.chance, r.n, scale),
        devScore(r, scale),
        ...more.map((name) => detailText(record, r, name)),
        formatCount(r.build.inputTokens + r.build.outputTokens),
        formatDuration(1000 * r.build.seconds),
        formatCost(r.build.usd),
        formatCount(r.perAnswer.inputTokens),
        formatCount(r.perAnswer.outputTokens),
        formatDuration(r.perAnswer.msMedian),
        formatCost(r.perAnswer.usd),
      ];
      return [table(head, rows.map(line)), ...resultNotes(record, task).map((note) => md(note, 300))];
    }),
  );
}

function comparisons(record: StudyRecord): string[] {
  const tables = perTask(record, (task) => {
    const metric = metricOf(record, task);
    const scale = metric.display;
    const rows = record.comparisons
      .filter((comparison) => comparison.task === task)
      .map((c) => [
        `${md(c.a, 64)} against ${md(c.b, 64)}`,
        formatDelta(c.delta, c.n, scale),
        formatDeltaInterval(c.low, c.high, c.n, scale),
        md(formatP(c.pAdjusted)),
        testName(c.test),
        formatBare(c.detectable, c.n, scale),
        formatWhole(c.n),
      ]);
    const unit = differenceUnit(metric);
    const head = [
      "comparison",
      unit ? `difference, ${unit}` : "difference",
      "95 % interval",
      "Holm p",
      "test",
      "detectable",
      "n",
    ];
    return rows.length > 0 ? [table(head, rows, [0, 4])] : [];
  });
  return section("Comparisons", tables.length > 0 ? [md(comparisonNote(record), 2_000), ...tables] : []);
}

function profile(record: StudyRecord): string[] {
  if (record.results.length === 0) return [];
  const rows = record.subjects.map(({ name }) => [
    nameOf(record, name),
    ...record.tasks.map((task) => {
      const own = record.results.find((result) => result.subject === name && result.task === task.name);
      if (!own || own.n === 0) return "–";
      const { display } = task.metric;
      const score = formatScore(own.mean, own.n, display);
      const said = fromGeneralist(record, name, task.name);
      if (!said) return score;
      const delta = formatDelta(said.delta, said.n, display);
      return `${score} (${said.shown ? `**${delta}**` : delta})`;
    }),
  ]);
  const head = ["subject", ...record.tasks.map((task) => md(`${task.name}, ${metricHead(task.metric)}`, 80))];
  const note =
    "Score, and difference from the generalist; bold where the difference is significant after Holm's correction.";
  return section("Specialization profile", [note, table(head, rows)]);
}

function confusions(record: StudyRecord, all: readonly Confusion[]): string[] {
  return section(
    "Confusion",
    perTask(record, (task) => {
      const own = all.filter((confusion) => confusion.task.name === task);
      const shown = own.find((confusion) => confusion.subject.name === record.verdict?.champion) ?? own[0];
      if (!shown) return [];
      const { names, heads, rows, precision } = matrixOf(shown);
      const lines = rows.map(({ name, cells, all, recall }) => [
        md(name, 60),
        ...[...cells, all].map(formatWhole),
        recall,
      ]);
      const foot = ["precision", ...precision, ...heads.slice(names.length).map(() => ""), "", ""];
      return [
        `Rows are the right answer, columns what ${md(shown.subject.name, 64)} chose; recall counts scored samples only.`,
        table(["", ...heads.map((head) => md(head, 60)), "all", "recall"], [...lines, foot]),
      ];
    }),
  );
}

function eyes(record: StudyRecord): string[] {
  const rows = record.results.flatMap((r) => {
    if (!r.eyes) return [];
    const scale = metricOf(record, r.task).display;
    const cells = [r.eyes.on, r.eyes.off].flatMap((part) => [
      formatScore(part.mean, part.n, scale),
      formatInterval(part.low, part.high, part.n, scale),
      formatWhole(part.n),
    ]);
    return [[nameOf(record, r.subject), md(r.task, 60), ...cells]];
  });
  const head = ["subject", "task", "eyes-on", "95 % interval", "n", "eyes-off", "95 % interval", "n"];
  return section("Eyes-on and eyes-off", rows.length > 0 ? [table(head, rows, [0, 1])] : []);
}

function unscored(record: StudyRecord): string[] {
  const rows = record.results.flatMap((r) =>
    Object.entries(r.causes)
      .filter(([, count]) => count > 0)
      .map(([cause, count]) => [
        nameOf(record, r.subject),
        md(r.task, 60),
        md(cause, 60),
        formatWhole(count),
      ]),
  );
  if (record.results.length === 0) return [];
  const none = "Every sample was scored for every subject.";
  return section("Unscored", [
    rows.length > 0 ? table(["subject", "task", "cause", "answers"], rows, [0, 1, 2]) : none,
  ]);
}

function samples(source: Source, gathered: Gathered): string[] {
  const { record } = source;
  const shown = gathered.rows.slice(0, maxSamples);
  const all = gathered.samples.reduce((sum, count) => sum + count, 0);
  if (all === 0) return [];
  return section("Samples", [
    md(leftOut(shown.length, all)),
    ...shown.flatMap((row) => oneSample(source, record, row)),
  ]);
}

function oneSample(source: Source, record: StudyRecord, row: SampleRow): string[] {
  const task = record.tasks[row.task]?.name ?? "";
  const text = source.samples(task, row.id);
  const rows = row.answers.flatMap((answers, s) => {
    if (answers.length === 0) return [];
    const said = answers.map(({ grade }) =>
      grade.status === "scored" ? grade.prediction : `unscored: ${grade.cause}`,
    );
    const score = meanScore(answers);
    const shown = score === null ? "–" : String(Number(score.toPrecision(3)));
    return [[nameOf(record, record.subjects[s]?.name ?? ""), md([...new Set(said)].join(" / "), 200), shown]];
  });
  return [
    `### ${md(row.id, 80)}`,
    ...(text
      ? [fenced(text.question === undefined ? text.input : `${text.input}\n\n${text.question}`, maxText)]
      : []),
    ...(row.right.some((answer) => answer !== "") ? [`Right answer: ${md(row.right.join(" / "), 200)}`] : []),
    table(["subject", "answer", "score"], rows, [0, 1]),
  ];
}

function seal(record: StudyRecord): string[] {
  const lines = [`- ${sayOpenings(record.openings, record.openedBefore)}`];
  for (const task of record.tasks) {
    const { name, counts, source, testFingerprint, leakage } = task;
    const sizes = `${formatWhole(counts.train)} train, ${formatWhole(counts.dev)} dev, ${formatWhole(counts.test)} test (${formatWhole(counts.eyesOff)} eyes-off)`;
    lines.push(
      `- ${md(name, 80)}: ${sizes}; ${copiesFound(leakage)}${elsewhereOpened(record, task)}; source ${md(source, 300)}; test split ${md(testFingerprint, 80)}`,
    );
  }
  if (record.handOver) {
    lines.push(`- hand-over: ${md(record.handOver.path, 300)}, loaded again. ${handedOverText(record)}`);
  }
  return section("The seal", [lines.join("\n")]);
}

function reproduce(record: StudyRecord): string[] {
  const facts = [
    `- model: ${md(record.model)}`,
    `- seeds: ${record.seeds.join(", ")}`,
    `- hone: ${md(record.hone)}`,
    `- machine: ${md(record.machine)}`,
    `- took: ${formatDuration(1000 * record.seconds)}, ${formatCost(record.spentUsd)}`,
    `- made: ${md(formatDate(record.at))}`,
  ];
  const rows = record.subjects.map(({ name, role, ids, chain }) => [
    nameOf(record, name),
    role,
    chain.map((step) => md(`${step.name} ${JSON.stringify(step.options)}`, 400)).join(" → ") || "–",
    ids.map((id) => md(id, 80)).join(" "),
  ]);
  return section("How to reproduce", [
    fenced(record.reproduce, 2_000),
    facts.join("\n"),
    table(["subject", "role", "made by", "fingerprints"], rows, [0, 1, 2, 3]),
  ]);
}
