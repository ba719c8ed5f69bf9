// Every size of the DeepSeekMoE reproduction and its nets. It runs nothing.

import type { PretrainOptions } from "../../specializers/index.js";
import { fileSplits, type Preset } from "../plans.js";

export interface MoeSettings {
  seeds: readonly number[];
  /** The net's sizes as `net:` has them. */
  models: readonly string[];
  /** N: experts as large as a standard feed-forward. */
  experts: number;
  training: Pick<PretrainOptions, "vocab" | "tokens" | "batch" | "learningRate">;
  arms: readonly ArmName[];
  /** Bytes per document, documents of each domain in dev and in test, and the most train bytes of each. */
  texts: { bytes: number; dev: number; test: number; train: number };
  domains: readonly Domain[];
}

const domainNames = [
  "law",
  "medicine",
  "code",
  "stories",
  "Chinese stories",
  "dictionary",
  "Romance",
  "Slavic",
  "Germanic",
] as const;
export type Domain = (typeof domainNames)[number];

type Net = NonNullable<PretrainOptions["net"]>;

/** The nets of Tables 1 and 2 and of the ablations (section 4), in the paper's words. */
export const nets = {
  dense: () => ({ kind: "dense" }),
  "dense, equal activated": () => ({ kind: "dense", times: 2 }),
  "dense, equal total": (experts) => ({ kind: "dense", times: experts }),
  hash: (experts) => ({ kind: "hash", experts }),
  switch: (experts) => ({ kind: "switch", experts }),
  gshard: (experts) => ({ kind: "gshard", experts }),
  "gshard x1.5": (experts) => ({ kind: "gshard", experts, size: 1.5 }),
  deepseekmoe: (experts) => ({ kind: "deepseekmoe", experts }),
  "shared isolation": (experts) => ({ kind: "deepseekmoe", experts, segments: 1 }),
  "segments of 2": (experts) => ({ kind: "deepseekmoe", experts, segments: 2 }),
  "two shared": (experts) => ({ kind: "deepseekmoe", experts, shared: 2 }),
  "four shared": (experts) => ({ kind: "deepseekmoe", experts, shared: 4 }),
  "loss-free": (experts) => ({ kind: "deepseekmoe", experts, balance: 0, lossFree: 0.001 }),
  unbalanced: (experts) => ({ kind: "deepseekmoe", experts, balance: 0 }),
} satisfies Record<string, (experts: number) => Net>;
export type ArmName = keyof typeof nets;

/** Arms whose experts are probed. */
export const lookedInto: readonly ArmName[] = [
  "gshard",
  "gshard x1.5",
  "deepseekmoe",
  "loss-free",
  "unbalanced",
];

/** Equivalence margin in bits per byte: worse by less is as good. Fixed before anything was measured. */
export const margin = 0.02;

const full: MoeSettings = {
  // Intervals extend 4.3 standard errors to each side over three seeds, 2.8 over five.
  seeds: [1, 2, 3, 4, 5],
  models: ["net:decoder?layers=3&width=64&heads=2&hidden=168&context=128"],
  experts: 8,
  training: { vocab: 1024, tokens: 900_000, batch: 12, learningRate: 0.003 },
  arms: Object.keys(nets) as ArmName[],
  texts: { bytes: 1500, dev: 20, test: 30, train: 2_600_000 },
  domains: domainNames,
};

export const presets: Record<Preset, MoeSettings> = {
  full,
  smoke: {
    ...full,
    seeds: [1, 2],
    models: ["net:decoder?layers=2&width=32&heads=2&hidden=64&context=64"],
    experts: 4,
    training: { vocab: 384, tokens: 16_000, batch: 8, learningRate: 0.01 },
    arms: [
      "dense",
      "dense, equal activated",
      "hash",
      "switch",
      "gshard",
      "gshard x1.5",
      "deepseekmoe",
      "shared isolation",
      "loss-free",
      "unbalanced",
    ],
    texts: { bytes: 600, dev: 4, test: 8, train: 22_000 },
  },
  // The paper's own 2B models cannot be trained on a CPU; this is their shape at a size that trains overnight.
  original: {
    ...full,
    models: ["net:decoder?layers=6&width=128&heads=4&hidden=344&context=256"],
    experts: 16,
    training: { vocab: 4096, tokens: 10_000_000, batch: 32, learningRate: 0.00108 },
  },
};

/** The task that the nets are trained and measured on: texts in these domains, from the files of a plan. */
export const textsTask = (domains: readonly string[]) => ({
  name: "texts",
  kind: "corpus",
  data: {
    splits: fileSplits,
    input: "text",
    label: "domain",
    options: [...domains],
    group: "group",
    leakage: "drop",
  },
});
