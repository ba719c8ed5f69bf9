// Stores trained arrays in a separate safetensors file.

import { Tensor } from "onnxruntime-node";
import type { DenseTensor } from "./gguf-tensors.js";
import type { Parameters } from "./optimizer.js";
import { readSafetensor, readSafetensors, writeSafetensors } from "./safetensors.js";

/** Writes the arrays atomically. */
export function writeArrays(path: string, params: Parameters): Promise<void> {
  return writeSafetensors(path, dense(params));
}

/** The arrays as dense tensors, by name. */
export function dense(params: Parameters): Record<string, DenseTensor> {
  return Object.fromEntries(
    Object.entries(params).map(([name, { data, dims }]) => [
      name,
      { data: data as Float32Array, shape: [...dims] },
    ]),
  );
}

/** @throws HoneError if the file is missing or damaged */
export async function readArrays(path: string): Promise<Parameters> {
  const file = await readSafetensors(path);
  const params: Record<string, Tensor> = {};
  for (const [name, { shape }] of file.tensors) {
    const { data } = await readSafetensor(file, name);
    params[name] = new Tensor("float32", data as Float32Array, [...shape]);
  }
  return params;
}
