// With the real encoder, fetched once from its packages into the cache.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Encoder } from "../../src/core/model.js";
import { openModel } from "../../src/models/registry.js";

const context = { signal: new AbortController().signal };
let encoder: Encoder;
beforeAll(async () => {
  encoder = await openModel("encoder:minilm?threads=1");
}, 300_000);
afterAll(() => encoder?.close());

const dot = (a: readonly number[] | undefined, b: readonly number[] | undefined) =>
  (a ?? []).reduce((sum, x, i) => sum + x * (b?.[i] ?? 0), 0);
const embed = async (...texts: string[]) => (await encoder.embed(texts, context)).vectors;

describe("MiniLM", () => {
  it("puts paraphrases nearer than strangers", async () => {
    const pairs = [
      ["A man is playing a guitar.", "Someone plays the guitar."],
      ["The licence may be revoked at any time.", "This license is revocable whenever the licensor wishes."],
      ["The patient has a fever.", "The patient's temperature is raised."],
    ] as const;
    const vectors = await embed(...pairs.flat());
    for (let i = 0; i < 6; i += 2) {
      const near = dot(vectors[i], vectors[i + 1]);
      for (let j = 0; j < 6; j++)
        if (j >> 1 !== i >> 1) expect(near).toBeGreaterThan(dot(vectors[i], vectors[j]) + 0.2);
    }
  });

  it("gives 384 numbers of unit length", async () => {
    for (const vector of await embed("one", "", "two words and more", "日本語", "\u0000\n")) {
      expect(vector).toHaveLength(384);
      expect(dot(vector, vector)).toBeCloseTo(1, 9);
    }
  });

  it("gives a text the same vector whatever stands beside it", async () => {
    const [alone] = await embed("A cat sits on the mat.");
    const [, among] = await embed("word ".repeat(400), "A cat sits on the mat.", "Short.");
    expect(among).toEqual(alone);
  });

  it("reads 256 pieces of a long text and leaves the rest out", async () => {
    const { vectors, cost } = await encoder.embed(["word ".repeat(254), "word ".repeat(2000)], context);
    expect(vectors[0]).toEqual(vectors[1]);
    expect(cost.inputTokens).toBe(512);
    const texts = ["word ".repeat(254), "word ".repeat(2000), "word"];
    expect(await encoder.cut?.(texts)).toEqual({ texts: 1, pieces: 256 });
  });

  it("does nothing but embed", async () => {
    expect([...encoder.grants]).toEqual(["embeddings"]);
    expect(encoder).not.toHaveProperty("generate");
    expect(encoder).not.toHaveProperty("score");
  });

  it("stops between texts when its signal fires", async () => {
    const stop = new AbortController();
    const work = encoder.embed(
      Array.from({ length: 2000 }, (_, i) => `text ${i}`),
      { signal: stop.signal },
    );
    setTimeout(() => stop.abort(new Error("stop now")), 20);
    await expect(work).rejects.toThrow("stop now");
    expect(await embed("still here")).toHaveLength(1);
  });
});
