// The papers that `hone reproduce` knows, by name. A new one is one folder and one line here.

import type { RunOptions } from "../study/run.js";
import type { Claim } from "./claim.js";

/** How much is done: a few minutes to see that all of it works, what this project measures, or the paper's own sizes. */
export type Preset = "smoke" | "full" | "original";

export interface ReproduceOptions extends Omit<RunOptions, "onEvent" | "reproduce"> {
  preset: Preset;
  /** Where the paper's data are: a folder, `file:…` or `hf:…`. */
  data?: string;
  /** Models to run it with, the smallest first; the preset's own where absent. */
  models?: readonly string[];
  onEvent?: (event: PaperEvent) => void;
}

/** What a running reproduction tells: its own stages, and everything that its studies tell. */
export type PaperEvent =
  | { type: "stage"; stage: number; of: number; title: string }
  | Exclude<Parameters<NonNullable<RunOptions["onEvent"]>>[0], { type: "done" }>;

/** A table of the result, for people; scripts read the fields beside it. */
export interface PaperTable {
  title: string;
  head: string[];
  rows: string[][];
  /** Columns that hold numbers. */
  right: number[];
}

export interface Reproduction {
  type: "done";
  paper: string;
  preset: Preset;
  models: string[];
  claims: Claim[];
  /** What a difference of 0.01 is one of, where it is not a point of accuracy. */
  unit?: string;
  tables: PaperTable[];
  /** What differs from the paper, in sentences. */
  deviations: string[];
  /** Names of the studies in the store, for `hone show` and `hone report`. */
  studies: string[];
  /** Why it stopped before the end, where it did; claims are then missing. */
  stopped: string | null;
  seconds: number;
  machine: string;
  hone: string;
  at: string;
  [more: string]: unknown;
}

export interface PaperEntry {
  /** One line. */
  summary: string;
  paper: string;
  reproduce: (options: ReproduceOptions) => Promise<Reproduction>;
}

export const papers: Readonly<Record<string, PaperEntry>> = {
  lawma: {
    summary: "Is a fine-tuned small model better at legal classification than a large generalist?",
    paper: "Dominguez-Olmedo et al. 2024, Lawma (arXiv 2407.16615)",
    reproduce: async (options) => (await import("./lawma/reproduce.js")).reproduceLawma(options),
  },
  medprompt: {
    summary: "Which rungs of Medprompt's prompting ladder raise a generalist's accuracy, and on what?",
    paper: "Nori et al. 2023, Medprompt (arXiv 2311.16452)",
    reproduce: async (options) => (await import("./medprompt/reproduce.js")).reproduceMedprompt(options),
  },
  bilateral: {
    summary: "Do two hemispheres that specialize control an arm better than one?",
    paper: "Rinaldo et al. 2024, Left/Right Brain, human motor control (arXiv 2401.14057)",
    reproduce: async (options) => (await import("./bilateral/reproduce.js")).reproduceBilateral(options),
  },
};

export type { Claim } from "./claim.js";
