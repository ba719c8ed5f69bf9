// EgoSocialArena: is a model's social intelligence better when it is in the room? Its static scenarios in the third person, in
// the first, with the controls that its reviewers asked for, and what specialists keep of it.

import { type SurfaceRule, surfaceRules, surfaceScore } from "../../tasks/social/surface.js";
import { meanOverTasks, type Row, type Score, type Scores, scoresOf } from "../figures.js";
import { readLawma } from "../lawma/read.js";
import { presets as lawmaPresets } from "../lawma/settings.js";
import { choose } from "../lawma/tasks.js";
import { definePaper, type PaperTable } from "../paper.js";
import { type ArenaRows, arenaClaims, arenaRows, arenaTable } from "./arena.js";
import { type EgoScores, egoClaims } from "./claims.js";
import { type EgoData, egoPlans } from "./plans.js";
import { type EgoRow, readPublished } from "./read.js";
import { presets } from "./settings.js";
import { egoTables, recordsOf } from "./tables.js";

export const egosocialarena = definePaper({
  name: "egosocialarena",
  summary: "Does a model reason better about minds when it is itself in the story?",
  paper: "Hou et al. 2024, EgoSocialArena (arXiv 2410.06195)",
  mostModels: 2,
  presets,
  data: {
    folders: ["social", "law"],
    holding: "social/tomi/test_balanced.jsonl, social/tombench/*.jsonl, law/ as the paper lawma reads it",
    read: async (folder, { settings }, context): Promise<EgoData> => {
      const law = choose(await readLawma(folder.path("law"), context), {
        ...lawmaPresets.full,
        tasks: settings.law.tasks,
        enough: settings.law.enough,
      });
      if (law.chosen.length === 0) throw folder.missing("no legal task has enough examples");
      for (const part of ["tomi", "tombench"])
        if (!folder.names("social").has(part)) throw folder.missing(`there is no social/${part} in it`);
      return { ...(await readPublished(folder.path("social"), settings.tombenchTried, context.signal)), law };
    },
  },
  plans: egoPlans,
  figures(studies, { models }): EgoScores & { n: number; played: ArenaRows; board: PaperTable } {
    const rowsOn = (part: string, model: string | undefined, arm: string, task: string): readonly Row[] => {
      const found = studies.find(({ plan }) => plan.experiment === part && plan.model === model)?.study;
      return found?.rows(arm).filter((row) => row.task === task) ?? [];
    };
    const plan = studies.find((one) => one.plan.experiment === "perspectives")?.plan;
    const rows = (plan?.files["first.jsonl"] ?? []) as EgoRow[];
    const byRule = (score: (row: EgoRow) => number): Scores =>
      new Map(
        rows.map((row): [string, Score] => [
          row.id,
          {
            ...{ task: row.id.slice(0, row.id.indexOf("/")), caseId: row.group, gold: "", prediction: "" },
            score: score(row),
          },
        ]),
      );
    const chance = byRule(({ options }) => 1 / options.text.length);
    // The best of them is chosen on the same items, which favours it.
    const surface = [chance, ...surfaceRules.map((rule) => byRule((row) => surfaceOf(rule, row)))].reduce(
      (best, one) => ((meanOverTasks(one)?.mean ?? 0) > (meanOverTasks(best)?.mean ?? 0) ? one : best),
    );
    return {
      told: (condition, model) => scoresOf(rowsOn("perspectives", models[model], "zero-shot", condition)),
      trained: (part, arm, on) => rowsOn(part, models[0], arm, on),
      chance,
      surface,
      n: rows.length,
      // Claims are about the smaller model.
      played: arenaRows(studies.filter((one) => one.plan.model === models[0])),
      board: arenaTable(studies),
    };
  },
  claims: (figures) => [...egoClaims(figures), ...arenaClaims(figures.played)],
  tables: (figures, { models, settings, data }) => [
    ...egoTables(figures, models, settings.draws, data.validation),
    figures.board,
  ],
  deviations: ({ settings, data: { validation } }, { n }) => [
    "The original's 2,195 entries, prompts and games are not public: situations of all scenarios were drawn by generators written here, and ToMi and ToMBench converted by rule.",
    `${n} items in both persons: ${settings.each} of each generator for each of ${settings.draws.length} seeds, at most ${settings.tomi} belief items of ToMi and ${settings.tombench} of ToMBench.`,
    `ToMBench is converted by rule where the paper uses GPT-4o; ${validation.tombench.converted} of ${validation.tombench.read} items could be, the others are left out and counted by cause.`,
    "ToMi: every item that asks for a belief; the paper's code leaves out first-order ones of stories without a true belief. The options are the two containers. Of a second-order question always the first person becomes you, in the paper's code the second where the first had left.",
    "Answers are read from log-probabilities, of labels or of the options' texts as dev decides for each model; the paper lets models write and GPT-4o judge.",
    "In the third person the instruction lacks only the words that relate the event to you; the paper's has another system message.",
    "In drawn situations of Hold'em the others make 30 % of their moves at random, so that their records differ.",
    "The smaller model alone meets the controls and is trained; the larger one plays fewer deals, of which there is no claim.",
    "Number Guessing and Hold'em are asked as single situations, and played whole; the paper's rounds, seats, prompts and DQN opponents of Hold'em are not public, and the opponents here were trained by self-play.",
    `LoRA specialists of the smaller model with ${settings.seeds.length} training seeds; the other domain is legal classification on Oyez's facts.`,
  ],
  more: (figures, { models, data }) => ({ ...recordsOf(figures, models), validation: data.validation }),
});

function surfaceOf(rule: SurfaceRule, { input, question, options, answer }: EgoRow): number {
  const told = { story: input, question, options: options.text };
  return surfaceScore(rule, told, options.label.indexOf(answer));
}
