// Folders of files under the hash of their contents.

import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { artifactsIn } from "../../src/core/artifacts.js";
import { HoneError } from "../../src/core/errors.js";
import { fingerprint } from "../../src/core/json.js";
import { findArtifact, openArtifacts } from "../../src/store/artifacts.js";

const root = mkdtempSync(join(tmpdir(), "hone-artifacts-test-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let count = 0;
const newRoot = () => join(root, String(++count));

/** A folder of three files, kept under a root of its own. */
async function kept(): Promise<{ at: string; id: string }> {
  const at = newRoot();
  const store = openArtifacts(at);
  const folder = join(await store.scratch("work"), "final");
  mkdirSync(join(folder, "peft"), { recursive: true });
  writeFileSync(join(folder, "adapter.gguf"), "0123456789");
  writeFileSync(join(folder, "peft", "config.json"), "{}");
  writeFileSync(join(folder, "README.md"), "");
  return { at, id: await store.keep(folder) };
}

describe("openArtifacts", () => {
  it("keeps a folder under its contents' hash, the same wherever and however often", async () => {
    const one = await kept();
    const two = await kept();
    expect(one.id).toMatch(/^[0-9a-f]{64}$/);
    expect(two.id).toBe(one.id);
    const store = openArtifacts(one.at);
    const path = store.path(one.id);
    expect(await readFile(join(path, "peft", "config.json"), "utf8")).toBe("{}");
    const again = join(await store.scratch("again"), "x");
    cpSync(path, again, { recursive: true });
    expect(await store.keep(again)).toBe(one.id);
    expect([existsSync(again), (await readdir(one.at)).sort()]).toEqual([false, [one.id, "scratch"].sort()]);
  });

  it("keeps equal folders that are finished at the same time once", async () => {
    const { at: from, id } = await kept();
    const at = newRoot();
    const work = await Promise.all(
      ["one", "two"].map(async (build) => {
        const folder = join(await openArtifacts(at).forBuild(build).scratch("work"), "final");
        cpSync(join(from, id), folder, { recursive: true });
        return folder;
      }),
    );
    expect(await Promise.all(work.map((folder) => openArtifacts(at).keep(folder)))).toEqual([id, id]);
    expect(work.map((folder) => existsSync(folder))).toEqual([false, false]);
    expect(await readFile(join(openArtifacts(at).path(id), "adapter.gguf"), "utf8")).toBe("0123456789");
  });

  it("gives unfinished work the same folder for the same key, until its build is done", async () => {
    const at = newRoot();
    const work = openArtifacts(at).forBuild("b1");
    const folder = await work.scratch("../../step");
    writeFileSync(join(folder, "checkpoint"), "1");
    const later = openArtifacts(at).forBuild("b1");
    expect(await readFile(join(await later.scratch("../../step"), "checkpoint"), "utf8")).toBe("1");
    expect(folder.startsWith(join(at, "scratch"))).toBe(true);
    expect(await readdir(await later.scratch("other"))).toEqual([]);
    expect(await readdir(await openArtifacts(at).forBuild("b2").scratch("../../step"))).toEqual([]);
    await later.done();
    expect(existsSync(folder)).toBe(false);
  });

  it("puts a good folder in the place of a damaged one", async () => {
    const { at, id } = await kept();
    writeFileSync(join(at, id, "adapter.gguf"), "012");
    const store = openArtifacts(at);
    expect(() => store.path(id)).toThrow(/3 bytes in place of 10/);
    const other = await kept();
    const copy = join(await store.scratch("copy"), "x");
    cpSync(join(other.at, other.id), copy, { recursive: true });
    expect(await store.keep(copy)).toBe(id);
    expect(await readFile(join(store.path(id), "adapter.gguf"), "utf8")).toBe("0123456789");
  });

  it("refuses empty folders and links, and leaves nothing of a store in memory", async () => {
    const store = openArtifacts();
    const folder = await store.scratch("a");
    await expect(store.keep(folder)).rejects.toThrow(/nothing to keep/);
    symlinkSync("/etc/hostname", join(folder, "link"));
    await expect(store.keep(folder)).rejects.toThrow(/regular files/);
    await store.close();
    expect(existsSync(folder)).toBe(false);
  });
});

describe("findArtifact", () => {
  const spoilt: [string, (folder: string) => void, RegExp][] = [
    ["a missing file", (folder) => rmSync(join(folder, "adapter.gguf")), /adapter\.gguf[\s\S]*missing/],
    [
      "a truncated file",
      (folder) => writeFileSync(join(folder, "adapter.gguf"), "01"),
      /2 bytes in place of 10/,
    ],
    [
      "a changed file",
      (folder) => writeFileSync(join(folder, "adapter.gguf"), "0123456780"),
      /contents have changed/,
    ],
    ["no manifest", (folder) => rmSync(join(folder, "manifest.json")), /manifest\.json[\s\S]*missing/],
    ["a broken manifest", (folder) => writeFileSync(join(folder, "manifest.json"), "{"), /manifest\.json/],
    [
      "a manifest of another folder",
      (folder) => writeFileSync(join(folder, "manifest.json"), '{"hone":"artifact/1","files":[]}'),
      /its hash does not match its name/,
    ],
    [
      "a link for a file",
      (folder) => {
        cpSync(join(folder, "adapter.gguf"), join(folder, "elsewhere"));
        rmSync(join(folder, "adapter.gguf"));
        symlinkSync(join(folder, "elsewhere"), join(folder, "adapter.gguf"));
      },
      /not a regular file/,
    ],
  ];
  it.each(spoilt)("finds %s", async (_name, spoil, why) => {
    const { at, id } = await kept();
    // In another place, as on another machine: this process has not looked at it.
    const moved = newRoot();
    cpSync(join(at, id), join(moved, id), { recursive: true });
    spoil(join(moved, id));
    expect(() => findArtifact(moved, id)).toThrow(why);
    expect(() => findArtifact(moved, id)).toThrow(HoneError);
  });

  it("never leaves its folder, whatever ids and manifests say", async () => {
    const at = newRoot();
    for (const id of ["..", "../../etc", "/etc", "", "a".repeat(63), `${"a".repeat(63)}/`]) {
      expect(() => findArtifact(at, id)).toThrow(/not an artifact's id/);
    }
    for (const name of ["../secret", "/etc/hostname", "a/../../b", "a\\b", "."]) {
      const files = [{ name, bytes: 1, sha256: "0".repeat(64) }];
      const id = fingerprint({ hone: "artifact/1", files }, 64);
      mkdirSync(join(at, id), { recursive: true });
      writeFileSync(join(at, id, "manifest.json"), JSON.stringify({ hone: "artifact/1", files }));
      expect(() => findArtifact(at, id)).toThrow(/not safe/);
    }
  });
});

describe("artifactsIn", () => {
  it("finds every artifact of a state once, at any depth", () => {
    const state = [
      null,
      { artifact: "a", more: [{ artifact: "b" }, { artifact: "a" }] },
      { artifact: { artifact: "c" } },
      "artifact",
      { artifact: 3 },
    ];
    expect(artifactsIn(state)).toEqual(["a", "b", "c"]);
    expect(artifactsIn("x")).toEqual([]);
  });
});
