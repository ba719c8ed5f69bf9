// medprompt: examples, reasoning, neighbours and shuffling as one recipe whose rungs may be left out (Nori et al. 2023,
// Medprompt, §4 and §5.2). It combines other specializers and does nothing to a query itself.

import { z } from "zod";
import type { Json } from "../../core/json.js";
import type { LanguageSpecializer } from "../../core/specializer.js";
import { bestOf } from "../combine/best-of.js";
import { chain } from "../combine/chain.js";
import { inherited } from "../parts/inherited.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";
import { cot, cotOptions } from "./cot.js";
import { ensemble, ensembleOptions } from "./ensemble.js";
import { fewShot } from "./few-shot.js";
import { knn, knnOptions } from "./knn.js";
import { zeroShot } from "./zero-shot.js";

/**
 * The published ladder's rungs, in its order: drawn few-shot examples; the subject's own reasoning, in the examples and
 * before the answer; the nearest examples instead of drawn ones (only where there are examples); a choice-shuffle
 * ensemble.
 */
export const rungs = ["examples", "reasoning", "neighbours", "shuffling"] as const;
/** A component of Medprompt that can be left out (Nori et al. 2023, figure 4). */
export type Rung = (typeof rungs)[number];

const medpromptOptions = z.strictObject({
  k: knnOptions.shape.k,
  members: ensembleOptions.shape.members,
  pool: cotOptions.shape.pool,
  shuffles: cotOptions.shape.shuffles,
  maxTokens: cotOptions.shape.maxTokens,
  without: z
    .array(z.enum(rungs))
    .default([])
    .describe('rungs to leave out: "examples", "reasoning", "neighbours", "shuffling"'),
  examples: z
    .enum(["measured", "always"])
    .default("measured")
    .describe(
      '"measured" to show examples only if that is better on dev, "always" to show them without measuring',
    ),
  by: knnOptions.shape.by,
  orders: ensembleOptions.shape.orders
    .removeDefault()
    .default("random")
    .describe(
      'how options are shuffled: "random" as published, "balanced" for every option in every position',
    ),
  vote: ensembleOptions.shape.vote,
});
/** Options of `medprompt`. */
export type MedpromptOptions = z.input<typeof medpromptOptions>;
type Settings = z.output<typeof medpromptOptions>;

/** As a study file writes it. */
export interface MedpromptSpec {
  medprompt: MedpromptOptions;
}

type State = { examples: Settings["examples"]; inner: Json };

/**
 * The chain `cot(knn)` + `ensemble`, less the rungs in `without`. The defaults are the standard recipe (k = 5, 5 members;
 * 90.2 on MedQA with GPT-4); k = 20 with 11 members is the big one (90.6).
 *
 * Examples help some models and harm others (Nori et al. 2024, From Medprompt to o1, arXiv 2411.03590): with
 * `examples: "measured"` the recipe is fitted with and without them and dev decides; where there is no dev they stay.
 *
 * @example
 * import { medprompt } from "@honelab/hone";
 * medprompt({ without: ["neighbours"] }).label; // "medprompt(k=5, x5, without neighbours)"
 */
export function medprompt(options: MedpromptOptions = {}): LanguageSpecializer {
  const settings = readOptions(medpromptOptions, "medprompt", options);
  const left = leftOut(settings.without);
  const always = recipe(settings, left);
  const measured: LanguageSpecializer =
    settings.examples === "always" || left.includes("examples")
      ? always
      : bestOf([always, recipe(settings, leftOut([...left, "examples"]))]);
  return {
    name: "medprompt",
    label: `medprompt(${describe(settings, left)})`,
    options: { ...settings, without: left },
    ...inherited([measured]),
    fit: async (subject, given): Promise<State> => {
      const examples = given.dev.length > 0 ? settings.examples : "always";
      const chosen = examples === "measured" ? measured : always;
      return { examples, inner: await chosen.fit(subject, given) };
    },
    apply: (subject, state, tools) => {
      const { examples, inner } = state as State;
      return (examples === "measured" ? measured : always).apply(subject, inner, tools);
    },
  };
}

function recipe(settings: Settings, left: readonly Rung[]): LanguageSpecializer {
  const { k, members, pool, shuffles, maxTokens, by, orders, vote } = settings;
  const has = (rung: Rung) => !left.includes(rung);
  const shown = has("neighbours")
    ? knn({ k, by })
    : has("examples")
      ? fewShot({ k })
      : zeroShot<"language">();
  const reasoned = has("reasoning") ? cot({ pool, shuffles, maxTokens }, shown) : shown;
  return has("shuffling") ? chain([reasoned, ensemble({ members, orders, vote })]) : reasoned;
}

/** In the ladder's order, each once; without examples there are no neighbours either. */
function leftOut(without: readonly Rung[]): Rung[] {
  const implied = without.includes("examples") ? [...without, "neighbours"] : without;
  return rungs.filter((rung) => implied.includes(rung));
}

function describe({ k, members, by, orders, vote }: Settings, left: readonly Rung[]): string {
  return [
    ...(left.includes("examples") ? [] : [`k=${k}`]),
    ...(left.includes("shuffling") ? [] : [`x${members}`]),
    ...(left.includes("neighbours") || by === "vectors" ? [] : [by]),
    ...(left.includes("shuffling") || orders === "random" ? [] : [orders]),
    ...(left.includes("shuffling") || vote === "plurality" ? [] : [vote]),
    ...(left.length > 0 ? [`without ${left.join(" and ")}`] : []),
  ].join(", ");
}

function spec(options: MedpromptOptions, without: readonly Rung[]): MedpromptSpec {
  return { medprompt: { ...options, without: leftOut(without), examples: "always" } };
}

/**
 * The six published rungs as a study would write them (§5.2, Figure 4): zero-shot, drawn examples, with reasoning, nearest
 * examples, shuffled ensemble, and the same with k = 20 and 11 members. They always keep examples, without measuring.
 * @param options for all six alike; `without` and `examples` are set here
 */
export function ladder(options: Omit<MedpromptOptions, "without" | "examples"> = {}): MedpromptSpec[] {
  const climbed = [0, 1, 2, 3, 4].map((height) => spec(options, rungs.slice(height)));
  return [...climbed, spec({ ...options, k: 20, members: 11 }, [])];
}

/**
 * All 16 subsets of the rungs with the specializer of each, for Shapley values: rung i of `rungs` is bit i of the
 * position, so the first has none and the last all. Subsets with neighbours and no examples are written as those
 * without either, so 12 specializers are different.
 * @param options as in `ladder`
 */
export function coalitions(
  options: Omit<MedpromptOptions, "without" | "examples"> = {},
): { rungs: Rung[]; spec: MedpromptSpec }[] {
  return Array.from({ length: 2 ** rungs.length }, (_, bits) => {
    const present = rungs.filter((_rung, i) => bits & (2 ** i));
    const absent = rungs.filter((rung) => !present.includes(rung));
    return { rungs: present, spec: spec(options, absent) };
  });
}

/** Its entry in the table of specializers. */
export const medpromptEntry = {
  make: medprompt,
  options: medpromptOptions,
  summary: "Nearest examples with verified reasoning, asked in several orders, and a vote",
  paper:
    "Nori et al. 2023, Can Generalist Foundation Models Outcompete Special-Purpose Tuning? (2311.16452), §4",
  leaf: "few-shot prompt",
} satisfies SpecializerEntry;
