// Runs `hone`, in a host process or in its own, and judges how it ended: a clean end is exit 0, or exit 1, 2 or 100
// with one error; a death by signal, an abort, a hang, a stack trace or "This is a bug" is a kill.

import { fork, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export const bin = fileURLToPath(new URL("../../../bin/hone.js", import.meta.url));
const host = fileURLToPath(new URL("host.js", import.meta.url));
/** Milliseconds after which a command counts as hung. */
export const limitMs = 60_000;
/** Makes unbounded memory use end in an abort rather than exhaust the machine. */
const heap = "--max-old-space-size=1024";

/** A description of something that an attack must not be able to do. */
export class Killed extends Error {}

/**
 * Runs a command in its own process.
 * @returns {Promise<{code: number | null, signal: string | null, stdout: string, stderr: string, hung: boolean}>}
 */
export function inProcess(args, { cwd, env = {}, limit = limitMs, command = [process.execPath, bin] }) {
  return new Promise((resolve, reject) => {
    const child = spawn(command[0], [...command.slice(1), ...args], {
      cwd,
      env: { ...process.env, NODE_OPTIONS: heap, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const out = { stdout: "", stderr: "" };
    let hung = false;
    for (const name of ["stdout", "stderr"])
      child[name].setEncoding("utf8").on("data", (text) => {
        if (out[name].length < 20e6) out[name] += text;
      });
    const timer = setTimeout(() => {
      hung = true;
      child.kill("SIGKILL");
    }, limit);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, ...out, hung });
    });
  });
}

/** A host process, restarted after each death. `run` returns what `inProcess` returns. */
export function openHost() {
  let child;
  const start = () =>
    new Promise((resolve) => {
      child = fork(host, [], { execArgv: [heap], silent: true });
      child.once("message", resolve);
      child.once("exit", resolve);
    });
  return {
    async run(args, { cwd, env = {}, limit = limitMs }) {
      if (!child?.connected) await start();
      return new Promise((resolve) => {
        let hung = false;
        const timer = setTimeout(() => {
          hung = true;
          child.kill("SIGKILL");
        }, limit);
        const finish = (result) => {
          clearTimeout(timer);
          child.off("message", finish);
          child.off("exit", onExit);
          resolve({ ...result, hung });
        };
        const onExit = (code, signal) => finish({ code, signal, stdout: "", stderr: "the host ended" });
        child.on("message", finish);
        child.on("exit", onExit);
        child.send({ args, cwd, env });
      });
    },
    close() {
      child?.kill("SIGKILL");
    },
  };
}

const traces = /^\s+at (?:async )?(?:[\w.<>[\] ]+ \()?(?:file:|node:|\/|<anonymous>)\S*:\d+:\d+\)?$/m;

/** Why a command's end counts as a kill; undefined for a clean end. Signals that were sent on purpose are named in `sent`. */
export function deathOf({ code, signal, stdout, stderr, hung }, sent = []) {
  if (hung) return "it hung";
  if (signal !== null) return sent.includes(signal) ? undefined : `it died by ${signal}`;
  const text = `${stdout}\n${stderr}`;
  if (/This is a bug|Hone broke/.test(text))
    return `it says that it has a bug: ${excerpt(text, /Hone broke/)}`;
  if (traces.test(stderr)) return `it shows a stack trace: ${excerpt(stderr, traces)}`;
  if (
    !(
      code === 0 ||
      code === 1 ||
      code === 2 ||
      code === 100 ||
      ((code === 130 || code === 143) && sent.length > 0)
    )
  )
    return `it ended with ${code}`;
  if (code === 1 || code === 2) {
    const errors = stderr.match(/^(?:error: .+| {2}next: .+)$/gm)?.length ?? 0;
    if (stderr.trim() === "") return `it ended with ${code} and no word why`;
    if (errors > 1) return `it shows ${errors} errors: ${excerpt(stderr, /./)}`;
  }
  // Tabs and line ends are allowed; other control characters would control the terminal.
  if (/[\x00-\x08\x0b-\x1f\x7f-\x9f]/.test(stderr.replaceAll("\r\n", "\n")))
    return "its messages hold raw control characters";
  return undefined;
}

function excerpt(text, around) {
  const at = Math.max(0, text.search(around) - 120);
  return JSON.stringify(text.slice(at, at + 400).trim());
}

/** A command line that a shell parses back to the same arguments. */
export function commandLine(args) {
  const word = (text) =>
    /^[\w@%+=:,./-]+$/.test(text)
      ? text
      : text.length > 300
        ? `"$(… ${text.length} characters)"`
        : `'${text.replaceAll("'", "'\\''")}'`;
  return ["hone", ...args.map(word)].join(" ");
}
