// Predictions on new rows, streamed in the rows' order. Every call goes through the store's journal, so that a run which was
// killed goes on where it stopped and pays for nothing twice.

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
  /** Folder of the journal that calls are kept in, and of the study. Default: `.hone` in the working folder. */
  store?: string;
  /** A subject's name, in place of the champion. */
  subject?: string;
  /** Stops at once. */
  signal?: AbortSignal;
  /** Finishes what is in flight and begins nothing new. */
  drain?: AbortSignal;
  maxUsd?: number;
  maxSeconds?: number;
  /** Rows in flight; by default what the model asks for. */
  concurrency?: number;
  /** Lets a specialist that lies outside of the store send rows to an endpoint that it names. */
  allowEndpoint?: boolean;
  /** Told of rows that cannot be asked about, which are then passed over; the first one is thrown where absent. */
  onBad?: (error: HoneError) => void;
  onWait?: (text: string) => void;
}

/** What is known when all rows are done. */
export interface PredictSummary {
  study: string;
  subject: string;
  /** Rows with a prediction, without one although asked, and passed over. */
  n: number;
  unscored: number;
  bad: number;
  causes: Record<string, number>;
  /** What it scored on the study's test: to be expected of rows like those. */
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
  /** To be read to its end; then `summary` is whole. */
  predictions: AsyncGenerator<Prediction>;
  summary: () => PredictSummary;
  close: () => Promise<void>;
}

/**
 * Opens a specialist on rows.
 * @param ref a study in the store (its champion, or `subject`), or a saved specialist's path
 * @param rows from `readRows`, or made: `{ row: { text: "…" }, place: "row 1" }`
 * @throws HoneError where there is no such specialist, or a row is none for it and no `onBad` was given
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
    const wrap = <M extends Callable>(model: M) => journaled(model, journal, budget);
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
 * What `work` makes of items, in their order, with at most `width` under way. Items are taken while `goOn` holds; what is under
 * way is always finished. A slow source holds back nothing that is ready.
 * @param halted resolves where `goOn` ceases to hold
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
          // It is thrown when its turn comes.
          made.catch(() => {});
          underWay.push(made);
        }
      }
    }
  } finally {
    // A source that is being waited for is let go when it answers.
    const left = items.return(undefined);
    if (next === undefined) await left;
    else left.catch(() => {});
    await Promise.allSettled(underWay);
  }
}
