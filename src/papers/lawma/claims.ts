// Lawma's claims, tested on the figures measured here. Each can fail; its wording does not change with the outcome.

import { above, below, type Draft } from "../claim.js";
import {
  average,
  byTask,
  crossedDifference,
  difference,
  type Row,
  type Scores,
  shareOfTasks,
  within,
} from "../figures.js";
import type { Given } from "../paper.js";
import { ceilingGap } from "./natural.js";
import type { RowsOn, ScoresOn } from "./plans.js";
import * as published from "./published.js";
import type { LawmaSettings } from "./settings.js";
import { type LawmaChoice, majorityOf } from "./tasks.js";

export function lawmaClaims(
  on: ScoresOn,
  rows: RowsOn,
  { settings, data }: Given<LawmaSettings, LawmaChoice>,
): Draft[] {
  const zero = on("tasks", "zero-shot");
  const all = on("tasks", "one for all");
  const transfer = on("transfer", "tuned");
  const larger = on("larger", "one for all");
  const { n } = settings.curve;
  const few = Math.min(...n);
  const many = Math.max(...n);
  const some = Math.max(...n.filter((count) => count <= 250));
  const tunedOn = (count: number) => rows("curve", `tuned on ${count}`);
  // Trained several times, on each task by itself: samples and training seeds are the units.
  const crossed = (a: readonly Row[], b: readonly Row[]) =>
    crossedDifference(a, b, null, { range: [0, 1], apart: true });
  const { supremeCourt, fewShot, transfer: moved } = published;
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
    above(
      "a1",
      "A fine-tuned model beats the same model asked zero-shot",
      supremeCourt.lawma8b - supremeCourt.llama3Instruct8b,
      "Lawma 8B less Llama 3 8B Instruct, mean over the Supreme Court tasks",
      difference(all, zero),
    ),
    above(
      "a2",
      "A fine-tuned model beats the same model with examples in its prompt",
      null,
      "the paper has few-shot answers of GPT-4 only, on other examples",
      difference(all, on("tasks", "few-shot")),
    ),
    below(
      "a3",
      "Examples in the prompt do not help the generalist: few-shot scores below zero-shot",
      fewShot.three - fewShot.zero,
      "GPT-4, three examples, all tasks",
      difference(on("tasks", "few-shot"), zero),
    ),
    above(
      "a4",
      "The fine-tuned model is ahead of the generalist on most tasks",
      supremeCourt.beatsGpt4,
      "Lawma 8B against GPT-4, which is not its base; share of tasks",
      shareOfTasks(all, zero),
    ),
    above(
      "b1",
      "One model tuned on all tasks beats models tuned on one task each",
      average(published.oneAgainstAll.map((task) => task.all - task.one)),
      "ten tasks; tuned from Llama 3 8B Instruct on one task alone, against Lawma 8B",
      difference(all, on("tasks", "one each")),
    ),
    above(
      "c1",
      `More labels are worth having: ${many} beat ${few}`,
      published.curve.of1000 - published.curve.of10,
      "1000 labels less 10, mean over ten tasks, five seeds",
      crossed(tunedOn(many), tunedOn(few)),
    ),
    above(
      "c2",
      `A few hundred labels are enough to beat the generalist (${some})`,
      null,
      "with 250 labels the paper's 8B reaches GPT-4 on 7 of ten tasks; here the generalist is the model's own base",
      crossed(tunedOn(some), rows("curve", "zero-shot")),
    ),
    above(
      "d1",
      "The larger base is better after the same fine-tuning",
      published.scale.of410M - published.scale.of160M,
      "Pythia 410M less 160M, Supreme Court tasks, ten test examples a task; here both are of other families",
      difference(larger, all),
    ),
    above(
      "d2",
      "The larger base, too, gains from fine-tuning",
      supremeCourt.lawma8b - supremeCourt.llama3Instruct8b,
      "as a1",
      difference(larger, on("larger", "zero-shot")),
    ),
    above(
      "e1",
      "Tuning on other tasks helps on tasks that were never trained on",
      moved.end,
      "tuned on the other court's tasks, at the end of the epoch (at its peak 0.189), on the Supreme Court's",
      difference(transfer, within(zero, data.heldOut)),
    ),
    above(
      "e2",
      "Tuning on other tasks stays below tuning on the tasks themselves",
      moved.belowLawma,
      "Lawma 8B less the model tuned on the other court, Supreme Court tasks",
      difference(within(all, data.heldOut), transfer),
    ),
    ceilingClaim(data),
    below(
      "f2",
      "On what is shown here the tuned model stays below Lawma 8B, which read whole opinions",
      null,
      `ours less Lawma 8B's published accuracy, on ${byTask(asPublished).size} tasks; no claim of the paper`,
      difference(all, asPublished),
    ),
    above(
      "r0",
      "The fine-tuned model beats always giving the most frequent training label",
      supremeCourt.lawma8b - supremeCourt.majority,
      "Lawma 8B less the most frequent test label, Supreme Court tasks",
      difference(all, on("tasks", "majority")),
    ),
    above(
      "r1",
      "The fine-tuned model beats logistic regression on words, one a task",
      null,
      "no claim of the paper, which has no such reference; it is what a cheap route gives",
      difference(all, on("tasks", "linear")),
    ),
  ];
}

/** Lawma 8B's accuracy at the natural class mix, from its stored answers, minus two coders' agreement. */
function ceilingClaim({ predictions }: LawmaChoice): Draft {
  const tasks = published.coderAgreement.flatMap(({ task, coders, keep, adjusted }) => {
    const rows = predictions
      .filter((row) => row.task === task)
      .map(({ id, gold, lawma }) => ({ id, gold, right: gold === lawma ? 1 : 0 }));
    if (rows.length === 0) return [];
    const examples = rows.map(({ gold }) => ({ caseId: "", instruction: "", question: "", gold: [gold] }));
    return [{ task, rows, keep, coders, majority: majorityOf(examples).code, adjusted }];
  });
  const source =
    tasks.length > 0
      ? `recomputed from its stored answers on ${tasks.map(({ task }) => task).join(", ")}`
      : "its stored answers are not among the data";
  return below(
    "f1",
    "Fine-tuning has not reached the ceiling that coders' own disagreement sets",
    average((tasks.length > 0 ? tasks : published.coderAgreement).map((one) => one.adjusted - one.coders)),
    `Lawma 8B at the natural class mix less coder agreement; ${source}. SCDB publishes no agreement, so it cannot be measured on our own tasks`,
    ceilingGap(tasks),
  );
}
