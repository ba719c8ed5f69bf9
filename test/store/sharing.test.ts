// One store, several processes: no call is paid for twice, locks are waited for, and nobody else can read it.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { noCost } from "../../src/core/call.js";
import type { LanguageModel } from "../../src/core/model.js";
import { startMockServer } from "../../src/models/mock-server.js";
import { openJournal } from "../../src/store/journal.js";
import { callKey, journaled } from "../../src/store/journaled.js";
import { openSqlite } from "../../src/store/sqlite.js";
import { type ToneStudy, toneStudy, writeTones } from "../study/fixture.js";

const bin = resolve(import.meta.dirname, "../../bin/hone.js");
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hone-sharing-"));
  writeTones(join(folder, "tones.jsonl"), 400);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

function write(study: ToneStudy & { name: string }): string {
  const path = join(folder, `${study.name}.study.json`);
  writeFileSync(path, JSON.stringify(toneStudy({ extra: { handOver: 0 }, ...study })));
  return path;
}

function start(program: string, args: string[]): ChildProcess {
  const child = spawn(program, args, {
    stdio: "pipe",
    env: { ...process.env, OPENAI_API_KEY: "sk-test" },
  });
  children.push(child);
  return child;
}

async function ended(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (data) => {
    stdout += data;
  });
  child.stderr?.on("data", (data) => {
    stderr += data;
  });
  const [code] = await once(child, "close");
  return { code, stdout, stderr };
}

describe("a journal that one process opens again while another comes and goes", () => {
  /** `held`: opened twice, as for two studies one after the other; a connection outlives its `close` until its statements are collected. */
  const script = `
    const [module, path, what] = process.argv.slice(-3);
    const { openSqlite } = await import(module);
    const write = (file, row) => file.exec(\`create table if not exists t (x); insert into t values (\${row})\`);
    if (what === "held") {
      const before = openSqlite(path);
      write(before, 0);
      globalThis.statement = before.prepare("select x from t");
      before.close();
      const file = openSqlite(path);
      write(file, 1);
      console.log("written");
      process.stdin.on("data", (row) => { write(file, Number(row)); console.log("written"); });
    } else {
      (() => { const file = openSqlite(path); write(file, 10); file.close(); })();
      await new Promise((resolve) => setTimeout(resolve, 20));
      gc();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }`;

  it("loses nothing", async () => {
    const path = join(folder, "again.db");
    const module = pathToFileURL(resolve(import.meta.dirname, "../../dist/store/sqlite.js")).href;
    const program = (what: string) =>
      start(process.execPath, ["--expose-gc", "--input-type=module", "-e", script, module, path, what]);
    const held = program("held");
    const written = () => once(held.stdout as Readable, "data");
    await written();
    for (const row of [2, 3]) {
      const visitor = await ended(program("visitor"));
      expect(visitor.code, visitor.stderr).toBe(0);
      const done = written();
      held.stdin?.write(String(row));
      await done;
    }
    held.stdin?.end();
    expect((await ended(held)).code).toBe(0);
    const file = openSqlite(path);
    expect(file.prepare("select x from t order by x").all()).toEqual(
      [0, 1, 2, 3, 10, 10].map((x) => ({ x })),
    );
    expect(file.prepare("pragma integrity_check").all()).toEqual([{ integrity_check: "ok" }]);
  }, 60_000);
});

describe("two studies at once", () => {
  it("share every call", async () => {
    const server = await startMockServer({ latencyMs: 100 });
    const model = `openai:mock?base=${server.url}&concurrency=8&score=top`;
    const store = join(folder, "store");
    const studies = ["first", "second"].map((name) => write({ name, model, dev: 20, test: 60 }));
    const results = await Promise.all(
      studies.map((study) =>
        ended(start(process.execPath, [bin, "run", study, "--store", store, "--quiet"])),
      ),
    );
    expect(
      results.map(({ code }) => code),
      results.map(({ stderr }) => stderr).join(),
    ).toEqual([0, 0]);
    // The generalist and the few-shot specialist on dev and test.
    const stats = server.stats();
    expect([stats.repeated, stats.requests]).toEqual([0, 2 * (20 + 60)]);
    await server.close();
  }, 120_000);

  it("take over from one that was killed within its calls", async () => {
    const server = await startMockServer({ latencyMs: 400 });
    const model = `openai:mock?base=${server.url}&concurrency=4&score=top`;
    const store = join(folder, "store-killed");
    const run = (name: string) =>
      start(process.execPath, [
        bin,
        "run",
        write({ name, model, dev: 5, test: 10 }),
        "--store",
        store,
        "--quiet",
      ]);
    const killed = run("third");
    while (server.stats().requests === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    killed.kill("SIGKILL");
    const { code, stderr } = await ended(run("fourth"));
    expect(code, stderr).toBe(0);
    // At most what was in flight is asked again.
    expect(server.stats().repeated).toBeLessThanOrEqual(4);
    const journal = openJournal(join(store, "journal.db"));
    expect(journal.db.prepare("select name from locks where name like 'call %'").all()).toEqual([]);
    journal.close();
    await server.close();
  }, 120_000);
});

describe("claims", () => {
  const signal = new AbortController().signal;
  const request = {
    messages: [{ role: "user" as const, content: "x" }],
    format: "plain" as const,
    maxTokens: 4,
    temperature: 0,
    seed: 0,
  };
  function slow(answer: () => Promise<string>): LanguageModel & { asked: number; texts: string[] } {
    const model = {
      asked: 0,
      texts: [] as string[],
      id: "slow",
      name: "slow",
      grants: new Set(["text", "embeddings"] as const),
      format: "plain" as const,
      concurrency: 4,
      async generate() {
        model.asked++;
        return { text: await answer(), finish: "stop" as const, cost: noCost };
      },
      score: () => Promise.reject(new Error("no scores")),
      async embed(texts: readonly string[]) {
        model.texts.push(...texts);
        await new Promise((resolve) => setTimeout(resolve, 50));
        return { vectors: texts.map((text) => [text.length]), cost: noCost };
      },
      close: async () => {},
    };
    return model;
  }

  it("let one connection wait for the other's answer, and make the call itself where the other fails", async () => {
    const path = join(folder, "claims.db");
    const [one, two] = [openJournal(path), openJournal(path)];
    let fail: (error: Error) => void = () => {};
    const failing = slow(() => new Promise((_, reject) => (fail = reject)));
    const fine = slow(async () => "fine");
    const first = journaled(failing, one).generate(request, { signal });
    const caught = expect(first).rejects.toThrow("down");
    while (failing.asked === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const second = journaled(fine, two).generate(request, { signal });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(fine.asked).toBe(0);
    fail(new Error("down"));
    await caught;
    expect((await second).text).toBe("fine");
    expect(await journaled(failing, one).generate(request, { signal })).toMatchObject({ text: "fine" });
    expect([failing.asked, fine.asked]).toEqual([1, 1]);
    one.close();
    two.close();
  });

  it("are given back where the call is refused, and end with a signal where they are waited for", async () => {
    const path = join(folder, "refused.db");
    const [one, two] = [openJournal(path), openJournal(path)];
    const model = slow(async () => "fine");
    const before = () => {
      throw new Error("no budget");
    };
    await expect(journaled(model, one, { before }).generate(request, { signal })).rejects.toThrow(
      "no budget",
    );
    expect(await two.claim(callKey(model.id, "generate", request))).toBe(true);
    const stop = new AbortController();
    const waiting = journaled(model, one).generate(request, { signal: stop.signal });
    setTimeout(() => stop.abort(new Error("enough")), 50);
    await expect(waiting).rejects.toThrow("enough");
    expect(model.asked).toBe(0);
    one.close();
    two.close();
  });

  it("make every vector once, in whatever order two ask for them", async () => {
    const path = join(folder, "vectors.db");
    const [one, two] = [openJournal(path), openJournal(path)];
    const model = slow(async () => "");
    const texts = Array.from({ length: 150 }, (_, i) => "t".repeat(i + 1));
    const [a, b] = await Promise.all([
      journaled(model, one).embed!([...texts, texts[0] as string], { signal }),
      journaled(model, two).embed!(texts.toReversed(), { signal }),
    ]);
    expect(a.vectors.slice(0, 150)).toEqual(b.vectors.toReversed());
    expect(a.vectors[150]).toEqual([1]);
    expect(model.texts.toSorted()).toEqual(texts.toSorted());
    one.close();
    two.close();
  });
});

describe("another program's lock", () => {
  const hold = `
const { default: Database } = await import(process.argv[1]);
const db = new Database(process.argv[2]);
db.exec("pragma locking_mode = exclusive; begin exclusive; create table held (a)");
console.log("held");
process.stdin.once("data", () => { db.exec("rollback"); db.close(); process.exit(); });
`;

  it("is waited for, and said", async () => {
    const path = join(folder, "locked", "journal.db");
    // In a process of its own: the binding lets go of a file when it is collected.
    const journal = pathToFileURL(resolve(import.meta.dirname, "../../dist/store/journal.js")).href;
    const make = `(await import(process.argv[1])).openJournal(process.argv[2]).close()`;
    await ended(start(process.execPath, ["--input-type=module", "-e", make, journal, path]));
    const libsql = pathToFileURL(createRequire(import.meta.url).resolve("libsql")).href;
    const holder = start(process.execPath, ["--input-type=module", "-e", hold, libsql, path]);
    await once(holder.stdout as NodeJS.ReadableStream, "data");
    const waiter = start(process.execPath, [bin, "ls", "--store", join(folder, "locked")]);
    // The lock is let go of once it was heard that it is waited for.
    waiter.stderr?.once("data", () => holder.stdin?.write("let go\n"));
    const { code, stdout, stderr } = await ended(waiter);
    expect([code, stderr]).toEqual([
      0,
      expect.stringMatching(/Another program holds the lock .*; waiting for it/),
    ]);
    expect(stdout).toContain("study");
  }, 60_000);

  it("delays a running study's writes and loses none", async () => {
    const path = join(folder, "writes", "journal.db");
    const told: string[] = [];
    const journal = openJournal(path, { onWait: (text) => told.push(text) });
    const other = openJournal(path);
    other.db.exec("begin immediate");
    const call = {
      key: "k",
      model: "m",
      operation: "generate" as const,
      request: {},
      response: { text: "a" },
      cost: noCost,
    };
    const written = journal.recordCall(call);
    let beats = 0;
    const timer = setInterval(() => beats++, 20);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    other.db.exec("commit");
    await written;
    clearInterval(timer);
    expect(told).toHaveLength(1);
    // The process went on meanwhile.
    expect(beats).toBeGreaterThan(3);
    expect(other.call("k")?.response).toEqual({ text: "a" });
    journal.close();
    other.close();
  });
});

describe("a store's files", () => {
  it("are their owner's alone, whatever the umask", () => {
    const study = write({ name: "private", model: "mock:?skill=0.9", dev: 5, test: 10 });
    const store = join(folder, "private");
    const command = `umask 0 && "${process.execPath}" "${bin}" run "${study}" --store "${store}" --quiet`;
    execFileSync("sh", ["-c", command], { stdio: "ignore" });
    const all = readdirSync(store, { recursive: true, withFileTypes: true });
    expect(all.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["journal.db", "report.html", "private.json"]),
    );
    for (const entry of all) {
      const { mode } = statSync(join(entry.parentPath, entry.name));
      expect([entry.name, mode & 0o777]).toEqual([entry.name, entry.isDirectory() ? 0o700 : 0o600]);
    }
    expect(statSync(store).mode & 0o777).toBe(0o700);
  });
});
