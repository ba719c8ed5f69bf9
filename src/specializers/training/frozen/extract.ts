// Reads pooled states of prompts from a frozen model through ONNX Runtime. The beginning that prompts have in common is evaluated
// once, and its keys and values are kept for all that follow it: prompts of a fit, packed into rows without it, or single ones,
// each in a row of its own. Lengths of single ones are rounded up in steps, so that few programs are compiled.

import type { numpy as np } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { HoneError } from "../../../core/errors.js";
import { freeMemory } from "../../../core/memory.js";
import type { LanguageModel, OpenWeights } from "../../../core/model.js";
import type { Beginning } from "../../../nets/attention.js";
import { netConfig } from "../../../nets/config.js";
import {
  type Block,
  type PackedExample,
  packBlock,
  planBlocks,
  rowLengthFor,
} from "../../../nets/packing.js";
import { beginningOf, pooledStates, type StatesBatch } from "../../../nets/states.js";
import { parameterCount } from "../../../nets/weights.js";
import { type Compiled, compile, type Tensors } from "../../../tensor/compile.js";
import { readGguf } from "../../../tensor/gguf.js";
import { hasWeights, sharedWeights } from "../finetune/bench.js";

/** What is read of a prompt at each depth: the mean over its own tokens, then the last token's state. */
export const pools = ["mean", "last"] as const;

export interface StateReader {
  /** Layers before which states are read, and numbers in a state. */
  readonly depths: readonly number[];
  readonly width: number;
  /** Reads a single prompt: depth by depth, mean then last, [depths · 2 · width]. */
  one(prompt: readonly number[], head: number): Promise<Float32Array>;
  /**
   * The same for many prompts whose first `head` tokens are equal. `known` are states from before; a row is computed only if
   * one of its prompts is unknown. `fresh` receives the states of each computed row.
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

const readers = new WeakMap<LanguageModel, Map<string, Promise<StateReader>>>();

/**
 * A reader of the states before the given layers, ascending; created once per model and set of layers, and kept as long as
 * the model.
 */
export function sharedReader(
  model: LanguageModel,
  weights: OpenWeights,
  depths: readonly number[],
): Promise<StateReader> {
  const own = readers.get(model) ?? new Map<string, Promise<StateReader>>();
  readers.set(model, own);
  const key = depths.join();
  const known = own.get(key);
  if (known) return known;
  const opened = openStates(model, weights, depths);
  own.set(key, opened);
  opened.catch(() => own.delete(key));
  return opened;
}

/** Most tokens of a packed row, unless a prompt is longer: in longer ones, attention to other prompts' tokens, all masked, costs more. */
const rowTokens = 256;
/** Tokens that are evaluated together. */
const blockTokens = 512;

async function openStates(
  model: LanguageModel,
  { path }: OpenWeights,
  depths: readonly number[],
): Promise<StateReader> {
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
    (weights, batch: StatesBatch) => pooledStates(config, weights, batch, depths),
    { name: "a frozen model's states" },
  );
  const opening: Compiled<[Tensors, Tensor], Beginning<Tensor>[]> = compile(
    (weights, tokens: np.Array) => beginningOf(config, weights, tokens, deepest),
    { name: "the beginning of prompts" },
  );
  const { width } = config;
  const size = depths.length * pools.length * width;

  let latest: { tokens: string; read: Beginning<Tensor>[] } | undefined;
  /** Keys and values of a beginning; those of the latest one are kept. */
  const begun = async (head: readonly number[]): Promise<Beginning<Tensor>[]> => {
    const tokens = head.join();
    if (latest?.tokens !== tokens) {
      const row = new Tensor("int32", Int32Array.from(head), [1, head.length]);
      latest = { tokens, read: await opening(used, row) };
    }
    return latest.read;
  };

  /** Runs a block of examples, which follow a beginning; returns the states of each by its index. */
  const run = async (
    head: readonly number[],
    examples: readonly PackedExample[],
    block: Block,
    shape: { rows: number; length: number; room: number },
  ): Promise<Map<number, Float32Array>> => {
    const { rows, length, room } = shape;
    const packed = { rows, length, examples: room, answers: room, before: head.length };
    const { inputs, spans } = packBlock(examples, block, packed, 0);
    const places = rows * length;
    const pool = new Float32Array(2 * room * places);
    for (const [i, { start, length: own }] of spans.entries()) {
      pool.fill(1 / own, 2 * i * places + start, 2 * i * places + start + own);
      pool[(2 * i + 1) * places + start + own - 1] = 1;
    }
    const batch = {
      tokens: inputs.tokens,
      packing: inputs.packing as { segments: Tensor; positions: Tensor },
      ...(head.length > 0 ? { beginning: await begun(head) } : {}),
      pool: new Tensor("float32", pool, [2 * room, places]),
    };
    const found = await program(used, batch);
    const read = new Map<number, Float32Array>();
    for (const [i, { index }] of spans.entries()) {
      const states = new Float32Array(size);
      for (const [d, { data }] of found.entries()) {
        const from = 2 * i * width;
        states.set((data as Float32Array).subarray(from, from + 2 * width), d * 2 * width);
      }
      read.set(index, states);
    }
    return read;
  };

  const alone = oneAtATime();
  return {
    depths,
    width,
    size,
    kept: new Map(),
    async one(prompt, head) {
      const own = Math.min(head, prompt.length - 1);
      const rest = prompt.slice(own);
      const shape = { rows: 1, length: roomy(rest.length), room: 1 };
      const found = await alone(() => run(prompt.slice(0, own), [exampleOf(rest, 0)], [[0]], shape));
      return found.get(0) as Float32Array;
    },
    async all(prompts, most, { signal, progress, known = new Map(), fresh }) {
      const own = prompts.reduce((least, { length }) => Math.min(least, length - 1), most);
      const head = prompts[0]?.slice(0, own) ?? [];
      const examples = prompts.map((prompt, i) => exampleOf(prompt.slice(own), i));
      const everyone = [...examples.keys()];
      const length = rowLengthFor(examples, [everyone], rowTokens);
      const rows = Math.max(1, Math.floor(blockTokens / length));
      const blocks = planBlocks(examples, everyone, { rows, length });
      const fullest = blocks.reduce((most, block) => Math.max(most, block.flat().length), 1);
      const room = 8 * Math.ceil(fullest / 8);
      const states = new Array<Float32Array>(prompts.length);
      let done = 0;
      for (const block of blocks) {
        signal.throwIfAborted();
        const all = block.flat();
        if (all.every((index) => known.has(index))) {
          for (const index of all) states[index] = known.get(index) as Float32Array;
        } else {
          const read = await alone(() => run(head, examples, block, { rows, length, room }));
          await fresh?.(read);
          for (const [index, found] of read) states[index] = found;
        }
        done += all.length;
        progress(done, prompts.length);
      }
      return states;
    },
  };
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

/** A prompt's own tokens as a packed example: its answer is one token that is never read. */
function exampleOf(prompt: readonly number[], index: number): PackedExample {
  return { id: `${index}`, group: "all", prompt, answer: [0], head: 0 };
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
export function roomy(tokens: number): number {
  const steps = [32, 48];
  for (let scale = 1; ; scale *= 2) {
    for (const step of steps) if (tokens <= step * scale) return step * scale;
  }
}
