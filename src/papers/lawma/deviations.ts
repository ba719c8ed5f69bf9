// What a run does otherwise than the paper, in sentences made from its settings: the README cannot fall behind them.

import type { LawmaSettings } from "./settings.js";
import type { LawmaChoice } from "./tasks.js";

export function deviations(
  { limit, input, instructionSentences, curve }: LawmaSettings,
  { kind, leaked, chosen, leftOut }: LawmaChoice,
): (string | undefined)[] {
  const facts = kind === "facts";
  return [
    facts
      ? `The input is Oyez's summary of the facts, not the Court's opinion; the conclusion is never shown. ${leaked} cases of train and dev whose facts test has too were left out.`
      : undefined,
    "chars" in input
      ? `At most ${input.chars} characters of the case are shown (${curve.chars} on the curve); Lawma shows up to 8,192 tokens.`
      : `The case is cut to what ${input.contextTokens} tokens leave, reckoned at ${input.charsPerToken} characters a token; Lawma cuts by its tokenizer at 8,192.`,
    instructionSentences === null
      ? undefined
      : `Of each instruction only the first ${instructionSentences === 1 ? "sentence is" : `${instructionSentences} sentences are`} kept.`,
    `${chosen.length} of ${chosen.length + leftOut.length} tasks${facts ? " of the Supreme Court; the Courts of Appeals are not in these data" : ""}.`,
    `At most ${limit.train} training, ${limit.dev} dev and ${limit.test} test samples a task, after Lawma's balancing; the curve on ${curve.tasks.join(", ")} with ${curve.test} test samples and ${curve.seeds.length} seeds.`,
    "Low-rank adapters on a quantised base, not full fine-tuning; a small model, not 8B.",
    "Options beyond 26 are numbered with leading zeros (as Lawma does for GPT-4), not by single Chinese characters.",
    "Majority is the most frequent training label; Lawma's is the most frequent test label.",
  ];
}
