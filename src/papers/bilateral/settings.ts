// Every size of the bilateral reproduction, its controllers and its tasks. It runs nothing.

import type { BilateralOptions } from "../../specializers/index.js";
import type { Preset } from "../plans.js";

export interface BilateralSettings {
  seeds: readonly number[];
  /** Units of a layer, all hemispheres together, and the other sizes of controllers and their training. */
  controller: Pick<BilateralOptions, "units" | "layers" | "updates" | "batch" | "learningRate" | "activity">;
  /** Steps of a trial, 0.01 s each. */
  steps: number;
  trials: { train: number; dev: number; test: number };
  arms: readonly ArmName[];
  /** Parts of the specialised controller with a callosum that are cut, one lesion an entry. */
  lesions: readonly (readonly string[])[];
  /** Tasks besides the two on which trained controllers are tested. */
  elsewhere: readonly OtherTask[];
  /** The body. Slack 1 is MotorNet's TensorFlow edition, which the paper used. */
  models: readonly string[];
}

/** Preferred: the side whose loss suits the task. `cc` is the corpus callosum. */
export const controllers = {
  "unilateral common": { hemispheres: 1, losses: "common" },
  "unilateral dominant": { hemispheres: 1, losses: "dominant" },
  "unilateral non-dominant": { hemispheres: 1, losses: "nonDominant" },
  "bilateral common": { losses: "common", callosum: "none" },
  "bilateral common, cc": { losses: "common", callosum: "pooled" },
  "bilateral specialized": { losses: "specialized", callosum: "none" },
  "bilateral specialized, cc": { losses: "specialized", callosum: "pooled" },
  "bilateral specialized, learned cc": { losses: "specialized", callosum: "learned" },
  "bilateral specialized, cc, as published": {
    losses: "specialized",
    callosum: "pooled",
    activity: "asPublished",
  },
} satisfies Record<string, BilateralOptions>;

export type ArmName = keyof typeof controllers;
const armNames = Object.keys(controllers) as ArmName[];

/** The controller that is lesioned. */
export const lesioned: ArmName = "bilateral specialized, cc";

/** The two tasks of the paper, and which loss alone is the preferred system's on it (§1: reaching is the dominant hand's). */
export const mainTasks = {
  reach: { preferred: "unilateral dominant", other: "unilateral non-dominant" },
  hold: { preferred: "unilateral non-dominant", other: "unilateral dominant" },
} as const satisfies Record<string, { preferred: ArmName; other: ArmName }>;

export type MainTask = keyof typeof mainTasks;

export const otherTasks = {
  "reach, load 5 N": { movement: "reach", load: 5 },
  "reach, curl field": { movement: "reach", curl: 10 },
  "reach, late target": { movement: "reach", shownAfter: 10 },
  "reach, noise": { movement: "reach", noise: { proprioception: 0.02, vision: 0.01, excitation: 0.05 } },
  "reach, delay": { movement: "reach", delay: { proprioception: 2, vision: 5 } },
  "hold, load 20 N": { movement: "hold", load: 20 },
} as const;

export type OtherTask = keyof typeof otherTasks;

const everyOther = Object.keys(otherTasks) as OtherTask[];
const everyLesion = [
  ["leftInput"],
  ["rightInput"],
  ["leftOutput"],
  ["rightOutput"],
  ["callosum"],
  ["callosum", "leftInput"],
  ["callosum", "rightInput"],
];

const count = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

const full: BilateralSettings = {
  // Width 32, 3e-3 and 800 updates reach 3 cm in a few minutes (our trial runs); published example: 10 units,
  // 1e-3, 1,000 updates, which learns to relax.
  seeds: count(10),
  controller: { units: 32, layers: 2, updates: 800, batch: 64, learningRate: 0.003, activity: "asIntended" },
  steps: 50,
  trials: { train: 6400, dev: 32, test: 256 },
  arms: armNames,
  lesions: everyLesion,
  elsewhere: everyOther,
  models: ["motor:arm26?slack=1"],
};

export const presets: Record<Preset, BilateralSettings> = {
  full,
  smoke: {
    ...full,
    seeds: count(2),
    controller: { units: 16, layers: 2, updates: 60, batch: 32, learningRate: 0.005, activity: "asIntended" },
    steps: 20,
    trials: { train: 640, dev: 8, test: 32 },
    arms: [
      "unilateral dominant",
      "unilateral non-dominant",
      "bilateral specialized",
      "bilateral specialized, cc",
    ],
    lesions: [["leftOutput"], ["callosum"]],
    elsewhere: ["reach, load 5 N", "reach, noise"],
  },
  original: {
    ...full,
    controller: {
      units: 10,
      layers: 2,
      updates: 1000,
      batch: 64,
      learningRate: 0.001,
      activity: "asPublished",
    },
    trials: { train: 6400, dev: 64, test: 256 },
    arms: armNames.filter((name) => !name.endsWith("as published")),
  },
};
