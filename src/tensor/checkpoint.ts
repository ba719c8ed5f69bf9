// Training's state in one safetensors file, replaced whole: a process killed at any moment leaves the last one.

import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import { HoneError } from "../core/errors.js";
import type { AdamWState, Parameters } from "./optimizer.js";
import { openSafetensors, writeSafetensors } from "./safetensors.js";

export interface Checkpoint {
  /** Steps made. */
  step: number;
  params: Parameters;
  moments: AdamWState;
  best: { step: number; loss: number; params: Parameters } | null;
  losses: readonly number[];
  heldOut: readonly { step: number; loss: number }[];
}
