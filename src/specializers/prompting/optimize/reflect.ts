// A reflector: a language model that reads what a prompt got wrong and writes a better instruction. Its output is treated
// as data, and its cost counts.

import { CallError } from "../../../core/call.js";
import type { Query } from "../../../core/language.js";
import type { LanguageModel } from "../../../core/model.js";
import type { TaskContext } from "../../../core/task.js";

/** One answer of the prompt that is to be improved. */
export interface Attempt {
  query: Query;
  /** As the task grades it: an option's key, or text. */
  answered: string;
  /** The right answers, likewise. */
  golds: readonly string[];
  right: boolean;
}

/** Maximum characters of a text that is shown, and of an instruction that is taken. */
const [mostShown, mostTaken] = [600, 2000];

/**
 * Asks for a better instruction.
 * @returns undefined where the reflector wrote none, or nothing new
 * @throws CallError when its endpoint fails for good
 */
export async function reflect(
  model: LanguageModel,
  instruction: string,
  attempts: readonly Attempt[],
  { seed, context }: { seed: number; context: TaskContext },
): Promise<string | undefined> {
  const cases = attempts.map(({ query, answered, golds, right }, i) => {
    const text = [query.question, query.input].filter(Boolean).join("\n").slice(0, mostShown);
    const said = (answer: string) => query.options?.find(({ key }) => key === answer)?.text ?? answer;
    const options = query.options?.map((option) => option.text).join(" | ") ?? "";
    const among = options ? `\nOptions: ${options.slice(0, mostShown)}` : "";
    const verdict = right ? "which is right" : `but the right answer is: ${golds.map(said).join(" or ")}`;
    return `Case ${i + 1}\n${text}${among}\nAnswered: ${said(answered) || "(nothing)"}, ${verdict}`;
  });
  const content = `A language model follows this instruction:\n<instruction>\n${instruction || "(none)"}\n</instruction>\n\nThese are some of its answers.\n\n${cases.join("\n\n")}\n\nWrite a better instruction for the same task. Say what tells the answers apart, and state facts that the cases show. Write it between <instruction> and </instruction>.`;
  const { text } = await model.generate(
    {
      messages: [{ role: "user", content }],
      format: model.format,
      maxTokens: 512,
      temperature: 1,
      seed,
    },
    context,
  );
  const found = /<instruction>([\s\S]*?)(?:<\/instruction>|$)/.exec(text)?.[1] ?? "";
  const written = found.trim().slice(0, mostTaken);
  return written && written !== instruction ? written : undefined;
}

/** A failure of the reflector's endpoint costs a proposal, not the search. */
export function withoutProposal(error: unknown): undefined {
  if (error instanceof CallError) return undefined;
  throw error;
}
