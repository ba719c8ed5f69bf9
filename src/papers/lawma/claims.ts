// What Lawma says, put to the figures measured here. Each claim can fail; the words do not change with the outcome.

import type { Draft } from "../claim.js";
import { average, byTask, difference, type Scores, shareOfTasks, within } from "../figures.js";
import { ceilingGap } from "./natural.js";
import * as published from "./published.js";
import { type LawmaChoice, majorityOf } from "./tasks.js";

/** Scores by the part that a subject plays; empty maps for what was not run. */
export interface LawmaScores {
  zero: Scores;
  few: Scores;
  all: Scores;
  one: Scores;
  linear: Scores;
  majority: Scores;
  /** Tuned on all others than the tasks kept from training, tested on those. */
  transfer: Scores;
  /** By number of examples, in order; the generalist and the majority on the same test samples. */
  curve: { n: number; tuned: Scores; linear: Scores }[];
  curveZero: Scores;
  curveMajority: Scores;
  largerZero: Scores;
  largerAll: Scores;
}

export function lawmaClaims(scores: LawmaScores, data: LawmaChoice): Draft[] {
  const { zero, few, all, one, linear, majority, transfer, curve, curveZero, largerZero, largerAll } = scores;
  const { supremeCourt, fewShot, transfer: moved } = published;
  const first = curve[0];
  const last = curve.at(-1);
  const some = curve.filter(({ n }) => n <= 250).at(-1);
  const lawma = new Map(
    [...data.accuracy].flatMap(([task, { "lawma-8b": known }]) =>
      known === undefined ? [] : [[task, known]],
    ),
  );
  const asPublished: Scores = new Map(
    [...all].flatMap(([id, one]) => {
      const score = lawma.get(one.task);
      return score === undefined ? [] : [[id, { ...one, score }]];
    }),
  );
  return [
    {
      id: "a1",
      claim: "A fine-tuned model beats the same model asked zero-shot",
      published: supremeCourt.lawma8b - supremeCourt.llama3Instruct8b,
      note: "Lawma 8B less Llama 3 8B Instruct, mean over the Supreme Court tasks",
      side: "above",
      measured: difference(all, zero),
    },
    {
      id: "a2",
      claim: "A fine-tuned model beats the same model with examples in its prompt",
      published: null,
      note: "the paper has few-shot answers of GPT-4 only, on other examples",
      side: "above",
      measured: difference(all, few),
    },
    {
      id: "a3",
      claim: "Examples in the prompt do not help the generalist: few-shot scores below zero-shot",
      published: fewShot.three - fewShot.zero,
      note: "GPT-4, three examples, all tasks",
      side: "below",
      measured: difference(few, zero),
    },
    {
      id: "a4",
      claim: "The fine-tuned model is ahead of the generalist on most tasks",
      published: supremeCourt.beatsGpt4,
      note: "Lawma 8B against GPT-4, which is not its base; share of tasks",
      side: "above",
      measured: shareOfTasks(all, zero),
    },
    {
      id: "b1",
      claim: "One model tuned on all tasks beats models tuned on one task each",
      published: average(published.oneAgainstAll.map((task) => task.all - task.one)),
      note: "ten tasks; tuned from Llama 3 8B Instruct on one task alone, against Lawma 8B",
      side: "above",
      measured: difference(all, one),
    },
    {
      id: "c1",
      claim: `More labels are worth having: ${last?.n ?? "many"} beat ${first?.n ?? "few"}`,
      published: published.curve.at(-1)!.mean - published.curve[0]!.mean,
      note: "1000 labels less 10, mean over ten tasks, five seeds",
      side: "above",
      measured: first && last ? difference(last.tuned, first.tuned) : null,
    },
    {
      id: "c2",
      claim: `A few hundred labels are enough to beat the generalist (${some?.n ?? 250})`,
      published: null,
      note: "with 250 labels the paper's 8B reaches GPT-4 on 7 of ten tasks; here the generalist is the model's own base",
      side: "above",
      measured: some ? difference(some.tuned, curveZero) : null,
    },
    {
      id: "d1",
      claim: "The larger base is better after the same fine-tuning",
      published: published.scale[2]!.supremeCourt - published.scale[1]!.supremeCourt,
      note: "Pythia 410M less 160M, Supreme Court tasks, ten test examples a task; here both are of other families",
      side: "above",
      measured: difference(largerAll, all),
    },
    {
      id: "d2",
      claim: "The larger base, too, gains from fine-tuning",
      published: supremeCourt.lawma8b - supremeCourt.llama3Instruct8b,
      note: "as a1",
      side: "above",
      measured: difference(largerAll, largerZero),
    },
    {
      id: "e1",
      claim: "Tuning on other tasks helps on tasks that were never trained on",
      published: moved.end,
      note: "tuned on the other court's tasks, at the end of the epoch (at its peak 0.189), on the Supreme Court's",
      side: "above",
      measured: difference(transfer, within(zero, data.heldOut)),
    },
    {
      id: "e2",
      claim: "Tuning on other tasks stays below tuning on the tasks themselves",
      published: moved.belowLawma,
      note: "Lawma 8B less the model tuned on the other court, Supreme Court tasks",
      side: "above",
      measured: difference(within(all, data.heldOut), transfer),
    },
    ceilingClaim(data),
    {
      id: "f2",
      claim: "On what is shown here the tuned model stays below Lawma 8B, which read whole opinions",
      published: null,
      note: `ours less Lawma 8B's published accuracy, on ${byTask(asPublished).size} tasks; no claim of the paper`,
      side: "below",
      measured: difference(all, asPublished),
    },
    {
      id: "r0",
      claim: "The fine-tuned model beats always giving the most frequent training label",
      published: supremeCourt.lawma8b - supremeCourt.majority,
      note: "Lawma 8B less the most frequent test label, Supreme Court tasks",
      side: "above",
      measured: difference(all, majority),
    },
    {
      id: "r1",
      claim: "The fine-tuned model beats logistic regression on words, one a task",
      published: null,
      note: "no claim of the paper, which has no such reference; it is what a cheap route gives",
      side: "above",
      measured: difference(all, linear),
    },
  ];
}

/** Lawma 8B's stored answers at the natural class mix, less what two coders agree on. */
function ceilingClaim({ predictions }: LawmaChoice): Draft {
  const tasks = published.coderAgreement.flatMap(({ task, coders, keep, adjusted }) => {
    const rows = predictions
      .filter((row) => row.task === task)
      .map(({ id, gold, lawma }) => ({ id, gold, right: gold === lawma ? 1 : 0 }));
    if (rows.length === 0) return [];
    const examples = rows.map(({ gold }) => ({ caseId: "", instruction: "", question: "", gold: [gold] }));
    return [{ task, rows, keep, coders, majority: majorityOf(examples).code, gap: adjusted - coders }];
  });
  const known =
    tasks.length > 0
      ? tasks.map(({ gap }) => gap)
      : published.coderAgreement.map((one) => one.adjusted - one.coders);
  return {
    id: "f1",
    claim: "Fine-tuning has not reached the ceiling that coders' own disagreement sets",
    published: average(known),
    note: `Lawma 8B at the natural class mix less coder agreement; ${
      tasks.length > 0
        ? `recomputed from its stored answers on ${tasks.map(({ task }) => task).join(", ")}`
        : "its stored answers are not among the data"
    }. SCDB publishes no agreement, so it cannot be measured on our own tasks`,
    side: "below",
    measured: ceilingGap(tasks),
  };
}
