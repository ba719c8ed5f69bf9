// Files that are too large for the journal: adapters, weights, checkpoints. A finished folder is kept under the hash of its
// manifest, so it cannot change unnoticed; unfinished work has a folder of its own that survives a kill.

import { createHash } from "node:crypto";
import { closeSync, existsSync, lstatSync, mkdtempSync, openSync, readFileSync, readSync } from "node:fs";
import { copyFile, lstat, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import type { Artifacts } from "../core/artifacts.js";
import { HoneError, messageOf } from "../core/errors.js";
import { fingerprint } from "../core/json.js";
import { temporaryName } from "../core/place.js";
import { pathInside } from "../data/cache.js";
import { makePrivate, privateFolder } from "./private.js";

const manifestName = "manifest.json";

const manifestSchema = z.strictObject({
  hone: z.literal("artifact/1"),
  files: z.array(
    z.strictObject({
      /** Below the folder, with slashes. */
      name: z.string(),
      bytes: z.int().nonnegative(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});

export type Manifest = z.infer<typeof manifestSchema>;

/** A store's artifacts, with what the study around a specializer needs of them. */
export interface ArtifactStore extends Artifacts {
  /** The same, with scratch folders that belong to one build; `done` removes them once the build is recorded. */
  forBuild(key: string): Artifacts & { done: () => Promise<void> };
  /** Removes the folder of a store in memory; does nothing to one on disk. */
  close(): Promise<void>;
}

/** Folders whose files this process has hashed and found intact. */
const verified = new Set<string>();

/**
 * Opens the artifacts under a folder, which is created on first use.
 * @param folder if omitted, they are kept in a temporary folder until `close`
 */
export function openArtifacts(folder?: string): ArtifactStore {
  let root = folder === undefined ? undefined : resolve(folder);
  const base = (): string => {
    root ??= mkdtempSync(join(tmpdir(), "hone-artifacts-"));
    return root;
  };
  const scratch = async (...keys: readonly string[]): Promise<string> => {
    const path = join(base(), "scratch", ...keys.map((key) => fingerprint(key, 32)));
    await mkdir(path, privateFolder);
    return path;
  };
  const store: Artifacts = {
    scratch: (key) => scratch("", key),
    keep: (from) => keepFolder(base(), from),
    path: (id) => findArtifact(base(), id),
  };
  return {
    ...store,
    forBuild: (build) => ({
      ...store,
      scratch: (key) => scratch(build, key),
      done: () => rm(join(base(), "scratch", fingerprint(build, 32)), { recursive: true, force: true }),
    }),
    async close() {
      if (folder === undefined && root !== undefined) await rm(root, { recursive: true, force: true });
    },
  };
}

/**
 * Path of an artifact under a folder of artifacts. Sizes are checked every time, contents once per process.
 * @throws HoneError when it is missing or does not match its id
 */
export function findArtifact(root: string, id: string): string {
  if (!/^[0-9a-f]{64}$/.test(id)) throw damaged(JSON.stringify(id.slice(0, 100)), "not an artifact's id");
  const folder = join(root, id);
  const { files } = readManifest(folder, id);
  const known = verified.has(folder);
  for (const { name, bytes, sha256 } of files) {
    const path = pathInside(folder, name, join(folder, manifestName));
    // Not through links: a copied folder must hold what it claims by itself.
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (!found?.isFile()) throw damaged(path, found ? "it is not a regular file" : "the file is missing");
    if (found.size !== bytes) throw damaged(path, `it has ${found.size} bytes in place of ${bytes}`);
    if (!known && hashOf(path) !== sha256) throw damaged(path, "its contents have changed");
  }
  verified.add(folder);
  return folder;
}

/** Copies an artifact from one folder of artifacts to another, the manifest last, and verifies the copy. `copy` copies one file. */
export async function copyArtifact(
  fromRoot: string,
  toRoot: string,
  id: string,
  copy: (from: string, to: string) => Promise<void> = copyFile,
): Promise<void> {
  const from = findArtifact(fromRoot, id);
  const to = join(toRoot, id);
  const names = [...readManifest(from, id).files.map(({ name }) => name), manifestName];
  for (const name of names) {
    const target = pathInside(to, name, from);
    await mkdir(dirname(target), privateFolder);
    await copy(join(from, name), target);
    await toDisk(target);
  }
  findArtifact(toRoot, id);
}

async function keepFolder(root: string, from: string): Promise<string> {
  const files: Manifest["files"] = [];
  for (const name of await namesUnder(from)) {
    const path = pathInside(from, name, from);
    files.push({ name, bytes: (await lstat(path)).size, sha256: hashOf(path) });
    await toDisk(path);
  }
  if (files.length === 0) {
    throw new HoneError({ what: "There is nothing to keep", where: from, why: "the folder holds no files" });
  }
  const manifest: Manifest = { hone: "artifact/1", files };
  const id = fingerprint(manifest, 64);
  const target = join(root, id);
  if (existsSync(target)) {
    try {
      findArtifact(root, id);
      await rm(from, { recursive: true, force: true });
      return id;
    } catch {
      // The existing folder is damaged: the good one replaces it.
      await rm(target, { recursive: true, force: true });
    }
  }
  const file = await open(join(from, manifestName), "w");
  try {
    await file.writeFile(JSON.stringify(manifest));
    await file.sync();
  } finally {
    await file.close();
  }
  await mkdir(root, privateFolder);
  await makePrivate(from);
  try {
    await moveFolder(from, target);
    verified.add(target);
  } catch (error) {
    if (!existsSync(target)) throw error;
    // Another build has kept the same files in the meantime.
    findArtifact(root, id);
    await rm(from, { recursive: true, force: true });
  }
  return id;
}

/** Names of the files below a folder, sorted; the manifest of an interrupted `keep` is not one of them. */
async function namesUnder(folder: string): Promise<string[]> {
  const names: string[] = [];
  const visit = async (below: string): Promise<void> => {
    for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
      const name = below === "" ? entry.name : `${below}/${entry.name}`;
      if (entry.isDirectory()) await visit(name);
      else if (!entry.isFile()) throw damaged(join(folder, name), "only regular files can be kept");
      else if (name !== manifestName) names.push(name);
    }
  };
  await visit("");
  return names.sort();
}

/** Renames; where the folders are on different file systems, copies beside the target first. */
async function moveFolder(from: string, target: string): Promise<void> {
  try {
    await rename(from, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EXDEV") throw error;
    const { cp } = await import("node:fs/promises");
    const beside = temporaryName(target);
    await cp(from, beside, { recursive: true });
    await rename(beside, target);
    await rm(from, { recursive: true, force: true });
  }
}

function readManifest(folder: string, id: string): Manifest {
  const path = join(folder, manifestName);
  let manifest: Manifest;
  try {
    manifest = manifestSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw damaged(
      path,
      missing
        ? "the file is missing"
        : error instanceof z.ZodError
          ? z.prettifyError(error)
          : messageOf(error),
    );
  }
  if (fingerprint(manifest, 64) !== id) throw damaged(path, "its hash does not match its name");
  return manifest;
}

function hashOf(path: string): string {
  const hash = createHash("sha256");
  const block = Buffer.alloc(1 << 20);
  const descriptor = openSync(path, "r");
  try {
    for (;;) {
      const read = readSync(descriptor, block, 0, block.length, null);
      if (read === 0) return hash.digest("hex");
      hash.update(block.subarray(0, read));
    }
  } finally {
    closeSync(descriptor);
  }
}

async function toDisk(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function damaged(where: string, why: string): HoneError {
  return new HoneError({
    what: "A specialist's files are missing or damaged",
    where,
    why,
    next: "Restore the folder from a backup, or run the study again: it makes what is missing.",
  });
}
