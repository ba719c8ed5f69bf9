// hone reproduce as scripts and people meet it: the list of papers, errors with exit codes, records and the result's file.

import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { writeFactsForm } from "./make.js";

const bin = resolve(import.meta.dirname, "../../bin/hone.js");
const folder = mkdtempSync(join(tmpdir(), "hone-papers-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function hone(
  args: string[],
): Promise<{ code: number; stdout: string; stderr: string; last: Record<string, unknown> }> {
  return new Promise((done) => {
    execFile(process.execPath, [bin, ...args], { cwd: folder, maxBuffer: 1e8 }, (error, stdout, stderr) => {
      const lines = stdout.split("\n").filter(Boolean);
      const last = args.includes("--json") ? JSON.parse(lines.at(-1) ?? "{}") : {};
      done({ code: error ? Number(error.code) : 0, stdout, stderr, last });
    });
  });
}

describe("hone reproduce", () => {
  it("alone lists the papers", async () => {
    const { code, stdout } = await hone(["reproduce"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/lawma .*2407\.16615/);
    const { last } = await hone(["reproduce", "--json"]);
    expect(last).toMatchObject({
      type: "done",
      papers: [
        { paper: "lawma" },
        { paper: "medprompt" },
        { paper: "self-specialization" },
        { paper: "lexical" },
        { paper: "egosocialarena" },
        { paper: "deepseekmoe" },
        { paper: "bilateral" },
      ],
    });
  });

  it.each([
    [["no-such-paper"], /no paper "no-such-paper"[\s\S]*known: lawma[\s\S]*next:/],
    [["lawma", "--smoke", "--original"], /exclude each other[\s\S]*next:/],
    [["lawma", "--smoke"], /No data for lawma[\s\S]*no folder of data is named[\s\S]*next:.*--data.*law\//],
    [["lawma", "--smoke", "--data", "."], /No data for lawma[\s\S]*no law\/ in it[\s\S]*next:/],
    [["lawma", "--smoke", "--data", "nowhere"], /No data for lawma[\s\S]*nowhere[\s\S]*cannot be read/],
    [["bilateral", "--smoke", "--model", "motor:arm26", "motor:pointMass"], /takes one model[\s\S]*--model/],
  ])("answers %j with an error that says what to do", async (args, words) => {
    const { code, stderr } = await hone(["reproduce", ...args]);
    expect(stderr).toMatch(words);
    expect([1, 2]).toContain(code);
  });

  it("reads the data that --data names, and no variable's", async () => {
    const { stdout } = await hone(["reproduce", "--help"]);
    expect(stdout.replace(/\s+/g, " ")).toMatch(
      /--data <folder> the folder that holds med\/, law\/, social\/ and lexical\//,
    );
    const sources = readdirSync(resolve(import.meta.dirname, "../../src"), {
      recursive: true,
      encoding: "utf8",
    });
    const named = sources
      .filter((name) => name.endsWith(".ts"))
      .filter((name) =>
        readFileSync(resolve(import.meta.dirname, "../../src", name), "utf8").includes("HONE_TEST_DATA"),
      );
    expect(sources.length).toBeGreaterThan(100);
    expect(named).toEqual([]);
  });

  it("says that a model without weights cannot be tuned, before anything is asked of it", async () => {
    writeFactsForm(join(folder, "data", "law"), 600);
    const args = ["reproduce", "lawma", "--original", "--data", "data", "--model", "mock:", "--json"];
    const { code, last } = await hone(args);
    expect(code).toBe(2);
    expect(last).toMatchObject({ type: "error", code: 2 });
    expect(JSON.stringify(last)).toMatch(/needs weights/);
  });

  it("stops at --max-time with the code of a gate, and writes what there is", async () => {
    const args = ["reproduce", "bilateral", "--smoke"];
    const { code, last, stderr } = await hone([...args, "--max-time", "0", "--json", "--out", "result.json"]);
    expect(code, stderr).toBe(100);
    expect(last).toMatchObject({ type: "done", paper: "bilateral" });
    expect(String(last.stopped)).toMatch(/max-time/);
    expect(JSON.parse(readFileSync(join(folder, "result.json"), "utf8"))).toEqual(last);
  });
});
