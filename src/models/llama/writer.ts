// Generates texts with one loaded model by continuous batching: each text has a sequence of one context, all sequences step
// together, and the next waiting text takes a free sequence at once. A prompt prefix that another sequence holds is copied, not
// evaluated.
//
// A text does not depend on what shares its batch, to the last digit: each prompt is evaluated on its own in the pieces into
// which `./cuts.ts` cuts it, and after that a step has one token per sequence, which llama.cpp's CPU kernels compute identically
// for two sequences and for sixteen (test/models/writer.test.ts). For a single sequence beyond 512 tokens they do not, so a
// sequence that writes alone is paired with an idle one.

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
import { copied, drawn, stateOf } from "./sequences.js";

/** How a text is sampled. */
export interface Sampling {
  maxTokens: number;
  /** 0 is greedy. */
  temperature: number;
  seed: number;
  topP?: number;
  minP?: number;
  repetitionPenalty?: number;
  /** A grammar (GBNF) that constrains the text. */
  grammar?: string;
  /** Whether control tokens are spelled out in the text. */
  spelled?: boolean;
  /** Called with the text so far after each token; returns true to stop. */
  enough: (text: string) => boolean;
}

export interface Written {
  text: string;
  tokens: number;
  finish: "stop" | "length";
  /** Milliseconds since it got its place. */
  ms: number;
}

export interface Writer {
  write(prompt: readonly number[], sampling: Sampling, signal: AbortSignal): Promise<Written>;
  /** Texts being written or waiting. */
  readonly busy: number;
  close(): Promise<void>;
}

export interface WriterOptions {
  /** Most tokens of prompt and text together. */
  contextTokens: number;
  cutter: Cutter;
  /** Opens a context of `places` sequences with room for `tokens` tokens each. */
  open: (places: number, tokens: number) => Promise<LlamaContext>;
  /** Bytes per token of one sequence; `bytes` is the limit for all sequences. */
  tokenBytes: number;
  bytes: number;
  work: Work;
}

/** Most sequences of a context; more gained nothing on two cores. */
export const mostPlaces = 16;
/** The smallest context of a sequence; it grows from here in powers of two. */
const leastTokens = 512;
/** Tokens that a repetition penalty looks back on. */
const lookBack = 64;
/** Sampler settings that leave the distribution unchanged: node-llama-cpp's own defaults are top-k 40 and top-p 0.95. */
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
  /** The text's state in its grammar. */
  state?: LlamaGrammarEvaluationState;
}

/** A sequence, the cuts of its prompt, and the text that it writes. */
interface Place {
  sequence: LlamaContextSequence;
  evaluated: readonly number[];
  /** When it last began a text, as the number of texts begun so far. */
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

  /** Recreates the context if a text needs more room; only while no text is being written. */
  const makeRoom = async (tokens: number): Promise<void> => {
    if (tokens <= room) return;
    const old = context;
    // If the new context fails to open, the next text starts without one.
    context = undefined;
    places = [];
    room = 0;
    await old?.dispose();
    let wanted = leastTokens;
    while (wanted < tokens) wanted *= 2;
    wanted = Math.min(wanted, options.contextTokens);
    const fits = Math.floor(options.bytes / (options.tokenBytes * wanted));
    const count = Math.max(2, Math.min(mostPlaces, fits));
    // One more than may be used: node-llama-cpp silently drops the oldest tokens when the last cell is taken.
    const opened = await options.open(count, wanted + 1);
    context = opened;
    room = wanted;
    places = Array.from({ length: count }, () => {
      const sequence = opened.getSequence();
      return { sequence, evaluated: [], used: 0 };
    });
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
    // A continuation of an earlier text reuses its place. Otherwise the least recently used place is taken: if the nearest were,
    // conversations with a common prefix would each evict the one before.
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
      // A failed copy has left the place empty.
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

  /** Evaluates a text's tokens in one batch with `beside`, samples the next token, and ends the text when it is complete. */
  const advance = async (
    place: Place,
    tokens: readonly number[],
    beside: Promise<void> = Promise.resolve(),
  ): Promise<void> => {
    const job = place.job as Job;
    const { prompt, sampling, signal, written, state } = job;
    if (signal.aborted) return settle(place, { error: signal.reason });
    // Every draw has its own seed, because a sampler lives for one evaluation only.
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

  /** Generates one token of every active text; all are requested in one turn of the event loop, so that they form one batch. */
  const step = async (): Promise<void> => {
    const writing = active();
    const idle = writing.length === 1 ? places.find(({ job }) => !job) : undefined;
    const beside = idle && besideOne(idle);
    await Promise.all([
      ...writing.map((place) => ending(place, advance(place, [place.job.written.at(-1) as number], beside))),
      beside?.catch(() => {}),
    ]);
  };
  /** An error in a text ends that text; so does an error in `beside`, without which its token might differ. */
  const ending = (place: Place, work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => {
      if (place.job) settle(place, { error });
    });
  const besideOne = async (place: Place): Promise<void> => {
    // The idle sequence evaluates one token after its present ones and removes it again.
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
        // A text that needs more room waits for the active ones, and later texts wait for it.
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
  /** Runs until nothing waits; texts that arrive after that are run by the next start. */
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

/** The first one's result when both have settled; an error in either is thrown only then. */
async function together<T>(first: Promise<T>, second: Promise<void>): Promise<T> {
  await Promise.allSettled([first, second]);
  const [value] = await Promise.all([first, second]);
  return value;
}
