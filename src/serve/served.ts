// What a server serves: specialists that answer rows, models that write, score and embed. Each is opened once and has a queue.

import { addCost, type CallContext, type Cost, noCost } from "../core/call.js";
import { hasCapability, isLanguageModel } from "../core/capabilities.js";
import { HoneError } from "../core/errors.js";
import { fingerprint } from "../core/json.js";
import type { Callable, Change, Encoder, LanguageModel, Model } from "../core/model.js";
import { findSpecialist, refuseEndpoint } from "../deploy/find.js";
import { openPredictor, type Predictor } from "../deploy/predictor.js";
import { openModel } from "../models/registry.js";
import { readSpecialist } from "../study/specialist.js";
import { makeQueue, type Queue } from "./queue.js";

/** A model or specialist that requests can name as their model. */
export interface Served {
  id: string;
  queue: Queue;
  /** When it was opened, in seconds since 1970. */
  created: number;
  predictor?: Predictor;
  model?: LanguageModel;
  embeds?: Encoder;
  /** Identifies the model or specialist: while it stays the same, equal requests have equal answers. */
  fingerprint: string;
  close: () => Promise<void>;
}

export interface OpenServedOptions {
  store: string;
  signal: AbortSignal;
  allowModules?: boolean;
  allowEndpoint?: boolean;
  /** Most requests of one model that wait for their turn; more get 429. Default: 256. */
  mostWaiting?: number;
  /** How models are opened; for tests. */
  open?: (ref: string, signal: AbortSignal) => Promise<Model>;
}

const fingerprintOf = (id: string): string => `fp_${fingerprint(id, 10)}`;

/** Local models take more requests than they have lanes: a lane picks the request of whose prompt it holds most. */
const leastWidth = 32;

/**
 * Opens `STUDY`, a saved specialist's path, or a model's reference, each optionally after `NAME=`, which sets its name.
 * @throws HoneError where one cannot be opened, or two have the same name
 */
export async function openServed(refs: readonly string[], options: OpenServedOptions): Promise<Served[]> {
  const opened: Served[] = [];
  try {
    for (const ref of refs) {
      const one = await openOne(ref, options);
      if (opened.some(({ id }) => id === one.id)) {
        await one.close();
        throw new HoneError({
          what: "Two models have the same name",
          where: ref,
          why: `${one.id} is served already`,
          next: "Give one of them another name: NAME=REFERENCE.",
          kind: "usage",
        });
      }
      opened.push(one);
    }
    return opened;
  } catch (error) {
    for (const one of opened) await one.close();
    throw error;
  }
}

/** The parts of `NAME=REFERENCE`, of which the name may be absent. */
export function nameAndRef(written: string): { alias: string | undefined; ref: string } {
  const [, alias, rest] = /^([\w][\w.-]{0,63})=(.+)$/.exec(written) ?? [];
  return { alias, ref: rest ?? written };
}

async function openOne(written: string, options: OpenServedOptions): Promise<Served> {
  const { alias, ref } = nameAndRef(written);
  const { signal, mostWaiting = 256 } = options;
  const created = Math.floor(Date.now() / 1000);
  const queueFor = (model: (Model & Partial<Pick<LanguageModel, "batch">>) | undefined) =>
    makeQueue(Math.max(leastWidth, model?.concurrency ?? 1, model?.batch ?? 1), mostWaiting);
  if (/^(llama|encoder|openai|mock):/.test(ref)) {
    const model = await (options.open ?? ((one, stop) => openModel(one, { signal: stop })))(ref, signal);
    return {
      id: alias ?? model.name,
      created,
      queue: queueFor(model),
      fingerprint: fingerprintOf(model.id),
      ...(isLanguageModel(model) ? { model } : {}),
      ...(hasCapability(model, "embeddings") ? { embeds: model } : {}),
      close: () => model.close(),
    };
  }
  const { path, ours } = findSpecialist(ref, { store: options.store });
  const { saved } = await readSpecialist(path);
  if (!ours && !options.allowEndpoint) refuseEndpoint(saved, path);
  const predictor = await openPredictor(path, {
    signal,
    wrap: traced,
    allowFiles: ours,
    ...(options.allowModules ? { allowModules: true } : {}),
    ...(options.open ? { open: options.open } : {}),
  });
  // A specialist imported under another name keeps that name.
  const named = ours && /^[\w.-]+$/.test(ref) && !ref.endsWith(".json") ? ref : saved.made.study;
  return {
    id: alias ?? named,
    created,
    queue: queueFor(predictor.subject.model),
    predictor,
    fingerprint: fingerprintOf(predictor.subject.id),
    close: () => predictor.close(),
  };
}

/** A model that reports each call's cost to the call's context, as the journal does for studies. */
export function traced<M extends Callable>(model: M): M {
  const told = async <R extends { cost: Cost }>(
    made: Promise<R>,
    context: CallContext,
    operation: "generate" | "score" | "embed",
  ) => {
    const result = await made;
    context.trace?.({
      key: "",
      model: model.id,
      operation,
      request: null,
      response: null,
      cost: result.cost,
    });
    return result;
  };
  const { weights, generate, score, embed } = model;
  return {
    ...model,
    ...(weights && {
      weights: { ...weights, specialize: (change: Change) => traced(weights.specialize(change)) },
    }),
    ...(generate && {
      generate: (request: Parameters<typeof generate>[0], context: CallContext) =>
        told(generate(request, context), context, "generate"),
    }),
    ...(score && {
      score: (request: Parameters<typeof score>[0], context: CallContext) =>
        told(score(request, context), context, "score"),
    }),
    ...(embed && {
      embed: (texts: readonly string[], context: CallContext) =>
        told(embed(texts, context), context, "embed"),
    }),
  };
}

/** Adds up the costs of an answer's calls. */
export function meter(): { trace: (call: { cost: Cost }) => void; total: () => Cost } {
  let total = noCost;
  return {
    trace: ({ cost }) => {
      total = addCost(total, cost);
    },
    total: () => total,
  };
}
