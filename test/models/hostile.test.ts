// Every bad thing that the mock server can do to a client: each ends in the right CallError, or in the right answer after
// retries; never in a wrong answer, a hang, unbounded memory, or a key in a text.

import { afterEach, describe, expect, it } from "vitest";
import { CallError, type CallFailure } from "../../src/core/call.js";
import {
  type Behaviour,
  behaviours,
  type MockServer,
  startMockServer,
} from "../../src/models/mock-server.js";
import { type Whole, wholeOpenAI } from "./whole.js";

const key = "sk-test-0123456789abcdef";
const never = new AbortController().signal;
const question = "The cat sat on the mat.\nWho sat?\nA. a dog\nB. the cat\nC. a bird";
const messages = [{ role: "user" as const, content: question }];
const servers: MockServer[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

/** Behaviours that cost a time-out: with a short one. The others get a long one, so that a busy machine changes nothing. */
const slow = ["hang", "stall", "keep-alive-only", "slow-headers"];

async function open(behaviour: Partial<Record<Behaviour, number>>, times?: number, more = "") {
  const server = await startMockServer({
    model: "?skill=1",
    behaviour,
    retryAfter: "0.02",
    ...(times === undefined ? {} : { times }),
  });
  servers.push(server);
  const limits = more.includes("timeout=")
    ? ""
    : Object.keys(behaviour).some((name) => slow.includes(name))
      ? "&timeout=0.4&totalTimeout=0.8"
      : "&timeout=10";
  const retries = more.includes("retries=") ? "" : "&retries=2";
  const model = await wholeOpenAI(`mock?base=${server.url}&backoff=0.005${limits}${retries}${more}`, {
    env: { OPENAI_API_KEY: key },
  });
  return { server, model };
}

const operations = {
  streamed: (model: Whole) => write(model),
  whole: (model: Whole) => write(model),
  top: (model: Whole) => choose(model, ["A", "B", "C"]),
  echo: (model: Whole) => choose(model, [" a dog", " the cat", " one bird"]),
  embed: async (model: Whole) =>
    (await model.embed!(["one text"], { signal: never })).vectors.length === 1 && "B",
};
type Way = keyof typeof operations;
const ways = Object.keys(operations) as Way[];
const switches: Record<Way, string> = {
  streamed: "",
  whole: "&stream=0",
  top: "&score=top",
  echo: "&score=echo&format=plain",
  embed: "",
};

async function write(model: Whole): Promise<string> {
  const request = { messages, format: model.format, maxTokens: 8, temperature: 0, seed: 0 };
  return (await model.generate(request, { signal: never })).text;
}

/** The likeliest option as a label, so that every operation has the same right answer: B. */
async function choose(model: Whole, options: string[]): Promise<string> {
  const plain = [{ role: "user" as const, content: "The cat sat on the mat. Who sat? Answer:" }];
  const scored = await model.score(
    { messages: model.format === "plain" ? plain : messages, format: model.format, options },
    { signal: never },
  );
  const logprobs = scored.options.map(({ logprob }) => logprob);
  return "ABC"[logprobs.indexOf(Math.max(...logprobs))] as string;
}

type Fate = CallFailure | "right";
/** What each behaviour must end in when it is all that the endpoint ever does; by operation where they differ. */
const fates: Record<Behaviour, Fate | Partial<Record<Way | "else", Fate>>> = {
  "429": "rate-limited",
  "429-retry-after": "rate-limited",
  "500": "server-error",
  "503": "server-error",
  "400": "refused",
  "too-long": "too-long",
  redirect: "refused",
  hang: "timeout",
  cut: "cut-stream",
  // A whole body that is cut in good order is broken JSON.
  "early-end": { streamed: "cut-stream", else: "malformed" },
  stall: "timeout",
  "not-utf8": "malformed",
  "wrong-json": "malformed",
  html: "malformed",
  empty: "malformed",
  "not-an-object": "malformed",
  "error-in-200": "server-error",
  "no-choices": "malformed",
  "no-logprobs": { top: "no-logprobs", echo: "no-logprobs", embed: "right", else: "right" },
  "null-content": {
    streamed: "malformed",
    whole: "malformed",
    top: "right",
    echo: "no-logprobs",
    embed: "right",
  },
  "key-in-answer": { top: "right", echo: "no-logprobs", embed: "right" },
  "echo-key": "refused",
  "echo-key-short": "refused",
  "echo-key-500": "server-error",
  huge: { embed: "right", else: "too-large" },
  infinite: "too-large",
  "infinite-line": "too-large",
  "keep-alive-only": { else: "timeout" },
  "slow-headers": "timeout",
  // A stream that has said [DONE] has said all.
  "long-length": { streamed: "right", else: "cut-stream" },
  "short-length": { else: "malformed" },
  "not-http": "malformed",
  reset: "unreachable",
  "no-usage": "right",
  "negative-usage": "right",
  "odd-usage": "right",
};
const retried = (fate: Fate) =>
  ["rate-limited", "server-error", "timeout", "cut-stream", "malformed", "unreachable"].includes(fate);

describe("an endpoint that only misbehaves", () => {
  for (const behaviour of behaviours) {
    it(behaviour, async () => {
      const one = async (way: Way): Promise<void> => {
        const fate = fates[behaviour];
        const expected = typeof fate === "string" ? fate : (fate[way] ?? fate.else);
        const { server, model } = await open({ [behaviour]: 1 }, undefined, switches[way]);
        const started = performance.now();
        const outcome = await operations[way](model).catch((error: unknown) => error);
        expect(performance.now() - started).toBeLessThan(30_000);
        expect(exposed(outcome)).not.toContain(key);
        expect(exposed(outcome)).not.toMatch(/\*\*cdef/);
        if (expected === undefined) {
          expect(outcome, way).toContain("[key]");
        } else if (expected === "right") {
          expect(outcome, way).toBe("B");
        } else {
          expect(outcome, way).toBeInstanceOf(CallError);
          expect((outcome as CallError).failure, `${way}: ${(outcome as CallError).message}`).toBe(expected);
          expect(server.stats().requests, way).toBe(retried(expected) ? 3 : 1);
          if (expected === "no-logprobs") expect((outcome as CallError).message).toContain("scoring: parse");
        }
        await model.close();
        await server.close();
      };
      await Promise.all(ways.map(one));
    });
  }
});

describe("an endpoint that misbehaves once", () => {
  for (const behaviour of behaviours) {
    it(behaviour, async () => {
      const one = async (way: Way): Promise<void> => {
        const fate = fates[behaviour];
        const expected = typeof fate === "string" ? fate : (fate[way] ?? fate.else);
        if (expected === undefined || (expected !== "right" && !retried(expected))) return;
        const { server, model } = await open({ [behaviour]: 1 }, 1, switches[way]);
        expect(await operations[way](model), way).toBe("B");
        await model.close();
        await server.close();
      };
      await Promise.all(ways.map(one));
    });
  }
});

describe("a bad day", () => {
  it("mixes everything at concurrency 32: right answers or CallErrors, and the server is left in peace", async () => {
    const mixed = Object.fromEntries(behaviours.map((name) => [name, 0.5 / behaviours.length]));
    const { server, model } = await open(
      mixed,
      undefined,
      "&concurrency=32&retries=4&timeout=3&totalTimeout=6",
    );
    const rejections: unknown[] = [];
    const onRejection = (reason: unknown) => rejections.push(reason);
    process.on("unhandledRejection", onRejection);
    const before = process.memoryUsage().rss;
    let right = 0;
    const failures: CallError[] = [];
    await Promise.all(
      Array.from({ length: 300 }, async (_, i) => {
        const content = `Number ${i}. ${question}`;
        const request = { messages: [{ role: "user" as const, content }], format: "chat" as const };
        try {
          const { text } = await model.generate(
            { ...request, maxTokens: 8, temperature: 0, seed: 0 },
            { signal: never },
          );
          // The behaviour that writes the key into the answer is a wrong answer that no client can know to be one.
          if (!text.includes("[key]")) expect(text).toBe("B");
          right++;
        } catch (error) {
          expect(error).toBeInstanceOf(CallError);
          failures.push(error as CallError);
        }
      }),
    );
    process.off("unhandledRejection", onRejection);
    expect(rejections).toEqual([]);
    expect(right + failures.length).toBe(300);
    expect(right).toBeGreaterThan(200);
    expect(exposed(failures)).not.toContain(key);
    expect(process.memoryUsage().rss - before).toBeLessThan(300e6);
    expect(server.stats().peak).toBeLessThanOrEqual(64);
    expect(server.stats().repeated).toBe(0);
    await model.close();
  }, 180_000);

  it("destroys the connection of an answer without end instead of reading on", async () => {
    const { model } = await open({ infinite: 1 }, undefined, "&maxBytes=100000");
    const before = process.memoryUsage();
    for (let i = 0; i < 20; i++) await expect(write(model)).rejects.toMatchObject({ failure: "too-large" });
    expect(process.memoryUsage().rss - before.rss).toBeLessThan(150e6);
    await model.close();
  });
});

describe("stopping", () => {
  for (const behaviour of ["hang", "stall", "infinite", "slow-headers", "429-retry-after"] as const) {
    it(`at once: ${behaviour}`, async () => {
      const server = await startMockServer({ behaviour: { [behaviour]: 1 }, retryAfter: "30" });
      servers.push(server);
      const model = await wholeOpenAI(`mock?base=${server.url}&maxBytes=1000000000`, { env: {} });
      const stop = new AbortController();
      setTimeout(() => stop.abort(new Error("enough")), 50);
      const started = performance.now();
      const request = { messages, format: "chat" as const, maxTokens: 8, temperature: 0, seed: 0 };
      const calls = Array.from({ length: 40 }, () => model.generate(request, { signal: stop.signal }));
      const results = await Promise.allSettled(calls);
      expect(performance.now() - started).toBeLessThan(1_500);
      for (const result of results)
        expect(result).toMatchObject({ status: "rejected", reason: { message: "enough" } });
      expect(model.limiter.inFlight).toBe(0);
      await expect(model.generate(request, { signal: stop.signal })).rejects.toThrow("enough");
      await model.close();
    });
  }
});

/** Everything that an error shows to anyone: messages, stacks, causes, fields. */
function exposed(value: unknown): string {
  const parts: string[] = [];
  const seen = new Set<unknown>();
  const walk = (one: unknown): void => {
    if (one === null || typeof one !== "object" || seen.has(one)) {
      parts.push(String(one));
      return;
    }
    seen.add(one);
    for (const name of Object.getOwnPropertyNames(one)) walk((one as Record<string, unknown>)[name]);
  };
  walk(value);
  return parts.join("\n");
}
