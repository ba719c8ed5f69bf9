// How a study's subjects are prompted. What the study file leaves open (how options are scored, how the prompt is formatted)
// is chosen by the generalist's dev scores, once and for all subjects: a badly prompted generalist is not a baseline.

import { HoneError } from "../core/errors.js";
import { extremes } from "../core/metric.js";
import type { Callable, LanguageModel, Model, PromptFormat } from "../core/model.js";
import type { Asked } from "../core/record.js";
import type { Grade } from "../core/task.js";
import { type Candidate, choose, scoredRow } from "../statistics/index.js";
import { begin } from "./kinds.js";
import { type MeasureOptions, measure, widthFor } from "./measure.js";
import { askedWith, type PreparedTask } from "./prepare-task.js";

/** At most this many dev samples are used to choose. */
const enough = 200;

interface Way {
  label: string;
  prepared: PreparedTask;
  format: PromptFormat | undefined;
}

interface Options extends Pick<MeasureOptions, "journal" | "budget" | "signal" | "open" | "retryErrors"> {
  concurrency?: number;
  /** Receives how many ways have been measured, of how many. */
  told: (done: number, of: number) => void;
}

/**
 * Measures the generalist on dev in every way that the domain task leaves open, and takes the best by the rule of `choose`;
 * ties go to the first, which is the usual one. The other tasks use the same way as far as they leave it open.
 * If the budget ends meanwhile, the first way is used and nothing more is measured.
 * @throws HoneError if no answer could be scored in any way
 * @param tasks the domain task first
 */
export async function chooseWay(
  model: Model & Partial<Pick<LanguageModel, "formats">>,
  tasks: readonly PreparedTask[],
  seed: number,
  { told, concurrency, ...options }: Options,
): Promise<{ tasks: [PreparedTask, ...PreparedTask[]]; format: PromptFormat | undefined }> {
  const [domain, ...elsewhere] = tasks as [PreparedTask, ...PreparedTask[]];
  const formats = model.formats ?? [undefined];
  const ways = waysOf(domain, model).flatMap(({ label, prepared }): Way[] =>
    formats.map((format) => ({ label: [label, format].filter(Boolean).join(", "), prepared, format })),
  );
  const samples = domain.dataset.dev.slice(0, enough);
  const { worst } = extremes(domain.task.metric);
  const tried: Asked["tried"] = [];
  const candidates: Candidate[] = [];
  let first: Grade | undefined;
  for (const [i, way] of (ways.length > 1 && samples.length > 0 ? ways : []).entries()) {
    told(i, ways.length);
    const subject = begin(model, way.format);
    let unscored = 0;
    await measure(subject, way.prepared.task, way.prepared.keys.dev, "dev", seed, samples, {
      ...options,
      concurrency: widthFor(subject, concurrency),
      onOutcome: (score) => {
        unscored += score === null ? 1 : 0;
      },
    });
    if (options.budget.drained() !== undefined) return { tasks: [domain, ...elsewhere], format: undefined };
    const outcomes = options.journal.outcomes({
      subject: subject.id,
      task: way.prepared.keys.dev,
      split: "dev",
    });
    const asked = new Set(samples.map(({ id }) => id));
    const own = [...outcomes].filter((one) => one.seed === seed && asked.has(one.sample));
    const run = new Map(own.map((one) => [one.sample, scoredRow(one.grade, one.gold)]));
    candidates.push({ runs: [run] });
    const mean = samples.reduce((sum, { id }) => sum + (run.get(id)?.score ?? worst), 0) / samples.length;
    tried.push({ way: way.label, mean, n: samples.length - unscored, unscored });
    first ??= own[0]?.grade;
  }
  // Test stays sealed: what answers on no sample of dev in any way would answer on none of test.
  if (first?.status === "unscored" && tried.every(({ n }) => n === 0))
    throw new HoneError({
      what: `No answer of ${model.name} on dev could be scored, in any of ${ways.length} ways of asking`,
      where: `the task ${domain.card.name}`,
      why: `${first.cause}${first.detail === undefined ? "" : `: ${first.detail}`}`,
      next: "Change the study and run it again; if the model has changed meanwhile, with --retry-errors.",
    });
  if (ways.length > 1) told(ways.length, ways.length);
  const { label, prepared, format } = ways[choose(candidates, domain.task) ?? 0] as Way;
  const asked = tried.length > 0 ? { asked: { way: label, tried } } : {};
  const others = elsewhere.map((other) => {
    const open = waysOf(other, model);
    return (open.find((way) => label.startsWith(way.label)) ?? (open[0] as Omit<Way, "format">)).prepared;
  });
  return { tasks: [{ ...prepared, card: { ...prepared.card, ...asked } }, ...others], format };
}

/** The task in each way that its options leave open; the task itself if they leave none. */
function waysOf(prepared: PreparedTask, { grants }: Callable): Omit<Way, "format">[] {
  const { entry, options, card } = prepared;
  const ways = entry.ways?.(options, grants) ?? [];
  if (ways.length === 0) return [{ label: "", prepared }];
  return ways.map((way) => ({
    label: way.label,
    prepared: {
      ...prepared,
      ...askedWith({ ...prepared, name: card.name }, way.options as PreparedTask["options"]),
    },
  }));
}
