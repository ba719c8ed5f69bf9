// What the whole check ends with: one line that counts the tests of all its runs, and a failure where any of them failed.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const sum = resolve(import.meta.dirname, "../.ci/sum.js");
const folder = mkdtempSync(join(tmpdir(), "hone-ci-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const results = (passed: number, failed = 0, skipped = 0) =>
  JSON.stringify({ numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped });

describe("the sum of two runs", () => {
  it.each([
    ["counts both", [0, results(10)], [0, results(3)], "13 passed, 0 failed", 0],
    ["counts failures of either", [0, results(10)], [1, results(2, 1)], "12 passed, 1 failed", 1],
    ["fails where one left no results", [0, results(10)], [1, ""], "10 passed, 1 failed", 1],
    ["fails where one crashed after its tests", [1, results(10)], [0, results(3)], "13 passed, 1 failed", 1],
    [
      "keeps what was skipped off the line",
      [0, results(10, 0, 4)],
      [0, results(3)],
      "13 passed, 0 failed",
      0,
    ],
  ] as const)("%s", (_, one, two, line, code) => {
    const args = [one, two].flatMap(([exit, text], i) => {
      const path = join(folder, `${i}.json`);
      writeFileSync(path, text);
      return [String(exit), path];
    });
    const { stdout, status } = spawnSync(process.execPath, [sum, ...args], { encoding: "utf8" });
    expect(stdout.trimEnd().split("\n").at(-1)).toBe(line);
    expect(status).toBe(code);
  });
});

it("passed with one core and with AVX-512 masked, when that was last recorded", () => {
  const { runs } = JSON.parse(
    readFileSync(join(import.meta.dirname, "../bench/recorded/machine.json"), "utf8"),
  ) as { runs: Record<string, { passed: number; failed: number }> };
  expect(Object.keys(runs).sort()).toEqual(["haswell", "one-core"]);
  for (const [name, { passed, failed }] of Object.entries(runs)) {
    expect(failed, name).toBe(0);
    expect(passed, name).toBeGreaterThan(50);
  }
});
