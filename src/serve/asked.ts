// Request schemas of the OpenAI protocol: what is validated, and what of it is used.

import { randomInt } from "node:crypto";
import { z } from "zod";
import type { Message } from "../core/model.js";

/** Empty where the request names none. */
export const modelName = z
  .string()
  .max(256)
  .nullish()
  .transform((name) => name ?? "");

const textPart = z.looseObject({ type: z.enum(["text", "input_text", "output_text"]), text: z.string() });
const content = z.union([z.string(), z.array(textPart), z.null()]).optional();

const functionName = z
  .string()
  .regex(/^[\w.-]{1,64}$/, "a function's name has 1 to 64 letters, digits, _ . -");
const calledFunction = z.looseObject({ name: functionName, arguments: z.string() });

const message = z.looseObject({
  role: z.enum(["system", "developer", "user", "assistant", "tool", "function"]),
  content,
  tool_calls: z
    .array(z.looseObject({ id: z.string().max(256), type: z.literal("function"), function: calledFunction }))
    .max(128)
    .nullish(),
  tool_call_id: z.string().max(256).nullish(),
});

const functionSpec = z.looseObject({
  name: functionName,
  description: z.string().nullish(),
  parameters: z.looseObject({}).nullish(),
});
const toolList = <T extends z.ZodType>(tool: T) => z.array(tool).max(128).nullish();
const freeChoice = z.enum(["none", "auto", "required"]);
const plainFormats = [
  z.looseObject({ type: z.literal("text") }),
  z.looseObject({ type: z.literal("json_object") }),
] as const;
/** OpenAI requires a name; nothing here needs one, and llama-server and vLLM do without. */
const namedSchema = {
  name: z.string().max(64).nullish(),
  schema: z.unknown().optional(),
  strict: z.boolean().nullish(),
};

const stops = z.union([z.string(), z.array(z.string()).max(16), z.null()]).optional();
const sampling = {
  model: modelName,
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
  response_format: z
    .discriminatedUnion("type", [
      ...plainFormats,
      z.looseObject({ type: z.literal("json_schema"), json_schema: z.looseObject(namedSchema) }),
    ])
    .nullish(),
  tools: toolList(z.looseObject({ type: z.literal("function"), function: functionSpec })),
  tool_choice: z
    .union([
      freeChoice,
      z.looseObject({ type: z.literal("function"), function: z.looseObject({ name: functionName }) }),
    ])
    .nullish(),
  parallel_tool_calls: z.boolean().nullish(),
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
  model: modelName,
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
  model: modelName,
  input: z.union([
    z.string(),
    z
      .array(
        z.looseObject({
          type: z.string().optional(),
          role: z.enum(["system", "developer", "user", "assistant"]).optional(),
          content,
          call_id: z.string().max(256).optional(),
          name: functionName.optional(),
          arguments: z.string().optional(),
          output: content,
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
  text: z
    .looseObject({
      format: z
        .discriminatedUnion("type", [
          ...plainFormats,
          z.looseObject({ type: z.literal("json_schema"), ...namedSchema }),
        ])
        .nullish(),
    })
    .nullish(),
  tools: toolList(z.looseObject({ type: z.literal("function"), ...functionSpec.shape })),
  tool_choice: z
    .union([freeChoice, z.looseObject({ type: z.literal("function"), name: functionName })])
    .nullish(),
  parallel_tool_calls: z.boolean().nullish(),
});

/** How an answer is to be generated. */
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
 * The effective sampling: greedy if no temperature is given, so that the same request has the same answer; with a temperature
 * but no seed, a random seed.
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
  // Of no probability mass, only the likeliest token is left.
  const temperature = asked.top_p === 0 ? 0 : (asked.temperature ?? 0);
  const seed = asked.seed ?? (temperature > 0 ? randomInt(2 ** 31) : 0);
  return {
    maxTokens: maxTokens ?? undefined,
    temperature,
    seed: Math.abs(Math.trunc(seed)) % 2 ** 31,
    // Values that leave the distribution unchanged are not sent.
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

/** A message of the protocol, with the fields that are read. */
export interface Turn {
  role?: string | undefined;
  content?: z.infer<typeof content>;
  tool_calls?: readonly { id: string; function: { name: string; arguments: string } }[] | null | undefined;
  tool_call_id?: string | null | undefined;
}

/** Messages in the roles that models know. */
export function messagesOf(given: readonly Turn[]): Message[] {
  const messages = given.map(({ role, content: said, tool_calls: calls, tool_call_id: answers }): Message => {
    if (role === "system" || role === "developer") return { role: "system", content: textOf(said) };
    if (role === "tool" && answers) return { role: "tool", content: textOf(said), answers };
    if (role !== "assistant") return { role: "user", content: textOf(said) };
    const called = (calls ?? []).map((call) => ({
      id: call.id,
      name: call.function.name,
      arguments: call.function.arguments,
    }));
    return { role, content: textOf(said), ...(called.length > 0 ? { calls: called } : {}) };
  });
  const systems = messages.filter(({ role }) => role === "system");
  // Templates expect one system message, and expect it first.
  if (systems.length === 0) return messages;
  const system: Message = { role: "system", content: systems.map(({ content: said }) => said).join("\n\n") };
  return [system, ...messages.filter(({ role }) => role !== "system")];
}

/** Parameters that would change the text but that Hone does not support: a header of the answer names them. */
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
