// A GGUF model in this process, through llama.cpp, and what is made of its weights. It loads on the first call, so that a
// run which finds every call in its journal never loads it. What a call does is `llama/serve.ts`'s.
import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { readGguf } from "../tensor/gguf.js";
import { checkChange } from "./llama/change.js";
import { checkModel } from "./llama/check.js";
import { openWeights, planLanes } from "./llama/engine.js";
import { sha256Of } from "./llama/hash.js";
import { makePool } from "./llama/pool.js";
import { serve, trainedContext } from "./llama/serve.js";
import { tryFirst } from "./llama/trial.js";

/** Of a model and its specialists, how many have contexts in memory at once: one that answers and one it is compared with. */
const maxLoaded = 2;
/**
 * Opens a GGUF file. The header is checked at once, the weights are loaded by the first call; a file that is new here is first
 * opened in a process of its own, as are the files of changes to it.
 *
 * - `score` tokenises prompt and options apart: an option never changes how the prompt's end is read. Begin an option with
 *   a space where it is a word of its own.
 * - `embed` gives the mean of the last layer's states, or the pooling that the file names.
 * - A prompt beyond the context is a CallError `too-long`; nothing is ever cut.
 * - `weights.specialise` gives models that share these weights and are closed with this one. Those made by an adapter or a
 *   prefix give no embeddings, for llama.cpp's embedding contexts take no adapter; none can be specialised again.
 *
 * @throws HoneError when the file is not a usable model
 */
export async function openLlama(path, options = {}) {
  const gguf = readGguf(path);
  checkModel(gguf);
  const contextTokens = Math.min(options.context ?? 4096, trainedContext(gguf));
  const gpu = options.gpu ?? "off";
  const name = options.name ?? basename(path).replace(/\.gguf$/i, "");
  const cores = availableParallelism();
  const planned = gpu === "off" ? planLanes(gguf, contextTokens, cores) : { lanes: 1, threads: cores };
  const lanes = options.lanes ?? planned.lanes;
  const threads = options.threads ?? Math.max(1, Math.floor(cores / lanes));
  const pool = makePool(maxLoaded);
  let loading;
  let closed = false;
  const tried = (trial, signal) =>
    tryFirst(trial, {
      ...(signal ? { signal } : {}),
      ...(options.cache === undefined ? {} : { cache: options.cache }),
      ...(options.trialSeconds === undefined ? {} : { seconds: options.trialSeconds }),
    });
  const ownWeights = (signal) => {
    if (closed) throw new Error(`The model ${name} is closed.`);
    if (loading) return loading;
    const started = tried({ model: path, gpu }, signal).then(() => openWeights(path, gpu));
    loading = started;
    // What one caller gave up is for the next to begin again.
    started.catch(() => {
      if (signal?.aborted && loading === started) loading = undefined;
    });
    return started;
  };
  const served = (change) => {
    const { lora, weights: file } = change ?? {};
    const work = { evaluated: 0, reused: 0, written: 0 };
    const engineOptions = { contextTokens, lanes, threads, work, ...(lora ? { lora } : {}) };
    const member = {
      async load(signal) {
        // On the CPU: a GPU may have no room for the base twice.
        if (lora ?? file) await tried({ model: file ?? path, gpu: "off", ...(lora ? { lora } : {}) }, signal);
        const weights = file === undefined ? await ownWeights(signal) : await openWeights(file, gpu);
        try {
          return { weights, engines: await weights.open(engineOptions) };
        } catch (error) {
          if (file !== undefined) await weights.close();
          throw error;
        }
      },
      async unload({ weights, engines }) {
        for (const engine of engines) await engine.close();
        if (file !== undefined) await weights.close();
      },
    };
    const template = gguf.metadata.get("tokenizer.chat_template");
    const granted = ["text", "logprobs"];
    if (!lora && !change?.prefix) granted.push("embeddings");
    if (!change) granted.push("gradients", "weights");
    return {
      id: change ? `${id}+${change.id}` : id,
      name: change ? `${name} + ${change.name}` : name,
      grants: new Set(granted),
      format: options.format ?? (template ? "chat" : "plain"),
      ...(options.format === undefined && template ? { formats: ["chat", "plain"] } : {}),
      gguf,
      contextTokens,
      lanes,
      prefix: change?.prefix ?? [],
      pool,
      member,
      work,
    };
  };
  const id = `llama:${name}@${(await sha256Of(path)).slice(0, 16)}${gpu === "off" ? "" : ";gpu"}`;
  const base = serve(served());
  return {
    ...base.model,
    weights: {
      path,
      tokenize: async (request) => base.tokens(request, await ownWeights()),
      specialise(change) {
        checkChange(gguf, change, contextTokens);
        // It has nothing of its own to free: its contexts go when others need the room, or with the base.
        return { ...serve(served(change)).model, close: async () => {} };
      },
    },
    async close() {
      closed = true;
      // Whatever runs is let finish: freeing the model under an evaluation would crash the process.
      await pool.close();
      const weights = await loading?.catch(() => undefined);
      loading = undefined;
      await weights?.close();
    },
  };
}
