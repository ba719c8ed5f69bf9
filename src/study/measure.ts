// Runs one subject on samples, and writes down everything as it happens.

import { addCost, CallError, type CallFailure, type Cost, noCost } from "../core/call.js";
import { HoneError, messageOf } from "../core/errors.js";
import type { Subject } from "../core/kinds.js";
import type { Outcome } from "../core/outcome.js";
import type { Sample, SplitName } from "../core/sample.js";
import { type Grade, type Task, taskContext } from "../core/task.js";
import type { Journal } from "../store/journal.js";
import { type Budget, Draining } from "./budget.js";

export interface MeasureOptions {
  journal: Journal;
  budget: Budget;
  signal: AbortSignal;
  /** Samples in flight. */
  concurrency: number;
  /** Opens other subjects for the task. */
  open: (ref: string) => Promise<Subject>;
  /** Unscored samples of an earlier run are tried again. */
  retryErrors: boolean;
  /** Called after every sample, also for those found in the journal (at no cost); null if it is unscored. */
  onOutcome: (score: number | null, cost: Cost) => void;
}

/**
 * By failure, how many samples a model that has not answered yet may fail on before it is considered down. A failure that is
 * not listed is an answer, though one that cannot be used.
 */
const patience: Partial<Record<CallFailure, number>> = {
  refused: 5,
  unreachable: 5,
  timeout: 8,
  "server-error": 8,
  "rate-limited": 8,
  "cut-stream": 8,
  malformed: 8,
};

/** Failures of an endpoint where nothing answers. */
const absent: readonly CallFailure[] = ["refused", "unreachable"];

/**
 * Scores a subject on samples, each exactly once per seed, continuing where the journal stops.
 * Ends early, without an error, when the budget drains; samples in flight are finished first.
 * @throws HoneError when the endpoint fails on every call: then nothing is marked unscored
 */
export async function measure(
  subject: Subject,
  task: Task,
  key: string,
  split: SplitName,
  seed: number,
  samples: AsyncIterable<Sample> | Iterable<Sample>,
  options: MeasureOptions,
): Promise<void> {
  const { journal, budget, signal } = options;
  const done = journal.done({ subject: subject.id, task: key, split }, seed);
  const silent = () => subject.model !== undefined && !budget.answered(subject.model.id);
  const dead: { sample: Sample; error: CallError }[] = [];
  let patient = true;

  const one = async (sample: Sample): Promise<void> => {
    const known = done.get(sample.id);
    if (known !== undefined && (known !== null || !options.retryErrors)) {
      options.onOutcome(known, noCost);
      return;
    }
    let cost = noCost;
    const calls: string[] = [];
    let apart = noCost;
    const ofOthers = {
      signal,
      trace: (call: { cost: Cost }) => {
        apart = addCost(apart, call.cost);
      },
    };
    const context = taskContext(signal, {
      seed,
      trace: (call) => {
        calls.push(call.key);
        cost = addCost(cost, call.cost);
      },
      open: async (ref) => ({ subject: await options.open(ref), context: ofOthers }),
    });
    const started = performance.now();
    let grade: Grade;
    try {
      grade = await task.evaluate(subject, sample, context);
    } catch (error) {
      if (error instanceof Draining || signal.aborted) return;
      if (!(error instanceof CallError)) throw nameSample(error, subject, sample);
      // A run that drains makes no further attempts, so this failure may not be the last word.
      if (budget.drained() !== undefined) return;
      // A sample that failed before says little of the others, which are in the journal.
      const told = known === null && !absent.includes(error.failure);
      const most = patient && silent() && !told ? patience[error.failure] : undefined;
      if (most !== undefined) {
        dead.push({ sample, error });
        if (dead.length >= most) throw endpointDown(subject, error);
        return;
      }
      grade = { status: "unscored", cause: error.failure, detail: error.message };
    }
    if (grade.status === "scored" && !(Number.isFinite(grade.score) && !((grade.weight ?? 1) < 0)))
      throw new HoneError({
        what: `The task ${task.name} gave an invalid score or weight`,
        where: `sample ${sample.id}, ${subject.name}`,
        why: `score ${grade.score}, weight ${grade.weight ?? 1}`,
        next: "Let the task leave such a sample unscored, with a cause.",
      });
    // A subject without a model still takes time of its own.
    if (cost.calls === 0) cost = { ...cost, ms: performance.now() - started };
    const [first, ...others] = [sample.gold].flat();
    const outcome: Outcome = {
      subject: subject.id,
      task: key,
      split,
      sample: sample.id,
      seed,
      gold: first ?? "",
      ...(others.length > 0 ? { alsoRight: others } : {}),
      grade,
      cost,
      ...(apart.calls > 0 ? { apart } : {}),
      calls,
      ...(sample.group === undefined ? {} : { group: sample.group }),
      ...(sample.eyesOff ? { eyesOff: true } : {}),
    };
    const { input, instruction, question, stratum, options: own } = sample;
    await journal.recordOutcome(
      outcome,
      JSON.stringify({ input, instruction, question, stratum, options: own }),
      known !== undefined,
    );
    options.onOutcome(grade.status === "scored" ? grade.score : null, cost);
  };

  await forEachConcurrently(
    samples,
    options.concurrency,
    () => budget.drained() === undefined && !signal.aborted,
    one,
  );
  signal.throwIfAborted();
  const [first] = dead;
  if (first && silent() && budget.drained() === undefined) {
    // Too few samples were left to tell. A model that answered an earlier run, and responds now, is not down: these are unscored.
    const there = dead.every(({ error }) => !absent.includes(error.failure));
    if (!there || !journal.hasAnswered((subject.model as { id: string }).id))
      throw endpointDown(subject, first.error);
    patient = false;
  }
  // Some samples failed like those of a dead endpoint before it came up: they are tried again.
  if (dead.length > 0 && budget.drained() === undefined) {
    const again = dead.splice(0).map(({ sample }) => sample);
    await forEachConcurrently(again, options.concurrency, () => budget.drained() === undefined, one);
  }
}

/** Runs `work` over items, at most `width` at a time, taking the next item only while `goOn` holds. */
async function forEachConcurrently<T>(
  items: AsyncIterable<T> | Iterable<T>,
  width: number,
  goOn: () => boolean,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator =
    Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : (items as Iterable<T>)[Symbol.iterator]();
  let failure: { error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    while (!failure && goOn()) {
      try {
        const next = await iterator.next();
        if (next.done) return;
        await work(next.value);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, width) }, worker));
  await iterator.return?.();
  if (failure) throw failure.error;
}

/** Most samples in flight at once, whatever was requested; models allow no more calls either. */
export const mostInFlight = 1024;

/** How many samples a subject can usefully have in flight. */
export function widthFor(subject: Subject, asked?: number): number {
  return subject.model ? Math.min(asked ?? subject.model.concurrency, mostInFlight) : 1;
}

function endpointDown(subject: Subject, error: CallError): HoneError {
  return new HoneError({
    what: `${subject.model?.name ?? subject.name} does not answer at all`,
    why: error.message,
    next:
      error.failure === "refused"
        ? "Check the address (?base=…, which usually ends in /v1), the key in the environment and the model's name, then run the same command again."
        : error.failure !== "unreachable"
          ? "Check what the server reports, then run the same command again."
          : "Check the address (?base=…) and that the server runs, then run the same command again.",
    cause: error,
  });
}

function nameSample(error: unknown, subject: Subject, sample: Sample): unknown {
  if (!(error instanceof HoneError)) return error;
  return new HoneError({
    ...error.failure,
    where: [error.failure.where, `sample ${sample.id}, ${subject.name}`].filter(Boolean).join("; "),
    ...(error.cause === undefined ? {} : { why: error.failure.why ?? messageOf(error.cause) }),
  });
}
