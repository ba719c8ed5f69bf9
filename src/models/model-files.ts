// Provides a model's files on this machine: fetched, joined, checked, and rewritten if that makes them faster.

import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { HoneError } from "../core/errors.js";
import { intoPlace } from "../core/place.js";
import { cacheFolder, sizeOf } from "../data/cache.js";
import { resolveSource, type SourceOptions } from "../data/sources.js";
import { onePart, readGguf } from "../tensor/gguf.js";
import type { KnownModel } from "./known-models.js";
import { sha256Of } from "./llama/hash.js";
import { hasQ4, requantize } from "./llama/requantize.js";

/** The file with its Q4_1 weights as Q8_0, made once and kept in the cache; the file itself if it has none. */
export async function asQ8(path: string, options: SourceOptions): Promise<string> {
  const target = join(modelFolder(options), `${(await sha256Of(path)).slice(0, 32)}-q8_0.gguf`);
  if ((await sizeOf(target)) !== undefined) return target;
  const gguf = readGguf(path);
  if (!hasQ4(gguf)) return path;
  options.progress?.(0, 0, "rewriting weights as Q8_0");
  await requantize(gguf, target);
  return target;
}

/** The paths of a known model's files by role, fetched, joined and checked. */
export async function modelPaths(
  name: string,
  model: KnownModel,
  options: SourceOptions,
): Promise<Record<string, string>> {
  const paths: Record<string, string> = {};
  for (const [role, { refs, sha256 }] of Object.entries(model.files)) {
    const joined = join(modelFolder(options), `${name}-${role}-${(sha256 ?? "").slice(0, 16)}.gguf`);
    const path =
      refs.length === 1
        ? await oneFile(refs[0] as string, options)
        : (await sizeOf(joined)) !== undefined
          ? joined
          : await joinParts(refs, joined, options);
    if (sha256 !== undefined) await checkHash(path, sha256);
    paths[role] = path;
  }
  return paths;
}

async function joinParts(refs: readonly string[], target: string, options: SourceOptions): Promise<string> {
  const parts: string[] = [];
  for (const ref of refs) parts.push(await oneFile(ref, options));
  await intoPlace(target, async (temporary) => {
    const out = await open(temporary, "w");
    try {
      for (const part of parts) {
        for await (const block of createReadStream(part, { highWaterMark: 1 << 20 }))
          await out.write(block as Buffer);
      }
    } finally {
      await out.close();
    }
  });
  return target;
}

async function checkHash(path: string, sha256: string): Promise<void> {
  const found = await sha256Of(path);
  if (found === sha256) return;
  throw new HoneError({
    what: "A model file is not the one Hone knows",
    where: path,
    why: `its SHA-256 is ${found}, not ${sha256}`,
    next: "Delete the file and pull the model again.",
  });
}

/** The path of the one file that a reference names. */
export async function oneFile(ref: string, options: SourceOptions): Promise<string> {
  // `hf:` here means a model's file on the Hub; elsewhere `hf:` means data sets.
  const source = ref.replace(/^hf:(?!models\/|datasets\/)/, "hf:models/");
  // Before gigabytes are fetched; a file that is here says in its header what it is.
  const [, part, parts] = /^hf:.*-(\d{5})-of-(\d{5})\.gguf$/i.exec(ref) ?? [];
  if (Number(parts) > 1) throw onePart(ref, Number(part), Number(parts));
  const { files } = await resolveSource(source, options);
  if (files.length === 1) return files[0] as string;
  throw new HoneError({
    what: "A model is one file",
    where: ref,
    why: `${files.length} files match`,
    next: "Name one of them.",
    kind: "usage",
  });
}

function modelFolder(options: SourceOptions): string {
  return join(options.cache ?? cacheFolder(), "models");
}
