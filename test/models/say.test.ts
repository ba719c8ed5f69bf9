// How unlikely a decoder that is read as an encoder finds texts: against plain loops, changed and unchanged.

import { Tensor } from "onnxruntime-node";
import { afterAll, describe, expect, it } from "vitest";
import { taskContext } from "../../src/core/task.js";
import { encoderSubject } from "../../src/models/encoder.js";
import { netEncoder } from "../../src/models/net/encoder.js";
import type { Net } from "../../src/models/net/net.js";
import { tensorShapes } from "../../src/nets/config.js";
import { hidden } from "../../src/nets/decoder.js";
import { nextLogprobs } from "../../src/nets/language.js";
import { corpus } from "../../src/tasks/corpus.js";
import { naiveLogits, naiveLogSoftmax } from "../nets/naive.js";
import { hostWeights, tinyConfig } from "../nets/tiny.js";

const config = tinyConfig("gemma3");
const weights = hostWeights(config);
/** Letters as tokens after the begin token. */
const idsOf = (text: string) => [2, ...Array.from(text, (letter) => 3 + (letter.charCodeAt(0) % 20))];
const net: Net = {
  id: "tiny",
  family: "decoder",
  width: config.width,
  layers: config.layers,
  longest: 40,
  shapes: tensorShapes(config),
  matrices: () => [],
  read: (text) => {
    const ids = idsOf(text).slice(0, 40);
    return { ids, from: 1, to: ids.length };
  },
  weights: async () => weights,
  hidden: (traced, { tokens, positions, segments }, changes, tap) =>
    hidden(config, traced, tokens, { changes, packing: { segments, positions }, tap }).reshape([
      -1,
      config.width,
    ]),
  logprobs: (traced, { tokens, positions, segments }, targets, changes) =>
    nextLogprobs(config, traced, { tokens, targets }, { changes, packing: { segments, positions } }),
  write: () => Promise.reject(new Error("not here")),
};
const encoder = netEncoder(net, { name: "tiny", pool: "own", layer: 1, threads: 1 });
const gain = new Tensor("float32", new Float32Array(config.width).fill(0.3), [config.width]);
const name = "blk.0.attn_norm.weight";
const changed = encoder.specialize({
  id: "changed",
  name: "changed",
  trained: async () => ({ [name]: gain }),
  change: (trained) => ({ weights: trained }),
});
afterAll(async () => {
  await encoder.close();
  await changed.close();
});
const { signal } = new AbortController();
const texts = ["a court of law", "no", "whoever said that was wrong"];

function plainly(text: string, own: typeof weights): number {
  const ids = idsOf(text);
  const logits = naiveLogits(config, own, ids);
  return ids.slice(1).reduce((sum, id, t) => sum - (naiveLogSoftmax(logits[t] ?? [])[id] as number), 0);
}

describe("say", () => {
  it("agrees with plain loops, whatever stands beside a text", async () => {
    const together = await encoder.say?.(texts, signal);
    for (const [i, text] of texts.entries()) {
      expect(together?.[i]?.nats).toBeCloseTo(plainly(text, weights), 4);
      expect(together?.[i]).toMatchObject({ tokens: text.length, bytes: text.length });
    }
  });

  it("says them with what was trained in place", async () => {
    const [found] = (await changed.say?.(texts.slice(0, 1), signal)) ?? [];
    const wanted = plainly(texts[0] as string, { ...weights, [name]: gain });
    expect(found?.nats).toBeCloseTo(wanted, 4);
    expect(Math.abs(wanted - plainly(texts[0] as string, weights))).toBeGreaterThan(0.01);
  });

  it("is what the task of texts asks an encoder for, and only of a decoder", async () => {
    const task = corpus("texts", { kind: "corpus", subjects: "encoder" });
    const sample = { id: "1", input: texts[0] as string, gold: "law" };
    if (task.subjects !== "encoder") throw new Error("not an encoder's");
    const grade = await task.evaluate(encoderSubject(encoder), sample, taskContext(signal));
    const bits = plainly(sample.input, weights) / Math.LN2 / sample.input.length;
    expect(grade).toMatchObject({ status: "scored", weight: sample.input.length });
    expect((grade as { score: number }).score).toBeCloseTo(bits, 3);
    const { say: _, ...mute } = encoder;
    await expect(task.evaluate(encoderSubject(mute), sample, taskContext(signal))).rejects.toThrow(
      "cannot score a text",
    );
    await expect(encoder.say?.(["x".repeat(60)], signal)).rejects.toThrow("too long");
  });
});
