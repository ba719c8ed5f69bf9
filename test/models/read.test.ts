// Reading a text's tokens with the embedded model: the log-probabilities are those that scoring gives, whatever was asked before.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LlamaModel } from "../../src/models/llama.js";
import { openModel } from "../../src/models/registry.js";

let model: LlamaModel;
beforeAll(async () => {
  model = await openModel("llama:smollm2-135m-instruct?format=plain&context=512&lanes=1&threads=1");
});
afterAll(() => model.close());
const context = { signal: new AbortController().signal };

describe("reading with the embedded model", () => {
  it("gives each token's log-probability, as scoring has it, and grows texts as they are written", async () => {
    const messages = [{ role: "user" as const, content: "The capital of France is" }];
    const read = (top: number) =>
      model.read({ messages, format: "plain", continuation: " Paris, of course", top }, context);
    const first = await read(1);
    const { options } = await model.score(
      { messages, format: "plain", options: [" Paris, of course"] },
      context,
    );
    const summed = first.tokens.slice(first.prompt).reduce((sum, { logprob }) => sum + (logprob ?? 0), 0);
    expect(first.tokens.length - first.prompt).toBe(options[0]?.tokens);
    // Tokens are evaluated in other batches: the last digits differ.
    expect(Math.abs(summed - (options[0]?.logprob ?? 0))).toBeLessThan(0.3);
    expect(first.tokens.map(({ text }) => text).join("")).toBe("The capital of France is Paris, of course");
    const again = await read(3);
    // How many likely tokens are asked for changes the order of a sum, and so its last digits.
    for (const [i, { logprob }] of again.tokens.entries())
      if (i > 0) expect(logprob).toBeCloseTo(first.tokens[i]?.logprob as number, 4);
    expect(again.next.length).toBe(3);
    const byTokens = await model.read(
      { messages: [], format: "plain", tokens: first.tokens.map(({ id }) => id), top: 1 },
      context,
    );
    expect(byTokens.tokens.map(({ logprob }) => logprob)).toEqual(first.tokens.map(({ logprob }) => logprob));
    await expect(
      model.read({ messages: [], format: "plain", tokens: [1e9], top: 1 }, context),
    ).rejects.toThrow(/whole number below/);
    const grown: string[] = [];
    const { text } = await model.generate(
      { messages, format: "plain", maxTokens: 4, temperature: 0, seed: 0 },
      { ...context, grows: (so) => grown.push(so) },
    );
    expect(grown.length).toBe(4);
    expect(grown.at(-1)).toBe(text);
  }, 60_000);
});
