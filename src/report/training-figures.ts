// The report's drawings of training runs: loss curves, what the models wrote, and for mixtures which domains' tokens went to
// which expert, how even the load is and how alike experts are. They work without a script.

import type { StudyRecord, SubjectCard } from "../core/record.js";
import type { ExpertLayer, ExpertNotes, TrainingNotes } from "../core/training.js";
import * as chart from "./chart.js";
import { type Html, html, oneLine, visibleText } from "./escape.js";
import { subjectName } from "./figures.js";
import { formatWhole } from "./format.js";

/** Most subjects that are drawn, and most layers of each. */
const maxSubjects = 16;
const maxLayers = 4;

interface Trained {
  name: string;
  seeds: readonly number[];
  training: readonly TrainingNotes[];
}

function trainedOf({ subjects }: StudyRecord): Trained[] {
  return subjects
    .filter((card): card is SubjectCard & { training: TrainingNotes[] } => (card.training?.length ?? 0) > 0)
    .slice(0, maxSubjects)
    .map(({ name, seeds, training }) => ({ name, seeds, training }));
}

/** The section's body; empty if no subject has training notes. */
export function trainingSection(record: StudyRecord): Html {
  const trained = trainedOf(record);
  if (trained.length === 0) return html``;
  const values = trained.flatMap(({ training }) =>
    training.flatMap(({ curve, heldOut }) => [...curve, ...heldOut].map(([, value]) => value)),
  );
  const low = Math.min(...values);
  // The first steps are far above all the others.
  const high = [...values].sort((a, b) => a - b)[Math.floor(0.97 * (values.length - 1))] as number;
  const axis = chart.linearAxis(low - 0.05 * (high - low), high + 0.05 * (high - low), 4);
  const cards = trained.map(
    ({ name, training }) =>
      html`<figure class="movement"><figcaption>${subjectName(record, name)}</figcaption>
${curvePanel(training, axis, `loss of ${oneLine(name, 64)}`)}${factsOf(training[0] as TrainingNotes)}</figure>`,
  );
  const unit = trained[0]?.training[0]?.unit ?? "";
  return html`<p class="note">${oneLine(unit, 40)} over steps: thin lines are training batches, circles held-out texts; one line per seed.</p>
<div class="movements">${cards}</div>${trained.map(experts)}${trained.map(written)}`;
}

const height = 150;

function curvePanel(training: readonly TrainingNotes[], axis: chart.Axis, label: string): Html {
  const steps = Math.max(...training.flatMap(({ curve }) => curve.map(([step]) => step)), 1);
  const x = (step: number) => 12 + (86 * step) / steps;
  const y = (value: number) => 8 + (height - 30) * (1 - Math.min(100, Math.max(0, axis.at(value))) / 100);
  const lines = training.flatMap(({ curve }) =>
    curve.slice(1).map(([step, value], i) => {
      const [before, old] = curve[i] as [number, number];
      return html`<line class="hand" x1="${chart.px(x(before))}%" y1="${chart.px(y(old))}" x2="${chart.px(x(step))}%" y2="${chart.px(y(value))}"/>`;
    }),
  );
  const points = training.flatMap(({ heldOut }) =>
    heldOut.map(([step, value]) => chart.hollow(x(step), y(value))),
  );
  const ticks = axis.ticks.map((tick) => chart.words(String(tick), 10, y(tick) + 4, "end"));
  return chart.canvas(
    height,
    [...ticks, ...lines, ...points, chart.words(`${formatWhole(steps)} steps`, 98, height - 4, "end")],
    label,
  );
}

function factsOf({ facts }: TrainingNotes): Html {
  const rows = Object.entries(facts).map(([name, value]) => {
    const text = Number.isInteger(value)
      ? formatWhole(value)
      : value >= 1000
        ? formatWhole(Math.round(value))
        : value.toFixed(2);
    return html`<div><dt>${oneLine(name, 60)}</dt><dd>${text}</dd></div>`;
  });
  return html`<dl class="facts">${rows}</dl>`;
}

/** Heat maps of a mixture's first seed. */
function experts({ name, seeds, training }: Trained): Html {
  const notes = training[0]?.experts;
  if (!notes) return html``;
  const layers = notes.layers.slice(0, maxLayers);
  return html`<h3>Experts of <bdi>${oneLine(name, 80)}</bdi>, seed ${String(seeds[0])}</h3>
<p class="note">Rows are experts, columns domains; a darker cell is a larger share of the expert's tokens. Below: similarity of the experts (linear CKA); darker is more similar.</p>
<div class="movements">${layers.map((layer) => layerFigure(notes, layer))}</div>${probeTable(notes)}`;
}

function layerFigure({ domains }: ExpertNotes, layer: ExpertLayer): Html {
  const { information, shuffled, maxViolation } = layer;
  const caption = `layer ${layer.layer}: information ${information.toFixed(3)} (shuffled ${shuffled.mean.toFixed(3)}, 95 % below ${shuffled.high.toFixed(3)}), MaxVio ${maxViolation.toFixed(2)}`;
  const most = Math.max(...layer.byDomain.flat(), 1e-9);
  const names = domains.map((domain, d) =>
    chart.words(oneLine(domain, 9), ((d + 0.5) * 100) / domains.length, 10, "middle", "small"),
  );
  return html`<figure class="movement"><figcaption>${caption}</figcaption>
${heatMap(layer.byDomain, (value) => value / most, `routing by domain, ${caption}`, names)}
${heatMap(layer.similarity, (value) => value, `similarity of experts, ${caption}`)}</figure>`;
}

function heatMap(
  rows: readonly (readonly number[])[],
  shade: (value: number) => number,
  label: string,
  names: Html[] = [],
): Html {
  const top = names.length > 0 ? 16 : 2;
  const step = Math.max(5, Math.min(14, 240 / Math.max(1, rows.length)));
  const cells = rows.flatMap((row, i) =>
    row.map((value, j) => {
      const width = 100 / row.length;
      const opacity = Math.round(100 * Math.min(1, Math.max(0, shade(value)))) / 100;
      return html`<rect class="cell" x="${chart.px(j * width)}%" y="${chart.px(top + i * step)}" width="${chart.px(width)}%" height="${chart.px(step)}" fill-opacity="${String(opacity)}"><title>${`expert ${i}: ${value.toFixed(3)}`}</title></rect>`;
    }),
  );
  return chart.canvas(top + step * rows.length + 4, [...names, ...cells], label);
}

function probeTable({ probes }: ExpertNotes): Html {
  if (probes.length === 0) return html``;
  const whole = probes[0]?.value ?? 0;
  return html`<table><thead><tr><th scope="col">experts at test time</th><th scope="col" class="num">bits per byte, dev</th><th scope="col" class="num">increase</th></tr></thead>
<tbody>${probes.map(({ what, value }) => html`<tr><td>${oneLine(what, 60)}</td><td class="num">${value.toFixed(3)}</td><td class="num">${((value - whole).toFixed(3) === "-0.000" ? 0 : value - whole).toFixed(3)}</td></tr>`)}</tbody></table>`;
}

function written({ name, training }: Trained): Html {
  const texts = training[0]?.texts ?? [];
  if (texts.length === 0) return html``;
  return html`<details><summary>What <bdi>${oneLine(name, 80)}</bdi> wrote</summary><ul>${texts.map(
    ({ given, text }) => html`<li><b>${visibleText(given, 200)}</b>${visibleText(text, 400)}</li>`,
  )}</ul></details>`;
}

/** The same for the Markdown report: figures of the last step, and what changes of experts cost. */
export function trainingWords(record: StudyRecord, md: (text: string, most?: number) => string): string[] {
  const trained = trainedOf(record);
  if (trained.length === 0) return [];
  const line = ({ name, training }: Trained) => {
    const [notes] = training as [TrainingNotes];
    const last = notes.heldOut.at(-1)?.[1];
    const experts = notes.experts?.layers ?? [];
    const mean = (of: (layer: ExpertLayer) => number) =>
      experts.length > 0 ? (experts.reduce((sum, one) => sum + of(one), 0) / experts.length).toFixed(3) : "";
    return `| ${md(name, 80)} | ${last?.toFixed(3) ?? ""} | ${notes.facts.parameters ?? ""} | ${Math.round(notes.facts["activated parameters"] ?? 0) || ""} | ${mean(({ maxViolation }) => maxViolation)} | ${mean(({ information }) => information)} |`;
  };
  return [
    "## Training",
    [
      "| subject | final dev, first seed | parameters | activated | MaxVio | information of domains |",
      "| --- | ---: | ---: | ---: | ---: | ---: |",
      ...trained.map(line),
    ].join("\n"),
  ];
}
