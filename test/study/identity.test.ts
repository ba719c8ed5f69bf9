// What decides a build: the identities of the encoder and of other models, where a specializer asks them, and not their references.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Grant } from "../../src/core/model.js";
import { openMock } from "../../src/models/mock.js";
import { openArtifacts } from "../../src/store/artifacts.js";
import { openJournal } from "../../src/store/journal.js";
import { makeBudget } from "../../src/study/budget.js";
import { prepareStudy } from "../../src/study/prepare.js";
import { runStudy } from "../../src/study/run.js";
import { toneSpec, writeTones } from "./fixture.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hone-identity-"));
  writeTones(join(folder, "tones.jsonl"), 240);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Opens mocks that grant everything, of which all but the model that is asked are of a version. */
const openAt = (version: number) => async (ref: string) => {
  const mock = await openMock("?skill=0.8");
  const grants = new Set<Grant>([...mock.grants, "gradients", "weights"]);
  return { ...mock, grants, id: `${ref}@${ref === "the model" ? 0 : version}` };
};

/** Prepares a study with one specialist whose encoder and reflector are of a version; says its plan and what was opened. */
async function prepared(specialist: unknown, version: number) {
  const opened: string[] = [];
  const study = await prepareStudy(
    toneSpec({ model: "the model", specialists: [specialist], extra: { encoder: "an encoder" } }),
    {
      base: folder,
      signal: new AbortController().signal,
      journal: openJournal(":memory:"),
      artifacts: openArtifacts(),
      budget: makeBudget(),
      open: async (ref) => {
        opened.push(ref);
        return openAt(version)(ref);
      },
    },
  );
  const { specializer } = study.arms[1] as (typeof study.arms)[number];
  return { plan: study.plan, contents: await study.contents(specializer), opened: opened.slice(1) };
}

it.each<[string, unknown, string]>([
  ["linear", { linear: { features: "vectors" } }, "an encoder"],
  [
    "knn within others",
    { bestOf: { of: ["zeroShot", [{ cot: { use: "knn" } }, "ensemble"]] } },
    "an encoder",
  ],
  ["optimize", { optimize: { reflector: "a reflector" } }, "a reflector"],
  ["selfSpecialize", { selfSpecialize: { generator: "a generator" } }, "a generator"],
])("knows the model that %s asks by its identity", async (_, specialist, ref) => {
  const first = await prepared(specialist, 1);
  expect(first).toMatchObject({ contents: [`${ref}@1`], opened: [ref] });
  expect((await prepared(specialist, 1)).plan).toBe(first.plan);
  const second = await prepared(specialist, 2);
  expect(second.contents).toEqual([`${ref}@2`]);
  expect(second.plan).not.toBe(first.plan);
});

it.each([["linear"], ["ensemble"], [{ knn: { by: "bm25" } }]])(
  "opens no encoder for %j",
  async (specialist) => {
    const { opened, contents } = await prepared(specialist, 1);
    expect(opened).toEqual([]);
    expect(contents).toBeUndefined();
  },
);

it("makes a specialist again when another encoder stands under the same reference", async () => {
  const run = async (version: number) => {
    const spec = toneSpec({
      model: "the model",
      dev: 5,
      test: 10,
      specialists: [{ linear: { features: "vectors" } }],
      extra: { encoder: "an encoder" },
    });
    const record = await runStudy(spec, {
      base: folder,
      store: join(folder, "store"),
      open: openAt(version),
    });
    return record.subjects.find(({ name }) => name.startsWith("linear"))?.ids;
  };
  const first = await run(1);
  expect(await run(1)).toEqual(first);
  expect(await run(2)).not.toEqual(first);
});
