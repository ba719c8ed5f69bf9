// Medprompt: the ladder task by task, every coalition of rungs on one task, retrieval on two, and what the results say
// about the paper's claims.

import { definePaper } from "../paper.js";
import { claimsOf } from "./claims.js";
import { creditOf } from "./measured.js";
import { type MedpromptData, medpromptPlans, readTasks } from "./plans.js";
import { type MedpromptSettings, presets } from "./settings.js";
import {
  biasTable,
  costTable,
  eyesTable,
  ladderTable,
  lookupTable,
  shapleyTable,
  tableOne,
} from "./tables.js";

export const medprompt = definePaper({
  name: "medprompt",
  summary: "Which rungs of Medprompt's prompting ladder raise a generalist's accuracy, and on what?",
  paper: "Nori et al. 2023, Medprompt (arXiv 2311.16452)",
  presets,
  data: {
    folders: ["med", "law"],
    holding:
      "med/medqa_*.jsonl, med/pubmedqa_*.jsonl, med/bioasq/, law/scdb_oyez/; sets that it lacks come from the Hub",
    elsewhere: true,
    read: readTasks,
  },
  plans: medpromptPlans,
  figures(studies, { models, settings }) {
    const done = studies.flatMap(({ plan, study }) => (study ? [{ plan, study }] : []));
    const game = done.find(({ plan }) => plan.task === settings.shapley && plan.model === models[0]);
    const of = (model: string, experiment: "ladder" | "lookup") =>
      done.filter(({ plan }) => plan.model === model && plan.experiment === experiment);
    return {
      byModel: models.map((model) => ({ model, ladder: of(model, "ladder"), lookups: of(model, "lookup") })),
      credit: game ? creditOf(game) : [],
    };
  },
  claims: ({ byModel }) =>
    byModel.flatMap(({ model, ladder, lookups }, i) => claimsOf(model, i + 1, ladder, lookups)),
  tables: ({ byModel, credit }, { models, settings }) => [
    ...byModel.map(({ model, ladder }) => ladderTable(model, ladder)),
    tableOne(
      byModel.flatMap(({ ladder }) => ladder),
      models,
    ),
    shapleyTable(models[0] as string, settings.shapley ?? "", credit),
    ...byModel.map(({ model, ladder }) => costTable(model, ladder)),
    ...byModel.map(({ model, ladder }) => biasTable(model, ladder)),
    ...byModel.map(({ model, ladder }) => eyesTable(model, ladder)),
    ...byModel.map(({ model, lookups }) => lookupTable(model, lookups)),
  ],
  deviations: ({ settings, data }: { settings: MedpromptSettings; data: MedpromptData }) => {
    const { k, members, pool, shuffles, maxTokens } = settings.ladder;
    const { limit, chars, lookup, plain, direct, later } = settings;
    return [
      `k=${k}, ${members} members, ${pool} samples reasoned about in ${shuffles} orders, chains of thought of at most ${maxTokens} tokens, written without worked examples.`,
      `At most ${limit.train} train and ${limit.test} test samples a task${later.limit ? ` (${later.limit.test} for models after the first, without the portfolio)` : ""}; questions cut to their last ${chars.question} characters, contexts to their first ${chars.context}.`,
      "Models other than GPT-4; MiniLM in the place of ada-002. MedMCQA's dev questions are divided where there is no training file.",
      direct !== null && plain.length > 0 ? `The portfolio is left out on ${plain.join(", ")}.` : undefined,
      lookup
        ? "BioASQ's documents are the parts that its experts quoted, not whole abstracts; those of PubMedQA's own papers are left out."
        : undefined,
      ...data.missing.map((one) => `Left out: ${one}.`),
    ];
  },
  more: ({ credit }, { data }) => ({ shapley: credit, missing: data.missing }),
});
