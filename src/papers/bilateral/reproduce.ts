// hone reproduce bilateral: every arm trained on reaching and on holding, tested on both and under load, noise and delay, and
// what that says about the abstract. The journal makes it resumable.

import { cpus } from "node:os";
import { resolve } from "node:path";
import { makeSpecializer } from "../../specializers/index.js";
import { openStudy } from "../../study/open.js";
import { version } from "../../version.js";
import type { PaperTable, ReproduceOptions, Reproduction } from "../index.js";
import { type Plan, planName, runPlans } from "../plans.js";
import { claimsOf, margin } from "./claims.js";
import { type BySeed, overSeeds, readBySeed } from "./measured.js";
import {
  type ArmName,
  armOf,
  type BilateralSettings,
  lesionArm,
  lesioned,
  type MainTask,
  mainTasks,
  presets,
  taskName,
  taskOf,
} from "./settings.js";
import { errorTable, lesionTable, metricsTable, type Row } from "./tables.js";

/** Runs the reproduction, or continues it. @param sizes replaces the preset's sizes, for tests */
export async function reproduceBilateral(
  options: ReproduceOptions,
  sizes: BilateralSettings = presets[options.preset],
): Promise<Reproduction> {
  const started = performance.now();
  const store = resolve(options.store ?? ".hone");
  const signal = options.signal ?? new AbortController().signal;
  const mains = Object.keys(mainTasks) as MainTask[];
  const model = options.models?.[0] ?? `motor:${sizes.body}`;
  const settings = { ...sizes, body: model.replace(/^motor:/, "") };
  const lesions = settings.arms.includes(lesioned) ? settings.lesions : [];
  const plans: (Plan & { task: MainTask })[] = mains.map((task) => ({
    name: planName("bilateral", options.preset, task, model),
    description: `All controllers trained on ${task}`,
    files: {},
    study: {
      model,
      task: taskOf(task, settings),
      elsewhere: [...mains.filter((other) => other !== task), ...settings.elsewhere].map((other) =>
        taskOf(other, settings),
      ),
      specialists: [
        ...settings.arms.map((arm) => armOf(arm, settings)),
        ...lesions.map((cut) => lesionArm(cut, settings)),
      ],
      seeds: settings.seeds,
    },
    task,
  }));
  const { finished, stopped } = await runPlans("bilateral", plans, { ...options, store, signal });

  const labelOf = (arm: unknown): string =>
    makeSpecializer(arm, "bilateral", options.use?.specializers).label;
  const trained = new Map<MainTask, Map<string, Map<string, BySeed>>>();
  for (const { name, task } of plans.filter((plan) => finished.has(plan.name))) {
    const opened = openStudy(store, name);
    try {
      trained.set(task, readBySeed(opened));
    } finally {
      opened.close();
    }
  }
  const rowOf = (task: MainTask, name: string, arm: unknown): Row => ({
    name,
    on: (tested) => trained.get(task)?.get(tested)?.get(labelOf(arm)),
  });
  const armRow = (task: MainTask, arm: ArmName) => rowOf(task, arm, armOf(arm, settings));
  const tested = [...mains, ...settings.elsewhere].map(taskName);
  const tables: PaperTable[] = mains
    .filter((task) => trained.has(task))
    .flatMap((task) => {
      const rows = [...settings.arms.map((arm) => armRow(task, arm)), rowOf(task, "untrained", "zeroShot")];
      const cut = lesions.map((parts) => rowOf(task, parts.join(" and "), lesionArm(parts, settings)));
      return [
        errorTable(task, rows, tested),
        metricsTable(task, rows),
        ...(cut.length > 0 ? [lesionTable(armRow(task, lesioned), cut, task)] : []),
      ];
    });
  const { controller, seeds, steps, trials } = settings;
  return {
    type: "done",
    paper: "bilateral",
    preset: options.preset,
    models: [model],
    claims: claimsOf((task, arm) => armRow(task, arm).on(task)),
    unit: "cm",
    tables,
    deviations: [
      `${seeds.length} seeds, ${controller.units} units a layer in all, ${controller.layers} layers, ${controller.updates} updates of ${controller.batch} trials at ${controller.learningRate}; ${trials.test} test trials of ${steps} steps; body ${model}.`,
      "The paper's own sizes, metrics and figures could not be read: only its abstract and its code. Intervals are Student's t over seeds.",
      `"As good as" means worse by less than ${1000 * margin} mm, fixed before measuring.`,
      "Which loss is the dominant one is not said in the code: loss 0 (mean distance and activity) is taken for it, `dominantSide` turns it.",
      "The regulariser acts on the hidden layers as the code means it; the arm `as published` has it where the program put it.",
    ],
    studies: plans.map(({ name }) => name),
    stopped,
    seconds: (performance.now() - started) / 1000,
    machine: `${cpus()[0]?.model.trim() ?? "unknown CPU"}, ${cpus().length} cores, Node ${process.version}`,
    hone: version,
    at: new Date().toISOString(),
    errors: Object.fromEntries(
      mains.map((task) => [
        task,
        Object.fromEntries(settings.arms.map((arm) => [arm, overSeeds(armRow(task, arm).on(task))])),
      ]),
    ),
  };
}
