// Writes an answer to messages: by a model, or by a specialist, whose answer is its label. Chat, completions and responses all
// use this.

import { randomUUID } from "node:crypto";
import { type CallContext, type Cost, noCost } from "../core/call.js";
import type {
  GenerateRequest,
  LikelyToken,
  Message,
  PromptFormat,
  ReadText,
  ToolCall,
} from "../core/model.js";
import type { Prediction } from "../deploy/predictor.js";
import type { Writing } from "./asked.js";
import { pieces } from "./events.js";
import { Problem } from "./problem.js";
import { meter, type Served } from "./served.js";

/** The part of a model request that sets the form of the answer. */
export type Form = Pick<GenerateRequest, "json" | "tools" | "toolChoice">;

export interface Written {
  text: string;
  /** The tool calls to be run. */
  calls?: readonly ToolCall[];
  finish: "stop" | "length";
  cost: Cost;
  /** Present if a specialist answered. */
  prediction?: Omit<Prediction, "row" | "place" | "id">;
}

/** An answer with its full request, so that another model can be sent the same. */
export interface Exchange {
  id: string;
  messages: readonly Message[];
  form: Form;
  how: Writing;
  written: Written;
}

/** @throws Problem where `served` is neither a model that writes nor a specialist */
export async function write(
  served: Served,
  ask: { messages: readonly Message[]; format?: PromptFormat; form?: Form },
  how: Writing & { seed: number },
  signal: AbortSignal,
  put?: (piece: string) => void,
): Promise<Written> {
  const { predictor, model } = served;
  if (predictor) {
    const last = ask.messages.findLast(({ role }) => role === "user");
    if (!last)
      throw new Problem(400, "A specialist answers the last user message, and there is none.", {
        param: "messages",
      });
    const { prediction, cost } = await classify(served, last.content, signal);
    if (prediction.unscored !== undefined && prediction.text === undefined)
      throw new Problem(502, prediction.detail ?? `It gave no answer: ${prediction.unscored}.`, {
        code: prediction.unscored,
      });
    const text = prediction.label ?? prediction.text ?? "";
    put?.(text);
    return { text, finish: "stop", cost, prediction };
  }
  if (!model)
    throw new Problem(400, `${served.id} does not generate text.`, { param: "model", code: "unsupported" });
  const cut = put && pieces(how.stop, put);
  const context: CallContext = { signal, ...(cut ? { grows: (text: string) => cut.grow(text) } : {}) };
  const { text, calls, finish, cost } = await model.generate(
    {
      ...ask.form,
      messages: ask.messages,
      format: ask.format ?? model.format,
      maxTokens: how.maxTokens ?? model.contextTokens ?? 4096,
      temperature: how.temperature,
      seed: how.seed,
      ...(how.topP === undefined ? {} : { topP: how.topP }),
      ...(how.minP === undefined ? {} : { minP: how.minP }),
      ...(how.repetitionPenalty === undefined ? {} : { repetitionPenalty: how.repetitionPenalty }),
      stop: how.stop,
    },
    context,
  );
  cut?.end(text);
  return { text, ...(calls?.length ? { calls } : {}), finish, cost };
}

/** A specialist's answer to one text. */
export async function classify(
  { predictor, id }: Served,
  input: string,
  signal: AbortSignal,
): Promise<{ prediction: Omit<Prediction, "row" | "place" | "id">; cost: Cost }> {
  if (!predictor)
    throw new Problem(400, `${id} is a model, not a specialist.`, { param: "model", code: "unsupported" });
  if (input.trim() === "") throw new Problem(400, "The input is empty.", { param: "input" });
  const { rows, task } = predictor.saved;
  if (!task.labels && rows?.options !== undefined)
    throw new Problem(
      400,
      `Each row of ${id} has options of its own: send a row to /v1/classify, not text.`,
      {
        param: "input",
      },
    );
  const cost = meter();
  const prediction = await predictor.answer(predictor.sampleOf(input), signal, cost.trace);
  return { prediction, cost: cost.total() };
}

/** Log-probabilities of the text written after a prompt. */
export async function readWritten(
  { model, id }: Served,
  ask: { messages: readonly Message[]; format?: PromptFormat; tokens?: readonly number[] },
  continuation: string,
  top: number,
  signal: AbortSignal,
): Promise<ReadText> {
  if (!model?.read)
    throw new Problem(400, `${id} gives no token log-probabilities.`, {
      param: "logprobs",
      code: "no_logprobs",
    });
  return model.read(
    {
      messages: ask.messages,
      format: ask.format ?? model.format,
      ...(ask.tokens ? { tokens: ask.tokens } : {}),
      ...(continuation === "" ? {} : { continuation }),
      top: Math.max(1, top),
    },
    { signal },
  );
}

/** Log-probabilities of a specialist's options, the likeliest first. */
export function likelyLabels({ probabilities = {} }: Pick<Prediction, "probabilities">): LikelyToken[] {
  return Object.entries(probabilities)
    .map(([text, probability]) => ({ text, logprob: Math.log(probability) }))
    .sort((a, b) => b.logprob - a.logprob);
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

export function usageOf(costs: readonly Cost[]): Usage {
  const prompt = costs[0]?.inputTokens ?? noCost.inputTokens;
  const completion = costs.reduce((sum, { outputTokens }) => sum + outputTokens, 0);
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}

/** @param prefix includes the separator that the protocol puts after it */
export const newId = (prefix: string): string => `${prefix}${randomUUID().replaceAll("-", "")}`;
export const now = (): number => Math.floor(Date.now() / 1000);
