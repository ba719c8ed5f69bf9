// The recorded trainings by the default recipe: each learnt, none did before, and docs/training.md says what they gave.

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { learntBelow } from "../../src/specializers/training/guessing.js";

interface Row {
  task: string;
  labels: number;
  seed: number;
  recipe: "default" | "before";
  devLoss: number;
  guessing: number;
  accuracy: number;
  majority: number;
  n: number;
}

const root = resolve(import.meta.dirname, "../..");
const { rows } = JSON.parse(readFileSync(join(root, "bench/recorded/recipe.json"), "utf8")) as {
  rows: Row[];
};
const of = (recipe: Row["recipe"], task: string) =>
  rows.filter((row) => row.recipe === recipe && row.task === task);
const tasks = [...new Set(rows.map(({ task }) => task))];
const mean = (list: readonly Row[], field: "devLoss" | "guessing" | "accuracy" | "majority") =>
  list.reduce((sum, row) => sum + row[field], 0) / list.length;

describe.each(tasks)("the recorded trainings on %s", (task) => {
  const [now, before] = [of("default", task), of("before", task)];

  it("learnt with every seed", () => {
    expect(new Set(now.map(({ seed }) => seed)).size).toBe(now.length);
    expect(now.length).toBeGreaterThan(0);
    for (const { seed, devLoss, guessing, accuracy, majority } of now) {
      expect(devLoss, `seed ${seed}`).toBeLessThan(learntBelow(guessing));
      expect(accuracy, `seed ${seed}`).toBeGreaterThan(majority);
    }
  });

  it("were nearer to guessing before", () => {
    for (const { seed, devLoss, guessing } of before) {
      const after = now.find((row) => row.seed === seed) as Row;
      expect(guessing).toBeCloseTo(after.guessing, 6);
      expect(after.devLoss).toBeLessThan(devLoss - 0.2);
    }
  });

  it("are quoted as they are", () => {
    const percent = (value: number) => (100 * value).toFixed(1);
    const told = (list: readonly Row[]) =>
      list.length === 0
        ? "– | –"
        : `${mean(list, "devLoss").toFixed(2)} | ${percent(mean(list, "accuracy"))}${list.length === now.length ? "" : ` (${list.length} of the seeds)`}`;
    const { labels, n } = now[0] as Row;
    const line = `| ${task}, ${labels} labels | ${now.length} | ${mean(now, "guessing").toFixed(2)} | ${percent(mean(now, "majority"))} | ${told(before)} | ${told(now)} |`;
    expect(n).toBe(200);
    expect(readFileSync(join(root, "docs/training.md"), "utf8")).toContain(line);
  });
});

it("of the tickets there are five seeds", () => {
  expect(of("default", "tickets")).toHaveLength(5);
});
