// Whether test was new, end to end: texts cut otherwise are the same rows, and everything that a study prints says so.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { renderSummary } from "../../src/report/terminal.js";
import { openStudy } from "../../src/study/open.js";
import { runStudy } from "../../src/study/run.js";
import { parseStudy } from "../../src/study/spec.js";
import { toneStudy, writeTones } from "./fixture.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hone-opened-"));
  writeTones(join(folder, "tones.jsonl"), 300);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const store = () => join(folder, "store");

function run(name: string, data: object, elsewhere: object[] = []) {
  const study = toneStudy({ name, model: "mock:?skill=0.8&seed=1", specialists: ["majority"] });
  const task = study.task as { data: object };
  const spec = { ...study, task: { ...task, data: { ...task.data, ...data } }, elsewhere };
  return runStudy(parseStudy(spec, "test"), { base: folder, store: store() });
}

it("counts rows and plans whatever is shown of the rows", async () => {
  const first = await run("first", {});
  expect(first).toMatchObject({ openings: 1, openedBefore: { rows: 0, of: 60, plans: 0 } });
  expect(first.verdict?.text).not.toContain("opened before");

  // Other cuts and half as many: another split by its samples, the same rows.
  const cut = { input: "{{text|60}}", limit: { dev: 20, test: 30 } };
  const second = await run("second", cut);
  expect(second.tasks[0]?.testFingerprint).not.toBe(first.tasks[0]?.testFingerprint);
  expect(second).toMatchObject({ openings: 2, openedBefore: { rows: 30, of: 30, plans: 1 } });
  const words = "30 of 30 rows opened before, by 1 other plan";
  expect(second.verdict?.text).toContain(`The test set was not new: ${words}`);
  expect(renderSummary(second, { colour: false, width: 80 }).replace(/\s+/g, " ")).toContain(
    `test opened by 2 plans; ${words}`,
  );
  const opened = openStudy(store(), "second");
  const paths = await opened.report(join(folder, "report"));
  opened.close();
  for (const path of [paths.markdown, paths.html]) expect(readFileSync(path, "utf8")).toContain(words);

  // The first plan again: it was the first, and is not counted twice.
  expect(await run("first", {})).toMatchObject({ openings: 2, openedBefore: { rows: 0, of: 60, plans: 0 } });

  // Another seed draws other rows, and some of the same; a task elsewhere is counted by itself.
  const { task } = toneStudy({ model: "mock:?skill=0.8&seed=1" }) as { task: { data: object } };
  const again = { ...task, name: "tone again" };
  const third = await run("third", { split: { seed: 4 } }, [again]);
  const { rows, of, plans } = third.openedBefore!;
  expect(of).toBe(60);
  expect(rows).toBeGreaterThan(0);
  expect(rows).toBeLessThan(60);
  expect(plans).toBeLessThanOrEqual(2);
  expect(third.tasks.map((one) => one.openedBefore)).toEqual([
    third.openedBefore,
    { rows: 60, of: 60, plans: 2 },
  ]);
}, 60_000);
