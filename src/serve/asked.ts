// What requests may say, as the OpenAI protocol has it: shapes that are checked, and what of them is used.

import { randomInt } from "node:crypto";
import { z } from "zod";
import type { Message } from "../core/model.js";
import { Problem } from "./problem.js";

const textPart = z.looseObject({ type: z.enum(["text", "input_text", "output_text"]), text: z.string() });
const content = z.union([z.string(), z.array(textPart), z.null()]).optional();

const message = z.looseObject({
  role: z.enum(["system", "developer", "user", "assistant", "tool", "function"]),
  content,
});

const stops = z.union([z.string(), z.array(z.string()).max(16), z.null()]).optional();
const sampling = {
  model: z.string().max(256),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  min_p: z.number().min(0).max(1).nullish(),
  repetition_penalty: z.number().min(0.1).max(10).nullish(),
  seed: z.number().nullish(),
  stop: stops,
  n: z.int().min(1).max(16).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  user: z.string().nullish(),
};
const tokens = z.int().min(0).max(1_000_000).nullish();

export const chatSchema = z.looseObject({
  ...sampling,
  messages: z.array(message).min(1).max(10_000),
  max_tokens: tokens,
  max_completion_tokens: tokens,
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
});

const prompt = z.union([
  z.string(),
  z.array(z.string()).min(1).max(512),
  z.array(z.int()).min(1),
  z.array(z.array(z.int()).min(1)).min(1).max(512),
]);

export const completionSchema = z.looseObject({
  ...sampling,
  prompt,
  max_tokens: tokens,
  echo: z.boolean().nullish(),
  logprobs: z.union([z.int().min(0).max(20), z.boolean()]).nullish(),
  suffix: z.string().nullish(),
});

export const embeddingSchema = z.looseObject({
  model: z.string().max(256),
  input: z.union([
    z.string(),
    z.array(z.string()).min(1).max(2048),
    z.array(z.int()).min(1),
    z.array(z.array(z.int())).min(1),
  ]),
  encoding_format: z.enum(["float", "base64"]).nullish(),
  dimensions: z.int().min(1).nullish(),
});

export const responseSchema = z.looseObject({
  model: z.string().max(256),
  input: z.union([
    z.string(),
    z
      .array(
        z.looseObject({
          type: z.string().optional(),
          role: z.enum(["system", "developer", "user", "assistant"]).optional(),
          content,
        }),
      )
      .max(10_000),
  ]),
  instructions: z.string().nullish(),
  max_output_tokens: tokens,
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  stream: z.boolean().nullish(),
  previous_response_id: z.string().nullish(),
});

/** How an answer is to be written. */
export interface Writing {
  maxTokens: number | undefined;
  temperature: number;
  seed: number;
  topP: number | undefined;
  minP: number | undefined;
  repetitionPenalty: number | undefined;
  stop: string[];
  n: number;
}

/**
 * Sampling as it is used: greedy where no temperature is given, so that the same request has the same answer; with a temperature
 * and without a seed, a drawn one.
 */
export function writingOf(
  asked: Partial<
    Pick<
      z.infer<typeof chatSchema>,
      "temperature" | "seed" | "stop" | "n" | "top_p" | "min_p" | "repetition_penalty"
    >
  >,
  maxTokens: number | null | undefined,
): Writing {
  const temperature = asked.temperature ?? 0;
  const seed = asked.seed ?? (temperature > 0 ? randomInt(2 ** 31) : 0);
  return {
    maxTokens: maxTokens ?? undefined,
    temperature,
    seed: Math.abs(Math.trunc(seed)) % 2 ** 31,
    // What leaves the distribution alone is not sent.
    topP: asked.top_p != null && asked.top_p > 0 && asked.top_p < 1 ? asked.top_p : undefined,
    minP: asked.min_p ? asked.min_p : undefined,
    repetitionPenalty:
      asked.repetition_penalty != null && asked.repetition_penalty !== 1
        ? asked.repetition_penalty
        : undefined,
    stop: [asked.stop ?? []].flat().filter((one) => one !== ""),
    n: asked.n ?? 1,
  };
}

/** The text of a message's content. */
export function textOf(given: z.infer<typeof content>): string {
  if (typeof given === "string") return given;
  return (given ?? []).map(({ text }) => text).join("");
}

/** Messages in the roles that models have; what a tool said is the user's. */
export function messagesOf(
  given: readonly { role?: string | undefined; content?: z.infer<typeof content> }[],
): Message[] {
  const messages = given.map(({ role, content: said }): Message => {
    if (role === "system" || role === "developer") return { role: "system", content: textOf(said) };
    if (role === "assistant") return { role: "assistant", content: textOf(said) };
    return { role: "user", content: textOf(said) };
  });
  const systems = messages.filter(({ role }) => role === "system");
  // Templates want one system message, and want it first.
  if (systems.length === 0) return messages;
  const system: Message = { role: "system", content: systems.map(({ content: said }) => said).join("\n\n") };
  return [system, ...messages.filter(({ role }) => role !== "system")];
}

/** Parameters that change what is written and that Hone does not have: they are named in a header of the answer. */
const unused = ["frequency_penalty", "presence_penalty", "logit_bias", "top_k", "best_of"] as const;

/** Which of them were given with a value that would change something. */
export function ignoredIn(asked: Readonly<Record<string, unknown>>): string[] {
  return unused.filter((name) => {
    const value = asked[name];
    if (value === undefined || value === null) return false;
    if (name === "best_of") return value !== 1;
    if (typeof value === "object") return Object.keys(value).length > 0;
    return value !== 0;
  });
}

/** @throws Problem for what would change the form of the answer and cannot be had */
export function refuseForms(asked: Readonly<Record<string, unknown>>): void {
  const { tools, functions, tool_choice: choice, response_format: format, modalities } = asked;
  const listed = [tools, functions].some((list) => Array.isArray(list) && list.length > 0);
  if (listed && choice !== "none")
    throw new Problem(400, "This model calls no tools.", { param: "tools", code: "unsupported" });
  const kind = (format as { type?: unknown } | null | undefined)?.type;
  if (kind !== undefined && kind !== "text")
    throw new Problem(400, "This model writes plain text alone.", {
      param: "response_format",
      code: "unsupported",
    });
  if (Array.isArray(modalities) && modalities.some((one) => one !== "text"))
    throw new Problem(400, "This model writes text alone.", { param: "modalities", code: "unsupported" });
}
