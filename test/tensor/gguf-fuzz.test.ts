// Ten thousand broken model files, the same ones every time: each is read, or is one HoneError. Never another exception,
// never much memory, never a long wait. GGUF models, GGUF adapters and safetensors files, with all their weights.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import { randomFor } from "../../src/core/random.js";
import { ggmlTypes, readGguf } from "../../src/tensor/gguf.js";
import { readTensor } from "../../src/tensor/gguf-tensors.js";
import { copyGguf, writeLoraGguf } from "../../src/tensor/gguf-write.js";
import { readSafetensor, readSafetensors } from "../../src/tensor/safetensors.js";
import { ggufBytes, type Made } from "../models/llama-make.js";
import { safetensorsBytes } from "./safetensors-make.js";

const folder = mkdtempSync(join(tmpdir(), "hone-fuzz-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

const cases = 3400;
/** Bytes that all cases of a file together may take beyond what the process had before. */
const mostBytes = 200e6;
/** Milliseconds for one case; a busy machine takes a few. */
const mostMs = 20_000;

type Random = () => number;
const below = (random: Random, n: number): number => Math.floor(random() * n);
const pick = <T>(random: Random, from: readonly T[]): T => from[below(random, from.length)] as T;

/** Where a reader's arithmetic could go wrong. */
const edges = [
  ...[0n, 1n, 2n, 31n, 33n, 255n, 2n ** 16n, 2n ** 24n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n - 1n, 2n ** 32n],
  ...[2n ** 40n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 62n, 2n ** 63n - 1n, 2n ** 63n],
  ...[2n ** 64n - 32n, 2n ** 64n - 1n],
];

/** A field of the file that decides how others are read. */
interface Field {
  at: number;
  bytes: 4 | 8;
}

/** Changes that make sense for any file: its bits, its length, its parts, and the numbers in its fields. */
function mutate(whole: Buffer, header: number, fields: readonly Field[], random: Random): Buffer {
  let bytes = Buffer.from(whole);
  for (let rounds = pick(random, [1, 1, 2, 3]); rounds > 0; rounds--) {
    const place = below(random, Math.min(random() < 0.8 ? header : bytes.length, bytes.length));
    switch (below(random, 12)) {
      case 0:
      case 10:
      case 11:
        if (bytes.length > place) bytes[place] = (bytes[place] as number) ^ (1 << below(random, 8));
        break;
      case 1:
        bytes = bytes.subarray(0, place);
        break;
      case 2: {
        const cut = below(random, 40);
        bytes = Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + cut)]);
        break;
      }
      case 3: {
        // A piece a second time: keys and tensors that occur twice, lists that are longer than they say.
        const from = below(random, header);
        const piece = bytes.subarray(from, from + below(random, 120));
        bytes = Buffer.concat([bytes.subarray(0, place), piece, bytes.subarray(place)]);
        break;
      }
      case 4:
        if (place + 8 <= bytes.length) bytes.writeBigUInt64LE(pick(random, edges), place);
        break;
      default: {
        const { at, bytes: width } = pick(random, fields);
        if (at + width > bytes.length) break;
        if (width === 8) bytes.writeBigUInt64LE(pick(random, edges), at);
        else if (random() < 0.7) bytes.writeUInt32LE(below(random, 42), at);
        else bytes.writeUInt32LE(Number(pick(random, edges) & 0xffffffffn), at);
      }
    }
  }
  return bytes;
}

/** Counts, lengths, types, shapes and offsets of a valid GGUF file. */
function ggufFields(path: string): Field[] {
  const whole = readFileSync(path);
  const gguf = readGguf(path);
  const fields: Field[] = [
    { at: 4, bytes: 4 },
    { at: 8, bytes: 8 },
    { at: 16, bytes: 8 },
  ];
  for (const [key, [start]] of gguf.spans) {
    const type = start + 8 + Buffer.byteLength(key);
    fields.push({ at: start, bytes: 8 }, { at: type, bytes: 4 }, { at: type + 4, bytes: 4 });
    fields.push({ at: type + 8, bytes: 8 });
  }
  for (const { name, shape } of gguf.tensors) {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(name.length));
    const start = whole.indexOf(Buffer.concat([length, Buffer.from(name)]));
    const rank = start + 8 + name.length;
    fields.push({ at: start, bytes: 8 }, { at: rank, bytes: 4 });
    for (let i = 0; i < shape.length; i++) fields.push({ at: rank + 4 + 8 * i, bytes: 8 });
    const type = rank + 4 + 8 * shape.length;
    fields.push({ at: type, bytes: 4 }, { at: type + 4, bytes: 8 });
  }
  return fields;
}

interface Tally {
  read: number;
  refused: number;
  /** The refusals' reasons, without names and numbers. */
  reasons: Set<string>;
  slowestMs: number;
}

/** Makes every case, reads it and counts; throws for what is neither read nor a HoneError. */
async function fuzz(
  make: (random: Random) => Buffer,
  read: (path: string, i: number) => Promise<void>,
): Promise<Tally> {
  const tally: Tally = { read: 0, refused: 0, reasons: new Set(), slowestMs: 0 };
  const path = at("case");
  for (let i = 0; i < cases; i++) {
    // A new file each time: some file systems flush one that is overwritten to the disk.
    rmSync(path, { force: true });
    writeFileSync(path, make(randomFor(i, "fuzz")));
    const started = performance.now();
    try {
      await read(path, i);
      tally.read++;
    } catch (error) {
      if (!(error instanceof HoneError)) throw new Error(`case ${i} is no HoneError`, { cause: error });
      tally.refused++;
      tally.reasons.add((error.failure.why ?? "").replace(/"(\\.|[^"\\])*"|[-\d.]+/g, "_").slice(0, 40));
    }
    tally.slowestMs = Math.max(tally.slowestMs, performance.now() - started);
  }
  return tally;
}

async function expectSafe(run: () => Promise<Tally>, { reasons }: { reasons: number }): Promise<void> {
  // The process's highest memory ever, so that nothing between two looks is missed, nor what other files took before counted; in KiB.
  const before = process.resourceUsage().maxRSS * 1024;
  const tally = await run();
  expect(process.resourceUsage().maxRSS * 1024 - before).toBeLessThan(mostBytes);
  expect(tally.slowestMs).toBeLessThan(mostMs);
  expect(tally.read + tally.refused).toBe(cases);
  // A fuzzer whose files are all refused at the door, or all read, tests nothing.
  expect(tally.read).toBeGreaterThan(cases / 15);
  expect(tally.refused).toBeGreaterThan(cases / 5);
  expect(tally.reasons.size).toBeGreaterThanOrEqual(reasons);
}

async function readWholeGguf(path: string, i: number): Promise<void> {
  const gguf = readGguf(path);
  let refused: unknown;
  for (const { name } of gguf.tensors) {
    // One tensor of a type that cannot be read must not keep the others from being tried.
    await readTensor(gguf, name).catch((error: unknown) => {
      if (!(error instanceof HoneError)) throw error;
      refused = error;
    });
  }
  if (i % 200 === 0) {
    await copyGguf(gguf, at("copy"), {});
    expect(readGguf(at("copy")).tensors.length).toBe(gguf.tensors.length);
  }
  if (refused) throw refused;
}

describe("ten thousand broken files", { timeout: 300_000 }, () => {
  it("of a GGUF model with tensors of every type", async () => {
    const fixture = JSON.parse(
      readFileSync(join(import.meta.dirname, "fixtures/dequantize.json"), "utf8"),
    ) as { blocks: Record<string, { bytes: string }> };
    const made: Made = {
      magic: "GGUF",
      version: 3,
      metadata: [
        ["general.architecture", { type: "string", value: "llama" }],
        ["general.alignment", { type: "u32", value: 32 }],
        ["llama.rope.freq_base", { type: "f32", value: 1e4 }],
        ["tokenizer.ggml.tokens", { type: "strings", value: ["a", "b", "漢"] }],
        ["tokenizer.ggml.token_type", { type: "i32s", value: [1, 1, 3] }],
        ["tokenizer.ggml.add_bos_token", { type: "bool", value: true }],
      ],
      tensors: Object.entries(ggmlTypes).flatMap(([type, [name, weights, blockBytes]]) => {
        const block = fixture.blocks[name];
        if (!block) return [];
        const data = Buffer.from(block.bytes, "base64");
        return [{ name, type: Number(type), data, shape: [weights, data.length / blockBytes] }];
      }),
    };
    const whole = ggufBytes(made);
    writeFileSync(at("model"), whole);
    const fields = ggufFields(at("model"));
    const header = readGguf(at("model")).dataStart;
    expect(readGguf(at("model")).tensors).toHaveLength(11);
    const run = () => fuzz((random) => mutate(whole, header, fields, random), readWholeGguf);
    await expectSafe(run, { reasons: 25 });
  });

  it("of a GGUF adapter", async () => {
    const pair = (r: number) => ({
      a: { shape: [r, 8], data: new Float32Array(8 * r).fill(0.5) },
      b: { shape: [4, r], data: new Float32Array(4 * r).fill(0.5) },
    });
    const tensors = { "blk.0.attn_q.weight": pair(2), "blk.0.attn_v.weight": pair(4) };
    await writeLoraGguf(at("adapter"), { architecture: "llama", alpha: 8, tensors });
    const whole = readFileSync(at("adapter"));
    const fields = ggufFields(at("adapter"));
    const header = readGguf(at("adapter")).dataStart;
    const run = () => fuzz((random) => mutate(whole, header, fields, random), readWholeGguf);
    await expectSafe(run, { reasons: 25 });
  });

  it("of a safetensors file", async () => {
    const header = {
      __metadata__: { format: "pt", note: 'a "quoted" é' },
      a: { dtype: "F32", shape: [2, 3], data_offsets: [0, 24] },
      b: { dtype: "I64", shape: [], data_offsets: [24, 32] },
      c: { dtype: "BF16", shape: [4, 1], data_offsets: [32, 40] },
      d: { dtype: "U8", shape: [0, 7], data_offsets: [40, 40] },
      e: { dtype: "F16", shape: [3], data_offsets: [40, 46] },
    };
    const text = JSON.stringify(header);
    const data = Buffer.alloc(46, 7);
    const numbers = [
      ...["-1", "0.5", "1e400", "-0", "null", '"2"', "[]", "[[1]]", "{}", "true", "9007199254740992"],
      ...["9007199254740993", "18446744073709551615", "4294967296", "2147483648", "1e15", "0"],
    ];
    const types = ["F32", "F16", "BF16", "I32", "I64", "U8", "F64", "__proto__", ""];
    const make = (random: Random): Buffer => {
      // Half of them are valid as JSON, or nearly: their numbers, types and names are changed.
      let changed = text;
      for (let rounds = below(random, 3); rounds > 0; rounds--) {
        const parts = pick(random, [/\d+/g, /\d+/g, /\d+/g, /"[A-Za-z_]\w*"/g, /"\w*"/g, /[{[][^{}]*[\]}]/g]);
        const spots = [...changed.matchAll(parts)];
        if (spots.length === 0) continue;
        const spot = pick(random, spots);
        const word = spot[0].startsWith('"');
        const names = random() < 0.5 ? types : ["a", "b", "dtype", "shape", "data_offsets", "__metadata__"];
        const other = word ? JSON.stringify(pick(random, names)) : pick(random, numbers);
        changed = changed.slice(0, spot.index) + other + changed.slice(spot.index + spot[0].length);
      }
      if (random() < 0.1) changed = changed.replace("[2,3]", "[".repeat(1 + below(random, 100_000)));
      // Spaces between and after are no change: such files are read.
      if (random() < 0.3) changed = `${changed.replaceAll(",", ", ")}${" ".repeat(below(random, 9))}`;
      const whole = safetensorsBytes(changed, data);
      const fields: Field[] = [{ at: 0, bytes: 8 }];
      return random() < 0.5 ? whole : mutate(whole, whole.length - data.length, fields, random);
    };
    const read = async (path: string) => {
      const file = await readSafetensors(path);
      for (const name of file.tensors.keys()) await readSafetensor(file, name);
    };
    await expectSafe(() => fuzz(make, read), { reasons: 20 });
  });
});
