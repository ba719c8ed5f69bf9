// Figures that the Lawma paper's repository publishes, as constants. This file contains nothing measured here. Source of
// all: socialfoundations/lawma at 946c2e4, result files and notebooks; means recomputed from these files.

/** Mean task accuracy on the Supreme Court tasks, 0 to 1. */
export const supremeCourt = {
  lawma8b: 0.824,
  /** What Lawma 8B was tuned from. */
  llama3Instruct8b: 0.328,
  gpt4: 0.598,
  majority: 0.315,
  /** Share of all tasks on which Lawma 8B beats GPT-4. */
  beatsGpt4: 0.95,
} as const;

/** GPT-4 with three examples, and without them on the same examples. */
export const fewShot = { three: 0.584, zero: 0.616 } as const;

/** Accuracy of a model tuned on one task alone, and of Lawma 8B (one model for all), on the tasks published for both. */
export const oneAgainstAll: readonly { task: string; one: number; all: number }[] = [
  { task: "sc_issuearea", one: 0.815, all: 0.844 },
  { task: "sc_decisiondirection", one: 0.77, all: 0.85 },
  { task: "sc_casedisposition", one: 0.929, all: 0.946 },
  { task: "sc_lcdisposition", one: 0.776, all: 0.795 },
  { task: "sc_lcdispositiondirection", one: 0.743, all: 0.852 },
  { task: "songer_geniss", one: 0.912, all: 0.929 },
  { task: "songer_direct1", one: 0.758, all: 0.805 },
  { task: "songer_treat", one: 0.89, all: 0.901 },
  { task: "songer_origin", one: 0.745, all: 0.777 },
  { task: "sc_casesource", one: 0.894, all: 0.922 },
];

/** Mean accuracy over ten tasks of models tuned on 10 or 1,000 examples of one task alone (8B, five seeds). */
export const curve = { of10: 0.63, of1000: 0.759 } as const;

/** Mean accuracy on the Supreme Court tasks after one epoch on everything, by size of the base (Pythia). */
export const scale = { of160M: 0.267, of410M: 0.303 } as const;

/** Tuned on the other court's tasks alone: gain over the generalist on the Supreme Court's at the end. */
export const transfer = { end: 0.115, belowLawma: 0.3 } as const;

/** How often two coders agree (Songer's own reliability study), and Lawma 8B's accuracy at the natural class mix. */
export const coderAgreement: readonly { task: string; coders: number; adjusted: number; keep: number }[] = [
  { task: "songer_weightev", coders: 0.76, adjusted: 0.787, keep: 0.287 },
  { task: "songer_procedur", coders: 0.78, adjusted: 0.752, keep: 0.831 },
  { task: "songer_origin", coders: 0.832, adjusted: 0.801, keep: 0.531 },
  { task: "songer_direct2", coders: 0.856, adjusted: 0.675, keep: 1 },
  { task: "songer_direct1", coders: 0.94, adjusted: 0.805, keep: 1 },
  { task: "songer_treat", coders: 0.952, adjusted: 0.911, keep: 0.713 },
  { task: "songer_geniss", coders: 0.976, adjusted: 0.932, keep: 0.848 },
  { task: "songer_circuit", coders: 1, adjusted: 0.932, keep: 1 },
  { task: "songer_comment", coders: 1, adjusted: 1, keep: 0.0013 },
];
