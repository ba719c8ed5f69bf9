// The process in which a new file is opened first (see `trial.ts`): it loads the file as Hone would, creates a context, evaluates
// and writes a few tokens, and reports that it survived.

import { CallError } from "../../core/call.js";
import { HoneError, messageOf } from "../../core/errors.js";
import { readGguf } from "../../tensor/gguf.js";
import { trainedContext } from "./serve.js";
import type { Trial, Verdict } from "./trial.js";
import { openWeights } from "./weights.js";

/** Words, and every byte that can occur in UTF-8 text, so that every path of the tokenizer is exercised. */
const text = [
  "The first text: 12,345 naïve words, don't! <s></s>\r\n\n  漢字かな ١٢ 🙂\u200d🙂 ",
  ...Array.from({ length: 0x80 }, (_, i) => String.fromCodePoint(i)),
  ...Array.from({ length: 0x40 }, (_, i) => String.fromCodePoint(0x80 + i)),
  ...Array.from({ length: 0x1e }, (_, i) => String.fromCodePoint(0x80 + 0x40 * i)),
  ...Array.from({ length: 0x10 }, (_, i) => String.fromCodePoint(Math.max(0x800, 0x1000 * i))),
  ...Array.from({ length: 5 }, (_, i) => String.fromCodePoint(0x10000 + 0x3c000 * i)),
].join("");
/** Prompt tokens: more than the engine evaluates one by one. */
const maxTokens = 64;

async function attempt({ model, lora, gpu }: Trial): Promise<Verdict> {
  const { signal } = new AbortController();
  try {
    const gguf = readGguf(model);
    const contextTokens = Math.min(maxTokens, trainedContext(gguf));
    const vocabulary = gguf.metadata.get("tokenizer.ggml.tokens");
    const size = Array.isArray(vocabulary) ? vocabulary.length : 0;
    const weights = await openWeights(model, gpu);
    try {
      const { bos, tokenize } = weights.vocabulary;
      const tokens = [...tokenize(text), ...weights.continuation(text)];
      weights.text(Array.from({ length: size }, (_, token) => token));
      const change = lora === undefined ? {} : { lora };
      const [engine] = await weights.open({ contextTokens, lanes: 1, threads: 1, ...change });
      if (!engine || tokens.length === 0) return {};
      const begin = bos === undefined ? [] : [bos];
      const prompt = [...begin, ...tokens].slice(0, Math.max(1, contextTokens - 2));
      await engine.prompt(prompt, [0, size - 1], signal);
      const sampling = { maxTokens: 2, temperature: 1, seed: 1, enough: () => false };
      await engine.writer.write(prompt, sampling, signal);
      if (lora === undefined) await engine.embed(prompt.slice(0, 32));
    } finally {
      await weights.close();
    }
    return {};
  } catch (error) {
    // A call that the model cannot serve reports that itself later, with its own cause.
    if (error instanceof CallError) return {};
    if (error instanceof HoneError) return { failure: { ...error.failure, cause: undefined } };
    return {
      failure: {
        what: "llama.cpp cannot evaluate with this file",
        where: lora ?? model,
        why: messageOf(error),
        next: "Fetch or make the file again, or give another.",
      },
    };
  }
}

// Ctrl-C reaches every process of a terminal; the parent decides whether this one stops.
process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit());
process.on("message", async (trial: Trial) => process.send?.(await attempt(trial)));
