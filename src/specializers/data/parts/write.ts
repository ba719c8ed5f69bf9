// The prompt from which a model writes a new instruction and input, and the parser of what it wrote: fields are read by
// name, so that anything but a complete task is recognized.

import type { Option } from "../../../core/language.js";
import type { Message, PromptFormat } from "../../../core/model.js";
import { type Prompted, responseText, type Seed } from "./pair.js";

/** Stop strings of a written task: the next task or an answer begins. */
export const taskEnds = ["\nTask ", "\nTASK ", "\nAnswer:", "\nResponse:", "\nOutput:", "\nCorrect "];

/** Maximum characters of a seed's input in the prompt, where it only shows the form. */
const shownInput = 300;

/** The writer's instructions (after Self-Instruct, Wang et al. 2023, and Self-MoE's table 9, in our words). */
function head(domain: string, what: string): string {
  return [
    `These are different tasks${domain ? ` about ${domain}` : ""}. ${what}`,
    "Each has an instruction, a realistic and complete input, and where it is a choice its options. No task repeats another.",
  ].join("\n");
}

/**
 * The prompt for a new task after some seeds. The model continues after the last "Instruction:", or, if the instruction is
 * given, after "Input:".
 */
export function taskPrompt(
  seeds: readonly Seed[],
  domain: string,
  format: PromptFormat,
  instruction?: string,
): Message[] {
  const shown = seeds.map((seed, i) => `Task ${i + 1}\n${renderTask(seed)}`);
  return continued(
    [head(domain, "Every task can be answered in words."), ...shown],
    seeds.length,
    instruction === undefined
      ? "Instruction:"
      : `Instruction: ${instruction}
Input:`,
    format,
  );
}

/** The prompt for a new input that has a given answer, after seeds with the same one; the answer comes first. */
export function inputPrompt(
  seeds: readonly Seed[],
  { instruction, label, domain }: { instruction: string; label: string; domain: string },
  format: PromptFormat,
): Message[] {
  const shown = seeds.map((seed, i) => `Task ${i + 1}\nAnswer: ${responseText(seed)}\n${renderInput(seed)}`);
  const what = `The instruction of all of them: ${instruction || "judge the input"}. The answer stands before each input.`;
  return continued([head(domain, what), ...shown], seeds.length, `Answer: ${label}\nInput:`, format);
}

function continued(parts: readonly string[], seeds: number, cue: string, format: PromptFormat): Message[] {
  const next = `Task ${seeds + 1}\n${cue}`;
  if (format === "plain") return [{ role: "user", content: [...parts, next].join("\n\n") }];
  const asked = `Write task ${seeds + 1} and nothing else, in exactly this form. Begin with:\n${cue}`;
  return [{ role: "user", content: [...parts, asked].join("\n\n") }];
}

function renderTask(seed: Seed): string {
  return `Instruction: ${seed.instruction || "Answer."}\n${renderInput(seed)}`;
}

function renderInput({ input, question, options }: Seed): string {
  const cut = input.length > shownInput ? `${input.slice(0, shownInput).replace(/\s+\S*$/u, "")} …` : input;
  return [
    `Input: ${cut}`,
    question && `Question: ${question}`,
    options && `Options:\n${options.map(({ text }, i) => `${letter(i)}. ${text}`).join("\n")}`,
  ]
    .filter(Boolean)
    .join("\n");
}

const letter = (i: number) => String.fromCharCode(65 + i);

/** A written task as parsed, or why it is not one. */
export type Written = { task: Prompted } | { why: string; instruction?: string };

/**
 * Reads what was written after "Instruction:" (or a prompt's other cue).
 * @param known fields that the prompt gave and the text therefore lacks
 */
export function readTask(text: string, finish: "stop" | "length", known: Partial<Prompted> = {}): Written {
  const cue = known.instruction === undefined ? "Instruction:" : "Input:";
  const start = text.trimStart();
  const whole = new RegExp(`^${cue}`, "i").test(start) ? start : `${cue}\n${start}`;
  const fields = new Map<string, string>();
  const parts = whole.split(/^[ \t]*(Instruction|Input|Question|Options)[ \t]*:/im);
  for (let i = 1; i + 1 < parts.length; i += 2) {
    const name = (parts[i] as string).toLowerCase();
    if (fields.has(name)) return { why: `two ${name}s` };
    fields.set(name, (parts[i + 1] as string).trim());
  }
  const instruction = known.instruction ?? fields.get("instruction") ?? "";
  const input = fields.get("input") ?? "";
  const question = fields.get("question");
  const listed = fields.get("options");
  if (known.instruction === undefined && instruction === "") return { why: "no instruction" };
  if (input === "" && !question) return { why: "no input", ...(listed === undefined ? { instruction } : {}) };
  let options: Option[] | undefined = known.options;
  if (listed !== undefined) {
    const found = readOptions(listed);
    if (typeof found === "string") return { why: found };
    options = found;
  }
  const all = [instruction, input, question ?? "", ...(options ?? []).map((one) => one.text)];
  if (all.some((one) => goesOn.test(one))) return { why: "goes on with an answer" };
  const placeholder = all.find((one) => placeholders.test(one));
  if (placeholder !== undefined) return { why: "a placeholder" };
  if (blank.test(input === "" ? (question as string) : input)) return { why: "no input" };
  if (all.some(repeats)) return { why: "repeats itself" };
  // Of a truncated text the complete sentences are kept; of a truncated list of options those that were begun.
  if (finish === "length" && listed === undefined) {
    const whole = question === undefined ? wholeSentences(input) : "";
    if (whole === "") return { why: "cut off" };
    return { task: { instruction, input: whole, ...(options ? { options } : {}) } };
  }
  const asked = input === "" ? { input: question as string } : { input, ...(question ? { question } : {}) };
  return { task: { instruction, ...asked, ...(options ? { options } : {}) } };
}

/** Blanks that a reader would have to fill in. */
const placeholders =
  /\[(?:insert|your|name|input|text|placeholder|the )[^\]]*\]|<(?:insert|your|input|text)[^>]*>|\bTODO\b|lorem ipsum/i;
/** What is written in place of an empty input. */
const blank = /^\W*(?:n\/?a|none|no ?input|\.\.\.|…)?\W*$/i;

/** Another field within one: the text ran on past its end. */
const goesOn = /\b(?:Instruction|Output|Answer|Correct answer|Task \d+)\s*[:=]/i;

const mostOptions = 8;

function readOptions(listed: string): Option[] | string {
  const options: Option[] = [];
  for (const line of listed.split("\n")) {
    if (line.trim() === "") continue;
    const found = /^\s*\(?([A-Z])[.):]\s*(.*)$/.exec(line);
    if (!found) {
      // A continuation line belongs to the option before it.
      const last = options.at(-1);
      if (!last) return "options without labels";
      last.text = `${last.text} ${line.trim()}`;
      continue;
    }
    if (found[1] !== letter(options.length)) return "labels out of order";
    options.push({ key: letter(options.length), text: (found[2] as string).trim() });
  }
  if (options.at(-1)?.text === "") options.pop();
  if (options.length < 2) return "fewer than two options";
  if (options.length > mostOptions) return "too many options";
  if (options.some(({ text }) => text === "")) return "an empty option";
  const distinct = new Set(options.map(({ text }) => text.toLowerCase()));
  if (distinct.size < options.length) return "equal options";
  return options;
}

function wholeSentences(text: string): string {
  return /^[\s\S]*[.?!](?=\s|$)/.exec(text)?.[0].trim() ?? "";
}

/** Whether a text loops: fewer than half of its word trigrams are distinct. */
export function repeats(text: string): boolean {
  const words = text.toLowerCase().split(/\s+/);
  if (words.length < 24) return false;
  const runs = words.slice(2).map((_, i) => `${words[i]} ${words[i + 1]} ${words[i + 2]}`);
  return new Set(runs).size < runs.length / 2;
}
