// What a run may spend, and the two ways of stopping it: draining (finish what is in flight, start nothing) and aborting.

import { addCost, type Call, type Cost, noCost } from "../core/call.js";

/** Thrown when new work is refused because the run is draining. Not a failure of the sample that it interrupts. */
export class Draining extends Error {
  constructor(readonly reason: string) {
    super(reason);
    this.name = "Draining";
  }
}

export interface Budget {
  /** Called before a call is made; throws Draining when there is nothing left to spend. */
  before: () => void;
  /** Called after a call was made. */
  made: (call: Call) => void;
  /** Called after a call failed. */
  failed: () => void;
  /** Whether a model has answered a call in this run, not from the journal: a model that never does is down, not wrong. */
  answered: (modelId: string) => boolean;
  /** Spent by this process, without what the journal answered. */
  spent: () => Cost;
  /** Why the run is draining, if it is. */
  drained: () => string | undefined;
  drain: (reason: string) => void;
}

/** The reason given when `drain` ended a budget. */
const byHand = "by hand";

/**
 * @param maxUsd dollars; each call in flight reserves the cost of the costliest so far, so that concurrency does not overshoot
 * @param maxSeconds wall-clock seconds from now
 * @param drain ends it by hand, even if it fired before
 */
export function makeBudget(
  limits: {
    maxUsd?: number | undefined;
    maxSeconds?: number | undefined;
    drain?: AbortSignal | undefined;
  } = {},
): Budget {
  let total = noCost;
  let inFlight = 0;
  const answered = new Set<string>();
  let costliest = 0;
  let reason: string | undefined = limits.drain?.aborted ? byHand : undefined;
  const onDrain = () => {
    reason ??= byHand;
  };
  limits.drain?.addEventListener("abort", onDrain, { once: true });
  const deadline =
    limits.maxSeconds === undefined ? Number.POSITIVE_INFINITY : Date.now() + limits.maxSeconds * 1000;

  const check = (): void => {
    if (reason === undefined && Date.now() >= deadline)
      reason = `--max-time of ${limits.maxSeconds} s reached`;
    if (reason === undefined && limits.maxUsd !== undefined) {
      if (
        total.usd + (inFlight + 1) * costliest > limits.maxUsd ||
        (total.usd >= limits.maxUsd && total.usd > 0)
      ) {
        reason = `--max-cost of $${limits.maxUsd} reached ($${total.usd.toFixed(4)} spent)`;
      }
    }
  };
  return {
    before() {
      check();
      if (reason !== undefined) throw new Draining(reason);
      inFlight++;
    },
    made(call) {
      inFlight = Math.max(0, inFlight - 1);
      total = addCost(total, call.cost);
      answered.add(call.model);
      costliest = Math.max(costliest, call.cost.usd);
    },
    failed() {
      inFlight = Math.max(0, inFlight - 1);
    },
    answered: (modelId) => answered.has(modelId),
    spent: () => total,
    drained() {
      check();
      return reason;
    },
    drain(why) {
      reason ??= why;
    },
  };
}
