// Options that all specializers which train weights have in common.

import { z } from "zod";

/** Default number of train samples in one step. */
export const usualBatch = 4;

export const trainingShape = {
  epochs: z
    .number()
    .positive()
    .max(1000)
    .optional()
    .describe("maximum passes over train; by default chosen on a part of train"),
  learningRate: z
    .number()
    .positive()
    .max(1)
    .optional()
    .describe("the peak rate, after the warm-up; by default chosen on a part of train"),
  batch: z.int().min(1).max(4096).default(usualBatch).describe("train samples in one step"),
  warmup: z.number().min(0).max(1).default(0.1).describe("share of the steps in which the rate rises"),
  schedule: z
    .enum(["cosine", "linear", "constant"])
    .default("cosine")
    .describe('"cosine", "linear" or "constant"'),
  weightDecay: z.number().min(0).max(1).default(0).describe("AdamW's decoupled weight decay"),
  clipNorm: z.number().min(0).default(1).describe("gradients are clipped to this norm; 0 for no clipping"),
  patience: z
    .int()
    .min(1)
    .default(4)
    .describe(
      "evaluations on dev without improvement after which training stops, counted once its loss is better than guessing; the best weights are kept",
    ),
  choose: z
    .enum(["loss", "metric"])
    .optional()
    .describe(
      '"loss" (the default): the weights with the lowest loss on dev are kept; "metric": those with the best metric on dev, ties going to the lower loss',
    ),
  evalsPerEpoch: z
    .int()
    .min(1)
    .max(100)
    .optional()
    .describe("evaluations on dev per epoch; ten in the whole training if omitted"),
  rowTokens: z
    .int()
    .min(32)
    .max(65_536)
    .default(512)
    .describe("maximum tokens of a packed row; longer where a sample needs it"),
  rows: z.int().min(1).max(256).default(1).describe("rows evaluated at once; affects memory, not the result"),
};

export type TrainingOptions = z.output<z.ZodObject<typeof trainingShape>>;

/** A specializer's label with what the step was chosen by, if that is not the loss. */
export function labelWith(label: string, { choose }: Pick<TrainingOptions, "choose">): string {
  if (choose !== "metric") return label;
  const told = "chosen by metric";
  return label.endsWith(")") ? `${label.slice(0, -1)}, ${told})` : `${label}(${told})`;
}
