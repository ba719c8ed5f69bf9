// Treats a choice among shared labels as classification: what specializers that learn one weight vector per label read
// from train, and how their probabilities become an answer.

import { HoneError } from "../../core/errors.js";
import type { Answer, Query } from "../../core/language.js";
import type { Given } from "../../core/specializer.js";
import { groupsOf } from "../../learn/folds.js";
import { requireTrain } from "./define.js";

/** Train as a classifier reads it. */
export interface Classes {
  /** Labels that train has examples of, in the task's order. */
  classes: string[];
  /** All of the task's labels; those not in `classes` are never chosen and get no score. */
  labels: string[];
  queries: Query[];
  /** Each sample's class, and what it is held out with: its group, else samples with the same text. */
  targets: Int32Array;
  groups: string[];
}

/** @throws HoneError where there is no train, samples do not share their labels, or an answer is none of them */
export function classesOf(given: Given, name: string): Classes {
  requireTrain(given, name);
  const { task, train } = given;
  const labels = task.labels?.map((label) => label.key);
  if (!labels) {
    throw new HoneError({
      what: `${name} cannot be used here`,
      where: `task ${task.name}`,
      why: "it learns one weight vector per label, and this task's samples do not share their labels",
      next: `Take ${name} out of this task's study.`,
      kind: "usage",
    });
  }
  const answers = train.map((sample) => {
    const { answer } = task.demonstration(sample);
    if (labels.includes(answer)) return answer;
    throw new HoneError({
      what: `The answer "${answer}" is not one of the task's labels`,
      where: `task ${task.name}, sample ${sample.id}`,
      next: `Correct the sample, or add the label. Labels: ${labels.slice(0, 20).join(", ")}`,
    });
  });
  const classes = labels.filter((label) => answers.includes(label));
  const queries = train.map((sample) => task.query(sample));
  return {
    classes,
    labels,
    queries,
    targets: Int32Array.from(answers, (answer) => classes.indexOf(answer)),
    groups: groupsOf(task, train),
  };
}

/** The options of a query that a classifier knows; none where the query offers other labels than the task's. */
export function knownChoices(
  query: Query,
  { classes, labels }: Pick<Classes, "classes" | "labels">,
): string[] {
  const offered = query.options?.map((option) => option.key) ?? [];
  return offered.every((key) => labels.includes(key)) ? offered.filter((key) => classes.includes(key)) : [];
}

/** The likeliest of the choices, with the score of each. */
export function chooseClass(
  choices: readonly string[],
  classes: readonly string[],
  logProbs: Float64Array,
): Answer {
  const scores = choices.map((key) => [key, logProbs[classes.indexOf(key)] as number] as const);
  const best = scores.reduce((a, b) => (b[1] > a[1] ? b : a));
  return { choice: best[0], scores: Object.fromEntries(scores) };
}
