// Scores continuations of one prompt: the prompt is evaluated once, and so is every beginning that continuations share.
// It plans over token numbers; the engine evaluates.

/** Log-probabilities of the tokens asked for, by token. */
export type LogProbs = ReadonlyMap<number, number>;

export interface ScoringContext {
  /** Evaluates a prompt; gives the log-probabilities of `wanted` as its next token. */
  prompt(tokens: readonly number[], wanted: readonly number[], signal: AbortSignal): Promise<LogProbs>;
  /** Goes back to the first `keep` tokens and evaluates one more; gives the log-probabilities of `wanted` after it. */
  extend(keep: number, token: number, wanted: readonly number[], signal: AbortSignal): Promise<LogProbs>;
}

interface Node {
  /** Log-probability of the path from the prompt to here. */
  logprob: number;
  children: Map<number, Node>;
}

/**
 * Summed log-probability of each continuation, in order.
 *
 * Continuations form a trie. The first tokens of all are read from the prompt's last position; a continuation of n tokens
 * needs the logits after its first n - 1, and those that begin alike share them. So options of one token cost nothing
 * beyond the prompt. Tokens are evaluated one after the other: on a CPU that takes hardly longer than a small batch, and an
 * option then has the same score to the last digit whatever stands beside it (batched it moved by up to 0.07 nats).
 *
 * @param continuations tokens of each, none empty
 */
export async function scoreContinuations(
  context: ScoringContext,
  prompt: readonly number[],
  continuations: readonly (readonly number[])[],
  signal: AbortSignal,
): Promise<number[]> {
  const root: Node = { logprob: 0, children: new Map() };
  const leaves = continuations.map((tokens) => {
    let node = root;
    for (const token of tokens) {
      let next = node.children.get(token);
      if (!next) {
        next = { logprob: Number.NaN, children: new Map() };
        node.children.set(token, next);
      }
      node = next;
    }
    return node;
  });
  settle(root, await context.prompt(prompt, [...root.children.keys()], signal));
  const descend = async (node: Node, depth: number): Promise<void> => {
    for (const [token, child] of node.children) {
      if (child.children.size === 0) continue;
      settle(child, await context.extend(depth, token, [...child.children.keys()], signal));
      await descend(child, depth + 1);
    }
  };
  await descend(root, prompt.length);
  return leaves.map((leaf) => leaf.logprob);
}

function settle(node: Node, logprobs: LogProbs): void {
  for (const [token, child] of node.children) child.logprob = node.logprob + (logprobs.get(token) as number);
}
