// Text for people keeps to the width that it has; files and pipes get whole lines.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { table } from "../../src/cli/table.js";
import { fold } from "../../src/cli/width.js";
import { displayWidth } from "../../src/report/columns.js";
import { writeToneStudy } from "../study/fixture.js";
import { hone } from "./spawned.js";

let cwd: string;
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "hone-width-"));
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

/** Lines that are wider although they could have been broken: a word alone on its line cannot. */
function tooWide(text: string, columns: number): string[] {
  return text.split("\n").filter((line) => displayWidth(line) > columns && line.trim().includes(" "));
}

describe("COLUMNS=40", () => {
  it("is kept to by every command, in tables, sentences, errors and help", async () => {
    writeToneStudy(cwd, {
      model: "mock:?skill=0.9",
      specialists: [{ fewShot: { k: 3 } }, "linear", "majority"],
    });
    const commands = [
      ["run", "tones.study.yaml", "--dry-run"],
      ["run", "tones.study.yaml"],
      ["show", "tones"],
      ["compare", "tones"],
      ["ls"],
      ["models", "list"],
      ["advise"],
      ["reproduce"],
      ["--help"],
      ["run", "--help"],
      ["show", "none"],
    ];
    for (const args of commands) {
      const { stdout, stderr } = await hone(args, { cwd, env: { COLUMNS: "40" } });
      const name = args.join(" ");
      expect((stdout + stderr).length, name).toBeGreaterThan(20);
      expect([name, ...tooWide(stdout, 40), ...tooWide(stderr, 40)]).toEqual([name]);
    }
    const { stdout } = await hone(["models", "list"], { cwd, env: { COLUMNS: "" } });
    expect(tooWide(stdout, 120).length).toBeGreaterThan(1);
  }, 120_000);
});

describe("fold", () => {
  it("breaks at spaces, indents what goes on, and leaves words and what fits as they are", () => {
    expect(fold("  hone show STUDY    every prompt and answer", 24)).toBe(
      "  hone show STUDY\n    every prompt and\n    answer",
    );
    expect(fold("a  b\n/a/very/long/path/that/nobody/can/break", 20)).toBe(
      "a  b\n/a/very/long/path/that/nobody/can/break",
    );
    expect(fold("any length of line", undefined)).toBe("any length of line");
  });
});

describe("table", () => {
  const head = ["", "route", "needs", "calls"];
  const rows = [
    ["1", "linear", "", "0"],
    ["2", "few-shot with examples", "text", "1"],
  ];
  it("has columns where they fit, and a few lines a row where they do not", () => {
    expect(table(head, rows, [3], 60).split("\n")).toHaveLength(3);
    expect(table(head, rows, [3], 30)).toBe(
      "1 linear\n  calls 0\n2 few-shot with examples\n  needs text, calls 1",
    );
  });
});
