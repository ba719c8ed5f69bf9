// The steps of the paper's Tables 1 and 2, of its ablations and of its four analyses, each as a difference of bits per byte.

import { above, below, type Draft } from "../claim.js";
import type { BySeed, Measured } from "../figures.js";
import { type ArmName, margin } from "./settings.js";

/** What claims are made from; null where an arm was not trained. */
export interface MoeFigures {
  /** a less b over documents and seeds, against a value. */
  difference: (a: ArmName, b: ArmName, against?: number) => Measured | null;
  /** An arm's figure with its experts changed at test time, by seed; empty where it was not looked into. */
  probe: (
    arm: ArmName,
    which: (probe: { what: string; masked?: number; chosen?: number }) => boolean,
  ) => BySeed;
  /** a less b, seed by seed. */
  bySeed: (a: BySeed, b: BySeed, against?: number) => Measured | null;
  violation: (arm: ArmName) => BySeed;
  /** Information of expert and domain, and what shuffled domains give in 95 of 100 shuffles; means over layers. */
  information: (arm: ArmName) => { found: BySeed; shuffled: BySeed };
  /** Documents' difference from the dense net by arm. */
  routedOf: (arm: ArmName) => number | null;
}

const nats = "Published in nats a token of the Pile";

export function claimsOf(figures: MoeFigures): Draft[] {
  const { difference, probe, bySeed, violation, information } = figures;
  const step = (id: string, words: string, a: ArmName, b: ArmName, published: number | null, within = 0) =>
    below(
      id,
      words,
      published,
      published === null ? "No figure is published." : `${nats}.`,
      difference(a, b, within),
    );
  const asGood = `within ${margin} bits per byte`;
  const masked = (arm: ArmName) => {
    const whole = probe(arm, ({ what }) => what === "as trained");
    const first = probe(arm, ({ masked }) => masked === firstMask(figures.routedOf(arm)));
    return new Map(
      [...first].flatMap(([seed, value]) => {
        const base = whole.get(seed);
        return base === undefined ? [] : [[seed, value - base] as const];
      }),
    );
  };
  const whole = probe("deepseekmoe", ({ what }) => what === "as trained");
  const { found, shuffled } = information("deepseekmoe");
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
    above(
      "e1",
      "Masking the best sixteenth of experts costs DeepSeekMoE more than GShard with experts 1.5 times as large.",
      7.468 - 5.586,
      `${nats}; dev texts, seeds are the units.`,
      bySeed(masked("deepseekmoe"), masked("gshard x1.5")),
    ),
    above(
      "e2",
      "Switching off the shared expert and choosing one more routed one costs.",
      2.414 - 1.808,
      `${nats}; dev texts, seeds are the units.`,
      bySeed(
        probe("deepseekmoe", ({ what }) => what.startsWith("shared off")),
        whole,
      ),
    ),
    below(
      "e3",
      `DeepSeekMoE with 4 of its 7 routed experts is as good as GShard, ${asGood}.`,
      1.868 - 1.867,
      `${nats}; dev texts, seeds are the units.`,
      bySeed(
        probe("deepseekmoe", ({ chosen, what }) => chosen === 4 && what !== "as trained"),
        probe("gshard", ({ what }) => what === "as trained"),
        margin,
      ),
    ),
    above(
      "e4",
      "DeepSeekMoE's routing tells domains apart better than 95 of 100 shuffles of the documents' domains.",
      null,
      "Normalised mutual information, mean over layers; seeds are the units.",
      bySeed(found, shuffled),
    ),
    below(
      "b1",
      "Loss-free balancing brings MaxVio down from that of a router without balance.",
      null,
      "Published for 1B: 0.72 with the balance loss, 0.04 loss-free; dev texts, mean over layers, seeds are the units.",
      bySeed(violation("loss-free"), violation("unbalanced")),
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

/** How many experts a sixteenth of them is, one at least. */
function firstMask(routed: number | null): number {
  return Math.max(1, Math.round((routed ?? 16) / 16));
}
