// Lawma: a model tuned on legal classification against the generalist that it was made from, by task, by number of labels, by
// size, and on tasks that it was not trained on.

import { type Scores, scoresOf } from "../figures.js";
import { definePaper, type Given } from "../paper.js";
import { type LawmaScores, lawmaClaims } from "./claims.js";
import { deviations } from "./deviations.js";
import { type LawmaPart, lawmaPlans } from "./plans.js";
import { readLawma } from "./read.js";
import { type LawmaSettings, presets } from "./settings.js";
import { curveRecords, lawmaTables, taskRecords } from "./tables.js";
import { choose, type LawmaChoice } from "./tasks.js";

type LawmaGiven = Given<LawmaSettings, LawmaChoice>;

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
  figures(studies, { data, settings }) {
    const read = (part: LawmaPart, arm: string): Scores =>
      new Map(
        studies
          .filter(({ plan }) => plan.experiment === part)
          .flatMap(({ study }) => (study ? [...scoresOf(study.rows(arm))] : [])),
      );
    const scores: LawmaScores = {
      zero: read("tasks", "zero-shot"),
      few: read("tasks", "few-shot"),
      all: read("tasks", "one for all"),
      one: read("tasks", "one each"),
      linear: read("tasks", "linear"),
      majority: read("tasks", "majority"),
      transfer: read("transfer", "tuned"),
      curve: settings.curve.n.map((n) => ({
        n,
        tuned: read("curve", `tuned on ${n}`),
        linear: read("curve", `linear on ${n}`),
      })),
      curveZero: read("curve", "zero-shot"),
      curveMajority: read("curve", "majority"),
      largerZero: read("larger", "zero-shot"),
      largerAll: read("larger", "one for all"),
    };
    return { scores, tasks: taskRecords(data, scores), curve: curveRecords(scores) };
  },
  claims: ({ scores }, { data }) => lawmaClaims(scores, data),
  tables: ({ scores, tasks, curve }, { data }) => lawmaTables(tasks, curve, scores, data.leftOut),
  deviations: ({ settings, data }: LawmaGiven) => deviations(settings, data),
  more: ({ tasks, curve }, { data }) => ({ tasks, curve, leftOut: data.leftOut, heldOut: data.heldOut }),
});
