// The `data:` part of a study file as a zod schema: its fields, their documentation and its JSON schema.

import { z } from "zod";
import { delimiterOf, encodings, formats } from "./reading.js";
import { isTemplate } from "./template.js";

const ref = z.string().min(1).max(4000);
const refs = z.union([ref, z.array(ref).min(1)]);
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const scalars = z.union([scalar, z.array(scalar).min(1)]);
const share = z.number().min(0).max(1);
const count = z.number().int().min(0);

const delimiter = z
  .string()
  .transform((text) => delimiterOf(text) ?? "")
  .refine((text) => text !== "", "must be one character, or tab");

/** YAML's 1 and true are read as the texts "1" and "true". */
const optionText = z.union([z.string().min(1), z.number().transform(String), z.boolean().transform(String)]);
const choices = z.union([z.array(optionText).min(2), z.record(z.string(), optionText)]);

const split = z
  .strictObject({
    by: z.literal("hash").optional().describe("The only way: by seeded hash of each row's id or group."),
    fractions: z
      .strictObject({ train: share, dev: share, test: share })
      .optional()
      .describe("Parts that sum to 1. Default: 0.7, 0.1, 0.2."),
    counts: z
      .strictObject({ train: count.optional(), dev: count, test: count.min(1) })
      .optional()
      .describe("Numbers of rows instead of fractions; without `train`, train takes the rest."),
    stratify: z.boolean().optional().describe("Keep the proportions of the labels in every split and limit."),
    group: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Field whose rows stay together in one split, or `near` for clusters of near-duplicate texts.",
      ),
    seed: z.number().int().optional().describe("Another seed gives another split. Default: 0."),
    spent: z
      .array(
        z.strictObject({
          seed: z.number().int().describe("The earlier split's seed."),
          train: count.default(0).describe("How many of its training rows were used: its `limit.train`."),
        }),
      )
      .min(1)
      .optional()
      .describe(
        "Earlier splits by the same fractions, the first one first, whose test has been opened. Their rows of dev and test, those that they trained on, and what stays together with them go to train; dev and test are drawn from the others.",
      ),
  })
  .describe("How rows are divided into train, dev and test.");

/** Fields of a data set in a study file. */
export const datasetSchema = z
  .strictObject({
    source: refs
      .optional()
      .describe(
        "Where all rows are: a path or glob, hf:[datasets/|models/]owner/name[@revision]/path, or pip:NAME==VERSION#path. Divided by `split`.",
      ),
    splits: z
      .strictObject({
        train: refs.describe("Where the training rows are."),
        dev: refs
          .optional()
          .describe("Where the development rows are; by default carved from train by hash."),
        test: refs.describe("Where the test rows are."),
      })
      .optional()
      .describe("Given splits, instead of `source`."),
    split: split.optional(),
    devFraction: share
      .optional()
      .describe("Part of train that becomes dev where `splits` has no dev. Default: 0.15."),
    format: z.enum(formats).optional().describe("Format of the files, where their endings do not say it."),
    encoding: z
      .enum(encodings)
      .optional()
      .describe("Encoding of text files; a byte order mark overrides it. Default: utf8."),
    delimiter: delimiter
      .optional()
      .describe("Character between the fields of CSV, or `tab`. Default: , ; tab or |, whichever fits."),
    columns: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe("Names of the columns, where a CSV or Excel file has no header row."),
    table: z
      .string()
      .min(1)
      .optional()
      .describe("SQLite table, Excel sheet (default: the first), or field of a JSON object with the rows."),
    where: z
      .record(z.string(), z.union([scalars, z.strictObject({ not: scalars })]))
      .optional()
      .describe(
        "Rows to keep: {field: value}, {field: [values]} or {field: {not: value or values}}. A missing or empty field is null.",
      ),
    id: z
      .union([z.string().min(1), z.literal(false)])
      .optional()
      .describe(
        "Field or template of the row's id. Default: the field `id`, else file and row number; `false`: file and row number.",
      ),
    input: z.string().min(1).describe("Field or template of the text to judge, for instance {{facts|1200}}."),
    question: z
      .string()
      .min(1)
      .optional()
      .describe("Template of what is asked about it; may be a fixed text."),
    instruction: z
      .string()
      .min(1)
      .optional()
      .describe("Template of each row's own instruction, in place of the task's."),
    stratum: z
      .string()
      .min(1)
      .optional()
      .describe("Field or template that names a row's task, where several tasks are merged into one."),
    evidence: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Field with the id of the document that holds what is needed to answer, or a list of ids: retrieval is measured against it.",
      ),
    label: z
      .string()
      .min(1)
      .describe(
        "Field or template of the right answer; a list in the field means that any of them is right.",
      ),
    options: z
      .union([
        z.string().min(1),
        choices,
        z.record(z.string(), choices).describe("With `stratum`: the options of each."),
      ])
      .optional()
      .describe(
        "What to choose from: {code: text} or a list of texts for all rows; the field with each row's own, or {code: template} where each option has a field; or {stratum: options}.",
      ),
    otherLabels: z
      .enum(["stop", "drop"])
      .optional()
      .describe("What to do with a row whose label is not among the options. Default: stop."),
    group: z
      .string()
      .min(1)
      .optional()
      .describe("Field or template of the group: its samples are not independent and stay in one split."),
    limit: z
      .strictObject({ train: count.optional(), dev: count.optional(), test: count.min(1).optional() })
      .optional()
      .describe("Maximum number of samples in each split, drawn by seeded hash."),
    minLabelCount: count
      .min(1)
      .optional()
      .describe(
        "Leave out labels with fewer rows than this, and the rows that have no other. Only with shared `options`.",
      ),
    eyesOff: share
      .optional()
      .describe("Random part of test that is scored separately, to be kept out of your own error analysis."),
    leakage: z
      .union([
        z.enum(["stop", "report", "drop", "off"]),
        z.strictObject({
          mode: z.enum(["stop", "report", "drop", "off"]),
          near: z.number().gt(0).max(1).optional().describe("Similarity from which texts count as the same."),
        }),
      ])
      .optional()
      .describe(
        "Training samples that also occur in test: stop (default), report, drop them, or off (no check).",
      ),
  })
  .superRefine((spec, context) => {
    const problem = (path: string[], message: string): void => {
      context.addIssue({ code: "custom", path, message });
    };
    if ((spec.source === undefined) === (spec.splits === undefined)) {
      problem(["source"], "give either `source` (with `split`) or `splits`");
    }
    if (spec.split?.fractions && spec.split.counts)
      problem(["split"], "give `fractions` or `counts`, not both");
    if (spec.group !== undefined && spec.split?.group !== undefined && spec.split.group !== "near") {
      problem(["split", "group"], "the field is given by `group` already");
    }
    if (spec.splits && (spec.split?.fractions || spec.split?.counts)) {
      problem(["split"], "`splits` are already divided; only stratify, group and seed go with them");
    }
    const { spent, seed = 0, counts } = spec.split ?? {};
    if (spent && (spec.splits || counts))
      problem(["split", "spent"], "goes with `source` and `fractions`, not with `splits` or `counts`");
    if (spent?.some((one) => one.seed === seed))
      problem(["split", "spent"], "has this split's own seed; give `seed` another number");
    if (spec.devFraction !== undefined && (!spec.splits || spec.splits.dev !== undefined)) {
      problem(["devFraction"], "goes with `splits` that have no dev");
    }
    const f = spec.split?.fractions;
    if (f && Math.abs(f.train + f.dev + f.test - 1) > 1e-6) problem(["split", "fractions"], "must sum to 1");
    if (f && f.test === 0) problem(["split", "fractions", "test"], "must be above 0");
    const shared = optionsAre(spec.options) === "shared";
    if (spec.minLabelCount !== undefined && !shared)
      problem(["minLabelCount"], "needs options shared by all rows");
    if (optionsAre(spec.options) === "by stratum" && spec.stratum === undefined)
      problem(
        ["options"],
        "options for each stratum need `stratum`, the field that says which one a row is of",
      );
    if (spec.split?.stratify && spec.options === undefined) problem(["split", "stratify"], "needs `options`");
    if (shared && Object.keys(spec.options as object).length < 2)
      problem(["options"], "needs at least two options");
    if (shared) {
      const texts = Object.values(spec.options as object);
      if (new Set(texts).size < texts.length) problem(["options"], "two options have the same text");
    }
  });

/** The `data` field of a study file, checked. */
export type DatasetSpec = z.infer<typeof datasetSchema>;

/** Whether all rows share the options, take those of their stratum, or have their own. */
export function optionsAre(options: DatasetSpec["options"]): "none" | "shared" | "by stratum" | "own" {
  if (options === undefined) return "none";
  if (typeof options === "string") return "own";
  if (Array.isArray(options)) return "shared";
  const values = Object.values(options);
  if (values.some((value) => typeof value === "object")) return "by stratum";
  return values.some((value) => typeof value === "string" && isTemplate(value)) ? "own" : "shared";
}
