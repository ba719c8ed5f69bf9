// Log-probabilities from an OpenAI-compatible endpoint: found, summed and refused.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type MockServer, startMockServer } from "../../src/models/mock-server.js";
import { readEcho, readTop } from "../../src/models/openai-score.js";
import { wholeMock, wholeOpenAI } from "./whole.js";

const context = { signal: new AbortController().signal };
const question = "The cat sat on the mat.\nWho sat?\nA. a dog\nB. the cat\nC. a bird";
const chat = { messages: [{ role: "user" as const, content: question }], format: "chat" as const };

let server: MockServer;
beforeAll(async () => {
  server = await startMockServer({ model: "?skill=1&seed=3" });
});
afterAll(() => server.close());

describe("score", () => {
  it("by first tokens and by echo agrees with the mock's own log-probabilities", async () => {
    const mock = await wholeMock("?skill=1&seed=3");
    const labels = ["A", "B", "C"];
    const direct = await mock.score({ ...chat, options: labels }, context);
    for (const format of ["chat", "plain"] as const) {
      const model = await wholeOpenAI(`m?base=${server.url}&format=${format}`, { env: {} });
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
    const model = await wholeOpenAI(`m?base=${server.url}&format=plain`, { env: {} });
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
    const model = await wholeOpenAI(`m?base=${server.url}`, { env: {} });
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
