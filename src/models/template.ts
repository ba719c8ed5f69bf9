// Renders a model's chat template into segments that say who wrote what: the template's own text (which may name control
// tokens) and the messages' contents (which are data and never may).
//
// Contents are kept out of the template altogether: it sees an unguessable mark in place of each, and the marks are
// replaced afterwards. So no content can forge a turn, and a template that is itself hostile sees no data.

import { randomBytes } from "node:crypto";
import { createContext, runInContext } from "node:vm";
import { CallError } from "../core/call.js";
import { messageOf } from "../core/errors.js";
import type { Message } from "../core/model.js";

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

/** Renders messages; a last message by the assistant is left open, so that the model continues it. */
export type ChatTemplate = (messages: readonly Message[]) => Segment[];

/** Longest that a template may take, in milliseconds: it comes with the model file and may loop for ever. */
const timeLimit = 2000;
/** Trimmed by every `trim` and `strip`, and printed by no template: shows whether a template trims contents. */
const pad = "\u2003";

/**
 * Compiles a Jinja chat template as model files carry it.
 *
 * Templates that refuse a system message get it at the head of the first user message instead.
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
  } catch (error) {
    throw refusal("does not parse", error);
  }
  const render = (messages: readonly Message[]): Segment[] => {
    const open = messages.at(-1)?.role === "assistant";
    const marks = messages.map(() => `mark${randomBytes(16).toString("hex")}`);
    const text = limited(() =>
      template.render({
        messages: messages.map(({ role }, i) => ({ role, content: `${pad}${marks[i]}${pad}` })),
        add_generation_prompt: !open,
        bos_token: options.bosToken ?? "",
        eos_token: options.eosToken ?? "",
      }),
    );
    return fillIn(text, messages, marks, open);
  };
  return (messages) => {
    try {
      return render(messages);
    } catch (error) {
      const folded = foldSystem(messages);
      if (!folded) throw refusal("cannot render these messages", error);
      try {
        return render(folded);
      } catch {
        throw refusal("cannot render these messages", error);
      }
    }
  };
}

/** The messages' contents, one after the other and nothing else. */
export function plainSegments(messages: readonly Message[]): Segment[] {
  return [{ text: messages.map((message) => message.content).join(""), template: false }];
}

function fillIn(
  text: string,
  messages: readonly Message[],
  marks: readonly string[],
  open: boolean,
): Segment[] {
  const segments: Segment[] = [];
  const seen = new Set<number>();
  let rest = 0;
  const pattern = new RegExp(`(${pad}?)(${marks.join("|") || "(?!)"})(${pad}?)`, "g");
  for (const match of text.matchAll(pattern)) {
    const [all, before, mark, after] = match;
    const index = marks.indexOf(mark as string);
    if (match.index > rest) segments.push({ text: text.slice(rest, match.index), template: true });
    let content = (messages[index] as Message).content;
    // The template trimmed the mark, so it would have trimmed the content.
    if (before === "") content = content.trimStart();
    if (after === "") content = content.trimEnd();
    segments.push({ text: content, template: false });
    seen.add(index);
    rest = match.index + all.length;
  }
  const lost = messages.findIndex((_, i) => !seen.has(i));
  if (lost >= 0) throw new Error(`it leaves out message ${lost + 1} (${messages[lost]?.role})`);
  // What closes an open assistant turn is not part of the prompt.
  if (!open && rest < text.length) segments.push({ text: text.slice(rest), template: true });
  return segments;
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
