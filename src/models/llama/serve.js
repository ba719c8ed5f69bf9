// Answers calls with one set of weights as it is or as a change makes it: generates, scores options, embeds. Each lane
// makes one call at a time. Loading and unloading are the pool's.
import { CallError } from "../../core/call.js";
import { compileTemplate, plainSegments } from "../template.js";
import { inLanes } from "./queue.js";
import { scoreContinuations } from "./score.js";
import { inertTokens, promptTokenizer } from "./tokens.js";
/** The model's calls, and how it tokenises a request. Closing is up to whoever owns the pool. */
export function serve(served) {
  const { name, gguf, contextTokens, lanes, prefix, pool, member, grants } = served;
  const trained = trainedContext(gguf);
  const source = gguf.metadata.get("tokenizer.chat_template");
  const queue = inLanes(lanes);
  const tokenizers = new WeakMap();
  let template;
  const segments = async (messages, format) => {
    if (format === "plain") return plainSegments(messages);
    if (typeof source !== "string" || source === "") {
      throw new CallError("unsupported", `${name} has no chat template; use the format \`plain\`.`);
    }
    template ??= compileTemplate(source, specialTexts(gguf));
    return (await template)(messages);
  };
  const tokenize = (vocabulary, parts) => {
    let tokenizer = tokenizers.get(vocabulary);
    if (!tokenizer) {
      tokenizer = promptTokenizer(vocabulary);
      tokenizers.set(vocabulary, tokenizer);
    }
    return tokenizer(parts);
  };
  const promptTokens = async (vocabulary, messages, format) => {
    const tokens = tokenize(vocabulary, await segments(messages, format));
    if (tokens.length === 0) throw new CallError("unsupported", "The prompt is empty.");
    tokens.splice(vocabulary.bos === undefined ? 0 : 1, 0, ...prefix);
    return tokens;
  };
  const requestTokens = async (request, { vocabulary, continuation }) => {
    const prompt = await promptTokens(vocabulary, request.messages, request.format);
    const options = request.options.map((option, i) => {
      const found = inertTokens(option, { ...vocabulary, tokenize: continuation });
      if (found.length === 0) throw new CallError("unsupported", `Option ${i + 1} is empty.`);
      return found;
    });
    return { prompt, options, begin: vocabulary.bos === undefined ? 0 : 1 };
  };
  /** Runs one call in the lane that keeps most of its prompt, timed from when it gets its turn. */
  const call = (context, read, work) =>
    pool.use(
      member,
      async ({ weights, engines }) => {
        context.signal.throwIfAborted();
        const request = await read(weights);
        const engineOf = (lane) => engines[lane];
        return queue(
          context.signal,
          (lane) => {
            const start = performance.now();
            return work(engineOf(lane), request, (inputTokens, outputTokens) => ({
              calls: 1,
              inputTokens,
              outputTokens,
              ms: performance.now() - start,
              usd: 0,
            }));
          },
          (lane) => engineOf(lane).keeps(request.prompt),
        );
      },
      context.signal,
    );
  const checkRoom = (tokens, what) => {
    if (tokens <= contextTokens) return;
    const why = `${what} takes ${tokens} tokens, but the context of ${name} holds ${contextTokens}`;
    const more = trained > contextTokens ? `; up to ?context=${trained} is possible` : "";
    throw new CallError("too-long", why + more);
  };
  const model = {
    id: served.id,
    name,
    grants,
    format: served.format,
    ...(served.formats ? { formats: served.formats } : {}),
    concurrency: lanes,
    contextTokens,
    work: () => ({ ...served.work }),
    generate: (request, context) => {
      const stops = (request.stop ?? []).filter((stop) => stop !== "");
      return call(
        context,
        async ({ vocabulary }) => {
          const prompt = await promptTokens(vocabulary, request.messages, request.format);
          checkRoom(prompt.length + Math.min(1, request.maxTokens), "the prompt with one more token");
          return { prompt };
        },
        async (engine, { prompt }, cost) => {
          const written = await engine.generate(
            prompt,
            {
              maxTokens: request.maxTokens,
              temperature: request.temperature,
              seed: request.seed,
              enough: (text) => firstStop(text, stops) >= 0,
            },
            context.signal,
          );
          const end = firstStop(written.text, stops);
          const text = end < 0 ? written.text : written.text.slice(0, end);
          return { text, finish: written.finish, cost: cost(prompt.length, written.tokens) };
        },
      );
    },
    score: (request, context) =>
      call(
        context,
        async (weights) => {
          const tokens = await requestTokens(request, weights);
          // The last token of an option is read from the logits before it and takes no place in the context.
          const longest = tokens.options.reduce((most, option) => Math.max(most, option.length), 1);
          checkRoom(tokens.prompt.length + longest - 1, "the prompt with its longest option");
          return tokens;
        },
        async (engine, { prompt, options }, cost) => {
          const logprobs = await scoreContinuations(engine, prompt, options, context.signal);
          const scored = options.map((option, i) => ({
            logprob: logprobs[i],
            tokens: option.length,
          }));
          const read = options.reduce((sum, option) => sum + option.length, prompt.length);
          return { options: scored, cost: cost(read, 0) };
        },
      ),
    embed: async (texts, context) => {
      if (!grants.has("embeddings")) throw new CallError("unsupported", `${name} gives no embeddings.`);
      return call(
        context,
        async ({ vocabulary }) => {
          const all = texts.map((text, i) => {
            const tokens = tokenize(vocabulary, [{ text, template: false }]);
            if (tokens.length === 0) throw new CallError("unsupported", `Text ${i + 1} is empty.`);
            checkRoom(tokens.length + 1, `text ${i + 1}`);
            return tokens;
          });
          // Embedding has contexts of its own: any lane suits it, and none loses what it keeps.
          return { prompt: [], all };
        },
        async (engine, { all }, cost) => {
          const vectors = [];
          for (const [i, tokens] of all.entries()) {
            context.signal.throwIfAborted();
            const vector = await engine.embed(tokens);
            const length = Math.hypot(...vector);
            if (!(length > 0))
              throw new CallError("malformed", `llama.cpp gave no vector for text ${i + 1}.`);
            vectors.push(vector.map((value) => value / length));
          }
          const read = all.reduce((sum, tokens) => sum + tokens.length, 0);
          return { vectors, cost: cost(read, 0) };
        },
      );
    },
  };
  return { model, tokens: requestTokens };
}
/** Tokens of context that the model was trained on. */
export function trainedContext(gguf) {
  return Number(gguf.metadata.get(`${gguf.architecture}.context_length`));
}
function firstStop(text, stops) {
  const found = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return found.length > 0 ? Math.min(...found) : -1;
}
function specialTexts(gguf) {
  const texts = gguf.metadata.get("tokenizer.ggml.tokens");
  const text = (key) => {
    const id = gguf.metadata.get(`tokenizer.ggml.${key}`);
    const found = Array.isArray(texts) && typeof id === "number" ? texts[id] : undefined;
    return typeof found === "string" ? found : "";
  };
  return { bosToken: text("bos_token_id"), eosToken: text("eos_token_id") };
}
