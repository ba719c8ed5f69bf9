// Rows of one shape: what is planned for a shape fits it whatever part of the examples it is, and what does not fit is refused.

import { expect, it } from "vitest";
import {
  type Block,
  largest,
  packBlock,
  planBlocks,
  rowLengthFor,
  shareHeads,
} from "../../src/nets/packing.js";

// Long examples first and short ones last: together a row holds a long one and some short ones, apart many short ones.
const examples = shareHeads(
  Array.from({ length: 80 }, (_, i) => ({
    id: `${i}`,
    group: "g",
    prompt: Array.from({ length: i % 2 === 0 && i < 60 ? 60 : 4 }, (_, t) => 1 + ((i * 7 + t) % 50)),
    answer: i % 3 === 0 ? [5, 6] : [5],
  })),
);
const all = [...examples.keys()];
const size = { rows: 2, length: rowLengthFor(examples, [all], 128) };
const cover = planBlocks(examples, all, size);
const shape = { ...size, ...largest(examples, cover) };
const short = all.filter((i) => examples[i]?.prompt.length === 4);

it("plans no block of a part of the examples that a shape for all of them has no room for", () => {
  const free = planBlocks(examples, short, size);
  expect(Math.max(...free.map((block) => block.flat().length))).toBeGreaterThan(shape.examples);
  const blocks = planBlocks(examples, short, shape);
  expect(blocks.flat(2).sort((a, b) => a - b)).toEqual(short);
  for (const block of blocks) {
    expect(block.flat().length).toBeLessThanOrEqual(shape.examples);
    const { inputs, ids } = packBlock(examples, block, shape, 1);
    expect(Math.max(...(inputs.owners.data as Int32Array))).toBe(ids.length - 1);
  }
  expect(planBlocks(examples, all, shape)).toEqual(cover);
});

it("keeps to a shape's answer tokens as to its examples", () => {
  for (const block of planBlocks(examples, short, { ...shape, answers: 8 }))
    expect(
      block.flat().reduce((sum, i) => sum + (examples[i]?.answer.length as number), 0),
    ).toBeLessThanOrEqual(8);
});

it("refuses a block that its shape has no room for", () => {
  const [block] = planBlocks(examples, short, size) as [Block];
  expect(() => packBlock(examples, block, shape, 1)).toThrow(/does not fit/);
  expect(() => packBlock(examples, [[0]], { ...shape, length: 32 }, 1)).toThrow(/does not fit/);
});
