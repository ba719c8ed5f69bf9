// Renders a model's chat template into segments that say who wrote what: the template's own text (which may name control
// tokens) and the messages' contents (which are data and never may).
//
// Contents are kept out of the template altogether: it sees an unguessable mark in place of each, and the marks are
// replaced afterwards. So no content can forge a turn, and a hostile template sees no data.

import { randomBytes } from "node:crypto";
import { createContext, runInContext } from "node:vm";
import { CallError } from "../core/call.js";
import { messageOf } from "../core/errors.js";
import type { Message, ToolSpec } from "../core/model.js";

export interface Segment {
  text: string;
  /** True for the template's own text. */
  template: boolean;
}

export interface TemplateOptions {
  /** Texts of the model's begin and end tokens, which templates print. */
  bosToken?: string;
  eosToken?: string;
}

/**
 * Renders messages; a last message by the assistant is left open, so that the model continues it. Tools, messages with calls and
 * messages of tools are only for templates that support tools (`knowsTools`).
 */
export type ChatTemplate = (messages: readonly Message[], tools?: readonly ToolSpec[]) => Segment[];

/** Time limit for a template, in milliseconds: it comes with the model file and may loop for ever. */
const timeLimit = 2000;
/** A character that every `trim` and `strip` removes and no template prints; it shows whether a template trims contents. */
const pad = "\u2003";
/** The date that templates are told, by strftime's letters: 26 July 2024, which Llama 3's fall back to. A prompt must not change overnight. */
const date: Readonly<Record<string, string>> = {
  ...{ Y: "2024", y: "24", m: "07", B: "July", b: "Jul", d: "26", A: "Friday", a: "Fri" },
  ...{ H: "00", M: "00", S: "00", "%": "%" },
};
const clock = (format: unknown) => String(format).replace(/%(.)/g, (all, letter) => date[letter] ?? all);

/**
 * Compiles a Jinja chat template from a model file. It is told a fixed date, and not to make the model think before it answers.
 *
 * If a template refuses a system message, it is prepended to the first user message instead.
 * @throws CallError `unsupported` when the template does not parse, fails, or drops a message
 * @example
 * const render = await compileTemplate("{% for m in messages %}<{{ m.role }}>{{ m.content }}</>{% endfor %}");
 * render([{ role: "user", content: "Hi" }]).map((segment) => segment.text).join(""); // "<user>Hi</>"
 */
export async function compileTemplate(source: string, options: TemplateOptions = {}): Promise<ChatTemplate> {
  const { Template } = await import("@huggingface/jinja");
  let template: InstanceType<typeof Template>;
  try {
    template = limited(() => new Template(source));
    // The context of a rendering cannot replace what the library defines itself.
    template.parsed.body.unshift(...new Template("{% set strftime_now = hone_clock %}").parsed.body);
  } catch (error) {
    throw refusal("does not parse", error);
  }
  const render = (messages: readonly Message[], tools: readonly ToolSpec[] | undefined): Segment[] => {
    const open = messages.at(-1)?.role === "assistant" && !messages.at(-1)?.calls?.length;
    const data = messages.map(({ content }): Data => ({ mark: newMark(), text: content, content: true }));
    const inert = (value: unknown) => inMarks(value, data);
    const given = messages.map(({ role, calls, answers }, i) => ({
      role,
      content: `${pad}${data[i]?.mark}${pad}`,
      ...(calls?.length
        ? {
            tool_calls: calls.map((call) => ({
              type: "function",
              id: inert(call.id),
              function: { name: inert(call.name), arguments: inert(parsed(call.arguments)) },
            })),
          }
        : {}),
      ...(answers === undefined
        ? {}
        : { tool_call_id: inert(answers), name: inert(nameOf(messages, answers)) }),
    }));
    const text = limited(() =>
      template.render({
        messages: given,
        ...(tools ? { tools: tools.map((tool) => ({ type: "function", function: inert(tool) })) } : {}),
        add_generation_prompt: !open,
        enable_thinking: false,
        hone_clock: clock,
        bos_token: options.bosToken ?? "",
        eos_token: options.eosToken ?? "",
      }),
    );
    const { segments, lost } = fillIn(text, data, open);
    // Templates leave out the empty content of a message that calls tools.
    const missed = messages.findIndex(({ content }, i) => lost(i) && content !== "");
    if (missed >= 0) throw new Error(`it leaves out message ${missed + 1} (${messages[missed]?.role})`);
    return segments;
  };
  return (messages, tools) => {
    try {
      return render(messages, tools);
    } catch (error) {
      const folded = foldSystem(messages);
      if (!folded) throw refusal("cannot render these messages", error);
      try {
        return render(folded, tools);
      } catch {
        throw refusal("cannot render these messages", error);
      }
    }
  };
}

/** Whether a template's code refers to tools. */
export function knowsTools(source: string): boolean {
  return /\{[{%][^}]*\btools\b/.test(source);
}

/** Tells models apart in their ids whose templates were once rendered otherwise; empty for all others. */
export function renderingMark(source: string): string {
  return `${source.includes("strftime_now") ? ";fixed-date" : ""}${switchesThinking(source) ? ";no-thinking" : ""}`;
}

/** What another server must do for a model whose id has such a mark to read the same prompts; empty for all others. */
export function renderedElsewhere(modelId: string): string[] {
  return [
    ...(modelId.includes(";no-thinking")
      ? [
          "It was prompted without thinking: another server must pass `enable_thinking: false` to the chat template.",
        ]
      : []),
    ...(modelId.includes(";fixed-date")
      ? [
          "Its chat template writes a date, which Hone keeps at 26 July 2024: another server writes its own, which changes the prompt.",
        ]
      : []),
  ];
}

/** Whether a template can tell its model to think before it answers, or not to. */
export function switchesThinking(source: string): boolean {
  return source.includes("enable_thinking");
}

/** A text without the thoughts that it begins with, which may not have ended. */
export function withoutThoughts(text: string): string {
  return text.replace(/^\s*<think>.*?(?:<\/think>\s*|$)/s, "");
}

/** A text that the template sees as a mark: a message's content, or a piece of a tool's description or a call's arguments. */
interface Data {
  mark: string;
  text: string;
  content: boolean;
}

const newMark = () => `mark${randomBytes(16).toString("hex")}`;

/** A JSON value with marks in place of strings other than plain words; the marked strings are added to `data`. */
function inMarks(value: unknown, data: Data[]): unknown {
  if (typeof value === "string") {
    if (/^[\w .$-]{0,64}$/.test(value)) return value;
    const mark = newMark();
    data.push({ mark, text: value, content: false });
    return mark;
  }
  if (Array.isArray(value)) return value.map((one) => inMarks(one, data));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [inMarks(key, data), inMarks(inner, data)]),
  );
}

/** Arguments as templates expect them: parsed if they are JSON. */
function parsed(written: string): unknown {
  try {
    return JSON.parse(written);
  } catch {
    return written;
  }
}

function nameOf(messages: readonly Message[], id: string): string {
  return messages.flatMap(({ calls }) => calls ?? []).find((call) => call.id === id)?.name ?? "tool";
}

/** The messages' contents, concatenated. */
export function plainSegments(messages: readonly Message[]): Segment[] {
  return [{ text: messages.map((message) => message.content).join(""), template: false }];
}

function fillIn(
  text: string,
  data: readonly Data[],
  open: boolean,
): { segments: Segment[]; lost: (index: number) => boolean } {
  const segments: Segment[] = [];
  const seen = new Set<number>();
  const places = new Map(data.map(({ mark }, i) => [mark, i]));
  let rest = 0;
  for (const match of text.matchAll(new RegExp(`(${pad}?)(mark[0-9a-f]{32})(${pad}?)`, "g"))) {
    const [all, before, mark, after] = match;
    const index = places.get(mark as string);
    if (index === undefined) continue;
    if (match.index > rest) segments.push({ text: text.slice(rest, match.index), template: true });
    const { text: whole, content } = data[index] as Data;
    rest = match.index + all.length;
    let said = whole;
    if (content) {
      // The template trimmed the mark, so it would have trimmed the content.
      if (before === "") said = said.trimStart();
      if (after === "") said = said.trimEnd();
    } else if (text[match.index - 1] === '"' && text[rest] === '"') {
      // Inside a JSON string the text is escaped as JSON.
      said = JSON.stringify(said).slice(1, -1);
    }
    segments.push({ text: said, template: false });
    seen.add(index);
  }
  // What closes an open assistant turn is not part of the prompt.
  if (!open && rest < text.length) segments.push({ text: text.slice(rest), template: true });
  return { segments, lost: (index) => !seen.has(index) };
}

function foldSystem(messages: readonly Message[]): Message[] | undefined {
  const [system, user, ...others] = messages;
  if (system?.role !== "system" || user?.role !== "user") return undefined;
  return [{ role: "user", content: `${system.content}\n\n${user.content}` }, ...others];
}

/** Runs host code under V8's execution limit; `vm` is used for its clock, not as a sandbox. */
function limited<T>(run: () => T): T {
  return runInContext("run()", createContext({ run }), { timeout: timeLimit }) as T;
}

function refusal(what: string, cause: unknown): CallError {
  return new CallError("unsupported", `The model's chat template ${what}: ${messageOf(cause)}`, { cause });
}
