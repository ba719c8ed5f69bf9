// The mock as a provider: deterministic, as skilled and as biased as it says, and failing through the real retries.

import { describe, expect, it } from "vitest";
import { requireCapability } from "../../src/core/capabilities.js";
import { HoneError } from "../../src/core/errors.js";
import { openMock } from "../../src/models/mock.js";
import { listedOptions, tokenize } from "../../src/models/mock-mind.js";
import { startMockServer } from "../../src/models/mock-server.js";
import { wholeMock } from "./whole.js";

const context = { signal: new AbortController().signal };
const labels = ["A", "B", "C", "D"];
const gold = (i: number) => (i * 7 + (i >> 3)) % 4;
const promptOf = (i: number) =>
  `Case ${i}.\nWhich?\n${labels.map((label) => `${label}. option ${label}${i}`).join("\n")}`;
const request = (i: number, format: "chat" | "plain" = "chat") => ({
  messages: [{ role: "user" as const, content: promptOf(i) }],
  format,
});
const how = { maxTokens: 8, temperature: 0, seed: 0 };
const oracle = (prompt: string) => labels[gold(Number(/Case (\d+)/.exec(prompt)?.[1]))];
const best = (scores: readonly { logprob: number }[]) =>
  scores.reduce((top, { logprob }, i) => (logprob > (scores[top]?.logprob as number) ? i : top), 0);

describe("mock", () => {
  it("has the skill that it is given, and its scores agree with what it writes", async () => {
    for (const skill of [0, 0.3, 0.7, 1]) {
      const model = await wholeMock(`?skill=${skill}&seed=1`, { oracle });
      let right = 0;
      for (let i = 0; i < 2_000; i++) {
        const { text } = await model.generate({ ...request(i), ...how }, context);
        if (text === labels[gold(i)]) right++;
        if (i % 10 === 0) {
          const { options } = await model.score({ ...request(i), options: labels }, context);
          expect(labels[best(options)]).toBe(text);
          expect(options.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0)).toBeCloseTo(1, 9);
        }
      }
      // Four standard errors of a share of 2000.
      expect(Math.abs(right / 2_000 - skill)).toBeLessThanOrEqual(
        4 * Math.sqrt((skill * (1 - skill)) / 2_000),
      );
    }
  });

  it("draws within the nucleus: of a tiny one the likeliest", async () => {
    const model = await wholeMock("?skill=0.5&seed=1");
    for (let i = 0; i < 20; i++) {
      const { text } = await model.generate({ ...request(i), ...how }, context);
      const drawn = await model.generate(
        { ...request(i), ...how, temperature: 9, seed: i, topP: 1e-9 },
        context,
      );
      expect(drawn.text).toBe(text);
    }
  });

  it("a bias takes its share of the answers that belong elsewhere, and shows without an input", async () => {
    const model = await wholeMock("?skill=1&bias=A:0.3&seed=1", { oracle });
    let elsewhere = 0;
    let taken = 0;
    for (let i = 0; i < 3_000; i++) {
      if (gold(i) === 0) continue;
      elsewhere++;
      if ((await model.generate({ ...request(i), ...how }, context)).text === "A") taken++;
    }
    expect(taken / elsewhere).toBeGreaterThan(0.25);
    expect(taken / elsewhere).toBeLessThan(0.35);
    const blank = await wholeMock("?bias=B:0.3", { oracle: () => undefined });
    const { options } = await blank.score({ ...request(1), options: labels }, context);
    expect(best(options)).toBe(1);
    expect(Math.abs((options[0]?.logprob as number) - (options[3]?.logprob as number))).toBeLessThan(0.02);
  });

  it("takes labels, texts and positions from an oracle", async () => {
    for (const answer of ["C", "option C5", "3"]) {
      const model = await wholeMock("?skill=1", { oracle: () => answer });
      expect((await model.generate({ ...request(5), ...how }, context)).text).toBe("C");
      const { options } = await model.score({ ...request(5), options: labels }, context);
      expect(best(options)).toBe(2);
    }
    const free = {
      messages: [{ role: "user" as const, content: "Capital of France?" }],
      format: "chat" as const,
    };
    const model = await wholeMock("?skill=1", { oracle: () => "Paris" });
    expect((await model.generate({ ...free, ...how }, context)).text).toBe("Paris");
    const fool = await wholeMock("?skill=0", { oracle: () => "Paris" });
    expect((await fool.generate({ ...free, ...how }, context)).text).not.toBe("Paris");
  });

  it("without an oracle prefers the option that shares words with the text, in any position", async () => {
    const model = await wholeMock("?skill=1");
    for (let i = 0; i < 4; i++) {
      const options = ["tax law", "maritime shipping", "family", "patents"];
      const rotated = options.map((_, k) => options[(k + i) % 4] as string);
      const list = rotated.map((text, k) => `${labels[k]}. ${text}`).join("\n");
      const content = `The shipping company lost cargo at sea.\n${list}`;
      const { text } = await model.generate(
        { messages: [{ role: "user", content }], format: "chat", ...how },
        context,
      );
      expect(rotated[labels.indexOf(text)]).toBe("maritime shipping");
      const plain = `The shipping company lost cargo at sea.\n\n${rotated.map((one) => `- ${one}`).join("\n")}\nAnswer:`;
      const scored = await model.score(
        {
          messages: [{ role: "user", content: plain }],
          format: "plain",
          options: rotated.map((one) => ` ${one}`),
        },
        context,
      );
      expect(rotated[best(scored.options)]).toBe("maritime shipping");
    }
  });

  it("gives the same answers in any order and at any concurrency, and others for another seed", async () => {
    const all = async (ref: string, order: number[]) => {
      const model = await wholeMock(ref);
      const answers = await Promise.all(
        order.map(async (i) => [i, (await model.generate({ ...request(i), ...how }, context)).text] as const),
      );
      return answers
        .sort(([a], [b]) => a - b)
        .map(([, text]) => text)
        .join("");
    };
    const order = Array.from({ length: 60 }, (_, i) => i);
    const forth = await all("?seed=1&concurrency=1", order);
    expect(
      await all("?seed=1&concurrency=32&latency=2&jitter=1&errors=0.2&backoff=0", order.toReversed()),
    ).toBe(forth);
    expect(await all("?seed=2", order)).not.toBe(forth);
  });

  it("samples when asked to, by the request's seed", async () => {
    const model = await wholeMock("?skill=0.5&seed=1");
    const at = async (seed: number) =>
      (await model.generate({ ...request(3), maxTokens: 8, temperature: 5, seed }, context)).text;
    expect(await at(1)).toBe(await at(1));
    const drawn = await Promise.all(Array.from({ length: 40 }, (_, seed) => at(seed)));
    expect(new Set(drawn).size).toBeGreaterThan(1);
  });

  it("embeds texts that share words near each other", async () => {
    const model = await wholeMock("");
    const { vectors } = await model.embed(
      ["the cat sat here", "a cat sat there", "bond yields rose", ""],
      context,
    );
    const dot = (a: number, b: number) =>
      (vectors[a] as number[]).reduce((sum, one, k) => sum + one * (vectors[b]?.[k] as number), 0);
    expect(dot(0, 1)).toBeGreaterThan(dot(0, 2) + 0.2);
    for (const vector of vectors) expect(Math.hypot(...vector)).toBeCloseTo(1, 9);
  });

  it("fails through the same retries as an endpoint, the same way each time", async () => {
    const kinds = {
      "429": "rate-limited",
      "500": "server-error",
      "503": "server-error",
      hang: "timeout",
      cut: "cut-stream",
      malformed: "malformed",
      reset: "unreachable",
      refused: "refused",
      large: "too-large",
    };
    for (const [kind, failure] of Object.entries(kinds)) {
      const model = await wholeMock(`?errors=${kind}:1&retries=1&backoff=0&timeout=0.01`);
      await expect(model.generate({ ...request(1), ...how }, context), kind).rejects.toMatchObject({
        failure,
      });
    }
    const failed = async () => {
      const model = await wholeMock("?errors=0.4&retries=1&backoff=0&seed=5");
      const calls = Array.from({ length: 200 }, (_, i) =>
        model.score({ ...request(i), options: labels }, context),
      );
      return (await Promise.allSettled(calls)).flatMap(({ status }, i) => (status === "rejected" ? [i] : []));
    };
    const first = await failed();
    expect(first.length).toBeGreaterThan(10);
    expect(first.length).toBeLessThan(60);
    expect(await failed()).toEqual(first);
  });

  it("keeps to its latency, context, grants and price", async () => {
    const slow = await wholeMock("?latency=40");
    const started = performance.now();
    await slow.generate({ ...request(1), ...how }, context);
    expect(performance.now() - started).toBeGreaterThanOrEqual(38);
    const small = await wholeMock("?context=10");
    await expect(small.generate({ ...request(1), ...how }, context)).rejects.toMatchObject({
      failure: "too-long",
    });
    const mute = await openMock("?grants=text");
    expect(Object.keys(mute)).toContain("generate");
    for (const method of ["score", "read", "embed"]) expect(Object.keys(mute)).not.toContain(method);
    expect(() => requireCapability(mute, "logprobs")).toThrow(/scoring: parse/);
    const priced = await wholeMock("?price=2,8");
    const { cost } = await priced.generate({ ...request(1), ...how }, context);
    expect(cost.usd).toBeCloseTo((cost.inputTokens * 2 + cost.outputTokens * 8) / 1e6, 12);
    expect(cost.usd).toBeGreaterThan(0);
  });

  it("its id holds what changes answers", async () => {
    const idOf = async (ref: string, options = {}) => (await wholeMock(ref, options)).id;
    expect(await idOf("?latency=9&errors=0.1&price=1,1")).toBe(await idOf(""));
    const ids = [
      idOf(""),
      idOf("?skill=0.8"),
      idOf("?seed=2"),
      idOf("?bias=A:0.1"),
      idOf("", { oracle }),
      idOf("x"),
    ];
    expect(new Set(await Promise.all(ids)).size).toBe(6);
    expect(await idOf("?bias=A:0.1")).toBe(await idOf("?bias=1:0.1"));
  });

  it("refuses what it cannot read, naming the parameter", async () => {
    for (const ref of [
      "?skill=2",
      "?bias=A",
      "?bias=AB:1",
      "?errors=9",
      "?errors=500:0.7,429:0.7",
      "?errors=fire:1",
      "?skil=1",
    ]) {
      const error = await wholeMock(ref).catch((one: unknown) => one);
      expect(error, ref).toBeInstanceOf(HoneError);
      expect((error as HoneError).failure.where, ref).toContain(/\?(\w+)/.exec(ref)?.[1] as string);
    }
  });

  it("finds the last list of options and nothing else", () => {
    const texts = (prompt: string) => listedOptions(prompt).map(({ text }) => text);
    expect(texts("A. one\nB. two\n\nText\nA. three\nB. four\nC. five\nAnswer:")).toEqual([
      "three",
      "four",
      "five",
    ]);
    expect(texts("(A) one\n(B) two")).toEqual(["one", "two"]);
    expect(texts("01. one\n02. two")).toEqual(["one", "two"]);
    expect(texts("- one\n- two\ntext")).toEqual(["one", "two"]);
    expect(texts("A. lone\ntext\nB. not a list")).toEqual([]);
    expect(texts("no list - here. A. b")).toEqual([]);
  });

  it("tokens spell the text", () => {
    for (const text of ["", " a  b\n", "naïve 🐦🐦🐦🐦🐦🐦🐦 x ", "abcdefghijkl"])
      expect(tokenize(text).join("")).toBe(text);
  });
});

describe("mock server", () => {
  it("counts what was asked again although it had been answered", async () => {
    const server = await startMockServer({ rateLimit: 1000 });
    const ask = async (content: string) => {
      const response = await fetch(`${server.url}/chat/completions`, {
        method: "POST",
        body: JSON.stringify({ model: "m", messages: [{ role: "user", content }] }),
      });
      await response.text();
      return response.status;
    };
    expect(await ask("one")).toBe(200);
    expect(await ask("two")).toBe(200);
    expect(await ask("one")).toBe(200);
    expect(server.stats()).toMatchObject({ requests: 3, answered: 3, repeated: 1 });
    const seen = await (await fetch(new URL("/stats", server.url))).json();
    expect(seen).toEqual(server.stats());
    const bad = await fetch(`${server.url}/chat/completions`, { method: "POST", body: "{" });
    expect(bad.status).toBe(400);
    await server.close();
  });
});
