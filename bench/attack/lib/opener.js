// The Hone side of the attack by files: a process that opens one file after another as a study does, and reports how each
// went. If a file ends this process, it would have killed Hone.

import { CallError } from "../../../dist/core/call.js";
import { HoneError } from "../../../dist/core/errors.js";
import { openLlama } from "../../../dist/models/llama.js";
import { loadSpecialist } from "../../../dist/study/specialist.js";
import { readSafetensor, readSafetensors } from "../../../dist/tensor/safetensors.js";

const { signal } = new AbortController();
const [cache] = process.argv.slice(2);
/** Seconds after which it counts as a hang, even on a busy machine. */
const trialSeconds = 60;
const open = (path) =>
  openLlama(path, { name: "base", format: "plain", context: 128, lanes: 1, threads: 1, cache, trialSeconds });
const messages = [{ role: "user", content: "ab and a longer text, so that there is something to read." }];

async function use(model) {
  await model.score({ messages, format: "plain", options: ["ab", "abc"] }, { signal });
  await model.generate({ messages, format: "plain", maxTokens: 3, temperature: 1, seed: 1 }, { signal });
}

const bases = new Map();
async function changed(base, change) {
  if (!bases.has(base)) bases.set(base, await open(base));
  await use(
    bases.get(base).weights.specialize({ id: change.lora ?? change.weights, name: "changed", ...change }),
  );
}

const ways = {
  model: async ({ path }) => {
    const model = await open(path);
    try {
      await use(model);
      await model.embed(["ab"], { signal });
    } finally {
      await model.close();
    }
  },
  adapter: ({ path, base }) => changed(base, { lora: path }),
  weights: ({ path, base }) => changed(base, { weights: path }),
  safetensors: async ({ path }) => {
    const file = await readSafetensors(path);
    for (const name of file.tensors.keys()) await readSafetensor(file, name);
  },
  specialist: async ({ path, base }) => {
    const { subject, close } = await loadSpecialist(path, { signal, open: () => open(base) });
    try {
      const options = ["ab", "cd"].map((text) => ({ key: text, text }));
      await subject.respond(
        { input: "ab", options, answerBy: "text", scoring: "sum", demonstrations: [] },
        { signal },
      );
    } finally {
      await close();
    }
  },
};

process.on("disconnect", () => process.exit());
process.on("message", async (file) => {
  try {
    await ways[file.way](file);
    process.send({ ending: "passed" });
  } catch (error) {
    const clear = error instanceof HoneError || error instanceof CallError;
    const words = clear ? error.message : (error?.stack ?? String(error));
    process.send({ ending: clear ? "refused" : "unclear", words });
  }
});
