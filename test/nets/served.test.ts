// Nets trained here, served by llama.cpp: the file that is written gives the log-probabilities that the net itself gives.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bpe, trainBpe } from "../../src/learn/bpe.js";
import { openLlama } from "../../src/models/llama.js";
import { buildNet, type FeedForward, initWeights } from "../../src/nets/build.js";
import { netConfig, tensorShapes } from "../../src/nets/config.js";
import { canServe, loadNet, saveNet, writeNetGguf } from "../../src/nets/text/checkpoint.js";
import { sayingOf } from "../../src/nets/text/saying.js";
import { readGguf } from "../../src/tensor/gguf.js";
import { startWasm } from "./tiny.js";

const folder = mkdtempSync(join(tmpdir(), "hone-served-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const text =
  "The court held that the statute, as written, applies to both parties; it's settled law since 1984.";
const tokenizer = bpe(trainBpe([text, text, "the other court of the other state"], 290));

function netOf(feedForward: FeedForward) {
  const config = buildNet(
    { layers: 2, width: 32, heads: 2, hidden: 48, context: 64, vocab: tokenizer.size },
    feedForward,
  );
  // Weights so large that a wrong one shows.
  return { config, tokenizer, weights: initWeights(config, 4, 0.25) };
}

describe("a net in llama.cpp", { timeout: 180_000 }, () => {
  beforeAll(startWasm);

  test.each<[string, FeedForward]>([
    ["dense", { kind: "dense" }],
    ["deepseekmoe", { kind: "deepseekmoe", experts: 4, segments: 2 }],
    [
      "deepseekmoe after a dense layer",
      { kind: "deepseekmoe", experts: 3, segments: 2, shared: 2, dense: 1 },
    ],
  ])("%s: the same log-probabilities", async (name, feedForward) => {
    const net = netOf(feedForward);
    const path = join(folder, `${name.replaceAll(" ", "-")}.gguf`);
    await writeNetGguf(path, net);
    expect(netConfig(readGguf(path))).toMatchObject({ layers: 2, width: 32, hidden: net.config.hidden });
    const saying = sayingOf(net.config, {}, 1);
    const model = await openLlama(path, { threads: 1, format: "plain" });
    try {
      const [prompt, ...options] = [
        "The court",
        " held that the statute",
        " of the other state since 1984",
      ] as const;
      const request = {
        messages: [{ role: "user" as const, content: prompt }],
        format: "plain" as const,
        options,
      };
      const scored = await model.score(request, { signal: new AbortController().signal });
      const [first, ...rest] = await saying.say(net, [prompt, ...options.map((option) => prompt + option)]);
      for (const [i, { logprob, tokens }] of scored.options.entries()) {
        expect(tokens).toBe((rest[i]?.tokens ?? 0) - (first?.tokens ?? 0));
        const own = (first?.nats ?? 0) - (rest[i]?.nats ?? 0);
        expect(Math.abs(logprob - own)).toBeLessThan(0.01 * tokens);
      }
    } finally {
      await saying.release();
      await model.close();
    }
  });

  test("what llama.cpp has no name for is not written", () => {
    for (const net of [
      { kind: "switch" },
      { kind: "hash" },
      { kind: "deepseekmoe", lossFree: true },
    ] as const)
      expect(canServe(netOf({ experts: 4, ...net }).config)).toBe(false);
  });

  test("a saved net is the same net", async () => {
    const net = netOf({ kind: "gshard", experts: 3 });
    expect(await saveNet(folder, net)).toBe(false);
    const back = await loadNet(folder);
    expect(back.config).toEqual(net.config);
    expect(back.tokenizer.encode(text)).toEqual(tokenizer.encode(text));
    for (const name of tensorShapes(net.config).keys())
      expect((back.weights[name] as Tensor).data).toEqual((net.weights[name] as Tensor).data);
  });
});
