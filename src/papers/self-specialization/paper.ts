// Self-Specialization: a generalist specializes itself from 80 seeds, and controls show whether it learned the domain or
// the form.

import { definePaper } from "../paper.js";
import { claimsOf } from "./claims.js";
import type { Measured } from "./measured.js";
import { readData, type SelfData, selfPlans } from "./plans.js";
import { presets, type SelfSpecializationSettings } from "./settings.js";
import { dataTable, gainTable, priorTable, scoreTable } from "./tables.js";

export const selfSpecialization = definePaper({
  name: "self-specialization",
  summary: "Does a generalist become a biomedical expert by training on what it wrote itself from 80 seeds?",
  paper: "Kang et al. 2023, Self-Specialization (arXiv 2310.00160)",
  presets,
  data: {
    folders: ["med", "law", "social"],
    holding:
      "med/pubmedqa_*.jsonl, med/medqa_*.jsonl, med/medmcqa_dev.jsonl, med/bioasq/, law/scdb_oyez/, social/tombench/",
    elsewhere: true,
    read: readData,
  },
  plans: selfPlans,
  figures: (studies) => studies.flatMap(({ plan, study }): Measured[] => (study ? [{ plan, study }] : [])),
  claims: (measured) => measured.flatMap((one, i) => claimsOf(one, i + 1)),
  tables: (measured) =>
    measured.flatMap((one) => [scoreTable(one), gainTable(one), priorTable(one), dataTable(one)]),
  deviations: ({ settings, data }: { settings: SelfSpecializationSettings; data: SelfData }) => {
    const { pairs, seeds, chars, limit, outside, lora } = settings;
    return [
      `Models below a billion parameters in place of 30 billion; ${pairs} synthetic pairs in place of 5,000.`,
      `${seeds} seeds of each of five sets (80 in the paper), from the sets' own training parts.`,
      "MedQA, MedMCQA, PubMedQA and BioASQ in place of the paper's ten sets, of which the two last are among them; accuracy where an answer is chosen, in place of F1.",
      `At most ${limit.test} test samples a set and ${outside} of each task outside; contexts cut at ${chars.context} characters, BioASQ's quotes at ${chars.quotes}.`,
      `LoRA with ${Object.entries(lora)
        .map(([name, value]) => `${name} ${String(value)}`)
        .join(
          ", ",
        )}; the paper's own values could not be read, its successor's are rank 8, alpha 16, learningRate 0.0003, epochs 3, batch 32.`,
      "Of options the one whose text is likeliest per token is taken; the paper's models write.",
      "Worked examples are of the sets with options; factoid questions and those outside the domain are asked without any in every arm.",
      "The corpus is PubMedQA's training abstracts and what BioASQ's experts quoted, less what test asks about.",
      ...data.byModel.flatMap((one) => one.data.missing.map((what) => `Left out: ${what}.`)).slice(0, 5),
    ];
  },
  more: (measured) => ({
    data: measured.map(({ plan, study }) => ({
      model: plan.model,
      arms: Object.fromEntries(
        Object.keys(plan.arms).flatMap((arm) => {
          const cards = study.synthetic(arm);
          return cards.length > 0 ? [[arm, cards]] : [];
        }),
      ),
    })),
  }),
});
