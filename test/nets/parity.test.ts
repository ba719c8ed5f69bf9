// The decoder with the embedded model's real weights against llama.cpp on the same file. bench/parity.js is the full
// comparison: 200 prompts, both models.

import { Tensor } from "onnxruntime-node";
import { expect, it } from "vitest";
import { openWeights } from "../../src/models/llama/weights.js";
import { openModel } from "../../src/models/registry.js";
import { netConfig } from "../../src/nets/config.js";
import { hidden, logitsOf } from "../../src/nets/decoder.js";
import { loadWeights, parameterCount } from "../../src/nets/weights.js";
import { compile } from "../../src/tensor/compile.js";
import { readGguf } from "../../src/tensor/gguf.js";

/** Nats by which the two may differ on one token. */
const margin = 0.5;

const texts = [
  "The Supreme Court of the United States held that the evidence, which had been taken without a",
  "Once upon a time there was a little girl who lived in a village near the",
];

it("gives next tokens the log-probabilities that llama.cpp gives them", { timeout: 300_000 }, async () => {
  const model = await openModel("llama:smollm2-135m-instruct");
  const path = model.weights?.path as string;
  await model.close();
  const gguf = readGguf(path);
  const config = netConfig(gguf);
  expect(parameterCount(config)).toBe(134_515_008);
  const llama = await openWeights(path, "off");
  const prompts = texts.map((text) => llama.vocabulary.tokenize(text).slice(0, 16));
  expect(prompts.map(({ length }) => length)).toEqual([16, 16]);
  const program = compile<[Record<string, Tensor>, Tensor, Tensor], Tensor>(
    (w, tokens, at) => logitsOf(config, w, hidden(config, w, tokens, { at })),
    { threads: 1 },
  );
  const tokens = new Tensor("int32", Int32Array.from(prompts.flat()), [2, 16]);
  const last = new Tensor("int32", Int32Array.of(15, 31), [2]);
  const { data } = await program(await loadWeights(gguf, config), tokens, last);
  await program.release();
  const [engine] = await llama.open({ contextTokens: 64, lanes: 1, threads: 1 });
  for (const [i, prompt] of prompts.entries()) {
    const flat = data.slice(i * config.vocab, (i + 1) * config.vocab) as Float32Array;
    const most = flat.reduce((a, b) => Math.max(a, b));
    const total = Math.log(flat.reduce((sum, value) => sum + Math.exp(value - most), 0)) + most;
    const order = [...flat.keys()].sort((a, b) => (flat[b] as number) - (flat[a] as number)).slice(0, 20);
    const theirs = await engine?.prompt(prompt, order, new AbortController().signal);
    const away = order.map((token) =>
      Math.abs((flat[token] as number) - total - (theirs?.get(token) ?? Number.NaN)),
    );
    // llama.cpp rounds activations to 8 bits; on float32 weights both agree to 0.002.
    expect(away.reduce((a, b) => a + b, 0) / away.length).toBeLessThan(margin / 2);
    // Where tokens are about as likely, which one leads depends on the processor: ours must only be among theirs at the top.
    const highest = Math.max(...order.map((token) => theirs?.get(token) ?? Number.NEGATIVE_INFINITY));
    expect(highest - (theirs?.get(order[0] as number) ?? Number.NEGATIVE_INFINITY)).toBeLessThan(margin);
  }
  await llama.close();
});
