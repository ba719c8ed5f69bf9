// Opens a model file that is new on this machine in a separate process first. A faulty file can abort or crash llama.cpp and
// the process it runs in; there it ends only the trial, and here it becomes one error. Files that pass are recorded by
// contents and engine, so that the cost is paid once. `trial-process.ts` runs the trial.

import { type ChildProcess, fork } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Failure, HoneError } from "../../core/errors.js";
import { fingerprint } from "../../core/json.js";
import { cacheFolder, sizeOf, writeJson } from "../../data/cache.js";
import { sha256Of } from "./hash.js";

/** What is tried: a model file, or an adapter on a model that has been tried. */
export interface Trial {
  model: string;
  lora?: string;
  gpu: "off" | "auto";
}

/** What the process reports at the end of a trial: nothing, or why the engine refuses the file. */
export interface Verdict {
  failure?: Failure;
}

export interface TrialOptions {
  /** Hone's cache, which records the files that passed. */
  cache?: string;
  /** Ends the trial, and its process. */
  signal?: AbortSignal;
  /** How long a trial may take; by default three minutes plus 100 s per GB, because busy machines are slow. */
  seconds?: number;
}

/** How a trial ended. `words` is the end of what its process wrote to stderr. */
type End = { how: "verdict"; verdict: Verdict } | { how: "died" | "slow"; code: string; words: string };

/** How long an idle process is kept for the next file. */
const idleMs = 5000;
/** Most characters kept of a process's stderr. */
const maxWords = 4096;

/** Bumped when trials find more than before. */
const edition = 1;

/**
 * Resolves at once for files that passed before with this engine; otherwise tries them.
 * @throws HoneError for a file that kills the engine, is refused by it, or takes too long; the signal's reason
 */
export async function tryFirst(trial: Trial, options: TrialOptions = {}): Promise<void> {
  const { signal } = options;
  signal?.throwIfAborted();
  const files = [trial.model, ...(trial.lora ? [trial.lora] : [])];
  const contents = await Promise.all(files.map((path) => sha256Of(path, { note: false })));
  const key = fingerprint([edition, contents, trial.gpu, engineVersion(), process.platform, process.arch]);
  const note = join(options.cache ?? cacheFolder(), "models", "tried", `${key}.json`);
  if ((await sizeOf(note)) !== undefined) return;

  const file = trial.lora ?? trial.model;
  const seconds = options.seconds ?? 180 + Math.ceil(statSync(trial.model).size / 1e7);
  const end = await inTurn(() => attempt(trial, seconds * 1000, signal));
  if (end.how !== "verdict") throw killed(file, end, seconds);
  if (end.verdict.failure) throw new HoneError(end.verdict.failure);
  // If the cache cannot be written to, the file is only tried again next time.
  await writeJson(note, { files, contents, engine: engineVersion() }).catch(() => {});
}

function engineVersion(): string {
  const manifest = new URL("../package.json", import.meta.resolve("node-llama-cpp"));
  return (JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version;
}

/** One trial at a time: parallel trials would only compete for memory. */
let last: Promise<unknown> = Promise.resolve();
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const turn = last.then(work, work);
  last = turn.catch(() => {});
  return turn;
}

async function attempt(trial: Trial, ms: number, signal?: AbortSignal): Promise<End> {
  signal?.throwIfAborted();
  const used = idle?.tried ?? 0;
  const end = await inProcess(trial, ms, signal);
  // Without an assertion on stderr, an earlier file may have damaged the process: try once more in a new one.
  const owed = end.how === "died" && used > 0 && !/GGML_ASSERT|terminate called/.test(end.words);
  return owed ? inProcess(trial, ms, signal) : end;
}

interface TrialProcess {
  child: ChildProcess;
  /** How many files it has been given. */
  tried: number;
  /** What it has written to stderr since it got the current file. */
  words: string;
  /** Ends it when it has been idle for `idleMs`. */
  timer?: NodeJS.Timeout;
}

let idle: TrialProcess | undefined;

function start(): TrialProcess {
  // When run from sources (in tests), the process still runs the built code.
  const script = new URL("../../../dist/models/llama/trial-process.js", import.meta.url);
  const child = fork(fileURLToPath(script), {
    execArgv: [],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    // Its backtrace would start a debugger.
    env: { ...process.env, GGML_NO_BACKTRACE: "1" },
  });
  const started: TrialProcess = { child, tried: 0, words: "" };
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    started.words = (started.words + text).slice(-maxWords);
  });
  child.on("exit", () => {
    if (idle === started) idle = undefined;
  });
  // If a trial is waiting for the process, the trial reports the error.
  child.on("error", () => {});
  return started;
}

function inProcess(trial: Trial, ms: number, signal?: AbortSignal): Promise<End> {
  const trying = idle ?? start();
  idle = undefined;
  clearTimeout(trying.timer);
  const { child } = trying;
  trying.tried++;
  trying.words = "";
  hold(child, true);
  return new Promise((resolve, reject) => {
    const settle = (then: () => void): void => {
      clearInterval(timer);
      signal?.removeEventListener("abort", onAbort);
      process.off("exit", kill);
      child.off("message", onMessage).off("close", onClose).off("error", onError);
      then();
    };
    const kill = (): void => void child.kill("SIGKILL");
    const finish = (end: End): void => settle(() => resolve(end));
    const onAbort = (): void =>
      settle(() => {
        kill();
        reject(signal?.reason);
      });
    const onMessage = (verdict: Verdict): void => {
      finish({ how: "verdict", verdict });
      keep(trying);
    };
    // `close` and not `exit`: by then everything it wrote has been read.
    const onClose = (code: number | null, killedBy: string | null): void =>
      finish({ how: "died", code: killedBy ?? `exit code ${code}`, words: trying.words });
    const onError = (error: Error): void => {
      if (trying.tried > 1) finish({ how: "died", code: error.message, words: trying.words });
      else settle(() => reject(cannotStart(trial.lora ?? trial.model, error)));
    };
    // Counted in ticks of this process, so that time during which it was stopped or the machine slept does not count.
    const tick = Math.min(ms, 1000);
    let left = ms;
    const timer = setInterval(() => {
      left -= tick;
      if (left > 0) return;
      kill();
      finish({ how: "slow", code: "", words: trying.words });
    }, tick);
    signal?.addEventListener("abort", onAbort);
    process.on("exit", kill);
    child.on("message", onMessage).on("close", onClose).on("error", onError);
    child.send(trial);
  });
}

/** Keeps a process for the next file; while idle it does not keep this process alive. */
function keep(trying: TrialProcess): void {
  idle?.child.kill();
  idle = trying;
  trying.timer = setTimeout(() => {
    if (idle === trying) idle = undefined;
    trying.child.kill();
  }, idleMs);
  trying.timer.unref();
  hold(trying.child, false);
}

/** Sets whether this process waits for the child before it exits. */
function hold(child: ChildProcess, held: boolean): void {
  const stderr = child.stderr as (NodeJS.ReadableStream & { ref?(): void; unref?(): void }) | null;
  for (const handle of [child, child.channel, stderr]) held ? handle?.ref?.() : handle?.unref?.();
}

function killed(file: string, end: Exclude<End, { how: "verdict" }>, seconds: number): HoneError {
  const slow = end.how === "slow";
  const memory = end.code === "SIGKILL" ? ", as happens when memory runs out" : "";
  return new HoneError({
    what: slow ? "llama.cpp does not finish with this file" : "This file crashes llama.cpp",
    where: file,
    why: slow
      ? `opening it in a process of its own took longer than ${seconds} s${said(end.words)}`
      : `the process that opened it first ended with ${end.code}${memory}${said(end.words)}`,
    next: "Fetch or make the file again, or give another. Hone itself has not loaded it.",
  });
}

function cannotStart(file: string, error: Error): HoneError {
  return new HoneError({
    what: "Cannot start the process in which new model files are opened first",
    where: file,
    why: error.message,
    next: "Check that the system lets you start processes, and run it again.",
    cause: error,
  });
}

/** The end of the engine's stderr: failed assertions and errors if there are any, else its last lines. */
function said(words: string): string {
  const lines = words
    .split("\n")
    // Leave out folders of the machine that built the engine.
    .map((line) => line.replaceAll(/\/\S*\/(?=[\w-]+\.(c|cpp|h):\d)/g, "").trim())
    .filter((line) => line !== "");
  const telling = lines.filter((line) => /GGML_ASSERT|what\(\)|terminate called|error|failed/i.test(line));
  const chosen = (telling.length > 0 ? telling : lines).slice(-3);
  return chosen.length > 0 ? `: ${chosen.join("; ").slice(0, 600)}` : "";
}
