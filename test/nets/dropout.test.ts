// Dropout's masks: the share that they drop, what they leave on average, independence within and between matrices, and the
// gradient through them.

import { numpy as np } from "@jax-js/jax";
import type { Tensor } from "onnxruntime-node";
import { beforeAll, describe, expect, it } from "vitest";
import { randomFor } from "../../src/core/random.js";
import { type Dropout, drawDropout, dropped, keptByDropout } from "../../src/nets/changes/dropout.js";
import { lora, matricesOf } from "../../src/nets/changes/lora.js";
import { startWasm, tinyConfig, toArray, toArrays } from "./tiny.js";

beforeAll(startWasm);

const config = { ...tinyConfig("llama"), width: 96, hidden: 160 };
const names = matricesOf(config);
const drawFor = (seed: number, share = 0.1, places = 64) =>
  drawDropout(config, names, share, places, randomFor(seed, "test"));

/** The mask of one matrix, row by row: what is multiplied with its input. */
function maskOf({ rows, order }: Dropout<Tensor>, name: string): Float32Array[] {
  const width = /ffn_down/.test(name) ? config.hidden : /attn_output/.test(name) ? 16 : config.width;
  const bank = rows[width]!.data as Float32Array;
  const places = order.dims[1] as number;
  const own = (order.data as Int32Array).subarray(
    names.indexOf(name) * places,
    (names.indexOf(name) + 1) * places,
  );
  return [...own].map((row) => bank.subarray(row * width, (row + 1) * width));
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

function correlation(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [mean(a), mean(b)];
  const cov = mean(a.map((value, i) => (value - x) * ((b[i] as number) - y)));
  const variance = (list: readonly number[], at: number) => mean(list.map((value) => (value - at) ** 2));
  return cov / Math.sqrt(variance(a, x) * variance(b, y));
}

describe("masks", () => {
  it.each([0.05, 0.1, 0.5])("drop a share of %f and scale the rest up", (share) => {
    for (const name of ["blk.0.attn_q.weight", "blk.1.ffn_down.weight"]) {
      const flat = maskOf(drawFor(1, share), name).flatMap((row) => [...row]);
      const zeros = flat.filter((value) => value === 0).length / flat.length;
      // Four standard errors of a share over 6,144 numbers or more.
      expect(Math.abs(zeros - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / flat.length));
      for (const value of flat) if (value !== 0) expect(value).toBeCloseTo(1 / (1 - share), 6);
    }
  });

  it("leave the input as it is on average, at every place and channel", () => {
    const draws = 600;
    const sums = new Float64Array(8 * config.width);
    for (let seed = 0; seed < draws; seed++) {
      const rows = maskOf(drawFor(seed, 0.2, 8), "blk.0.ffn_up.weight");
      for (const [r, row] of rows.entries())
        for (const [c, value] of row.entries())
          sums[r * config.width + c] = sums[r * config.width + c]! + value;
    }
    // A kept value is 1.25, so that one draw's standard deviation is 0.5; five standard errors over 768 places.
    for (const sum of sums) expect(Math.abs(sum / draws - 1)).toBeLessThan((5 * 0.5) / Math.sqrt(draws));
  });

  it("give no two places of a matrix the same row, and each matrix an order of its own", () => {
    const drawn = drawFor(3);
    const places = drawn.order.dims[1] as number;
    const orders = names.map((_, i) => [
      ...(drawn.order.data as Int32Array).slice(i * places, (i + 1) * places),
    ]);
    for (const order of orders) expect([...order].sort((a, b) => a - b)).toEqual([...order.keys()]);
    expect(new Set(orders.map((order) => order.join())).size).toBe(names.length);
    // No order is another one turned by some places: the differences are not all the same.
    const [one, other] = orders as [number[], number[]];
    expect(new Set(one.map((row, i) => (row - (other[i] as number) + places) % places)).size).toBeGreaterThan(
      10,
    );
  });

  it("are independent of each other between places, channels and matrices", () => {
    const drawn = drawFor(4, 0.3, 256);
    const q = maskOf(drawn, "blk.0.attn_q.weight").map((row) => [...row]);
    const k = maskOf(drawn, "blk.0.attn_k.weight").map((row) => [...row]);
    const flat = q.flat();
    const shifted = (rows: number[][], by: number) => rows.flatMap((_, i) => rows[(i + by) % rows.length]!);
    const moved = q.flatMap((row) => [...row.slice(7), ...row.slice(0, 7)]);
    // Standard error of a correlation over 24,576 pairs is 0.0064; a shared row adds 1 / 256.
    for (const other of [shifted(q, 1), shifted(q, 5), moved, k.flat(), shifted(k, 1)])
      expect(Math.abs(correlation(flat, other))).toBeLessThan(0.03);
    // Three channels together drop as often as three draws do: pairs alone would not say it.
    const triples = q.filter((row) => row[0] === 0 && row[1] === 0 && row[2] === 0).length / q.length;
    expect(Math.abs(triples - 0.027)).toBeLessThan(4 * Math.sqrt(0.027 / q.length));
  });

  it("are the same for a seed, and others for another", () => {
    expect(drawFor(5)).toEqual(drawFor(5));
    const other = drawFor(6);
    expect(drawFor(5).order.data).not.toEqual(other.order.data);
    expect(drawFor(5).rows["96"]!.data).not.toEqual(other.rows["96"]!.data);
  });
});

describe("what a matrix reads", () => {
  const arrays = ({ rows, order }: Dropout<Tensor>): Dropout => ({
    rows: toArrays(rows),
    order: toArray(order),
  });

  it("is its input times its mask, also where there are fewer rows than places", () => {
    const drawn = drawFor(7);
    for (const [name, count] of [
      ["blk.0.attn_v.weight", 64],
      ["blk.1.ffn_down.weight", 5],
    ] as const) {
      const width = name.includes("down") ? 160 : 96;
      const x = np
        .arange(count * width)
        .astype(np.float32)
        .reshape([count, width]);
      const found = dropped(arrays(drawn), names.indexOf(name), x).dataSync();
      const mask = maskOf(drawn, name)
        .slice(0, count)
        .flatMap((row) => [...row]);
      for (let i = 0; i < found.length; i++) expect(found[i]).toBeCloseTo(i * mask[i]!, 1);
    }
  });

  it("changes the added product alone, which is the undropped one with a share of 0", () => {
    const name = "blk.0.attn_q.weight";
    const x = np.ones([4, 96]);
    const pair = () => ({ [`${name}.lora_a`]: np.ones([2, 96]), [`${name}.lora_b`]: np.ones([16, 2]) });
    const added = (share: number) => {
      const drawn = arrays(drawFor(8, share));
      const { linear } = lora({ rank: 2, alpha: 2 }, pair(), { drawn, names });
      return linear?.(name, x.ref, np.zeros([4, 16])).dataSync() as Float32Array;
    };
    expect([...added(0)]).toEqual(new Array(64).fill(2 * 96));
    const mask = maskOf(drawFor(8, 0.4), name);
    for (const [i, value] of added(0.4).entries())
      expect(value).toBeCloseTo(2 * mask[Math.floor(i / 16)]!.reduce((a, b) => a + b, 0), 3);
  });
});

it("is reckoned with what it keeps of each token", () => {
  // Of two blocks: q, k, v, gate and up read 96, the attention's output 16, down 160.
  expect(keptByDropout(config, names)).toBe(2 * 2 * (5 * 96 + 16 + 160) + (96 + 16 + 160) + 14);
});
