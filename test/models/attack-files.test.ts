// A small form of the attack by model files (`npm run attack -- --only files` is the whole): two hundred files with something
// wrong, opened as a study opens them, through the real engine. None may end Hone's process.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import files from "../../bench/attack/files.js";

it("two hundred broken files are refused or used, and none ends Hone", { timeout: 900_000 }, async () => {
  const workdir = mkdtempSync(join(tmpdir(), "hone-attack-"));
  try {
    const { tried, refused, passed, killed, notes, classes } = await files.run({
      count: 200,
      seed: 11,
      workdir,
      log: () => {},
    });
    expect(killed, notes.join("\n")).toBe(0);
    expect([tried, refused + passed]).toEqual([200, 200]);
    // A sound file is used, most broken ones are refused, and every way of opening is gone.
    expect(passed).toBeGreaterThan(10);
    expect(refused).toBeGreaterThan(100);
    const ways = new Set(Object.keys(classes).map((kind) => kind.split(":")[0]));
    expect([...ways].sort()).toEqual(["adapter", "model", "safetensors", "specialist", "weights"]);
    expect(Object.keys(classes).length).toBeGreaterThan(15);
  } finally {
    rmSync(workdir, { recursive: true, force: true });
  }
});
