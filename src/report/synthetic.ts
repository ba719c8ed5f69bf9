// Views of synthetic data: the funnel of the filter, histograms, and pairs with their lineage. A section of a study's
// report, and a page of its own beside the data. Every text comes from a model and is escaped.

import { createHash } from "node:crypto";
import { createReadStream, existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { SyntheticCard } from "../core/synthetic.js";
import { clip, type Html, html, oneLine, visibleText } from "./escape.js";
import { formatWhole } from "./format.js";
import type { Source } from "./gather.js";
import { style } from "./style.js";

/** The fields of a line of pairs.jsonl that are shown. */
export interface ShownPair {
  id: string;
  pair: {
    instruction?: string;
    input?: string;
    question?: string;
    options?: readonly { key: string; text: string }[];
    response?: string;
  };
  lineage: {
    seeds: readonly string[];
    shots: readonly string[];
    passages: readonly string[];
    writer: string;
    responder: string | null;
    sampling: { temperature: number; topP: number; seed: number };
  };
}

const mostShown = 100;
const mostText = 4000;

/** The first pairs of a file; none if it is missing. */
export async function readPairs(path: string, most = mostShown): Promise<ShownPair[]> {
  if (!existsSync(path)) return [];
  const stream = createReadStream(path);
  const pairs: ShownPair[] = [];
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    pairs.push(JSON.parse(line) as ShownPair);
    if (pairs.length === most) break;
  }
  stream.destroy();
  return pairs;
}

/** One set of data of a study, with its first pairs. */
export interface ShownData {
  name: string;
  card: SyntheticCard;
  pairs: ShownPair[];
}

/** Every set of a study that differs from those before, with its first pairs. */
export async function readSynthetic({
  record,
  pairs,
}: Pick<Source, "record" | "pairs">): Promise<ShownData[]> {
  const shown = new Map<string, ShownData>();
  for (const { name, synthetic = [] } of record.subjects) {
    for (const { artifact, card } of synthetic) {
      const known = shown.get(artifact);
      if (known) known.name = `${known.name}; ${name}`;
      else {
        const path = pairs?.(artifact);
        shown.set(artifact, { name, card, pairs: path === undefined ? [] : await readPairs(path) });
      }
    }
  }
  return [...shown.values()];
}

/** The section of one set of data. */
export function syntheticFigure(card: SyntheticCard, pairs: readonly ShownPair[]): Html {
  if (card.way === "labels") return labelled(card, pairs);
  const who = card.self
    ? "Written and answered by the model that was trained on it."
    : `Written by ${card.writers.join(", ")}${card.responders.length > 0 ? `, answered by ${card.responders.join(", ")}` : ""}: another model's data (distillation).`;
  const how = `${formatWhole(card.pairs)} pairs of ${formatWhole(card.attempts)} attempts from ${formatWhole(card.seeds)} seeds. ${who} Temperature ${card.sampling.temperature}, top-p ${card.sampling.topP}.`;
  return described(how, card, pairs);
}

/** Rows that people wrote, with only the answer from a model. */
function labelled(card: SyntheticCard, pairs: readonly ShownPair[]): Html {
  const { attempts, responders, taken } = card;
  const sure =
    taken &&
    (taken.confidence === null
      ? " None was used for training: no confidence threshold was high enough."
      : ` Used for training: the ${formatWhole(taken.pairs)} whose label had a probability of at least ${taken.confidence.toFixed(2)}.`);
  const rows = `${formatWhole(card.pairs)} of ${formatWhole(attempts)} given rows, labelled by ${responders.join(", ") || "nobody"}.`;
  return described(`${rows}${sure ?? ""}`, card, pairs);
}

function described(how: string, card: SyntheticCard, pairs: readonly ShownPair[]): Html {
  return html`<p class="note">${visibleText(how)}</p>
<table><thead><tr><th scope="col">rule</th><th scope="col" class="num">met</th><th scope="col" class="num">refused</th><th scope="col">commonest reasons</th></tr></thead><tbody>
${card.funnel.map(({ rule, met, refused, reasons }) => html`<tr><td>${rule}</td><td class="num">${formatWhole(met)}</td><td class="num">${formatWhole(refused)}</td><td>${said(reasons)}</td></tr>`)}
</tbody></table>
<table><tbody>
${row("forms", said(card.forms))}${row("answers", said(card.answers))}${row("topics (pairs with the word)", said(card.topics))}
${row("words asked", binned(card.lengths.asked))}${row("words of responses", binned(card.lengths.response))}
${row("diversity", `${formatWhole(card.diversity.words)} different words, distinct-1 ${card.diversity.distinct1.toFixed(3)}, distinct-2 ${card.diversity.distinct2.toFixed(3)}`)}
${row("refused as copies of", `dev ${card.overlap.dev}, test ${card.overlap.test}`)}
</tbody></table>
${
  pairs.length > 0 &&
  html`<details><summary>${pairs.length < card.pairs ? `The first ${pairs.length} pairs` : "All pairs"}, with what they were made from</summary>
${pairs.map(pairFigure)}</details>`
}`;
}

function row(name: string, value: string): Html {
  return html`<tr><th scope="row">${name}</th><td>${visibleText(value)}</td></tr>`;
}

function said(items: readonly (readonly [string | number, number])[]): string {
  return items.map(([name, count]) => `${oneLine(String(name), 60)} ${formatWhole(count)}`).join(", ");
}

/** Bins by their two ends: `16 to 31: 75`. */
function binned(bins: SyntheticCard["lengths"]["asked"]): string {
  return bins
    .map(([from, count]) => `${from < 2 ? from : `${from} to ${2 * from - 1}`}: ${formatWhole(count)}`)
    .join(", ");
}

function pairFigure({ id, pair, lineage }: ShownPair): Html {
  const text = (value = "") => visibleText(clip(value, mostText));
  const { options = [], response = "" } = pair;
  const answer = options.find(({ key }) => key === response)?.text ?? response;
  return html`<details><summary><bdi>${oneLine(id, 60)}</bdi> <bdi>${oneLine(pair.instruction ?? "", 100)}</bdi></summary>
<dl class="facts"><dt>instruction</dt><dd>${text(pair.instruction)}</dd><dt>input</dt><dd>${text(pair.input)}</dd>
${pair.question ? html`<dt>question</dt><dd>${text(pair.question)}</dd>` : null}
${options.length > 0 ? html`<dt>options</dt><dd>${options.map(({ text: option }, i) => html`${i > 0 && " · "}<bdi>${text(option)}</bdi>`)}</dd>` : null}
<dt>response</dt><dd>${text(answer)}</dd>
<dt>made from</dt><dd>seeds ${oneLine(lineage.seeds.join(", "), 300)}; answered after ${oneLine(lineage.shots.join(", ") || "none", 300)}${lineage.passages.length > 0 && `; passages ${oneLine(lineage.passages.join(", "), 200)}`}; ${oneLine(lineage.writer, 80)}${lineage.responder !== null && `, answered by ${oneLine(lineage.responder, 80)}`}; seed ${lineage.sampling.seed}</dd></dl></details>`;
}

/** index.html beside the data. */
export async function writeSyntheticPage(
  folder: string,
  title: string,
  card: SyntheticCard,
  pairs: string,
): Promise<void> {
  const policy = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'; base-uri 'none'; form-action 'none'`;
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">
<title>${oneLine(title, 120)} · synthetic data · hone</title><style>${{ markup: style }}</style></head>
<body><header><p class="kicker">Hone synthetic data</p><h1><bdi>${oneLine(title, 120)}</bdi></h1></header>
<main><section>${syntheticFigure(card, await readPairs(pairs))}</section></main></body></html>
`;
  await writeFile(join(folder, "index.html"), page.markup, { mode: 0o600 });
}
