// Computes the task's own metric on dev from the options' log-probabilities during training; `choose: metric` chooses the
// step by it. The task grades the answers that these log-probabilities give as it grades the specialist's.

import type { Tensor } from "onnxruntime-node";
import { HoneError } from "../../../core/errors.js";
import type { LanguageSubject } from "../../../core/kinds.js";
import type { Query } from "../../../core/language.js";
import type { Sample } from "../../../core/sample.js";
import type { Given } from "../../../core/specializer.js";
import type { ScoredRow } from "../../../core/task.js";
import type { AnswerBatch } from "../../../nets/answer.js";
import { scoredRow } from "../../../statistics/choose.js";
import { prepared } from "../../parts/define.js";
import type { TrainableSubject } from "./examples.js";
import type { TrainingOptions } from "./options.js";

/** Whether the metric chooses the step. Without dev there is nothing to choose by. */
export function choosesByMetric(
  { choose }: Pick<TrainingOptions, "choose">,
  { dev }: Pick<Given, "dev">,
): boolean {
  return choose === "metric" && dev.length > 0;
}

/** The metric, given each option's natural-log probability for dev's samples in order. */
export type DevMetric = (logprobs: readonly (readonly number[])[]) => Promise<number>;

/**
 * Prepares the metric on `given.dev` and tries it on the first sample.
 * @throws HoneError where a grade does not come from choosing among the options of one query
 */
export async function devMetric(target: TrainableSubject, given: Given): Promise<DevMetric> {
  const { task, dev, context } = given;
  const keys: string[][] = [];
  for (const sample of dev) {
    const { query } = await prepared(target.subject, task.query(sample), context);
    if (!query.options || query.scoring === "parse")
      throw unfit(task.name, sample.id, "its answers are written, not chosen by probability");
    keys.push(query.options.map(({ key }) => key));
  }
  const rowOf = async (i: number, logprobs: readonly number[]): Promise<ScoredRow> => {
    const sample = dev[i] as Sample;
    const asked = JSON.stringify(task.query(sample));
    const respond = async (query: Query) => {
      if (JSON.stringify(query) !== asked)
        throw unfit(task.name, sample.id, "it asks more than one query for a sample");
      const own = keys[i] as string[];
      // Ties go to the first option, as everywhere.
      const choice = own[logprobs.indexOf(Math.max(...logprobs))] as string;
      return { choice, scores: Object.fromEntries(own.map((key, k) => [key, logprobs[k] as number])) };
    };
    const subject: LanguageSubject = { kind: "language", name: target.subject.name, id: "dev", respond };
    const row = scoredRow(await task.evaluate(subject, sample, context), String([sample.gold].flat()[0]));
    if (!row) throw unfit(task.name, sample.id, "it gives a chosen option no score");
    return row;
  };
  await rowOf(0, new Array((keys[0] as string[]).length).fill(0));
  return async (logprobs) => {
    const rows: ScoredRow[] = [];
    for (const [i, own] of logprobs.entries()) rows.push(await rowOf(i, own));
    if (task.aggregate) return task.aggregate(rows);
    const weight = rows.reduce((sum, row) => sum + row.weight, 0);
    return rows.reduce((sum, row) => sum + row.weight * row.score, 0) / weight;
  };
}

/**
 * Natural-log probabilities of each example's options in a block: options differ only in their last token, so their
 * log-probabilities differ from the right answer's by the difference in that token's logits.
 *
 * @param answers log p of each example's right answer, [E]
 * @param logits of the rivals of each answer token, [N, K]
 */
export function optionLogprobs(
  { owners, targets, rivals }: AnswerBatch<Tensor>,
  answers: Tensor,
  logits: Tensor,
): number[][] {
  const width = logits.dims[1] as number;
  const rows = (tensor: Tensor, at: number) => [
    ...(tensor.data as Float32Array | Int32Array).subarray(at * width, (at + 1) * width),
  ];
  const last: number[] = [];
  for (const [at, owner] of (owners.data as Int32Array).entries()) if (owner >= 0) last[owner] = at;
  return last.map((at, example) => {
    const tokens = rows(rivals as Tensor, at);
    const own = rows(logits, at);
    const right = own[tokens.indexOf(targets.data[at] as number)] as number;
    const answer = answers.data[example] as number;
    return own.map((logit, k) =>
      (tokens[k] as number) < 0 ? Number.NEGATIVE_INFINITY : answer + logit - right,
    );
  });
}

function unfit(task: string, sample: string, why: string): HoneError {
  return new HoneError({
    what: "The training step to keep cannot be chosen by this task's metric",
    where: `task ${task}, sample ${sample}`,
    why,
    next: "Leave out `choose: metric`: the step with the lowest loss on dev is then kept.",
    kind: "usage",
  });
}
