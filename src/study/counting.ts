// A model that answers nothing and counts its calls: for dry runs, and to estimate before a run what answers will take.

import type { Cost, Operation } from "../core/call.js";
import type {
  Callable,
  Change,
  Generated,
  GenerateRequest,
  LanguageModel,
  ScoreRequest,
} from "../core/model.js";

/** A model whose context length and price may be known. */
export type Asked = Callable & Partial<Pick<LanguageModel, "contextTokens" | "price">>;

export interface CountedCall {
  model: Asked;
  operation: Operation;
  request: unknown;
  /** All that the model would read. */
  text: string;
  /** The most tokens that it would write. */
  output: number;
  /** What has to fit into the model's context, and how many tokens must fit after it; none for vectors. */
  prompt?: { request: ScoreRequest; text: string; room: number };
}

/** @param add receives every call; what it returns is the call's cost */
export function counting<M extends Asked>(model: M, add: (call: CountedCall) => Cost | Promise<Cost>): M {
  const promptText = (messages: readonly { content: string }[]) =>
    messages.map(({ content }) => content).join("\n");
  const { weights } = model;
  return {
    ...model,
    ...(weights && {
      weights: { ...weights, specialize: (change: Change) => counting(weights.specialize(change), add) },
    }),
    ...(model.generate && {
      generate: async (request: GenerateRequest): Promise<Generated> => ({
        text: "",
        finish: "stop",
        cost: await add({
          model,
          operation: "generate",
          request,
          text: promptText(request.messages),
          output: request.maxTokens,
          prompt: {
            request: { ...request, options: [] },
            text: promptText(request.messages),
            room: request.maxTokens,
          },
        }),
      }),
    }),
    ...(model.score && {
      score: async (request: ScoreRequest) => ({
        options: request.options.map(() => ({ logprob: -1, tokens: 1 })),
        cost: await add({
          model,
          operation: "score",
          request,
          text: promptText(request.messages) + request.options.join(""),
          output: 0,
          prompt: { request, text: promptText(request.messages), room: 1 },
        }),
      }),
    }),
    ...(model.embed && {
      embed: async (texts: readonly string[]) => ({
        vectors: texts.map(() => Array.from({ length: 8 }, (_, i) => (i === 0 ? 1 : 0))),
        cost: await add({
          model,
          operation: "embed",
          request: { text: texts[0] },
          text: texts.join("\n"),
          output: 0,
        }),
      }),
    }),
    close: () => model.close(),
  };
}
