// The budget of a search: what it has spent, and when it ends. A limit is checked before each call, so that a search exceeds it by at
// most what is in flight; a training ends when it reports progress. Seconds are wall-clock time and include those of killed runs; calls
// that a killed run made but did not keep are answered from the journal.

import { type Call, noCost } from "../../../core/call.js";
import type { LanguageSubject } from "../../../core/kinds.js";
import type { Spent } from "../../../core/search.js";
import type { Given } from "../../../core/specializer.js";
import { stopwatch } from "../../../core/stopwatch.js";
import { isDerived } from "../../parts/define.js";

/** The most of each that a search may take; an absent one is not limited. */
export type Limits = Partial<Record<"calls" | "tokens" | "seconds" | "usd", number>>;

/** Thrown when the budget ends. Not a failure of what it interrupts. */
export class BudgetEnded extends Error {}

export const nothing: Spent = { ...noCost, seconds: 0 };

export function added(a: Spent, b: Spent, times = 1): Spent {
  return {
    calls: a.calls + times * b.calls,
    inputTokens: a.inputTokens + times * b.inputTokens,
    outputTokens: a.outputTokens + times * b.outputTokens,
    ms: a.ms + times * b.ms,
    usd: a.usd + times * b.usd,
    seconds: a.seconds + times * b.seconds,
  };
}

export interface Meter {
  readonly spent: () => Spent;
  /** Calls that failed for good. */
  readonly lost: () => number;
  /** Kept back for the end of the search. */
  reserve: Spent;
  /** Lifts the limits: the result is made whatever it takes, which is what was kept back. */
  lift: () => void;
  /** Whether so much more can be spent within a share of the limits, by default all of them. */
  fits: (more: Spent, share?: number) => boolean;
  /** The largest share of any limit that a cost takes. */
  part: (of: Spent) => number;
  /** Counts what an earlier process spent and saved, and reports it to the study. */
  recall: (key: string, spent: Spent) => void;
  /** The subject of the search, and the study's `given`: calls through them are counted, and refused once the budget has ended. */
  readonly subject: LanguageSubject;
  readonly given: Given;
  /** A specialist of the subject whose calls are refused once the budget has ended, also if it calls a model of its own. */
  guarded: (specialist: LanguageSubject) => LanguageSubject;
  /** Tells progress; that of `given` ends what tells it once the budget has ended. */
  readonly progress: Given["progress"];
  /** Runs work with the limits lowered to a share of them. @throws BudgetEnded */
  within: <T>(share: number, work: () => Promise<T>) => Promise<T>;
  /** Runs a piece of work and returns its cost. @throws BudgetEnded */
  run: <T>(work: () => Promise<T>) => Promise<{ result: T; spent: Spent }>;
}

export async function openMeter(subject: LanguageSubject, given: Given, limits: Limits): Promise<Meter> {
  const watch = await stopwatch(given, "search");
  /** All but the seconds. */
  let total = nothing;
  let lifted = false;
  /** Share of the limits at which work ends. */
  let cap = 1;
  /** Calls that were begun and have not returned. */
  let inFlight = 0;
  const now = (): Spent => ({ ...total, seconds: watch.seconds() });
  const covers = (spent: Spent, share: number): boolean =>
    spent.calls <= share * (limits.calls ?? Number.POSITIVE_INFINITY) &&
    spent.inputTokens + spent.outputTokens <= share * (limits.tokens ?? Number.POSITIVE_INFINITY) &&
    spent.usd <= share * (limits.usd ?? Number.POSITIVE_INFINITY) &&
    spent.seconds <= share * (limits.seconds ?? Number.POSITIVE_INFINITY);
  const check = (more: Spent = nothing): void => {
    if (!lifted && !covers(added(added(now(), meter.reserve), more), cap))
      throw new BudgetEnded("the budget is spent");
  };

  const trace = (call: Call): void => {
    total = added(total, { ...call.cost, seconds: 0 });
    given.context.trace?.(call);
    check();
  };
  let lostCalls = 0;
  const lost: Given["context"]["lost"] = (failure) => {
    lostCalls++;
    given.context.lost?.(failure);
  };
  const context: Given["context"] = {
    ...given.context,
    ...{ trace, lost },
    open: async (ref) => {
      const opened = await given.context.open(ref);
      return { subject: opened.subject, context: { ...opened.context, trace, lost } };
    },
  };
  /** Inner subjects are metered, too, because fits reach through subjects that only change queries. */
  const metered = (one: LanguageSubject): LanguageSubject => ({
    ...one,
    ...(isDerived(one) && one.inner ? { inner: metered(one.inner) } : {}),
    respond: async (query, asked) => {
      check({ ...nothing, calls: one.model ? inFlight + 1 : 0 });
      inFlight++;
      try {
        return await one.respond(query, asked);
      } finally {
        inFlight--;
      }
    },
  });
  const meter: Meter = {
    subject: metered(subject),
    given: {
      ...given,
      context,
      progress: (done, of, note) => {
        watch.progress(done, of, note);
        check();
      },
    },
    guarded: (specialist) => ({
      ...specialist,
      respond: (query, asked) => {
        check();
        return specialist.respond(query, asked);
      },
    }),
    progress: watch.progress,
    spent: now,
    lost: () => lostCalls,
    reserve: nothing,
    lift: () => {
      lifted = true;
    },
    fits: (more, share = 1) => covers(added(added(now(), meter.reserve), more), share),
    part: ({ calls, inputTokens, outputTokens, usd, seconds }) =>
      Math.max(
        calls / (limits.calls ?? Number.POSITIVE_INFINITY),
        (inputTokens + outputTokens) / (limits.tokens ?? Number.POSITIVE_INFINITY),
        usd / (limits.usd ?? Number.POSITIVE_INFINITY),
        seconds / (limits.seconds ?? Number.POSITIVE_INFINITY),
      ),
    recall: (key, spent) => {
      const { seconds: _, ...cost } = spent;
      total = added(total, { ...cost, seconds: 0 });
      const model = subject.model?.id ?? subject.id;
      given.context.trace?.({ key, model, operation: "train", request: null, response: null, cost });
    },
    within: async (share, work) => {
      const before = cap;
      cap = share;
      try {
        return await work();
      } finally {
        cap = before;
      }
    },
    run: async (work) => {
      const before = now();
      check();
      const result = await work();
      return { result, spent: added(now(), before, -1) };
    },
  };
  return meter;
}
