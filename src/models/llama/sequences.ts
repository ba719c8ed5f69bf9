// What a writer needs of one sequence and node-llama-cpp does not offer as such: one sampled token, a grammar's state, a copy of
// another sequence's first tokens.

import type { LlamaContextSequence, LlamaGrammarEvaluationState, LlamaModel, Token } from "node-llama-cpp";
import { CallError } from "../../core/call.js";

/** Evaluates tokens and samples the next one, restricted by a grammar if there is one. */
export async function drawn(
  sequence: LlamaContextSequence,
  tokens: Token[],
  options: Parameters<LlamaContextSequence["evaluate"]>[1],
  state: LlamaGrammarEvaluationState | undefined,
): Promise<Token | null | undefined> {
  if (!state) {
    const last = tokens[tokens.length - 1] as Token;
    const next = { generateNext: { token: true, options: { ...options } } };
    return (await sequence.controlledEvaluate([...tokens.slice(0, -1), [last, next]])).at(-1)?.next.token;
  }
  // `controlledEvaluate` takes no grammar; `evaluate` yields the token before evaluating it, and is stopped there.
  const iterator = sequence.evaluate(tokens, {
    ...options,
    grammarEvaluationState: state,
    yieldEogToken: true,
  });
  try {
    const { value } = await iterator.next();
    return value ?? undefined;
  } finally {
    await iterator.return(undefined);
  }
}

/** The state of a text in its grammar, before its first token. @throws CallError `unsupported` where llama.cpp does not take it */
export async function stateOf(model: LlamaModel, grammar: string): Promise<LlamaGrammarEvaluationState> {
  const { LlamaGrammarEvaluationState } = await import("node-llama-cpp");
  try {
    return new LlamaGrammarEvaluationState({ model, grammar: await model.llama.createGrammar({ grammar }) });
  } catch (error) {
    throw new CallError("unsupported", "llama.cpp does not take the grammar of this schema.", {
      cause: error,
    });
  }
}

/** A method that node-llama-cpp has but does not declare. */
type Copying = LlamaContextSequence & {
  _copyStateFromOtherSequence?: (other: LlamaContextSequence, upTo: number) => Promise<boolean>;
};

/** Copies a sequence's first tokens to another; false where this version of node-llama-cpp cannot. */
export async function copied(
  to: LlamaContextSequence,
  from: LlamaContextSequence,
  tokens: number,
): Promise<boolean> {
  const copy = (to as Copying)._copyStateFromOtherSequence;
  if (!copy) return false;
  try {
    if (await copy.call(to, from, tokens)) return true;
  } catch {
    // A partial copy is erased below.
  }
  await to.eraseContextTokenRanges([{ start: 0, end: to.nextTokenIndex }]);
  return false;
}
