// Writes texts with one loaded model, many at once: each has a sequence of one context, all take a step together, and a place
// that falls free is taken by the next text at once. A prompt's beginning that another place holds is copied, not evaluated.
//
// A text does not depend on what shares its batch, to the last digit: prompts are evaluated each on its own in the pieces that
// `./cuts.ts` makes of it, and after them a step has one token a sequence, which llama.cpp's CPU kernels compute alike for two
// sequences and for sixteen (test/models/writer.test.ts). For a single sequence beyond 512 tokens they do not, so one that
// writes alone has an idle one beside it.

import type {
  LlamaContext,
  LlamaContextSequence,
  LlamaGrammarEvaluationState,
  LlamaModel,
  Token,
} from "node-llama-cpp";
import { CallError } from "../../core/call.js";
import type { Work } from "../../core/model.js";
import { randomFor } from "../../core/random.js";
import { type Cutter, cutsKept } from "./cuts.js";

/** How a text is drawn. */
export interface Sampling {
  maxTokens: number;
  /** 0 is greedy. */
  temperature: number;
  seed: number;
  topP?: number;
  minP?: number;
  repetitionPenalty?: number;
  /** A grammar (GBNF) that the text keeps to. */
  grammar?: string;
  /** Control tokens are spelled out in the text. */
  spelled?: boolean;
  /** Told the text so far after each token; returns true to stop. */
  enough: (text: string) => boolean;
}

export interface Written {
  text: string;
  tokens: number;
  finish: "stop" | "length";
  /** Milliseconds from when it got its place. */
  ms: number;
}

export interface Writer {
  write(prompt: readonly number[], sampling: Sampling, signal: AbortSignal): Promise<Written>;
  /** Texts under way or waiting. */
  readonly busy: number;
  close(): Promise<void>;
}

export interface WriterOptions {
  /** Most tokens of prompt and text together. */
  contextTokens: number;
  cutter: Cutter;
  /** Makes a context of so many sequences with room for so many tokens each. */
  open: (places: number, tokens: number) => Promise<LlamaContext>;
  /** Bytes that one token of one sequence takes, and what all of them may take. */
  tokenBytes: number;
  bytes: number;
  work: Work;
}

/** Sequences of a context; more gained nothing on two cores. */
export const mostPlaces = 16;
/** The smallest context of a sequence: room grows in powers of two from it. */
const leastTokens = 512;
/** Tokens that a repetition penalty looks back on. */
const lookBack = 64;
/** Samplers that leave the distribution alone: node-llama-cpp's own defaults are top-k 40 and top-p 0.95. */
export const neutral = { topK: 0, topP: 1, minP: 0 } as const;

interface Job {
  prompt: readonly number[];
  sampling: Sampling;
  signal: AbortSignal;
  resolve: (written: Written) => void;
  reject: (error: unknown) => void;
  began: number;
  written: Token[];
  text: string;
  /** How far the text has come in its grammar. */
  state?: LlamaGrammarEvaluationState;
}

/** A sequence, the cuts of the prompt that it was given, and the text that it writes. */
interface Place {
  sequence: LlamaContextSequence;
  evaluated: readonly number[];
  /** When it last began a text, as a count of those begun. */
  used: number;
  job?: Job;
}

export function writerOver(model: LlamaModel, options: WriterOptions): Writer {
  const { cutter, work } = options;
  const waiting: Job[] = [];
  let context: LlamaContext | undefined;
  let room = 0;
  let places: Place[] = [];
  let begun = 0;
  let running = false;
  let ended: Promise<void> | undefined;
  let closed = false;

  const active = () => places.filter((place): place is Place & { job: Job } => place.job !== undefined);

  const settle = (
    place: Place,
    outcome: { written: Pick<Written, "tokens" | "finish"> } | { error: unknown },
  ) => {
    const job = place.job as Job;
    delete place.job;
    if ("error" in outcome) job.reject(outcome.error);
    else job.resolve({ ...outcome.written, text: job.text, ms: performance.now() - job.began });
  };

  /** Makes the context anew where a text needs more room; only while nothing is written. */
  const makeRoom = async (tokens: number): Promise<void> => {
    if (tokens <= room) return;
    const old = context;
    // Should the new one fail to open, the next text begins from nothing.
    context = undefined;
    places = [];
    room = 0;
    await old?.dispose();
    let wanted = leastTokens;
    while (wanted < tokens) wanted *= 2;
    wanted = Math.min(wanted, options.contextTokens);
    const fits = Math.floor(options.bytes / (options.tokenBytes * wanted));
    const count = Math.max(2, Math.min(mostPlaces, fits));
    // One more than may be used: node-llama-cpp drops the oldest tokens in silence when the last cell is taken.
    const opened = await options.open(count, wanted + 1);
    context = opened;
    room = wanted;
    places = Array.from({ length: count }, () => ({
      ...{ sequence: opened.getSequence(), evaluated: [], used: 0 },
    }));
  };

  const rewind = async (place: Place, keep: number): Promise<void> => {
    const { sequence } = place;
    if (keep < sequence.nextTokenIndex)
      await sequence.eraseContextTokenRanges([{ start: keep, end: sequence.nextTokenIndex }]);
    place.evaluated = place.evaluated.filter((cut) => cut <= keep);
  };

  const cutsShared = ({ sequence, evaluated }: Place, prompt: readonly number[]) =>
    cutsKept(sequence.contextTokens, evaluated, prompt, cutter(prompt));
  const sharedWith = (place: Place, prompt: readonly number[]): number =>
    cutsShared(place, prompt).at(-1) ?? 0;

  /** Evaluates a prompt in a free place and draws the text's first token. */
  const begin = async (job: Job): Promise<void> => {
    const { prompt } = job;
    const bestOf = (some: readonly Place[]) =>
      some.reduce((a, b) => (sharedWith(b, prompt) > sharedWith(a, prompt) ? b : a));
    const free = places.filter((one) => !one.job);
    const nearest = bestOf(free);
    // What goes on from a text takes its place. Else that one is given up which was used longest ago, for several conversations
    // that begin alike would each drive out the one before.
    const goesOn = 2 * sharedWith(nearest, prompt) > nearest.sequence.nextTokenIndex;
    const place = goesOn ? nearest : free.reduce((a, b) => (b.used < a.used ? b : a));
    const donor = bestOf(places);
    place.used = ++begun;
    job.began = performance.now();
    place.job = job;
    await ending(place, prefill(place, donor));
  };
  const prefill = async (place: Place, donor: Place): Promise<void> => {
    const job = place.job as Job;
    const { prompt, signal } = job;
    if (job.sampling.grammar !== undefined) job.state = await stateOf(model, job.sampling.grammar);
    let at = sharedWith(place, prompt);
    const shared = cutsShared(donor, prompt);
    const more = shared.at(-1) ?? 0;
    if (more > at && (await copied(place.sequence, donor.sequence, more))) {
      place.evaluated = shared;
      at = more;
    } else {
      // A copy that failed has left the place empty.
      at = sharedWith(place, prompt);
      await rewind(place, at);
    }
    work.reused += at;
    for (const cut of cutter(prompt).filter((one) => one > at)) {
      if (signal.aborted) return settle(place, { error: signal.reason });
      await place.sequence.evaluateWithoutGeneratingNewTokens(prompt.slice(at, cut) as Token[]);
      place.evaluated = [...place.evaluated, cut];
      work.evaluated += cut - at;
      at = cut;
    }
    await advance(place, prompt.slice(at));
  };

  /** Evaluates tokens of a text beside what else is to be in the batch, draws what follows, and ends the text where it is to end. */
  const advance = async (
    place: Place,
    tokens: readonly number[],
    beside: Promise<void> = Promise.resolve(),
  ): Promise<void> => {
    const job = place.job as Job;
    const { prompt, sampling, signal, written, state } = job;
    if (signal.aborted) return settle(place, { error: signal.reason });
    // Every draw has its own seed, for the sampler lives as long as one evaluation.
    const seed = Math.floor(randomFor(sampling.seed, "llama", written.length)() * 2 ** 32);
    const { temperature, topP = 1, minP = 0, repetitionPenalty = 1 } = sampling;
    const how = {
      ...{ ...neutral, temperature, topP, minP, seed },
      ...(repetitionPenalty === 1
        ? {}
        : { repeatPenalty: { punishTokens: written.slice(-lookBack), penalty: repetitionPenalty } }),
    };
    const token = await together(drawn(place.sequence, tokens as Token[], how, state), beside);
    work.evaluated += tokens.length;
    if (token == null) throw new CallError("malformed", "llama.cpp gave no usable logits for this prompt.");
    work.written++;
    if (model.isEogToken(token))
      return settle(place, { written: { tokens: written.length + 1, finish: "stop" } });
    written.push(token);
    job.text = model.detokenize(written, sampling.spelled ?? false, prompt.slice(-8) as Token[]);
    const stopped = sampling.enough(job.text);
    const most = Math.min(sampling.maxTokens, options.contextTokens - prompt.length);
    if (stopped || written.length >= most)
      settle(place, { written: { tokens: written.length, finish: stopped ? "stop" : "length" } });
  };

  /** One token of every text under way; all are asked for in one turn, so that they make one batch. */
  const step = async (): Promise<void> => {
    const writing = active();
    const idle = writing.length === 1 ? places.find(({ job }) => !job) : undefined;
    const beside = idle && besideOne(idle);
    await Promise.all([
      ...writing.map((place) => ending(place, advance(place, [place.job.written.at(-1) as number], beside))),
      beside?.catch(() => {}),
    ]);
  };
  /** What fails in one text ends that text; so does what fails beside it, without which its token may be another one. */
  const ending = (place: Place, work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => {
      if (place.job) settle(place, { error });
    });
  const besideOne = async (place: Place): Promise<void> => {
    // It goes on from what it holds, and forgets the token again.
    const at = place.sequence.nextTokenIndex;
    if (at >= room) await rewind(place, 0);
    const from = place.sequence.nextTokenIndex;
    await place.sequence.evaluateWithoutGeneratingNewTokens([model.tokens.bos ?? (0 as Token)]);
    await rewind(place, from);
  };

  const run = async (): Promise<void> => {
    while (!closed && (waiting.length > 0 || active().length > 0)) {
      for (const job of waiting.filter(({ signal }) => signal.aborted)) {
        waiting.splice(waiting.indexOf(job), 1);
        job.reject(job.signal.reason);
      }
      while (waiting.length > 0) {
        const { prompt, sampling } = waiting[0] as Job;
        const needed = Math.min(prompt.length + sampling.maxTokens, options.contextTokens);
        // A text that needs more room waits for those under way, and those behind it wait for it.
        if (needed > room && active().length > 0) break;
        if (active().length === places.length && places.length > 0) break;
        await makeRoom(needed);
        await begin(waiting.shift() as Job);
      }
      if (active().length > 0) await step();
    }
  };
  const endAll = (error: unknown): void => {
    for (const place of active()) settle(place, { error });
    for (const job of waiting.splice(0)) job.reject(error);
  };
  /** Runs until nothing waits; what arrives while it ends is run by the next one. */
  const start = async (): Promise<void> => {
    running = true;
    try {
      await run();
    } catch (error) {
      endAll(error);
    } finally {
      running = false;
    }
  };

  return {
    get busy() {
      return waiting.length + active().length;
    },
    write: (prompt, sampling, signal) =>
      new Promise((resolve, reject) => {
        if (closed) throw new Error("The model is closed.");
        waiting.push({ prompt, sampling, signal, resolve, reject, began: 0, written: [], text: "" });
        if (!running) ended = start();
      }),
    async close() {
      closed = true;
      await ended;
      endAll(new Error("The model is closed."));
      await context?.dispose();
    },
  };
}

/** What the first gives, when both have ended; what fails in either is thrown only then. */
async function together<T>(first: Promise<T>, second: Promise<void>): Promise<T> {
  await Promise.allSettled([first, second]);
  const [value] = await Promise.all([first, second]);
  return value;
}

/** Evaluates tokens and draws the next one, of those that a grammar allows where there is one. */
async function drawn(
  sequence: LlamaContextSequence,
  tokens: Token[],
  options: Parameters<LlamaContextSequence["evaluate"]>[1],
  state: LlamaGrammarEvaluationState | undefined,
): Promise<Token | null | undefined> {
  if (!state) {
    const last = tokens[tokens.length - 1] as Token;
    const next = { generateNext: { token: true, options: { ...options } } };
    return (await sequence.controlledEvaluate([...tokens.slice(0, -1), [last, next]])).at(-1)?.next.token;
  }
  // `controlledEvaluate` takes no grammar; this yields the token before it is evaluated, and is left there.
  const iterator = sequence.evaluate(tokens, {
    ...options,
    grammarEvaluationState: state,
    yieldEogToken: true,
  });
  try {
    const { value } = await iterator.next();
    return value ?? undefined;
  } finally {
    await iterator.return(undefined);
  }
}

async function stateOf(model: LlamaModel, grammar: string): Promise<LlamaGrammarEvaluationState> {
  const { LlamaGrammarEvaluationState } = await import("node-llama-cpp");
  try {
    return new LlamaGrammarEvaluationState({ model, grammar: await model.llama.createGrammar({ grammar }) });
  } catch (error) {
    throw new CallError("unsupported", "llama.cpp does not take the grammar of this schema.", {
      cause: error,
    });
  }
}

/** What node-llama-cpp has and does not declare. */
type Copying = LlamaContextSequence & {
  _copyStateFromOtherSequence?: (other: LlamaContextSequence, upTo: number) => Promise<boolean>;
};

/** Copies a sequence's first tokens to another; false where this version of node-llama-cpp cannot. */
async function copied(
  to: LlamaContextSequence,
  from: LlamaContextSequence,
  tokens: number,
): Promise<boolean> {
  const copy = (to as Copying)._copyStateFromOtherSequence;
  if (!copy) return false;
  try {
    if (await copy.call(to, from, tokens)) return true;
  } catch {
    // What was copied in part is erased below.
  }
  await to.eraseContextTokenRanges([{ start: 0, end: to.nextTokenIndex }]);
  return false;
}
