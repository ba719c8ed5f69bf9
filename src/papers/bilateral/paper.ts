// Left/Right Brain: every controller trained on reaching and on holding, tested on both and under load, noise and delay, and
// what the results say about the abstract's claims.

import { bySeed, meanOverSeeds } from "../figures.js";
import { definePaper } from "../paper.js";
import { claimsOf, margin } from "./claims.js";
import { bilateralPlans, lesionName, lesionsOf, mains, taskName, testedOn } from "./plans.js";
import { lesioned, type MainTask, presets } from "./settings.js";
import { errorTable, type Line, lesionTable, metricsTable } from "./tables.js";

export const bilateral = definePaper({
  name: "bilateral",
  summary: "Do two hemispheres that specialize control an arm better than one?",
  paper: "Rinaldo et al. 2024, Left/Right Brain, human motor control (arXiv 2401.14057)",
  unit: "cm",
  mostModels: 1,
  presets,
  data: null,
  plans: bilateralPlans,
  figures(studies) {
    const trained = new Map(
      studies.flatMap(({ plan, study }) => (study ? [[plan.task, study] as const] : [])),
    );
    return {
      trained: mains.filter((task) => trained.has(task)),
      /** An arm as it was trained on a task. */
      line: (task: MainTask, arm: string): Line => ({
        name: arm,
        on(tested, metric) {
          const rows = trained.get(task)?.rows(arm) ?? [];
          return bySeed(
            rows.filter((row) => row.task === tested),
            metric,
          );
        },
      }),
    };
  },
  claims: ({ line }) => claimsOf((task, arm) => line(task, arm).on(task)),
  tables: ({ trained, line }, { settings }) =>
    trained.flatMap((task) => {
      const lines = [...settings.arms, "untrained"].map((arm) => line(task, arm));
      const cut = lesionsOf(settings).map((parts) => line(task, lesionName(parts)));
      return [
        errorTable(task, lines, testedOn(settings).map(taskName)),
        metricsTable(task, lines),
        ...(cut.length > 0 ? [lesionTable(line(task, lesioned), cut, task)] : []),
      ];
    }),
  deviations({ settings: { seeds, controller, steps, trials }, models }) {
    return [
      `${seeds.length} seeds, ${controller.units} units a layer in all, ${controller.layers} layers, ${controller.updates} updates of ${controller.batch} trials at ${controller.learningRate}; ${trials.test} test trials of ${steps} steps; body ${models[0]}.`,
      "The paper's own sizes, metrics and figures could not be read: only its abstract and its code. Seeds are the units of every interval and test.",
      `"As good as" means worse by less than ${1000 * margin} mm, fixed before measuring.`,
      "Which loss is the dominant one is not said in the code: loss 0 (mean distance and activity) is taken for it, `dominantSide` turns it.",
      controller.activity === "asPublished"
        ? "The regulariser acts where the published program put it, on positions, muscles and feedback, in every arm."
        : "The regulariser acts on the hidden layers as the code means it; the arm `as published` has it where the program put it.",
    ];
  },
  more: ({ line }, { settings }) => ({
    errors: Object.fromEntries(
      mains.map((task) => [
        task,
        Object.fromEntries(settings.arms.map((arm) => [arm, meanOverSeeds(line(task, arm).on(task))])),
      ]),
    ),
  }),
});
