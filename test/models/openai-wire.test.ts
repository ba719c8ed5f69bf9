// What comes over the wire: streams cut anywhere, failures told apart, waits that endpoints ask for.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventsOf } from "../../src/models/mock-answers.js";
import { startMockServer } from "../../src/models/mock-server.js";
import {
  addEvent,
  failureOf,
  finishedText,
  nothingWritten,
  parseBody,
  readRetryAfter,
} from "../../src/models/openai-wire.js";
import { createSseParser } from "../../src/models/sse.js";
import { wholeOpenAI } from "./whole.js";

const context = { signal: new AbortController().signal };
const question = "The cat sat on the mat.\nWho sat?\nA. a dog\nB. the cat\nC. a bird";
const chat = { messages: [{ role: "user" as const, content: question }], format: "chat" as const };
const how = { maxTokens: 8, temperature: 0, seed: 7 };
const same = (text: string) => text;

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

  it("that end without text or calls are no answer, also where no calls are listed", () => {
    for (const calls of [undefined, null, []]) {
      const answer = nothingWritten();
      const delta = { content: null, tool_calls: calls };
      addEvent(answer, JSON.stringify({ choices: [{ delta, finish_reason: "stop" }] }), same);
      expect(() => finishedText(answer, true)).toThrow(expect.objectContaining({ failure: "malformed" }));
    }
  });

  it("report an error in the midst of a stream as what it is", () => {
    const answer = nothingWritten();
    const event = JSON.stringify({ error: { message: "slow", code: 429 } });
    expect(() => addEvent(answer, event, same)).toThrow(expect.objectContaining({ failure: "rate-limited" }));
    const named: [error: object, failure: string][] = [
      [{ message: "slow down", type: "rate_limit_error", code: "rate_limit_exceeded" }, "rate-limited"],
      [{ message: "no", type: "invalid_request_error", code: "context_length_exceeded" }, "too-long"],
      [{ message: "This model's maximum context length is 4096 tokens" }, "too-long"],
      [{ message: "no such model", type: "invalid_request_error", code: null }, "refused"],
      [{ message: "overloaded", type: "server_error", code: null }, "server-error"],
    ];
    for (const [error, failure] of named) {
      expect(() => addEvent(answer, JSON.stringify({ error }), same)).toThrow(
        expect.objectContaining({ failure }),
      );
      expect(() => parseBody(JSON.stringify({ error }), same)).toThrow(expect.objectContaining({ failure }));
    }
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
    const model = await wholeOpenAI(`m?base=${slow.url}&backoff=0`, { env: {} });
    const started = performance.now();
    expect((await model.generate({ ...chat, ...how }, context)).text).toBe("B");
    const ms = performance.now() - started;
    expect(ms).toBeGreaterThanOrEqual(198);
    expect(ms).toBeLessThan(2_000);
    await model.close();
    await slow.close();
  });

  it("an error page is read by its status, however long", async () => {
    let requests = 0;
    const server = createServer((request, response) => {
      request.resume();
      requests++;
      if (requests % 2 === 1) response.writeHead(502).end("x".repeat(20_000));
      else response.end('{"choices":[{"message":{"content":"fine"},"finish_reason":"stop"}]}');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const model = await wholeOpenAI(`m?base=http://127.0.0.1:${port}/v1&maxBytes=4096&backoff=0`, {
      env: {},
    });
    expect((await model.generate({ ...chat, ...how }, context)).text).toBe("fine");
    expect(requests).toBe(2);
    await model.close();
    server.close();
  });

  it("an endpoint that is not there is unreachable", async () => {
    const gone = await startMockServer();
    await gone.close();
    const model = await wholeOpenAI(`m?base=${gone.url}&retries=1&backoff=0.01`, { env: {} });
    const failed = model.generate({ ...chat, ...how }, context);
    await expect(failed).rejects.toMatchObject({ failure: "unreachable" });
    await expect(failed).rejects.toThrow(/ECONNREFUSED.*2 attempts/);
    await model.close();
  });
});
