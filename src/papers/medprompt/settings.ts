// Every size of the Medprompt reproduction. It runs nothing.

import type { Preset } from "../plans.js";

export interface MedpromptSettings {
  /** Tasks of the ladder; those whose data are unavailable are left out and named. */
  tasks: readonly string[];
  /** Worked examples, ensemble members, samples reasoned about, orders of each, tokens of a chain of thought. */
  ladder: { k: number; members: number; pool: number; shuffles: number; maxTokens: number };
  /** Direct calls of the portfolio above the ladder; null for no portfolio. */
  direct: number | null;
  /** Tasks that are too costly for the portfolio: with many options every prompt is long. */
  plain: readonly string[];
  /** Most characters of a question and of a context. */
  chars: { question: number; context: number };
  limit: { train: number; dev: number; test: number };
  /** The task on which every coalition of rungs is measured; null for none. */
  shapley: string | null;
  /** Questions asked without the text that answers them, for which passages are retrieved; null for none. */
  lookup: {
    test: number;
    /** BioASQ documents beside PubMedQA's own thousand. */
    others: number;
    /** Words of a passage. */
    words: number;
    k: readonly number[];
    by: readonly ("bm25" | "vectors" | "both")[];
    /** Worked examples for the questions with written answers. */
    shots: number;
  } | null;
  models: readonly string[];
  /** Settings that differ for the models after the first. */
  later: Partial<Pick<MedpromptSettings, "limit" | "direct" | "lookup">>;
}

const small = "llama:smollm2-135m-instruct?format=plain";
const large = "llama:gemma3-270m?format=plain";

const multiMedQA = [
  "medqa",
  "pubmedqa",
  "medmcqa",
  "mmlu_clinical_knowledge",
  "mmlu_medical_genetics",
  "mmlu_anatomy",
  "mmlu_professional_medicine",
  "mmlu_college_biology",
  "mmlu_college_medicine",
];

const lookup = (test: number, k: readonly number[]): NonNullable<MedpromptSettings["lookup"]> => ({
  test,
  others: 2200,
  words: 120,
  k,
  by: ["bm25", "vectors", "both"],
  shots: 3,
});

export const presets: Record<Preset, MedpromptSettings> = {
  // Prompt evaluation dominates the cost: with five neighbours 600 to 900 tokens, at about 700 a second on two cores, before
  // five members of 250 tokens each. A sample takes some 8 s over all rungs with the smaller model and 12 s with the larger.
  full: {
    tasks: ["medqa", "pubmedqa", "licence category", "issue area"],
    ladder: { k: 5, members: 5, pool: 60, shuffles: 2, maxTokens: 32 },
    direct: 5,
    plain: ["issue area"],
    chars: { question: 250, context: 250 },
    limit: { train: 60, dev: 4, test: 48 },
    shapley: "licence category",
    lookup: lookup(100, [1, 3]),
    models: [small, large],
    later: { limit: { train: 30, dev: 2, test: 16 }, direct: null, lookup: lookup(40, [3]) },
  },
  smoke: {
    tasks: ["medqa"],
    ladder: { k: 2, members: 2, pool: 6, shuffles: 1, maxTokens: 12 },
    direct: 2,
    plain: [],
    chars: { question: 200, context: 150 },
    limit: { train: 6, dev: 4, test: 8 },
    shapley: null,
    lookup: { test: 6, others: 2200, words: 60, k: [1], by: ["bm25"], shots: 1 },
    models: [small],
    later: {},
  },
  // The paper's big variant is k = 20 with 11 members (90.6 on MedQA).
  original: {
    tasks: multiMedQA,
    ladder: { k: 5, members: 5, pool: 1_000_000, shuffles: 5, maxTokens: 500 },
    direct: 10,
    plain: [],
    chars: { question: 1_000_000, context: 1_000_000 },
    limit: { train: 1_000_000, dev: 100, test: 1_000_000 },
    shapley: "medqa",
    lookup: { ...lookup(500, [1, 3, 5]), others: 1_000_000 },
    models: [small, large],
    later: {},
  },
};
