// The studies of the Medprompt reproduction: the ladder task by task, every coalition of rungs on one task, and retrieval
// on two, with named arms.

import { openModel } from "../../models/registry.js";
import { coalitions, ladder, type MedpromptSpec, type Rung, rungs } from "../../specializers/index.js";
import type { DataFolder } from "../data.js";
import type { Given } from "../paper.js";
import type { Plan } from "../plans.js";
import { type LookupStudy, lookupStudies } from "./lookup.js";
import type { MedpromptSettings } from "./settings.js";
import { type LadderTask, ladderTask } from "./tasks.js";

/** The published ladder from no rung to all of them, and the portfolio (Medprompt+) above it. */
export const rungNames = [
  "zero-shot",
  "few-shot",
  "chain of thought",
  "neighbours",
  "ensemble",
  "portfolio",
] as const;
export type RungName = (typeof rungNames)[number];

export interface MedpromptPlan extends Plan {
  experiment: "ladder" | "lookup";
  task: string;
  /** The arms that tables show, in their order. */
  shown: readonly string[];
  /** In a lookup, the arm that retrieves nothing and the one that retrieves most. */
  compared?: { without: string; with: string };
}

/** The data read for one model. */
export interface MedpromptData {
  byModel: readonly {
    model: string;
    sizes: MedpromptSettings;
    lookups: LookupStudy[];
    tasks: LadderTask[];
  }[];
  /** Tasks whose data are unavailable, and why. */
  missing: string[];
}

export async function readTasks(
  folder: DataFolder,
  { settings, models }: { settings: MedpromptSettings; models: readonly string[] },
  { signal }: { signal: AbortSignal },
): Promise<MedpromptData> {
  const byModel: MedpromptData["byModel"][number][] = [];
  const missing = new Set<string>();
  for (const model of models) {
    const sizes = model === models[0] ? settings : { ...settings, ...settings.later };
    const tasks: LadderTask[] = [];
    for (const key of settings.tasks) {
      const task = await ladderTask(key, sizes, folder, { signal });
      if ("missing" in task) missing.add(task.missing);
      else tasks.push(task);
    }
    byModel.push({ model, sizes, lookups: await lookupStudies(folder, sizes), tasks });
  }
  if (byModel.every(({ tasks }) => tasks.length === 0))
    throw folder.missing([...missing][0] ?? "no task is asked for");
  return { byModel, missing: [...missing] };
}

/** Retrieval first, then task by task, so that a stopped run has complete tasks of every model. */
export async function medpromptPlans({
  settings,
  data: { byModel },
}: Given<MedpromptSettings, MedpromptData>): Promise<MedpromptPlan[]> {
  const parsed = new Set<string>();
  for (const { model } of byModel) if (await answersOnly(model)) parsed.add(model);
  const plan = (
    model: string,
    { key, files, task }: Pick<LadderTask, "key" | "files" | "task">,
    words: string,
    rest: Pick<MedpromptPlan, "experiment" | "arms" | "shown" | "compared">,
  ): MedpromptPlan => ({
    part: key.replaceAll(" ", "-"),
    model,
    description: `${words}, ${model}`,
    files,
    study: { task: task.kind === "choice" && parsed.has(model) ? { ...task, scoring: "parse" } : task },
    task: key,
    ...rest,
    arms: { ...rest.arms, majority: "majority" },
  });
  const lookups = byModel.flatMap(({ model, lookups }) =>
    lookups.map((one) => {
      const { arms, compared } = one;
      return plan(model, one, `Retrieval for ${one.key}`, {
        experiment: "lookup",
        arms,
        shown: Object.keys(arms),
        compared,
      });
    }),
  );
  const ladders = settings.tasks.flatMap((key) =>
    byModel.flatMap(({ model, sizes, tasks }) =>
      tasks
        .filter((task) => task.key === key)
        .map((task) => {
          const arms = rungArms({ ...sizes, direct: settings.plain.includes(key) ? null : sizes.direct });
          const whole = key === settings.shapley && model === byModel[0]?.model;
          return plan(model, task, `Medprompt's ladder on ${task.title}`, {
            experiment: "ladder",
            arms: { ...arms, ...(whole ? coalitionArms(settings.ladder) : {}) },
            shown: Object.keys(arms),
          });
        }),
    ),
  );
  return [...lookups, ...ladders];
}

/** Whether a model returns no log-probabilities, so that its choice has to be parsed from its text. */
async function answersOnly(ref: string): Promise<boolean> {
  if (!ref.startsWith("openai:")) return false;
  const model = await openModel(ref);
  await model.close();
  return !model.grants.has("logprobs");
}

/** Without any rung it is the generalist, which every study has anyway. */
const armOf = (spec: MedpromptSpec): unknown =>
  spec.medprompt.without?.length === rungs.length ? "zeroShot" : spec;

function rungArms({
  ladder: sizes,
  direct,
}: Pick<MedpromptSettings, "ladder" | "direct">): Partial<Record<RungName, unknown>> {
  const [none, examples, reasoning, neighbours, shuffling] = ladder(sizes).map(armOf);
  return {
    "zero-shot": none,
    "few-shot": examples,
    "chain of thought": reasoning,
    neighbours,
    ensemble: shuffling,
    ...(direct === null
      ? {}
      : {
          portfolio: {
            portfolio: {
              use: shuffling,
              direct: [{ knn: { k: sizes.k } }, { ensemble: { members: direct, vote: "probability" } }],
            },
          },
        }),
  };
}

/** All sixteen coalitions of rungs; twelve of them differ. */
export function coalitionArms(sizes: MedpromptSettings["ladder"]): Record<string, unknown> {
  return Object.fromEntries(coalitions(sizes).map(({ rungs, spec }) => [coalitionName(rungs), armOf(spec)]));
}

export const coalitionMembers: readonly (readonly Rung[])[] = coalitions().map((one) => one.rungs);

export function coalitionName(members: readonly Rung[]): string {
  return `rungs: ${members.join(", ") || "none"}`;
}
