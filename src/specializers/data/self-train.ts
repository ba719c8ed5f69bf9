// selfTrain: a teacher (the subject itself, or a specialist made from it) labels unlabelled rows, and the subject is trained
// on train and the rows that were labelled confidently (Scudder 1965; Lee 2013, pseudo-labels). The confidence threshold comes
// from cross-validation on train: the lowest whose labels reach the required precision.

import { z } from "zod";
import type { LanguageSubject } from "../../core/kinds.js";
import type { Sample } from "../../core/sample.js";
import type { Given, LanguageSpecializer } from "../../core/specializer.js";
import type { SyntheticCard as Card } from "../../core/synthetic.js";
import { codesOf } from "../../data/index.js";
import { foldsOf, groupsOf } from "../../learn/folds.js";
import { partOf } from "../combine/stack/folds.js";
import { defineSpecializer, requireTrain } from "../parts/define.js";
import { inherited } from "../parts/inherited.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";
import type { TrainedState } from "../training/finetune/define.js";
import { lora, loraOptions } from "../training/lora.js";
import { inOrder } from "./parts/in-order.js";
import { dataFiles, makeData, makeShape } from "./parts/make.js";
import { asSamples, type Pair, type Prompted, seedOf } from "./parts/pair.js";
import { readUnlabelled } from "./parts/seeds.js";
import { probability } from "./parts/synthesis.js";

const selfTrainOptions = z.strictObject({
  source: z
    .string()
    .min(1)
    .describe(
      "the unlabelled rows: file:, hf: or pip:, with `input` (or `text`) and, where samples have them, `question` and `options`",
    ),
  rows: z.int().min(1).max(1_000_000).default(1000).describe("how many rows are labelled, from the first on"),
  use: z
    .unknown()
    .optional()
    .describe("the specializer that makes the teacher from train; the subject as it is if omitted"),
  precision: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.9)
    .describe("share of right labels that the threshold must reach in cross-validation on train"),
  folds: z
    .int()
    .min(2)
    .max(20)
    .default(3)
    .describe("folds of that cross-validation, where a teacher is fitted"),
  lora: loraOptions.partial().optional().describe("options of `lora`, which trains the result"),
});
/** Options of `selfTrain`. */
export type SelfTrainOptions = z.input<typeof selfTrainOptions>;

/** The teacher's probability for its label of a train sample, and whether that label was right. */
export type Trial = { confidence: number; right: boolean };

/** The result of cross-validation. */
export type Threshold = {
  /** Null where no threshold reaches the precision: then no label is taken. */
  value: number | null;
  precision: number | null;
  /** Share of train samples at or above it. */
  coverage: number;
  n: number;
};

export type SelfTrainState = {
  data: { artifact: string };
  card: Card;
  threshold: Threshold;
  labelled: number;
  taken: number;
  trained: TrainedState;
};

/** The lowest confidence at or above which labels reach the precision, which covers all trials that are at least as confident. */
export function chooseThreshold(trials: readonly Trial[], precision: number): Threshold {
  const sorted = trials.toSorted((a, b) => b.confidence - a.confidence);
  let right = 0;
  let best: Threshold = { value: null, precision: null, coverage: 0, n: trials.length };
  for (const [i, trial] of sorted.entries()) {
    if (trial.right) right++;
    // Trials of equal confidence are taken together or not at all.
    if (sorted[i + 1]?.confidence === trial.confidence) continue;
    const share = right / (i + 1);
    if (share >= precision)
      best = {
        value: trial.confidence,
        precision: share,
        coverage: (i + 1) / sorted.length,
        n: sorted.length,
      };
  }
  return best;
}

/**
 * @param teacher makes the labels; by default the subject itself
 * @example
 * import { selfTrain } from "@honelab/hone";
 * selfTrain({ source: "file:unlabelled.jsonl", precision: 0.95 }).label; // "selfTrain(precision 0.95)"
 */
export function selfTrain(
  options: Omit<SelfTrainOptions, "use">,
  teacher?: LanguageSpecializer,
): LanguageSpecializer {
  const { use: _, ...chosen } = readOptions(selfTrainOptions, "selfTrain", options);
  const training = lora((chosen.lora ?? {}) as never);
  // A teacher is made once for each fold, and from all of train.
  const parts = [training, ...(teacher ? Array(chosen.folds + 1).fill(teacher) : [])];
  const { choosesOnDev, needs, ...rest } = inherited(parts);
  return defineSpecializer<SelfTrainState>({
    name: "selfTrain",
    label: `selfTrain(${teacher ? `${teacher.label}, ` : ""}precision ${chosen.precision})`,
    options: JSON.parse(
      JSON.stringify({ ...chosen, use: teacher ? { name: teacher.name, options: teacher.options } : null }),
    ),
    ...rest,
    needs: [...new Set([...needs, "logprobs" as const])],
    ...(choosesOnDev ? { choosesOnDev: true } : {}),
    screened: true,
    fit: async (subject, given) => {
      requireTrain(given, "selfTrain");
      const threshold = chooseThreshold(
        await crossValidate(subject, teacher, given, chosen.folds),
        chosen.precision,
      );
      const labeller = teacher ? await fitted(teacher, subject, given, "teacher", given.train) : subject;
      const rows = (await readUnlabelled(chosen.source, given))
        .slice(0, chosen.rows)
        .map((row) => asAsked(row, given));
      const folder = await given.artifacts.scratch("data");
      const { pairs, card } = await makeData(folder, {
        options: z
          .strictObject(makeShape)
          .parse({ pairs: rows.length, shots: { answer: 0 }, words: { least: 0, most: 100_000 } }),
        by: "labels",
        base: subject,
        responder: labeller,
        // As in the cross-validation, whose threshold holds for this prompt.
        query: (row) => given.task.query(asOwnSample({ ...row, id: "row", response: "" }, given)),
        given,
        rows,
      });
      const sure = await confidences(folder);
      const taken = pairs.filter(
        (_, i) => threshold.value !== null && (sure[i] as number) >= threshold.value,
      );
      const train = [...given.train, ...taken.map((pair) => asOwnSample(pair, given))];
      const trained = (await training.fit(subject, { ...given, train })) as TrainedState;
      return {
        data: { artifact: await given.artifacts.keep(folder) },
        card: { ...card, taken: { confidence: threshold.value, pairs: taken.length } },
        threshold,
        labelled: pairs.length,
        taken: taken.length,
        trained,
      };
    },
    behave: ({ trained }, subject, tools) => {
      const specialist = training.apply(subject, trained, tools) as LanguageSubject;
      return {
        respond: (query, context) => specialist.respond(query, context),
        ...(specialist.model ? { model: specialist.model } : {}),
      };
    },
  });
}

/** Labels each train sample with a teacher that has not seen it. */
async function crossValidate(
  subject: LanguageSubject,
  teacher: LanguageSpecializer | undefined,
  given: Given,
  count: number,
): Promise<Trial[]> {
  const { train, task, context, seed } = given;
  const trials: Trial[] = [];
  const ask = async (labeller: LanguageSubject, samples: readonly Sample[]): Promise<void> => {
    const width = Math.max(1, subject.model?.concurrency ?? 1);
    for await (const trial of inOrder(samples, width, async (sample): Promise<Trial | undefined> => {
      const { choice, scores } = await labeller.respond(task.query(sample), context);
      if (choice === undefined || !scores) return undefined;
      return { confidence: probability(scores, choice), right: [sample.gold].flat().includes(choice) };
    }))
      if (trial) trials.push(trial);
    given.progress(trials.length, train.length, "cross-validating the threshold");
  };
  if (!teacher) await ask(subject, train);
  else {
    const { codes } = codesOf(train.map(({ gold }) => String(gold)));
    const parts = foldsOf(codes, groupsOf(task, train), Math.min(count, train.length), seed);
    for (let fold = 0; fold < Math.min(count, train.length); fold++) {
      const own = train.filter((_, i) => parts[i] === fold);
      const others = train.filter((_, i) => parts[i] !== fold);
      if (own.length > 0 && others.length > 0)
        await ask(await fitted(teacher, subject, given, `fold ${fold}`, others), own);
    }
  }
  return trials;
}

async function fitted(
  teacher: LanguageSpecializer,
  subject: LanguageSubject,
  given: Given,
  name: string,
  train: readonly Sample[],
): Promise<LanguageSubject> {
  const state = await teacher.fit(subject, partOf(given, name, train, name));
  return teacher.apply(subject, state, given) as LanguageSubject;
}

/** A row in the form of the task's samples: with the task's instruction, question and labels. */
function asAsked(row: Prompted & { id: string }, { task, train }: Given): Prompted & { id: string } {
  const like = seedOf({ ...(train[0] as Sample), ...(row.question ? { question: row.question } : {}) }, task);
  return {
    ...row,
    instruction: row.instruction || like.instruction,
    ...(like.question ? { question: like.question } : {}),
    ...(row.options || like.options ? { options: row.options ?? (like.options as never) } : {}),
  };
}

/** A row as a sample of the task itself: what all samples share, instruction and labels, is not repeated on each. */
function asOwnSample(pair: Pair, { task }: Given): Sample {
  const [{ options, instruction, ...sample }] = asSamples([pair]) as [Sample];
  const own = instruction !== undefined && task.query(sample).instruction !== instruction;
  return {
    ...sample,
    ...(own ? { instruction } : {}),
    ...(task.labels || !options ? {} : { options }),
  };
}

/** Of each pair in order, the probability of its label. */
async function confidences(folder: string): Promise<number[]> {
  const { readRows } = await import("../../data/readers.js");
  const { join } = await import("node:path");
  const found: number[] = [];
  for await (const { row } of readRows(join(folder, dataFiles.pairs)))
    found.push((row as { lineage: { confidence?: number } }).lineage.confidence ?? 1);
  return found;
}

/** Its entry in the table of specializers. */
export const selfTrainEntry = {
  make: (options: SelfTrainOptions, inner) =>
    selfTrain(options, options.use === undefined ? undefined : inner(options.use, "use", "language")),
  options: selfTrainOptions,
  summary: "Unlabelled rows labelled by the model or a specialist of it, the confident ones added to train",
  paper: "Lee 2013, Pseudo-Label; Scudder 1965, adaptive pattern recognition",
  leaf: "instruction-based update",
} satisfies SpecializerEntry;
