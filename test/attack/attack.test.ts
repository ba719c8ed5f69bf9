// A smaller form of `npm run attack`: some cases of every attack there is, none of which may kill Hone; and that the frame
// and the judge see a kill where there is one.

import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCases } from "../../bench/attack/lib/cases.js";
import { deathOf, inProcess } from "../../bench/attack/lib/cli.js";

const root = resolve(import.meta.dirname, "../..");
const attacks = join(root, "bench/attack");
const names = readdirSync(attacks)
  .filter((name) => name.endsWith(".js"))
  .map((name) => name.slice(0, -3));

/** Cases of each attack; 20 where it is not said. `npm run attack` has more. */
const counts: Record<string, number> = {
  data: 12,
  studies: 18,
  endpoints: 10,
  journals: 8,
  processes: 4,
  commands: 16,
  serve: 18,
};

interface Result {
  tried: number;
  refused: number;
  passed: number;
  killed: number;
  notes?: string[];
}
interface Attack {
  name: string;
  run: (given: {
    count: number;
    seed: number;
    workdir: string;
    log: (text: string) => void;
  }) => Promise<Result>;
}

let workdir: string;
beforeAll(() => {
  workdir = mkdtempSync(join(tmpdir(), "hone-attack-"));
});
afterAll(() => rmSync(workdir, { recursive: true, force: true }));

describe("attacked by hostile", () => {
  it.each(names)(
    "%s, Hone ends cleanly",
    async (name) => {
      const attack = ((await import(join(attacks, `${name}.js`))) as { default: Attack }).default;
      expect(attack.name).toBe(name);
      const count = counts[name] ?? 20;
      const result = await attack.run({ count, seed: 2, workdir, log: () => {} });
      expect(result.killed, (result.notes ?? []).join("\n")).toBe(0);
      expect(result.tried).toBe(count);
      expect(result.refused + result.passed).toBe(count);
    },
    600_000,
  );
});

describe("the attack", () => {
  const sound = { code: 0, signal: null, stdout: "", stderr: "", hung: false };

  it.each([
    ["a hang", { hung: true }],
    ["a signal", { code: null, signal: "SIGSEGV" }],
    ["an abort", { code: 134 }],
    ["a bug", { code: 1, stderr: "Hone broke: x\n  next:  This is a bug; please report it" }],
    ["a stack trace", { code: 1, stderr: "Error: x\n    at run (file:///a/b.js:3:14)\n" }],
    ["no word why", { code: 1 }],
    ["two errors", { code: 2, stderr: "a\n  next:  b\nc\n  next:  d\n" }],
    ["control characters", { code: 1, stderr: "a \u001b[2J\n  next:  b\n" }],
  ])("takes %s for a kill", (_, end) => {
    expect(deathOf({ ...sound, ...end })).toBeTruthy();
  });

  it.each([
    ["a success", {}],
    ["one error", { code: 1, stderr: "Cannot read rows.\n  where: at /x/y:3:4\n  next:  Mend it.\n" }],
    ["a gate", { code: 100, stderr: "The gate was not met" }],
  ])("takes %s for a clean end", (_, end) => {
    expect(deathOf({ ...sound, ...end })).toBeUndefined();
  });

  it("counts a wrong result, a file outside of the case's folder and a death, and gives each case its own draws", async () => {
    const drawn: number[] = [];
    const classes = {
      wrong: async (attack: Case) => attack.expect(false, "it read other rows") as never,
      outside: async (attack: Case) => {
        writeFileSync(join(attack.outer, "escaped"), "");
        return { refused: false };
      },
      refused: (attack: Case) => attack.hone(["data", "count", "none.jsonl"]),
      passed: async (attack: Case) => {
        drawn.push(attack.int(0, 1e9));
        return attack.hone(["--version"]);
      },
    };
    const given = { name: "self", classes, seed: 1, workdir, log: () => {} };
    const result = await runCases({ ...given, count: 8 });
    expect(result).toMatchObject({ tried: 8, refused: 2, passed: 2, killed: 4 });
    expect(result.notes.join("\n")).toMatch(/case 0 \(wrong\): it read other rows/);
    expect(result.notes.join("\n")).toMatch(/case 1 \(outside\): it wrote outside of its folder: escaped/);
    expect(new Set(drawn).size).toBe(2);
    await runCases({ ...given, count: 0, only: 3 });
    expect(drawn.filter((one) => one === drawn[0])).toHaveLength(2);
  });

  it("sees a process that hangs", async () => {
    const command = [process.execPath, "-e", "setInterval(() => {}, 1000)"];
    const end = await inProcess([], { cwd: workdir, command, limit: 500 });
    expect(deathOf(end)).toBe("it hung");
  });

  it("says what it does not know, and exits with 2", async () => {
    const run = promisify(execFile);
    const args = (more: string[]) => [join(root, "bench/attack.js"), ...more];
    await expect(run(process.execPath, args(["--only", "nope"]))).rejects.toMatchObject({ code: 2 });
    await expect(run(process.execPath, args(["--count", "x"]))).rejects.toMatchObject({ code: 2 });
    const out = execFileSync(process.execPath, args(["--only", "commands", "--count", "2"]), {
      encoding: "utf8",
    });
    expect(out).toMatch(/^commands +2 +\d +\d +0 +\d+ s$/m);
  }, 60_000);
});

interface Case {
  outer: string;
  int: (least: number, most: number) => number;
  expect: (condition: boolean, words: string) => void;
  hone: (args: string[]) => Promise<{ refused: boolean }>;
}
