// The OpenAI client against well-behaved endpoints: what it sends, how it reads, what it costs, what it refuses to open.

import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import { openMock } from "../../src/models/mock.js";
import { eventsOf } from "../../src/models/mock-answers.js";
import { type MockServer, startMockServer } from "../../src/models/mock-server.js";
import { openOpenAI } from "../../src/models/openai.js";
import { readEcho, readTop } from "../../src/models/openai-score.js";
import {
  addEvent,
  failureOf,
  finishedText,
  nothingWritten,
  readRetryAfter,
} from "../../src/models/openai-wire.js";
import { findPrice, readUsage, usdOf } from "../../src/models/price.js";
import { createSseParser } from "../../src/models/sse.js";

const context = { signal: new AbortController().signal };
const question = "The cat sat on the mat.\nWho sat?\nA. a dog\nB. the cat\nC. a bird";
const chat = { messages: [{ role: "user" as const, content: question }], format: "chat" as const };
const how = { maxTokens: 8, temperature: 0, seed: 7 };
const same = (text: string) => text;

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
    const mock = await openMock("?skill=1&seed=3");
    for (const format of ["chat", "plain"] as const) {
      const direct = await mock.generate({ ...chat, format, ...how }, context);
      for (const stream of ["0", "1"]) {
        const model = await openOpenAI(`m?base=${server.url}&stream=${stream}&format=${format}`, { env: {} });
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
    const full = await openOpenAI(`m?base=${base}/&key=MY_KEY&extra.top_k=5&extra.note=hi&stream=0`, { env });
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
    const bare = await openOpenAI(
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

  it("says when an answer was cut off by its length, and takes an empty one for what it is", async () => {
    const { base, close } = await recorder((_, count) => ({
      choices: [
        { message: { content: count === 1 ? "a b" : "" }, finish_reason: count === 1 ? "length" : "stop" },
      ],
    }));
    const model = await openOpenAI(`m?base=${base}&stream=0`, { env: {} });
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
    const model = await openOpenAI(`m?base=${base}&price=0.15,0.6`, { env: {} });
    expect(model.priced).toBe(true);
    const { cost } = await model.generate({ ...chat, ...how }, context);
    // 1000 × $0.15/M + 200 × $0.60/M = $0.00015 + $0.00012
    expect(cost).toMatchObject({ calls: 1, inputTokens: 1000, outputTokens: 200 });
    expect(cost.usd).toBeCloseTo(0.00027, 12);
    await model.close();
    close();
  });

  it("is unknown without a price, and not made up from estimated tokens", async () => {
    const model = await openOpenAI(`m?base=${server.url}`, { env: {} });
    expect(model.priced).toBe(false);
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

describe("score", () => {
  it("by first tokens and by echo agrees with the mock's own log-probabilities", async () => {
    const mock = await openMock("?skill=1&seed=3");
    const labels = ["A", "B", "C"];
    const direct = await mock.score({ ...chat, options: labels }, context);
    for (const format of ["chat", "plain"] as const) {
      const model = await openOpenAI(`m?base=${server.url}&format=${format}`, { env: {} });
      const { options } = await model.score({ ...chat, format, options: labels }, context);
      for (const [i, { logprob, tokens }] of options.entries()) {
        // The labels have 97 % of the probability together.
        expect(logprob).toBeCloseTo((direct.options[i]?.logprob as number) + Math.log(0.97), 9);
        expect(tokens).toBe(1);
      }
      await model.close();
    }
    const plain = { messages: [{ role: "user" as const, content: "The cat sat. Who sat? Answer:" }] };
    const options = [" some dogs", " cat", " 🐦 birds of prey"];
    const model = await openOpenAI(`m?base=${server.url}&format=plain`, { env: {} });
    const before = server.stats().requests;
    const echoed = await model.score({ ...plain, format: "plain", options }, context);
    expect(server.stats().requests - before).toBe(1);
    const mine = await mock.score({ ...plain, format: "plain", options }, context);
    for (const [i, one] of echoed.options.entries()) {
      expect(one.logprob).toBeCloseTo(mine.options[i]?.logprob as number, 9);
      expect(one.tokens).toBe(mine.options[i]?.tokens);
    }
    await model.close();
  });

  it("says what to do where a chat endpoint cannot score texts", async () => {
    const model = await openOpenAI(`m?base=${server.url}`, { env: {} });
    const failed = model.score({ ...chat, options: ["a dog", "the cat"] }, context);
    await expect(failed).rejects.toMatchObject({ failure: "no-logprobs" });
    await expect(failed).rejects.toThrow(/scoring: parse.*format=plain/);
    await model.close();
  });

  const top = (list: [string, number][]) => ({
    choices: [
      { logprobs: { content: [{ top_logprobs: list.map(([token, logprob]) => ({ token, logprob })) }] } },
    ],
  });

  it("top: adds the masses of equal labels and bounds the missing ones", () => {
    const list: [string, number][] = [
      ["A", Math.log(0.3)],
      [" B", Math.log(0.35)],
      [" A", Math.log(0.1)],
      ["The", Math.log(0.05)],
    ];
    const [a, b, c] = readTop(top(list), ["A", "B", "C"]);
    expect(a?.logprob).toBeCloseTo(Math.log(0.4), 12);
    expect(b?.logprob).toBeCloseTo(Math.log(0.35), 12);
    expect(c?.logprob).toBeLessThan(Math.log(0.05));
    expect(c?.logprob).toBeGreaterThan(Math.log(0.05) - 0.01);
  });

  it("top: refuses to rank labels that the model does not think of, and broken figures", () => {
    const failure = (value: unknown) => {
      try {
        return readTop(value, ["A", "B"]);
      } catch (error) {
        return (error as { failure: string }).failure;
      }
    };
    expect(
      failure(
        top([
          ["The", -0.1],
          ["A", -9],
        ]),
      ),
    ).toBe("no-logprobs");
    expect(failure(top([["The", -0.1]]))).toBe("no-logprobs");
    expect(failure(top([]))).toBe("no-logprobs");
    expect(failure({ choices: [{}] })).toBe("no-logprobs");
    expect(failure({})).toBe("malformed");
    expect(failure(top([["A", 0.5]]))).toBe("malformed");
    expect(failure(top([["A", null as unknown as number]]))).toBe("malformed");
  });

  /** An echo as servers give it: `tokens` of prompt and option, and one that was generated. */
  const echo = (
    tokens: string[],
    logprobs: (number | null)[],
    offsets?: number[],
    index = 0,
    text?: string,
  ) => ({
    index,
    text: text ?? tokens.join(""),
    logprobs: { tokens, token_logprobs: logprobs, ...(offsets && { text_offset: offsets }) },
  });

  it("echo: finds the option's tokens, whatever stands before and after them", () => {
    const logprobs = [null, -1, -2, -4, -8];
    const plain = echo(["Q:", " x", " big", " cat", "!"], logprobs, [0, 2, 4, 8, 12]);
    expect(readEcho({ choices: [plain] }, "Q: x", [" big cat"])).toEqual([{ logprob: -6, tokens: 2 }]);
    // A begin-of-text token that the offsets count and the text does not hold.
    const shifted = echo(["<s>", "Q:", " big", " cat", "!"], logprobs, [0, 3, 5, 9, 13], 0, "Q: big cat!");
    expect(readEcho({ choices: [shifted] }, "Q:", [" big cat"])).toEqual([{ logprob: -6, tokens: 2 }]);
    // The same, not counted; and no offsets at all.
    const still = echo(["<s>", "Q:", " big", " cat", "!"], logprobs, [0, 0, 2, 6, 10], 0, "Q: big cat!");
    expect(readEcho({ choices: [still] }, "Q:", [" big cat"])).toEqual([{ logprob: -6, tokens: 2 }]);
    const bare = echo(["Q:", " x", " big", " cat", "!"], logprobs);
    expect(readEcho({ choices: [bare] }, "Q: x", [" big cat"])).toEqual([{ logprob: -6, tokens: 2 }]);
    // A character in pieces before the option makes the offsets drift.
    const pieces = echo(["β-", "\ufffd", "\ufffd", " cat", "!"], logprobs, [0, 2, 3, 4, 8], 0, "β-🐦 cat!");
    expect(readEcho({ choices: [pieces] }, "β-🐦", [" cat"])).toEqual([{ logprob: -4, tokens: 1 }]);
  });

  it("echo: a token that straddles the end of the prompt counts for every option", () => {
    const choices = [
      echo(["Q", ": ", "cat", "!"], [null, -1, -2, -9], [0, 1, 3, 6], 0),
      echo(["Q", ":", " dog", "!"], [null, -1, -3, -9], [0, 1, 2, 6], 1),
    ];
    // " dog" begins inside the prompt "Q: ", so both are scored from the end of ":" or before.
    const [cat, dog] = readEcho({ choices }, "Q: ", ["cat", "dog"]);
    expect(cat).toEqual({ logprob: -3, tokens: 2 });
    expect(dog).toEqual({ logprob: -3, tokens: 1 });
  });

  it("echo: takes choices by their index", () => {
    const one = echo(["Q", " a", "!"], [null, -1, -9], [0, 1, 3], 0);
    const two = echo(["Q", " b", "!"], [null, -2, -9], [0, 1, 3], 1);
    const scores = readEcho({ choices: [two, one] }, "Q", [" a", " b"]);
    expect(scores.map(({ logprob }) => logprob)).toEqual([-1, -2]);
  });

  it("echo: refuses what is not surely the option's", () => {
    const cases: [string, unknown][] = [
      ["no-logprobs", { choices: [{ text: "Q a!", logprobs: null }] }],
      // Not echoed: the one token is generated and happens to be the option.
      ["no-logprobs", { choices: [echo([" a"], [-0.1], [0])] }],
      ["no-logprobs", { choices: [echo([" x", " a"], [-0.1, -0.2], [0, 2], 0, "Q a!")] }],
      ["no-logprobs", { choices: [echo(["Q a", "!"], [null, -1], [0, 3])] }],
      ["malformed", { choices: [echo(["Q", " a", "!"], [null, 3, -1], [0, 1, 3])] }],
      ["malformed", { choices: [echo(["Q", " a", "!"], [null, -1], [0, 1, 3])] }],
      ["malformed", { choices: [] }],
      ["malformed", { choices: [echo(["Q", " a", "!"], [null, -1, -1], [0, 1, 3], 5)] }],
      ["malformed", {}],
    ];
    for (const [failure, value] of cases) {
      const read = () => readEcho(value, "Q", [" a"]);
      expect(read, JSON.stringify(value)).toThrow(expect.objectContaining({ failure }));
    }
  });
});

describe("embed", () => {
  it("gives unit vectors in order, in batches, like the mock's own", async () => {
    const texts = ["a cat sat", "the cat sat down", "stocks fell", "x"];
    const model = await openOpenAI(`m?base=${server.url}&embedBatch=3`, { env: {} });
    const before = server.stats().requests;
    const { vectors, cost } = await model.embed(texts, context);
    expect(server.stats().requests - before).toBe(2);
    expect(cost.inputTokens).toBeGreaterThan(0);
    const direct = await (await openMock("")).embed(texts, context);
    for (const [i, vector] of vectors.entries()) {
      expect(Math.hypot(...vector)).toBeCloseTo(1, 9);
      for (const [k, one] of vector.entries()) expect(one).toBeCloseTo(direct.vectors[i]?.[k] as number, 9);
    }
    expect((await model.embed([], context)).vectors).toEqual([]);
    await model.close();
  });

  it("orders by index, normalises, and refuses what is not a set of vectors", async () => {
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
    const model = await openOpenAI(`m?base=${base}&retries=0`, { env: {} });
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

describe("streams", () => {
  const bodyOf = (content: string) => ({
    model: "m",
    choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
    usage: { prompt_tokens: 3, completion_tokens: 4 },
  });
  function read(chunks: Buffer[]) {
    const answer = nothingWritten();
    const parser = createSseParser((data) => addEvent(answer, data, same));
    for (const chunk of chunks) parser.push(chunk);
    return { ...finishedText(answer, true), usage: answer.usage };
  }

  it("give the same text however they are cut into chunks, lines and comments", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 60 }),
        fc.constantFrom("\n", "\r\n", "\r"),
        fc.array(fc.nat({ max: 4000 }), { maxLength: 40 }),
        fc.boolean(),
        fc.boolean(),
        (given, end, cuts, comments, spaces) => {
          // A lone half of a surrogate pair cannot be sent as UTF-8.
          const content = Buffer.from(given).toString();
          const text = eventsOf(bodyOf(content), true)
            .map(
              (data) =>
                `${comments ? `: ping${end}event: message${end}` : ""}data:${spaces ? " " : ""}${data}${end}${end}`,
            )
            .join("");
          const bytes = Buffer.from(`${comments ? "\ufeff" : ""}${text}`);
          const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
          const chunks = [0, ...at].map((from, i) => bytes.subarray(from, at[i] ?? bytes.length));
          expect(read(chunks)).toEqual({
            text: content,
            finish: "stop",
            usage: { prompt_tokens: 3, completion_tokens: 4 },
          });
        },
      ),
      { numRuns: 500, seed: 1 },
    );
  });

  it("give the same text byte by byte", () => {
    const text = eventsOf(bodyOf("naïve 日本 🐦 [DONE] data: x\n\n"), true)
      .map((data) => `data: ${data}\r\n\r\n`)
      .join("");
    const chunks = [...Buffer.from(text)].map((byte) => Buffer.from([byte]));
    expect(read(chunks).text).toBe("naïve 日本 🐦 [DONE] data: x\n\n");
  });

  it("joins the lines of one event and leaves out what is not data", () => {
    const got: string[] = [];
    const parser = createSseParser((data) => got.push(data));
    parser.push(
      Buffer.from("data: a\ndata: b\nid: 1\n\ndata\n\ndatax: no\n\n\n:c\nretry: 5\n\ndata: unfinished"),
    );
    expect(got).toEqual(["a\nb", ""]);
  });

  it("that end before the answer does are cut, not short", () => {
    const events = eventsOf(bodyOf("one two three"), false).map((data) => Buffer.from(`data: ${data}\n\n`));
    expect(() => read(events.slice(0, 3))).toThrow(expect.objectContaining({ failure: "cut-stream" }));
    // A finish reason is an end, also without [DONE].
    expect(read(events.slice(0, -1)).text).toBe("one two three");
  });

  it("report an error in the midst of a stream as what it is", () => {
    const answer = nothingWritten();
    const event = JSON.stringify({ error: { message: "slow", code: 429 } });
    expect(() => addEvent(answer, event, same)).toThrow(expect.objectContaining({ failure: "rate-limited" }));
    expect(() => addEvent(answer, "{", same)).toThrow(expect.objectContaining({ failure: "malformed" }));
  });
});

describe("failures", () => {
  it("are told apart by status and body", () => {
    const cases: [number, string, string, boolean][] = [
      [429, "{}", "rate-limited", true],
      [429, '{"error":{"message":"pay","code":"insufficient_quota"}}', "refused", false],
      [402, "", "refused", false],
      [408, "", "timeout", true],
      [500, "<html>", "server-error", true],
      [503, "", "server-error", true],
      [401, '{"error":"bad key"}', "refused", false],
      [403, "", "refused", false],
      [404, '{"error":{"message":"The model `x` does not exist"}}', "refused", false],
      [400, '{"error":{"message":"x","code":"context_length_exceeded"}}', "too-long", false],
      [400, '{"message":"This model\'s maximum context length is 4096 tokens"}', "too-long", false],
      [413, "", "too-long", false],
      [400, '{"error":{"message":"logprobs are not supported with this model"}}', "no-logprobs", false],
      [400, "{}", "refused", false],
      [302, "", "refused", false],
      [204, "", "malformed", true],
    ];
    for (const [status, body, failure, retry] of cases) {
      const failed = failureOf(status, {}, body, same);
      expect([failed.failure, failed.hints.retry], `${status} ${body}`).toEqual([failure, retry]);
    }
  });

  it("show what the endpoint said: cleaned, shortened, and without the key", () => {
    const key = "sk-abcdefgh";
    const scrub = (text: string) => text.replaceAll(key, "[key]");
    const body = JSON.stringify({ error: { message: `\u001b[31mkey ${key}\r\n${"x".repeat(3_000)}${key}` } });
    const { message } = failureOf(500, {}, body, scrub);
    expect(message).toContain("key [key]");
    expect(message).not.toContain(key);
    expect(message).not.toMatch(/[\u0000-\u001f]/);
    expect(message.length).toBeLessThan(400);
    // A key that shortening would have cut in two is removed before.
    const long = failureOf(500, {}, `${"y".repeat(3_995)}${key}`, scrub).message;
    expect(long).not.toContain("sk-a");
  });

  it("Retry-After is read in seconds, in milliseconds and as a date", () => {
    const now = Date.UTC(2026, 0, 1, 12, 0, 0);
    expect(readRetryAfter({ "retry-after": "3" }, now)).toBe(3_000);
    expect(readRetryAfter({ "retry-after": "0.25" }, now)).toBe(250);
    expect(readRetryAfter({ "retry-after-ms": "40", "retry-after": "3" }, now)).toBe(40);
    expect(readRetryAfter({ "retry-after": "Thu, 01 Jan 2026 12:00:30 GMT" }, now)).toBe(30_000);
    expect(readRetryAfter({ "retry-after": "Thu, 01 Jan 2026 11:00:00 GMT" }, now)).toBe(0);
    for (const odd of ["-5", "soon", "", "NaN"])
      expect(readRetryAfter({ "retry-after": odd }, now) ?? 0).toBe(0);
    expect(readRetryAfter({}, now)).toBeUndefined();
  });

  it("a Retry-After of the endpoint is waited for", async () => {
    const slow = await startMockServer({
      model: "?skill=1",
      behaviour: { "429-retry-after": 1 },
      times: 1,
      retryAfter: "0.2",
    });
    const model = await openOpenAI(`m?base=${slow.url}&backoff=0`, { env: {} });
    const started = performance.now();
    expect((await model.generate({ ...chat, ...how }, context)).text).toBe("B");
    const ms = performance.now() - started;
    expect(ms).toBeGreaterThanOrEqual(198);
    expect(ms).toBeLessThan(2_000);
    await model.close();
    await slow.close();
  });

  it("an endpoint that is not there is unreachable", async () => {
    const gone = await startMockServer();
    await gone.close();
    const model = await openOpenAI(`m?base=${gone.url}&retries=1&backoff=0.01`, { env: {} });
    const failed = model.generate({ ...chat, ...how }, context);
    await expect(failed).rejects.toMatchObject({ failure: "unreachable" });
    await expect(failed).rejects.toThrow(/ECONNREFUSED.*2 attempts/);
    await model.close();
  });
});

describe("opening", () => {
  it("names content: what changes answers is in the id, what does not is not", async () => {
    const idOf = async (ref: string) => (await openOpenAI(`m?base=http://h:1/v1${ref}`, { env: {} })).id;
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
    const model = await openOpenAI("m", { env });
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
      const error = await openOpenAI(ref, { env: {} }).catch((one: unknown) => one);
      expect(error, ref).toBeInstanceOf(HoneError);
      expect((error as HoneError).message, ref).toMatch(why);
      expect((error as HoneError).message, ref).not.toContain(secret);
      expect((error as HoneError).failure.next, ref).toBeTruthy();
    }
    const spaced = openOpenAI("m", { env: { OPENAI_API_KEY: `${secret} ${secret}` } });
    await expect(spaced).rejects.toThrow(/spaces/);
    await expect(spaced).rejects.not.toThrow(secret);
  });

  it("does only what its grants say", async () => {
    const model = await openOpenAI(`m?base=${server.url}&grants=text`, { env: {} });
    expect([...model.grants]).toEqual(["text"]);
    await expect(model.embed(["x"], context)).rejects.toMatchObject({ failure: "unsupported" });
    await expect(model.score({ ...chat, options: ["A"] }, context)).rejects.toThrow(/scoring: parse/);
  });
});
