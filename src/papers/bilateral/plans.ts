// The two studies of the bilateral reproduction: every controller trained on one of the two tasks, tested on both and on
// the others, as a study file writes it.

import type { Given } from "../paper.js";
import type { Plan } from "../plans.js";
import {
  type ArmName,
  type BilateralSettings,
  controllers,
  lesioned,
  type MainTask,
  mainTasks,
  type OtherTask,
  otherTasks,
} from "./settings.js";

export interface BilateralPlan extends Plan {
  /** What the controllers are trained on. */
  task: MainTask;
}

export const mains = Object.keys(mainTasks) as MainTask[];

export function bilateralPlans({ settings, models }: Given<BilateralSettings, unknown>): BilateralPlan[] {
  const model = models[0] as string;
  const body = model.replace(/^motor:/, "");
  const lesions = lesionsOf(settings).map((cut): [string, unknown] => [
    lesionName(cut),
    [armOf(lesioned, settings), { lesion: { cut } }],
  ]);
  return mains.map((task) => ({
    part: task,
    model,
    description: `All controllers trained on ${task}`,
    files: {},
    study: {
      task: taskOf(task, settings, body),
      elsewhere: testedOn(settings)
        .filter((other) => other !== task)
        .map((other) => taskOf(other, settings, body)),
      seeds: settings.seeds,
    },
    arms: {
      ...Object.fromEntries(settings.arms.map((arm) => [arm, armOf(arm, settings)])),
      ...Object.fromEntries(lesions),
      untrained: "zeroShot",
    },
    task,
  }));
}

function armOf(name: ArmName, { controller }: BilateralSettings): unknown {
  return { bilateral: { ...controller, ...controllers[name] } };
}

/** The lesions that are measured: none if the lesioned controller is not among the arms. */
export function lesionsOf({ arms, lesions }: BilateralSettings): BilateralSettings["lesions"] {
  return arms.includes(lesioned) ? lesions : [];
}

export function lesionName(cut: readonly string[]): string {
  return `without ${cut.join(" and ")}`;
}

/** All tasks on which the trained controllers are tested. */
export function testedOn({ elsewhere }: BilateralSettings): (MainTask | OtherTask)[] {
  return [...mains, ...elsewhere];
}

/** Body and task as a study has them. */
function taskOf(name: MainTask | OtherTask, { steps, trials }: BilateralSettings, body: string): object {
  const options = name in otherTasks ? otherTasks[name as OtherTask] : { movement: name };
  return {
    name: taskName(name),
    kind: "motor",
    body,
    steps,
    ...options,
    // Transfer is tested with fewer trials: there are ten seeds of every controller.
    data: name in otherTasks ? { train: 1, dev: 0, test: Math.min(64, trials.test) } : trials,
  };
}

/** Names of tasks have no commas in a study. */
export function taskName(name: MainTask | OtherTask): string {
  return name.replaceAll(",", "");
}
