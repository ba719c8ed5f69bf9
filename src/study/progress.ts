// How far a study has come: counts, spending, the running score, and when it will be done.

import type { Cost } from "../core/call.js";
import type { Estimate, TaskCard } from "../core/record.js";
import type { Phase, StudyEvent } from "./events.js";
import { meanInterval } from "./statistics/index.js";

const quietMs = 250;

export interface Progress {
  /** Begins a stretch of work on one subject. */
  begin: (phase: Phase, subject: string, task: Pick<TaskCard, "name" | "metric">, total: number) => void;
  /** One sample is done; `score` is null where it is unscored. */
  sample: (score: number | null, cost: Cost) => void;
  /** Work that has no samples: a fit. */
  note: (done: number, total: number, note?: string) => void;
  end: () => void;
}

/** @param totalAll samples of the whole study, over subjects, seeds and splits */
export function makeProgress(totalAll: number, emit: (event: StudyEvent) => void): Progress {
  let at = { phase: "fit" as Phase, subject: "", task: "", metric: "", total: 0 };
  let scores: number[] = [];
  let done = 0;
  let unscored = 0;
  let doneAll = 0;
  let fresh = 0;
  let freshMs = 0;
  let tokens = 0;
  let usd = 0;
  let last = 0;
  let since = performance.now();

  const running = (): Estimate | null => (scores.length === 0 ? null : meanInterval(scores, { seed: 0 }));
  const send = (force: boolean, note?: string): void => {
    const now = performance.now();
    if (!force && now - last < quietMs) return;
    last = now;
    emit({
      type: "progress",
      ...at,
      done,
      doneAll,
      totalAll,
      unscored,
      running: running(),
      tokens,
      usd,
      etaSeconds: fresh >= 5 ? Math.round(((freshMs / fresh) * (totalAll - doneAll)) / 1000) : null,
      ...(note === undefined ? {} : { note }),
    });
  };
  return {
    begin(phase, subject, task, total) {
      at = { phase, subject, task: task.name, metric: task.metric, total };
      scores = [];
      done = 0;
      unscored = 0;
      since = performance.now();
      send(true);
    },
    sample(score, cost) {
      const now = performance.now();
      done++;
      doneAll++;
      if (score === null) unscored++;
      else scores.push(score);
      if (cost.calls > 0 || cost.ms > 0) {
        fresh++;
        freshMs += now - since;
        tokens += cost.inputTokens + cost.outputTokens;
        usd += cost.usd;
      }
      since = now;
      send(false);
    },
    note(noteDone, total, note) {
      done = noteDone;
      at = { ...at, total };
      send(false, note);
    },
    end() {
      send(true);
    },
  };
}
