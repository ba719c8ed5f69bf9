// This project's own figures for the routes of `hone advise`. A test checks them against the pages that they come from.

import type { Evidence } from "./evidence.js";

const scotus = "this project, issue area of Supreme Court cases (docs/results.md)";
const licences = "this project, licence categories (docs/results.md)";
const pubmedqa = "this project, PubMedQA (docs/results.md)";
const ladder = "this project, Medprompt reproduced (papers/medprompt/README.md)";
const questions = "this project, types of biomedical questions (docs/results.md)";
const routes = "this project, every route on four tasks (docs/results.md)";
const recipe = "this project, the training recipe (docs/training.md)";
const results = "docs/results.md";
const medpromptPage = "papers/medprompt/README.md";

export const measured = {
  lora: {
    source: scotus,
    figure:
      "SmolLM2-135M: LoRA in the last ten layers (two epochs at a rate of 0.001) 72.7 % on 2,103 labels, logistic regression on words the same, zero-shot 27.5 %",
    n: 600,
    interval: [69.0, 76.1],
    own: { file: results, says: "| lora(r=16, last 10) | 72.7 | 69.0 to 76.1 | 600 |" },
  },
  loraSweep: {
    source: recipe,
    figure:
      "SmolLM2-135M on licences: LoRA in the last ten layers, rate and epochs found by the sweep, 61.2 % on 480 labels (mean of five seeds)",
    n: 200,
    interval: [54.3, 67.7],
    own: {
      file: "docs/training.md",
      says: "| licences, 480 labels | 5 | 1.54 | 40.0 | – | – | 1.15 | 61.2 (54.3 to 67.7; seeds 58.0 to 64.0) |",
    },
  },
  loraFew: {
    source: recipe,
    figure: "SmolLM2-135M on licences: LoRA on 100 labels 52.5 %, majority class 43.0 % (one seed)",
    n: 200,
    interval: [45.6, 59.3],
    own: {
      file: "docs/training.md",
      says: "| licences, earlier split, 100 labels | 1 | 1.50 | 43.0 | – | – | 1.36 | 52.5 (45.6 to 59.3) |",
    },
  },
  linear: {
    source: scotus,
    figure: "logistic regression on words 72.7 % where SmolLM2-135M zero-shot has 27.5 %",
    n: 600,
    interval: [69.0, 76.1],
    own: { file: results, says: "| linear(tfidf) | 72.7 | 69.0 to 76.1 | 600 |" },
  },
  linearVectors: {
    source: scotus,
    figure: "logistic regression on sentence vectors 68.7 %",
    n: 600,
    interval: [64.8, 72.2],
    own: { file: results, says: "| linear(vectors) | 68.7 | 64.8 to 72.2 | 600 |" },
  },
  linearLicences: {
    source: licences,
    figure: "logistic regression on words 68.0 %, LoRA of SmolLM2-135M 57.3 %, kNN few-shot 51.3 %",
    n: 150,
    interval: [59.9, 75.1],
    own: {
      file: results,
      says: [
        "| linear(tfidf) | 68.0 | 59.9 to 75.1 | 150 |",
        "| lora(r=16, last 4) | 57.3 |",
        "| knn(k=2) | 51.3 |",
      ],
    },
  },
  probeLicences: {
    source: licences,
    figure:
      "a probe on SmolLM2-135M's states and words 70.7 % on 480 labels (LoRA, one seed, 57.3): not told apart from words alone (68.0)",
    n: 150,
    interval: [62.5, 77.7],
    own: {
      file: results,
      says: ["| probe(states + text) | 70.7 | 62.5 to 77.7 | 150 |", "| lora(r=16, last 4) | 57.3 |"],
    },
  },
  probeScotus: {
    source: scotus,
    figure:
      "a probe on SmolLM2-135M's states and words 74.3 % on 2,103 labels, not told apart from LoRA (72.7); made in 17 minutes, LoRA in 104",
    n: 600,
    interval: [70.7, 77.7],
    own: { file: results, says: "| probe(states + text) | 74.3 | 70.7 to 77.7 | 600 |" },
  },
  knnLicences: {
    source: licences,
    figure: "SmolLM2-135M against zero-shot: kNN few-shot (two examples) +14.7 points",
    n: 150,
    interval: [6.7, 23.0],
    own: { file: results, says: ["| knn(k=2) | 51.3 |", "+14.7 (6.7 to 23.0)"] },
  },
  zeroShotSmall: {
    source: scotus,
    figure: "SmolLM2-135M zero-shot 27.5 %, equal to the majority class",
    n: 600,
    interval: [24.1, 31.2],
    own: { file: results, says: "| zeroShot | 27.5 | 24.1 to 31.2 | 600 |" },
  },
  majority: {
    source: pubmedqa,
    figure: "majority class 55.2 %; nothing that was tried there is shown to beat it",
    n: 500,
    interval: [50.8, 59.5],
    own: { file: results, says: "| majority | 55.2 | 50.8 to 59.5 | 500 |" },
  },
  calibrateHarm: {
    source: scotus,
    figure: "SmolLM2-135M: contextual calibration -17.7 points",
    n: 600,
    interval: [-22.0, -13.4],
    own: { file: results, says: "-17.7 (-22.0 to -13.4)" },
  },
  calibratePubmedqa: {
    source: pubmedqa,
    figure: "SmolLM2-135M: contextual calibration -7.6 points",
    n: 500,
    interval: [-11.2, -4.2],
    own: { file: results, says: "-7.6 (-11.2 to -4.2)" },
  },
  calibrateRoutes: {
    source: routes,
    figure:
      "SmolLM2-135M: contextual calibration 35.0, 36.2, 35.2 and 56.4 % on four tasks, zero-shot 44.0, 40.8, 36.0 and 61.4",
    n: 500,
    own: {
      file: results,
      says: [
        "| calibrate | 35.0 (30.6 to 39.7) | 36.2 (32.1 to 40.5) | 35.2 (31.1 to 39.5) | 56.4 (52.0 to 60.7) |",
      ],
    },
  },
  fewShotRoutes: {
    source: routes,
    figure:
      "SmolLM2-135M, three seeds: three balanced examples 18.4, 41.4, 13.7 and 48.2 % on four tasks, zero-shot 44.0, 40.8, 36.0 and 61.4",
    n: 500,
    own: {
      file: results,
      says: [
        "| fewShot(k=3, balanced) | 18.4 (0.0 to 39.4) | 41.4 (37.2 to 45.8) | 13.7 (0.0 to 35.8) | 48.2 (15.6 to 80.8) |",
        "| zeroShot | 44.0 (39.3 to 48.9) | 40.8 (36.6 to 45.2) | 36.0 (31.9 to 40.3) | 61.4 (57.1 to 65.6) |",
      ],
    },
  },
  knnRoutes: {
    source: routes,
    figure:
      "SmolLM2-135M: the two nearest examples 56.6, 43.6, 54.8 and 59.8 % on four tasks, zero-shot 44.0, 40.8, 36.0 and 61.4",
    n: 500,
    own: {
      file: results,
      says: [
        "| knn(k=2) | 56.6 (51.7 to 61.4) | 43.6 (39.3 to 48.0) | 54.8 (50.4 to 59.1) | 59.8 (55.4 to 64.0) |",
      ],
    },
  },
  setfitRoutes: {
    source: routes,
    figure:
      "SetFit on MiniLM, 500 labels: 64.5, 66.1, 65.8 and 84.3 % on four tasks; logistic regression on the same encoder's vectors 62.8, 64.6, 66.2 and 73.4 (only the last of these differences is shown, +10.9, uncorrected), a probe 66.6, 67.8, 63.0 and 87.0",
    n: 500,
    own: {
      file: results,
      says: [
        "| setfit(full) | 64.5 (60.0 to 68.9) | 66.1 (61.9 to 70.2) | 65.8 (61.3 to 70.2) | 84.3 (80.9 to 87.5) |",
        "| setfit | vectors | question-type | +10.9 (7.6 to 14.4) |",
      ],
    },
  },
  fewShotPubmedqa: {
    source: pubmedqa,
    figure: "SmolLM2-135M: three-shot -23.6 points against zero-shot, kNN three-shot -13.2",
    n: 500,
    interval: [-31.2, -15.7],
    own: { file: results, says: "-23.6 (-31.2 to -15.7)" },
  },
  ladderSmall: {
    source: ladder,
    figure:
      "SmolLM2-135M: the whole ladder -11.5 points against zero-shot on four tasks (Holm p 0.36), no rung shown to help",
    n: 192,
    interval: [-20.5, -2.0],
    own: { file: medpromptPage, says: "11.5 points below zero-shot (2.0 to 20.5 by its own interval)" },
  },
  shufflingSmall: {
    source: ladder,
    figure:
      "SmolLM2-135M: the choice-shuffle ensemble -12.0 points (Holm p 0.35); it had answered by position",
    n: 192,
    interval: [-21.2, -2.3],
    own: { file: medpromptPage, says: "ensemble -12.0 (-21.2 to -2.3)" },
  },
  retrieveHelps: {
    source: ladder,
    figure: "SmolLM2-135M on BioASQ's factoid questions: three passages +24.3 points of token F1",
    n: 100,
    interval: [15.6, 33.5],
    own: { file: medpromptPage, says: "(+24.3, 15.6 to 33.5, n = 100, Holm p below 0.001)" },
  },
  retrieveUnused: {
    source: ladder,
    figure:
      "SmolLM2-135M on PubMedQA without abstracts: the gold one retrieved in 98 %, accuracy 0.0 points higher",
    n: 100,
    interval: [-3.7, 3.7],
    own: { file: medpromptPage, says: "no gain (0.0, -3.7 to 3.7)" },
  },
  setfitFew: {
    source: "this project, few labels (docs/words.md)",
    figure:
      "SetFit on MiniLM against logistic regression on the same encoder's vectors: -4.8 to +3.4 points on three tasks with 8, 32 and 64 labels a class (five draws each); none of nine intervals excludes zero at the corrected level",
    n: 200,
    own: { file: "docs/words.md", says: "at the level that Bonferroni gives each of them, 0." },
  },
  probeQuestions: {
    source: questions,
    figure:
      "SmolLM2-135M, 500 labels: a probe and words 87.0 %, logistic regression on words 79.2; LoRA, built in four times the time, 84.9",
    n: 500,
    interval: [83.8, 89.7],
    own: { file: results, says: ["87.0 (83.8 to 89.7)", "79.2 (75.4 to 82.5)", "84.9 (80.1 to 89.6)"] },
  },
  probeSubjects: {
    source: "this project, medical subjects (docs/results.md)",
    figure:
      "SmolLM2-135M, 500 labels: a probe and words 63.0 %, LoRA 66.5, logistic regression on sentence vectors 66.2",
    n: 500,
    interval: [58.6, 67.2],
    own: { file: results, says: ["63.0 (58.6 to 67.2)", "66.5 (60.2 to 72.7)", "66.2 (61.9 to 70.2)"] },
  },
  headQuestions: {
    source: questions,
    figure:
      "SmolLM2-135M, 500 labels, three seeds: a classification head 81.8 %, LoRA 84.9, a probe and words 87.0",
    n: 500,
    interval: [77.7, 85.8],
    own: { file: results, says: ["81.8 (77.7 to 85.8)", "84.9 (80.1 to 89.6)", "87.0 (83.8 to 89.7)"] },
  },
  stackQuestions: {
    source: questions,
    figure:
      "of words, sentence vectors, a probe and calibration a stack keeps the probe alone, 87.0 % (66.6 on licences, words 65.6); with sentence vectors it has 68.0 on law types (the probe alone 67.8) and 67.4 on medical subjects (vectors alone 66.2)",
    n: 500,
    interval: [83.8, 89.7],
    own: {
      file: results,
      says: [
        "`stack` keeps it alone",
        "66.6 (62.0 to 70.9)",
        "65.6 (61.0 to 69.9)",
        "68.0 (63.8 to 71.9)",
        "67.8 (63.6 to 71.7)",
        "67.4 (63.1 to 71.4)",
        "66.2 (61.9 to 70.2)",
      ],
    },
  },
  searchQuestions: {
    source: questions,
    figure:
      "with each of three seeds a search within 800,000 tokens returned the probe, 87.0 % (on law types, too; on medical subjects the probe with sentence vectors, 66.4, vectors alone 66.2); on licences words with two seeds and nothing with one, 58.4 (words 65.6)",
    n: 500,
    interval: [83.8, 89.7],
    own: {
      file: results,
      says: [
        "search returns the probe with each seed",
        "66.4 (62.1 to 70.4)",
        "66.2 (61.9 to 70.2)",
        "58.4 (27.6 to 89.2)",
        "65.6 (61.0 to 69.9)",
      ],
    },
  },
  optimizeQuestions: {
    source: questions,
    figure: "SmolLM2-135M: an optimized prompt 64.3 %, +2.9 points against zero-shot, a probe 87.0",
    n: 500,
    interval: [-2.7, 8.5],
    own: { file: results, says: "| optimize | zeroShot | question-type | +2.9 (-2.7 to 8.5) |" },
  },
  ownPairs: {
    source: "this project, Self-Specialization reproduced (papers/self-specialization/README.md)",
    figure: "SmolLM2-135M: 80 seeds and the pairs that it wrote, against the seeds alone 0.0 points",
    n: 1500,
    interval: [-2.3, 2.3],
    own: {
      file: "papers/self-specialization/README.md",
      says: "| – | 0.0 | −2.3 to 2.3 | 1 | 1500 | not shown |",
    },
  },
} satisfies Record<string, Evidence>;
