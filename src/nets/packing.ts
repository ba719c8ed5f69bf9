// Examples packed into rows of one fixed shape, so that one compiled program serves all lengths and little is padding.
// Examples whose prompts begin alike share that beginning: it stands once in a row, every example sees it and none sees
// another, and positions count on from it. A row of several groups shares nothing. The result is what each example alone
// would give.

import { Tensor } from "onnxruntime-node";
import { type AnswerBatch, lengthOf, type TokenExample } from "./answer.js";
import { commonSegment } from "./attention.js";

export interface PackedExample extends TokenExample {
  readonly id: string;
  /** Examples of one group share the first `head` tokens of their prompts. */
  readonly group: string;
  readonly head: number;
  /** The last answer token of every option, where they differ by it alone and are to be compared. */
  readonly rivals?: readonly number[];
}

/** Rows of a block with the examples in each, by index. */
export type Block = readonly (readonly number[])[];

export interface BlockShape {
  readonly rows: number;
  /** Tokens of a row. */
  readonly length: number;
  /** Most examples, and most answer tokens, of any block. */
  readonly examples: number;
  readonly answers: number;
}

/** Where a block's examples lie in its flat rows. */
export interface Span {
  readonly index: number;
  /** First flat place of the row, where the shared beginning stands. */
  readonly row: number;
  readonly head: number;
  /** First flat place, and number, of the tokens that are the example's own. */
  readonly start: number;
  readonly length: number;
}

/** How many examples ahead are looked through for one that still fits a row. */
const lookAhead = 64;

/**
 * Finds for each group the tokens that all its prompts begin with. The last token of a prompt is never among them, for the
 * answer is predicted from it.
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
 * The row length that packs lists of examples, each list in rows of its own, into the least work: a multiple of 32 tokens,
 * at least the longest example and at most `limit` where that suffices.
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

/** What evaluating a row costs beside its tokens, in tokens. */
const rowOverhead = 32;

/**
 * Packs examples, in about the order given, into blocks; the last block may be short. No block holds more examples and answer
 * tokens than the shape says, where it says so.
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
      // Alone of its group: what is left of the row is good for others, each with the whole of its prompt.
      if (row.length === 1) fill(lengthOf);
      block.push(row);
    }
    blocks.push(block);
  }
  return blocks;
}

/**
 * A block as host tensors. `share` is what each example counts in the loss.
 *
 * @throws Error where the shape has no room for the block
 */
export function packBlock(
  examples: readonly PackedExample[],
  block: Block,
  shape: BlockShape,
  share: number,
): { inputs: AnswerBatch<Tensor>; ids: string[]; tokens: number; spans: Span[] } {
  const { length } = shape;
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
      for (let i = 0; i < list.length; i++) positions[at + i] = position + i;
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

/** Typed arrays drop what is written beyond their end, so that this would go unseen. */
function tooBig(found: string, { rows, length, examples, answers }: BlockShape): Error {
  const room = `${rows} rows of ${length} tokens with ${examples} examples and ${answers} answer tokens`;
  return new Error(`A block does not fit its shape: ${found}, and there is room for ${room}`);
}

/** The most examples and answer tokens of any block, rounded up so that trainings of one kind share their programs. */
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

/** The same for any blocks whatever that hold at most `count` of the examples. */
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
