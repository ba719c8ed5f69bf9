// The steps of the paper's Tables 1 and 2, of its ablations and of its four analyses, each as a difference of bits per byte.

import { above, below, type Draft } from "../claim.js";
import type { Crossing, Measured } from "../figures.js";
import { type ArmName, margin } from "./settings.js";

/** What claims are made from; null where an arm was not trained. */
export interface MoeFigures {
  /** a minus b over documents and seeds, against a value. */
  difference: (a: ArmName, b: ArmName, against?: number) => Measured | null;
  /** By seed, bits per byte of the probed texts with an arm's experts changed at test time; empty if not probed. */
  probe: (arm: ArmName, which: Which) => number[][];
  /** By seed, MaxVio of those texts. */
  violations: (arm: ArmName) => number[][];
  /** a minus b over those texts and seeds; MaxVio weights all texts equally. */
  onTexts: (a: number[][], b: number[][], crossing?: Crossing) => Measured | null;
  onViolations: (a: number[][], b: number[][]) => Measured | null;
  /** Mutual information of expert and domain minus the 95th percentile of its shuffles, by seeds; p from the shuffles. */
  information: (arm: ArmName) => Measured | null;
  /** Routed experts of a layer. */
  routedOf: (arm: ArmName) => number | null;
}

/** Chooses a probe. */
export type Which = (probe: { what: string; masked?: number; chosen?: number }) => boolean;

const nats = "Published in nats a token of the Pile";

export function claimsOf(figures: MoeFigures): Draft[] {
  const { difference, probe, violations, onTexts, onViolations, information } = figures;
  const step = (id: string, words: string, a: ArmName, b: ArmName, published: number | null, within = 0) =>
    below(
      id,
      words,
      published,
      published === null ? "No figure is published." : `${nats}.`,
      difference(a, b, within),
    );
  const asGood = `within ${margin} bits per byte`;
  const asTrained: Which = ({ what }) => what === "as trained";
  /** Cost of masking, by seed and text. */
  const masked = (arm: ArmName) => {
    const whole = probe(arm, asTrained);
    const first = probe(arm, ({ masked }) => masked === firstMask(figures.routedOf(arm)));
    return first.map((column, s) => column.map((one, i) => one - (whole[s]?.[i] as number)));
  };
  const whole = probe("deepseekmoe", asTrained);
  return [
    step("t1", "Hash layers beat the dense net of equal computation", "hash", "dense", 1.932 - 2.06),
    step("t2", "Switch beats hash layers", "switch", "hash", 1.881 - 1.932),
    step("t3", "GShard beats Switch", "gshard", "switch", 1.867 - 1.881),
    step("t4", "DeepSeekMoE beats GShard of equal size", "deepseekmoe", "gshard", 1.808 - 1.867),
    step(
      "t5",
      "DeepSeekMoE beats the dense net of equal activated size",
      "deepseekmoe",
      "dense, equal activated",
      null,
    ),
    step(
      "t6",
      `DeepSeekMoE is as good as GShard with experts 1.5 times as large, ${asGood}`,
      "deepseekmoe",
      "gshard x1.5",
      0,
      margin,
    ),
    step(
      "t7",
      `DeepSeekMoE is as good as the dense net of equal total size, ${asGood}`,
      "deepseekmoe",
      "dense, equal total",
      1.808 - 1.806,
      margin,
    ),
    step("a1", "Isolating a shared expert helps GShard", "shared isolation", "gshard", null),
    step("a2", "Cutting experts in two helps", "segments of 2", "shared isolation", null),
    step("a3", "Cutting them in four helps more", "deepseekmoe", "segments of 2", null),
    step(
      "a4",
      `Two shared experts are as good as one, ${asGood}`,
      "two shared",
      "deepseekmoe",
      1.806 - 1.808,
      margin,
    ),
    step(
      "a5",
      `Four shared experts are as good as one, ${asGood}`,
      "four shared",
      "deepseekmoe",
      1.811 - 1.808,
      margin,
    ),
    above(
      "e1",
      "Masking the best eighth of experts costs DeepSeekMoE more than GShard with experts 1.5 times as large.",
      8.196 - 7.518,
      `${nats}, for 2 of 16; with 8 experts a sixteenth is none; dev texts; texts and seeds are the units.`,
      onTexts(masked("deepseekmoe"), masked("gshard x1.5")),
    ),
    above(
      "e2",
      "Switching off the shared expert and choosing one more routed one costs.",
      2.414 - 1.808,
      `${nats}; dev texts; texts and seeds are the units.`,
      onTexts(
        probe("deepseekmoe", ({ what }) => what.startsWith("shared off")),
        whole,
        { same: true },
      ),
    ),
    below(
      "e3",
      `DeepSeekMoE with 4 of its 7 routed experts is as good as GShard, ${asGood}.`,
      1.868 - 1.867,
      `${nats}; dev texts; texts and seeds are the units.`,
      onTexts(
        probe("deepseekmoe", ({ chosen, what }) => chosen === 4 && what !== "as trained"),
        probe("gshard", asTrained),
        { against: margin },
      ),
    ),
    above(
      "e4",
      "DeepSeekMoE's routing tells domains apart better than 95 of 100 shuffles of the documents' domains.",
      null,
      "Normalised mutual information on dev, mean over layers; interval over seeds, p by the shuffles, of the seed where it is largest.",
      information("deepseekmoe"),
    ),
    below(
      "b1",
      "Loss-free balancing brings MaxVio down from that of a router without balance.",
      null,
      "Published for 1B: 0.72 with the balance loss, 0.04 loss-free; dev texts, MaxVio of each, mean over layers; texts and seeds are the units.",
      onViolations(violations("loss-free"), violations("unbalanced")),
    ),
    step(
      "b2",
      `Loss-free balancing is as good as the balance loss, ${asGood}`,
      "loss-free",
      "deepseekmoe",
      null,
      margin,
    ),
  ];
}

/** How many experts an eighth of them is, one at least. */
function firstMask(routed: number | null): number {
  return Math.max(1, Math.round((routed ?? 8) / 8));
}
