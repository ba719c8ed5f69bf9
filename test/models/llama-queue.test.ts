// The queue that gives work to lanes: order, affinity, its bound, dropped work; and that llama.cpp's answers do not depend on it.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Scores, Writes } from "../../src/core/model.js";
import { randomFor, shuffled } from "../../src/core/random.js";
import { inLanes } from "../../src/models/llama/queue.js";
import { openLlama } from "../../src/models/llama.js";
import { openJournal } from "../../src/store/journal.js";
import { journaled } from "../../src/store/journaled.js";
import { ggufBytes, tinyLlama, withValue } from "./llama-make.js";

const signal = new AbortController().signal;
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Lanes that hold the topic of what they did last, and the log of what ran where. */
function lanesOf(count: number, patience?: number) {
  const queue = inLanes(count, patience);
  const held: (string | undefined)[] = Array.from({ length: count }, () => undefined);
  const log: string[] = [];
  let switches = 0;
  const run = (topic: string, name = topic, stop: AbortSignal = signal) =>
    queue(
      stop,
      async (lane) => {
        if (held[lane] !== topic) switches++;
        held[lane] = topic;
        log.push(`${name}@${lane}`);
        for (let k = 0; k < 3; k++) await turn();
        return lane;
      },
      (lane) => (held[lane] === topic ? 1 : 0),
    );
  return { queue, run, log, switches: () => switches };
}

describe("inLanes", () => {
  it("keeps the order of arrival where nothing fits better, and never runs two in one lane", async () => {
    const queue = inLanes(2);
    const begun: number[] = [];
    const busy = new Set<number>();
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        queue(signal, async (lane) => {
          expect(busy.has(lane)).toBe(false);
          busy.add(lane);
          begun.push(i);
          for (let k = 0; k <= i % 3; k++) await turn();
          busy.delete(lane);
        }),
      ),
    );
    expect(begun).toEqual([...begun.keys()]);
    expect(begun).toHaveLength(20);
  });

  it("takes what fits the lane before what came earlier", async () => {
    const { run, log } = lanesOf(1);
    await Promise.all([run("a"), run("b"), run("c"), run("a"), run("b"), run("a")]);
    expect(log).toEqual(["a@0", "a@0", "a@0", "b@0", "b@0", "c@0"]);
  });

  it("gives new work to the free lane that fits it, else to the one that has been free longest", async () => {
    const { run } = lanesOf(3);
    expect(await Promise.all([run("a"), run("b"), run("c")])).toEqual([0, 1, 2]);
    expect(await run("c")).toBe(2);
    expect(await run("b")).toBe(1);
    expect(await run("d")).toBe(0);
    expect(await run("e")).toBe(2);
  });

  it("waits a moment for what follows on the work just done, with more topics than lanes", async () => {
    const { run, switches } = lanesOf(2);
    // One call after another for each topic, each a turn after the last, as a journal lets them.
    const follow = async (topic: string) => {
      for (let i = 0; i < 6; i++) {
        await run(topic);
        await turn();
      }
    };
    await Promise.all(["a", "b", "c", "d", "e"].map(follow));
    expect(switches()).toBe(5);
  });

  it("lets no piece be overtaken by more than its patience", async () => {
    for (const patience of [0, 1, 4]) {
      const { run, log } = lanesOf(1, patience);
      const random = randomFor(patience, "queue");
      const topics = Array.from({ length: 40 }, () => "abc"[Math.floor(random() * 3)] as string);
      await Promise.all(topics.map((topic, i) => run(topic, String(i))));
      const order = log.map((entry) => Number.parseInt(entry, 10));
      const overtaken = order.map((piece, at) => order.slice(0, at).filter((other) => other > piece).length);
      expect(Math.max(...overtaken)).toBe(patience);
      expect(order.toSorted((a, b) => a - b)).toEqual([...topics.keys()]);
    }
  });

  it("never begins what is dropped, and goes on after what fails", async () => {
    const { run, queue, log } = lanesOf(1);
    const stop = new AbortController();
    const first = run("a");
    const dropped = run("a", "dropped", stop.signal);
    const failing = queue(signal, async () => {
      throw new Error("broken");
    });
    const last = run("b");
    stop.abort(new Error("no longer wanted"));
    await expect(dropped).rejects.toThrow("no longer wanted");
    await expect(failing).rejects.toThrow("broken");
    await Promise.all([first, last]);
    expect(log).toEqual(["a@0", "b@0"]);
    await expect(run("a", "late", AbortSignal.abort(new Error("too late")))).rejects.toThrow("too late");
  });
});

describe("a model's answers", () => {
  const folder = mkdtempSync(join(tmpdir(), "hone-queue-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "tiny.gguf");
  writeFileSync(
    path,
    ggufBytes(withValue(tinyLlama(), "llama.context_length", { type: "u32", value: 1024 })),
  );

  // Questions with long beginnings of their own, several prompts a question; lengths around chunk boundaries.
  const random = randomFor(3, "prompts");
  const word = () => ["ab", "cd", " x", "yz "][Math.floor(random() * 4)] as string;
  const text = (words: number) => Array.from({ length: words }, word).join("");
  const prompts = [0, 1, 2, 3].flatMap((question) => {
    const beginning = `Question ${question}: ${text(100 + 90 * question)}`;
    return [5, 40, 120].map((rest) => beginning + text(rest));
  });
  type Asked = { prompt: number; write: boolean };
  const asked: Asked[] = prompts.flatMap((_, prompt) => [
    { prompt, write: false },
    { prompt, write: true },
  ]);
  const ask = async (model: Scores & Writes, { prompt, write }: Asked): Promise<unknown> => {
    const messages = [{ role: "user" as const, content: prompts[prompt] as string }];
    if (!write) {
      const scored = await model.score(
        { messages, format: "plain", options: ["ab", "cd", "abx"] },
        { signal },
      );
      return scored.options;
    }
    const request = { messages, format: "plain", maxTokens: 6, temperature: 1, seed: 5 } as const;
    return (await model.generate(request, { signal })).text;
  };

  it("count what is evaluated, kept and written, through a journal too", async () => {
    const opened = await openLlama(path, { lanes: 2, threads: 1 });
    const journal = openJournal(join(folder, "journal.sqlite"));
    const model = journaled(opened, journal);
    const done = () => model.work?.();
    const request = (rest: string, options: readonly string[]) =>
      ({ messages: [{ role: "user", content: "x".repeat(299) + rest }], format: "plain", options }) as const;
    expect(done()).toEqual({ evaluated: 0, reused: 0, written: 0 });
    // Begin token, 299 letters and the rest: two chunks of 128, then what is left.
    await model.score(request("yz", ["a", "b"]), { signal });
    expect(done()).toEqual({ evaluated: 302, reused: 0, written: 0 });
    // The same chunks again in the lane that has them; the option's first letter is evaluated with the token before it.
    await model.score(request("!", ["zz"]), { signal });
    expect(done()).toEqual({ evaluated: 302 + 45 + 2, reused: 256, written: 0 });
    const write = { ...request("?", []), maxTokens: 4, temperature: 1, seed: 1 };
    const { cost } = await model.generate(write, { signal });
    const drawn = cost.outputTokens;
    // Texts are written in a context of their own, which holds nothing yet.
    expect(done()).toEqual({ evaluated: 349 + 301 + (drawn - 1), reused: 256, written: drawn });
    const before = done();
    await model.generate(write, { signal });
    expect(done()).toEqual(before);
    journal.close();
    await opened.close();
  });

  it("are the same to the last digit one by one, all at once in any order, and with nothing kept", async () => {
    const expected: unknown[] = [];
    for (const one of asked) {
      const fresh = await openLlama(path, { lanes: 1, threads: 1 });
      expected.push(await ask(fresh, one));
      await fresh.close();
    }
    expect(new Set(expected.map((found) => JSON.stringify(found))).size).toBeGreaterThan(prompts.length);
    for (const lanes of [1, 2, 3]) {
      const model = await openLlama(path, { lanes, threads: 1 });
      for (const seed of [1, 2]) {
        const order = shuffled([...asked.keys()], randomFor(seed, "order"));
        const found: unknown[] = [];
        await Promise.all(
          order.map(async (i) => {
            found[i] = await ask(model, asked[i] as Asked);
          }),
        );
        expect(found).toEqual(expected);
      }
      await model.close();
    }
  });
});
