// A reproduction's result for people: as text for a terminal, and as Markdown for a permanent page.

import type { Claim } from "../papers/claim.js";
import type { Reproduction } from "../papers/paper.js";
import { escapeMarkdown, oneLine } from "../report/escape.js";
import { formatBare, formatDuration, formatInterval, formatP } from "../report/format.js";
import { table } from "./table.js";

/** Tables, claims and notes on them, as text for a terminal. */
export function renderReproduction(result: Reproduction): string {
  const parts = result.tables.map(({ title, head, rows, right }) => `${title}\n${table(head, rows, right)}`);
  parts.push(
    `Claims (differences in ${result.unit ?? "points"}; interval and Holm's p over all claims are ours)\n${table(
      claimsHead,
      result.claims.map((claim) => [claim.id, oneLine(claim.claim, 90), ...figuresOf(claim)]),
      claimsNumbers,
    )}`,
  );
  parts.push(`What differs from the paper\n${result.deviations.map((one) => `- ${one}`).join("\n")}`);
  if (result.stopped !== null) parts.push(`Stopped: ${result.stopped}. The same command continues.`);
  const shown = result.studies.map((study) => `hone show ${study}`).join(", ");
  parts.push(
    `${result.models.join(" and ")}, ${formatDuration(result.seconds * 1000)}.${shown ? ` Each study in full: ${shown}` : ""}`,
  );
  return parts.join("\n\n");
}

function took({ seconds, studySeconds }: Reproduction): string {
  return studySeconds === undefined
    ? `${formatDuration(seconds * 1000)} for what was not in the journal`
    : `${formatDuration(studySeconds * 1000)} over all runs of its studies`;
}

const claimsHead = ["", "claim", "paper", "ours", "95 %", "Holm p", "n", "holds"];
const claimsNumbers = [2, 3, 4, 5, 6];

/** The paper's figure, ours, its interval, the adjusted p, n, and whether the claim holds. */
function figuresOf(claim: Claim): string[] {
  const { published, measured, low, high, unit } = claim;
  const scale = unit === undefined ? "percent" : "number";
  const told = (value: number | null) => (value === null ? "–" : formatBare(value, 100, scale));
  return [
    told(published),
    `${told(measured)}${unit === undefined || measured === null ? "" : ` ${unit}`}`,
    low === null || high === null ? "–" : formatInterval(low, high, 100, scale),
    claim.pAdjusted === null ? "–" : formatP(claim.pAdjusted),
    String(claim.n),
    verdictOf(claim),
  ];
}

function verdictOf({ measured, holds, opposite }: Claim): string {
  if (measured === null) return "not measured";
  if (holds === null) return "not judged";
  return holds ? "holds" : opposite ? "the opposite" : "not shown";
}

/** The same as Markdown: claims first, then the tables and the deviations from the paper. */
export function markdownReproduction(result: Reproduction): string {
  const cell = (text: string) => escapeMarkdown(text, 500).replaceAll("\n", " ");
  const grid = (head: readonly string[], rows: readonly (readonly string[])[], right: readonly number[]) =>
    [
      `| ${head.map(cell).join(" | ")} |`,
      `|${head.map((_, i) => (right.includes(i) ? "---:" : "---")).join("|")}|`,
      ...rows.map((row) => `| ${row.map(cell).join(" | ")} |`),
    ].join("\n");
  const adjusted = result.claims.some((claim) => typeof claim.pAdjusted === "number");
  const claims = result.claims.map((claim) => [claim.id, claim.claim, ...figuresOf(claim)]);
  return [
    `# ${cell(result.paper)}: ${cell(result.preset)}`,
    `\`npx hone reproduce ${result.paper}${result.preset === "full" ? "" : ` --${result.preset}`}\`, ${result.at.slice(0, 10)}, Hone ${cell(result.hone)}, ${cell(result.machine)}, ${took(result)}.`,
    "## Claims",
    `Differences in ${result.unit ?? "points"}; a claim holds where the whole 95 % interval lies on its side${adjusted ? " and its p, adjusted over all claims (Holm), is below 0.05" : " (measured before p was adjusted over all claims)"}.`,
    grid(claimsHead, claims, claimsNumbers),
    ...result.tables.flatMap(({ title, head, rows, right }) => [
      `## ${cell(title)}`,
      grid(head, rows, right),
    ]),
    "## What differs from the paper",
    result.deviations.map((one) => `- ${cell(one)}`).join("\n"),
  ].join("\n\n");
}
