// Decides where prompts are cut for evaluation. Floating-point results depend on how tokens are batched (log-probabilities move
// by 0.03 to 0.1), so the cuts depend on the prompt's own tokens alone, not on earlier requests, and only what lies before a
// cut is kept for the next prompt. Prompts with a common prefix have the same cuts within it.

/** Finds the cuts of a prompt, ascending; what follows the last one is evaluated together, `chunk` + 1 tokens at most. */
export type Cutter = (tokens: readonly number[]) => readonly number[];

/** Least tokens between two cuts at ends of turns or paragraphs, and after the last of them. */
const least = 24;
/** Most cuts at such ends: what samples share (an instruction, its options) comes first and seldom has more than two. */
const mostEnds = 2;

/**
 * Cuts at the first two ends of a turn or a paragraph within the first chunk, so that prompts with a short common head share
 * it; from there on, every `chunk` tokens.
 *
 * @param chunk tokens evaluated at once
 * @param ends whether a turn or a paragraph ends before the token at an index, 1 or later
 */
export function cutterOf(chunk: number, ends: (tokens: readonly number[], at: number) => boolean): Cutter {
  const known = new WeakMap<readonly number[], readonly number[]>();
  const find = (tokens: readonly number[]): number[] => {
    const cuts: number[] = [];
    let at = 0;
    for (let i = 1; i < Math.min(chunk, tokens.length - least) && cuts.length < mostEnds; i++) {
      if (i - at < least || !ends(tokens, i)) continue;
      cuts.push(i);
      at = i;
    }
    // At least two tokens are left, because llama.cpp computes a single token differently.
    for (at += chunk; at <= tokens.length - 2; at += chunk) cuts.push(at);
    return cuts;
  };
  return (tokens) => {
    let cuts = known.get(tokens);
    if (!cuts) {
      cuts = find(tokens);
      known.set(tokens, cuts);
    }
    return cuts;
  };
}

/**
 * The cuts that a prompt has in common with a sequence: the tokens before the last of them are already evaluated.
 * @param held the sequence's tokens
 * @param evaluated the cuts at which they were evaluated
 */
export function cutsKept(
  held: readonly number[],
  evaluated: readonly number[],
  prompt: readonly number[],
  cuts: readonly number[],
): readonly number[] {
  let count = 0;
  let at = 0;
  for (; count < cuts.length && evaluated[count] === cuts[count]; count++) {
    const cut = cuts[count] as number;
    while (at < cut && held[at] === prompt[at]) at++;
    if (at < cut) break;
  }
  return cuts.slice(0, count);
}
