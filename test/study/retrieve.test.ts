// A study with documents: what was retrieved is kept with every outcome, and a changed document makes another specialist.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { show } from "../../src/cli/show.js";
import { runStudy } from "../../src/study/run.js";
import { parseStudy } from "../../src/study/spec.js";
import { toneStudy, writeTones } from "./fixture.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hone-documents-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("keeps what was retrieved, measures its recall and follows its documents", async () => {
  writeTones(join(folder, "tones.jsonl"), 200);
  const rows = readFileSync(join(folder, "tones.jsonl"), "utf8").trim().split("\n");
  const texts = rows.map((line) => JSON.parse(line) as { id: string; text: string });
  const write = (documents: readonly { id: string; text: string }[]) =>
    writeFileSync(join(folder, "documents.jsonl"), documents.map((one) => JSON.stringify(one)).join("\n"));
  write(texts);
  const written = toneStudy({
    model: "mock:?skill=0.8&seed=1",
    specialists: [{ retrieve: { documents: "file:documents.jsonl", k: 1 } }],
    dev: 10,
    test: 20,
  });
  const { task } = written as { task: { data: Record<string, unknown> } };
  task.data.evidence = "id";
  const store = join(folder, "store");
  const run = () => runStudy(parseStudy(written, "test"), { store, base: folder });
  const idsOf = (record: Awaited<ReturnType<typeof run>>) =>
    record.subjects.find(({ name }) => name.startsWith("retrieve"))?.ids;

  const first = await run();
  const recalls = first.results.map(({ subject, details }) => [subject, details.recall]);
  expect(recalls).toEqual([
    ["zeroShot", 0],
    ["retrieve(k=1, bm25)", 1],
  ]);
  expect(idsOf(await run())).toEqual(idsOf(first));
  write([{ id: "other", text: "Nothing of the kind." }, ...texts]);
  const after = await run();
  expect(idsOf(after)).not.toEqual(idsOf(first));

  const said: string[] = [];
  const out = vi.spyOn(process.stdout, "write").mockImplementation((text) => said.push(String(text)) > 0);
  try {
    const answered = rows.map((line) => (JSON.parse(line) as { id: string }).id);
    for (const sample of answered) {
      try {
        show("tones", { store, sample });
        break;
      } catch {
        // Not every row is in the test split.
      }
    }
  } finally {
    out.mockRestore();
  }
  expect(said.join("")).toMatch(/-- passage row-\d+, score \d+\.\d+\nA (polite|rude|neutral)/);
});
