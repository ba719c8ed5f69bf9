// Many texts at once, with the real embedded model: each is the one that it would be alone, whatever shares its batch; prefixes
// are evaluated once; sampling does what it says.

import type { LlamaContext, LlamaModel } from "node-llama-cpp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GenerateRequest, LanguageModel } from "../../src/core/model.js";
import { writerOver } from "../../src/models/llama/writer.js";
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

it("leave conversations that begin alike their places", async () => {
  const turn = (name: string, turns: number) =>
    write(
      ask(`${head}${`${name} has the floor, and the others wait for the next question. `.repeat(turns)}`),
    );
  for (const name of ["Ada", "Emmy"]) await turn(name, 12);
  const before = model.work?.().evaluated ?? 0;
  for (const name of ["Ada", "Emmy"]) await turn(name, 13);
  expect((model.work?.().evaluated ?? 0) - before).toBeLessThan(2 * 180);
}, 120_000);

it("are drawn as asked: one token's nucleus and the largest share are greedy, and a penalty ends repetition", async () => {
  const greedy = await write(ask("The capital of France is", { temperature: 0 }));
  expect(await write(ask("The capital of France is", { topP: 1e-6, seed: 5 }))).toBe(greedy);
  expect(await write(ask("The capital of France is", { minP: 1, seed: 6 }))).toBe(greedy);
  const again = ask("1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", { temperature: 0, maxTokens: 12 });
  const count = (text: string) => text.split("1").length - 1;
  expect(count(await write(again))).toBeGreaterThan(count(await write({ ...again, repetitionPenalty: 5 })));
}, 120_000);

it("keep to a schema, and are then too what they would be alone", async () => {
  const schema = {
    type: "object",
    properties: {
      colour: { enum: ["red", "blue"] },
      sizes: { type: "array", items: { type: "integer" }, maxItems: 3 },
    },
    required: ["colour", "sizes"],
  };
  const held = (seed: number) =>
    ask(`${head}A thing as JSON:`, { json: { schema }, maxTokens: 60, temperature: 1.5, seed });
  const beside = ask("Once upon a time", { maxTokens: 20, temperature: 0 });
  const free = await write(beside);
  const [one, two, plain] = await Promise.all([write(held(1)), write(held(2)), write(beside)]);
  expect(plain).toBe(free);
  expect(await write(held(2))).toBe(two);
  for (const text of [one, two] as string[]) {
    const { colour, sizes, ...more } = JSON.parse(text);
    expect([["red", "blue"].includes(colour), sizes.every(Number.isInteger), more]).toEqual([true, true, {}]);
  }
  const tools = [{ name: "paint", parameters: schema }, { name: "wash" }];
  const called = await model.generate(
    ask("Wash the car.", {
      format: "chat",
      temperature: 0,
      maxTokens: 80,
      tools,
      toolChoice: { name: "paint" },
    }),
    context,
  );
  expect(called.calls?.map(({ name }) => name)).toEqual(["paint"]);
  const auto = model.generate(ask("Hi", { format: "chat", tools }), context);
  await expect(auto).rejects.toThrow(/not made to call tools/);
}, 120_000);

it("end at once where their signal fires, and leave the others alone", async () => {
  const stop = new AbortController();
  const kept = write(ask("Once upon a time", { maxTokens: 8, temperature: 0 }));
  const gone = model.generate(ask("A long story", { maxTokens: 500 }), { signal: stop.signal });
  setTimeout(() => stop.abort(new Error("enough")), 200);
  await expect(gone).rejects.toThrow("enough");
  expect(await kept).toBe(await write(ask("Once upon a time", { maxTokens: 8, temperature: 0 })));
}, 120_000);

describe("a writer over a context that fails", () => {
  const sampling = { maxTokens: 3, temperature: 0, seed: 1, enough: () => false };
  const { signal } = new AbortController();
  const over = (open: () => Promise<LlamaContext>, contextTokens = 64) =>
    writerOver(
      {
        isEogToken: () => false,
        detokenize: (tokens: number[]) => tokens.join(" "),
        tokens: {},
      } as unknown as LlamaModel,
      {
        ...{ contextTokens, cutter: () => [], tokenBytes: 1, bytes: 1024, open },
        work: { evaluated: 0, reused: 0, written: 0 },
      },
    );
  /** Sequences that draw 7, and fail where the first token is 13. */
  const fake = async () =>
    ({
      getSequence: () => ({
        contextTokens: [],
        nextTokenIndex: 0,
        eraseContextTokenRanges: async () => {},
        evaluateWithoutGeneratingNewTokens: async () => {},
        controlledEvaluate: async ([first]: unknown[]) => {
          if (first === 13) throw new Error("unlucky");
          return [{ next: { token: 7 } }];
        },
      }),
      dispose: async () => {},
    }) as unknown as LlamaContext;

  it("asks for it again with the next text", async () => {
    let asked = 0;
    const writer = over(async () => {
      throw new Error(`no memory ${++asked}`);
    });
    await expect(writer.write([1, 2], sampling, signal)).rejects.toThrow("no memory 1");
    await expect(writer.write([1, 2], sampling, signal)).rejects.toThrow("no memory 2");
    await writer.close();
  });

  it("ends the text that failed, and no other", async () => {
    const writer = over(fake);
    const [good, bad, next] = await Promise.allSettled(
      [1, 13, 2].map((first) => writer.write([first, 2], sampling, signal)),
    );
    expect(good).toMatchObject({ status: "fulfilled", value: { text: "7 7 7", finish: "length" } });
    expect(bad).toMatchObject({ status: "rejected", reason: new Error("unlucky") });
    expect(next).toMatchObject({ status: "fulfilled" });
    await writer.close();
  });

  it("ends the text beside which an idle place fails, once both have ended, and no other", async () => {
    let [failures, drawing] = [1, 0];
    const drawingAtDisposal: number[] = [];
    const open = async () => {
      const context = await fake();
      return {
        getSequence: () => ({
          ...context.getSequence(),
          evaluateWithoutGeneratingNewTokens: async () => {
            if (failures-- > 0) throw new Error("beside");
          },
          controlledEvaluate: async () => {
            drawing++;
            await new Promise((resolve) => setTimeout(resolve, 5));
            drawing--;
            return [{ next: { token: 7 } }];
          },
        }),
        dispose: async () => {
          drawingAtDisposal.push(drawing);
        },
      } as unknown as LlamaContext;
    };
    const writer = over(open, 2048);
    // The second needs more room than the first, so that it waits while that is written alone.
    const [alone, waiting] = await Promise.allSettled([
      writer.write([1, 2], sampling, signal),
      writer.write(Array<number>(1000).fill(1), sampling, signal),
    ]);
    expect(alone).toMatchObject({ status: "rejected", reason: new Error("beside") });
    expect(waiting).toMatchObject({ status: "fulfilled", value: { text: "7 7 7" } });
    await writer.close();
    expect(drawingAtDisposal).toEqual([0, 0]);
  });

  it("refuses what is under way when it is closed, and what comes after", async () => {
    const writer = over(fake);
    const late = writer.write([1, 2], { ...sampling, maxTokens: 50 }, signal);
    const settled = expect(late).rejects.toThrow("closed");
    await writer.close();
    await settled;
    await expect(writer.write([1, 2], sampling, signal)).rejects.toThrow("closed");
    expect(writer.busy).toBe(0);
  });
});
