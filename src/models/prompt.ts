// Renders a query as a prompt, and reads an option from a model's written answer. This is not the chat template, which
// belongs to the model and is applied by it.
//
// Everything that all samples share (instruction, shared options, demonstrations) comes first, so that a model with a
// prefix cache evaluates it once per study.

import type { Demonstration, Option, Query } from "../core/language.js";
import type { Message, PromptFormat } from "../core/model.js";

export interface Prompt {
  messages: Message[];
  /** What is scored after the prompt, one for each option of the query, in order. */
  continuations: string[];
}

/** Option labels: A … Z, or zero-padded numbers beyond 26, so that no label is a prefix of another. */
export function optionLabels(count: number): string[] {
  if (count <= 26) return Array.from({ length: count }, (_, i) => String.fromCharCode(65 + i));
  const width = String(count).length;
  return Array.from({ length: count }, (_, i) => String(i + 1).padStart(width, "0"));
}

/**
 * Precedes a chain of thought in `plain`. After "Reasoning:" SmolLM2 and Gemma 3 270M write nothing or repeat the options;
 * after this word they explain.
 */
const thoughtCue = "Explanation:";
/** Asks for a chain of thought in `chat`. */
const thoughtRequest = "Think step by step.";

/**
 * Renders a query. In `plain` every turn is one text that ends in "Answer:" and continuations begin with a space, as in
 * MMLU; if samples have their own options it is exactly Lawma's prompt (instruction, text and question separated by blank
 * lines). In `chat` demonstrations are separate turns and continuations are the bare answer.
 *
 * A query that reasons is rendered twice: without a rationale the prompt asks for one, with it the prompt asks for the
 * answer. In `chat` rationale and answer are separate turns, unless the answer is written: then one text contains both.
 */
export function renderPrompt(query: Query, format: PromptFormat, rationale?: string): Prompt {
  const answerBy = query.answerBy ?? "label";
  const options = query.options ?? [];
  // Options that every sample shares are listed once, above the demonstrations; a sample's own are listed with the sample.
  const shared =
    options.length > 0 && query.demonstrations.every((shot) => !shot.options) && !query.ownOptions;
  const head = [query.instruction, shared ? listOptions(options, answerBy) : undefined]
    .filter(isText)
    .join("\n\n");
  const block = (part: Pick<Query, "input" | "question" | "options" | "passages">): string =>
    [
      [
        ...(part.passages ?? []).map(({ text }) => `Context: ${text}`),
        part.input,
        part.question && `Question: ${part.question}`,
      ]
        .filter(isText)
        .join(format === "plain" ? "\n\n" : "\n"),
      shared ? undefined : listOptions(part.options ?? [], answerBy),
    ]
      .filter(isText)
      .join("\n");
  const target = block({
    input: query.input,
    options,
    ...(query.question === undefined ? {} : { question: query.question }),
    ...(query.passages === undefined ? {} : { passages: query.passages }),
  });
  const given = answersOf(options, answerBy);

  if (format === "plain") {
    const shots = query.demonstrations.map(
      (shot) => `${block(shot)}\n${answerLine(shot.rationale)} ${givenAnswer(shot, options, answerBy)}`,
    );
    const cue = query.reason && rationale === undefined ? thoughtCue : answerLine(rationale);
    const said = (query.turns ?? []).map(
      (turn) => `${turn.role === "assistant" ? "Assistant" : "User"}: ${turn.content}`,
    );
    const content = [head, ...shots, ...said, `${target}\n${cue}`].filter(isText).join("\n\n");
    return { messages: [{ role: "user", content }], continuations: given.map((text) => ` ${text}`) };
  }
  const messages: Message[] = [];
  const say = (role: Message["role"], content: string) => messages.push({ role, content });
  const asked = (text: string) => (query.reason ? `${text}\n${thoughtRequest}` : text);
  const written = answerIsWritten(query);
  if (head) say("system", head);
  for (const shot of query.demonstrations) {
    const answer = givenAnswer(shot, options, answerBy);
    say("user", asked(block(shot)));
    if (shot.rationale && query.reason && !written) {
      say("assistant", shot.rationale);
      say("user", "Answer:");
      say("assistant", answer);
    } else say("assistant", shot.rationale ? `${shot.rationale}\nAnswer: ${answer}` : answer);
  }
  for (const { role, content } of query.turns ?? []) say(role, content);
  say("user", asked(written && query.reason ? `${target}\nEnd with "Answer:" and your answer.` : target));
  if (rationale !== undefined) {
    if (rationale) say("assistant", rationale);
    say("user", "Answer:");
  }
  return { messages, continuations: given };
}

/** Whether the model writes its answer rather than choosing by the options' probabilities. */
export function answerIsWritten(query: Query): boolean {
  return !query.options || query.scoring === "parse";
}

/** Splits a written text into the chain of thought and the answer after the last "Answer:" (both are the whole text if there is none). */
export function splitReasoned(text: string): { rationale: string; answer: string } {
  const cues = [...text.matchAll(/(?:^|\n)[ \t]*(?:\*\*)?Answer(?:\*\*)?:/gi)];
  const cue = cues.at(-1);
  if (!cue) return { rationale: text.trim(), answer: text.trim() };
  return {
    rationale: text.slice(0, cue.index).trim(),
    answer: text.slice(cue.index + cue[0].length).trim(),
  };
}

/** The answer text of each option, by label or by text. */
function answersOf(options: readonly Option[], answerBy: "label" | "text"): string[] {
  return answerBy === "label" ? optionLabels(options.length) : options.map((option) => option.text);
}

function givenAnswer(shot: Demonstration, shared: readonly Option[], answerBy: "label" | "text"): string {
  const options = shot.options ?? shared;
  const index = options.findIndex((option) => option.key === shot.answer);
  return index < 0 ? shot.answer : (answersOf(options, answerBy)[index] as string);
}

function answerLine(rationale: string | undefined): string {
  return rationale ? `${thoughtCue} ${rationale}\nAnswer:` : "Answer:";
}

function listOptions(options: readonly Option[], answerBy: "label" | "text"): string | undefined {
  if (options.length === 0) return undefined;
  const labels = optionLabels(options.length);
  return options
    .map((option, i) => (answerBy === "label" ? `${labels[i]}. ${option.text}` : `- ${option.text}`))
    .join("\n");
}

function isText(part: string | undefined | null): part is string {
  return typeof part === "string" && part !== "";
}

/**
 * Reads an option out of a written answer. Undefined if none or more than one is named, or only as what it is not; it never guesses.
 * Checked in this order: the last "Answer: B" or "answer is B", a label at the very start ("B", "(B)", "B.") unless others
 * follow in the same form, an option's whole text, a lone label anywhere.
 */
export function parseChoice(text: string, options: readonly Option[]): Option | undefined {
  const labels = optionLabels(options.length);
  const letters = options.length <= 26;
  const byLabel = (label: string) =>
    options[labels.indexOf(letters ? label.toUpperCase() : label.padStart(labels[0]?.length ?? 0, "0"))];
  const label = letters ? "[A-Za-z]" : "\\d+";
  const answer = text.trim();

  const stated = [
    ...answer.matchAll(
      new RegExp(
        `answer(?:\\s+is)?\\s*:?\\s*[*_"'\`([]*(${label})(?![\\p{L}\\p{N}])(?:[*_"'\`)\\].]*\\s*(?:,|/|&|and|or)\\s*[*_"'\`([]*(${label})(?![\\p{L}\\p{N}]))?`,
        "giu",
      ),
    ),
  ].at(-1);
  // "the answer is a …" is an article, not a label; "A or B" are two.
  const isLabel = (found: string | undefined): found is string =>
    found !== undefined && found === found.toUpperCase() && byLabel(found) !== undefined;
  if (isLabel(stated?.[1]) && !isLabel(stated[2])) return byLabel(stated[1]);

  const marked = [
    ...answer.matchAll(
      new RegExp(
        `(?:^|\\n[ \\t]*|[,/&]\\s*|\\b(?:and|or)\\s+)[*_"'\`([]*(${label})(?:[*_"'\`)\\]]*\\s*$|[*_"'\`]*[).:\\]])`,
        "g",
      ),
    ),
  ].map(({ 1: found = "", index }) => ({ found, index }));
  const lead = marked[0]?.index === 0 ? byLabel(marked[0].found) : undefined;
  if (lead)
    return marked.slice(1).some(({ found }) => isLabel(found) && byLabel(found) !== lead) ? undefined : lead;

  const flat = flatten(answer);
  const named = options.filter(
    (option) => flatten(option.text).trim() && flat.includes(flatten(option.text)),
  );
  // "yes" inside "yes, with conditions": the longest named option wins if it holds all the others.
  const longest = named.toSorted((a, b) => b.text.length - a.text.length)[0];
  if (longest && named.every((option) => flatten(longest.text).includes(flatten(option.text))))
    return denied.test(flat.slice(0, flat.lastIndexOf(flatten(longest.text)))) ? undefined : longest;
  if (named.length > 1) return undefined;

  const lone = [
    ...answer.matchAll(
      new RegExp(`(?<![\\p{L}\\p{N}])${label.replace("A-Za-z", "A-Z")}(?![\\p{L}\\p{N}'’])`, "gu"),
    ),
  ].filter(([found]) => labels.includes(found));
  const [only] = lone;
  if (!only || lone.some(([found]) => found !== only[0])) return undefined;
  return denied.test(flatten(answer.slice(0, only.index)).trimEnd()) ? undefined : byLabel(only[0]);
}

/** What comes before an option that is denied: "not", "isn't in the", "never". */
const denied = /(?: not|n t| never| neither| cannot)(?: (?:be|in|on|at|the|a|an|option|answer))*$/;

/** Lower case, punctuation to spaces, framed by spaces so that `includes` matches whole words. */
function flatten(text: string): string {
  return ` ${text
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, " ")
    .trim()} `;
}
