// A model whose finished calls are kept: a repeated call is answered from the journal and costs nothing.

import { type Call, type CallContext, CallError, type Cost, noCost, type Operation } from "../core/call.js";
import { messageOf } from "../core/errors.js";
import { fingerprint } from "../core/json.js";
import type {
  Callable,
  Change,
  Embeds,
  Generated,
  GenerateRequest,
  Scored,
  ScoreRequest,
} from "../core/model.js";
import type { Journal } from "./journal.js";

export interface JournalEvents {
  /** Just before a call is really made; throwing here refuses it (a budget). */
  before?: (modelId: string) => void | Promise<void>;
  /** Fires when calls that failed are not to be repeated. */
  draining?: AbortSignal;
  /** After a call was really made and recorded; once for a batch of texts, with the cost of all. */
  made?: (call: Call) => void;
  /** After a call failed for good. */
  failed?: (modelId: string) => void;
  reused?: (call: Call) => void;
}

/** Wraps a model so that equal requests to models of equal id are made once. Concurrent equal requests share one call. */
export function journaled<M extends Callable>(model: M, journal: Journal, events: JournalEvents = {}): M {
  const inFlight = new Map<string, Promise<Call>>();

  const lookUp = (key: string): Call | undefined => {
    const known = journal.call(key);
    if (known) events.reused?.(known);
    return known;
  };
  const keep = async (
    key: string,
    operation: Operation,
    request: unknown,
    response: unknown,
    cost: Cost,
  ): Promise<Call> => {
    const call: Call = { key, model: model.id, operation, request, response, cost };
    await journal.recordCall(call);
    return call;
  };
  const failed = async (keys: readonly string[], operation: Operation, error: unknown): Promise<never> => {
    events.failed?.(model.id);
    const written = journal.release(keys);
    if (error instanceof CallError) {
      await journal.recordFailure(keys[0] as string, model.id, operation, error.failure, messageOf(error));
    }
    await written;
    throw error;
  };
  /** The result of the same call if another process makes it; else undefined, and this process makes the call. */
  const claimed = async (key: string, signal: AbortSignal): Promise<Call | undefined> => {
    for (let pause = 10; !(await journal.claim(key)); pause = Math.min(200, pause * 2)) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      signal.throwIfAborted();
      const known = lookUp(key);
      if (known) return known;
    }
    // It may have been finished just before the claim.
    const known = lookUp(key);
    if (known) await journal.release([key]);
    return known;
  };
  /** Refuses a call before it is made. */
  const permit = async (keys: readonly string[]): Promise<void> => {
    try {
      await events.before?.(model.id);
    } catch (error) {
      await journal.release(keys);
      throw error;
    }
  };

  const once = async <R extends { cost: Cost }>(
    operation: Operation,
    request: unknown,
    make: () => Promise<R>,
    { signal, trace, lost }: CallContext,
  ): Promise<R> => {
    const key = callKey(model.id, operation, request);
    let call = lookUp(key);
    if (!call) {
      let pending = inFlight.get(key);
      if (!pending) {
        pending = (async () => {
          const known = await claimed(key, signal);
          if (known) return known;
          await permit([key]);
          try {
            const { cost, ...response } = await begun(make);
            const call = await keep(key, operation, request, response, cost);
            events.made?.(call);
            return call;
          } catch (error) {
            return await failed([key], operation, error);
          }
        })().finally(() => inFlight.delete(key));
        inFlight.set(key, pending);
      }
      call = await pending.catch((error) => {
        if (error instanceof CallError) lost?.(error.failure);
        throw error;
      });
    }
    trace?.(call);
    return { ...(call.response as Omit<R, "cost">), cost: call.cost } as R;
  };

  /** One row per text, regardless of batches: vectors requested in another grouping are still found. */
  const embedOnce: Embeds["embed"] = async (texts, context) => {
    const keys = texts.map((text) => callKey(model.id, "embed", { text }));
    const calls = keys.map(lookUp);
    const make = async (batch: readonly number[]): Promise<void> => {
      if (batch.length === 0) return;
      const own = batch.map((i) => keys[i] as string);
      await permit(own);
      const asked = batch.map((i) => texts[i] as string);
      try {
        const made = await begun(() => model.embed!(asked, told(context)));
        const kept = await Promise.all(
          batch.map(async (i, position) => {
            const vector = encodeVector(made.vectors[position] as readonly number[]);
            const cost = shareOf(made.cost, batch.length, position);
            const call = await keep(keys[i] as string, "embed", { text: texts[i] }, { vector }, cost);
            calls[i] = call;
            return call;
          }),
        );
        // One call of the model, as it was permitted.
        events.made?.({ ...(kept[0] as Call), cost: made.cost });
      } catch (error) {
        if (error instanceof CallError) context.lost?.(error.failure);
        await failed(own, "embed", error);
      }
    };
    const missing = texts.map((_, i) => i).filter((i) => !calls[i]);
    const theirs: number[] = [];
    for (let start = 0; start < missing.length; start += 64) {
      const ours: number[] = [];
      await Promise.all(
        missing.slice(start, start + 64).map(async (i) => {
          const key = keys[i] as string;
          if (!(await journal.claim(key))) return theirs.push(i);
          calls[i] = lookUp(key);
          return calls[i] ? journal.release([key]) : ours.push(i);
        }),
      );
      await make(ours);
    }
    // Calls that others make are waited for last, when we hold nothing that they could be waiting for.
    for (const i of theirs) {
      calls[i] = await claimed(keys[i] as string, context.signal);
      if (!calls[i]) await make([i]);
    }
    const all = calls as Call[];
    for (const call of all) context.trace?.(call);
    const vectors = all.map((call) => decodeVector((call.response as { vector: string }).vector));
    return { vectors, cost: noCost };
  };

  const { weights } = model;
  const told = (context: CallContext): CallContext =>
    events.draining ? { ...context, draining: events.draining } : context;
  return {
    ...model,
    ...(weights && {
      weights: {
        ...weights,
        specialize: (change: Change) => journaled(weights.specialize(change), journal, events),
      },
    }),
    ...(model.generate && {
      generate: (request: GenerateRequest, context: CallContext) =>
        once<Generated>("generate", request, () => model.generate!(request, told(context)), context),
    }),
    ...(model.score && {
      score: (request: ScoreRequest, context: CallContext) =>
        once<Scored>("score", request, () => model.score!(request, told(context)), context),
    }),
    ...(model.embed && { embed: embedOnce }),
  };
}

/** The key of a call: equal model, operation and request give equal keys. */
export function callKey(modelId: string, operation: Operation, request: unknown): string {
  return fingerprint([modelId, operation, request], 32);
}

/** One text's share of a batch's cost; the first carries the call itself. */
function shareOf(cost: Cost, parts: number, position: number): Cost {
  return {
    calls: position === 0 ? cost.calls : 0,
    inputTokens: Math.round(cost.inputTokens / parts),
    outputTokens: 0,
    ms: cost.ms / parts,
    usd: cost.usd / parts,
  };
}

function encodeVector(vector: readonly number[]): string {
  return Buffer.from(Float32Array.from(vector).buffer).toString("base64");
}

function decodeVector(text: string): number[] {
  const bytes = Buffer.from(text, "base64");
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4));
}

/** A model that throws before it returns a promise fails like any other. */
async function begun<T>(make: () => Promise<T>): Promise<T> {
  return make();
}
