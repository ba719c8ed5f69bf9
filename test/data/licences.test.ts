// The demo's test was drawn anew: nothing in it, nor in dev, was used by a figure published before, nor is a near-duplicate
// of what was. The licence texts come from their package.

import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { type DatasetSpec, findLeaks, loadDataset } from "../../src/data/index.js";
import { readStudy } from "../../src/study/spec.js";
import { drain, temporaryFolder } from "./make.js";

const study = join(resolve(import.meta.dirname, "../.."), "examples", "licences.study.yaml");

/** First characters of a text, and the largest limits, in the published versions of the study, the recipe's bench and the Medprompt paper. */
const published = [
  { cut: 700, limit: { train: 600, dev: 60, test: 150 } },
  { cut: 450, limit: { train: 600, dev: 60, test: 150 } },
  { cut: 350, limit: { train: 600, dev: 60, test: 150 } },
  { cut: 300, limit: { train: 480, dev: 100, test: 200 } },
  { cut: 250, limit: { train: 60, dev: 4, test: 48 } },
];

test("the new test and dev have no row that a published figure used, nor a near-duplicate of one", async () => {
  const { data } = (await readStudy(study)).task as { data: DatasetSpec };
  const base = await temporaryFolder();
  const load = async (change: Partial<DatasetSpec>) => {
    const dataset = await loadDataset({ ...data, ...change }, { base });
    return { ...dataset, test: await drain(dataset.test.open("test")), rows: dataset.test.rows };
  };
  const { spent: _, ...split } = data.split!;
  const used = { ids: new Set<string>(), rows: new Set<string>() };
  const opened = [];
  for (const { cut, limit } of published) {
    const earlier = await load({
      input: `{{text|${cut}}}`,
      split: { ...split, seed: 1 },
      limit,
    });
    for (const { id } of [...earlier.train, ...earlier.dev, ...earlier.test]) used.ids.add(id);
    for (const row of earlier.rows) used.rows.add(row);
    if (cut === 300) opened.push(...earlier.test, ...earlier.dev);
  }
  expect(used.rows.size).toBeGreaterThan(200);

  // Without limits: what the study uses is drawn from these.
  const fresh = await load({ limit: undefined });
  expect(fresh.leakage).toEqual({ exact: 0, near: 0, checked: true });
  expect(fresh.test.length).toBeGreaterThan(400);
  expect(fresh.rows.filter((row) => used.rows.has(row))).toEqual([]);
  expect([...fresh.test, ...fresh.dev].filter(({ id }) => used.ids.has(id))).toEqual([]);
  const items = (samples: readonly { id: string; input: string }[]) =>
    samples.map(({ id, input }) => ({ id, text: input }));
  const others = [...fresh.train, ...fresh.dev, ...opened];
  expect(findLeaks(items(others), items(fresh.test), { near: 0.8 })).toEqual([]);
  const groups = new Set(fresh.test.map(({ group }) => group).filter((group) => group !== undefined));
  expect(groups.size).toBeGreaterThan(4);
  expect([...fresh.train, ...fresh.dev].filter(({ group }) => group && groups.has(group))).toEqual([]);
}, 240_000);
