// Downloads one file from the Hub to disk: resumes where the stream was cut, and checks the listed size and checksum.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { downloadFile } from "@huggingface/hub";
import { HoneError, messageOf } from "../core/errors.js";
import { type HubClient, stallMs, tries } from "./hub-client.js";

export interface HubFile {
  path: string;
  size: number;
  /** SHA-256 of the contents for large files; for others the git blob id, a SHA-1. */
  sha256?: string;
  git?: string;
}

export const encodePath = (path: string): string => path.split("/").map(encodeURIComponent).join("/");

export async function openRemote(
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

/** Streams one file to disk; a stream that is cut is resumed where it stopped. */
export async function download(
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
          await out.writeFile(value);
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
      if (written > before) attempt = 1; // progress was made: only attempts without any progress count
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
  next: "Run it again; if this persists, something between here and the Hub changes the data.",
});
