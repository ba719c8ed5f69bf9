// The report's drawings of movements: hand paths from above, speed and muscle activity over time, a lesion over the intact
// subject, and the frame in which movement-player.ts plays a trial. They work without a script.

import type { StudyRecord } from "../core/record.js";
import * as chart from "./chart.js";
import { embedJson, type Html, html, oneLine } from "./escape.js";
import { roleOf, subjectName } from "./figures.js";
import { formatBare, plural } from "./format.js";
import type { PackedMotion, PackedMovements } from "./movement-player.js";
import { lookOf, type Motion, meanEndError, speedsOf, type TaskMovements } from "./movements.js";

/** Lesion panels overlay two movements, so fewer trials stay readable. */
const maxPairs = 4;

/** The section's body; empty if the study kept no movements. */
export function movementSection(record: StudyRecord, all: readonly TaskMovements[]): Html {
  if (all.length === 0) return html``;
  return html`${all.map((one) => taskFigures(record, one))}${player(record, all)}`;
}

function taskFigures(record: StudyRecord, one: TaskMovements): Html {
  const several = record.tasks.length > 1;
  const tops = one.motions.flat().flatMap((motion) => (motion ? speedsOf(motion.movement) : []));
  const ends = one.motions.flat().flatMap((motion) => (motion ? [lengthOf(motion)] : []));
  const speed = chart.linearAxis(0, Math.max(...tops) * 1.04, 3);
  const time = chart.linearAxis(0, Math.max(...ends), 3);
  const cards = one.subjects.map((s, i) => {
    const motions = one.motions[i] ?? [];
    const name = record.subjects[s]?.name ?? "";
    const style = one.lesioned.some(({ cut }) => cut === s) ? "cut" : roleOf(record, name);
    return html`<figure class="movement"><figcaption>${subjectName(record, name)}</figcaption>
${pathPanel(one, motions, style, `hand paths of ${oneLine(name, 64)}`)}
${speedPanel(motions, speed, time, style, `hand speed of ${oneLine(name, 64)}`)}</figure>`;
  });
  const step = Math.round(100 * gridStep(one));
  const shown = one.trials.map((trial) => oneLine(trial, 40)).join(", ");
  return html`${several && html`<h3><bdi>${oneLine(record.tasks[one.task]?.name ?? "", 80)}</bdi></h3>`}
<p class="note">Hand paths from above and, below them, the hand's speed over time, of the same ${plural(one.trials.length, "test trial")} (${shown}) for every subject. Grid lines are ${step} cm apart.${one.frame.cut && " Paths that run far off are cut at the frame."}</p>
<p class="legend">${key("start")} ${key("target")}${one.frame.shoulder && html` ${key("shoulder")}`}</p>
<div class="movements">${cards}</div>
${lesionFigures(record, one)}${muscleFigure(record, one)}`;
}

/** A symbol of the legend and its label. */
function key(kind: "start" | "target" | "shoulder"): Html {
  const sign = { start: "", target: "", shoulder: "M-4 0h8M0-4v8" }[kind];
  const drawn = sign
    ? html`<path class="shoulder" d="${sign}"/>`
    : html`<circle class="${kind}" r="${kind === "start" ? 2.6 : 4}"/>`;
  return html`<span><svg class="glyph" width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true">${drawn}</svg>${kind}</span>`;
}

function musclesIn(one: TaskMovements): number {
  return one.motions.flat().find(Boolean)?.movement.activation[0]?.length ?? 0;
}

function lengthOf({ movement: { hand, dt } }: Motion): number {
  return (hand.length - 1) * dt;
}

/** Distance of grid lines in m: round, and a handful over the frame. */
function gridStep({ frame }: TaskMovements): number {
  const [first = 0, second = 0.1] = chart.linearAxis(0, Math.max(frame.width, frame.height), 6).ticks;
  return second - first;
}

const mm = (metres: number): number => Math.round(1000 * metres) || 0;

/** Points in whole mm as a path; y points up in space and down on the page. */
function lineOf(points: readonly (readonly [number, number])[]): string {
  const places = points.map(([x, y]) => `${mm(x)} ${mm(-y)}`);
  return places
    .filter((place, i) => place !== places[i - 1])
    .map((place, i) => `${i === 0 ? "M" : "L"}${place}`)
    .join("");
}

function viewBox({ frame: { left, bottom, width, height } }: TaskMovements): string {
  return `${mm(left)} ${mm(-bottom - height)} ${mm(width)} ${mm(height)}`;
}

function gridPath(one: TaskMovements): string {
  const { left, bottom, width, height } = one.frame;
  const step = gridStep(one);
  const lines = (low: number, size: number): number[] =>
    Array.from({ length: Math.floor(size / step) + 1 }, (_, i) => (Math.ceil(low / step) + i) * step).filter(
      (at) => at <= low + size,
    );
  const upright = lines(left, width).map((x) => `M${mm(x)} ${mm(-bottom)}v${mm(-height)}`);
  const flat = lines(bottom, height).map((y) => `M${mm(left)} ${mm(-y)}h${mm(width)}`);
  return [...upright, ...flat].join("");
}

/** What every panel of a task shares: grid, shoulder, and under the paths the targets. */
function ground(one: TaskMovements, trials: readonly (Motion | undefined)[]): Html {
  const unit = one.frame.width / 100;
  const goals = trials.flatMap((motion) => {
    const [x, y] = motion?.target.at(-1) ?? [Number.NaN, Number.NaN];
    const way = motion && motion.target.length > 1 && html`<path class="way" d="${lineOf(motion.target)}"/>`;
    return motion
      ? [html`${way}<circle class="target" cx="${mm(x)}" cy="${mm(-y)}" r="${mm(1.7 * unit)}"/>`]
      : [];
  });
  const arm = 1.6 * unit;
  const shoulder = html`<path class="shoulder" d="M${mm(-arm)} 0h${mm(2 * arm)}M0 ${mm(-arm)}v${mm(2 * arm)}"/>`;
  return html`<path class="grid" d="${gridPath(one)}"/>${one.frame.shoulder && shoulder}${goals}`;
}

function path(motion: Motion, style: string, unit: number): Html {
  const [x, y] = motion.movement.hand[0] ?? [0, 0];
  return html`<path class="hand ${style}" d="${lineOf(motion.movement.hand)}"><title>${oneLine(motion.trial, 40)}: ${formatBare(meanEndError([motion]), 1, "number")} m from the target at the end</title></path><circle class="start" cx="${mm(x)}" cy="${mm(-y)}" r="${mm(1.1 * unit)}"/>`;
}

function pathPanel(
  one: TaskMovements,
  motions: readonly (Motion | undefined)[],
  style: string,
  label: string,
): Html {
  const drawn = motions.map((motion) => motion && path(motion, style, one.frame.width / 100));
  return html`<svg class="from-above" viewBox="${viewBox(one)}" role="img" aria-label="${label}">${ground(one, motions)}${drawn}</svg>`;
}

/** Curves over time: x and y stretch with the panel, lines keep their width. */
function stretched(y: number, height: number, content: (Html | false)[]): Html {
  return html`<svg y="${y}" width="100%" height="${height}" viewBox="0 0 1000 100" preserveAspectRatio="none">${content}</svg>`;
}

function curve(values: readonly number[], at: (index: number) => number, top: number): string {
  return values
    .map(
      (value, i) => `${i === 0 ? "M" : "L"}${Math.round(10 * at(i))} ${chart.px(100 - (100 * value) / top)}`,
    )
    .join("");
}

function speedPanel(
  motions: readonly (Motion | undefined)[],
  speed: chart.Axis,
  time: chart.Axis,
  style: string,
  label: string,
): Html {
  const height = 58;
  const top = 100 / speed.at(1);
  const down = (tick: number): number => height * (1 - speed.at(tick) / 100);
  const curves = motions.map((motion) => {
    if (!motion) return false;
    const { movement } = motion;
    const at = (i: number): number => time.at((i + 0.5) * movement.dt);
    return html`<path class="hand ${style}" d="${curve(speedsOf(movement), at, top)}"/>`;
  });
  return chart.canvas(
    height + 18,
    [
      ...speed.ticks.map((tick) => chart.horizontal(0, 100, down(tick), tick === 0 ? "tick" : "grid")),
      stretched(0, height, curves),
      ...speed.ticks
        .filter((tick) => tick > 0)
        .map((tick, i, all) =>
          chart.words(withUnit(tick, i === all.length - 1, "m/s"), 0, down(tick) + 11, "start", "small halo"),
        ),
      ...timeWords(time, height + 13),
    ],
    label,
  );
}

function timeWords(time: chart.Axis, y: number): Html[] {
  return time.ticks.map((tick, i, all) => {
    const x = time.at(tick);
    return chart.words(
      withUnit(tick, i === all.length - 1, "s"),
      x,
      y,
      x < 4 ? "start" : x > 92 ? "end" : "middle",
      "small",
    );
  });
}

/** A tick's number; the last of an axis names the unit. */
const withUnit = (tick: number, last: boolean, unit: string): string =>
  `${Number(tick.toPrecision(3))}${last ? ` ${unit}` : ""}`;

function lesionFigures(record: StudyRecord, one: TaskMovements): Html {
  if (one.lesioned.length === 0) return html``;
  const of = (subject: number): readonly (Motion | undefined)[] =>
    (one.motions[one.subjects.indexOf(subject)] ?? []).slice(0, maxPairs);
  const nameOf = (subject: number): string => record.subjects[subject]?.name ?? "";
  const unit = one.frame.width / 100;
  const cards = one.lesioned.map(({ cut, intact }) => {
    const whole = of(intact).map((motion) => motion && path(motion, "intact", unit));
    const hurt = of(cut).map((motion) => motion && path(motion, "cut", unit));
    const figure = (subject: number): string => formatBare(meanEndError(of(subject)), 1, "number");
    return html`<figure class="movement"><figcaption>${subjectName(record, nameOf(cut))}<span class="quiet">ends ${figure(cut)} m from the targets; intact, ${figure(intact)} m</span></figcaption>
<svg class="from-above" viewBox="${viewBox(one)}" role="img" aria-label="hand paths of ${oneLine(nameOf(cut), 64)} over those of ${oneLine(nameOf(intact), 64)}">${ground(one, of(intact))}${whole}${hurt}</svg></figure>`;
  });
  const line = (style: string, name: string): Html =>
    html`<span><svg class="glyph" width="20" height="14" viewBox="-10 -7 20 14" aria-hidden="true"><path class="hand ${style}" d="M-9 0h18"/></svg>${name}</span>`;
  return html`<h4>With a lesion</h4><p class="note">The lesioned subject's paths over those of the same subject intact, in ${plural(Math.min(maxPairs, one.trials.length), "trial")}.</p>
<p class="legend">${line("cut", "lesioned")} ${line("intact", "intact")}</p><div class="movements">${cards}</div>`;
}

/** Activation of every muscle in the first trial of the first subject, which is the champion if it moved. */
function muscleFigure(record: StudyRecord, one: TaskMovements): Html {
  const [motion] = (one.motions[0] ?? []).filter((each) => each !== undefined);
  if (!motion || musclesIn(one) === 0) return html``;
  const { activation, excitation, dt } = motion.movement;
  const time = chart.linearAxis(0, lengthOf(motion), 6);
  const height = 30;
  const at = (i: number): number => time.at(i * dt);
  const rows = lookOf(record, musclesIn(one)).muscles.map((muscle, m) => {
    const levels = activation.map((row) => row[m] ?? 0);
    const asked = excitation.map((row) => row[m] ?? 0);
    const drawing = [
      ...time.ticks.map((tick) => chart.vertical(time.at(tick), 0, height, "grid")),
      stretched(2, height - 3, [
        html`<path class="level" d="${curve(levels, at, 1)}L${Math.round(10 * at(levels.length - 1))} 100L0 100z"/>`,
        html`<path class="asked" d="${curve(asked, at, 1)}"/>`,
      ]),
      chart.horizontal(0, 100, height - 1, "grid"),
    ];
    const mean = levels.reduce((sum, level) => sum + level, 0) / levels.length;
    return html`<tr><th scope="row">${muscle}</th><td class="plot">${chart.canvas(height, drawing)}</td><td class="num">${formatBare(mean, 1, "number")}</td><td class="num">${formatBare(Math.max(...levels), 1, "number")}</td></tr>`;
  });
  const name = record.subjects[one.subjects[0] ?? -1]?.name ?? "";
  return html`<h4>Muscle activity</h4><p class="note">Activation (filled) and excitation (line), each from 0 to 1, over time: ${subjectName(record, name, false)}, trial <bdi>${oneLine(motion.trial, 40)}</bdi>.</p>
<table class="muscles"><thead><tr><th scope="col">muscle</th><td class="plot"></td><th scope="col" class="num">mean</th><th scope="col" class="num">peak</th></tr></thead><tbody>${rows}</tbody>
<tfoot><tr><td></td><td class="plot">${chart.canvas(18, timeWords(time, 14))}</td><td colspan="2"></td></tr></tfoot></table>`;
}

/** The player's frame, hidden until its script runs. */
function player(record: StudyRecord, all: readonly TaskMovements[]): Html {
  const [first] = all;
  if (!first) return html``;
  const task = html`<label>Task <select id="movement-task">${all.map((one, i) => html`<option value="${i}">${oneLine(record.tasks[one.task]?.name ?? "", 64)}</option>`)}</select></label>`;
  const muscles = lookOf(record, musclesIn(first)).muscles;
  const bars = muscles.map(
    (muscle, m) =>
      html`<tr><th scope="row">${muscle}</th><td><svg height="9" aria-hidden="true"><rect id="movement-muscle-${m}" width="0" height="9"/></svg></td></tr>`,
  );
  return html`<div class="player" id="movement-player" hidden><h3>Playback of a trial</h3>
<div class="controls">${all.length > 1 && task}<label>Subject <select id="movement-subject"></select></label> <label>beside <select id="movement-beside"></select></label> <label>Trial <select id="movement-trial"></select></label>
<label>Speed <select id="movement-pace"><option value="1">real time</option><option value="0.5">half</option><option value="0.25" selected>a quarter</option></select></label></div>
<div class="stage"><svg id="movement-stage" role="img" aria-label="the chosen trial, from above" viewBox="${viewBox(first)}"></svg>
${muscles.length > 0 && html`<table class="bars"><caption>activation</caption><tbody>${bars}</tbody></table>`}</div>
<div class="controls transport"><button type="button" class="play" id="movement-play">Play</button><input type="range" id="movement-time" min="0" max="1" step="1" value="0" aria-label="time in the trial"><span id="movement-now"></span></div>
<p class="note" id="movement-still" hidden>Your system asks for reduced motion: playback shows a few stills.</p></div>`;
}

/** What the player needs, as escaped JSON: lengths in whole mm, activation in thousandths. */
export function packMovements(record: StudyRecord, all: readonly TaskMovements[]): string {
  const packed: PackedMovements = {
    tasks: all.map((one) => ({
      frame: viewBox(one).split(" ").map(Number),
      grid: gridPath(one),
      trials: one.trials.map((trial) => oneLine(trial, 64)),
      subjects: one.subjects.map((s) => {
        const { name = "", role = "reference" } = record.subjects[s] ?? {};
        const cut = one.lesioned.some((pair) => pair.cut === s);
        return { name: oneLine(name, 64), style: cut ? "cut" : role };
      }),
      lesioned: one.lesioned.map(({ cut, intact }) => [
        one.subjects.indexOf(cut),
        one.subjects.indexOf(intact),
      ]),
      motions: one.motions.map((row) => row.map((motion) => (motion ? packMotion(record, motion) : null))),
    })),
  };
  return embedJson(packed);
}

function packMotion(record: StudyRecord, { target, movement }: Motion): PackedMotion {
  const { dt, hand, joints, activation } = movement;
  const { links } = lookOf(record, activation[0]?.length ?? 0);
  const flat = (points: readonly (readonly [number, number])[]): number[] =>
    points.flatMap(([x, y]) => [mm(x), mm(-y)]);
  return {
    dt,
    target: flat(target),
    hand: flat(hand),
    elbow: links ? flat(joints.map(([q]) => [links[0] * Math.cos(q), links[0] * Math.sin(q)])) : null,
    activation: activation.map((row) => row.map(mm)),
  };
}
