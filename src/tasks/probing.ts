// Classification by logistic regression on an encoder's vectors. The examples belong to the task, so that every encoder is probed
// alike: it measures what a change to an encoder does to tasks it was not trained for.

import { resolve } from "node:path";
import { z } from "zod";
import { HoneError } from "../core/errors.js";
import { fingerprint } from "../core/json.js";
import type { EncoderSubject } from "../core/kinds.js";
import { share } from "../core/metric.js";
import type { Grade, Task, TaskContext } from "../core/task.js";
import { readTabbed } from "../data/tabbed.js";
import { denseFeatures, denseRow } from "../learn/blocks.js";
import { type LogisticModel, logProbabilities } from "../learn/logistic.js";
import { choosePenalty } from "../learn/penalty.js";
import { rows, taskEntry } from "./table.js";

const probingSchema = z.strictObject({
  kind: z
    .literal("probing")
    .describe("Classification by logistic regression on an encoder's vectors: accuracy"),
  examples: z
    .string()
    .min(1)
    .describe("file of examples to fit the regression on: a label, a tab and a text per line"),
  folds: z
    .int()
    .min(2)
    .max(20)
    .default(5)
    .describe("number of folds in the cross-validation that chooses the penalty"),
});

interface Examples {
  readonly labels: readonly string[];
  readonly targets: Int32Array;
  readonly texts: readonly string[];
}

/** Number of example texts that are embedded together. */
const together = 256;

function probing(name: string, options: z.output<typeof probingSchema>, base: string): Task<"encoder"> {
  const examples = readExamples(resolve(base, options.examples.replace(/^file:/, "")));
  const fitted = new WeakMap<EncoderSubject, Promise<LogisticModel>>();
  const learn = async (subject: EncoderSubject, context: TaskContext): Promise<LogisticModel> => {
    const vectors: number[] = [];
    let width = 0;
    for (let at = 0; at < examples.texts.length; at += together) {
      for (const vector of await subject.respond(examples.texts.slice(at, at + together), context)) {
        width = vector.length;
        for (const value of vector) vectors.push(value);
      }
    }
    const { model } = await choosePenalty(
      {
        candidates: [denseFeatures("vectors", vectors, width)],
        targets: examples.targets,
        classes: examples.labels.length,
        groups: examples.texts,
        folds: options.folds,
      },
      { signal: context.signal, progress: () => {} },
    );
    return model;
  };
  return {
    name,
    kind: "probing",
    subjects: "encoder",
    metric: share("accuracy"),
    details: [share("probability of the label")],
    binary: true,
    id: fingerprint([
      "probing",
      1,
      name,
      { ...options, examples: null },
      [...examples.texts],
      [...examples.targets],
    ]),
    async evaluate(subject, sample, context): Promise<Grade> {
      const found = fitted.get(subject) ?? learn(subject, context);
      fitted.set(subject, found);
      found.catch(() => fitted.delete(subject));
      const model = await found;
      const row = denseRow((await subject.respond([sample.input], context))[0] ?? []);
      const scores = logProbabilities(model, row.columns, row.values);
      const prediction = examples.labels[scores.indexOf(Math.max(...scores))] as string;
      const gold = [sample.gold].flat();
      const known = gold.map((label) => examples.labels.indexOf(label)).filter((at) => at >= 0);
      const right = known.reduce((sum, at) => sum + Math.exp(scores[at] as number), 0);
      return {
        status: "scored",
        score: gold.includes(prediction) ? 1 : 0,
        prediction,
        details: { "probability of the label": right },
      };
    },
  };
}

/** @throws HoneError if the file cannot be read, a line is not an example, or all have one label */
function readExamples(path: string): Examples {
  const read = readTabbed(path, { list: "the examples", first: "label", second: "text" });
  const labels = [...new Set(read.map(([label]) => label))].sort();
  if (labels.length < 2) {
    throw new HoneError({
      what: "Cannot learn from the examples",
      where: path,
      why: `all of them have the label ${JSON.stringify(labels[0])}`,
      next: "Add examples of another label.",
      kind: "usage",
    });
  }
  return {
    labels,
    targets: Int32Array.from(read, ([label]) => labels.indexOf(label)),
    texts: read.map(([, text]) => text),
  };
}

export const probingTask = taskEntry({
  options: probingSchema,
  data: rows,
  make: (name, options, _labels, base = ".") => probing(name, options, base),
});
