// Reasons not to rely on a study's figures, as an analyst would give them. One list: shown before the run as far as the
// data reveal it, kept in the record, and shown wherever the verdict is.

import { z } from "zod";
import type { Json } from "../core/json.js";
import type { Metric } from "../core/metric.js";
import type { Encoder } from "../core/model.js";
import { optimizeNotesOf } from "../core/optimized.js";
import type { Result, StudyRecord, SubjectCard, TaskCard } from "../core/record.js";
import type { Sample } from "../core/sample.js";
import type { Specializer } from "../core/specializer.js";
import type { Dataset, DatasetSpec } from "../data/index.js";
import { readText } from "../learn/text.js";
import { formatScore, formatWhole, list, plural } from "../report/format.js";
import { learntBelow } from "../specializers/training/finetune/guessing.js";

/** Fewer test samples than this give an interval of ± 10 points or more. */
const enoughTest = 100;
/** If one label has at least this share of train, accuracy says little. */
const mostShare = 0.8;
/** With fewer training samples a label can hardly be learnt. */
const enoughOfLabel = 5;

/** What the data alone show, before any model is called. Test stays sealed: labels are those of train and dev. */
export function dataWarnings(spec: DatasetSpec | null, card: TaskCard, dataset: Dataset): string[] {
  return [
    ...dataset.warnings,
    ...(spec ? fewerThanAsked(spec, card) : []),
    ...(card.counts.test < enoughTest ? [fewTestSamples(card)] : []),
    ...(card.counts.dev === 0 && spec
      ? [
          "there is no dev sample, so no champion can be chosen; give `split` or `devFraction` a part for dev.",
        ]
      : []),
    ...(card.labels ? labelWarnings(dataset, card.labels) : []),
  ].map((text) => `${card.name}: ${text}`);
}

function fewTestSamples({ counts, metric }: TaskCard): string {
  const points = Math.round(98 / Math.sqrt(counts.test));
  const width =
    metric.display === "percent" ? `: a score near 50% is known to ± ${points} points, and` : ", so";
  return `only ${plural(counts.test, "test sample")}${width} only large differences can be shown; 200 or more are better.`;
}

function fewerThanAsked({ limit, split, splits }: DatasetSpec, { counts }: TaskCard): string[] {
  const asked = limit?.test;
  if (asked === undefined || counts.test >= asked) return [];
  const why = splits
    ? "the test split has no more rows that can be used"
    : split?.counts
      ? `\`split.counts.test\` is ${formatWhole(split.counts.test)}`
      : `test is ${Math.round(100 * (split?.fractions?.test ?? 0.2))} % of the rows that can be used; raise \`split.fractions.test\` or bring more rows`;
  return [`${formatWhole(counts.test)} test samples of the ${formatWhole(asked)} asked for: ${why}.`];
}

function labelWarnings({ train, dev }: Dataset, labels: NonNullable<TaskCard["labels"]>): string[] {
  const nameOf = (key: string): string =>
    JSON.stringify(labels.find((label) => label.key === key)?.text ?? key);
  const tally = (samples: Dataset["train"]): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const { gold } of samples) {
      const answer = [gold].flat()[0] as string;
      counts.set(answer, (counts.get(answer) ?? 0) + 1);
    }
    return counts;
  };
  const counts = tally(train);
  const seen = [...tally([...train, ...dev]).keys()];
  if (seen.length === 1)
    return [
      `every sample of train and dev has the label ${nameOf(seen[0]!)}: there is nothing to tell apart.`,
    ];
  if (train.length === 0) return [];
  const warnings: string[] = [];
  const [key, count] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a));
  if (count >= mostShare * train.length) {
    const share = formatScore(count / train.length, train.length);
    warnings.push(
      `${share} of train has the label ${nameOf(key)}: always answering it scores about that; read macroF1 beside the accuracy.`,
    );
  }
  const rare = labels.filter(
    (label) => (counts.get(label.key) ?? 0) > 0 && counts.get(label.key)! < enoughOfLabel,
  );
  if (rare.length > 0)
    warnings.push(
      `${rare.length} of ${labels.length} labels have fewer than ${enoughOfLabel} training samples: ${list(rare.slice(0, 10).map((label) => nameOf(label.key)))}${rare.length > 10 ? " and others" : ""}.`,
    );
  return warnings;
}

/** At most this many texts are checked for whether an encoder reads them whole. */
const looked = 200;

/** Whether the encoder that makes a study's vectors reads its texts to the end. */
export async function encoderWarnings(
  encoder: Encoder,
  { train, dev }: Pick<Dataset, "train" | "dev">,
): Promise<string[]> {
  const samples = [...train, ...dev];
  const every = Math.max(1, samples.length / looked);
  const texts = Array.from({ length: Math.min(looked, samples.length) }, (_, i) =>
    readText(samples[Math.floor(i * every)] as Sample, true),
  );
  const found = await encoder.cut?.(texts);
  if (!found || found.texts === 0) return [];
  const of = samples.length > texts.length ? `${formatWhole(texts.length)} that were looked at` : "all";
  return [
    `${encoder.name} reads the first ${found.pieces} word pieces of a text, and ${formatWhole(found.texts)} texts of train and dev, of ${of}, are longer: their vectors ignore the rest. \`encoder: encoder:minilm-f32?pieces=512\` reads more.`,
  ];
}

/** How many prompts of a dry run exceed the model's context. `exact` if the model's own tokens were counted. */
export function tooLongWarning(
  subject: string,
  found: { tooLong: number; of: number; context: number; exact: boolean },
): string {
  const { tooLong, of, context, exact } = found;
  return `${subject}: the prompts of ${formatWhole(tooLong)} of ${plural(of, "dev sample")} ${exact ? "are" : "seem"} longer than the model's context of ${formatWhole(context)} tokens; such samples stay unscored, on test too. Shorten the input ({{text|2000}} keeps 2,000 characters), show fewer examples, or give the model more context.`;
}

/** One arm's training runs, as reported in their states. */
export interface Made {
  name: string;
  specializer: Pick<Specializer, "needs" | "options">;
  /** The states, as JSON text, one per seed. */
  states: readonly string[];
  /** Calls that failed for good while it was made, and that it was made without. */
  failedCalls: number;
  /** Seeds with which it could not be made. */
  failedSeeds: readonly number[];
}

/** The arms in which a training ended no better than guessing, with how it ended. */
export function untrained(made: readonly Made[]): { subject: string; told: string }[] {
  return made.flatMap(({ name, specializer, states }) => {
    if (!specializer.needs.includes("gradients")) return [];
    const failed = states
      .flatMap((state) => reportsIn(JSON.parse(state)))
      .filter(({ best, guessing }) => !(best < learntBelow(guessing)));
    if (failed.length === 0) return [];
    const { best, guessing } = failed.reduce((a, b) => (b.best > a.best ? b : a));
    const seeds = states.length > 1 ? ` for ${failed.length} of ${states.length} seeds` : "";
    const options = JSON.stringify(specializer.options);
    const fixed = ["learningRate", "epochs"].filter((option) =>
      new RegExp(`"${option}":[0-9]`).test(options),
    );
    const advice =
      fixed.length > 0
        ? `to leave out ${fixed.map((option) => `\`${option}\``).join(" and ")}, so that a short sweep chooses`
        : "more `epochs`, another `learningRate`, or more training samples";
    return [
      {
        subject: name,
        told: `${name} is not trained${seeds}: its best dev loss is ${best.toFixed(2)} nats, where guessing from the answers' frequencies alone costs ${guessing.toFixed(2)}. Try ${advice}.`,
      },
    ];
  });
}

const reportSchema = z.object({
  heldOut: z.array(z.object({ loss: z.number() })).min(1),
  guessing: z.number(),
});

/** Every training report in a state, at any depth: chains and choices keep the states of their parts. */
function reportsIn(value: unknown): { best: number; guessing: number }[] {
  if (value === null || typeof value !== "object") return [];
  const { success, data } = reportSchema.safeParse(value);
  if (success) return [{ best: Math.min(...data.heldOut.map(({ loss }) => loss)), guessing: data.guessing }];
  return Object.values(value).flatMap(reportsIn);
}

/** The arms that were chosen or fitted without the answers of calls that failed. */
function madeWithout(made: readonly Made[]): string[] {
  return made
    .filter(({ failedCalls }) => failedCalls > 0)
    .map(
      ({ name, failedCalls }) =>
        `${plural(failedCalls, "call")} failed while ${name} was made, and it was made without their answers. Run again with --retry-errors to make it again.`,
    );
}

/** The arms whose reflector was asked for instructions and wrote none. */
export function unwritten(made: readonly Made[]): string[] {
  return made.flatMap(({ name, states }) => {
    const found = states.flatMap((state) => optimizeNotesOf(JSON.parse(state) as Json)?.reflections ?? []);
    const asked = found.reduce((sum, one) => sum + one.asked, 0);
    if (asked === 0 || found.some(({ written }) => written > 0)) return [];
    return [
      `${name}: its reflector was asked for ${plural(asked, "instruction")} and wrote none between <instruction> and </instruction>; only the bank was searched.`,
    ];
  });
}

/** Whether the way of asking was chosen although answers were missing. */
export function askedWithout({ asked }: TaskCard): string[] {
  const missing = asked?.tried.reduce((sum, { unscored }) => sum + unscored, 0) ?? 0;
  if (missing === 0) return [];
  const of = missing + (asked?.tried.reduce((sum, { n }) => sum + n, 0) ?? 0);
  return [
    `How all subjects are asked was chosen on dev although ${formatWhole(missing)} of ${plural(of, "answer")} could not be scored. If calls had failed, run again with --retry-errors to ask for them and choose again.`,
  ];
}

const selfTrained = z.object({
  labelled: z.number(),
  taken: z.literal(0),
  threshold: z.object({ value: z.number().nullable() }),
});

/** The arms that should have learnt from rows labelled by a model, but were confident enough of none of them. */
export function tookNone(made: readonly Made[]): string[] {
  return made.flatMap(({ name, states }) => {
    const found = states.flatMap((state) => selfTrained.safeParse(JSON.parse(state)).data ?? []);
    const [first] = found;
    if (!first) return [];
    const why =
      first.threshold.value === null
        ? "in cross-validation on train, its labels did not reach the `precision` asked for at any confidence"
        : "none was as sure as the threshold that cross-validation on train gave";
    const seeds = found.length < states.length ? ` for ${found.length} of ${states.length} seeds` : "";
    return [
      `${name} used none of ${plural(first.labelled, "labelled row")}${seeds}, so it was trained on train alone: ${why}. Ask for less \`precision\`, give it a better teacher (\`use\`), or more training samples.`,
    ];
  });
}

/** True where a champion does no better than always giving the commonest answer, without being that answer. */
export function belowMajority(best: Result, { better }: Metric, subject: SubjectCard | undefined): boolean {
  return (
    subject?.chain.at(-1)?.name !== "majority" &&
    best.n > 0 &&
    better === "higher" &&
    best.baseline > 0 &&
    best.mean <= best.baseline
  );
}

/** What the figures show. */
export function outcomeWarnings(
  record: Pick<StudyRecord, "results" | "subjects" | "verdict" | "handOver" | "tasks">,
  made: readonly Made[],
): string[] {
  const { results, subjects, verdict, handOver, tasks } = record;
  const warnings: string[] = [];
  const best = results.find(({ subject, task }) => subject === verdict?.champion && task === tasks[0]?.name);
  const champion = subjects.find(({ name }) => name === best?.subject);
  const metric = tasks[0]?.metric;
  if (best && metric && belowMajority(best, metric, champion)) {
    const score = (value: number): string => formatScore(value, best.n, metric.display);
    const handed = handOver ? ` Do not use what was handed over (${handOver.path}) for this task.` : "";
    warnings.push(
      `${best.subject}, the champion, is no better than the majority class: ${score(best.mean)} against ${score(best.baseline)} on test.${handed}`,
    );
  }
  warnings.push(
    ...untrained(made).map(({ told }) => told),
    ...tookNone(made),
    ...unwritten(made),
    ...madeWithout(made),
  );
  for (const { name, states, failedSeeds } of made)
    if (states.length > 0 && failedSeeds.length > 0)
      warnings.push(
        `${name} could not be made with ${plural(failedSeeds.length, "seed")} of ${states.length + failedSeeds.length} (${failedSeeds.join(", ")}): its figures are those of the others. Run the study again to try.`,
      );
  for (const { subject, task, causes, n, unscored } of results) {
    const tooLong = causes["too-long"] ?? 0;
    if (tooLong > 0)
      warnings.push(
        `${subject}: ${formatWhole(tooLong)} of ${formatWhole(n + unscored)} test answers of ${task} are unscored because the text does not fit the model's context. If ?context can be larger, raise it and run again with --retry-errors.`,
      );
  }
  return warnings;
}

/** Why a study that was not stopped has no champion. */
export function noVerdict(
  counts: TaskCard["counts"],
  dev: readonly { causes: Readonly<Record<string, number>>; failure?: string | undefined }[],
): string {
  if (counts.dev === 0)
    return "the data have no dev samples, so no champion could be chosen before test was opened; give dev a part of the data and run the study again";
  const causes = new Map<string, number>();
  for (const { causes: own, failure } of dev) {
    if (failure) causes.set(failure, (causes.get(failure) ?? 0) + 1);
    for (const [cause, count] of Object.entries(own)) causes.set(cause, (causes.get(cause) ?? 0) + count);
  }
  const told = [...causes].map(([cause, count]) => `${cause}: ${formatWhole(count)}`);
  return `no subject was scored on a single dev sample${told.length > 0 ? ` (${told.join(", ")})` : ""}; \`--retry-errors\` asks again`;
}
