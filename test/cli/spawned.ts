// The real command in a process of its own, for tests that stop it, cut its output, or look at its exit code.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";

export const bin = resolve(import.meta.dirname, "../../bin/hone.js");

export interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** Milliseconds from start to end. */
  ms: number;
}

export interface Running {
  child: ChildProcess;
  ended: Promise<Ended>;
  /** Resolves when stdout and stderr together hold the pattern. */
  said: (pattern: RegExp) => Promise<void>;
  /** Stdout so far. */
  text: () => string;
}

export function start(args: string[], options: { cwd: string; env?: NodeJS.ProcessEnv }): Running {
  const started = performance.now();
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: options.cwd,
    env: { ...process.env, OPENAI_API_KEY: "sk-test", ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.on("data", (data) => {
      text[name] += data;
    });
  }
  const ended = once(child, "close").then(([code, signal]) => ({
    code,
    signal,
    ...text,
    ms: performance.now() - started,
  }));
  const said = async (pattern: RegExp): Promise<void> => {
    while (!pattern.test(text.stdout + text.stderr)) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`it ended without saying ${pattern}:\n${text.stdout}${text.stderr}`);
      await new Promise((tick) => setTimeout(tick, 20));
    }
  };
  return { child, ended, said, text: () => text.stdout };
}

export const hone = (args: string[], options: Parameters<typeof start>[1]): Promise<Ended> =>
  start(args, options).ended;
