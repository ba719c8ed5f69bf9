// Reads states of token sequences from a frozen model through ONNX Runtime. The beginning that all of them have in common is
// evaluated once, and its keys and values are kept for what follows it, which is packed into rows. Lengths are rounded up in
// steps, so that few programs are compiled.

import type { numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { HoneError } from "../../../core/errors.js";
import { freeMemory } from "../../../core/memory.js";
import type { LanguageModel, OpenWeights } from "../../../core/model.js";
import { lengthOf } from "../../../nets/answer.js";
import type { Beginning } from "../../../nets/attention.js";
import { netConfig } from "../../../nets/config.js";
import {
  type Block,
  largest,
  type PackedExample,
  packBlock,
  planBlocks,
  rowLengthFor,
} from "../../../nets/packing.js";
import { beginningOf, type StatesBatch, statesBefore } from "../../../nets/states.js";
import { parameterCount } from "../../../nets/weights.js";
import { type Compiled, compile, type Tensors } from "../../../tensor/compile.js";
import { readGguf } from "../../../tensor/gguf.js";
import { hasWeights, sharedWeights } from "../weights.js";

/** States of an example's tokens at each depth, [tokens, width]: of the prompt and of all but the last of the answer. */
export type TokenStates = readonly Float32Array[];

export interface FrozenRows {
  /** Layers before which states are read, and numbers in a state. */
  readonly depths: readonly number[];
  readonly width: number;
  /** Reads examples in blocks; a block is computed only if an example in it is wanted. */
  read(examples: readonly PackedExample[], watch: Watch): Promise<void>;
  /** Reads a single example. With `keep`, its head is evaluated once for all that begin with it, unless another one is kept already. */
  one(example: PackedExample, keep: boolean): Promise<TokenStates>;
}

export interface Watch {
  signal: AbortSignal;
  /** Receives the number of examples that are done, after each block that was computed. */
  progress: (done: number, total: number) => void;
  wanted: (index: number) => boolean;
  /** Receives the states of all examples of a computed block, by index. */
  found: (read: ReadonlyMap<number, TokenStates>) => Promise<void>;
}

const readers = new WeakMap<LanguageModel, Map<string, Promise<FrozenRows>>>();

/** A reader of the states before the given layers, ascending; created once per model and layers, and kept as long as the model. */
export function frozenRows(
  model: LanguageModel,
  weights: OpenWeights,
  depths: readonly number[],
): Promise<FrozenRows> {
  const own = readers.get(model) ?? new Map<string, Promise<FrozenRows>>();
  readers.set(model, own);
  const key = depths.join();
  const known = own.get(key);
  if (known) return known;
  const opened = open(model, weights, depths);
  own.set(key, opened);
  opened.catch(() => own.delete(key));
  return opened;
}

/** Most tokens of a row, unless an example is longer: in longer ones, attention to other examples' tokens, all masked, costs more. */
const rowTokens = 256;
/** Tokens that are evaluated together. */
const blockTokens = 512;

async function open(
  model: LanguageModel,
  { path }: OpenWeights,
  depths: readonly number[],
): Promise<FrozenRows> {
  const gguf = readGguf(path);
  const config = netConfig(gguf);
  if (!hasWeights(model)) checkReading(gguf.path, 4 * parameterCount(config), freeMemory());
  const everything = await sharedWeights(model, gguf, config);
  const deepest = depths.at(-1) ?? 0;
  const used = Object.fromEntries(
    Object.entries(everything).filter(([name]) => {
      const [, layer] = /^blk\.(\d+)\./.exec(name) ?? [];
      return layer === undefined ? name === "token_embd.weight" : Number(layer) < deepest;
    }),
  );
  const program: Compiled<[Tensors, Tensors], Tensor[]> = compile(
    (weights, batch: StatesBatch) => statesBefore(config, weights, batch, depths),
    { name: "a frozen model's states" },
  );
  const opening: Compiled<[Tensors, Tensor], { states: Tensor[]; layers: Beginning<Tensor>[] }> = compile(
    (weights, tokens: np.Array) => beginningOf(config, weights, tokens, depths),
    { name: "the beginning of prompts" },
  );
  const { width } = config;

  let latest: { tokens: string; states: Tensor[]; layers: Beginning<Tensor>[] } | undefined;
  const begun = async (head: readonly number[]) => {
    const tokens = head.join();
    if (latest?.tokens !== tokens) {
      // Programs are compiled for one length of the beginning: those of the last one are not kept.
      if (latest) await Promise.all([opening.release(), program.release()]);
      const row = new Tensor("int32", Int32Array.from(head), [1, head.length]);
      latest = { tokens, ...(await opening(used, row)) };
    }
    return latest;
  };

  /** Reads a block of examples from which the beginning was taken away; what it returns has it. */
  const run = async (
    head: readonly number[],
    rest: readonly PackedExample[],
    block: Block,
    shape: { rows: number; length: number },
  ): Promise<Map<number, TokenStates>> => {
    const before = head.length;
    const { inputs, spans } = packBlock(rest, block, { ...shape, ...largest(rest, [block]), before }, 0);
    const beginning = before > 0 ? await begun(head) : undefined;
    const found = await program(used, {
      tokens: inputs.tokens,
      packing: inputs.packing as { segments: Tensor; positions: Tensor },
      ...(beginning ? { beginning: beginning.layers } : {}),
    });
    const slice = ({ data }: Tensor, at: number, tokens: number) =>
      (data as Float32Array).subarray(at * width, (at + tokens) * width);
    const read = new Map<number, TokenStates>();
    for (const { index, row, head: inRow, start, length } of spans) {
      const own = found.map((tensor, d) => {
        const states = new Float32Array((before + inRow + length) * width);
        if (beginning) states.set(slice(beginning.states[d] as Tensor, 0, before));
        states.set(slice(tensor, row, inRow), before * width);
        states.set(slice(tensor, start, length), (before + inRow) * width);
        return states;
      });
      read.set(index, own);
    }
    return read;
  };

  const alone = oneAtATime();
  return {
    depths,
    width,
    one: async (example, keep) => {
      const whole = example.prompt.slice(0, example.head);
      const head = keep && (!latest || latest.tokens === whole.join()) ? whole : [];
      const rest = without(head.length, example);
      const shape = { rows: 1, length: roomy(lengthOf(rest)) };
      return (await alone(() => run(head, [rest], [[0]], shape))).get(0) as TokenStates;
    },
    async read(examples, { signal, progress, wanted, found }) {
      const head = commonHead(examples);
      const rest = examples.map((example) => without(head.length, example));
      const everyone = [...rest.keys()];
      const length = rowLengthFor(rest, [everyone], rowTokens);
      const blocks = planBlocks(rest, everyone, {
        rows: Math.max(1, Math.floor(blockTokens / length)),
        length,
      });
      const rows = blocks.reduce((most, block) => Math.max(most, block.length), 1);
      let done = 0;
      for (const block of blocks) {
        done += block.flat().length;
        if (!block.flat().some(wanted)) continue;
        signal.throwIfAborted();
        await found(await alone(() => run(head, rest, block, { rows, length })));
        progress(done, examples.length);
      }
    },
  };
}

/** The tokens with which every example's head begins. */
function commonHead(examples: readonly PackedExample[]): readonly number[] {
  const [first] = examples;
  if (!first) return [];
  const same = examples.reduce((most, { prompt, head }) => {
    let at = 0;
    while (at < Math.min(most, head) && prompt[at] === first.prompt[at]) at++;
    return at;
  }, first.head);
  return first.prompt.slice(0, same);
}

function without(head: number, example: PackedExample): PackedExample {
  return { ...example, prompt: example.prompt.slice(head), head: example.head - head };
}

/** Approximate memory that reading takes in addition to the weights. */
const workBytes = 2 ** 28;

/**
 * Refuses a model whose weights do not fit into memory as float32, before any is read.
 * @throws HoneError with what it would take
 */
export function checkReading(path: string, weightBytes: number, free: number): void {
  const needed = weightBytes + workBytes;
  if (needed <= 0.9 * free) return;
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  throw new HoneError({
    what: "This model is too large to read its states on this machine",
    where: path,
    why: `its weights as float32 take about ${gib(needed)}; ${gib(free)} are free`,
    next: "Take a smaller model; `hone doctor` says which fit.",
    kind: "usage",
  });
}

/** Runs work one piece at a time, because each takes all cores. */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
}

/** Rounds a length up to one of a few per octave, so that few shapes are compiled. */
function roomy(tokens: number): number {
  const steps = [32, 48];
  for (let scale = 1; ; scale *= 2) {
    for (const step of steps) if (tokens <= step * scale) return step * scale;
  }
}
