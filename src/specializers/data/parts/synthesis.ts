// Turns attempts into judged pairs: written, filtered, answered, filtered again, in the order of the attempts, regardless of
// the order in which calls return. It holds the pool and what is in flight, never the pairs.

import type { CallContext } from "../../../core/call.js";
import type { LanguageSubject } from "../../../core/kinds.js";
import type { Passage, Query } from "../../../core/language.js";
import type { Filter } from "./filter.js";
import { inOrder } from "./in-order.js";
import {
  type Asking,
  askedText,
  type Decision,
  type Judged,
  type Lineage,
  type Pair,
  type Prompted,
  queryOf,
  type Seed,
  shotOf,
} from "./pair.js";
import { type Attempt, noting, shotsFor, unlessFailed, type Way } from "./ways.js";

export interface Responder {
  subject: LanguageSubject;
  context: CallContext;
  /** Seeds that may precede a query, and how many do. */
  seeds: readonly Seed[];
  shots: number;
  seed: number;
  maxTokens: number;
  asking: Asking;
  /** The query for what is asked, where it is not that of a pair: listed with its own options. */
  query?: (prompted: Prompted) => Query;
  /** Finds the passages most similar to a text; absent without a corpus. */
  find?: (text: string) => readonly Passage[];
}

export interface Synthesis {
  way: Way;
  responder: Responder;
  filter: Filter;
  /** Kept pairs after which it ends, and attempts after which it gives up. */
  pairs: number;
  attempts: number;
  /** Calls in flight. */
  width: number;
  signal: AbortSignal;
}

interface Draft {
  attempt: Attempt;
  decisions: Decision[];
}

/** Yields every attempt, judged, in order; ends once `pairs` pairs were kept. */
export async function* synthesize(plan: Synthesis): AsyncGenerator<Judged> {
  const { way, filter, responder, width, pairs, attempts, signal } = plan;
  if (pairs === 0) return;
  const numbers = Array.from({ length: attempts }, (_, n) => n);
  const written = inOrder(numbers, width, (n) => {
    signal.throwIfAborted();
    return way.attempt(n);
  });
  const drafts = asked(written, filter);
  let kept = 0;
  for await (const judged of inOrder(drafts, width, (draft) => answer(draft, responder))) {
    if (judged.pair.response !== undefined && judged.decisions.every(({ passed }) => passed))
      judged.decisions.push(...filter.response(judged.pair as Pair));
    judged.kept = judged.decisions.every(({ passed }) => passed);
    yield judged;
    if (judged.kept && ++kept === pairs) return;
  }
}

/** Applies the rules on what is asked, one attempt at a time, because each must differ from those before. */
async function* asked(written: AsyncIterable<Attempt>, filter: Filter): AsyncGenerator<Draft> {
  for await (const attempt of written) {
    const { written: read, raw } = attempt;
    const failed = "why" in read && raw === "";
    const decisions: Decision[] = [
      { rule: "failed call", passed: !failed, ...(failed ? { why: read.why } : {}) },
    ];
    if (!failed) {
      decisions.push(
        "why" in read ? { rule: "format", passed: false, why: read.why } : { rule: "format", passed: true },
      );
      if ("task" in read) decisions.push(...filter.asked(read.task));
    }
    yield { attempt, decisions };
  }
}

async function answer({ attempt, decisions }: Draft, responder: Responder): Promise<Judged> {
  const { lineage, written, raw, response } = attempt;
  const id = attempt.id ?? `synthetic/${lineage.attempt}`;
  const base = {
    id,
    kept: false,
    ...(raw !== undefined && "why" in written ? { raw } : {}),
    decisions,
  };
  const none: Lineage = { ...lineage, shots: [], passages: [], responder: null };
  if ("why" in written) return { ...base, pair: {}, lineage: none };
  const { task } = written;
  if (decisions.some(({ passed }) => !passed)) return { ...base, pair: { id, ...task }, lineage: none };
  if (response !== undefined) return { ...base, pair: { id, ...task, response }, lineage: none };

  const { subject, seeds, shots: count, seed, maxTokens, find } = responder;
  const { instruction: _, ...searched } = task;
  const passages = find?.(askedText({ instruction: "", ...searched })) ?? [];
  const shots = shotsFor(seeds, task, { seed, number: lineage.attempt, count });
  const noted = noting(responder.context);
  const reads = subject.model?.grants.has("logprobs") ?? true;
  // A model without probabilities writes its choice, and a label is parsed more reliably than a text.
  const asking = reads ? responder.asking : { answerBy: "label" as const, scoring: "parse" as const };
  const query =
    responder.query?.(task) ??
    queryOf(task, asking, {
      demonstrations: shots.map(shotOf),
      maxTokens,
      ...(passages.length > 0 ? { passages } : {}),
    });
  const found = await unlessFailed(() => subject.respond(query, noted.context));
  const whole: Lineage = {
    ...lineage,
    shots: shots.map(({ id: shot }) => shot),
    passages: passages.map(({ id: passage }) => passage),
    responder: subject.name,
    calls: [...lineage.calls, ...noted.calls],
  };
  if ("why" in found)
    return {
      ...base,
      pair: { id, ...task },
      lineage: whole,
      decisions: [...decisions, { rule: "failed call", passed: false, why: found.why }],
    };
  const { choice, text, scores } = found;
  const confidence = scores && choice !== undefined ? probability(scores, choice) : undefined;
  return {
    ...base,
    pair: { id, ...task, response: (task.options ? choice : text?.trim()) ?? "" },
    lineage: { ...whole, ...(confidence === undefined ? {} : { confidence }) },
  };
}

/** The softmax probability of the chosen option among the options. */
export function probability(scores: Readonly<Record<string, number>>, choice: string): number {
  const top = Math.max(...Object.values(scores));
  const total = Object.values(scores).reduce((sum, score) => sum + Math.exp(score - top), 0);
  return Math.exp((scores[choice] as number) - top) / total;
}
