// Runs one way of a benchmark in its own process, which makes steps on request: a line with a number on its stdin requests that
// many, and a line of JSON answers with their results (`steps`, each with its `ms`).

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/**
 * Starts a way and makes its warm-up steps.
 *
 * @param optional whether the way is skipped with a message if it does not run here
 * @returns `turn(count)`, `stop`, the answer of the first turn and the seconds until it came; nothing if it was skipped
 * @throws Error with the end of its stderr if it ended
 */
export async function startWorker({ name, command, optional = false }, warmUp) {
  const began = performance.now();
  const [program, ...args] = command;
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  let complaints = "";
  child.stderr.on("data", (data) => {
    complaints = (complaints + data).slice(-2000);
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ended = new Promise((resolve) => child.once("close", resolve));
  const turn = async (count) => {
    child.stdin.write(`${count}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`${name} ended with ${await ended}: ${complaints}`);
    return JSON.parse(value);
  };
  const stop = () => {
    child.stdin.end();
    return ended;
  };
  try {
    const first = await turn(warmUp);
    return { turn, stop, first, readySeconds: (performance.now() - began) / 1000 };
  } catch (error) {
    await stop();
    if (!optional) throw error;
    console.log(`  ${name}: does not run here, skipped (${error.message.trim().split("\n").at(-1)})`);
    return undefined;
  }
}

/** Runtime threads spin for a while after their work; the next one gets the cores to itself. */
export const pause = () => new Promise((resolve) => setTimeout(resolve, 300));
