// The promise: killed at any moment, no finished sample is lost or paid for twice, and the next run continues.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomFor } from "../../src/core/random.js";
import type { StudyRecord } from "../../src/core/record.js";
import { type MockServer, startMockServer } from "../../src/models/mock-server.js";
import { openJournal } from "../../src/store/journal.js";
import { writeToneStudy } from "./fixture.js";

const bin = resolve(import.meta.dirname, "../../bin/hone.js");
const kills = 10;
const [dev, test] = [40, 200];

let folder: string;
let server: MockServer;
/** Every prompt that the server was asked, in order. */
const asked: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "hone-crash-"));
  server = await startMockServer({
    latencyMs: 80,
    oracle: (prompt) => {
      asked.push(prompt);
      return undefined;
    },
  });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

function run(study: string): ChildProcess {
  return spawn(process.execPath, [bin, "run", study, "--store", join(folder, "store"), "--json"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, OPENAI_API_KEY: "sk-test" },
  });
}

async function finish(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (data) => {
    stdout += data;
  });
  child.stderr?.on("data", (data) => {
    stderr += data;
  });
  const [code] = await once(child, "close");
  return { code, stdout, stderr };
}

/** The prompts whose calls the journal holds. */
function finished(): Set<string> {
  const journal = openJournal(join(folder, "store", "journal.db"));
  const rows = journal.db.prepare("select request from calls").all() as { request: string }[];
  journal.close();
  return new Set(
    rows.map(({ request }) => {
      const { messages } = JSON.parse(request) as { messages: { content: string }[] };
      return messages.map(({ content }) => content).join("\n");
    }),
  );
}

describe("kill -9", () => {
  it(`at ${kills} random moments loses nothing and pays for nothing twice`, async () => {
    const study = writeToneStudy(
      folder,
      {
        model: `openai:mock?base=${server.url}&concurrency=2&score=top`,
        specialists: [{ fewShot: { k: 3 } }, { knn: { k: 2, by: "bm25" } }, "calibrate", "majority"],
        extra: { handOver: 0 },
        dev,
        test,
      },
      1200,
    );
    const random = randomFor(2026, "kills");
    let killed = 0;
    let done = new Set<string>();
    const paidTwice: string[] = [];
    for (let i = 0; i < kills; i++) {
      const from = asked.length;
      const child = run(study);
      const ended = finish(child);
      const moment = 250 + random() * 700;
      await Promise.race([ended, new Promise((tick) => setTimeout(tick, moment))]);
      if (child.exitCode === null && child.kill("SIGKILL")) killed++;
      await ended;
      for (const prompt of asked.slice(from)) if (done.has(prompt)) paidTwice.push(prompt);
      const now = finished();
      for (const prompt of done) expect(now.has(prompt)).toBe(true);
      done = now;
    }
    expect(killed).toBeGreaterThanOrEqual(kills * 0.8);
    expect(paidTwice).toEqual([]);

    const { code, stdout, stderr } = await finish(run(study));
    expect(code, stderr).toBe(0);
    const record = JSON.parse(stdout.trim().split("\n").at(-1) as string) as StudyRecord;
    expect(record.type).toBe("done");
    for (const { subject, n, unscored } of record.results) {
      expect([subject, n + unscored]).toEqual([subject, test]);
    }
    const journal = openJournal(join(folder, "store", "journal.db"));
    const counts = journal.db
      .prepare("select subject, split, count(*) n, count(distinct sample) m from outcomes group by 1, 2")
      .all() as { split: string; n: number; m: number }[];
    expect(counts.length).toBe(2 * record.subjects.length);
    for (const { split, n, m } of counts) expect([n, m]).toEqual(split === "dev" ? [dev, dev] : [test, test]);
    expect(record.openings).toBe(1);
    journal.close();
  }, 240_000);

  it("two processes on one study give the same figures, and each call is made once", async () => {
    const study = writeToneStudy(folder, {
      name: "twice",
      model: `openai:mock?base=${server.url}&concurrency=8&score=top`,
      dev: 20,
      test: 60,
      extra: { handOver: 0 },
    });
    const before = server.stats();
    const [one, two] = await Promise.all([finish(run(study)), finish(run(study))]);
    expect([one.code, two.code], one.stderr + two.stderr).toEqual([0, 0]);
    const results = [one, two].map(
      ({ stdout }) => (JSON.parse(stdout.trim().split("\n").at(-1) as string) as StudyRecord).results,
    );
    expect(results[0]).toEqual(results[1]);
    const after = server.stats();
    expect(after.requests - before.requests).toBeGreaterThan(50);
    expect(after.repeated - before.repeated).toBe(0);
    expect(one.stderr + two.stderr).toMatch(/waiting for it/);
  }, 60_000);
});
