import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CallError, noCost } from "../../src/core/call.js";
import { HoneError } from "../../src/core/errors.js";
import { share } from "../../src/core/metric.js";
import type { LanguageModel } from "../../src/core/model.js";
import type { Outcome } from "../../src/core/outcome.js";
import type { StudyRecord } from "../../src/core/record.js";
import { openJournal } from "../../src/store/journal.js";
import { journaled } from "../../src/store/journaled.js";
import { isDead, lockStudy } from "../../src/store/lock.js";
import { resultOf } from "../../src/store/studies.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hone-journal-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const signal = new AbortController().signal;

/** A model that counts what it is really asked. */
function counting(fail = false): LanguageModel & { asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    id: "counting",
    name: "counting",
    grants: new Set(["text", "embeddings"]),
    format: "plain",
    concurrency: 4,
    async generate({ messages }) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      asked.push(messages[0]?.content ?? "");
      if (fail) throw new CallError("timeout", "too slow");
      return { text: "ok", finish: "stop", cost: { ...noCost, calls: 1, inputTokens: 7, usd: 0.5 } };
    },
    score: async () => {
      throw new CallError("unsupported", "no scores");
    },
    async embed(texts) {
      asked.push(...texts);
      return {
        vectors: texts.map((text) => [text.length, 0.5]),
        cost: { ...noCost, calls: 1, inputTokens: 10 },
      };
    },
    close: async () => {},
  };
}

const ask = (content: string) => ({
  messages: [{ role: "user" as const, content }],
  format: "plain" as const,
  maxTokens: 4,
  temperature: 0,
  seed: 0,
});

const outcome: Outcome = {
  subject: "s",
  task: "t",
  split: "test",
  sample: "1",
  seed: 1,
  gold: "a",
  grade: { status: "scored", score: 1, prediction: "a" },
  cost: noCost,
  calls: [],
};

describe("journal", () => {
  it("makes a call once, also across processes' lives and concurrent askers", async () => {
    const path = join(folder, "journal.db");
    const model = counting();
    const first = openJournal(path);
    const wrapped = journaled(model, first);
    const [a, b] = await Promise.all([
      wrapped.generate(ask("x"), { signal }),
      wrapped.generate(ask("x"), { signal }),
    ]);
    expect(a).toEqual(b);
    first.close();

    const second = openJournal(path);
    const costs: number[] = [];
    const again = await journaled(model, second).generate(ask("x"), {
      signal,
      trace: (call) => costs.push(call.cost.usd),
    });
    expect(again.text).toBe("ok");
    expect(model.asked).toEqual(["x"]);
    // What it cost is told even when it was free this time: subjects are compared by what they take.
    expect(costs).toEqual([0.5]);
    second.close();
  });

  it("counts a batch of texts as the one call that it is, before and after", async () => {
    const journal = openJournal(":memory:");
    const told: string[] = [];
    const wrapped = journaled(counting(), journal, {
      before: () => void told.push("before"),
      made: ({ cost }) => told.push(`made ${cost.calls}`),
    });
    await wrapped.embed?.(["a", "b", "c"], { signal });
    expect(told).toEqual(["before", "made 1"]);
    journal.close();
  });

  it("keeps vectors text by text, whatever the batches", async () => {
    const journal = openJournal(":memory:");
    const model = counting();
    const wrapped = journaled(model, journal);
    await wrapped.embed!(["a", "bb"], { signal });
    const { vectors } = await wrapped.embed!(["ccc", "bb"], { signal });
    expect(vectors).toEqual([
      [3, 0.5],
      [2, 0.5],
    ]);
    expect(model.asked).toEqual(["a", "bb", "ccc"]);
    journal.close();
  });

  it("writes failures down and lets them pass", async () => {
    const journal = openJournal(":memory:");
    await expect(journaled(counting(true), journal).generate(ask("x"), { signal })).rejects.toThrow(
      "too slow",
    );
    expect(journal.db.prepare("select failure from failures").all()).toEqual([{ failure: "timeout" }]);
    journal.close();
  });

  it("keeps the first outcome of a sample, unless a later one replaces it", async () => {
    const journal = openJournal(":memory:");
    const other: Outcome = { ...outcome, grade: { status: "scored", score: 0, prediction: "b" } };
    await Promise.all([journal.recordOutcome(outcome, "text"), journal.recordOutcome(other, "text")]);
    expect([...journal.outcomes(outcome)]).toEqual([outcome]);
    expect(journal.sample("t", "1")).toBe("text");
    expect(journal.done(outcome, 1)).toEqual(new Map([["1", 1]]));
    expect(journal.done(outcome, 2).size).toBe(0);
    await journal.recordOutcome(other, "text", true);
    expect(journal.done(outcome, 1)).toEqual(new Map([["1", 0]]));
    journal.close();
  });

  it("refuses a file that is no journal, and one of a newer Hone", () => {
    const path = join(folder, "broken.db");
    writeFileSync(path, "this is not a database, but it is long enough to be read as one".repeat(50));
    expect(() => openJournal(path)).toThrow(HoneError);
    const newer = openJournal(join(folder, "newer.db"));
    newer.db.exec("pragma user_version = 99");
    newer.close();
    expect(() => openJournal(join(folder, "newer.db"))).toThrow(/newer Hone/);
  });
});

describe("resultOf", () => {
  const opened = (record?: object) => {
    const journal = openJournal(join(folder, "journal.db"));
    journal.startStudy("tones", "plan", "{}");
    if (record) journal.finishStudy("tones", record as StudyRecord);
    const row = journal.study("tones")!;
    journal.close();
    return () => resultOf(row, journal.path);
  };

  it("gives a study's result, and none before there is one", () => {
    expect(opened()()).toBeUndefined();
    const record = { hone: "0.1.0", tasks: [{ name: "tone", metric: share("accuracy") }] };
    expect(opened(record)()).toMatchObject(record);
  });

  it("refuses by name a result of an older Hone, whose metrics were names", () => {
    const old = opened({ hone: "0.0.9", tasks: [{ name: "tone", metric: "accuracy" }] });
    expect(old).toThrow(HoneError);
    expect(old).toThrow(
      /The result of tones was written by an older Hone[\s\S]*journal\.db[\s\S]*version 0\.0\.9[\s\S]*Run the study again/,
    );
  });
});

describe("lock", () => {
  it("lets the second wait for the first", async () => {
    const path = join(folder, "journal.db");
    const [one, two] = [openJournal(path), openJournal(path)];
    const unlock = await lockStudy(one, "study", { signal });
    const order: string[] = [];
    const second = lockStudy(two, "study", {
      signal,
      onWait: ({ pid, first }) => first && order.push(`waits for ${pid === process.pid}`),
    }).then((release) => {
      order.push("second");
      release();
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    order.push("first gives back");
    unlock();
    await second;
    expect(order).toEqual(["waits for true", "first gives back", "second"]);
    one.close();
    two.close();
  });

  it("takes over from an owner that was killed", async () => {
    const journal = openJournal(join(folder, "journal.db"));
    const { hostname } = await import("node:os");
    journal.db
      .prepare("insert into locks values (?,?,?,?,?)")
      .run("study", "dead", 2 ** 22 + 12345, hostname(), Date.now());
    const release = await lockStudy(journal, "study", { signal });
    release();
    expect(journal.db.prepare("select * from locks").all()).toEqual([]);
    journal.close();
  });

  it("takes over where the owner's pid is now another user's process, and waits for another user's owner", async () => {
    const { hostname } = await import("node:os");
    const kill = vi.spyOn(process, "kill").mockImplementation(() => {
      throw Object.assign(new Error("kill EPERM"), { code: "EPERM" });
    });
    const owner = { owner: "another", pid: 1, host: hostname() };
    expect(isDead({ ...owner, beat: Date.now() - 60_000 })).toBe(false);
    expect(isDead({ ...owner, beat: Date.now() - 3_600_000 })).toBe(true);
    kill.mockRestore();
  });

  it("takes over from an owner that had our pid, as in a container that was started again", async () => {
    const journal = openJournal(join(folder, "journal.db"));
    const { hostname } = await import("node:os");
    journal.db
      .prepare("insert into locks values (?,?,?,?,?)")
      .run("study", "before", process.pid, hostname(), Date.now());
    const release = await lockStudy(journal, "study", { signal });
    expect(journal.locks.take("study")).toBe(false);
    release();
    journal.close();
  });
});
