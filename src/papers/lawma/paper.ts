// Lawma: a model tuned on legal classification against the generalist that it was tuned from, by task, by number of labels,
// by size, and on tasks that it was not trained on.

import { scoresOf } from "../figures.js";
import { definePaper, type Given } from "../paper.js";
import { lawmaClaims } from "./claims.js";
import { lawmaPlans, type RowsOn, type ScoresOn } from "./plans.js";
import { readLawma } from "./read.js";
import { type LawmaSettings, presets } from "./settings.js";
import { lawmaTables, recordsOf } from "./tables.js";
import { choose, type LawmaChoice } from "./tasks.js";

export const lawma = definePaper({
  name: "lawma",
  summary: "Is a fine-tuned small model better at legal classification than a large generalist?",
  paper: "Dominguez-Olmedo et al. 2024, Lawma (arXiv 2407.16615)",
  mostModels: 2,
  presets,
  data: {
    folders: ["law"],
    holding: "law/lawma_task_definitions.json with law/scdb_oyez/, or Lawma's task files with its opinions",
    read: async (folder, { settings }, context) => {
      const read = await readLawma(folder.path("law"), context);
      const choice = choose(read, settings);
      if (choice.chosen.length > 0) return choice;
      throw folder.missing(`no task has enough examples: of ${read.tasks.length} every one was left out`);
    },
  },
  plans: lawmaPlans,
  figures(studies, given) {
    const rows: RowsOn = (experiment, arm) =>
      studies
        .filter(({ plan }) => plan.experiment === experiment)
        .flatMap(({ study }) => study?.rows(arm) ?? []);
    const on: ScoresOn = (experiment, arm) => scoresOf(rows(experiment, arm));
    return { rows, on, ...recordsOf(on, rows, given) };
  },
  claims: ({ on, rows }, given) => lawmaClaims(on, rows, given),
  tables: (figures, { data }) => lawmaTables(figures, data),
  deviations({
    settings: { limit, input, instructionSentences, curve },
    data: { kind, leaked, chosen, leftOut },
  }: Given<LawmaSettings, LawmaChoice>) {
    const facts = kind === "facts";
    return [
      facts
        ? `The input is Oyez's summary of the facts, not the Court's opinion; the conclusion is never shown. ${leaked} cases of train and dev whose facts test has too were left out.`
        : undefined,
      "chars" in input
        ? `At most ${input.chars} characters of the case are shown (${curve.chars} on the curve); Lawma shows up to 8,192 tokens.`
        : `The case is cut to what ${input.contextTokens} tokens leave, reckoned at ${input.charsPerToken} characters a token; Lawma cuts by its tokenizer at 8,192.`,
      instructionSentences === null
        ? undefined
        : `Of each instruction only the first ${instructionSentences === 1 ? "sentence is" : `${instructionSentences} sentences are`} kept.`,
      `${chosen.length} of ${chosen.length + leftOut.length} tasks${facts ? " of the Supreme Court; the Courts of Appeals are not in these data" : ""}.`,
      `At most ${limit.train} training, ${limit.dev} dev and ${limit.test} test samples a task, after Lawma's balancing; the curve on ${curve.tasks.join(", ")} with ${curve.test} test samples and ${curve.seeds.length} seeds.`,
      "Outside the curve each model is trained once: what is claimed of it holds for that training seed.",
      "Low-rank adapters on a quantised base, not full fine-tuning; a small model, not 8B.",
      "Options beyond 26 are numbered with leading zeros (as Lawma does for GPT-4), not by single Chinese characters.",
      "Majority is the most frequent training label; Lawma's is the most frequent test label.",
    ];
  },
  more: ({ tasks, curve }, { data: { leftOut, heldOut } }) => ({ tasks, curve, leftOut, heldOut }),
});
