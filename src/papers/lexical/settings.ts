// Every size of the lexical reproduction. It runs nothing.

import type { LexicalOptions } from "../../specializers/training/lexical.js";
import type { Preset } from "../plans.js";

export interface LexicalSettings {
  models: readonly string[];
  /** Languages of the constraints, by OMW's codes; all if absent. */
  languages?: readonly string[];
  /** Few of them, for the controlled experiment. */
  fewLanguages: readonly string[];
  /** Words of each language that are searched, including test's translations. */
  vocabulary: number;
  /** Queries of each pair of languages, pairs of each similarity file, sentences of each retrieval language. */
  queries: number;
  similarity: number;
  sentences: number;
  /** Language pairs of the BLI files; all if absent. */
  bli?: readonly string[];
  retrieval: readonly string[];
  training: Omit<LexicalOptions, "source" | "languages" | "pairs">;
  /** Layers at which the generalist is read besides its own. */
  layers: readonly number[];
  /** The controlled experiment: numbers of constraints; an empty list skips it. */
  constraints: readonly number[];
  controlled: { steps: number; batch: number };
  /** Skip-gram vectors: most sentences per language, words read of each corpus over all epochs, vector dimensions. */
  wordVectors: { sentences: number; tokens: number; dimensions: number };
  /** Questions before the Supreme Court that are classified by area of law. */
  probing: { examples: number; tests: number };
  /** Texts whose first `bytes` bytes are scored before and after, for decoders only. */
  modelling?: { texts: number; bytes: number };
  /** The English study: an English encoder that finds the word of a definition. */
  english?: {
    model: string;
    definitions: number;
    /** Words among which that of a definition is searched. */
    vocabulary: number;
    training: Omit<LexicalOptions, "source" | "languages" | "pairs">;
  };
  seeds: readonly number[];
}

/** Languages of the BLI files that have constraints in OMW's core; the others are unseen. */
export const seen = ["en", "fr", "hr", "it"] as const;

const full: LexicalSettings = {
  models: ["encoder:gemma3-270m?layer=12&pieces=64&threads=2"],
  fewLanguages: ["eng", "fra", "hrv", "ita"],
  vocabulary: 2000,
  queries: 60,
  similarity: 25,
  sentences: 150,
  retrieval: ["deu", "fra", "tur", "kat"],
  training: {
    batch: 256,
    steps: 60,
    learningRate: 0.001,
    method: "lora",
    rank: 16,
    perSynset: 2,
    write: false,
  },
  layers: [0, 3, 6, 9, 18],
  constraints: [2000, 8000],
  controlled: { steps: 25, batch: 128 },
  wordVectors: { sentences: 100_000, tokens: 1_000_000, dimensions: 100 },
  probing: { examples: 250, tests: 250 },
  modelling: { texts: 60, bytes: 1000 },
  english: {
    model: "encoder:minilm-f32?pieces=64&threads=2",
    definitions: 600,
    vocabulary: 10_000,
    training: {
      batch: 128,
      steps: 150,
      learningRate: 0.001,
      method: "lora",
      rank: 16,
      perSynset: 4,
      write: false,
    },
  },
  seeds: [1],
};

/** MiniLM, the smoke preset's model, is not a decoder. */
const { modelling: _, ...withoutModelling } = full;

export const presets: Record<Preset, LexicalSettings> = {
  full,
  smoke: {
    ...withoutModelling,
    models: ["encoder:minilm-f32?pieces=32&threads=2"],
    languages: ["eng", "fra", "ita"],
    fewLanguages: ["eng", "ita"],
    vocabulary: 200,
    queries: 30,
    similarity: 2,
    sentences: 30,
    bli: ["en-it", "en-de"],
    retrieval: ["deu"],
    training: { ...full.training, batch: 24, steps: 15, write: false },
    layers: [0],
    constraints: [200, 800],
    controlled: { steps: 6, batch: 24 },
    wordVectors: { sentences: 600, tokens: 20_000, dimensions: 32 },
    probing: { examples: 50, tests: 30 },
    english: {
      model: "encoder:minilm-f32?pieces=32&threads=2",
      definitions: 30,
      vocabulary: 400,
      training: {
        ...(full.english as NonNullable<LexicalSettings["english"]>).training,
        batch: 16,
        steps: 15,
      },
    },
  },
  original: {
    ...full,
    vocabulary: 100_000,
    queries: 2000,
    similarity: 4000,
    sentences: 1000,
    training: {
      ...full.training,
      steps: 8000,
      learningRate: 5e-6,
      method: "full",
      warmup: 0,
      schedule: "constant",
    },
    seeds: [1, 2, 3],
  },
};
