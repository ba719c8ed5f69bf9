// The OpenAI protocol as clients need it: bodies, streams, log-probabilities, vectors, errors.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { wholeMock } from "../models/whole.js";
import { type Asking, eventsOf, type Loose, serving, toneStore } from "./fixture.js";

const root = mkdtempSync(join(tmpdir(), "hone-serve-"));
let server: Asking;
beforeAll(async () => {
  await toneStore(root);
  server = await serving(
    ["tones", "m=mock:?skill=0.9&seed=1", "slow=mock:?latency=30000", "short=mock:?context=8"],
    {
      store: join(root, ".hone"),
    },
  );
});
afterAll(async () => {
  server.abort();
  await server.stop();
  rmSync(root, { recursive: true, force: true });
});
const messages = [{ role: "user", content: "Name a colour, please." }];

describe("chat", () => {
  it("answers with what the model writes, and counts its tokens", async () => {
    const model = await wholeMock("?skill=0.9&seed=1");
    const { text } = await model.generate(
      {
        messages: [{ role: "user", content: "Name a colour, please." }],
        format: "chat",
        maxTokens: 9,
        temperature: 0,
        seed: 0,
      },
      { signal: new AbortController().signal },
    );
    const { status, body } = await server.json("/v1/chat/completions", {
      model: "m",
      messages,
      max_tokens: 9,
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      object: "chat.completion",
      model: "m",
      choices: [{ index: 0, message: { role: "assistant", content: text }, logprobs: null }],
    });
    expect(body.id).toMatch(/^chatcmpl-/);
    expect(body.system_fingerprint).toMatch(/^fp_[0-9a-f]{10}$/);
    const other = await server.json("/v1/completions", { model: "short", prompt: "a", max_tokens: 1 });
    expect(other.body.system_fingerprint).not.toBe(body.system_fingerprint);
    const { prompt_tokens, completion_tokens, total_tokens } = body.usage;
    expect(prompt_tokens + completion_tokens).toBe(total_tokens);
    const parts = [
      {
        role: "user",
        content: [
          { type: "text", text: "Name a colour, " },
          { type: "text", text: "please." },
        ],
      },
    ];
    const again = await server.json("/v1/chat/completions", {
      model: "m",
      messages: parts,
      max_completion_tokens: 9,
    });
    expect(again.body.choices).toEqual(body.choices);
    const three = await server.json("/v1/chat/completions", {
      model: "m",
      messages: [{ role: "user", content: "one two three four five six seven eight nine ten eleven twelve" }],
      n: 3,
      temperature: 1,
      seed: 4,
      max_tokens: 9,
    });
    expect(three.body.choices.map(({ index }: { index: number }) => index)).toEqual([0, 1, 2]);
    expect(new Set(three.body.choices.map((one: Loose) => one.message.content)).size).toBeGreaterThan(1);
  });

  it("streams the same text: the role first, one id, usage only where asked, then [DONE]", async () => {
    const whole = await server.json("/v1/chat/completions", { model: "m", messages, max_tokens: 30 });
    for (const usage of [false, true]) {
      const response = await server.ask("/v1/chat/completions", {
        model: "m",
        messages,
        max_tokens: 30,
        stream: true,
        ...(usage ? { stream_options: { include_usage: true } } : {}),
      });
      expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
      const events = await eventsOf(response);
      expect(events.at(-1)?.data).toBe("[DONE]");
      const chunks = events.slice(0, -1).map(({ data }) => data);
      expect(
        new Set(chunks.map(({ id, object, created, model }) => `${id}${object}${created}${model}`)).size,
      ).toBe(1);
      expect(chunks[0].choices[0].delta).toEqual({ role: "assistant", content: "" });
      const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("");
      expect(text).toBe(whole.body.choices[0].message.content);
      expect(chunks.length).toBeGreaterThan(4);
      const last = usage ? chunks.at(-2) : chunks.at(-1);
      expect(last.choices[0]).toMatchObject({
        delta: {},
        finish_reason: whole.body.choices[0].finish_reason,
      });
      expect(chunks.filter((chunk) => chunk.usage).map((chunk) => chunk.usage)).toEqual(
        usage ? [whole.body.usage] : [],
      );
      if (usage) expect(chunks.at(-1).choices).toEqual([]);
    }
  });

  it("has the status of a failure before the first text, also with several answers", async () => {
    const broken = await serving(["mock:?errors=refused:1"]);
    const asked: [path: string, body: object][] = [
      ["/v1/chat/completions", { messages, n: 2 }],
      ["/v1/completions", { prompt: ["a", "b"], echo: true }],
      ["/v1/responses", { input: "a" }],
    ];
    for (const [path, body] of asked) {
      const { status, body: said } = await broken.json(path, { ...body, stream: true });
      expect([path, status, said.error.code]).toEqual([path, 400, "refused"]);
    }
    await broken.stop();
  });

  it("ends in the error where it takes too long after its first text", async () => {
    const open = async (ref: string): Promise<Loose> => ({
      ...(await wholeMock(ref.slice("mock:".length))),
      generate: (_: Loose, { grows, signal }: Loose) => {
        grows("alpha ");
        return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
      },
    });
    const late = await serving(["mock:?seed=1"], { open, timeout: 0.2 });
    for (const [path, body] of [
      ["/v1/chat/completions", { messages }],
      ["/v1/responses", { input: "a" }],
    ] as const) {
      const response = await late.ask(path, { ...body, stream: true });
      const { data } = (await eventsOf(response)).at(-1) as Loose;
      expect([response.status, data.error?.code]).toEqual([200, "timeout"]);
    }
    await late.stop();
  });

  it("never sends what a stop sequence takes away, not in pieces either", async () => {
    const asked = {
      model: "m",
      messages: [{ role: "user", content: "alpha beta gamma delta epsilon" }],
      max_tokens: 30,
    };
    const whole = (await server.json("/v1/chat/completions", asked)).body.choices[0].message
      .content as string;
    const stop = whole.slice(3, 6);
    const cut = whole.slice(0, whole.indexOf(stop));
    const stopped = await server.json("/v1/chat/completions", { ...asked, stop });
    expect(stopped.body.choices[0].message.content).toBe(cut);
    const events = await eventsOf(
      await server.ask("/v1/chat/completions", { ...asked, stop: [stop], stream: true }),
    );
    expect(events.map(({ data }) => data.choices?.[0]?.delta?.content ?? "").join("")).toBe(cut);
  });

  it("leaves no timer behind, whole or streamed, where it fails before it begins", async () => {
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    const long = [{ role: "user", content: "long ".repeat(100) }];
    const fail = async (stream: boolean) => {
      const answer = await server.ask("/v1/chat/completions", { model: "short", messages: long, stream });
      expect(answer.status).toBe(400);
      await answer.text();
    };
    await fail(true);
    const before = timers();
    for (let i = 0; i < 20; i++) await fail(i % 2 === 0);
    expect(timers()).toBeLessThan(before + 5);
  });

  it("tells log-probabilities of what was written", async () => {
    const { body } = await server.json("/v1/chat/completions", {
      model: "m",
      messages,
      max_tokens: 5,
      logprobs: true,
      top_logprobs: 2,
    });
    const { content } = body.choices[0].logprobs;
    expect(content.map(({ token }: { token: string }) => token).join("")).toBe(
      body.choices[0].message.content,
    );
    for (const { logprob, top_logprobs } of content)
      expect([logprob <= 0, top_logprobs.length]).toEqual([true, 2]);
  });

  it("answers as a specialist with its label, and its options' log-probabilities", async () => {
    const asked = {
      model: "tones",
      messages: [{ role: "user", content: "A rude letter" }],
      logprobs: true,
      top_logprobs: 3,
    };
    const { body } = await server.json("/v1/chat/completions", asked);
    expect(body.choices[0].message.content).toBe("r");
    const [only] = body.choices[0].logprobs.content;
    expect(only.token).toBe("r");
    const total = only.top_logprobs.reduce(
      (sum: number, { logprob }: { logprob: number }) => sum + Math.exp(logprob),
      0,
    );
    expect(total).toBeCloseTo(1, 6);
    const events = await eventsOf(
      await server.ask("/v1/chat/completions", { ...asked, logprobs: false, stream: true }),
    );
    expect(events.map(({ data }) => data.choices?.[0]?.delta?.content ?? "").join("")).toBe("r");
  });
});

describe("completions", () => {
  it("echoes a prompt with the log-probability of each token, and one more token", async () => {
    const prompt = "The quick brown fox jumps over";
    for (const max_tokens of [0, 1]) {
      const { body } = await server.json("/v1/completions", {
        model: "m",
        prompt: [prompt, "Another one"],
        echo: true,
        logprobs: 2,
        max_tokens,
        temperature: 0,
      });
      expect(body.choices.length).toBe(2);
      const { text, logprobs } = body.choices[0];
      expect(text.startsWith(prompt)).toBe(true);
      expect(text === prompt).toBe(max_tokens === 0);
      expect(logprobs.tokens.join("")).toBe(text);
      expect(logprobs.token_logprobs[0]).toBeNull();
      expect(logprobs.token_logprobs.slice(1).every((one: number) => one <= 0)).toBe(true);
      expect(
        logprobs.text_offset.map((at: number, i: number) => text.slice(at, at + logprobs.tokens[i].length)),
      ).toEqual(logprobs.tokens);
      expect(logprobs.top_logprobs[0]).toBeNull();
      expect(Object.keys(logprobs.top_logprobs[1]).length).toBe(2);
    }
  });

  it("continues a prompt, whole and streamed", async () => {
    const asked = { model: "m", prompt: "alpha beta gamma", max_tokens: 8 };
    const { body } = await server.json("/v1/completions", asked);
    expect(body).toMatchObject({ object: "text_completion", choices: [{ index: 0, logprobs: null }] });
    const events = await eventsOf(await server.ask("/v1/completions", { ...asked, stream: true }));
    expect(events.map(({ data }) => data.choices?.[0]?.text ?? "").join("")).toBe(body.choices[0].text);
    const twice = await server.json("/v1/completions", { ...asked, prompt: [asked.prompt, "delta"], n: 2 });
    expect(twice.body.usage.prompt_tokens).toBe(body.usage.prompt_tokens + 1);
    const free = { ...asked, temperature: 2, top_p: 0, seed: 3 };
    expect((await server.json("/v1/completions", free)).body.choices).toEqual(body.choices);
    const logged = await server.json("/v1/completions", { ...asked, logprobs: 1 });
    expect(logged.body.choices[0].logprobs.tokens.join("")).toBe(body.choices[0].text);
  });
});

describe("embeddings", () => {
  it("gives vectors as numbers, or as base64 of the same", async () => {
    const plain = await server.json("/v1/embeddings", { model: "m", input: ["a rose", "a stone"] });
    expect(plain.body.data.map(({ index }: { index: number }) => index)).toEqual([0, 1]);
    const packed = await server.json("/v1/embeddings", {
      model: "m",
      input: ["a rose", "a stone"],
      encoding_format: "base64",
    });
    for (const [i, { embedding }] of packed.body.data.entries()) {
      const bytes = Buffer.from(embedding, "base64");
      const numbers = Array.from({ length: bytes.length / 4 }, (_, k) => bytes.readFloatLE(4 * k));
      expect(numbers).toEqual(plain.body.data[i].embedding.map(Math.fround));
    }
    for (const input of [
      [1, 2],
      [[1, 2], [3]],
    ]) {
      const { status, body } = await server.json("/v1/embeddings", { model: "m", input });
      expect([status, body.error.type]).toEqual([400, "invalid_request_error"]);
    }
  });
});

describe("responses", () => {
  it("says the same in the other protocol, whole and as events in order", async () => {
    const chat = await server.json("/v1/chat/completions", {
      model: "m",
      messages: [{ role: "system", content: "Be brief." }, ...messages],
      max_tokens: 20,
    });
    const asked = {
      model: "m",
      instructions: "Be brief.",
      input: "Name a colour, please.",
      max_output_tokens: 20,
    };
    const { body } = await server.json("/v1/responses", asked);
    expect(body.output[0].content[0].text).toBe(chat.body.choices[0].message.content);
    expect(body.usage.total_tokens).toBe(chat.body.usage.total_tokens);
    const events = await eventsOf(await server.ask("/v1/responses", { ...asked, stream: true }));
    expect(events.map(({ event, data }) => event === data.type)).not.toContain(false);
    expect(events.map(({ data }) => data.sequence_number)).toEqual(events.map((_, i) => i));
    const kinds = events.map(({ event }) => event).filter((event, i, all) => event !== all[i - 1]);
    expect(kinds).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      `response.${body.status}`,
    ]);
    expect(events.at(-1)?.data.response.output[0].content).toEqual(body.output[0].content);
  });
});

describe("classify", () => {
  it("answers texts and rows with label, probabilities and id", async () => {
    const { body } = await server.json("/v1/classify", {
      model: "tones",
      input: ["A rude memo", { text: "A polite memo" }],
    });
    expect(body.data.map(({ label }: { label: string }) => label)).toEqual(["r", "p"]);
    expect(Object.keys(body.data[0].probabilities).sort()).toEqual(["n", "p", "r"]);
    const bad = await server.json("/v1/classify", { model: "tones", input: { texts: "A rude memo" } });
    expect([bad.status, bad.body.error.message]).toEqual([400, expect.stringMatching(/no field "text"/)]);
  });
});

describe("errors", () => {
  it("have the protocol's form and the right status", async () => {
    const nested = (levels: number) =>
      `${'{"type":"array","items":'.repeat(levels)}{"type":"string"}${"}".repeat(levels)}`;
    const deep = `{"model":"m","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":${nested(20_000)}}}}`;
    const deepRow = `{"model":"tones","input":{"text":${nested(20_000)}}}`;
    const cases: [path: string, body: unknown, status: number, code: string | null][] = [
      ["/v1/chat/completions", { model: "nobody", messages }, 404, "model_not_found"],
      ["/v1/chat/completions", { model: "m" }, 400, null],
      ["/v1/chat/completions", { model: "m", messages: [{ role: "king", content: "x" }] }, 400, null],
      ["/v1/chat/completions", "{", 400, "invalid_json"],
      ["/v1/chat/completions", deep, 400, "invalid_json"],
      ["/v1/classify", deepRow, 400, "invalid_json"],
      // Brackets and an escaped quote in a text are no levels.
      ["/v1/classify", { model: "nobody", input: `\\"${"[".repeat(300)}` }, 404, "model_not_found"],
      [
        "/v1/chat/completions",
        { model: "tones", messages, tools: [{ type: "function", function: { name: "f" } }] },
        400,
        "unsupported",
      ],
      ["/v1/chat/completions", { model: "short", messages }, 400, "context_length_exceeded"],
      ["/v1/chat/completions", { model: "short", messages, stream: true }, 400, "context_length_exceeded"],
      [
        "/v1/completions",
        { model: "m", prompt: [1, 2], echo: true, logprobs: 1, max_tokens: 0 },
        400,
        "unsupported",
      ],
      ["/v1/classify", { model: "m", input: "x" }, 400, "unsupported"],
      ["/v1/classify", { model: "tones" }, 400, null],
      ["/v1/nothing", {}, 404, "not_found"],
    ];
    for (const [path, asked, status, code] of cases) {
      const found = await server.json(path, asked);
      expect([path, found.status, found.body.error.code], JSON.stringify(found.body)).toEqual([
        path,
        status,
        code,
      ]);
      expect(Object.keys(found.body.error).sort()).toEqual(["code", "message", "param", "type"]);
    }
    const ignored = await server.ask("/v1/chat/completions", {
      model: "m",
      messages,
      frequency_penalty: 0.5,
      max_tokens: 2,
    });
    expect(ignored.headers.get("x-hone-ignored")).toBe("frequency_penalty");
  });

  it("say that one of several models is to be named; one alone answers without", async () => {
    const several = await server.json("/v1/chat/completions", { messages });
    expect([several.status, several.body.error]).toEqual([
      400,
      expect.objectContaining({
        param: "model",
        message: expect.stringMatching(/Several models are served/),
      }),
    ]);
    const alone = await serving(["m=mock:?skill=0.9&seed=1"]);
    const asked: [path: string, body: object, id: RegExp | undefined][] = [
      ["/v1/chat/completions", { messages, max_tokens: 9 }, /^chatcmpl-[0-9a-f]{32}$/],
      ["/v1/completions", { prompt: "alpha beta", max_tokens: 5 }, /^cmpl-[0-9a-f]{32}$/],
      ["/v1/responses", { input: "alpha beta", max_output_tokens: 16 }, /^resp_[0-9a-f]{32}$/],
      ["/v1/embeddings", { input: "a rose" }, undefined],
    ];
    for (const [path, body, id] of asked) {
      const named = await alone.json(path, { ...body, model: "m" });
      for (const model of [undefined, null]) {
        const { status, body: said } = await alone.json(path, { ...body, model });
        expect([path, status, said.model]).toEqual([path, 200, "m"]);
        if (id) expect(said.id).toMatch(id);
        if (path === "/v1/responses") expect(said.output[0].id).toMatch(/^msg_[0-9a-f]{32}$/);
        expect([said.choices, said.data, said.usage]).toEqual([
          named.body.choices,
          named.body.data,
          named.body.usage,
        ]);
      }
    }
    const streamed = await alone.ask("/v1/chat/completions", { messages, max_tokens: 9, stream: true });
    expect((await eventsOf(streamed))[0]?.data).toMatchObject({
      model: "m",
      id: expect.stringMatching(/^chatcmpl-/),
    });
    await alone.stop();
  });

  it("gives up the call of a client that went away", async () => {
    const gone = new AbortController();
    const asked = server.ask("/v1/chat/completions", { model: "slow", messages }, { signal: gone.signal });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const active = async () =>
      /hone_active\{model="slow"\} (\d+)/.exec(await (await server.ask("/metrics")).text())?.[1];
    expect(await active()).toBe("1");
    gone.abort();
    await expect(asked).rejects.toThrow();
    for (let i = 0; i < 100 && (await active()) !== "0"; i++)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await active()).toBe("0");
  });
});
