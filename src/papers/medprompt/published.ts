// Figures published by Nori et al. 2023 and promptbase, as shares of 1. Only figures read from a source; the GPT-4 columns
// of Table 1 are left out, since no source for them could be read (see docs/log.md).

/** MedQA's ladder with GPT-4 (promptbase, medprompt_sa_graphic). */
export const publishedLadder = {
  "zero-shot": 0.817,
  "few-shot": 0.839,
  "chain of thought": 0.873,
  neighbours: 0.884,
  ensemble: 0.902,
} as const;

/** Full MMLU with GPT-4 (promptbase's README): Medprompt with k = 20, and the portfolio Medprompt+ above it. */
export const publishedPortfolio = { before: 0.8956, after: 0.901 } as const;

/** Table 1: the nine multiple-choice sets. Flan-PaLM 540B's and Med-PaLM 2's best, and Medprompt's. */
export const publishedTable: Readonly<
  Record<string, { flanPalm: number; medPalm2: number; medprompt: number }>
> = {
  medqa: { flanPalm: 0.676, medPalm2: 0.865, medprompt: 0.902 },
  pubmedqa: { flanPalm: 0.79, medPalm2: 0.818, medprompt: 0.82 },
  medmcqa: { flanPalm: 0.576, medPalm2: 0.723, medprompt: 0.791 },
  mmlu_clinical_knowledge: { flanPalm: 0.804, medPalm2: 0.887, medprompt: 0.958 },
  mmlu_medical_genetics: { flanPalm: 0.75, medPalm2: 0.92, medprompt: 0.98 },
  mmlu_anatomy: { flanPalm: 0.637, medPalm2: 0.844, medprompt: 0.896 },
  mmlu_professional_medicine: { flanPalm: 0.838, medPalm2: 0.952, medprompt: 0.952 },
  mmlu_college_biology: { flanPalm: 0.889, medPalm2: 0.958, medprompt: 0.979 },
  mmlu_college_medicine: { flanPalm: 0.763, medPalm2: 0.832, medprompt: 0.89 },
};
