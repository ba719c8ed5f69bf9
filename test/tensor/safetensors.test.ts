// Safetensors files against the format's own package (fixtures made by bench/safetensors_reference.py), and broken ones.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import type { DenseTensor } from "../../src/tensor/gguf-tensors.js";
import { readSafetensor, readSafetensors, writeSafetensors } from "../../src/tensor/safetensors.js";
import { safetensorsBytes } from "./safetensors-make.js";

const folder = mkdtempSync(join(tmpdir(), "hone-safetensors-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

interface Reference {
  file: string;
  metadata: Record<string, string>;
  tensors: Record<string, { shape: number[]; numbers: string[] }>;
}
const fixture = JSON.parse(
  readFileSync(join(import.meta.dirname, "fixtures/safetensors.json"), "utf8"),
) as Record<"F32" | "F16" | "mixed", Reference>;

describe("files of the format's own package", () => {
  it.each(["F32", "F16", "mixed"] as const)("%s: every tensor is read", async (kind) => {
    const { file, metadata, tensors } = fixture[kind];
    writeFileSync(at(kind), Buffer.from(file, "base64"));
    const read = await readSafetensors(at(kind));
    expect(Object.fromEntries(read.metadata)).toEqual(metadata);
    expect([...read.tensors.keys()].sort()).toEqual(Object.keys(tensors).sort());
    for (const [name, { shape, numbers }] of Object.entries(tensors)) {
      const made = await readSafetensor(read, name);
      expect(made.shape).toEqual(shape);
      const expected = made.data instanceof BigInt64Array ? numbers.map(BigInt) : numbers.map(Number);
      expect([...made.data]).toEqual(expected);
    }
  });

  it.each(["F32", "F16"] as const)("%s: the same tensors are written as the same bytes", async (type) => {
    const { file, metadata, tensors } = fixture[type];
    const given = Object.entries(tensors).map(([name, { shape, numbers }]): [string, DenseTensor] => [
      name,
      { shape, data: Float32Array.from(numbers, Number) },
    ]);
    await writeSafetensors(at("written"), Object.fromEntries(given), { type, metadata });
    expect(readFileSync(at("written"))).toEqual(Buffer.from(file, "base64"));
  });

  it("BF16 is read as float32", async () => {
    const data = Buffer.from([0x80, 0x3f, 0x20, 0xc1]);
    writeFileSync(
      at("bf16"),
      safetensorsBytes({ x: { dtype: "BF16", shape: [2], data_offsets: [0, 4] } }, data),
    );
    expect([...(await readSafetensor(await readSafetensors(at("bf16")), "x")).data]).toEqual([1, -10]);
  });
});

describe("broken files are one error that says why", () => {
  const x = (change: object) => ({ x: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...change } });
  const eight = Buffer.alloc(8);
  const raw = (header: string, data = eight) => safetensorsBytes(header, data);
  const length = (value: bigint) => {
    const bytes = raw(JSON.stringify(x({})));
    bytes.writeBigUInt64LE(value);
    return bytes;
  };
  it.each<[string, Buffer, RegExp]>([
    ["nothing", Buffer.alloc(0), /it has 0 bytes/],
    ["text", Buffer.from("plain words only, no tensors"), /header claims/],
    ["a header longer than the file", length(2n ** 20n), /header claims 1048576/],
    ["a header of 2^64 - 1 bytes", length(2n ** 64n - 1n), /header claims 18446744073709551615/],
    ["a header cut short", length(20n), /not JSON/],
    ["no object", raw("[1, 2, 3]"), /does not begin with/],
    [
      "a byte that is no UTF-8",
      Buffer.concat([raw('{"a": 1}').subarray(0, 9), Buffer.from([0xff]), raw('{"a": 1}').subarray(10)]),
      /not JSON/,
    ],
    ["an unknown type", safetensorsBytes(x({ dtype: "F8_E4M3" }), eight), /type "F8_E4M3"/],
    [
      "a type that objects inherit",
      safetensorsBytes(x({ dtype: "constructor" }), eight),
      /type "constructor"/,
    ],
    ["a negative length", safetensorsBytes(x({ shape: [-2] }), eight), /not a list of lengths/],
    ["half a length", safetensorsBytes(x({ shape: [0.5] }), eight), /not a list of lengths/],
    ["a shape of text", safetensorsBytes(x({ shape: "2" }), eight), /not a list of lengths/],
    ["a shape beyond 2^53", safetensorsBytes(x({ shape: [2 ** 30, 2 ** 30] }), eight), /impossible shape/],
    [
      "a shape that overflows to what fits",
      safetensorsBytes(x({ shape: [2 ** 32, 2 ** 32, 2] }), eight),
      /impossible/,
    ],
    ["a shape of other size", safetensorsBytes(x({ shape: [3] }), eight), /8 bytes where its shape needs 12/],
    ["offsets turned round", safetensorsBytes(x({ data_offsets: [8, 0] }), eight), /-8 bytes where/],
    ["one offset", safetensorsBytes(x({ data_offsets: [8] }), eight), /not have two data_offsets/],
    [
      "offsets beyond the file",
      safetensorsBytes(x({ data_offsets: [0, 8] }), Buffer.alloc(7)),
      /end at byte/,
    ],
    ["bytes after the tensors", safetensorsBytes(x({}), Buffer.alloc(9)), /end at byte/],
    [
      "a gap before a tensor",
      safetensorsBytes(x({ data_offsets: [4, 12] }), Buffer.alloc(12)),
      /begins at byte/,
    ],
    ["an unknown field", safetensorsBytes(x({ more: 1 }), eight), /unknown field "more"/],
    ["a tensor that is a number", raw('{"x": 1}'), /is not an object/],
    ["two tensors over each other", safetensorsBytes({ ...x({}), y: x({}).x }, eight), /begins at byte/],
    [
      "a tensor twice",
      raw(
        '{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"\\u0078":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}',
      ),
      /has "x" twice/,
    ],
    [
      "a field twice",
      raw('{"x":{"dtype":"F32","dtype":"I32","shape":[2],"data_offsets":[0,8]}}'),
      /has "dtype" twice/,
    ],
    [
      "metadata that is a list",
      safetensorsBytes({ __metadata__: [], ...x({}) }, eight),
      /__metadata__ is not an object/,
    ],
    [
      "metadata that is a number",
      safetensorsBytes({ __metadata__: { a: 1 }, ...x({}) }, eight),
      /"a" is not a string/,
    ],
  ])("%s", async (_name, bytes, why) => {
    writeFileSync(at("broken"), bytes);
    const error = await readSafetensors(at("broken")).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(HoneError);
    expect((error as HoneError).message).toMatch(why);
    expect((error as HoneError).failure.where).toBe(at("broken"));
  });

  it("a folder, a file that is not there, a tensor that is not there, a file cut after it was opened", async () => {
    await expect(readSafetensors(folder)).rejects.toThrow(HoneError);
    await expect(readSafetensors(at("absent"))).rejects.toThrow(/ENOENT/);
    writeFileSync(at("cut"), safetensorsBytes(x({}), eight));
    const file = await readSafetensors(at("cut"));
    await expect(readSafetensor(file, "y")).rejects.toThrow(/1 tensors and none is "y"/);
    writeFileSync(at("cut"), readFileSync(at("cut")).subarray(0, -1));
    await expect(readSafetensor(file, "x")).rejects.toThrow(/it ends at byte/);
  });
});

describe("writing", () => {
  const one = (shape: number[], data: number[]): Record<string, DenseTensor> => ({
    x: { shape, data: Float32Array.from(data) },
  });
  it.each<[string, Record<string, DenseTensor>, RegExp]>([
    ["a shape of other size", one([2], [1]), /1 numbers for the shape \[2\]/],
    ["a negative length", one([-1, -1], [1]), /shape \[-1,-1\]/],
    ["what is not finite", one([1], [Number.NaN]), /weight 0 is NaN/],
    [
      "the metadata's name",
      { __metadata__: { shape: [0], data: new Float32Array(0) } },
      /named __metadata__/,
    ],
  ])("refuses %s and leaves nothing behind", async (_name, tensors, why) => {
    const before = readdirSync(folder);
    const error = await writeSafetensors(at("refused"), tensors).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(HoneError);
    expect((error as HoneError).message).toMatch(why);
    expect(readdirSync(folder)).toEqual(before);
  });

  it("refuses as F16 what only F32 can hold", async () => {
    await expect(writeSafetensors(at("refused"), one([1], [1e6]), { type: "F16" })).rejects.toThrow(
      /1000000/,
    );
    await writeSafetensors(at("kept"), one([1], [1e6]));
    expect((await readSafetensor(await readSafetensors(at("kept")), "x")).data[0]).toBe(1e6);
  });
});
