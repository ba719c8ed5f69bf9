// hone data synth: the folder it writes, and the promise of every command: killed at any moment it loses nothing and pays for
// nothing twice.

import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { randomFor } from "../../src/core/random.js";
import { type MockServer, startMockServer } from "../../src/models/mock-server.js";
import { openJournal } from "../../src/store/journal.js";
import { runStudy } from "../../src/study/run.js";
import { parseStudy } from "../../src/study/spec.js";
import { ggufBytes, tinyLlama, withValue } from "../models/llama-make.js";

const bin = resolve(import.meta.dirname, "../../bin/hone.js");
const kills = 10;
const pairs = 150;

let folder: string;
let server: MockServer;
/** Every prompt that the server was asked, in order. */
const asked: string[] = [];

const nouns = "river stone kettle garden violin letter engine forest window candle harbour ladder".split(" ");

/** Writes a task of its own for every prompt that asks for one, some of them broken, and a few words for every other. */
function write(prompt: string): string {
  asked.push(prompt);
  const hash = createHash("sha256").update(prompt).digest();
  const word = (i: number) => `${nouns[(hash[i] as number) % nouns.length]}${(hash[i + 1] as number) % 50}`;
  if (!prompt.includes("Write task")) return `a ${word(0)} with a <b>${word(2)}</b>`;
  if ((hash[31] as number) % 5 === 0) return "Say it.\nInput: [insert a text here]";
  const input = Array.from({ length: 12 }, (_, i) => word(2 * i)).join(" ");
  return `Name what the text is about, number ${hash[30]}.\nInput: ${input}\nQuestion: What is it about?`;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "hone-synth-"));
  server = await startMockServer({ model: "?skill=1", latencyMs: 60, oracle: write });
  const rows = Array.from({ length: 600 }, (_, i) => ({
    id: `r${i}`,
    text: `A text about ${nouns[i % nouns.length]} and many other things, number ${i * 7919}, told by a traveller.`,
    answer: nouns[i % nouns.length],
  }));
  writeFileSync(join(folder, "rows.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const study = {
    study: "topics",
    model: `openai:mock?base=${server.url}&concurrency=4`,
    task: {
      name: "topics",
      kind: "answer",
      metric: "f1",
      instruction: "Name what the text is about.",
      data: { source: "file:rows.jsonl", id: "id", input: "text", label: "answer" },
    },
    specialists: [{ selfSpecialize: { pairs, seeds: { count: 400 }, domain: "things" } }],
  };
  writeFileSync(join(folder, "topics.study.json"), JSON.stringify(study));
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

function run(store: string, out: string): ChildProcess {
  const args = [
    "data",
    "synth",
    join(folder, "topics.study.json"),
    "--store",
    join(folder, store),
    "--out",
    join(folder, out),
    "--json",
  ];
  return spawn(process.execPath, [bin, ...args], {
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
  await once(child, "close");
  return { code: child.exitCode, stdout, stderr };
}

/** Prompts whose calls the journal has. */
function finished(store: string): Set<string> {
  const journal = openJournal(join(folder, store, "journal.db"));
  const rows = journal.db.prepare("select request from calls").all() as { request: string }[];
  journal.close();
  return new Set(rows.map(({ request }) => promptOf(JSON.parse(request))));
}
const pause = (ms: number) => new Promise((tick) => setTimeout(tick, ms));
const promptOf = ({ messages }: { messages: { content: string }[] }) =>
  messages.map(({ content }) => content).join("\n\n");
const read = (...path: string[]) => readFileSync(join(folder, ...path), "utf8");

describe("hone data synth", () => {
  it(`killed at ${kills} random moments writes the same pairs, each call made once`, async () => {
    const whole = await finish(run("whole", "whole-out"));
    expect(whole.code, whole.stderr).toBe(0);
    const random = randomFor(2026, "synth kills");
    let killed = 0;
    let done = new Set<string>();
    const paidTwice: string[] = [];
    for (let i = 0; i < kills; i++) {
      const from = asked.length;
      const child = run("killed", "killed-out");
      const ended = finish(child);
      // The clock starts with the first call of this run, so that every kill hits work.
      const working = (async () => {
        while (asked.length === from && child.exitCode === null) await pause(5);
        await pause(random() * 250);
      })();
      await Promise.race([ended, working]);
      if (child.exitCode === null && asked.length > from && child.kill("SIGKILL")) killed++;
      await ended;
      for (const prompt of asked.slice(from)) if (done.has(prompt)) paidTwice.push(prompt);
      const now = finished("killed");
      for (const prompt of done) expect(now.has(prompt)).toBe(true);
      done = now;
    }
    expect(killed).toBeGreaterThanOrEqual(kills * 0.8);
    expect(paidTwice).toEqual([]);
    const last = await finish(run("killed", "killed-out"));
    expect(last.code, last.stderr).toBe(0);
    for (const name of ["pairs.jsonl", "chat.jsonl", "instructions.jsonl", "refused.jsonl", "card.json"])
      expect(read("killed-out", name)).toBe(read("whole-out", name));
    const ids = read("killed-out", "pairs.jsonl")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).id as string);
    expect(ids).toHaveLength(pairs);
    expect(new Set(ids).size).toBe(pairs);
  }, 240_000);

  it("tells throughput, ends with its card, and shows model output inert", async () => {
    const before = asked.length;
    const { code, stdout, stderr } = await finish(run("whole", "whole-out"));
    expect(code, stderr).toBe(0);
    expect(asked.length).toBe(before);
    const done = JSON.parse(stdout.trim().split("\n").at(-1) as string);
    expect(done).toMatchObject({
      type: "done",
      stopped: null,
      card: { pairs, self: true, way: "instructions" },
    });
    expect(stdout).toMatch(/tokens\/s written/);
    const page = read("whole-out", "index.html");
    expect(page).toContain("&lt;b&gt;");
    expect(page).not.toContain("<b>");
    expect(read("whole-out", "README.md")).toMatch(/150 pairs of \d+ attempts/);
  }, 60_000);
});

it("distils what an endpoint wrote into a local model, and says whose it is", async () => {
  const path = join(folder, "tiny.gguf");
  writeFileSync(
    path,
    ggufBytes(withValue(tinyLlama(), "llama.context_length", { type: "u32", value: 1024 })),
  );
  const spec = parseStudy(
    {
      study: "distilled",
      model: `llama:file:${path}?format=plain`,
      task: {
        name: "topics",
        kind: "answer",
        metric: "f1",
        maxTokens: 8,
        instruction: "Name it.",
        data: {
          source: "file:rows.jsonl",
          id: "id",
          input: "text",
          label: "answer",
          limit: { train: 30, dev: 4, test: 6 },
        },
      },
      specialists: [
        {
          selfSpecialize: {
            ...{ pairs: 8, domain: "things", generator: `openai:mock?base=${server.url}&concurrency=4` },
            lora: { epochs: 1, learningRate: 0.01 },
          },
        },
      ],
    },
    join(folder, "distilled.study.json"),
  );
  const before = asked.length;
  vi.stubEnv("OPENAI_API_KEY", "sk-test");
  const record = await runStudy(spec, { base: folder, store: join(folder, "distilled") });
  vi.unstubAllEnvs();
  const written = asked.slice(before);
  expect(written.filter((prompt) => prompt.includes("Write task")).length).toBeGreaterThanOrEqual(8);
  // The endpoint writes data; it answers no sample.
  const [result] = record.results.filter(({ subject }) => subject.startsWith("distil"));
  expect(result).toMatchObject({ n: 6, unscored: 0 });
  const [data] = record.subjects.flatMap(({ synthetic = [] }) => synthetic);
  expect(data?.card).toMatchObject({ self: false, pairs: 8 });
}, 120_000);
