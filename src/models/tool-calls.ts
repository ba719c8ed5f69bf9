// Reads tool calls from what a model writes. Models are trained to write them in one of a few ways: between marks as JSON (Hermes,
// Qwen, SmolLM3), after a mark as a list (Mistral), or as JSON alone (Llama 3). A forced call is JSON of one schema instead.

import { CallError } from "../core/call.js";
import type { GenerateRequest, Message, ToolCall, ToolSpec } from "../core/model.js";
import { checkSchema, readSchema, schemaLimits } from "./json-schema.js";
import { type CheckedSchema, checkWidth, type Shape } from "./json-shapes.js";

/** Marks that begin calls in a text, and those that end each. */
const marks: readonly [begin: string, end: string][] = [
  ["<tool_call>", "</tool_call>"],
  ["[TOOL_CALLS]", ""],
  ["<|python_tag|>", ""],
];

/** Splits off the calls after a text. Calls of a tool that was not offered stay text. */
export function readCalls(
  written: string,
  tools: readonly ToolSpec[],
): { text: string; calls: readonly ToolCall[] } {
  const nothing = { text: written, calls: [] };
  const names = new Set(tools.map(({ name }) => name));
  const known = (found: readonly Found[] | undefined) =>
    found?.length && found.every(({ name }) => names.has(name)) ? found : undefined;
  const found = marks
    .map(([begin, end]) => ({ at: written.indexOf(begin), begin, end }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at)[0];
  if (!found) {
    const calls = known(callsIn(written.replace(/^\s*```(?:json)?\s*\n(.*?)\n?```\s*$/s, "$1")));
    return calls ? { text: "", calls: numbered(calls) } : nothing;
  }
  const { at, begin, end } = found;
  const parts = written
    .slice(at + begin.length)
    .split(begin)
    .map((part) => (end !== "" && part.includes(end) ? part.slice(0, part.indexOf(end)) : part));
  const calls = known(parts.flatMap((part) => callsIn(part) ?? [{ name: "", arguments: "" }]));
  return calls ? { text: written.slice(0, at).trimEnd(), calls: numbered(calls) } : nothing;
}

/** The part of a growing text that is certainly answer text: what may be calls, or their beginning, is held back. */
export function sureText(text: string): string {
  // Whether bare JSON is a call is known only when it is complete.
  if (/^\s*(?:[{[]|`{1,3})/.test(text) || text.trim() === "") return "";
  let end = text.length;
  for (const [begin] of marks) {
    const at = text.indexOf(begin);
    if (at >= 0) end = Math.min(end, at);
    else
      for (let n = Math.min(begin.length - 1, text.length); n > 0; n--)
        if (text.endsWith(begin.slice(0, n))) {
          end = Math.min(end, text.length - n);
          break;
        }
  }
  // White space before a call is dropped.
  return text.slice(0, end).trimEnd();
}

type Found = Pick<ToolCall, "name" | "arguments">;

/** Parses one call or a list of calls from JSON; undefined if the text is neither. */
function callsIn(text: string): Found[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const found = [value].flat().map((one): Found | undefined => {
    if (one === null || typeof one !== "object") return undefined;
    const { name, arguments: own, parameters } = one as Record<string, unknown>;
    const given = own ?? parameters ?? {};
    if (typeof name !== "string" || typeof given !== "object") return undefined;
    return { name, arguments: JSON.stringify(given) };
  });
  return found.every((one) => one !== undefined) ? found : undefined;
}

const numbered = (calls: readonly Found[]): ToolCall[] =>
  calls.map((call, i) => ({ id: `call_${i}`, ...call }));

/**
 * The schema of a forced call; undefined if the model is free to call or not.
 * @throws CallError `unsupported` for a tool that is not offered, or a schema that cannot be enforced
 */
export function forcedCall({
  tools = [],
  toolChoice = "auto",
}: Pick<GenerateRequest, "tools" | "toolChoice">): CheckedSchema | undefined {
  if (toolChoice === "auto") return undefined;
  const among = toolChoice === "required" ? tools : tools.filter(({ name }) => name === toolChoice.name);
  if (among.length === 0) throw new CallError("unsupported", "The tool that is to be called is not offered.");
  const left = { ...schemaLimits };
  const read = among.map(({ name, parameters }) =>
    readSchema(parameters ?? { type: "object" }, `tools.${name}`, left),
  );
  const calls = read.map(({ root }, i): Shape => {
    const name: Shape = { kind: "literal", values: [(among[i] as ToolSpec).name] };
    return {
      kind: "object",
      members: [
        { name: "name", shape: name, required: true },
        { name: "arguments", shape: root, required: true },
      ],
    };
  });
  const checked = {
    root: calls.length === 1 ? (calls[0] as Shape) : ({ kind: "or", of: calls } as const),
    parts: new Map(read.flatMap(({ parts }) => [...parts])),
    loose: [...new Set(read.flatMap(({ loose }) => loose))],
  };
  checkWidth(checked);
  return checked;
}

/**
 * The schema that constrains an answer: a forced call's, the answer's own, or either of them if tools are optional beside a
 * schema. Undefined if the model may write text.
 */
export function heldForm({
  json,
  tools,
  toolChoice,
}: Pick<GenerateRequest, "json" | "tools" | "toolChoice">): CheckedSchema | undefined {
  const call = tools && forcedCall({ tools, ...(toolChoice ? { toolChoice } : {}) });
  if (call || !json) return call;
  const answer = checkSchema(json.schema ?? { type: "object" });
  if (!tools?.length) return answer;
  const free = forcedCall({ tools, toolChoice: "required" }) as CheckedSchema;
  const either: CheckedSchema = {
    root: { kind: "or", of: [answer.root, free.root] },
    parts: new Map([...answer.parts, ...free.parts]),
    loose: [...new Set([...answer.loose, ...free.loose])],
  };
  checkWidth(either);
  return either;
}

/** Lists the tools in the system message, for models whose template does not support tools. */
export function withTools(messages: readonly Message[], tools: readonly ToolSpec[]): Message[] {
  const list = tools.map((tool) => JSON.stringify(tool)).join("\n");
  const content = `You can call these functions:\n${list}\nAnswer with one call as JSON: {"name": …, "arguments": {…}}`;
  const [system, ...rest] = messages;
  if (system?.role !== "system") return [{ role: "system", content }, ...messages];
  return [{ ...system, content: `${system.content}\n\n${content}` }, ...rest];
}

/** Messages without forms that only some templates support: calls become JSON text, tool messages become the user's. */
export function plainMessages(messages: readonly Message[]): Message[] {
  return messages.map(({ role, content, calls = [] }) => {
    if (role === "tool") return { role: "user", content };
    const said = calls.map(
      (call) => `{"name": ${JSON.stringify(call.name)}, "arguments": ${call.arguments}}`,
    );
    return { role, content: [content, ...said].filter((part) => part !== "").join("\n") };
  });
}
