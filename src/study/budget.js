// What a run may spend, and the two ways of stopping it: draining (finish what is in flight, begin nothing) and aborting.
import { addCost, noCost } from "../core/call.js";
/** Thrown where new work is refused because the run is draining. Not a failure of the sample it interrupts. */
export class Draining extends Error {
  reason;
  constructor(reason) {
    super(reason);
    this.reason = reason;
    this.name = "Draining";
  }
}
/**
 * @param maxUsd dollars; calls in flight are reserved at the dearest price so far, so that concurrency does not overshoot
 * @param maxSeconds wall-clock seconds from now
 */
export function makeBudget(limits = {}) {
  let total = noCost;
  let inFlight = 0;
  const answered = new Set();
  let dearest = 0;
  let reason;
  const deadline =
    limits.maxSeconds === undefined ? Number.POSITIVE_INFINITY : Date.now() + limits.maxSeconds * 1000;
  const check = () => {
    if (reason === undefined && Date.now() >= deadline)
      reason = `--max-time of ${limits.maxSeconds} s reached`;
    if (reason === undefined && limits.maxUsd !== undefined) {
      if (
        total.usd + (inFlight + 1) * dearest > limits.maxUsd ||
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
      dearest = Math.max(dearest, call.cost.usd);
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
