// Evidence for each route of `hone advise`: published figures, and this project's own (`measured.ts`), with their sources.

import { measured } from "./measured.js";

export interface Evidence {
  /** Paper with its arXiv number, or "this project" with the page that describes the measurement. */
  source: string;
  /** The figure in words, with the model and the data that it was measured on. */
  figure: string;
  /** Samples, or tasks where the figure says so. */
  n?: number;
  /** 95 % interval, in the figure's unit. */
  interval?: [low: number, high: number];
  /** Where one of our figures is written down: the file, and the words that it must contain for each number. */
  own?: { file: string; says: string | readonly string[] };
}

const medprompt = "Nori et al. 2023, Medprompt (arXiv 2311.16452)";
const promptbase = "Microsoft promptbase, Medprompt+ on MMLU (2023)";
const o1 = "Nori et al. 2024, From Medprompt to o1 (arXiv 2411.03590)";
const lawma = "Dominguez-Olmedo et al. 2024, Lawma v1 (arXiv 2407.16615)";

const published = {
  medpromptLadder: {
    source: medprompt,
    figure: "GPT-4 on MedQA, accuracy: 81.7 zero-shot to 90.2 with examples, reasoning, kNN and shuffling",
    n: 1273,
  },
  randomShots: { source: medprompt, figure: "GPT-4 on MedQA: five random examples +2.2 points", n: 1273 },
  selfReasoning: {
    source: medprompt,
    figure: "GPT-4 on MedQA: self-written chains of thought +3.4 points on top of random examples",
    n: 1273,
  },
  nearestShots: {
    source: medprompt,
    figure: "GPT-4 on MedQA: nearest in place of random examples +1.1 points",
    n: 1273,
  },
  shuffling: {
    source: medprompt,
    figure: "GPT-4 on MedQA: five votes over shuffled choices +1.8 points",
    n: 1273,
  },
  portfolio: {
    source: promptbase,
    figure: "GPT-4 on MMLU: 89.1 with Medprompt (5 votes), 89.56 with 20, 90.10 with Medprompt+ at 31 calls",
  },
  reasoningModel: {
    source: o1,
    figure: "o1-preview on MedQA: 96.0 with no special prompting; few-shot prompting lowers its accuracy",
    n: 1273,
  },
  smallSpecialist: {
    source: "MedGemma study (arXiv 2603.25960), from its abstract",
    figure:
      "a small medical model: chain of thought -5.7 points, few-shot -11.9; 59.1 % of answers change when choices are shuffled; permutation voting +4",
  },
  lawmaTuned: {
    source: lawma,
    figure:
      "mean over 260 legal tasks: fine-tuned 8B 80.3, GPT-4 zero-shot 62.9, the same 8B untuned 42.6, majority 41.7",
  },
  lawmaLabels: { source: lawma, figure: "1,000 labels against 10: +12.9 points, mean over ten tasks" },
  lawmaShots: {
    source: lawma,
    figure: "GPT-4 with three examples 58.4, without 61.6, on the same legal questions",
  },
  calibrateGpt: {
    source: "Zhao et al. 2021, Calibrate Before Use (arXiv 2102.09690), from its abstract",
    figure: "GPT-3 and GPT-2 with examples in the prompt: contextual calibration up to +30.0 points",
  },
} satisfies Record<string, Evidence>;

export const evidence = { ...published, ...measured };

export type EvidenceName = keyof typeof evidence;
