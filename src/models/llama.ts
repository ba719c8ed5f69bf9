// A GGUF model in this process, through llama.cpp, and the specialists of its weights. It loads on the first call, so a run
// that finds every call in its journal never loads it. `llama/serve.ts` handles the calls.

import { basename } from "node:path";
import { CallError } from "../core/call.js";
import { usableCores } from "../core/cores.js";
import type {
  Change,
  Embeds,
  Grant,
  LanguageModel,
  OpensWeights,
  PromptFormat,
  Reads,
  Scores,
} from "../core/model.js";
import { untrainable } from "../nets/config.js";
import { readGguf } from "../tensor/gguf.js";
import { checkChange } from "./llama/change.js";
import { checkModel } from "./llama/check.js";
import { sha256Of } from "./llama/hash.js";
import { type Member, makePool } from "./llama/pool.js";
import { type Loaded, type Served, serve, trainedContext } from "./llama/serve.js";
import { statesOver } from "./llama/states.js";
import { type Trial, tryFirst } from "./llama/trial.js";
import { type EngineOptions, isFloat32, openWeights, planLanes, type Weights } from "./llama/weights.js";
import { renderingMark } from "./template.js";

export interface LlamaOptions {
  /** Display name; the file's name by default. */
  name?: string;
  /** `chat` by default if the file has a chat template. */
  format?: PromptFormat;
  /** Most tokens of prompt and answer together; 4096 by default, or the model's training context if that is less. */
  context?: number;
  /** Requests evaluated at once, each in its own context; by default one per core, as far as memory allows. */
  lanes?: number;
  /** Threads per lane; by default the cores divided among the lanes. */
  threads?: number;
  /** `auto` uses a GPU if a prebuilt binary supports it. `off` by default. */
  gpu?: "off" | "auto";
  /** Hone's cache, which records the files that have been tried. */
  cache?: string;
  /** Most seconds that the first opening of a new file may take; by default depends on its size. */
  trialSeconds?: number;
}

/** A language model in this process: it has every capability, and grants its weights if they can be trained. */
export type LlamaModel = LanguageModel & Scores & Reads & Embeds & OpensWeights;

/** How many of a model and its specialists have contexts in memory at once: one that answers and one it is compared with. */
const maxLoaded = 2;

/**
 * Opens a GGUF file. The header is checked at once; the first call loads the weights. A file that is new on this machine is first
 * opened in a separate process, as are the files of changes to it.
 *
 * - `score` tokenizes prompt and options separately: an option never changes how the prompt's end is tokenized. Begin an
 *   option with a space if it is a word of its own.
 * - `embed` returns the mean of the last layer's states, or the pooling that the file names.
 * - A prompt beyond the context is a CallError `too-long`; nothing is ever truncated.
 * - `weights.specialize` returns models that share these weights and are closed with this one. Those made by an adapter or a
 *   prefix have no embeddings; none can be specialized again.
 * - `weights.states` reads the last token's state under an adapter, over a second load of the weights.
 *
 * @throws HoneError when the file is not a usable model
 */
export async function openLlama(path: string, options: LlamaOptions = {}): Promise<LlamaModel> {
  const gguf = readGguf(path);
  checkModel(gguf);
  const barred = untrainable(gguf);
  const contextTokens = Math.min(options.context ?? 4096, trainedContext(gguf));
  const gpu = options.gpu ?? "off";
  const name = options.name ?? basename(path).replace(/\.gguf$/i, "");

  const cores = usableCores();
  const planned = gpu === "off" ? planLanes(gguf, contextTokens, cores) : { lanes: 1, threads: cores };
  const lanes = options.lanes ?? planned.lanes;
  const threads = options.threads ?? Math.max(1, Math.floor(cores / lanes));
  const pool = makePool<Loaded>(maxLoaded);
  let loading: Promise<Weights> | undefined;
  let closed = false;
  const tried = (trial: Trial, signal?: AbortSignal): Promise<void> =>
    tryFirst(trial, {
      ...(signal ? { signal } : {}),
      ...(options.cache === undefined ? {} : { cache: options.cache }),
      ...(options.trialSeconds === undefined ? {} : { seconds: options.trialSeconds }),
    });
  const ownWeights = (signal?: AbortSignal): Promise<Weights> => {
    if (closed) throw new Error(`The model ${name} is closed.`);
    if (loading) return loading;
    const started = tried({ model: path, gpu }, signal).then(() => openWeights(path, gpu));
    loading = started;
    // If the caller that started a load aborts it, the next caller starts it again.
    started.catch(() => {
      if (signal?.aborted && loading === started) loading = undefined;
    });
    return started;
  };

  const served = (change?: Change): Served => {
    const { lora, weights: file } = change ?? {};
    const work = { evaluated: 0, reused: 0, written: 0 };
    const engineOptions: EngineOptions = { contextTokens, lanes, threads, work, ...(lora ? { lora } : {}) };
    const member: Member<Loaded> = {
      async load(signal) {
        // On the CPU: a GPU may not have room for the base twice.
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
    const granted: Grant[] = ["text", "logprobs"];
    if (!lora && !change?.prefix) granted.push("embeddings");
    if (!change && barred === undefined) granted.push("gradients", "weights");
    return {
      id: change ? `${id}+${change.id}` : id,
      name: change ? `${name} + ${change.name}` : name,
      grants: new Set(granted),
      format: options.format ?? (template ? "chat" : "plain"),
      ...(options.format === undefined && template ? { formats: ["chat", "plain"] as const } : {}),
      gguf,
      contextTokens,
      lanes,
      prefix: change?.prefix ?? [],
      pool,
      member,
      work,
    };
  };

  const template = gguf.metadata.get("tokenizer.chat_template");
  // Settings that change a model's figures are part of its identity.
  const rendering = typeof template === "string" ? renderingMark(template) : "";
  const how = `${isFloat32(gguf) ? ";f32" : ""}${gpu === "off" ? "" : ";gpu"}${rendering}`;
  const id = `llama:${name}@${(await sha256Of(path)).slice(0, 16)}${how}`;
  const own = served();
  const base = serve(own);
  const states = statesOver({
    ...{ gguf, gpu, contextTokens, lanes, threads, most: maxLoaded, work: own.work },
    tried: (lora, signal) => tried({ model: path, gpu: "off", lora }, signal),
  });
  return {
    ...base.model,
    ...base.embeds,
    weights: {
      path,
      ...(barred === undefined ? {} : { untrainable: barred }),
      tokenize: async (request) => base.tokens(request, await ownWeights()),
      specialize(change) {
        checkChange(gguf, change, contextTokens);
        // A specialist has nothing of its own to free: its contexts are freed when others need the room, or with the base.
        const { model, embeds } = serve(served(change));
        return {
          ...model,
          ...(model.grants.has("embeddings") ? embeds : {}),
          close: async () => {},
        };
      },
      states(lora) {
        checkChange(gguf, { id: "", name: "", lora }, contextTokens);
        const read = states.under(lora);
        return async (tokens, context) => {
          if (tokens.length <= contextTokens) return read(tokens, context);
          const why = `the prompt takes ${tokens.length} tokens, and the context holds ${contextTokens}`;
          throw new CallError("too-long", why);
        };
      },
    },
    async close() {
      closed = true;
      await states.close();
      // Running work may finish first: freeing the model during an evaluation would crash the process.
      await pool.close();
      const weights = await loading?.catch(() => undefined);
      loading = undefined;
      await weights?.close();
    },
  };
}
