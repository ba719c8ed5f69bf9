// Every size of the Lawma reproduction, in one place. papers/lawma/README.md has the calculation behind `full`.

import type { Preset } from "../plans.js";
import { oneAgainstAll } from "./published.js";

export interface LawmaSettings {
  /** Only these tasks; null for all that have enough examples. */
  tasks: readonly string[] | null;
  /** Tasks with more options are left out. */
  maxOptions: number;
  /** Tasks with fewer train or test examples after balancing are left out. */
  enough: { train: number; test: number };
  /**
   * How much of the case is shown: `chars` characters of its head, or what the instruction and the question leave of a
   * context, in tokens of `charsPerToken` characters (Lawma cuts by its tokenizer, and keeps the head too).
   */
  input: { chars: number } | { contextTokens: number; charsPerToken: number };
  /** Sentences of the instruction that are kept; null for all of it, as Lawma does. */
  instructionSentences: number | null;
  /** Most samples of a task. Dev decides when training stops. */
  limit: { train: number; dev: number; test: number };
  /** Worked examples for the few-shot generalist, of the query's own task. */
  shots: number;
  /** How a model is fine-tuned on all tasks at once, and on one; in a study's notation. */
  tune: { all: unknown; one: unknown; transfer: unknown; larger: unknown };
  /** The sample-efficiency curve: one task at a time, nested draws. `tune` depends on the number of examples. */
  curve: {
    tasks: readonly string[];
    n: readonly number[];
    seeds: readonly number[];
    dev: number;
    test: number;
    chars: number;
    tune: (n: number) => unknown;
  };
  models: readonly string[];
}

const small = "llama:smollm2-135m-instruct?format=plain&context=2048";
const large = "llama:gemma3-270m?format=plain&context=2048";

/** Low-rank adapters on every matrix of the last layers, trained on the file that is served; null for all layers. */
const lora = (layers: number | null, epochs: number, batch = 8) => ({
  lora: {
    rank: 8,
    alpha: 16,
    ...(layers === null ? {} : { layers }),
    epochs,
    learningRate: 0.002,
    batch,
    evalsPerEpoch: 1,
  },
});

/** Few examples are repeated, up to sixty in all, since one pass over ten of them is two steps and teaches nothing. */
const passes = (n: number) => Math.max(1, Math.ceil(60 / n));

export const presets: Record<Preset, LawmaSettings> = {
  full: {
    tasks: null,
    maxOptions: 26,
    enough: { train: 200, test: 60 },
    input: { chars: 450 },
    instructionSentences: 2,
    limit: { train: 96, dev: 5, test: 30 },
    shots: 3,
    // One task alone gives few steps, so it gets smaller batches; otherwise it would lose for that reason. The number
    // of layers is what two cores can train within an hour and a half: a quarter of SmolLM2's, a sixth of Gemma's.
    tune: { all: lora(8, 2), one: lora(8, 2, 4), transfer: lora(8, 2), larger: lora(3, 2) },
    curve: {
      tasks: ["sc_issuearea"],
      n: [10, 50, 100, 250, 500, 1000],
      seeds: [1, 2, 3],
      dev: 30,
      test: 150,
      chars: 200,
      tune: (n) => lora(4, passes(n)),
    },
    models: [small, large],
  },
  smoke: {
    tasks: ["sc_adminaction_is", "sc_lcdispositiondirection", "sc_partywinning"],
    maxOptions: 26,
    enough: { train: 200, test: 60 },
    input: { chars: 160 },
    instructionSentences: 1,
    limit: { train: 8, dev: 2, test: 8 },
    shots: 1,
    tune: { all: lora(4, 1), one: lora(4, 1), transfer: lora(4, 1), larger: lora(4, 1) },
    curve: {
      tasks: ["sc_lcdispositiondirection"],
      n: [4, 16],
      seeds: [1],
      dev: 4,
      test: 12,
      chars: 120,
      tune: () => lora(4, 1),
    },
    models: [small],
  },
  original: {
    tasks: null,
    maxOptions: 999,
    enough: { train: 1, test: 1 },
    input: { contextTokens: 2048, charsPerToken: 3.6 },
    instructionSentences: null,
    limit: { train: 1_000_000, dev: 250, test: 1000 },
    shots: 3,
    tune: { all: lora(null, 3), one: lora(null, 20), transfer: lora(null, 1), larger: lora(null, 3) },
    curve: {
      tasks: oneAgainstAll.map(({ task }) => task),
      n: [10, 50, 100, 250, 500, 1000],
      seeds: [1, 2, 3, 4, 5],
      dev: 250,
      test: 1000,
      chars: 6000,
      tune: () => lora(null, 3),
    },
    models: [small, large],
  },
};
