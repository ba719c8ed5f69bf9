// A model whose finished calls are kept: asked again, it answers from the journal and pays nothing.
import { CallError, noCost } from "../core/call.js";
import { messageOf } from "../core/errors.js";
import { fingerprint } from "../core/json.js";
/** Wraps a model so that equal requests to models of equal id are made once. Concurrent equal requests share one call. */
export function journaled(model, journal, events = {}) {
  const inFlight = new Map();
  const lookUp = (key) => {
    const known = journal.call(key);
    if (known) events.reused?.(known);
    return known;
  };
  const keep = async (key, operation, request, response, cost) => {
    const call = { key, model: model.id, operation, request, response, cost };
    await journal.recordCall(call);
    events.made?.(call);
    return call;
  };
  const failed = async (keys, operation, error) => {
    events.failed?.();
    const written = journal.release(keys);
    if (error instanceof CallError) {
      await journal.recordFailure(keys[0], model.id, operation, error.failure, messageOf(error));
    }
    await written;
    throw error;
  };
  /** Where another process makes the same call, its result; else undefined, and the call is ours to make. */
  const claimed = async (key, signal) => {
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
  const permit = async (keys) => {
    try {
      events.before?.();
    } catch (error) {
      await journal.release(keys);
      throw error;
    }
  };
  const once = async (operation, request, make, { signal, trace }) => {
    const key = callKey(model.id, operation, request);
    let call = lookUp(key);
    if (!call) {
      let pending = inFlight.get(key);
      if (!pending) {
        pending = (async () => {
          const known = await claimed(key, signal);
          if (known) return known;
          await permit([key]);
          const { cost, ...response } = await make().catch((error) => failed([key], operation, error));
          return keep(key, operation, request, response, cost);
        })().finally(() => inFlight.delete(key));
        inFlight.set(key, pending);
      }
      call = await pending;
    }
    trace?.(call);
    return { ...call.response, cost: call.cost };
  };
  /** One row a text, whatever the batches were: vectors asked for in another grouping are still found. */
  const embedOnce = async (texts, context) => {
    const keys = texts.map((text) => callKey(model.id, "embed", { text }));
    const calls = keys.map(lookUp);
    const make = async (batch) => {
      if (batch.length === 0) return;
      const own = batch.map((i) => keys[i]);
      await permit(own);
      const asked = batch.map((i) => texts[i]);
      const made = await model.embed(asked, context).catch((error) => failed(own, "embed", error));
      await Promise.all(
        batch.map(async (i, position) => {
          const vector = encodeVector(made.vectors[position]);
          const cost = shareOf(made.cost, batch.length, position);
          calls[i] = await keep(keys[i], "embed", { text: texts[i] }, { vector }, cost);
        }),
      );
    };
    const missing = texts.map((_, i) => i).filter((i) => !calls[i]);
    const theirs = [];
    for (let start = 0; start < missing.length; start += 64) {
      const ours = [];
      await Promise.all(
        missing.slice(start, start + 64).map(async (i) => {
          const key = keys[i];
          if (!(await journal.claim(key))) return theirs.push(i);
          calls[i] = lookUp(key);
          return calls[i] ? journal.release([key]) : ours.push(i);
        }),
      );
      await make(ours);
    }
    // What others make is waited for last, when we hold nothing that they could be waiting for.
    for (const i of theirs) {
      calls[i] = await claimed(keys[i], context.signal);
      if (!calls[i]) await make([i]);
    }
    const all = calls;
    for (const call of all) context.trace?.(call);
    const vectors = all.map((call) => decodeVector(call.response.vector));
    return { vectors, cost: noCost };
  };
  const { weights } = model;
  return {
    ...model,
    ...(weights && {
      weights: {
        ...weights,
        specialise: (change) => journaled(weights.specialise(change), journal, events),
      },
    }),
    ...(model.generate && {
      generate: (request, context) =>
        once("generate", request, () => model.generate(request, context), context),
    }),
    ...(model.score && {
      score: (request, context) => once("score", request, () => model.score(request, context), context),
    }),
    ...(model.embed && { embed: embedOnce }),
  };
}
/** The name of a call: equal model, operation and request give equal keys. */
export function callKey(modelId, operation, request) {
  return fingerprint([modelId, operation, request], 32);
}
/** One text's share of a batch; the first carries the call itself. */
function shareOf(cost, parts, position) {
  return {
    calls: position === 0 ? cost.calls : 0,
    inputTokens: Math.round(cost.inputTokens / parts),
    outputTokens: 0,
    ms: cost.ms / parts,
    usd: cost.usd / parts,
  };
}
function encodeVector(vector) {
  return Buffer.from(Float32Array.from(vector).buffer).toString("base64");
}
function decodeVector(text) {
  const bytes = Buffer.from(text, "base64");
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4));
}
