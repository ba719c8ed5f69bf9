// Reads the weights of a GGUF file as float32, in chunks, so that only a few MB are held besides the result. `gguf.ts` reads
// the header and checks that every tensor lies within the file.

import { closeSync, openSync, readSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { HoneError, messageOf } from "../core/errors.js";
import { dequantize, readableTypes } from "./dequantize.js";
import { type GgufFile, type GgufTensor, ggmlTypes } from "./gguf.js";

/** A tensor in memory: its shape outermost first, as in NumPy and JAX, and its numbers row by row. */
export interface DenseTensor {
  shape: readonly number[];
  data: Float32Array;
}

/** Approximate number of bytes read at once: whole blocks, at least one. */
const chunkBytes = 1 << 22;

/**
 * One tensor's weights.
 *
 * @throws HoneError for a tensor that the file does not have, a storage type that cannot be read, and a file that has
 *   changed since its header was read
 */
export async function readTensor(gguf: GgufFile, name: string): Promise<DenseTensor> {
  const tensor = findTensor(gguf, name);
  const count = weightsOf(tensor);
  let data: Float32Array;
  try {
    data = new Float32Array(count);
  } catch (error) {
    throw unreadable(gguf, name, `its ${count} weights do not fit into memory: ${messageOf(error)}`);
  }
  let filled = 0;
  for await (const bytes of rawChunks(gguf, tensor)) {
    const weights = blockWeights(tensor, bytes.length);
    dequantize(tensor.type, bytes, weights, data.subarray(filled, filled + weights));
    filled += weights;
  }
  return { shape: tensor.shape.toReversed(), data };
}

/**
 * A small tensor, read synchronously; see `readTensor`.
 *
 * @param most numbers it may have
 */
export function readSmallTensor(gguf: GgufFile, name: string, most: number): DenseTensor {
  const tensor = findTensor(gguf, name);
  const count = weightsOf(tensor);
  if (count > most) throw unreadable(gguf, name, `it has ${count} numbers where ${most} were expected`);
  const bytes = Buffer.alloc(tensor.bytes);
  try {
    const file = openSync(gguf.path, "r");
    try {
      const got = readSync(file, bytes, 0, bytes.length, gguf.dataStart + tensor.offset);
      if (got < bytes.length) throw unreadable(gguf, name, "the file ends within it");
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw error instanceof HoneError ? error : unreadable(gguf, name, messageOf(error));
  }
  return { shape: tensor.shape.toReversed(), data: dequantize(tensor.type, bytes, count) };
}

/** Several tensors by name, read one after the other; see `readTensor`. Missing ones are reported before any is read. */
export async function readTensors(
  gguf: GgufFile,
  names: Iterable<string>,
): Promise<Map<string, DenseTensor>> {
  const wanted = [...names];
  for (const name of wanted) findTensor(gguf, name);
  const read = new Map<string, DenseTensor>();
  for (const name of wanted) read.set(name, await readTensor(gguf, name));
  return read;
}

/** A tensor's weights piece by piece in order, each piece whole blocks; for tensors that need not be in memory as a whole. */
export async function* tensorChunks(gguf: GgufFile, name: string): AsyncGenerator<Float32Array> {
  const tensor = findTensor(gguf, name);
  for await (const bytes of rawChunks(gguf, tensor)) {
    yield dequantize(tensor.type, bytes, blockWeights(tensor, bytes.length));
  }
}

/** A tensor's bytes as in the file, whole blocks at a time. Each piece is only valid until the next is requested. */
export async function* rawChunks(gguf: GgufFile, tensor: GgufTensor): AsyncGenerator<Uint8Array> {
  const size = (ggmlTypes[tensor.type] as readonly [string, number, number])[2];
  const whole = Math.max(1, Math.floor(chunkBytes / size)) * size;
  const buffer = Buffer.allocUnsafe(Math.min(whole, tensor.bytes));
  let file: FileHandle;
  try {
    file = await open(gguf.path, "r");
  } catch (error) {
    throw unreadable(gguf, tensor.name, messageOf(error));
  }
  try {
    for (let at = 0; at < tensor.bytes; at += buffer.length) {
      const chunk = buffer.subarray(0, Math.min(buffer.length, tensor.bytes - at));
      for (let got = 0; got < chunk.length; ) {
        const from = gguf.dataStart + tensor.offset + at + got;
        const { bytesRead } = await file.read(chunk, got, chunk.length - got, from);
        if (bytesRead === 0) throw unreadable(gguf, tensor.name, `the file ends at byte ${from}`);
        got += bytesRead;
      }
      yield chunk;
    }
  } catch (error) {
    throw error instanceof HoneError ? error : unreadable(gguf, tensor.name, messageOf(error));
  } finally {
    await file.close();
  }
}

/** The header's entry of a tensor whose weights can be read. */
function findTensor(gguf: GgufFile, name: string): GgufTensor {
  const tensor = gguf.tensors.find((one) => one.name === name);
  if (!tensor)
    throw unreadable(gguf, name, `the file has ${gguf.tensors.length} tensors and none of that name`);
  const type = (ggmlTypes[tensor.type] as readonly [string, number, number])[0];
  if (!readableTypes.includes(type)) {
    throw unreadable(
      gguf,
      name,
      `its type is ${type}; those that can be read are ${readableTypes.join(", ")}`,
    );
  }
  return tensor;
}

function weightsOf({ shape }: GgufTensor): number {
  return shape.reduce((product, length) => product * length, 1);
}

function blockWeights({ type }: GgufTensor, bytes: number): number {
  const [, weights, size] = ggmlTypes[type] as readonly [string, number, number];
  return (bytes / size) * weights;
}

function unreadable({ path }: GgufFile, name: string, why: string): HoneError {
  return new HoneError({
    what: `Cannot read tensor ${JSON.stringify(name)}`,
    where: path,
    why,
    next: "Give another GGUF file of this model: whole, and in a quantization such as Q8_0 or Q4_K_M.",
  });
}
