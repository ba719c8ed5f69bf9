// A made-up motor study for the report's tests: six subjects of an arm, two tasks, movements kept for six trials of each.
// The movements are smooth reaches with some error and tremor; they come from no controller.

import { noCost } from "../../src/core/call.js";
import { quantity } from "../../src/core/metric.js";
import type { Movement, Point } from "../../src/core/motor.js";
import type { Outcome } from "../../src/core/outcome.js";
import { type Random, randomFor } from "../../src/core/random.js";
import type { Comparison, Estimate, StudyRecord, SubjectCard } from "../../src/core/record.js";
import type { Source } from "../../src/report/gather.js";
import { movementMetrics } from "../../src/tasks/motor/metrics.js";

const [upper, fore] = [0.309, 0.333];
const steps = 50;
const dt = 0.01;

type Cast = {
  name: string;
  role: SubjectCard["role"];
  errors: [number, number];
  chain: SubjectCard["chain"];
};

const bilateral = { name: "bilateral", options: { callosum: "weightless" } };
const cut = { name: "lesion", options: { cut: "leftInput" } };

/** `errors` are the mean errors in m on reach and hold. */
export const cast: readonly Cast[] = [
  {
    name: "untrained controller of arm26",
    role: "generalist",
    errors: [0.31, 0.16],
    chain: [],
  },
  {
    name: "unilateral(left)",
    role: "specialist",
    errors: [0.034, 0.051],
    chain: [{ name: "unilateral", options: { side: "left" } }],
  },
  {
    name: "unilateral(right)",
    role: "specialist",
    errors: [0.058, 0.024],
    chain: [{ name: "unilateral", options: { side: "right" } }],
  },
  { name: "bilateral", role: "specialist", errors: [0.029, 0.026], chain: [bilateral] },
  {
    name: "bilateral + lesion(leftInput)",
    role: "specialist",
    errors: [0.14, 0.2],
    chain: [{ name: "chain", options: [bilateral, cut] }],
  },
  { name: "babble", role: "reference", errors: [0.29, 0.11], chain: [{ name: "babble", options: {} }] },
];

function jointsAt([x, y]: Point): Point {
  const cosine = (x * x + y * y - upper ** 2 - fore ** 2) / (2 * upper * fore);
  const elbow = Math.acos(Math.max(-1, Math.min(1, cosine)));
  return [Math.atan2(y, x) - Math.atan2(fore * Math.sin(elbow), upper + fore * Math.cos(elbow)), elbow];
}

const handAt = ([q, e]: Point): Point => [
  upper * Math.cos(q) + fore * Math.cos(q + e),
  upper * Math.sin(q) + fore * Math.sin(q + e),
];

const posture = (random: Random): Point => [0.2 + 1.9 * random(), 0.5 + 1.7 * random()];

/** A smooth reach that misses its target by `miss` m on a bent way, with a tremor that grows with the miss. */
function move(from: Point, to: Point, miss: number, random: Random, length = steps): Movement {
  const turn = 2 * Math.PI * random();
  const end: Point = [to[0] + miss * Math.cos(turn), to[1] + miss * Math.sin(turn)];
  const bend = (random() - 0.5) * (0.12 + miss);
  const hand = Array.from({ length: length + 1 }, (_, i): Point => {
    const s = Math.min(1, i / (0.8 * length));
    const way = s ** 3 * (10 - 15 * s + 6 * s * s);
    const side = bend * Math.sin(Math.PI * way) + 0.06 * miss * Math.sin(i / 3) * way;
    return handAt(
      jointsAt([
        from[0] + way * (end[0] - from[0]) - side * (end[1] - from[1]),
        from[1] + way * (end[1] - from[1]) + side * (end[0] - from[0]),
      ]),
    );
  });
  const excitation = hand.map((_, i) =>
    Array.from({ length: 6 }, (_, m) =>
      i === 0 ? 0 : Math.min(1, 0.06 + 0.8 * Math.exp(-(((i / length - 0.12 - 0.11 * m) / 0.09) ** 2))),
    ),
  );
  const activation = excitation.map((row, i) =>
    row.map((level, m) => 0.5 * level + 0.5 * (excitation[Math.max(0, i - 3)]?.[m] ?? 0)),
  );
  return { dt, hand, joints: hand.map(jointsAt), activation, excitation };
}

function estimate(scores: readonly number[]): Estimate {
  const n = scores.length;
  const mean = scores.reduce((sum, score) => sum + score, 0) / n;
  const spread = Math.sqrt(scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / n / n);
  return { n, mean, low: mean - 1.96 * spread, high: mean + 1.96 * spread };
}

export interface MotorFixtureOptions {
  samples?: number;
  /** Put into every name and id. */
  hostile?: string;
  /** Steps of a trial. */
  length?: number;
  model?: string;
}

export function motorFixture(options: MotorFixtureOptions = {}): Source & { all: Outcome[] } {
  const { samples = 40, hostile = "", length = steps, model = "arm26" } = options;
  const tasks = ["random reach", "hold position"].map((name) => `${name}${hostile}`);
  const all: Outcome[] = [];
  const inputs = new Map<string, string>();
  for (const [t, task] of tasks.entries()) {
    for (let i = 0; i < samples; i++) {
      const trial = randomFor(5, task, i);
      const joints = posture(trial);
      const target = t === 0 ? handAt(posture(trial)) : handAt(joints);
      const sample = `test-${i}${hostile}`;
      inputs.set(`${task}\n${sample}`, JSON.stringify({ joints, target, steps: length }));
      for (const [s, { errors }] of cast.entries()) {
        const random = randomFor(s, sample, t);
        const error = (errors[t] as number) * (0.4 + 1.2 * random());
        const movement = move(handAt(joints), target, error, random, length);
        all.push({
          subject: `id-${s}`,
          task: `${task}@${t}`,
          split: "test",
          sample,
          seed: 1,
          gold: "",
          grade: {
            status: "scored",
            score: error,
            prediction: `${(100 * error).toFixed(1)} cm`,
            details: { finalError: error, peakSpeed: 1.2, jerk: 512.345, settling: 0.31 },
            ...(i < 6 ? { trail: [{ kind: "movement", target, movement }] } : {}),
          },
          cost: { ...noCost, ms: 1.1 },
          calls: [],
        });
      }
    }
  }
  const record = recordOf(tasks, all, hostile, model, samples);
  return {
    record,
    all,
    outcomes: () => all,
    call: () => undefined,
    samples: (task, id) => ({ input: inputs.get(`${task}\n${id}`) ?? "" }),
  };
}

function recordOf(
  tasks: readonly string[],
  all: readonly Outcome[],
  hostile: string,
  model: string,
  samples: number,
): StudyRecord {
  const nameOf = (s: number): string => `${cast[s]?.name}${hostile}`;
  const scores = (t: number, s: number): number[] =>
    all.flatMap(({ task, subject, grade }) =>
      task === `${tasks[t]}@${t}` && subject === `id-${s}` && grade.status === "scored" ? [grade.score] : [],
    );
  const comparisons: Comparison[] = tasks.flatMap((task, t) =>
    cast.flatMap((_, s) => {
      if (s === 0) return [];
      const mean = estimate(scores(t, s).map((score, i) => score - (scores(t, 0)[i] as number)));
      const p = mean.low > 0 || mean.high < 0 ? 0.0004 : 0.4;
      const { n, mean: delta, low, high } = mean;
      return [
        {
          ...{ a: nameOf(s), b: nameOf(0), task, n, delta, low, high, p, pAdjusted: p },
          test: "sign-flip" as const,
          detectable: 0.02,
        },
      ];
    }),
  );
  return {
    type: "done",
    study: `Two hemispheres${hostile}`,
    description: null,
    results: tasks.flatMap((task, t) =>
      cast.map((_, s) => ({
        ...estimate(scores(t, s)),
        ...{ subject: nameOf(s), task, metric: "error", unscored: 0, causes: {} },
        ...{
          baseline: 0,
          chance: null,
          eyes: null,
          dev: t === 0 ? estimate(scores(t, s).slice(0, 9)) : null,
        },
        bounds: [0, 1] as [number, number],
        build: { ...noCost, seconds: 212 * Math.sign(s) },
        perAnswer: { ...noCost, ms: 1.1, msMedian: 1.1 },
        details: { finalError: estimate(scores(t, s)).mean, peakSpeed: 1.2, jerk: 512.345, settling: 0.31 },
      })),
    ),
    comparisons,
    verdict: { champion: nameOf(3), text: `${nameOf(3)} has the least error.`, indistinguishable: [] },
    openings: 1,
    subjects: cast.map(({ role, chain }, s) => ({
      ...{ name: nameOf(s), role, ids: [`id-${s}`], seeds: [1] },
      chain,
    })),
    tasks: tasks.map((name, t) => ({
      ...{
        name,
        key: `${name}@${t}`,
        kind: "motor",
        metric: quantity("error", "m"),
        details: movementMetrics,
        binary: false,
        labels: null,
      },
      source: "drawn with seed 0",
      counts: { train: 6400, dev: 64, test: samples, eyesOff: 0 },
      testFingerprint: "5f1c0e77aa41b2d39c60e8d1",
      leakage: { exact: 0, near: 0, checked: false },
    })),
    handOver: null,
    stopped: null,
    gate: null,
    seeds: [1],
    model,
    seconds: 812,
    spentUsd: 0,
    hone: "0.1.0",
    machine: "2 cores",
    reproduce: "npx hone run bilateral.study.yaml",
    at: "2026-11-23T14:05:00.000Z",
  };
}
