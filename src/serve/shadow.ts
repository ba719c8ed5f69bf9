// Records of shadow mode: a second specialist or model answers the same requests, its answer is kept beside the first one's and not
// shown. JSON lines in the form that `hone compare --predictions` reads; it skips those without a right answer.

import { mkdir, open, readFile, truncate } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Message } from "../core/model.js";
import { privateFile, privateFolder } from "../store/private.js";

export interface ShadowRecord {
  kind: "shadow";
  id: string;
  task: string;
  /** The right answer; null if the request did not give it. */
  gold: string | null;
  answers: Readonly<Record<string, string>>;
  probabilities?: Readonly<Record<string, number>>;
  input: string;
  /** The whole conversation, if a chat has more than its input. */
  messages?: readonly Message[];
  at: string;
}

export interface ShadowLog {
  path: string;
  /** Resolves when the record is on disk. */
  write: (record: ShadowRecord) => Promise<void>;
  close: () => Promise<void>;
}

/**
 * Opens the log of a pair for appending. Waiting lines are written and synchronized together; a line half written by a killed
 * process is cut off.
 */
export async function openShadowLog(store: string, primary: string, shadow: string): Promise<ShadowLog> {
  const path = join(store, "shadow", `${primary}+${shadow}.jsonl`);
  await mkdir(dirname(path), privateFolder);
  await cutTorn(path);
  const file = await open(path, "a", privateFile.mode);
  let lines: string[] = [];
  let told: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  let writing: Promise<void> | undefined;
  const flush = async (): Promise<void> => {
    while (lines.length > 0) {
      const [text, waiting] = [lines.join(""), told];
      lines = [];
      told = [];
      try {
        await file.appendFile(text);
        await file.datasync();
        for (const { resolve } of waiting) resolve();
      } catch (error) {
        for (const { reject } of waiting) reject(error);
      }
    }
    writing = undefined;
  };
  return {
    path,
    write(record) {
      lines.push(`${JSON.stringify(record)}\n`);
      return new Promise((resolve, reject) => {
        told.push({ resolve, reject });
        writing ??= Promise.resolve().then(flush);
      });
    },
    async close() {
      await writing;
      await file.close();
    },
  };
}

async function cutTorn(path: string): Promise<void> {
  const bytes = await readFile(path).catch(() => undefined);
  if (!bytes || bytes.length === 0 || bytes.at(-1) === 10) return;
  await truncate(path, bytes.lastIndexOf(10) + 1);
}
