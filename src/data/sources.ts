// Resolves sources: a reference such as `data/*.jsonl`, `hf:datasets/owner/name/…` or `pip:NAME==VERSION#…` becomes
// local paths. New schemes are added in the scheme table only.

import { dirname, relative, resolve, sep } from "node:path";
import { HoneError } from "../core/errors.js";
import { cacheFolder } from "./cache.js";
import { filesByFolder } from "./folder.js";
import { globFiles } from "./glob.js";

/** Where references are resolved and cached. */
export interface SourceOptions {
  /** Folder that `file:` references are relative to; the working folder if omitted. */
  base?: string;
  /** See {@link cacheFolder} for the default. */
  cache?: string;
  signal?: AbortSignal;
  /** Bytes done, total bytes (0 while unknown), and what is being fetched. */
  progress?: (done: number, total: number, note: string) => void;
  /** Use the cache and never the network. */
  offline?: boolean;
}

/** The local files that a source reference names. */
export interface ResolvedSource {
  /** Absolute paths, sorted; at least one. */
  files: string[];
  /** The reference with its contents pinned: the commit of `hf:`, the SHA-256 of `pip:`. */
  pinned: string;
}

type Resolver = (ref: string, options: SourceOptions & { cache: string }) => Promise<ResolvedSource>;

// Loaded on use: the Hub's client takes longer to load than most commands take to run.
const schemes: Record<string, Resolver> = {
  file: resolveFile,
  hf: async (ref, options) => (await import("./hub.js")).resolveHub(ref, options),
  pip: async (ref, options) => (await import("./pip.js")).resolvePip(ref, options),
};

/**
 * Local files for a reference; fetched into the cache if they are not there yet.
 *
 * @throws HoneError that names the reference: nothing matches, no access, no network, wrong checksum, hostile archive.
 * @example
 * import { resolveSource } from "@honelab/hone";
 * const { files } = await resolveSource("pip:licensedcode-data==32.1.0#licensedcode/data/licenses/mit.LICENSE");
 */
export async function resolveSource(ref: string, options: SourceOptions = {}): Promise<ResolvedSource> {
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]+):/.exec(ref)?.[1]?.toLowerCase() ?? "file";
  const resolver = Object.hasOwn(schemes, scheme) ? schemes[scheme] : undefined;
  if (!resolver) {
    throw new HoneError({
      what: "Unknown kind of source.",
      where: ref,
      why: `${scheme}: is none of ${Object.keys(schemes)
        .map((name) => `${name}:`)
        .join(", ")}`,
      next: "Download the file and name its path, or use hf: or pip:.",
      kind: "usage",
    });
  }
  options.signal?.throwIfAborted();
  return resolver(ref, { ...options, cache: options.cache ?? cacheFolder() });
}

async function resolveFile(ref: string, options: SourceOptions): Promise<ResolvedSource> {
  const pattern = ref.replace(/^file:(?:\/\/(?=\/))?/i, "");
  const base = resolve(options.base ?? ".");
  const found = pattern === "" ? [] : await globFiles(pattern, base);
  const files = (found.length === 1 && (await filesByFolder(found[0]!))) || found;
  if (files.length === 0) {
    throw new HoneError({
      what: "No file matches.",
      where: ref,
      why: `looked in ${base}`,
      next: "Check the pattern: `*` within a folder, `**` across folders, `{a,b}` for either.",
    });
  }
  return { files, pinned: ref };
}

/**
 * Files by their paths from the folder that they share. Where some are fetched and some are not, what they share is a folder of this
 * machine, which must not enter ids and splits: fetched ones are then named from the cache.
 */
export function shortNames(paths: readonly string[], cache: string): (path: string) => string {
  const isFetched = (path: string) => !relative(cache, path).startsWith("..");
  const local = paths.filter((path) => !isFetched(path));
  const mixed = local.length > 0 && local.length < paths.length;
  const shared = commonFolder(mixed ? local : paths);
  return (path) =>
    relative(mixed && isFetched(path) ? cache : shared, path)
      .split(sep)
      .join("/");
}

function commonFolder(paths: readonly string[]): string {
  let folder = dirname(paths[0]!);
  for (const path of paths) {
    while (relative(folder, path).startsWith("..") && dirname(folder) !== folder) folder = dirname(folder);
  }
  return folder;
}
