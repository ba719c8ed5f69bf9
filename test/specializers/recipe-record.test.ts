// The recorded trainings by the default recipe: each learnt, none did before, and docs/training.md says what they gave.

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { learntBelow } from "../../src/specializers/training/finetune/guessing.js";

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
const nameOf = ({ task, labels }: Row) => `${task}, ${labels} labels`;
const of = (recipe: Row["recipe"], study: string) =>
  rows.filter((row) => row.recipe === recipe && nameOf(row) === study);
const studies = [...new Set(rows.map(nameOf))];

describe.each(studies)("the recorded trainings on %s", (study) => {
  const [now, before] = [of("default", study), of("before", study)];

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
});

it("are quoted in the docs as the bench prints them", async () => {
  const { tableOf } = (await import(join(root, "bench/recipe-table.js"))) as {
    tableOf: (rows: readonly Row[]) => string[];
  };
  const page = readFileSync(join(root, "docs/training.md"), "utf8");
  for (const { n } of rows) expect(n).toBe(200);
  for (const line of tableOf(rows)) expect(page).toContain(line);
});

it.each(["tickets, 200 labels", "licences, 480 labels", "issue area, 500 labels"])(
  "of %s there are five seeds",
  (study) => {
    expect(of("default", study)).toHaveLength(5);
  },
);
