// The paper's claims that can be checked here, and its reviewers' questions, each as a difference with an interval.

import { above, below, type Draft } from "../claim.js";
import { difference, type Measured as Figure } from "../figures.js";
import { domainSets, type Measured, on, outsideSets, withoutYesNo } from "./measured.js";
import { published } from "./published.js";
import { type ArmName, medKeys } from "./settings.js";

const rounded = (value: number) => Math.round(value * 10_000) / 10_000;
const paper =
  "Published: F1 of MPT-30B over ten sets; ours: mean of the sets' paired differences (accuracy, F1 where answers are written).";
const control = "Not in the paper; the control parts what was learnt.";

/** @param at 1 for the first model, and so on: the number in the claims' ids */
export function claimsOf(measured: Measured, at: number): Draft[] {
  const { model } = measured.plan;
  const words = (text: string) => `${text} (${model}).`;
  const less = (a: ArmName, b: ArmName, sets: readonly string[]): Figure | null =>
    difference(on(measured, a, sets), on(measured, b, sets));
  const claim = (
    id: string,
    text: string,
    figure: number | null,
    note: string,
    [a, b, sets = domainSets]: [ArmName, ArmName, (readonly string[])?],
  ): Draft => above(`${id}.${at}`, words(text), figure, note, less(a, b, sets));
  const { base, self, gainWithoutYesNo, outside } = published;
  const controls: Draft[] = [
    claim("k1", "Synthetic pairs teach more than the seeds alone", null, control, ["self", "seeds alone"]),
    claim("k2", "Pairs of the domain teach more than as many of law", null, control, [
      "self",
      "unrelated domain",
    ]),
    claim("k3", "The model's own responses teach more than shuffled ones", null, control, [
      "self",
      "shuffled responses",
    ]),
    ...(measured.plan.arms["stronger generator"] === undefined
      ? []
      : [
          claim("k4", "A stronger generator's pairs teach more than its own", null, control, [
            "stronger generator",
            "self",
          ]),
        ]),
  ];
  return [
    claim("s1", "Self-specialized beats the base, zero-shot", rounded(self - base), paper, ["self", "base"]),
    claim(
      "s2",
      "It does so without the yes/no sets",
      gainWithoutYesNo,
      "Published: the reviewers' reckoning.",
      ["self", "base", withoutYesNo],
    ),
    claim(
      "s3",
      "It beats the base with worked examples, on the sets that have them",
      null,
      "The paper's few-shot figures could not be read; factoid questions are asked without examples in every arm.",
      ["self, few-shot", "base, few-shot", medKeys],
    ),
    claim("s4", "Retrieved passages in the responses help", null, "The paper's ablation could not be read.", [
      "self, retrieval",
      "self",
    ]),
    claim("s5", "A second round helps", null, "The paper's ablation could not be read.", [
      "two rounds",
      "self",
    ]),
    below(
      `s6.${at}`,
      words("Outside the domain (law, general) something is lost"),
      rounded(outside.after - outside.before),
      "Published: Self-MoE with Gemma 7B, BIG-Bench Hard; ours: law and stories about people.",
      less("self", "base", outsideSets),
    ),
    ...controls,
  ];
}
