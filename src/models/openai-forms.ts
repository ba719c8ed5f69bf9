// Tools and JSON schemas in the OpenAI protocol: what is sent for a request, and calls as they are received.

import type { Json } from "../core/json.js";
import type { GenerateRequest, Message, ToolCall } from "../core/model.js";
import { at, malformed } from "./openai-wire.js";

/** Messages with their calls. */
export function wireMessages(messages: readonly Message[]): Json {
  return messages.map(({ role, content, calls, answers }) => ({
    role,
    content: calls?.length && content === "" ? null : content,
    ...(calls?.length ? { tool_calls: calls.map(wireCall) } : {}),
    ...(answers === undefined ? {} : { tool_call_id: answers }),
  }));
}

/** A call in the protocol's form. */
export function wireCall({ id, name, arguments: given }: ToolCall) {
  return { id, type: "function", function: { name, arguments: given } };
}

/** The request fields that ask for a form of answer. */
export function wireForm({ json, tools, toolChoice }: GenerateRequest): Record<string, Json> {
  const { schema, name = "answer", strict } = json ?? {};
  const named = typeof toolChoice === "object";
  return {
    ...(json && {
      response_format:
        schema === undefined
          ? { type: "json_object" }
          : {
              type: "json_schema",
              json_schema: { name, schema, ...(strict === undefined ? {} : { strict }) },
            },
    }),
    ...(tools && { tools: tools.map((tool) => ({ type: "function", function: { ...tool } })) }),
    ...(tools && toolChoice !== undefined
      ? { tool_choice: named ? { type: "function", function: { name: toolChoice.name } } : toolChoice }
      : {}),
  };
}

/** Most calls of one answer. */
const mostCalls = 128;

/** Adds calls, or pieces of calls, to those received so far. */
export function addCalls(calls: ToolCall[], found: unknown): void {
  if (found === undefined || found === null) return;
  if (!Array.isArray(found)) throw malformed("its tool calls are not a list");
  for (const [i, one] of (found as unknown[]).entries()) {
    const place = at(one, "index") ?? i;
    if (
      !Number.isInteger(place) ||
      (place as number) < 0 ||
      (place as number) > Math.min(calls.length, mostCalls)
    )
      throw malformed("its tool calls are out of order");
    const text = (...path: string[]): string => {
      const value = at(one, ...path);
      if (value !== undefined && value !== null && typeof value !== "string")
        throw malformed("a tool call is not made of strings");
      return value ?? "";
    };
    const before = calls[place as number] ?? { id: "", name: "", arguments: "" };
    calls[place as number] = {
      id: before.id || text("id"),
      name: before.name || text("function", "name"),
      arguments: before.arguments + text("function", "arguments"),
    };
  }
}
