// Runs a decoder on its own thread, because the decoder trusts what a file declares. The thread has its own heap limit and is
// stopped if it takes too long. Its answers are plain data.

import type * as FileSystem from "node:fs/promises";
import { Worker } from "node:worker_threads";

export type Threads = typeof import("node:worker_threads");
export type Files = typeof FileSystem;
export type Reply<A> = { value: A } | { error: string };

export interface ReaderThread<Q, A> {
  /** The thread's answer; rejects with the reason if there is none within `ms`. */
  ask(question: Q, ms: number): Promise<A>;
  close(): Promise<void>;
}

const heapMb = 3072;

/**
 * Starts a thread that runs `serve`. It is passed as source text, so it may use only its parameters: Node's threads and
 * files, and the named packages. It answers each message on `parentPort` with one `Reply`.
 */
export function startThread<Q, A, M extends readonly unknown[]>(
  serve: (threads: Threads, fs: Files, ...packages: M) => void,
  packages: readonly string[],
  workerData: Record<string, unknown>,
): ReaderThread<Q, A> {
  const urls = packages.map((name) => `import(${JSON.stringify(import.meta.resolve(name))})`);
  const source = `Promise.all([${urls.join(", ")}]).then((packages) =>
    (${serve.toString()})(require("node:worker_threads"), require("node:fs/promises"), ...packages))`;
  const worker = new Worker(source, {
    eval: true,
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: heapMb },
  });
  return {
    ask: (question, ms) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => finish(() => reject(new Error(`decoding took over ${Math.round(ms / 1000)} s`))),
          ms,
        );
        const onMessage = (reply: Reply<A>): void =>
          finish(() => ("value" in reply ? resolve(reply.value) : reject(new Error(reply.error))));
        const onError = (error: Error): void => {
          const heap = (error as { code?: string }).code === "ERR_WORKER_OUT_OF_MEMORY";
          finish(() => reject(heap ? new Error(`decoding needs over ${heapMb} MB`) : error));
        };
        const finish = (settle: () => void): void => {
          clearTimeout(timer);
          worker.off("message", onMessage).off("error", onError);
          settle();
        };
        worker.on("message", onMessage).on("error", onError);
        worker.postMessage(question);
      }),
    async close() {
      worker.on("error", () => {}); // errors that the thread throws while it is being stopped are ignored
      await worker.terminate();
    },
  };
}
