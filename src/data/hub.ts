// Files from the Hugging Face Hub, through its own client, into the cache by commit. The server is not trusted: every
// path is checked, every size and checksum is held to the listing, and the token goes to the Hub's own address alone.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { datasetInfo, downloadFile, HubApiError, listFiles, modelInfo } from "@huggingface/hub";
import { HoneError, messageOf } from "../core/errors.js";
import { intoPlace, pathInside, readJsonFile, sizeOf, writeJson } from "./cache.js";
import { globMatcher, isGlob } from "./glob.js";
import type { ResolvedSource, SourceOptions } from "./sources.js";

interface HubRef {
  type: "dataset" | "model";
  name: string;
  revision: string;
  path: string;
}

interface HubFile {
  path: string;
  size: number;
  /** SHA-256 of the contents for large files; for the others git's blob id, a SHA-1. */
  sha256?: string;
  git?: string;
}

const tries = 4;
const stallMs = 60_000;
const maxListingBytes = 64 * 1024 * 1024;
const maxFiles = 200_000;
const parallel = 4;

export function parseHubRef(ref: string): HubRef {
  const found =
    /^hf:(?:(datasets|models)\/)?([\w.-]+\/[\w.-]+)(?:@(refs\/(?:convert|pr)\/[\w.-]+|[\w.%-]+))?\/(.+)$/.exec(
      ref,
    );
  const [, type, name, revision, path] = found ?? [];
  if (!name || !path || name.includes("..") || revision?.includes("..")) {
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
    revision: decodeURIComponent(revision ?? "main"),
    path,
  };
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
  // Every worker is waited for, so that no download goes on behind an error that has been reported.
  const outcomes = await Promise.allSettled(
    Array.from({ length: Math.min(parallel, missing.length) }, worker),
  );
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed) throw failed.reason;
  const pinned = `hf:${parsed.type}s/${parsed.name}@${commit}/${parsed.path}`;
  return { files: targets.map(({ target }) => target), pinned };
}

/** The commit behind a revision: itself, or asked for; when offline, what was answered last time. */
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

/** The folder that holds all matches, and whether they may lie in folders below it. */
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

const encodePath = (path: string): string => path.split("/").map(encodeURIComponent).join("/");

interface HubClient {
  params: { hubUrl: string; fetch: typeof fetch; accessToken?: string };
  /** Runs a request and turns what it throws into one HoneError. */
  guard<T>(run: () => Promise<T>): Promise<T>;
}

function hubClient(ref: string, options: SourceOptions): HubClient {
  const hubUrl = (process.env.HF_ENDPOINT || "https://huggingface.co").replace(/\/+$/, "");
  const token = process.env.HF_TOKEN || undefined;
  if (!URL.canParse(hubUrl) || (token && !token.startsWith("hf_"))) {
    throw new HoneError({
      what: "Cannot reach the Hub.",
      where: token ? "HF_TOKEN" : "HF_ENDPOINT",
      why: URL.canParse(hubUrl) ? "a token begins with hf_" : "it is not an address",
      next: "Correct or unset the variable.",
      kind: "usage",
    });
  }
  const origin = new URL(hubUrl).origin;
  return {
    params: {
      hubUrl,
      fetch: (input, init) => patientFetch(input, init, origin, token, options.signal),
      ...(token ? { accessToken: token } : {}),
    },
    async guard(run) {
      try {
        return await run();
      } catch (error) {
        options.signal?.throwIfAborted();
        throw error instanceof HoneError ? error : describe(error, ref, hubUrl, token !== undefined);
      }
    },
  };
}

/** fetch with retries on 429 and 5xx, a limit on listings, and a token that never leaves the Hub's origin. */
async function patientFetch(
  input: Parameters<typeof fetch>[0],
  init: RequestInit | undefined,
  origin: string,
  token: string | undefined,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const url = new URL(input instanceof Request ? input.url : String(input));
  const headers = new Headers(init?.headers);
  if (token && url.origin !== origin && headers.get("authorization") === `Bearer ${token}`)
    headers.delete("authorization");
  for (let attempt = 1; ; attempt++) {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error("no answer within 60 s")), stallMs);
    try {
      const response = await fetch(url, {
        ...init,
        headers,
        signal: signal ? AbortSignal.any([signal, late.signal]) : late.signal,
      });
      if ((response.status === 429 || response.status >= 500) && attempt < tries) {
        await response.body?.cancel();
        const asked = Number(response.headers.get("retry-after"));
        await sleep(
          asked > 0 ? Math.min(asked, 30) * 1000 : 250 * 2 ** attempt,
          undefined,
          signal ? { signal } : {},
        );
        continue;
      }
      return url.pathname.startsWith("/api/") ? await limited(response) : response;
    } catch (error) {
      signal?.throwIfAborted();
      if (attempt >= tries || !(error instanceof TypeError)) throw error;
      await sleep(250 * 2 ** attempt, undefined, signal ? { signal } : {});
    } finally {
      clearTimeout(timer);
    }
  }
}

async function limited(response: Response): Promise<Response> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > maxListingBytes) throw new Error("the Hub's answer exceeds 64 MiB");
    chunks.push(chunk);
  }
  const empty = response.status === 204 || response.status === 304;
  return new Response(empty ? null : Buffer.concat(chunks), {
    status: response.status,
    headers: response.headers,
  });
}

async function openRemote(
  repo: { type: "dataset" | "model"; name: string },
  revision: string,
  file: HubFile,
  from: number,
  params: HubClient["params"],
): Promise<ReadableStream<Uint8Array>> {
  const checked: typeof fetch = async (input, init) => {
    const response = await params.fetch(input, init);
    const range = new Headers(init?.headers).get("range");
    if (range && !range.startsWith("bytes=0-") && response.status === 200)
      throw new Error("it ignores byte ranges");
    return response;
  };
  const blob = await downloadFile({ repo, revision, path: encodePath(file.path), ...params, fetch: checked });
  if (!blob) throw new Error(`${file.path} is listed but not there`);
  if (blob.size !== file.size)
    throw new Error(`${file.path}: ${blob.size} bytes are offered, ${file.size} were listed`);
  return (from > 0 ? blob.slice(from) : blob).stream() as ReadableStream<Uint8Array>;
}

/** Streams one file to disk; a stream that is cut goes on where it stopped. */
async function download(
  file: HubFile,
  temporary: string,
  how: {
    open: (from: number) => Promise<ReadableStream<Uint8Array>>;
    signal: AbortSignal | undefined;
    advance: (bytes: number) => void;
  },
): Promise<void> {
  const out = await open(temporary, "wx");
  let written = 0;
  try {
    for (let attempt = 1; written < file.size; attempt++) {
      const before = written;
      let cut: unknown = "the stream ended early";
      const reader = (await how.open(written)).getReader();
      try {
        for (;;) {
          const { done, value } = await inTime(reader.read());
          if (done) break;
          if (written + value.length > file.size)
            throw new HoneError(lied(file, "more bytes came than were listed"));
          await out.write(value);
          written += value.length;
          how.advance(value.length);
        }
      } catch (error) {
        if (error instanceof HoneError) throw error;
        how.signal?.throwIfAborted();
        cut = error;
      } finally {
        await reader.cancel().catch(() => {});
      }
      if (written > before) attempt = 1; // it moved: only tries without any progress count
      if (written < file.size && attempt >= tries) {
        throw new Error(`${file.path}: cut off after ${written} of ${file.size} bytes (${messageOf(cut)})`);
      }
    }
  } finally {
    await out.close();
  }
  await verify(file, temporary);
}

async function inTime<T>(step: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no data for ${stallMs / 1000} s`)), stallMs);
  });
  try {
    return await Promise.race([step, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function verify(file: HubFile, temporary: string): Promise<void> {
  const hash = file.sha256 ? createHash("sha256") : createHash("sha1").update(`blob ${file.size}\0`);
  for await (const chunk of createReadStream(temporary)) hash.update(chunk as Buffer);
  if (hash.digest("hex") !== (file.sha256 ?? file.git))
    throw new HoneError(lied(file, "its checksum is not the listed one"));
}

const lied = (file: HubFile, why: string) => ({
  what: "A file from the Hub is not what was listed.",
  where: file.path,
  why,
  next: "Run it again; if it stays like this, something between here and the Hub changes the data.",
});

const notCached = (ref: string): HoneError =>
  new HoneError({
    what: "Not in the cache, and the network is off.",
    where: ref,
    next: "Run once with network (without --offline and HF_HUB_OFFLINE).",
  });

function describe(error: unknown, ref: string, hubUrl: string, hasToken: boolean): HoneError {
  const status = error instanceof HubApiError ? error.statusCode : undefined;
  const what = "Cannot fetch from the Hub.";
  if (status === 401 || status === 403) {
    const next = hasToken
      ? "Ask for access on the repository's page, or use a token that has it."
      : "Set HF_TOKEN to a token with access; a repository that does not exist answers like this too.";
    return new HoneError({ what, where: ref, why: `access refused (HTTP ${status})`, next, cause: error });
  }
  if (status === 404) {
    const next = "Check owner, name, revision and folder; models are written hf:models/owner/name/….";
    return new HoneError({ what, where: ref, why: "not found (HTTP 404)", next, cause: error });
  }
  if (status !== undefined) {
    return new HoneError({
      what,
      where: ref,
      why: `HTTP ${status} after ${tries} tries`,
      next: "Try again later.",
      cause: error,
    });
  }
  const unreachable = error instanceof TypeError;
  const inner = unreachable && error.cause ? `: ${messageOf(error.cause)}` : "";
  return new HoneError({
    what,
    where: ref,
    why: unreachable ? `${hubUrl} cannot be reached${inner}` : messageOf(error),
    next: unreachable
      ? "Check the network or HF_ENDPOINT. What was fetched before is used with HF_HUB_OFFLINE=1."
      : "Run it again; files that are complete are not fetched again.",
    cause: error,
  });
}
