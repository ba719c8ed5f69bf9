// Downloads files from the Hugging Face Hub, through its own client, into the cache by commit. The server is not
// trusted: every path is checked, every size and checksum is compared with the listing, and the token is sent to the
// Hub's own address only.

import { join } from "node:path";
import { datasetInfo, listFiles, modelInfo } from "@huggingface/hub";
import { HoneError } from "../core/errors.js";
import { intoPlace } from "../core/place.js";
import { pathInside, readJsonFile, sizeOf, writeJson } from "./cache.js";
import { globMatcher, isGlob } from "./glob.js";
import { type HubClient, hubClient } from "./hub-client.js";
import { download, encodePath, type HubFile, openRemote } from "./hub-download.js";
import type { ResolvedSource, SourceOptions } from "./sources.js";

interface HubRef {
  type: "dataset" | "model";
  name: string;
  revision: string;
  path: string;
}

const maxFiles = 200_000;
const parallel = 4;

function parseHubRef(ref: string): HubRef {
  const found =
    /^hf:(?:(datasets|models)\/)?([\w.-]+\/[\w.-]+)(?:@(refs\/(?:convert|pr)\/[\w.-]+|[\w.%-]+))?\/(.+)$/.exec(
      ref,
    );
  const [, type, name, escaped = "main", path] = found ?? [];
  const revision = unescaped(escaped);
  if (!name || !path || name.includes("..") || !revision || revision.includes("..")) {
    throw new HoneError({
      what: "Cannot read the Hub reference.",
      where: ref,
      why: "it is not of the form hf:[datasets/|models/]owner/name[@revision]/path",
      next: "For instance `hf:datasets/owner/name/data/*.parquet` or `hf:models/owner/name@main/model.gguf`.",
      kind: "usage",
    });
  }
  return {
    type: type === "models" ? "model" : "dataset",
    name,
    revision,
    path,
  };
}

/** Undefined if an escape such as `%2F` is cut off or is not UTF-8. */
function unescaped(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

export async function resolveHub(
  ref: string,
  options: SourceOptions & { cache: string },
): Promise<ResolvedSource> {
  const parsed = parseHubRef(ref);
  const repo = { type: parsed.type, name: parsed.name };
  const folder = join(options.cache, "hub", `${parsed.type}s`, ...parsed.name.split("/"));
  const client = hubClient(ref, options);
  const offline = options.offline === true || process.env.HF_HUB_OFFLINE === "1";

  const commit = await resolveCommit(parsed, folder, client, ref, offline);
  const { prefix, recursive } = listingScope(parsed.path);
  const listing = join(
    folder,
    "listings",
    commit,
    `${encodeURIComponent(prefix) || "_"}${recursive ? ".deep" : ""}.json`,
  );
  let files = await readJsonFile<HubFile[]>(listing);
  if (files === undefined) {
    if (offline) throw notCached(ref);
    files = await client.guard(async () => {
      const found: HubFile[] = [];
      const request = { repo, revision: commit, recursive, ...client.params };
      for await (const entry of listFiles({
        ...request,
        ...(prefix === "" ? {} : { path: encodePath(prefix) }),
      })) {
        if (entry.type !== "file") continue;
        if (found.length >= maxFiles) throw new Error(`the listing has more than ${maxFiles} files`);
        pathInside(folder, String(entry.path), ref);
        if (!Number.isSafeInteger(entry.size) || entry.size < 0)
          throw new Error(`a bad size for ${entry.path}`);
        const hash = entry.lfs ? { sha256: entry.lfs.oid } : { git: String(entry.oid ?? "") };
        found.push({ path: entry.path, size: entry.size, ...hash });
      }
      return found;
    });
    await writeJson(listing, files);
  }

  const matches = isGlob(parsed.path) ? globMatcher(parsed.path) : (path: string) => path === parsed.path;
  const wanted = files.filter((file) => matches(file.path)).sort((a, b) => (a.path < b.path ? -1 : 1));
  if (wanted.length === 0) {
    throw new HoneError({
      what: "No file on the Hub matches.",
      where: ref,
      why: `${parsed.name} at ${commit.slice(0, 12)} has, among others: ${
        files
          .slice(0, 5)
          .map((file) => file.path)
          .join(", ") || "nothing there"
      }`,
      next: "Check the path; `**` matches across folders.",
    });
  }
  const snapshot = join(folder, "snapshots", commit);
  const targets = wanted.map((file) => ({ file, target: pathInside(snapshot, file.path, ref) }));
  const missing: typeof targets = [];
  for (const one of targets) if ((await sizeOf(one.target)) !== one.file.size) missing.push(one);
  if (missing.length > 0 && offline) throw notCached(ref);
  const total = missing.reduce((n, { file }) => n + file.size, 0);
  let done = 0;
  const queue = missing.values();
  const worker = async (): Promise<void> => {
    for (const { file, target } of queue) {
      await client.guard(() =>
        intoPlace(target, (temporary) =>
          download(file, temporary, {
            open: (from) => openRemote(repo, commit, file, from, client.params),
            signal: options.signal,
            advance: (bytes) => {
              done += bytes;
              options.progress?.(done, total, file.path);
            },
          }),
        ),
      );
    }
  };
  // All workers are awaited, so that no download continues after an error has been reported.
  const outcomes = await Promise.allSettled(
    Array.from({ length: Math.min(parallel, missing.length) }, worker),
  );
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed) throw failed.reason;
  const pinned = `hf:${parsed.type}s/${parsed.name}@${commit}/${parsed.path}`;
  return { files: targets.map(({ target }) => target), pinned };
}

/** The commit of a revision: the revision itself if it is one, else looked up; offline, the last answer. */
async function resolveCommit(
  parsed: HubRef,
  folder: string,
  client: HubClient,
  ref: string,
  offline: boolean,
): Promise<string> {
  if (/^[0-9a-f]{40}$/.test(parsed.revision)) return parsed.revision;
  const memory = join(folder, "refs", `${encodeURIComponent(parsed.revision)}.json`);
  if (offline) {
    const known = await readJsonFile<{ commit: string }>(memory);
    if (known && /^[0-9a-f]{40}$/.test(known.commit)) return known.commit;
    throw notCached(ref);
  }
  const request = { name: parsed.name, revision: parsed.revision, ...client.params };
  const info = await client.guard(() =>
    parsed.type === "dataset"
      ? datasetInfo({ ...request, additionalFields: ["sha"] })
      : modelInfo({ ...request, additionalFields: ["sha"] }),
  );
  const commit = String(info.sha);
  if (!/^[0-9a-f]{40}$/.test(commit)) {
    throw new HoneError({
      what: "The Hub's answer makes no sense.",
      where: ref,
      why: "its commit is not 40 hexadecimal digits",
      next: "Check HF_ENDPOINT.",
    });
  }
  await writeJson(memory, { commit });
  return commit;
}

/** The folder that contains all matches, and whether matches may lie in folders below it. */
function listingScope(path: string): { prefix: string; recursive: boolean } {
  const segments = path.split("/");
  const fixed = segments.findIndex((segment) => isGlob(segment) || /[{}]/.test(segment));
  if (fixed < 0) return { prefix: segments.slice(0, -1).join("/"), recursive: false };
  const rest = segments.slice(fixed);
  return {
    prefix: segments.slice(0, fixed).join("/"),
    recursive: rest.length > 1 || rest[0]!.includes("**"),
  };
}

const notCached = (ref: string): HoneError =>
  new HoneError({
    what: "Not in the cache, and the network is off.",
    where: ref,
    next: "Run once with network (without --offline and HF_HUB_OFFLINE).",
  });
