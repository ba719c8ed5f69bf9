// A search in a study: killed and gone on with, its budget, its tree in the record and in the report, its dry run.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { StudyRecord } from "../../src/core/record.js";
import { type MockServer, startMockServer } from "../../src/models/mock-server.js";
import { escapeMarkdown, html } from "../../src/report/escape.js";
import { searchSection, searchWords } from "../../src/report/search-figures.js";
import { openJournal } from "../../src/store/journal.js";
import { planStudy } from "../../src/study/dryrun.js";
import { readStudy } from "../../src/study/spec.js";
import { writeToneStudy } from "./fixture.js";

const bin = resolve(import.meta.dirname, "../../bin/hone.js");
let folder: string;
let server: MockServer;
const asked: string[] = [];
const budget = 900;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "hone-search-study-"));
  server = await startMockServer({
    latencyMs: 3,
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

/** The prompts whose calls the journal holds. */
function finished(): Set<string> {
  const journal = openJournal(join(folder, "store", "journal.db"));
  const rows = journal.db.prepare("select request from calls").all() as { request: string }[];
  journal.close();
  return new Set(
    rows.map(({ request }) =>
      (JSON.parse(request) as { messages: { content: string }[] }).messages
        .map(({ content }) => content)
        .join("\n"),
    ),
  );
}

it("goes on after kill -9 without paying twice, keeps to its budget, and draws its tree", async () => {
  const search = {
    ...{ calls: budget, screen: 32, folds: 2, held: 80, headroom: 1, confirm: 1 },
    factors: {
      prompt: ["zeroShot", { fewShot: { k: 2 } }, { knn: { k: 2, by: "bm25" } }],
      scoring: ["none", "calibrate"],
    },
    alone: ["linear", "probe"],
  };
  const study = writeToneStudy(
    folder,
    {
      model: `openai:mock?base=${server.url}&concurrency=4&score=top`,
      ...{ specialists: [{ search }], extra: { handOver: 0 }, dev: 30, test: 40 },
    },
    300,
  );
  const plan = await planStudy(await readStudy(study), { base: folder, store: join(folder, "store") });
  expect(plan.subjects.find(({ subject }) => subject.startsWith("search"))?.calls.fit).toBe(budget);
  expect(asked).toEqual([]);

  let done = new Set<string>();
  const paidTwice: string[] = [];
  for (const more of [120, 250]) {
    const from = asked.length;
    const child = run(study);
    const ended = once(child, "close");
    while (asked.length < from + more && child.exitCode === null)
      await new Promise((tick) => setTimeout(tick, 5));
    child.kill("SIGKILL");
    await ended;
    for (const prompt of asked.slice(from)) if (done.has(prompt)) paidTwice.push(prompt);
    done = finished();
  }
  expect(paidTwice).toEqual([]);
  expect(done.size).toBeGreaterThan(100);

  const child = run(study);
  let stdout = "";
  child.stdout?.on("data", (data) => {
    stdout += data;
  });
  const [code] = await once(child, "close");
  expect(code).toBe(0);
  const record = JSON.parse(stdout.trim().split("\n").at(-1) as string) as StudyRecord;
  const card = record.subjects.find(({ searches }) => searches);
  const notes = card?.searches?.[0]?.search;
  const { build } = record.results.find(({ subject }) => subject === card?.name) ?? {};
  expect(notes?.spent.calls).toBe(build?.calls);
  expect(notes?.spent.calls).toBeLessThanOrEqual(budget);
  expect(notes?.branches.find(({ label }) => label === "probe")?.dropped).toMatchObject({ stage: "start" });
  const page = searchSection(record).markup;
  const words = searchWords(record, escapeMarkdown).join("\n");
  expect(page).toContain("Main effects");
  for (const { levels, label, dropped } of notes?.branches ?? [])
    for (const said of [...(levels ?? [label]), dropped?.why ?? ""]) {
      expect(page).toContain(html`${said}`.markup);
      expect(words).toContain(escapeMarkdown(said));
    }
  // Where the simplest is returned, the others say why not; what the budget never reached was not measured.
  if (!notes) throw new Error("no search");
  const [first, ...others] = notes.branches.map((branch) => ({ ...branch, dropped: null }));
  const left = others.map((branch, i) => (i === 0 ? { ...branch, scores: [] } : branch));
  Object.assign(notes, { branches: [first, ...left], verdict: "not confirmed", returned: [0] });
  const told = searchWords(record, escapeMarkdown).join("\n");
  expect(told.match(/not confirmed on dev/g)?.length).toBe(left.length);
  expect(told).not.toContain("the simplest |");
  const reached = notes.branches.filter(({ scores }) => scores.length > 0).length;
  expect(told).toContain(`${reached} of ${notes.branches.length} compositions measured`);
  // A level is dropped as such only where factors are not shown to interact.
  const dropped = (shown: boolean): boolean => {
    Object.assign(notes.interaction ?? {}, { shown });
    for (const { effects } of notes.factors) for (const effect of effects) effect.kept = false;
    return searchSection(record).markup.includes("<td>dropped</td>");
  };
  expect(notes.interaction).not.toBeNull();
  expect([dropped(false), dropped(true)]).toEqual([true, false]);
}, 240_000);
