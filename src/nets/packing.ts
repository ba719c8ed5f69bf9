// Packs examples into rows of one fixed shape, so that one compiled program serves all lengths with little padding.
// Examples whose prompts have a common prefix share it: it occurs once in a row, every example sees it but no other example,
// and positions continue from it. A row of several groups shares nothing. Results are the same as for each example alone.

import { Tensor } from "onnxruntime-node";
import { type AnswerBatch, lengthOf, type TokenExample } from "./answer.js";
import { commonSegment } from "./attention.js";

export interface PackedExample extends TokenExample {
  readonly id: string;
  /** Examples of one group share the first `head` tokens of their prompts. */
  readonly group: string;
  readonly head: number;
  /** The last answer token of every option, if options differ only in it and are to be compared. */
  readonly rivals?: readonly number[];
}

/** Rows of a block with the examples in each, by index. */
export type Block = readonly (readonly number[])[];

export interface BlockShape {
  readonly rows: number;
  /** Tokens per row. */
  readonly length: number;
  /** Most examples, and most answer tokens, of any block. */
  readonly examples: number;
  readonly answers: number;
  /** Position of each row's first token; 0 by default. */
  readonly before?: number;
}

/** The place of a block's example in its flat rows. */
export interface Span {
  readonly index: number;
  /** First flat place of the row, where the shared prefix begins. */
  readonly row: number;
  readonly head: number;
  /** First flat place of the example's own tokens; `length` is their number. */
  readonly start: number;
  readonly length: number;
}

/** How many examples ahead to search for one that still fits a row. */
const lookAhead = 64;

/**
 * Finds each group's common prefix of prompts. It never includes a prompt's last token, because the answer is predicted from
 * it.
 */
export function shareHeads<Example extends TokenExample & { group: string }>(
  examples: readonly Example[],
): (Example & { head: number })[] {
  const heads = new Map<string, readonly number[]>();
  for (const { group, prompt } of examples) {
    const known = heads.get(group) ?? prompt.slice(0, -1);
    let same = 0;
    while (same < known.length && same < prompt.length - 1 && known[same] === prompt[same]) same++;
    heads.set(group, known.slice(0, same));
  }
  return examples.map((example) => ({ ...example, head: heads.get(example.group)?.length ?? 0 }));
}

/**
 * The row length that minimizes the work for lists of examples, each packed into its own rows: a multiple of 32 tokens, at
 * least the longest example and at most `limit` if that suffices.
 */
export function rowLengthFor(
  examples: readonly PackedExample[],
  lists: readonly (readonly number[])[],
  limit: number,
): number {
  const grain = 32;
  const longest = examples.reduce((most, one) => Math.max(most, lengthOf(one)), 1);
  const roundUp = (tokens: number) => grain * Math.ceil(tokens / grain);
  const work = (length: number) =>
    lists.reduce((sum, list) => sum + planBlocks(examples, list, { rows: 1, length }).length, 0) *
    (length + rowOverhead);
  let best = roundUp(longest);
  let least = work(best);
  for (let length = best + grain; length <= roundUp(limit); length += grain) {
    const found = work(length);
    if (found < least) [best, least] = [length, found];
  }
  return best;
}

/** Fixed cost of evaluating a row, in tokens. */
const rowOverhead = 32;

/**
 * Packs examples, in roughly the order given, into blocks; the last block may be short. No block exceeds the shape's numbers of
 * examples and answer tokens, if it sets them.
 */
export function planBlocks(
  examples: readonly PackedExample[],
  order: readonly number[],
  shape: Pick<BlockShape, "rows" | "length"> & Partial<BlockShape>,
): Block[] {
  const { rows, length } = shape;
  const pending = [...order];
  const blocks: number[][][] = [];
  while (pending.length > 0) {
    const block: number[][] = [];
    let places = shape.examples ?? Number.POSITIVE_INFINITY;
    let answers = shape.answers ?? Number.POSITIVE_INFINITY;
    const fits = ({ answer }: PackedExample) => places > 0 && answer.length <= answers;
    const take = (at: number): number => {
      const [index] = pending.splice(at, 1) as [number];
      places--;
      answers -= (examples[index] as PackedExample).answer.length;
      return index;
    };
    while (block.length < rows && pending.length > 0) {
      if (block.length > 0 && !fits(examples[pending[0] as number] as PackedExample)) break;
      const first = take(0);
      const { group, head } = examples[first] as PackedExample;
      const row = [first];
      const fill = (cost: (next: PackedExample) => number) => {
        let room = length - lengthOf(examples[first] as PackedExample);
        for (let i = 0; i < Math.min(pending.length, lookAhead); ) {
          const next = examples[pending[i] as number] as PackedExample;
          const more = cost(next);
          if (more > room || !fits(next)) {
            i++;
            continue;
          }
          row.push(take(i));
          room -= more;
        }
      };
      fill((next) => (next.group === group ? lengthOf(next) - head : Number.POSITIVE_INFINITY));
      // If it is the only one of its group, the rest of the row takes other examples, each with its whole prompt.
      if (row.length === 1) fill(lengthOf);
      block.push(row);
    }
    blocks.push(block);
  }
  return blocks;
}

/**
 * A block as host tensors. `share` is each example's weight in the loss.
 *
 * @throws Error if the block does not fit the shape
 */
export function packBlock(
  examples: readonly PackedExample[],
  block: Block,
  shape: BlockShape,
  share: number,
): { inputs: AnswerBatch<Tensor>; ids: string[]; tokens: number; spans: Span[] } {
  const { length, before = 0 } = shape;
  const count = block.flat().length;
  if (count > shape.examples) throw tooBig(`${count} examples`, shape);
  if (answersOf(examples, block) > shape.answers)
    throw tooBig(`${answersOf(examples, block)} answer tokens`, shape);
  const size = shape.rows * length;
  const tokens = new Int32Array(size);
  const segments = new Int32Array(size);
  const positions = new Int32Array(size);
  const places = new Int32Array(shape.answers);
  const targets = new Int32Array(shape.answers);
  const owners = new Int32Array(shape.answers).fill(-1);
  const shares = new Float32Array(shape.examples);
  const most = examples.reduce((count, one) => Math.max(count, one.rivals?.length ?? 0), 0);
  const rivals = new Int32Array(shape.answers * most).fill(-1);
  const ids: string[] = [];
  const spans: Span[] = [];
  let answers = 0;
  let used = 0;
  for (const [r, row] of block.entries()) {
    const start = r * length;
    const { group, head: common } = examples[row[0] as number] as PackedExample;
    const head = row.every((index) => examples[index]?.group === group) ? common : 0;
    let at = start;
    const put = (list: readonly number[], segment: number, position: number) => {
      tokens.set(list, at);
      segments.fill(segment, at, at + list.length);
      for (let i = 0; i < list.length; i++) positions[at + i] = before + position + i;
      at += list.length;
    };
    put(examples[row[0] as number]?.prompt.slice(0, head) as number[], commonSegment, 0);
    for (const [i, index] of row.entries()) {
      const { id, prompt, answer, rivals: own = [] } = examples[index] as PackedExample;
      const from = at;
      put(prompt.slice(head), commonSegment + 1 + i, head);
      const last = at - 1;
      put(answer.slice(0, -1), commonSegment + 1 + i, prompt.length);
      for (const [t, token] of answer.entries()) {
        places[answers] = last + t;
        targets[answers] = token;
        owners[answers] = ids.length;
        rivals.set(own, answers * most);
        answers++;
      }
      spans.push({ index, row: start, head, start: from, length: at - from });
      shares[ids.length] = share;
      ids.push(id);
    }
    if (at - start > length) throw tooBig(`a row of ${at - start} tokens`, shape);
    used += at - start;
  }
  const int = (data: Int32Array, ...dims: number[]) => new Tensor("int32", data, dims);
  return {
    ids,
    spans,
    tokens: used,
    inputs: {
      tokens: int(tokens, shape.rows, length),
      places: int(places, shape.answers),
      targets: int(targets, shape.answers),
      owners: int(owners, shape.answers),
      ...(most > 0 ? { rivals: int(rivals, shape.answers, most) } : {}),
      shares: new Tensor("float32", shares, [shape.examples]),
      packing: { segments: int(segments, shape.rows, length), positions: int(positions, shape.rows, length) },
    },
  };
}

/** The error for a block that does not fit; typed arrays silently ignore writes beyond their end. */
function tooBig(found: string, { rows, length, examples, answers }: BlockShape): Error {
  const room = `${rows} rows of ${length} tokens with ${examples} examples and ${answers} answer tokens`;
  return new Error(`A block does not fit its shape: ${found}, and there is room for ${room}`);
}

/** The most examples and answer tokens of any block, rounded up so that similar trainings share their programs. */
export function largest(
  examples: readonly PackedExample[],
  blocks: readonly Block[],
): Pick<BlockShape, "examples" | "answers"> {
  return roomFor(
    blocks.reduce((most, block) => Math.max(most, block.flat().length), 1),
    blocks.reduce((most, block) => Math.max(most, answersOf(examples, block)), 1),
  );
}

function answersOf(examples: readonly PackedExample[], block: Block): number {
  return block.flat().reduce((sum, i) => sum + (examples[i]?.answer.length as number), 0);
}

/** The same for any possible blocks of at most `count` examples. */
export function largestOf(
  examples: readonly PackedExample[],
  count: number,
): Pick<BlockShape, "examples" | "answers"> {
  const longest = examples.map(({ answer }) => answer.length).sort((a, b) => b - a);
  return roomFor(
    count,
    longest.slice(0, count).reduce((sum, tokens) => sum + tokens, 0),
  );
}

function roomFor(examples: number, answers: number): Pick<BlockShape, "examples" | "answers"> {
  return { examples: 8 * Math.ceil(examples / 8), answers: 8 * Math.ceil(answers / 8) };
}
