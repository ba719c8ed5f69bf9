// Many texts at once, with the real embedded model: each is the one that it would be alone, whatever shares its batch; prefixes
// are evaluated once; sampling does what it says.

import { afterAll, beforeAll, expect, it } from "vitest";
import type { GenerateRequest, LanguageModel } from "../../src/core/model.js";
import { openModel } from "../../src/models/registry.js";

const context = { signal: new AbortController().signal };
const head =
  "You write exam questions. Example: What is the commonest cause of anaemia in pregnancy? ".repeat(10);
let model: LanguageModel;
beforeAll(async () => {
  model = await openModel("llama:smollm2-135m-instruct?lanes=1&threads=1&context=2048");
}, 300_000);
afterAll(() => model?.close());

const ask = (content: string, more: Partial<GenerateRequest> = {}): GenerateRequest => ({
  messages: [{ role: "user", content }],
  ...{ format: "plain", maxTokens: 6, temperature: 1, seed: 1 },
  ...more,
});
const write = async (request: GenerateRequest) => (await model.generate(request, context)).text;

it("are each what they would be alone, in a batch with others, longer and shorter, more than there are places", async () => {
  const requests = Array.from({ length: 20 }, (_, i) =>
    ask(i % 3 === 0 ? `Question ${i}:` : `${head.slice(0, 90 * i)}Question ${i}:`, {
      seed: i,
      maxTokens: 3 + (i % 5),
      ...(i % 2 ? { topP: 0.9 } : {}),
    }),
  );
  const together = await Promise.all(requests.map(write));
  for (const i of [0, 4, 7, 13, 19]) expect(await write(requests[i] as GenerateRequest)).toBe(together[i]);
  expect(new Set(together).size).toBeGreaterThan(15);
}, 240_000);

it("are the same beyond 512 tokens, where llama.cpp computes one sequence otherwise than two", async () => {
  const long = ask(head.repeat(4), { temperature: 0, maxTokens: 4 });
  const alone = await write(long);
  const [beside] = await Promise.all([write(long), write(ask("Short.", { maxTokens: 12 }))]);
  expect(beside).toBe(alone);
}, 240_000);

it("evaluate a beginning that they share once", async () => {
  const used = () => ({ ...(model.work?.() ?? { evaluated: 0, reused: 0, written: 0 }) });
  await write(ask(`${head}Start`, { maxTokens: 1 }));
  const before = used();
  await Promise.all(Array.from({ length: 4 }, (_, i) => write(ask(`${head}Topic ${i}`, { maxTokens: 1 }))));
  const { evaluated, reused } = used();
  expect(reused - before.reused).toBeGreaterThanOrEqual(4 * 128);
  expect(evaluated - before.evaluated).toBeLessThan(4 * 128);
}, 120_000);

it("are drawn as asked: one token's nucleus and the largest share are greedy, and a penalty ends repetition", async () => {
  const greedy = await write(ask("The capital of France is", { temperature: 0 }));
  expect(await write(ask("The capital of France is", { topP: 1e-6, seed: 5 }))).toBe(greedy);
  expect(await write(ask("The capital of France is", { minP: 1, seed: 6 }))).toBe(greedy);
  const again = ask("1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", { temperature: 0, maxTokens: 12 });
  const count = (text: string) => text.split("1").length - 1;
  expect(count(await write(again))).toBeGreaterThan(count(await write({ ...again, repetitionPenalty: 5 })));
}, 120_000);

it("end at once where their signal fires, and leave the others alone", async () => {
  const stop = new AbortController();
  const kept = write(ask("Once upon a time", { maxTokens: 8, temperature: 0 }));
  const gone = model.generate(ask("A long story", { maxTokens: 500 }), { signal: stop.signal });
  setTimeout(() => stop.abort(new Error("enough")), 200);
  await expect(gone).rejects.toThrow("enough");
  expect(await kept).toBe(await write(ask("Once upon a time", { maxTokens: 8, temperature: 0 })));
}, 120_000);
