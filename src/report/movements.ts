// The movements that a study kept with its outcomes, picked and put in order for the report: which subjects and trials are
// shown, which lesion belongs to which intact subject, and the frame they share. It draws nothing.

import type { Json } from "../core/json.js";
import type { Movement, Point } from "../core/motor.js";
import type { Outcome } from "../core/outcome.js";
import type { StudyRecord, SubjectCard } from "../core/record.js";

/** Most subjects of a task that are drawn, and most trials of each. */
const maxSubjects = 8;
const maxTrials = 6;
/** Longer movements are resampled to this many points: more cannot be seen. */
const maxPoints = 251;

/** One subject's movement in one trial, sound and short enough to draw. Lengths in m, times in s, angles in rad. */
export interface Motion {
  trial: string;
  seed: number;
  /** One place, or one for each entry of the movement. */
  target: readonly Point[];
  movement: Movement;
}

/** A subject with a lesion, and the same subject without it. Both are indexes of the record's subjects. */
export interface Lesioned {
  cut: number;
  intact: number;
}

/** What a task's movements are drawn from. */
export interface TaskMovements {
  task: number;
  /** Ids of the trials, the same for every subject. */
  trials: string[];
  /** Indexes of the record's subjects: champion and generalist, then the lesioned with their intact ones, then others. */
  subjects: number[];
  /** By subject, then by trial, in the orders above. */
  motions: (Motion | undefined)[][];
  lesioned: Lesioned[];
  /** The part of the plane that is drawn, in m: everything, unless a movement ran far away from all targets. */
  frame: { left: number; bottom: number; width: number; height: number; cut: boolean; shoulder: boolean };
}

/** What the report needs to know about a body's appearance. */
export interface BodyLook {
  /** Names of the muscles, in the order of a movement's columns. */
  muscles: readonly string[];
  /** Lengths of upper arm and forearm in m, with the shoulder at (0, 0); none if only the hand can be drawn. */
  links?: readonly [number, number];
}

/** By the first word of a motor study's model. */
export const bodyLooks: Readonly<Record<string, BodyLook>> = {
  arm26: {
    muscles: ["pectoralis", "deltoid", "brachioradialis", "tricepslat", "biceps", "tricepslong"],
    links: [0.309, 0.333],
  },
  pointMass: { muscles: ["upper right", "upper left", "lower right", "lower left"] },
};

/** The look of the study's body; an unknown body is a hand with numbered muscles. */
export function lookOf(record: StudyRecord, muscles: number): BodyLook {
  const name = record.model.split(" ", 1)[0] as string;
  const known = Object.hasOwn(bodyLooks, name) ? bodyLooks[name] : undefined;
  if (known?.muscles.length === muscles) return known;
  return { muscles: Array.from({ length: muscles }, (_, i) => `muscle ${i + 1}`) };
}

/** Collects test outcomes one by one, in any order, and returns the movements to draw. */
export function collectMovements(record: StudyRecord): {
  see: (task: number, subject: number, outcome: Outcome) => void;
  all: () => TaskMovements[];
} {
  const kept = new Map<number, Map<string, Motion>>();
  return {
    see(task, subject, { sample, seed, grade }) {
      const step = grade.trail?.find(({ kind }) => kind === "movement");
      if (step?.kind !== "movement") return;
      const own = kept.get(task) ?? new Map<string, Motion>();
      const key = `${subject}\n${sample}`;
      // Of several seeds the first is drawn, whatever the order in which they come.
      if ((own.get(key)?.seed ?? Number.POSITIVE_INFINITY) <= seed) return;
      const motion = soundMotion(sample, seed, step.target, step.movement);
      if (!motion) return;
      own.set(key, motion);
      kept.set(task, own);
    },
    all: () => [...kept].sort(([a], [b]) => a - b).map(([task, motions]) => arrange(record, task, motions)),
  };
}

function arrange(record: StudyRecord, task: number, kept: ReadonlyMap<string, Motion>): TaskMovements {
  const moved = record.subjects.flatMap((_, s) => {
    return [...kept.keys()].some((key) => key.startsWith(`${s}\n`)) ? [s] : [];
  });
  const champion = record.subjects.findIndex(({ name }) => name === record.verdict?.champion);
  const lesioned = lesionedSubjects(record.subjects)
    .filter(({ cut, intact }) => moved.includes(cut) && moved.includes(intact))
    .sort((a, b) => Number(b.intact === champion) - Number(a.intact === champion));
  const first = [
    champion,
    record.subjects.findIndex(({ role }) => role === "generalist"),
    ...lesioned.flatMap(({ cut, intact }) => [intact, cut]),
  ].filter((s) => moved.includes(s));
  const subjects = [...new Set([...first, ...moved])].slice(0, maxSubjects);
  const ids = [...new Set([...kept.values()].map(({ trial }) => trial))];
  const trials = ids.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).slice(0, maxTrials);
  const motions = subjects.map((s) => trials.map((trial) => kept.get(`${s}\n${trial}`)));
  const arm = lookOf(record, motions.flat().find(Boolean)?.movement.activation[0]?.length ?? 0).links;
  return {
    task,
    trials,
    subjects,
    motions,
    lesioned: lesioned.filter(({ cut, intact }) => subjects.includes(cut) && subjects.includes(intact)),
    frame: frameOf(
      motions.flat().filter((motion) => motion !== undefined),
      arm !== undefined,
    ),
  };
}

type Made = { name: string; options: Json };

/** The specializers that made a subject, in order; a chain's own steps instead of the chain. */
function stepsOf({ chain }: SubjectCard): Made[] {
  return chain.flatMap((step) =>
    step.name === "chain" && Array.isArray(step.options) ? (step.options as Made[]) : [step],
  );
}

/** Subjects with a `lesion` step, each with the subject that is made the same way without it. */
export function lesionedSubjects(subjects: readonly SubjectCard[]): Lesioned[] {
  const made = subjects.map((card) => (card.role === "generalist" ? [] : stepsOf(card)));
  return made.flatMap((steps, cut) => {
    const rest = steps.filter(({ name }) => name !== "lesion");
    if (rest.length === steps.length) return [];
    const intact = made.findIndex(
      (other, i) =>
        JSON.stringify(other) === JSON.stringify(rest) &&
        (rest.length > 0 || subjects[i]?.role === "generalist"),
    );
    return intact < 0 ? [] : [{ cut, intact }];
  });
}

/** Outcomes come from a file on disk, so nothing about a movement's shape is assumed. */
function soundMotion(trial: string, seed: number, target: unknown, movement: Movement): Motion | undefined {
  const count = Array.isArray(movement?.hand) ? movement.hand.length : 0;
  const muscles = Array.isArray(movement?.activation?.[0]) ? movement.activation[0].length : 0;
  const numbers = (value: unknown, width: number): boolean =>
    Array.isArray(value) && value.length === width && value.every((part) => Number.isFinite(part));
  const rows = (value: unknown, length: number, width: number): boolean =>
    Array.isArray(value) && value.length === length && value.every((row) => numbers(row, width));
  if (count < 2 || muscles > 64 || !(Number.isFinite(movement.dt) && movement.dt > 0)) return undefined;
  const { dt, hand, joints, activation, excitation } = movement;
  if (!rows(hand, count, 2) || !rows(joints, count, 2)) return undefined;
  if (!rows(activation, count, muscles) || !rows(excitation, count, muscles)) return undefined;
  const places = numbers(target, 2) ? [target] : target;
  if (!Array.isArray(places) || places.length === 0 || !rows(places, places.length, 2)) return undefined;
  // A place for each step: the first is where the hand should be after the first step.
  const at = (i: number): Point => places[Math.min(places.length - 1, Math.max(0, i - 1))] as Point;
  const targets = places.length === 1 ? [at(0)] : Array.from({ length: count }, (_, i) => at(i));
  if (count <= maxPoints) {
    return { trial, seed, target: targets, movement: { dt, hand, joints, activation, excitation } };
  }
  const stretch = (count - 1) / (maxPoints - 1);
  /** Column `k` of the rows, interpolated at the i-th new point. */
  const between = (all: readonly (readonly number[])[], i: number, k: number): number => {
    const from = Math.min(count - 2, Math.floor(i * stretch));
    const [value, next] = [all[from]?.[k] as number, all[from + 1]?.[k] as number];
    return value + (i * stretch - from) * (next - value);
  };
  const evenly = <Row>(rowOf: (i: number) => Row): Row[] =>
    Array.from({ length: maxPoints }, (_, i) => rowOf(i));
  const points = (all: readonly Point[]) => evenly((i): Point => [between(all, i, 0), between(all, i, 1)]);
  const columns = Array.from({ length: muscles }, (_, k) => k);
  const states = (all: readonly (readonly number[])[]) =>
    evenly((i) => columns.map((k) => between(all, i, k)));
  return {
    trial,
    seed,
    target: targets.length === 1 ? targets : evenly((i) => targets[Math.round(i * stretch)] as Point),
    movement: {
      dt: dt * stretch,
      hand: points(hand),
      joints: points(joints),
      activation: states(activation),
      excitation: states(excitation),
    },
  };
}

function frameOf(motions: readonly Motion[], shoulder: boolean): TaskMovements["frame"] {
  const asked = motions.flatMap(({ target, movement }) => [...target, movement.hand[0] as Point]);
  if (shoulder) asked.push([0, 0]);
  const core = boundsOf(asked);
  const whole = boundsOf([...asked, ...motions.flatMap(({ movement }) => movement.hand)]);
  const reach = Math.max(core.right - core.left, core.top - core.bottom, 0.05);
  const box = {
    left: Math.max(whole.left, core.left - reach),
    right: Math.min(whole.right, core.right + reach),
    bottom: Math.max(whole.bottom, core.bottom - reach),
    top: Math.min(whole.top, core.top + reach),
  };
  const cut = (["left", "right", "bottom", "top"] as const).some((side) => box[side] !== whole[side]);
  const margin = 0.05 * Math.max(box.right - box.left, box.top - box.bottom, 0.05);
  let width = box.right - box.left + 2 * margin;
  let height = box.top - box.bottom + 2 * margin;
  // Limits the aspect ratio both ways: panels stand side by side.
  width = Math.max(width, 0.9 * height);
  height = Math.max(height, 0.65 * width);
  const left = (box.left + box.right - width) / 2;
  return { left, bottom: (box.bottom + box.top - height) / 2, width, height, cut, shoulder };
}

function boundsOf(points: readonly Point[]): Record<"left" | "right" | "bottom" | "top", number> {
  const bounds = { left: Infinity, right: -Infinity, bottom: Infinity, top: -Infinity };
  for (const [x, y] of points) {
    bounds.left = Math.min(bounds.left, x);
    bounds.right = Math.max(bounds.right, x);
    bounds.bottom = Math.min(bounds.bottom, y);
    bounds.top = Math.max(bounds.top, y);
  }
  return bounds;
}

/** The hand's speed in m/s between successive entries of a movement. */
export function speedsOf({ hand, dt }: Movement): number[] {
  return hand.slice(1).map(([x, y], i) => {
    const [before, below] = hand[i] as Point;
    return Math.hypot(x - before, y - below) / dt;
  });
}

/** Distance in m of the hand from its last target at the end. */
export function endError({ target, movement }: Motion): number {
  const [x, y] = movement.hand.at(-1) as Point;
  const [goalX, goalY] = target.at(-1) as Point;
  return Math.hypot(x - goalX, y - goalY);
}

/** Mean of `endError` over a subject's drawn trials; NaN where it has none. */
export function meanEndError(motions: readonly (Motion | undefined)[]): number {
  const errors = motions.flatMap((motion) => (motion ? [endError(motion)] : []));
  return errors.reduce((sum, error) => sum + error, 0) / errors.length;
}
