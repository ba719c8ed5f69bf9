// What other tools take: JUnit's XML, a GitHub step's summary, samples for other trainers, a shell's completion.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readRows } from "../../src/data/index.js";
import { renderJunit } from "../../src/report/ci.js";
import { openStudy } from "../../src/study/open.js";
import { hone } from "../cli/spawned.js";
import type { Loose } from "../serve/fixture.js";
import { writeToneStudy } from "../study/fixture.js";

const root = mkdtempSync(join(tmpdir(), "hone-formats-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("continuous integration", () => {
  it("gets JUnit's XML and a step's summary, with the gate in both", async () => {
    for (const [i, [atLeast, code]] of (
      [
        [0.1, 0],
        [0.999, 100],
      ] as const
    ).entries()) {
      const study = {
        name: `tones${i}`,
        model: "mock:?skill=0.6&seed=1",
        test: 40,
        extra: { gate: { atLeast } },
      };
      const path = writeToneStudy(root, study, 200);
      const summary = join(root, `summary-${i}.md`);
      writeFileSync(summary, "before\n");
      const run = await hone(["run", path, "--junit", "junit.xml", "--quiet"], {
        cwd: root,
        env: { GITHUB_STEP_SUMMARY: summary },
      });
      expect(run.code).toBe(code);
      const xml = readFileSync(join(root, "junit.xml"), "utf8");
      const tests = [...xml.matchAll(/<testcase /g)].length;
      const failures = [...xml.matchAll(/<failure /g)].length;
      expect(xml).toContain(`tests="${tests}" failures="${failures}"`);
      expect(failures).toBe(code === 0 ? 0 : 1);
      expect(xml).toMatch(/name="the gate is met"/);
      const text = readFileSync(summary, "utf8");
      expect(text).toMatch(code === 0 ? /^before\n## tones0[\s\S]*Gate met/ : /Gate not met/);
      expect(text).toMatch(/\| \*\*zeroShot\*\*|\| zeroShot/);
    }
    const { record, close } = openStudy(join(root, ".hone"), "tones1");
    close();
    const hostile = renderJunit({ ...record, study: 'x"/><script>&\u0001]]>' });
    expect(hostile).not.toMatch(/<script>|\u0001/);
    // An XML parser of its own reads it.
    writeFileSync(join(root, "hostile.xml"), hostile);
    const check = "import sys,xml.dom.minidom as m; m.parse(sys.argv[1])";
    execFileSync("python3", ["-c", check, join(root, "hostile.xml")]);
  });
});

describe("samples", () => {
  it("are written for supervised training and for preferences, of train and dev alone", async () => {
    const path = writeToneStudy(root, { name: "pairs", model: "mock:?skill=0.3&seed=1" }, 200);
    await hone(["run", path, "--quiet"], { cwd: root });
    const rows = async (args: string[]) => {
      const { code, stderr } = await hone(["data", "export", path, "--out", "rows.jsonl", ...args], {
        cwd: root,
      });
      expect(code, stderr).toBe(0);
      const found = [];
      for await (const { row } of readRows(join(root, "rows.jsonl"))) found.push(row as Loose);
      return found;
    };
    const sft = await rows(["--as", "sft"]);
    const { record, close, outcomes } = openStudy(join(root, ".hone"), "pairs");
    const tested = new Set([...outcomes()].map(({ sample }) => sample));
    close();
    expect(sft.length).toBe(record.tasks[0]?.counts.train);
    for (const { id, messages } of sft) {
      expect(tested.has(id)).toBe(false);
      expect(messages.map(({ role }: { role: string }) => role)).toEqual(["system", "user", "assistant"]);
      const word = /^A (\w+)/.exec(messages[1].content)?.[1];
      const label = messages.at(-1).content as string;
      expect(messages[0].content).toContain(`${label}. ${word}`);
    }
    for (const split of ["train", "dev"]) {
      const dpo = await rows(["--as", "dpo", "--split", split]);
      for (const { prompt, chosen, rejected } of dpo) {
        expect(prompt.at(-1).role).toBe("user");
        expect(chosen[0].content).not.toBe(rejected[0].content);
      }
    }
    const told = await hone(
      ["data", "export", path, "--as", "dpo", "--split", "dev", "--out", "rows.jsonl", "--json"],
      { cwd: root },
    );
    // A model of skill 0.3 is wrong often: what it answered is what is rejected.
    expect(JSON.parse(told.stdout).known).toBeGreaterThan(5);
  });
});

describe("completion", () => {
  it("knows every command and its options, in a real bash", async () => {
    const { stdout } = await hone(["completion", "bash"], { cwd: root });
    writeFileSync(join(root, "completion.bash"), stdout);
    const complete = (...words: string[]) =>
      execFileSync(
        "bash",
        [
          "-c",
          `source completion.bash; COMP_WORDS=(${words.map((word) => JSON.stringify(word)).join(" ")}); COMP_CWORD=${words.length - 1}; _hone; echo "\${COMPREPLY[@]}"`,
        ],
        { cwd: root, encoding: "utf8" },
      )
        .trim()
        .split(" ");
    expect(complete("hone", "pre")).toEqual(["predict"]);
    expect(complete("hone", "data", "ex")).toEqual(["export"]);
    expect(complete("hone", "predict", "--sk")).toEqual(["--skip-bad"]);
    expect(complete("hone", "predict", "pai")).toEqual(["pairs"]);
    for (const shell of ["zsh", "fish"])
      expect((await hone(["completion", shell], { cwd: root })).stdout).toContain("predict");
    expect((await hone(["completion", "cmd"], { cwd: root })).code).toBe(2);
  });
});
