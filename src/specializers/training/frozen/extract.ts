// Pools the states that a frozen model has at a prompt's tokens, as input to `probe`.

import type { LanguageModel, OpenWeights } from "../../../core/model.js";
import type { PackedExample } from "../../../nets/packing.js";
import { type FrozenRows, frozenRows, type TokenStates } from "./rows.js";

/** What is read of a prompt at each depth: the mean over its own tokens, then the last token's state. */
export const pools = ["mean", "last"] as const;

export interface StateReader {
  /** Layers before which states are read, and numbers in a state. */
  readonly depths: readonly number[];
  readonly width: number;
  /**
   * Reads a single prompt: depth by depth, mean then last, [depths · 2 · width]. Its own tokens begin after `head`; `keep` says
   * whether others begin with the same head.
   */
  one(prompt: readonly number[], head: number, keep: boolean): Promise<Float32Array>;
  /**
   * The same for many prompts whose first `head` tokens are equal. `known` are states from before; a block is computed only if
   * one of its prompts is unknown. `fresh` receives the states of each computed block.
   */
  all(prompts: readonly (readonly number[])[], head: number, watch: Watch): Promise<Float32Array[]>;
  /** Numbers read from a prompt. */
  readonly size: number;
  /** States that fits on this model have read so far, by key, so that folds do not read samples again. */
  readonly kept: Map<string, Float32Array>;
}

export interface Watch {
  signal: AbortSignal;
  progress: (done: number, total: number) => void;
  known?: ReadonlyMap<number, Float32Array>;
  fresh?: (read: ReadonlyMap<number, Float32Array>) => Promise<void>;
}

const readers = new WeakMap<FrozenRows, StateReader>();

/** A reader of the states before the given layers, ascending; one per model and set of layers, kept as long as the model. */
export async function sharedReader(
  model: LanguageModel,
  weights: OpenWeights,
  depths: readonly number[],
): Promise<StateReader> {
  const rows = await frozenRows(model, weights, depths);
  const known = readers.get(rows) ?? readerOver(rows);
  readers.set(rows, known);
  return known;
}

function readerOver(rows: FrozenRows): StateReader {
  const { depths, width } = rows;
  const size = depths.length * pools.length * width;
  /** Means over the tokens from `head` on, and the last token's states. */
  const pooled = (states: TokenStates, head: number): Float32Array => {
    const all = new Float32Array(size);
    for (const [d, own] of states.entries()) {
      const mean = new Float64Array(width);
      for (let at = head * width; at < own.length; at += width)
        for (let i = 0; i < width; i++) mean[i] = (mean[i] as number) + (own[at + i] as number);
      const tokens = own.length / width - head;
      const at = 2 * d * width;
      all.set(
        mean.map((sum) => sum / tokens),
        at,
      );
      all.set(own.subarray(own.length - width), at + width);
    }
    return all;
  };
  return {
    depths,
    width,
    size,
    kept: new Map(),
    async one(prompt, head, keep) {
      const example = exampleOf(prompt, head, 0);
      return pooled(await rows.one(example, keep), example.head);
    },
    async all(prompts, head, { signal, progress, known = new Map(), fresh }) {
      const examples = prompts.map((prompt, i) => exampleOf(prompt, head, i));
      const states = prompts.map((_, i) => known.get(i));
      await rows.read(examples, {
        ...{ signal, progress },
        wanted: (index) => !states[index],
        found: async (read) => {
          const found = new Map(
            [...read].map(([i, own]) => [i, pooled(own, (examples[i] as PackedExample).head)]),
          );
          await fresh?.(found);
          for (const [index, own] of found) states[index] = own;
        },
      });
      return states as Float32Array[];
    },
  };
}

/** A prompt as a packed example: its answer is one token that is never read. */
function exampleOf(prompt: readonly number[], head: number, index: number): PackedExample {
  return { id: `${index}`, group: "all", prompt, answer: [0], head: Math.min(head, prompt.length - 1) };
}
