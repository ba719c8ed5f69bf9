// A thread of its own for a decoder that believes what a file declares: it has a heap of its own with a limit, and is
// stopped when it takes too long. What it answers is plain data.
import { Worker } from "node:worker_threads";

const heapMb = 3072;
/**
 * Starts a thread that runs `serve`. It is passed as source text, so it may use nothing from outside but its parameters:
 * Node's threads and files, and the packages named. It answers each message on `parentPort` with one `Reply`.
 */
export function startThread(serve, packages, workerData) {
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
        const onMessage = (reply) =>
          finish(() => ("value" in reply ? resolve(reply.value) : reject(new Error(reply.error))));
        const onError = (error) => {
          const heap = error.code === "ERR_WORKER_OUT_OF_MEMORY";
          finish(() => reject(heap ? new Error(`decoding needs over ${heapMb} MB`) : error));
        };
        const finish = (settle) => {
          clearTimeout(timer);
          worker.off("message", onMessage).off("error", onError);
          settle();
        };
        worker.on("message", onMessage).on("error", onError);
        worker.postMessage(question);
      }),
    async close() {
      worker.on("error", () => {}); // whatever the thread still throws while it is stopped concerns nobody
      await worker.terminate();
    },
  };
}
