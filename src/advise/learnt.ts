// Routes that learn weights from the labels: the references, which need no language model, and tuning the model itself. Each
// rule and its points are justified in place; advise.ts evaluates them.

import { evidence } from "./evidence.js";
import { always, labelsBelow, labelsFrom, type Route, type Rule, rule } from "./route.js";
import { asking, type Cost, type Situation } from "./situation.js";

const sharedLabels = ({ task, ownOptions }: Situation) =>
  task === "answer"
    ? "the answers are open, and it chooses among labels"
    : ownOptions
      ? "every question brings its own options, and it learns labels that all rows share"
      : undefined;
const trained = (has: Situation): Cost => ({ ...asking(1), training: has.labels > 0 });
const free = (): Cost => ({ calls: 0, inputTokens: 0, outputTokens: 0, training: false });

/** The most labels behind any of our figures (Supreme Court issue areas). */
const mostMeasured = 2103;
const beyond: Rule = rule(
  0,
  labelsFrom(mostMeasured + 1),
  `warning: it was measured here on at most ${mostMeasured.toLocaleString("en")} labels, fewer than you have`,
);

const fewForSetfit = `with fewer than 300 labels it is not shown to be better than cheaper routes: ${evidence.setfitFew.figure} (n = ${evidence.setfitFew.n}; ${evidence.setfitFew.source})`;

const thin: Rule = rule(
  0,
  (has) => !has.ownOptions && has.labels < 10 * (has.options ?? 0),
  "warning: each of your labels has fewer than ten samples on average to learn from",
);

// Epochs and rate are left to the sweep that every training begins with.
const tuning: readonly Rule[] = [
  rule(40, always, "you hold the weights, so the model itself can learn the task"),
  rule(25, labelsFrom(200), "there are enough labels to train on"),
  rule(15, labelsFrom(1000), "with a thousand labels or more, tuning is what the published figures favour"),
  rule(
    -25,
    labelsBelow(200),
    "warning: so few labels teach little more than how often each answer occurs; keep it only if it beats linear",
  ),
];

/** References first, then the kinds of tuning. */
export const learnt: readonly Route[] = [
  {
    write: () => ({ linear: { features: "tfidf" } }),
    leaf: null,
    needs: [],
    labels: 10,
    unfit: sharedLabels,
    cost: free,
    rules: [
      rule(50, always, "a reference that costs next to nothing: every costlier route has to beat it"),
      rule(42, labelsFrom(100), "with a hundred labels or more it is often hard to beat"),
      thin,
      beyond,
    ],
    evidence: ["linear", "linearLicences"],
  },
  {
    write: () => ({ linear: { features: "vectors" } }),
    leaf: null,
    needs: [],
    labels: 50,
    unfit: sharedLabels,
    cost: free,
    rules: [
      rule(
        46,
        always,
        "the same reference on sentence vectors, for tasks where words vary; the encoder is part of Hone",
      ),
      rule(42, labelsFrom(100), "there are enough labels for it"),
      thin,
      beyond,
    ],
    evidence: ["linearVectors"],
  },
  {
    write: () => ({ probe: { text: true, depths: [0.25] } }),
    leaf: "partial update",
    needs: ["weights"],
    labels: 50,
    unfit: sharedLabels,
    cost: () => asking(1),
    rules: [
      rule(
        44,
        always,
        "it reads the model's hidden states without changing the model, and takes seconds to minutes to fit",
      ),
      rule(
        38,
        labelsFrom(100),
        "on a few hundred labels it scored above training the model on four tasks of five",
      ),
      // As many points as tuning gets there, and a few more: it ranks first in the record, and costs less.
      rule(
        5,
        labelsFrom(1000),
        "on two thousand it was not behind training the model, which takes several times as long",
      ),
      thin,
      beyond,
    ],
    evidence: ["probeLicences", "probeScotus", "probeQuestions", "probeSubjects"],
  },
  {
    // As measured: nothing is written for other libraries.
    write: () => ({ setfit: { write: false } }),
    leaf: null,
    needs: [],
    labels: 16,
    unfit: (has) => sharedLabels(has) ?? (has.labels < 300 ? fewForSetfit : undefined),
    cost: () => ({ ...free(), training: true }),
    rules: [
      rule(
        80,
        always,
        "it tunes the encoder itself, which needs no language model and takes minutes; on 500 labels only the probe scored higher on average over four tasks",
      ),
      beyond,
    ],
    evidence: ["setfitRoutes", "setfitFew"],
  },
  {
    // As measured: only the last layers, so that those below are computed once, for the sweep and for all epochs.
    write: () => ({ lora: { layers: 10 } }),
    leaf: "low-rank adapter",
    needs: ["gradients", "weights"],
    labels: 50,
    cost: trained,
    rules: [
      ...tuning,
      rule(6, always, "it is the most measured way of tuning; the adapter is small and loads anywhere"),
      thin,
      beyond,
    ],
    evidence: ["lora", "loraSweep", "loraFew", "lawmaTuned", "lawmaLabels"],
  },
  {
    write: () => "full",
    leaf: "instruction-based update",
    needs: ["gradients", "weights"],
    labels: 1000,
    cost: trained,
    rules: [
      ...tuning,
      rule(
        -8,
        always,
        "every weight is trained, so it needs the most memory and the result is a whole model",
      ),
    ],
    evidence: ["lawmaTuned"],
  },
  {
    write: () => "majority",
    leaf: null,
    needs: [],
    labels: 1,
    cost: free,
    rules: [rule(1, always, "a reference, the floor: a route that does not beat it has learnt nothing")],
    evidence: ["majority"],
  },
];
