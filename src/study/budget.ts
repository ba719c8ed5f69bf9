// What a run may spend, and the two ways of stopping it: draining (finish what is in flight, start nothing) and aborting.

import { setMaxListeners } from "node:events";
import { addCost, type Call, type Cost, noCost } from "../core/call.js";
import { HoneError } from "../core/errors.js";

/** Thrown when new work is refused because the run is draining. Not a failure of the sample that it interrupts. */
export class Draining extends Error {
  constructor(readonly reason: string) {
    super(reason);
    this.name = "Draining";
  }
}

export interface Budget {
  /** Called before a call is made; throws Draining when there is nothing left to spend. */
  before: (modelId: string) => Promise<void>;
  /** Fires when it drains: calls that failed are then not repeated. Its reason is a Draining. */
  readonly draining: AbortSignal;
  /**
   * Tells it of a model before its first call.
   * @throws HoneError where cost is limited, and the endpoint's prices are not known
   */
  expect: (model: { id: string; price?: { input: number; output: number } }) => void;
  /** Called after a call was made. */
  made: (call: Call) => void;
  /** Called after a call failed. */
  failed: (modelId: string) => void;
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
 * @param maxUsd dollars; each call in flight reserves the cost of the costliest so far, so that concurrency does not overshoot: a
 *   call for which too little is left waits for those in flight, and ends the budget if too little is left then; until one of a
 *   priced model's calls has ended, there is only one of it
 * @param maxSeconds wall-clock seconds
 * @param used what other studies have used of the same limits; else both begin now
 * @param drain ends it by hand, even if it fired before
 */
export function makeBudget(
  limits: {
    maxUsd?: number | undefined;
    maxSeconds?: number | undefined;
    used?: { since: number; usd: number } | undefined;
    drain?: AbortSignal | undefined;
  } = {},
): Budget {
  let total = noCost;
  let inFlight = 0;
  const answered = new Set<string>();
  let costliest = 0;
  /** By id, the models whose calls cost money; and of those of which no call has ended yet, whether one has begun. */
  const priced = new Map<string, { input: number; output: number }>();
  const untried = new Map<string, boolean>();
  let reason: string | undefined;
  const draining = new AbortController();
  // Every call in flight adds a listener to it.
  setMaxListeners(0, draining.signal);
  const drain = (why: string): void => {
    if (reason !== undefined) return;
    reason = why;
    draining.abort(new Draining(why));
  };
  if (limits.drain?.aborted) drain(byHand);
  limits.drain?.addEventListener("abort", () => drain(byHand), { once: true });
  const { since, usd: before } = limits.used ?? { since: Date.now(), usd: 0 };
  const deadline =
    limits.maxSeconds === undefined ? Number.POSITIVE_INFINITY : since + limits.maxSeconds * 1000;
  const outOfTime = `--max-time of ${limits.maxSeconds} s reached`;
  // Longer than a timer can wait is checked at the next call.
  if (deadline - Date.now() < 2 ** 31)
    setTimeout(() => drain(outOfTime), Math.max(0, deadline - Date.now())).unref();

  const spent = (): number => before + total.usd;
  /** Whether one more call may exceed what may be spent, if each in flight costs as much as the costliest so far. */
  const scarce = (): boolean =>
    limits.maxUsd !== undefined && spent() + (inFlight + 1) * costliest > limits.maxUsd;
  const drainMoney = (): void =>
    drain(`--max-cost of $${limits.maxUsd} reached ($${spent().toFixed(4)} spent)`);
  const check = (): void => {
    if (Date.now() >= deadline) drain(outOfTime);
    if (limits.maxUsd !== undefined && spent() >= limits.maxUsd && spent() > 0) drainMoney();
  };
  const waiting: (() => void)[] = [];
  const ended = (modelId: string): void => {
    inFlight = Math.max(0, inFlight - 1);
    untried.delete(modelId);
    for (const go of waiting.splice(0)) go();
  };
  return {
    draining: draining.signal,
    async before(modelId) {
      check();
      while (reason === undefined && (untried.get(modelId) === true || scarce())) {
        if (inFlight === 0) {
          drainMoney();
          break;
        }
        await new Promise<void>((resolve) => void waiting.push(resolve));
        check();
      }
      if (reason !== undefined) throw new Draining(reason);
      if (untried.has(modelId)) untried.set(modelId, true);
      inFlight++;
    },
    expect({ id, price }) {
      if (limits.maxUsd === undefined) return;
      if (price && price.input + price.output > 0 && !priced.has(id)) {
        priced.set(id, price);
        untried.set(id, false);
      }
      if (price || !id.startsWith("openai:")) return;
      throw new HoneError({
        what: "--max-cost cannot be kept",
        where: id,
        why: "the price of its tokens is not known",
        next: "Give it with ?price=IN,OUT (dollars per million tokens; 0,0 for a server of your own), or in HONE_PRICES.",
        kind: "usage",
      });
    },
    made(call) {
      const { inputTokens, outputTokens, usd } = call.cost;
      const { input, output } = priced.get(call.model) ?? { input: 0, output: 0 };
      if (usd === 0 && input * inputTokens + output * outputTokens > 0)
        drain("--max-cost cannot be kept: the endpoint does not say how many tokens a call took");
      total = addCost(total, call.cost);
      answered.add(call.model);
      costliest = Math.max(costliest, usd);
      ended(call.model);
    },
    failed: ended,
    answered: (modelId) => answered.has(modelId),
    spent: () => total,
    drained() {
      check();
      return reason;
    },
    drain,
  };
}
