// One context over loaded weights (`./weights.ts`): evaluates tokens and reads log-probabilities. Messages and requests are
// handled in `../llama.ts`.
//
// The same request gives the same figures regardless of earlier requests: a prompt is evaluated in the pieces into which
// `./cuts.ts` cuts it, and only whole pieces are kept from one prompt to the next.
//
// Nor do the figures depend on the number of threads, because no token is ever evaluated alone: for a single token llama.cpp
// splits flash attention over the threads, which moved log-probabilities by up to 0.5 beyond 512 tokens. The tokens after a
// prompt are therefore evaluated together with the token before them.

import type {
  ControlledEvaluateInputItem,
  LlamaContext,
  LlamaContextSequence,
  LlamaEmbeddingContext,
  LlamaModel,
  Token,
} from "node-llama-cpp";
import { CallError } from "../../core/call.js";
import type { Work } from "../../core/model.js";
import { type Cutter, cutsKept } from "./cuts.js";
import type { LogProbs, ScoringContext } from "./score.js";
import { neutral, type Writer } from "./writer.js";

/** Per token of a text: its log-probability (null for the first) and the likeliest tokens at its position; `top` has one more entry. */
export interface TokenFigures {
  logprobs: (number | null)[];
  top: [token: number, logprob: number][][];
}

export interface Engine extends ScoringContext {
  /** How many of a prompt's tokens would be reused from earlier evaluations; to be called on an idle engine. */
  keeps(prompt: readonly number[]): number;
  /** Writes texts, many at once; created on first use, with its own context. */
  readonly writer: Writer;
  /** Reads figures for every token of a text; nothing is reused, because logits of earlier evaluations are gone. */
  read(tokens: readonly number[], top: number, signal: AbortSignal): Promise<TokenFigures>;
  /** The last layer's states averaged over the tokens; not normalized. */
  embed(tokens: readonly number[]): Promise<readonly number[]>;
  /** The text of one token, control tokens by their names. */
  spell(token: number): string;
  /** Frees this lane's contexts; the weights stay. */
  close(): Promise<void>;
}

export function engineOver(
  model: LlamaModel,
  context: LlamaContext,
  contextTokens: number,
  cutter: Cutter,
  work: Work,
  openWriter: () => Writer,
): Engine {
  const sequence: LlamaContextSequence = context.getSequence();
  /** Where the sequence's tokens were cut: tokens before the last cut may be reused for another prompt. */
  let evaluated: readonly number[] = [];

  const rewind = async (keep: number): Promise<void> => {
    if (keep < sequence.nextTokenIndex) {
      await sequence.eraseContextTokenRanges([{ start: keep, end: sequence.nextTokenIndex }]);
    }
    evaluated = evaluated.filter((cut) => cut <= keep);
  };

  const keeps = (tokens: readonly number[]): number =>
    cutsKept(sequence.contextTokens, evaluated, tokens, cutter(tokens)).at(-1) ?? 0;

  /** Evaluates the prompt up to its last cut; returns the remaining tokens. */
  const evaluatePieces = async (tokens: readonly number[], signal: AbortSignal): Promise<number[]> => {
    const cuts = cutter(tokens);
    let at = keeps(tokens);
    work.reused += at;
    await rewind(at);
    for (const cut of cuts.filter((one) => one > at)) {
      signal.throwIfAborted();
      await sequence.evaluateWithoutGeneratingNewTokens(tokens.slice(at, cut) as Token[]);
      evaluated = [...evaluated, cut];
      work.evaluated += cut - at;
      at = cut;
    }
    signal.throwIfAborted();
    return tokens.slice(at);
  };

  /** Evaluates tokens. After each token where some are wanted it returns their log-probabilities and those of the likeliest. */
  const evaluate = async (
    tokens: readonly number[],
    wantedAfter: (at: number) => readonly number[] | undefined,
    top = 1,
  ): Promise<(LogProbs | undefined)[]> => {
    const items = tokens.map((token, at): ControlledEvaluateInputItem => {
      const wanted = wantedAfter(at);
      if (!wanted) return token as Token;
      // Greedy selection puts the largest logit among the returned ones. `includeMax` would not: in node-llama-cpp 3.22
      // it returns the largest only if that token was requested anyway. Requesting more than one costs as much as the evaluation.
      const filter = {
        ...{ tokens: wanted as Token[], includeSelected: true },
        ...(top > 1 ? { includeTop: top } : {}),
      };
      const options = { ...neutral, temperature: 0 };
      const generateNext = { token: true, logits: { filter }, totalLogitWeight: true, options };
      return [token as Token, { generateNext }];
    });
    const outputs = await sequence.controlledEvaluate(items);
    work.evaluated += tokens.length;
    return tokens.map((_, at) => {
      const wanted = wantedAfter(at);
      if (!wanted) return undefined;
      const { logits, totalLogitWeight } = outputs[at]?.next ?? {};
      if (!logits || totalLogitWeight === undefined) throw noLogits();
      // log p = logit - log Σ exp(logit), and the sum is given relative to the largest logit.
      const total = Math.max(...logits.values()) + Math.log(totalLogitWeight);
      const found = new Map([...logits].map(([token, logit]) => [token as number, logit - total]));
      if (!wanted.every((token) => Number.isFinite(found.get(token)))) throw noLogits();
      return found;
    });
  };

  let embedding: LlamaEmbeddingContext | undefined;
  let writer: Writer | undefined;

  return {
    keeps,
    async prompt(tokens, wanted, signal) {
      const rest = await evaluatePieces(tokens, signal);
      const found = await evaluate(rest, (at) => (at === rest.length - 1 ? wanted : undefined));
      const last = found.at(-1) as LogProbs;
      return new Map(wanted.map((token) => [token, last.get(token) as number]));
    },
    async follow(keep, tokens, signal) {
      signal.throwIfAborted();
      const path = [sequence.contextTokens[keep - 1] as number, ...tokens.slice(0, -1)];
      await rewind(keep - 1);
      const found = await evaluate(path, (at) => (at === 0 ? undefined : [tokens[at] as number]));
      return tokens.slice(1).map((token, i) => found[i + 1]?.get(token) as number);
    },
    get writer() {
      writer ??= openWriter();
      return writer;
    },
    async read(tokens, top, signal) {
      const logprobs: (number | null)[] = [null];
      const tops: TokenFigures["top"] = [[]];
      await rewind(0);
      const cuts = cutter(tokens);
      for (const [i, start] of [0, ...cuts].entries()) {
        signal.throwIfAborted();
        const follower = (at: number) => tokens[start + at + 1];
        const found = await evaluate(tokens.slice(start, cuts[i]), (at) => [follower(at) ?? []].flat(), top);
        evaluated = cuts.slice(0, i + 1);
        for (const [at, one] of (found as LogProbs[]).entries()) {
          const likeliest = [...one].sort(([, a], [, b]) => b - a);
          tops.push(likeliest.slice(0, Math.max(1, top)));
          const next = follower(at);
          if (next !== undefined) logprobs.push(one.get(next) as number);
        }
      }
      return { logprobs, top: tops };
    },
    spell: (token) => model.detokenize([token as Token], true),
    async embed(tokens) {
      // Pooling needs the whole text in one batch.
      const size = contextTokens + 1;
      const threads = context.idealThreads;
      embedding ??= await model.createEmbeddingContext({ contextSize: size, batchSize: size, threads });
      work.evaluated += tokens.length;
      return (await embedding.getEmbeddingFor(tokens as Token[])).vector;
    },
    async close() {
      await writer?.close();
      await embedding?.dispose();
      await context.dispose();
    },
  };
}

function noLogits(): CallError {
  return new CallError("malformed", "llama.cpp gave no usable logits for this prompt.");
}
