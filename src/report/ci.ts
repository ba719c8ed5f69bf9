// A study's result for continuous integration: JUnit XML, and a summary for a GitHub step. All text in them is escaped.

import { metricOf, type StudyRecord } from "../core/record.js";
import { escapeHtml, escapeMarkdown as md, plainText } from "./escape.js";
import { formatInterval, formatScore, formatWhole, handedOverText, metricHead } from "./format.js";

interface Case {
  name: string;
  /** Why it failed; absent if it did not. */
  failure?: string;
  /** Why it was not checked. */
  skipped?: string;
  /** Output to show. */
  out?: string;
}

/** The checks of a study that can fail: its gate, its hand-over, and that every sample was scored. */
function casesOf(record: StudyRecord): Case[] {
  const { gate, handOver, stopped, noVerdict, results, verdict } = record;
  const cases: Case[] = [
    {
      name: "it has a verdict",
      ...(stopped !== null || noVerdict !== undefined || !verdict
        ? { failure: stopped ?? noVerdict ?? "there is none" }
        : { out: verdict.text }),
    },
  ];
  if (gate)
    cases.push({ name: "the gate is met", ...(gate.met ? { out: gate.text } : { failure: gate.text }) });
  if (handOver) {
    const { n, agree } = handOver;
    const told = handedOverText(record);
    cases.push({
      name: "what is handed over is what was measured",
      ...(n === 0 ? { skipped: told } : agree === n ? { out: told } : { failure: told }),
    });
  }
  for (const { subject, task, n, unscored, causes, mean, low, high } of results) {
    const metric = metricOf(record, task);
    const score =
      n > 0
        ? `${metric.name} ${formatScore(mean, n, metric.display)} (${formatInterval(low, high, n, metric.display)}), n = ${n}`
        : "not measured";
    const why = Object.entries(causes).map(([cause, count]) => `${cause}: ${count}`);
    cases.push({
      name: `${subject} on ${task} is scored`,
      ...(unscored > 0
        ? { failure: `${formatWhole(unscored)} samples are unscored (${why.join(", ")}); ${score}` }
        : { out: score }),
    });
  }
  return cases;
}

/** The result as JUnit XML: a suite for the study, a case for each thing that can fail. */
export function renderJunit(record: StudyRecord): string {
  const cases = casesOf(record);
  const count = (kind: "failure" | "skipped") => cases.filter((one) => one[kind] !== undefined).length;
  const x = (text: string, limit = 4_000) => escapeHtml(plainText(text, limit));
  const body = cases.map(({ name, failure, skipped, out }) => {
    const inner =
      failure !== undefined
        ? `\n    <failure message="${x(failure, 400)}">${x(failure)}</failure>\n  `
        : skipped !== undefined
          ? `\n    <skipped message="${x(skipped, 400)}"/>\n  `
          : out === undefined
            ? ""
            : `\n    <system-out>${x(out)}</system-out>\n  `;
    return `  <testcase classname="${x(record.study, 200)}" name="${x(name, 300)}" time="0">${inner}</testcase>`;
  });
  const attributes = `name="${x(record.study, 200)}" tests="${cases.length}" failures="${count("failure")}" errors="0" skipped="${count("skipped")}" time="${record.seconds.toFixed(3)}" timestamp="${x(record.at.slice(0, 19))}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n<testsuite ${attributes}>\n${body.join("\n")}\n</testsuite>\n</testsuites>\n`;
}

/** The result as Markdown for a GitHub step: gate, verdict, and a table of the subjects. */
export function renderStepSummary(record: StudyRecord): string {
  const { gate, verdict, stopped, noVerdict, results, tasks, study } = record;
  const parts = [`## ${md(study, 120)}`];
  if (gate) parts.push(`**Gate ${gate.met ? "met" : "not met"}.** ${md(gate.text)}`);
  parts.push(md(verdict?.text ?? stopped ?? noVerdict ?? "There is no verdict.", 3_000));
  for (const { name, metric } of tasks) {
    const own = results.filter(({ task, n }) => task === name && n > 0);
    if (own.length === 0) continue;
    const rows = own.map(({ subject, mean, low, high, n, unscored }) => {
      const cells = [
        formatScore(mean, n, metric.display),
        formatInterval(low, high, n, metric.display),
        formatWhole(n),
        formatWhole(unscored),
      ];
      const mark = subject === verdict?.champion ? "**" : "";
      return `| ${mark}${md(subject, 120)}${mark} | ${cells.join(" | ")} |`;
    });
    const head = `| ${md(name, 80)} | ${md(metricHead(metric))} | 95 % interval | n | unscored |`;
    parts.push([head, "|---|---:|---:|---:|---:|", ...rows].join("\n"));
  }
  return `${parts.join("\n\n")}\n\n`;
}
