// How the command line reads data files: flags that say what a file does not, and studies that read it the same way.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";

const bin = resolve(import.meta.dirname, "../../bin/hone.js");
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hone-reading-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function hone(...args: string[]): { code: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
    cwd: folder,
    encoding: "utf8",
    timeout: 60_000,
  });
  return { code: status, stdout, stderr };
}

const words = "rot blau gelb baum haus hund katze auto rad weg berg tal fluss see meer wald".split(" ");
/** A text of its own for each number: no two are near duplicates. */
const textOf = (i: number): string =>
  Array.from({ length: 12 }, (_, k) => `${words[(i * 7 + k * k) % 16]}${(i * 31 + k * 17) % 97}`).join(" ");

describe("hone init and hone data", () => {
  it("carry what was said about reading into the study, which then reads the same rows", () => {
    const lines = Array.from(
      { length: 80 },
      (_, i) => `${i};${textOf(i)} größer, €;${["ja", "nein"][i % 2]}`,
    );
    const bytes = Buffer.from(lines.join("\n").replaceAll("€", "\x80"), "latin1");
    writeFileSync(join(folder, "export.csv"), bytes);
    const blind = hone("data", "count", "export.csv");
    expect(blind.code).toBe(1);
    expect(blind.stderr).toMatch(/--encoding cp1252/);
    const said = ["--columns", "id,text,label", "--encoding", "cp1252"];
    expect(hone("data", "count", "export.csv", ...said).stdout).toMatch(/^80 rows/);
    expect(hone("data", "show", "export.csv", ...said).stdout).toMatch(/größer, €/);
    expect(hone("init", "mine", "--data", "export.csv", ...said)).toMatchObject({ code: 0 });
    const study = parse(readFileSync(join(folder, "mine.study.yaml"), "utf8"));
    expect(study.task.data).toMatchObject({ columns: ["id", "text", "label"], encoding: "cp1252" });
    const checked = hone("data", "check", "mine.study.yaml", "--json");
    expect(checked.code, checked.stderr).toBe(0);
    expect(JSON.parse(checked.stdout.trim()).tasks[0].labels).toHaveLength(2);
  }, 120_000);

  it("takes a folder of texts by label", () => {
    for (const label of ["ham", "spam"]) {
      mkdirSync(join(folder, "mails", label), { recursive: true });
      for (let i = 0; i < 40; i++)
        writeFileSync(join(folder, "mails", label, `${i}.txt`), textOf(i + label.length * 50));
    }
    expect(hone("init", "mails", "--data", "mails").code).toBe(0);
    const { task } = parse(readFileSync(join(folder, "mails.study.yaml"), "utf8"));
    expect(task.data).toMatchObject({ source: "file:mails", label: "folder" });
    const checked = hone("data", "check", "mails.study.yaml");
    expect(checked.stdout, checked.stderr).toMatch(/2 labels: ham, spam/);
  }, 120_000);

  it("ends with 2 for a delimiter that is none, and at once for a pipe", () => {
    expect(hone("data", "count", "export.csv", "--delimiter", "<>")).toMatchObject({ code: 2 });
    expect(hone("data", "count", "export.csv", "--encoding", "klingon")).toMatchObject({ code: 2 });
    if (process.platform === "win32") return;
    execFileSync("mkfifo", [join(folder, "pipe.csv")]);
    for (const args of [
      ["data", "count", "pipe.csv"],
      ["data", "show", "/dev/zero", "--format", "csv"],
      ["init", "piped", "--data", "pipe.csv"],
    ]) {
      const { code, stderr } = hone(...args);
      expect(code, args.join(" ")).toBe(1);
      expect(stderr).toMatch(/it is a (pipe|device)/);
    }
  }, 120_000);
});
