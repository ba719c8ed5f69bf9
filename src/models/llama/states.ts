// Reads the last token's state under an adapter through llama.cpp, as input to a classification head. node-llama-cpp's
// embedding contexts take no adapter, but they open their context with the model's `createContext`, which does.
//
// The pooling type is a property of loaded weights, and the weights that answer calls have mean pooling, so these are loaded
// separately, once for all adapters.

import type { LlamaEmbeddingContext, LlamaModel, Token } from "node-llama-cpp";
import type { CallContext } from "../../core/call.js";
import type { Work } from "../../core/model.js";
import type { GgufFile } from "../../tensor/gguf.js";
import { type Member, makePool } from "./pool.js";
import { inLanes } from "./queue.js";
import { cannotLoad, contextKind, loadModel } from "./weights.js";

export interface StatesOptions {
  gguf: GgufFile;
  gpu: "off" | "auto";
  contextTokens: number;
  /** Prompts evaluated at once. `threads` are per lane. */
  lanes: number;
  threads: number;
  /** Most adapters with contexts in memory at once. */
  most: number;
  work: Work;
  /** Awaited before an adapter is loaded. */
  tried: (lora: string, signal?: AbortSignal) => Promise<void>;
}

/** The state after the last norm at the last of some tokens, [width]. Nothing is kept from one prompt to the next. */
export type ReadState = (tokens: readonly number[], context: CallContext) => Promise<readonly number[]>;

export interface States {
  /** A reader under an adapter, a GGUF file, which loads on the first call. The call rejects with a HoneError if memory runs short. */
  under(lora: string): ReadState;
  close(): Promise<void>;
}

/** `llama_pooling_type` of llama.cpp: the last token's state. */
const lastToken = 3;

/** Readers of states over a file's weights, which load with the first of them. */
export function statesOver(options: StatesOptions): States {
  const { gguf, gpu, lanes, threads, contextTokens, work, tried } = options;
  const pool = makePool<LlamaEmbeddingContext[]>(options.most);
  let loading: Promise<LlamaModel> | undefined;
  const weights = (): Promise<LlamaModel> => {
    // A prompt is given as tokens: nothing may be added before or after them.
    const tokenizer = { ggml: { add_bos_token: false, add_eos_token: false } };
    loading ??= loadModel(gguf, gpu, { [gguf.architecture]: { pooling_type: lastToken }, tokenizer });
    loading.catch(() => (loading = undefined));
    return loading;
  };
  const open = async (lora: string): Promise<LlamaEmbeddingContext[]> => {
    const model = await weights();
    const adapted: LlamaModel = Object.create(model, {
      createContext: {
        value: (given: Parameters<LlamaModel["createContext"]>[0]) =>
          model.createContext({ ...given, ...contextKind(gguf), lora }),
      },
    });
    // Pooling needs the whole text in one batch.
    const size = contextTokens + 1;
    const contexts: LlamaEmbeddingContext[] = [];
    try {
      for (let lane = 0; lane < lanes; lane++)
        contexts.push(await adapted.createEmbeddingContext({ contextSize: size, batchSize: size, threads }));
    } catch (error) {
      for (const context of contexts) await context.dispose();
      throw cannotLoad(lora, error);
    }
    return contexts;
  };

  return {
    under(lora) {
      const queue = inLanes(lanes);
      const member: Member<LlamaEmbeddingContext[]> = {
        async load(signal) {
          await tried(lora, signal);
          return open(lora);
        },
        async unload(contexts) {
          for (const context of contexts) await context.dispose();
        },
      };
      return (tokens, { signal }) =>
        pool.use(
          member,
          (contexts) =>
            queue(signal, async (lane) => {
              work.evaluated += tokens.length;
              const context = contexts[lane] as LlamaEmbeddingContext;
              return (await context.getEmbeddingFor([...tokens] as Token[])).vector;
            }),
          signal,
        );
    },
    async close() {
      await pool.close();
      const model = await loading?.catch(() => undefined);
      loading = undefined;
      await model?.dispose();
    },
  };
}
