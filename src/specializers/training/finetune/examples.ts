// Turns samples into tokens exactly as the model will be prompted: the rendered query, then the right answer.

import { type CallContext, CallError } from "../../../core/call.js";
import { HoneError } from "../../../core/errors.js";
import type { LanguageSubject } from "../../../core/kinds.js";
import type { Query } from "../../../core/language.js";
import type { LanguageModel, OpenWeights } from "../../../core/model.js";
import type { Sample } from "../../../core/sample.js";
import type { Given } from "../../../core/specializer.js";
import { renderPrompt } from "../../../models/prompt.js";
import { type PackedExample, shareHeads } from "../../../nets/packing.js";
import { isDerived, prepared } from "../../parts/define.js";

/** A model with available weights, under a subject that only changes queries. */
export interface TrainableSubject {
  subject: LanguageSubject;
  model: LanguageModel;
  weights: OpenWeights;
}

/** @throws HoneError where the subject's answers do not come straight from a model with weights */
export function requireWeights(subject: LanguageSubject, name: string): TrainableSubject {
  const { model } = subject;
  const weights = model?.weights;
  if (model && weights && passesQueriesOn(subject)) return { subject, model, weights };
  throw new HoneError({
    what: `${name} cannot train this subject`,
    where: subject.name,
    why: weights
      ? "its answers are changed after the model gives them, and only the model is trained"
      : "its model's weights are not available here",
    next: weights
      ? `Put ${name} before the specializers that change answers.`
      : "Take a local model, for instance llama:smollm2-135m-instruct.",
    kind: "usage",
  });
}

function passesQueriesOn(subject: LanguageSubject): boolean {
  if (!isDerived(subject)) return true;
  return subject.prepare !== undefined && subject.inner !== undefined && passesQueriesOn(subject.inner);
}

/** How samples become examples. */
export interface ExampleOptions {
  /** The token that ends a written answer; appended where answers are written and not chosen. */
  end: number | undefined;
  /** Tokens put after the begin token of every prompt. */
  prefix: readonly number[];
  /** Whether the answer is compared with the other options alone, not with the vocabulary. */
  among?: boolean;
  /** Whether options are compared; by default only if `among`. */
  compared?: boolean;
  /** Labels with one output each: the answer is then the label's index, not text. */
  classes?: readonly string[];
}

/**
 * Samples as training examples: the prompt's tokens and those of the right answer.
 * @throws HoneError for a sample whose answer is none of its options, or that is longer than the model's context
 */
export async function examplesOf(
  samples: readonly Sample[],
  { subject, model, weights }: TrainableSubject,
  given: Given,
  { end, prefix, among = false, compared = among, classes }: ExampleOptions,
): Promise<PackedExample[]> {
  const { task, context } = given;
  const made: (Omit<PackedExample, "head"> & { group: string })[] = [];
  for (const sample of samples) {
    context.signal.throwIfAborted();
    const { query } = await prepared(subject, task.query(sample), context);
    const { messages, continuations } = renderPrompt(query, model.format);
    const { answer } = task.demonstration(sample);
    const chosen = query.options?.findIndex((option) => option.key === answer) ?? -1;
    if (query.options && chosen < 0) {
      throw new HoneError({
        what: `The answer "${answer}" is not one of the options`,
        where: `task ${task.name}, sample ${sample.id}`,
        next: "Correct the sample, or add the option.",
      });
    }
    const text = query.options
      ? (continuations[chosen] as string)
      : model.format === "plain"
        ? ` ${answer}`
        : answer;
    const others = compared && !classes && query.options ? continuations : [];
    const tokens = await weights.tokenize({ messages, format: model.format, options: [text, ...others] });
    const prompt = tokens.prompt.toSpliced(tokens.begin, 0, ...prefix);
    const written = classes ? [classes.indexOf(answer)] : (tokens.options[0] as number[]);
    const total = prompt.length + written.length;
    if (model.contextTokens !== undefined && total > model.contextTokens) {
      throw new HoneError({
        what: "A sample is longer than the model's context",
        where: `task ${task.name}, sample ${sample.id}`,
        why: `it takes ${total} tokens, and the context holds ${model.contextTokens}`,
        next: "Cut the input in the task's template ({{field|1200}}), or raise ?context= in the model's reference.",
        kind: "usage",
      });
    }
    const places = classes && query.options?.map(({ key }) => classes.indexOf(key));
    const { shared, rivals } = !compared
      ? { shared: 0, rivals: undefined }
      : places
        ? { shared: 0, rivals: places }
        : distinct(tokens.options.slice(1), task.name, sample.id, among);
    if (among) prompt.push(...written.splice(0, shared));
    made.push({
      id: sample.id,
      ...(rivals ? { rivals } : {}),
      group: groupOf(query),
      prompt,
      answer: query.options || end === undefined ? written : [...written, end],
    });
  }
  return shareHeads(made);
}

/** Exactly the tokens that the model would read before it answers. */
export async function promptOf(
  { subject, model, weights }: TrainableSubject,
  query: Query,
  context: CallContext,
): Promise<number[]> {
  const ready = await prepared(subject, query, context);
  const { messages, continuations } = renderPrompt(ready.query, model.format);
  const { prompt } = await weights.tokenize({
    messages,
    format: model.format,
    options: continuations.slice(0, 1),
  });
  return prompt;
}

/** The prompt's tokens for a query to be answered. @throws CallError where the context does not hold them */
export async function askedPrompt(
  target: TrainableSubject,
  query: Query,
  context: CallContext,
): Promise<number[]> {
  const prompt = await promptOf(target, query, context);
  const room = target.model.contextTokens ?? Number.POSITIVE_INFINITY;
  if (prompt.length <= room) return prompt;
  throw new CallError("too-long", `the prompt takes ${prompt.length} tokens, and the context holds ${room}`);
}

/** Prompts begin with the instruction and shared options; queries that agree in both are one group. */
function groupOf(query: Query): string {
  return JSON.stringify([query.instruction ?? "", query.ownOptions ? null : (query.options ?? null)]);
}

/** The single token in which the options differ, after the tokens that all begin with. */
function distinct(
  options: readonly (readonly number[])[],
  task: string,
  sample: string,
  among: boolean,
): { shared: number; rivals: number[] } {
  const [first = []] = options;
  const shared = first.length - 1;
  const alike = options.every(
    (one) => one.length === first.length && one.slice(0, -1).join() === first.slice(0, -1).join(),
  );
  if (options.length > 1 && alike) return { shared, rivals: options.map((one) => one[shared] as number) };
  throw new HoneError({
    what: among
      ? "The loss cannot be taken over the options alone"
      : "The training step to keep cannot be chosen by the metric",
    where: `task ${task}, sample ${sample}`,
    why: options.length < 2 ? "there are no options to choose from" : "options differ by more than one token",
    next: `Set \`answerBy: label\` for the task, or leave out \`${among ? "loss: options" : "choose: metric"}\`.`,
    kind: "usage",
  });
}
