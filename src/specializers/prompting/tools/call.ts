// One tool call: read from what a model wrote, checked, run within limits, and recorded as a step of the trail. Any
// failure becomes a text for the model, never an error of the study.

import { messageOf } from "../../../core/errors.js";
import type { Json } from "../../../core/json.js";
import type { Step } from "../../../core/language.js";
import { listKnown, nearest } from "../../parts/options.js";
import type { Tool } from "./define.js";

/** A call as it was written. */
export interface WrittenCall {
  name: string;
  /** The text after the name. */
  json: string;
}

export type ToolStep = Extract<Step, { kind: "tool" }>;

export interface CallLimits {
  /** Milliseconds. */
  timeout: number;
  /** Characters of a result. */
  output: number;
}

/** Characters of a call's arguments. Enough for any look-up, and too few to nest deeply. */
const longestArguments = 2000;

const callLine = /^[ \t]*(?:[`*>-]+[ \t]*)?CALL[ \t]+([^\s{]{1,80})[ \t]*(.*)$/m;

/** The first `CALL name {…}` of a text. Text after it was written without the result and is ignored. */
export function readCall(text: string): WrittenCall | undefined {
  const found = callLine.exec(text);
  if (!found) return undefined;
  const after = (found[2] as string).trimEnd();
  // The line may be in code quotes.
  return { name: found[1] as string, json: after.endsWith("`") ? after.slice(0, -1) : after };
}

/**
 * Runs a call: unknown names, unreadable or invalid arguments, and a tool that throws or takes too long all give a step
 * with an error.
 *
 * @param signal the study's: when it stops, so does the call, and this throws its reason
 */
export async function runCall(
  call: WrittenCall,
  tools: ReadonlyMap<string, Tool>,
  limits: CallLimits,
  signal: AbortSignal,
): Promise<ToolStep> {
  signal.throwIfAborted();
  const step = (args: Json, end: { result: string } | { error: string }): ToolStep => ({
    kind: "tool",
    name: call.name,
    arguments: args,
    ...("result" in end
      ? { result: presentable(end.result, limits.output) }
      : { error: presentable(end.error, limits.output) }),
  });
  const tool = tools.get(call.name);
  if (!tool) {
    const known = [...tools.keys()];
    const near = nearest(call.name, known);
    const advice = near ? ` Did you mean ${near}?` : "";
    return step(call.json.slice(0, 200), {
      error: `there is no such tool. ${listKnown("Tools", known)}.${advice}`,
    });
  }
  if (call.json.length > longestArguments) {
    return step(call.json.slice(0, 200), {
      error: `the arguments have more than ${longestArguments} characters`,
    });
  }
  let args: Json;
  try {
    args = JSON.parse(call.json || "{}") as Json;
  } catch {
    return step(call.json, {
      error: `the arguments are not JSON on one line, such as ${tool.example ?? "{}"}`,
    });
  }
  const checked = tool.parameters.safeParse(args);
  if (!checked.success) {
    const issue = checked.error.issues[0];
    const field = issue?.path.join(".");
    return step(args, {
      error: `the arguments do not fit: ${field ? `${field}: ` : ""}${issue?.message ?? "unknown"}`,
    });
  }
  try {
    return step(args, { result: await bounded(tool, checked.data, limits.timeout, signal) });
  } catch (error) {
    signal.throwIfAborted();
    return step(args, { error: messageOf(error) });
  }
}

async function bounded(tool: Tool, args: unknown, timeout: number, signal: AbortSignal): Promise<string> {
  const own = new AbortController();
  const late = new Error(`it took longer than ${timeout / 1000} s`);
  const timer = setTimeout(() => own.abort(late), timeout);
  const stop = () => own.abort(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    // Raced, because a tool may ignore its signal.
    const ended = new Promise<never>((_, reject) => {
      own.signal.addEventListener("abort", () => reject(own.signal.reason), { once: true });
    });
    const work = (async () => tool.run(args, { signal: own.signal }))();
    return String(await Promise.race([work, ended]));
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}

/** The text without control characters other than line ends and tabs, truncated with a note. */
function presentable(text: string, most: number): string {
  const cut = text.length > most;
  // A surrogate pair must not be split.
  const kept = cut ? text.slice(0, most).replace(/[\uD800-\uDBFF]$/, "") : text;
  const clean = kept.replace(/\r\n?/g, "\n").replace(/[^\P{Cc}\n\t]/gu, "\uFFFD");
  return cut ? `${clean}… (cut: ${most} of ${text.length} characters)` : clean;
}
