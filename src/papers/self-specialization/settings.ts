// Every size of the Self-Specialization reproduction. It runs nothing.

import type { Preset } from "../plans.js";

export interface SelfSpecializationSettings {
  models: readonly string[];
  /** Biomedical sets; those whose files are missing are left out and named. */
  sets: readonly MedKey[];
  /** Most characters of a context (PubMedQA's are whole below 4,000), of quoted passages and of a question. */
  chars: { context: number; quotes: number; question: number };
  /** Samples of each set: test, dev, and train for worked examples. */
  limit: { test: number; dev: number; train: number };
  /** Test samples of tasks outside the domain; 0 leaves them out. */
  outside: number;
  /** Seeds of each set; law has the same total. */
  seeds: number;
  /** Synthetic pairs, attempts at them, and most tokens of a written task. */
  pairs: number;
  attempts: number;
  maxTokens: number;
  /** Worked examples of the few-shot arms; 0 leaves these out. */
  shots: number;
  /** Arms that are left out. */
  without: readonly ArmName[];
  lora: Readonly<Record<string, unknown>>;
  /** Settings that differ for the models after the first. */
  later: Partial<Pick<SelfSpecializationSettings, "limit" | "pairs" | "attempts" | "outside" | "without">>;
}

export const medKeys = ["pubmedqa", "bioasq_yesno", "medqa", "medmcqa"] as const;
export type MedKey = (typeof medKeys)[number];

/** Yes/no sets: half can be answered right without reading. */
export const yesNo: readonly string[] = ["pubmedqa", "bioasq_yesno"];

export const armNames = [
  "base",
  "base, few-shot",
  "base, retrieval",
  "self",
  "self, few-shot",
  "self, retrieval",
  "two rounds",
  "seeds alone",
  "unrelated domain",
  "shuffled responses",
  "stronger generator",
] as const;
export type ArmName = (typeof armNames)[number];

const small = "llama:smollm2-135m-instruct?format=plain";
const large = "llama:gemma3-270m?format=plain";

// The successor's rank; with its rate of 3e-4 and batches of 32 a hundred pairs would give twenty steps that change nothing.
const lora = { rank: 8, alpha: 16, learningRate: 1e-3, epochs: 2, batch: 4 };

export const presets: Record<Preset, SelfSpecializationSettings> = {
  full: {
    models: [small],
    sets: medKeys,
    chars: { context: 4000, quotes: 300, question: 300 },
    limit: { test: 300, dev: 2, train: 40 },
    outside: 50,
    seeds: 16,
    pairs: 128,
    attempts: 1200,
    maxTokens: 100,
    shots: 5,
    without: ["base, retrieval"],
    lora,
    later: {},
  },
  smoke: {
    models: [small],
    sets: ["bioasq_yesno", "medmcqa"],
    chars: { context: 300, quotes: 200, question: 300 },
    limit: { test: 4, dev: 1, train: 6 },
    outside: 2,
    seeds: 4,
    pairs: 3,
    attempts: 40,
    maxTokens: 60,
    shots: 2,
    without: [
      "base, few-shot",
      "base, retrieval",
      "self, few-shot",
      "unrelated domain",
      "shuffled responses",
    ],
    lora: { ...lora, epochs: 1, layers: 2 },
    later: {},
  },
  // 80 seeds, 5,000 pairs; rank, rate, epochs and batch from its successor (Self-MoE, appendix A).
  original: {
    models: [small, large],
    sets: medKeys,
    chars: { context: 1_000_000, quotes: 1_000_000, question: 1_000_000 },
    limit: { test: 1_000_000, dev: 40, train: 400 },
    outside: 1_000_000,
    seeds: 20,
    pairs: 5000,
    attempts: 100_000,
    maxTokens: 512,
    shots: 5,
    without: [],
    lora: { ...lora, learningRate: 3e-4, epochs: 3, batch: 32 },
    later: {},
  },
};
