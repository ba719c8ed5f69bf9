// Predictions on new rows, streamed in the rows' order. Every call goes through the store's journal, so that a killed run
// continues where it stopped and pays for nothing twice.

import { setMaxListeners } from "node:events";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { HoneError } from "../core/errors.js";
import type { Callable } from "../core/model.js";
import type { Row } from "../data/reading.js";
import { openJournalWhenFree } from "../store/journal.js";
import { journaled } from "../store/journaled.js";
import { requireStore } from "../store/place.js";
import { privateFolder } from "../store/private.js";
import { type Budget, Draining, makeBudget } from "../study/budget.js";
import { mostInFlight, widthFor } from "../study/measure.js";
import { readSpecialist, type SavedSpecialist } from "../study/specialist.js";
import { type Drift, watchDrift } from "./drift.js";
import { findSpecialist, refuseEndpoint } from "./find.js";
import { openPredictor, type Prediction, type Predictor, type PredictorOptions } from "./predictor.js";

/** Store, subject, limits and listeners of a run over new rows. */
export interface PredictOptions extends Omit<PredictorOptions, "signal" | "wrap"> {
  /** Folder of the study and of the journal that keeps calls. Default: `.hone` in the working folder. */
  store?: string;
  /** A subject's name, instead of the champion. */
  subject?: string;
  /** Stops at once. */
  signal?: AbortSignal;
  /** Finishes what is in flight and begins nothing new. */
  drain?: AbortSignal;
  maxUsd?: number;
  maxSeconds?: number;
  /** Rows in flight; by default the model's own concurrency. */
  concurrency?: number;
  /** Lets a specialist outside the store send rows to an endpoint that it names. */
  allowEndpoint?: boolean;
  /** Called with rows that are no valid samples, which are then skipped; if absent, the first one is thrown. */
  onBad?: (error: HoneError) => void;
  onWait?: (text: string) => void;
}

/** The result when all rows are done. */
export interface PredictSummary {
  study: string;
  subject: string;
  /** Rows with a prediction, without one although the model was called, and skipped. */
  n: number;
  unscored: number;
  bad: number;
  causes: Record<string, number>;
  /** Its score on the study's test, to be expected on similar rows. */
  expected: SavedSpecialist["measured"] | null;
  drift: Drift[];
  usd: number;
  tokens: number;
  /** Why it ended early. */
  stopped: string | null;
}

/** A run over new rows: the predictions as they come, and the summary when they are done. */
export interface Predicting {
  saved: SavedSpecialist;
  /** Must be read to its end; then `summary` is complete. */
  predictions: AsyncGenerator<Prediction>;
  summary: () => PredictSummary;
  close: () => Promise<void>;
}

/**
 * Opens a specialist on rows.
 * @param ref a study in the store (its champion, or `subject`), or a saved specialist's path
 * @param rows from `readRows`, or made: `{ row: { text: "…" }, place: "row 1" }`
 * @throws HoneError where there is no such specialist, or a row is invalid for it and no `onBad` was given
 * @example
 * import { predict, readRows } from "@honelab/hone";
 * async function label(file: string) {
 *   const { predictions, summary, close } = await predict("tickets", readRows(file));
 *   for await (const { id, label, probability } of predictions) console.log(id, label, probability);
 *   console.log(summary().expected);
 *   await close();
 * }
 */
export async function predict(
  ref: string,
  rows: AsyncIterable<Row> | Iterable<Row>,
  options: PredictOptions = {},
): Promise<Predicting> {
  const store = resolve(options.store ?? ".hone");
  const signal = options.signal ?? new AbortController().signal;
  setMaxListeners(0, signal);
  const { path, ours } = findSpecialist(ref, { store, subject: options.subject });
  if (!ours && !options.allowEndpoint) refuseEndpoint((await readSpecialist(path)).saved, path);
  requireStore(store);
  mkdirSync(store, privateFolder);
  const budget = makeBudget(options);
  const journal = await openJournalWhenFree(join(store, "journal.db"), {
    signal,
    onWait: options.onWait ?? (() => {}),
  });
  try {
    const wrap = <M extends Callable>(model: M) => {
      budget.expect(model);
      return journaled(model, journal, budget);
    };
    const predictor = await openPredictor(path, {
      ...options,
      signal,
      wrap,
      allowFiles: ours || options.allowFiles === true,
    });
    const run = runOver(predictor, rows, budget, signal, options);
    return {
      saved: predictor.saved,
      ...run,
      async close() {
        await run.predictions.return(undefined);
        await predictor.close();
        journal.close();
      },
    };
  } catch (error) {
    journal.close();
    throw error;
  }
}

function runOver(
  predictor: Predictor,
  rows: AsyncIterable<Row> | Iterable<Row>,
  budget: Budget,
  signal: AbortSignal,
  { onBad, concurrency, drain }: PredictOptions,
): Pick<Predicting, "predictions" | "summary"> {
  const { saved, subject } = predictor;
  const { profile } = saved;
  const watch = profile && watchDrift(profile);
  const counts = { n: 0, unscored: 0, bad: 0 };
  const causes: Record<string, number> = {};
  let stopped: string | null = null;

  const one = async ({ row, number }: { row: Row; number: number }): Promise<Prediction | undefined> => {
    try {
      const sample = predictor.sample(row, number);
      const said = await predictor.answer(sample, signal);
      watch?.add(sample.input, said.label);
      return { row: number, place: row.place, id: sample.id, ...said };
    } catch (error) {
      if (error instanceof Draining) {
        stopped = error.reason;
        return undefined;
      }
      if (!(error instanceof HoneError) || !onBad) throw error;
      counts.bad++;
      onBad(error);
      return undefined;
    }
  };

  const predictions = async function* (): AsyncGenerator<Prediction> {
    const width = Math.min(mostInFlight, 2 * widthFor(subject, concurrency));
    const open = () => {
      stopped ??= budget.drained() ?? null;
      return stopped === null && !signal.aborted;
    };
    const halted = new Promise<void>((resolve) => {
      for (const stop of [signal, drain]) stop?.addEventListener("abort", () => resolve(), { once: true });
    });
    for await (const said of inOrder(numbered(rows), width, open, halted, one)) {
      if (!said) continue;
      if (said.unscored === undefined) counts.n++;
      else {
        counts.unscored++;
        causes[said.unscored] = (causes[said.unscored] ?? 0) + 1;
      }
      yield said;
    }
    signal.throwIfAborted();
  };
  return {
    predictions: predictions(),
    summary() {
      const { usd, inputTokens, outputTokens } = budget.spent();
      return {
        study: saved.made.study,
        subject: saved.name,
        ...counts,
        causes,
        expected: saved.measured ?? null,
        drift: watch?.result() ?? [],
        usd,
        tokens: inputTokens + outputTokens,
        stopped,
      };
    },
  };
}

async function* numbered(
  rows: AsyncIterable<Row> | Iterable<Row>,
): AsyncGenerator<{ row: Row; number: number }> {
  let number = 0;
  for await (const row of rows) yield { row, number: ++number };
}

/**
 * Maps items through `work`, in their order, with at most `width` in flight. Items are taken while `goOn` holds; items in
 * flight are always finished. A slow source does not delay results that are ready.
 * @param halted resolves when `goOn` ceases to hold
 */
async function* inOrder<T, R>(
  items: AsyncGenerator<T>,
  width: number,
  goOn: () => boolean,
  halted: Promise<void>,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const underWay: Promise<R>[] = [];
  let next: Promise<IteratorResult<T>> | undefined;
  let ended = false;
  const halt = halted.then(() => {
    ended = true;
  });
  try {
    for (;;) {
      if (!goOn()) ended = true;
      if (!ended && underWay.length < width) next ??= items.next();
      const [first] = underWay;
      if (first === undefined && (ended || next === undefined)) return;
      const ready = first?.then(
        () => true,
        () => true,
      );
      const came = ended ? undefined : next?.then(() => false);
      const isReady = await Promise.race(
        [ready, came, ...(ended ? [] : [halt])].filter((one) => one !== undefined),
      );
      if (isReady === true) {
        yield await (underWay.shift() as Promise<R>);
      } else if (isReady === false) {
        const taken = await (next as Promise<IteratorResult<T>>);
        next = undefined;
        if (taken.done) ended = true;
        else {
          const made = work(taken.value);
          // The error is thrown when its turn comes.
          made.catch(() => {});
          underWay.push(made);
        }
      }
    }
  } finally {
    // A source with a pending read is released when that read resolves.
    const left = items.return(undefined);
    if (next === undefined) await left;
    else left.catch(() => {});
    await Promise.allSettled(underWay);
  }
}
