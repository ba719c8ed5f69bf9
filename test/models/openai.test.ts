// The OpenAI client against well-behaved endpoints: what it sends, how it reads, what it costs, what it refuses to open.

import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import { type MockServer, startMockServer } from "../../src/models/mock-server.js";
import { openOpenAI } from "../../src/models/openai.js";
import { findPrice, readUsage, usdOf } from "../../src/models/price.js";
import { wholeMock, wholeOpenAI } from "./whole.js";

const context = { signal: new AbortController().signal };
const question = "The cat sat on the mat.\nWho sat?\nA. a dog\nB. the cat\nC. a bird";
const chat = { messages: [{ role: "user" as const, content: question }], format: "chat" as const };
const how = { maxTokens: 8, temperature: 0, seed: 7 };

let server: MockServer;
beforeAll(async () => {
  server = await startMockServer({ model: "?skill=1&seed=3" });
});
afterAll(() => server.close());

/** A server that keeps what it was sent and answers with what it is given. */
async function recorder(answer: (body: Record<string, unknown>, count: number) => unknown) {
  const sent: { body: Record<string, unknown>; headers: IncomingMessage["headers"]; path: string }[] = [];
  const http = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
    sent.push({ body, headers: request.headers, path: request.url ?? "" });
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(answer(body, sent.length)));
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${(http.address() as AddressInfo).port}/v1`;
  const close = () => {
    http.closeAllConnections();
    http.close();
  };
  return { base, sent, close };
}

const written = (content: string) => ({
  choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1000, completion_tokens: 200 },
});

describe("generate", () => {
  it("writes the same in chat and in completions, streamed and whole, as the mock itself does", async () => {
    const mock = await wholeMock("?skill=1&seed=3");
    for (const format of ["chat", "plain"] as const) {
      const direct = await mock.generate({ ...chat, format, ...how }, context);
      for (const stream of ["0", "1"]) {
        const model = await wholeOpenAI(`m?base=${server.url}&stream=${stream}&format=${format}`, {
          env: {},
        });
        const { text, finish, cost } = await model.generate({ ...chat, format, ...how }, context);
        expect({ text, finish }).toEqual({ text: direct.text, finish: "stop" });
        expect(cost).toMatchObject({
          calls: 1,
          usd: 0,
          inputTokens: direct.cost.inputTokens,
          outputTokens: 1,
        });
        expect(cost.ms).toBeGreaterThan(0);
        await model.close();
      }
    }
  });

  it("sends what was asked, the key, and nothing that was to be omitted", async () => {
    const { base, sent, close } = await recorder(() => written("yes"));
    const env = { MY_KEY: "sk-0123456789" };
    const full = await wholeOpenAI(`m?base=${base}/&key=MY_KEY&extra.top_k=5&extra.note=hi&stream=0`, {
      env,
    });
    await full.generate({ ...chat, ...how, stop: ["\n"] }, context);
    expect(sent[0]?.path).toBe("/v1/chat/completions");
    expect(sent[0]?.headers.authorization).toBe("Bearer sk-0123456789");
    expect(sent[0]?.body).toEqual({
      model: "m",
      messages: chat.messages,
      max_tokens: 8,
      temperature: 0,
      seed: 7,
      stop: ["\n"],
      top_k: 5,
      note: "hi",
    });
    const bare = await wholeOpenAI(
      `m?base=${base}&omit=seed,temperature,stream_options&maxTokensField=max_completion_tokens`,
      { env: {} },
    );
    expect((await bare.generate({ ...chat, ...how }, context)).text).toBe("yes");
    expect(sent[1]?.headers.authorization).toBeUndefined();
    expect(sent[1]?.body).toEqual({
      model: "m",
      messages: chat.messages,
      max_completion_tokens: 8,
      stream: true,
    });
    await Promise.all([full.close(), bare.close()]);
    close();
  });

  it("sends how to sample by the servers' names, and only what was asked", async () => {
    const { base, sent, close } = await recorder(() => written("yes"));
    const model = await wholeOpenAI(`m?base=${base}&stream=0`, { env: {} });
    await model.generate({ ...chat, ...how, topP: 0.9, minP: 0.1, repetitionPenalty: 1.2 }, context);
    expect(sent[0]?.body).toMatchObject({ top_p: 0.9, min_p: 0.1, repetition_penalty: 1.2 });
    const bare = await wholeOpenAI(`m?base=${base}&stream=0&omit=min_p`, { env: {} });
    await bare.generate({ ...chat, ...how, minP: 0.1 }, context);
    expect(Object.keys(sent[1]?.body ?? {})).not.toContain("min_p");
    expect(Object.keys(sent[1]?.body ?? {})).not.toContain("top_p");
    await Promise.all([model.close(), bare.close()]);
    close();
  });

  it("says when an answer was cut off by its length, and takes an empty one for what it is", async () => {
    const { base, close } = await recorder((_, count) => ({
      choices: [
        { message: { content: count === 1 ? "a b" : "" }, finish_reason: count === 1 ? "length" : "stop" },
      ],
    }));
    const model = await wholeOpenAI(`m?base=${base}&stream=0`, { env: {} });
    expect(await model.generate({ ...chat, ...how }, context)).toMatchObject({
      text: "a b",
      finish: "length",
    });
    expect(await model.generate({ ...chat, ...how }, context)).toMatchObject({ text: "", finish: "stop" });
    await model.close();
    close();
  });
});

describe("cost", () => {
  it("is tokens times dollars per million", async () => {
    const { base, close } = await recorder(() => written("yes"));
    const model = await wholeOpenAI(`m?base=${base}&price=0.15,0.6`, { env: {} });
    expect(model.price).toBeDefined();
    const { cost } = await model.generate({ ...chat, ...how }, context);
    // 1000 × $0.15/M + 200 × $0.60/M = $0.00015 + $0.00012
    expect(cost).toMatchObject({ calls: 1, inputTokens: 1000, outputTokens: 200 });
    expect(cost.usd).toBeCloseTo(0.00027, 12);
    await model.close();
    close();
  });

  it("is unknown without a price, and not made up from estimated tokens", async () => {
    const model = await wholeOpenAI(`m?base=${server.url}`, { env: {} });
    expect(model.price).toBeUndefined();
    const estimate = { input: "x".repeat(400), output: "" };
    for (const usage of [
      undefined,
      null,
      { prompt_tokens: -1 },
      { prompt_tokens: 1.5 },
      { prompt_tokens: "9" },
      7,
    ]) {
      const read = readUsage(usage, estimate);
      expect(read).toEqual({ inputTokens: 100, outputTokens: 0, counted: false });
      expect(usdOf({ input: 1, output: 1 }, read)).toBe(0);
    }
    // Embeddings report no completion tokens.
    expect(readUsage({ prompt_tokens: 5 }, estimate)).toEqual({
      inputTokens: 5,
      outputTokens: 0,
      counted: true,
    });
    await model.close();
  });

  it("comes from the user's table where the reference has none", () => {
    const env = { HONE_PRICES: '{"m": [1, 2], "e": [0.02]}' };
    expect(findPrice("m", undefined, env)).toEqual({ input: 1, output: 2 });
    expect(findPrice("e", undefined, env)).toEqual({ input: 0.02, output: 0 });
    expect(findPrice("m", { input: 9, output: 9 }, env)).toEqual({ input: 9, output: 9 });
    expect(findPrice("constructor", undefined, env)).toBeUndefined();
    for (const bad of ["{", "[]", '{"m": 3}', '{"m": [-1, 2]}', '{"m": ["1", 2]}'])
      expect(() => findPrice("m", undefined, { HONE_PRICES: bad })).toThrow(HoneError);
  });
});

describe("embed", () => {
  it("gives unit vectors in order, in batches, like the mock's own", async () => {
    const texts = ["a cat sat", "the cat sat down", "stocks fell", "x"];
    const model = await wholeOpenAI(`m?base=${server.url}&embedBatch=3`, { env: {} });
    const before = server.stats().requests;
    const { vectors, cost } = await model.embed(texts, context);
    expect(server.stats().requests - before).toBe(2);
    expect(cost.inputTokens).toBeGreaterThan(0);
    const direct = await (await wholeMock("")).embed(texts, context);
    for (const [i, vector] of vectors.entries()) {
      expect(Math.hypot(...vector)).toBeCloseTo(1, 9);
      for (const [k, one] of vector.entries()) expect(one).toBeCloseTo(direct.vectors[i]?.[k] as number, 9);
    }
    expect((await model.embed([], context)).vectors).toEqual([]);
    await model.close();
  });

  it("orders by index, normalizes, and refuses what is not a set of vectors", async () => {
    const answers = [
      {
        data: [
          { index: 1, embedding: [0, 3] },
          { index: 0, embedding: [4, 0] },
        ],
      },
      {
        data: [
          { index: 1, embedding: [0, 3] },
          { index: 1, embedding: [4, 0] },
        ],
      },
      { data: [{ embedding: [0, 0] }, { embedding: [1, 0] }] },
      { data: [{ embedding: [1, null] }, { embedding: [1, 0] }] },
      { data: [{ embedding: [1] }, { embedding: [1, 0] }] },
      { data: [{ embedding: [1] }] },
    ];
    const { base, close } = await recorder((_, count) => answers[count - 1]);
    const model = await wholeOpenAI(`m?base=${base}&retries=0`, { env: {} });
    expect((await model.embed(["a", "b"], context)).vectors).toEqual([
      [1, 0],
      [0, 1],
    ]);
    for (const _ of answers.slice(1))
      await expect(model.embed(["a", "b"], context)).rejects.toMatchObject({ failure: "malformed" });
    await model.close();
    close();
  });
});

describe("opening", () => {
  it("names content: what changes answers is in the id, what does not is not", async () => {
    const idOf = async (ref: string) => (await wholeOpenAI(`m?base=http://h:1/v1${ref}`, { env: {} })).id;
    expect(await idOf("")).toBe("openai:m@http://h:1/v1");
    expect(await idOf("&stream=0&concurrency=4&price=1,2&retries=9&omit=stream_options")).toBe(
      await idOf(""),
    );
    const ids = ["&extra.top_k=1", "&extra.top_k=2", "&omit=seed", "&score=top", "&topLogprobs=5"].map(idOf);
    expect(new Set(await Promise.all([...ids, idOf("")])).size).toBe(6);
    expect(await idOf("&omit=stop,seed&extra.b=1&extra.a=2")).toBe(
      await idOf("&extra.a=2&extra.b=1&omit=seed,stop"),
    );
  });

  it("takes base URL and key from the environment", async () => {
    const env = { OPENAI_BASE_URL: "http://h:1/v1/", OPENAI_API_KEY: "sk-secret-secret" };
    const model = await wholeOpenAI("m", { env });
    expect(model.id).toBe("openai:m@http://h:1/v1");
    expect(JSON.stringify(model)).not.toContain("secret");
  });

  it("refuses with one error that never repeats a key", async () => {
    const secret = "sk-proj-verysecret";
    const refs: [string, RegExp][] = [
      ["", /no name/],
      ["m", /OPENAI_API_KEY is not set/],
      [`m?key=${secret}`, /NAME of an environment variable/],
      ["m?key=NO_SUCH_KEY&base=http://h", /NO_SUCH_KEY is not set/],
      [`m?base=http://user:${secret}@h/v1`, /credentials/],
      ["m?base=ftp://h", /http/],
      ["m?base=nonsense", /not a URL/],
      ["m?base=http://h/?x=1", /query/],
      ["m?base=http://h&nonsense=1", /Use one of:.*concurrency/],
      ["m?base=http://h&retries=many", /whole number/],
      ["m?base=http://h&retries=1&retries=2", /twice/],
      ["m?base=http://h&price=1,2,3", /dollars per million/],
      ["m?base=http://h&extra.model=x", /Hone sets this field/],
      ["m?base=http://h&score=guess", /auto or top or echo/],
      ["m?base=%zz", /% escape/],
    ];
    for (const [ref, why] of refs) {
      const error = await wholeOpenAI(ref, { env: {} }).catch((one: unknown) => one);
      expect(error, ref).toBeInstanceOf(HoneError);
      expect((error as HoneError).message, ref).toMatch(why);
      expect((error as HoneError).message, ref).not.toContain(secret);
      expect((error as HoneError).failure.next, ref).toBeTruthy();
    }
    const spaced = wholeOpenAI("m", { env: { OPENAI_API_KEY: `${secret} ${secret}` } });
    await expect(spaced).rejects.toThrow(/spaces/);
    await expect(spaced).rejects.not.toThrow(secret);
  });

  it("does only what its grants say", async () => {
    const model = await openOpenAI(`m?base=${server.url}&grants=text`, { env: {} });
    expect([...model.grants]).toEqual(["text"]);
    expect(["generate", "score", "embed"].filter((method) => method in model)).toEqual(["generate"]);
  });
});
