// The types of synthetic data: an instruction with its input and a response, and how the pair came about.

import type { Json } from "../../../core/json.js";
import type { Demonstration, Option, Query } from "../../../core/language.js";
import type { Sample } from "../../../core/sample.js";
import type { Given } from "../../../core/specializer.js";
import type { LanguageTask } from "../../../core/task.js";

/** What is asked. */
export type Prompted = {
  instruction: string;
  input: string;
  question?: string;
  options?: Option[];
  stratum?: string;
};

/** What is asked, and the answer: an option's key, or a text where there are no options. */
export type Pair = Prompted & { id: string; response: string };

/** A worked example that data are made from; its id is a train sample's or a row's of the seeds' file. */
export type Seed = Pair;

/** How a pair came about. */
export type Lineage = {
  /** Number of the attempt, from 0: it decides what was drawn. */
  attempt: number;
  /** Ids of the seeds in the prompt for the instruction or input, and in that for the response. */
  seeds: string[];
  shots: string[];
  /** Ids of the passages in the prompt for the response. */
  passages: string[];
  /** The model that wrote the instruction and input, and the one that wrote the response. */
  writer: string;
  responder: string | null;
  sampling: { temperature: number; topP: number; seed: number };
  /** Journal keys of the calls behind it. */
  calls: string[];
  /** Probability of the whole chosen label, if it was chosen by probabilities. */
  confidence?: number;
};

/** The rules of the filter, in the order in which they are applied. */
export const rules = [
  "failed call",
  "format",
  "length",
  "refusal",
  "leak",
  "novelty",
  "response format",
  "response length",
  "response refusal",
  "response leak",
] as const;
export type Rule = (typeof rules)[number];

/** A decision of the filter; `why` says what was found where a rule refused. */
export type Decision = { rule: Rule; passed: boolean; why?: string };

/** One attempt with everything that is known about it. Kept ones are complete pairs. */
export type Judged = {
  id: string;
  kept: boolean;
  pair: Partial<Pair>;
  /** What the model wrote, if it could not be read as a pair. */
  raw?: string;
  lineage: Lineage;
  decisions: Decision[];
};

export function seedOf(sample: Sample, task: LanguageTask): Seed {
  const { instruction, input, question, options } = task.query(sample);
  return {
    id: sample.id,
    instruction: instruction ?? "",
    input,
    ...(question ? { question } : {}),
    ...(options ? { options: options.map(({ key, text }) => ({ key, text })) } : {}),
    response: task.demonstration(sample).answer,
  };
}

/** How a task's options are asked for. */
export type Asking = Pick<Query, "answerBy" | "scoring">;

/** The way in which a task asks about its samples; pairs are answered and trained in the same way. */
export function askingOf({ task, train }: Pick<Given, "task" | "train">): Asking {
  const [sample] = train;
  if (!sample) return {};
  const { answerBy, scoring } = task.query(sample);
  return { ...(answerBy ? { answerBy } : {}), ...(scoring ? { scoring } : {}) };
}

/** The query that asks for a pair's response, as the generalist renders it; its options are listed with it. */
export function queryOf(prompted: Prompted, asking: Asking, more: Partial<Query> = {}): Query {
  const { instruction, input, question, options } = prompted;
  return {
    input,
    demonstrations: [],
    ...(instruction ? { instruction } : {}),
    ...(question ? { question } : {}),
    ...(options ? { options, ownOptions: true, ...asking } : {}),
    ...more,
  };
}

export function shotOf({ input, question, options, response }: Seed): Demonstration {
  return { input, answer: response, ...(question ? { question } : {}), ...(options ? { options } : {}) };
}

/** The response as it is read: an option's text, not its key. */
export function responseText({ options, response }: Pick<Pair, "options" | "response">): string {
  return options?.find(({ key }) => key === response)?.text ?? response;
}

/** The text by which a pair is compared with others: everything that is asked. */
export function askedText({ instruction, input, question, options }: Prompted): string {
  return [instruction, question, input, ...(options ?? []).map(({ text }) => text)]
    .filter(Boolean)
    .join("\n");
}

/** A pair's form; pairs of the same form can be each other's examples. */
export function formOf({ options }: Pick<Prompted, "options">): string {
  if (!options) return "written";
  return options.every(({ text }) => /^(yes|no|maybe)$/i.test(text)) ? "yes/no" : "choice";
}

/** Pairs as the samples that training takes. */
export function asSamples(pairs: readonly Pair[]): Sample[] {
  return pairs.map(({ id, instruction, input, question, options, stratum, response }) => ({
    id,
    input,
    ...(stratum ? { stratum } : {}),
    ...(instruction ? { instruction } : {}),
    ...(question ? { question } : {}),
    ...(options ? { options } : {}),
    gold: response,
  }));
}

/**
 * The task that pairs are samples of: each with its own instruction, and its own options or a written answer. It is trained
 * on and never measured.
 */
export function pairTask(task: LanguageTask, asking: Asking): LanguageTask {
  return {
    ...task,
    name: "synthetic pairs",
    labels: undefined as never,
    query: ({ instruction, input, question, options }) =>
      queryOf(
        {
          instruction: instruction ?? "",
          input,
          ...(question ? { question } : {}),
          ...(options ? { options: [...options] } : {}),
        },
        asking,
      ),
    demonstration: ({ input, question, options, gold }) => ({
      input,
      answer: typeof gold === "string" ? gold : (gold[0] ?? ""),
      ...(question ? { question } : {}),
      ...(options ? { options } : {}),
    }),
  };
}

/** A pair as a chat, one of the two forms that training tools read. */
export function asChat(pair: Pair): Json {
  const { instruction, options } = pair;
  return {
    id: pair.id,
    messages: [
      ...(instruction ? [{ role: "system", content: instruction }] : []),
      { role: "user", content: inputText(pair) },
      { role: "assistant", content: options ? labelled(pair) : pair.response },
    ],
  };
}

/** Instruction, input and output (Alpaca's fields). */
export function asInstruction(pair: Pair): Json {
  return {
    id: pair.id,
    instruction: pair.instruction,
    input: inputText(pair),
    output: pair.options ? labelled(pair) : pair.response,
  };
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

function labelled({ options = [], response }: Pair): string {
  const place = options.findIndex(({ key }) => key === response);
  return `${letters[place] ?? ""}. ${options[place]?.text ?? response}`;
}

/** Input, question and listed options. */
function inputText({ input, question, options }: Omit<Prompted, "instruction">): string {
  return [
    input,
    question && `Question: ${question}`,
    options?.map(({ text }, i) => `${letters[i]}. ${text}`).join("\n"),
  ]
    .filter(Boolean)
    .join("\n");
}
