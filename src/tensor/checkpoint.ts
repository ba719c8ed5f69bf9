// Stores the training state in one safetensors file that is replaced atomically: a process killed at any time leaves the last
// one intact.

import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { HoneError } from "../core/errors.js";
import type { DenseTensor } from "./gguf-tensors.js";
import type { AdamWState, Parameters } from "./optimizer.js";
import { readSafetensor, readSafetensors, writeSafetensors } from "./safetensors.js";

export interface Checkpoint {
  /** Steps done. */
  step: number;
  params: Parameters;
  moments: AdamWState;
  /** The parameters of the best evaluation on held-out data so far. */
  best: { step: number; loss: number; score?: number; params: Parameters } | null;
  losses: readonly number[];
  heldOut: readonly { step: number; loss: number; score?: number }[];
}

const fileName = "checkpoint.safetensors";

/** Writes a checkpoint. `key` identifies the training: everything that determines its course. */
export async function saveCheckpoint(folder: string, key: string, state: Checkpoint): Promise<void> {
  const { params, moments, best, ...rest } = state;
  const parts: Record<string, Parameters> = { params, ...moments, ...(best ? { best: best.params } : {}) };
  const tensors: Record<string, DenseTensor> = {};
  for (const [part, list] of Object.entries(parts)) {
    for (const [name, { data, dims }] of Object.entries(list)) {
      tensors[`${part}/${name}`] = { shape: dims, data: data as Float32Array };
    }
  }
  const told = { key, ...rest, best: best && { ...best, params: undefined } };
  await mkdir(folder, { recursive: true });
  await writeSafetensors(join(folder, fileName), tensors, { metadata: { hone: JSON.stringify(told) } });
}

/**
 * Reads the checkpoint of a training; undefined if there is none, or only that of another training.
 * @param like the parameters, for their names and shapes
 * @throws HoneError when the file is damaged
 */
export async function loadCheckpoint(
  folder: string,
  key: string,
  like: Parameters,
): Promise<Checkpoint | undefined> {
  const path = join(folder, fileName);
  if (!existsSync(path)) return undefined;
  const file = await readSafetensors(path);
  let told: Omit<Checkpoint, "params" | "moments"> & { key: string };
  try {
    told = JSON.parse(file.metadata.get("hone") ?? "");
  } catch {
    throw damaged(path, "it does not say what it belongs to");
  }
  if (told.key !== key) return undefined;
  const read = async (part: string): Promise<Parameters> => {
    const list: Parameters = {};
    for (const [name, { dims }] of Object.entries(like)) {
      const found = await readSafetensor(file, `${part}/${name}`);
      if (found.shape.join() !== dims.join() || !(found.data instanceof Float32Array)) {
        throw damaged(path, `${part}/${name} is not what this run trains`);
      }
      list[name] = new Tensor("float32", found.data, [...dims]);
    }
    return list;
  };
  const { step, losses, heldOut, best } = told;
  return {
    step,
    losses,
    heldOut,
    params: await read("params"),
    moments: { m: await read("m"), v: await read("v") },
    best: best && { ...best, params: await read("best") },
  };
}

function damaged(path: string, why: string): HoneError {
  return new HoneError({
    what: "Cannot resume the training",
    where: path,
    why,
    next: "Delete the file: the training then starts from the beginning.",
  });
}
