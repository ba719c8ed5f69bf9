// Writes the mock's answers in the OpenAI protocol: bodies for chat, completions and embeddings, and the same bodies as streams
// of events.

import type { Json } from "../core/json.js";
import type { GenerateRequest, Message, ToolSpec } from "../core/model.js";
import { randomFor } from "../core/random.js";
import { promptText } from "./mock.js";
import { answerInForm } from "./mock-json.js";
import { listedOptions, type Mind, tokenize } from "./mock-mind.js";
import { at } from "./openai-wire.js";

export type Body = Record<string, unknown>;

/** Total probability of the listed labels; the rest stands for a model's other first tokens. */
const labelMass = 0.97;

/** The body of an answer, or an error message if the request is invalid. */
export function answerTo(mind: Mind, path: string, request: unknown): Body | string {
  if (path === "/v1/chat/completions") return chat(mind, request);
  if (path === "/v1/completions") return complete(mind, request);
  if (path === "/v1/embeddings") return embed(mind, request);
  return `no such path: ${path}`;
}

function chat(mind: Mind, request: unknown): Body | string {
  const messages = at(request, "messages");
  const isText = (one: unknown) =>
    typeof at(one, "content") === "string" || (!at(one, "content") && Array.isArray(at(one, "tool_calls")));
  if (!Array.isArray(messages) || !messages.every(isText)) return "messages: a list of texts is expected";
  const said = (messages as Message[]).map(({ role, content }) => ({ role, content: content ?? "" }));
  const prompt = promptText(said);
  const form = formOf(request);
  const formed =
    form && answerInForm({ ...form, messages: said }, randomFor(count(request, "seed", 0), "form", prompt));
  const { text, finish } = formed
    ? { text: formed.text, finish: formed.calls ? "tool_calls" : "stop" }
    : mind.write(prompt, howToWrite(request));
  const listed =
    at(request, "logprobs") === true ? topTokens(mind, prompt, count(request, "top_logprobs", 0)) : undefined;
  const choice = {
    index: 0,
    message: {
      role: "assistant",
      content: formed?.calls ? null : text,
      ...(formed?.calls && {
        tool_calls: formed.calls.map(({ id, name, arguments: given }, index) => ({
          ...{ index, id, type: "function", function: { name, arguments: given } },
        })),
      }),
    },
    finish_reason: finish,
    ...(listed && { logprobs: { content: [{ ...listed[0], top_logprobs: listed }] } }),
  };
  return {
    ...envelope("chat.completion", request),
    choices: [choice],
    usage: usageOf(tokenize(prompt).length, tokenize(text).length),
  };
}

/** The form that a request asks of its answer. */
function formOf(request: unknown): Pick<GenerateRequest, "json" | "tools" | "toolChoice"> | undefined {
  const [tools, choice] = [at(request, "tools"), at(request, "tool_choice")];
  if (Array.isArray(tools) && tools.length > 0 && choice !== "none") {
    const named = at(choice, "function", "name");
    return {
      tools: tools.map((tool) => at(tool, "function") as ToolSpec),
      toolChoice: typeof named === "string" ? { name: named } : choice === "required" ? "required" : "auto",
    };
  }
  const type = at(request, "response_format", "type");
  if (type === "json_object") return { json: {} };
  return type === "json_schema"
    ? { json: { schema: at(request, "response_format", "json_schema", "schema") as Json } }
    : undefined;
}

function complete(mind: Mind, request: unknown): Body | string {
  const given = at(request, "prompt");
  const prompts = Array.isArray(given) ? (given as unknown[]) : [given];
  if (!prompts.every((prompt) => typeof prompt === "string"))
    return "prompt: a text or a list of texts is expected";
  const texts = prompts as string[];
  if (at(request, "echo") === true) return echo(mind, request, texts);
  const top = at(request, "logprobs");
  let output = 0;
  const choices = texts.map((prompt, index) => {
    const { text, finish } = mind.write(prompt, howToWrite(request));
    output += tokenize(text).length;
    const listed = typeof top === "number" ? topTokens(mind, prompt, top) : undefined;
    const logprobs = listed && {
      tokens: [listed[0]?.token],
      token_logprobs: [listed[0]?.logprob],
      text_offset: [0],
      top_logprobs: [Object.fromEntries(listed.map(({ token, logprob }) => [token, logprob]))],
    };
    return { index, text, finish_reason: finish, ...(logprobs && { logprobs }) };
  });
  const input = texts.reduce((sum, prompt) => sum + tokenize(prompt).length, 0);
  return { ...envelope("text_completion", request), choices, usage: usageOf(input, output) };
}

/** Prompts with a common prefix are treated as one prompt with several options, which is how clients score options. */
function echo(mind: Mind, request: unknown, prompts: readonly string[]): Body {
  const tokens = prompts.map(tokenize);
  const first = tokens[0] ?? [];
  let shared = 0;
  while (
    prompts.length > 1 &&
    shared < first.length &&
    tokens.every((list) => list[shared] === first[shared])
  )
    shared++;
  const prompt = first.slice(0, shared).join("");
  const scores = mind.weigh(
    prompt,
    prompts.map((text) => text.slice(prompt.length)),
  );
  const generated = count(request, "max_tokens", 16) > 0 ? [" ."] : [];
  const choices = prompts.map((text, index) => {
    const list = [...(tokens[index] as string[]), ...generated];
    const own = list.length - shared - generated.length;
    let position = 0;
    const offsets = list.map((token) => {
      const offset = position;
      position += [...token].length;
      return offset;
    });
    const logprobs = list.map((_, i) => {
      if (i === 0) return null;
      return i < shared || i >= shared + own ? -1 : (scores[index] as number) / own;
    });
    return {
      index,
      text: text + generated.join(""),
      finish_reason: "length",
      logprobs: { tokens: list, token_logprobs: logprobs, text_offset: offsets, top_logprobs: null },
    };
  });
  const input = tokens.reduce((sum, list) => sum + list.length, 0);
  return {
    ...envelope("text_completion", request),
    choices,
    usage: usageOf(input, generated.length * prompts.length),
  };
}

function embed(mind: Mind, request: unknown): Body | string {
  const given = at(request, "input");
  const texts = Array.isArray(given) ? (given as unknown[]) : [given];
  if (!texts.every((text) => typeof text === "string")) return "input: a text or a list of texts is expected";
  const data = (texts as string[]).map((text, index) => ({
    object: "embedding",
    index,
    embedding: mind.embed(text),
  }));
  const input = (texts as string[]).reduce((sum, text) => sum + tokenize(text).length, 0);
  return { object: "list", model: at(request, "model"), data, usage: usageOf(input, 0) };
}

/** First tokens by probability. A label's mass is split between `A` and ` A`, as in real vocabularies. */
function topTokens(mind: Mind, prompt: string, most: number): { token: string; logprob: number }[] {
  const labels = listedOptions(prompt).flatMap(({ label }) => label ?? []);
  const mass = labels.length > 0 ? labelMass : 0;
  const tokens = mind.weigh(prompt, labels).flatMap((logprob, i) => {
    const label = labels[i] as string;
    return [
      { token: label, logprob: logprob + Math.log(mass * 0.7) },
      { token: ` ${label}`, logprob: logprob + Math.log(mass * 0.3) },
    ];
  });
  for (const [i, token] of ["The", "I", "\n", "It"].entries())
    tokens.push({ token, logprob: Math.log((1 - mass) / 2 ** (i + 1)) });
  return tokens.sort((a, b) => b.logprob - a.logprob).slice(0, Math.max(1, most));
}

function howToWrite(request: unknown): {
  maxTokens: number;
  temperature: number;
  seed: number;
  topP: number;
  stop: string[];
} {
  const stop = at(request, "stop");
  const temperature = at(request, "temperature");
  const topP = at(request, "top_p");
  return {
    maxTokens: count(request, "max_tokens", count(request, "max_completion_tokens", 256)),
    temperature: typeof temperature === "number" ? temperature : 1,
    seed: count(request, "seed", 0),
    topP: typeof topP === "number" ? topP : 1,
    stop: (Array.isArray(stop) ? (stop as unknown[]) : [stop]).filter((mark) => typeof mark === "string"),
  };
}

function count(request: unknown, field: string, fallback: number): number {
  const value = at(request, field);
  return Number.isInteger(value) ? (value as number) : fallback;
}

function envelope(object: string, request: unknown): Body {
  return { id: "mock", object, created: 0, model: at(request, "model") };
}

function usageOf(input: number, output: number): Body {
  return { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
}

/** A body as the data of events: one event per token, then the finish, then usage if requested. */
export function eventsOf(body: Body, withUsage: boolean): string[] {
  const events: unknown[] = [];
  const { choices, usage, ...rest } = body;
  const plain = at(choices, 0, "message") === undefined;
  if (!Array.isArray(choices)) events.push(rest);
  else {
    const text = at(choices, 0, "text") ?? at(choices, 0, "message", "content");
    const calls = at(choices, 0, "message", "tool_calls");
    if (Array.isArray(calls)) events.push(...callEvents(calls as Body[], rest));
    const piece = (content: unknown, finish: unknown) => ({
      ...rest,
      choices: [{ index: 0, finish_reason: finish, ...(plain ? { text: content } : { delta: { content } }) }],
    });
    // Token by token, except for a hostile behaviour's megabytes.
    const pieces =
      typeof text !== "string"
        ? Array.isArray(calls)
          ? []
          : [null]
        : text.length < 10_000
          ? tokenize(text)
          : (text.match(/.{1,8192}/gsu) ?? []);
    // A real endpoint's stream begins with a role and an empty text, so that an empty answer is still an answer.
    if (typeof text === "string") events.push(piece("", null));
    for (const content of pieces) events.push(piece(content, null));
    events.push(piece(plain ? "" : undefined, at(choices, 0, "finish_reason")));
  }
  if (withUsage) events.push({ ...rest, choices: [], usage });
  return [...events.map((event) => JSON.stringify(event)), "[DONE]"];
}

/** Calls as endpoints stream them: first the tool's name, then the arguments in two pieces. */
function callEvents(calls: readonly Body[], rest: Body): unknown[] {
  const event = (call: Body) => ({
    ...rest,
    choices: [{ index: 0, finish_reason: null, delta: { tool_calls: [call] } }],
  });
  return calls.flatMap((call) => {
    const { name, arguments: given } = call.function as { name: string; arguments: string };
    const half = given.length >> 1;
    return [
      event({ ...call, function: { name, arguments: "" } }),
      event({ index: call.index, function: { arguments: given.slice(0, half) } }),
      event({ index: call.index, function: { arguments: given.slice(half) } }),
    ];
  });
}
