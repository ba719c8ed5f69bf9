import { mkdir, readdir, readFile, symlink, truncate, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { cacheFolder, loadDataset, resolveSource } from "../../src/data/index.js";
import { drain, type Member, makeWheel, makeZip, refusal, temporaryFolder, write } from "./make.js";

describe("file:", () => {
  test("globs are sorted, stay within their folder and do not follow linked folders", async () => {
    const base = await temporaryFolder();
    for (const name of ["b.jsonl", "a.jsonl", "c.csv", "x/d.jsonl", "x/y/e.jsonl", "x/[1].txt"])
      await write(base, name, "x");
    await symlink(base, join(base, "x", "loop"));
    const found = async (ref: string) =>
      (await resolveSource(ref, { base })).files.map((file) => relative(base, file));
    expect(await found("*.jsonl")).toEqual(["a.jsonl", "b.jsonl"]);
    expect(await found("file:{b,a}.jsonl")).toEqual(["a.jsonl", "b.jsonl"]);
    expect(await found("**/*.jsonl")).toEqual(["a.jsonl", "b.jsonl", "x/d.jsonl", "x/y/e.jsonl"]);
    expect(await found("x/*/?.jsonl")).toEqual(["x/y/e.jsonl"]);
    expect(await found("x/[1].txt")).toEqual(["x/[1].txt"]);
    expect(await found(join(base, "c.csv"))).toEqual(["c.csv"]);
    expect((await refusal(() => found("*.parquet"))).where).toBe("*.parquet");
    expect((await refusal(() => found("https://example.org/a.csv"))).why).toMatch(
      /https: is none of file:, hf:, pip:/,
    );
    expect((await refusal(() => found(`{${"a,".repeat(2000)}b}`))).what).toMatch(/pattern is too large/);
  });

  test("the cache folder follows the environment", () => {
    expect(cacheFolder({ HONE_CACHE: "/c", XDG_CACHE_HOME: "/x" })).toBe("/c");
    expect(cacheFolder({ XDG_CACHE_HOME: "/x" })).toBe(join("/x", "hone"));
    expect(cacheFolder({})).toMatch(/\.cache[\\/]hone$/);
  });
});

describe("pip: from a local folder of wheels", () => {
  let wheels: string;
  let cache: string;
  beforeEach(async () => {
    wheels = await temporaryFolder();
    cache = await temporaryFolder();
    vi.stubEnv("PIP_NO_INDEX", "1");
    vi.stubEnv("PIP_FIND_LINKS", wheels);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });
  const members: Member[] = [
    { name: "pkg/a.txt", data: "A" },
    { name: "pkg/b.txt", data: "B", deflate: true },
    { name: "pkg/other.bin", data: "not asked for" },
    { name: "pkg/inner.zip", data: makeZip([{ name: "deep/c.txt", data: "C" }]) },
  ];

  test("beside local files has ids that depend on neither's place on this machine", async () => {
    const lines = (from: number) =>
      Array.from({ length: 12 }, (_, i) =>
        JSON.stringify({ text: `w${from + i} x${from + i}`, label: "ab"[i % 2] }),
      );
    await makeWheel(wheels, "honetest", [{ name: "pkg/train.jsonl", data: lines(0).join("\n") }]);
    const idsWith = async (cache: string, base: string) => {
      await write(base, "own/test.jsonl", lines(100).join("\n"));
      const data = await loadDataset(
        {
          splits: { train: "pip:HoneTest==1.0#pkg/train.jsonl", test: "own/test.jsonl" },
          ...{ input: "text", label: "label", options: ["a", "b"], limit: { dev: 2 } },
        },
        { base, cache },
      );
      return [...data.train, ...data.dev, ...(await drain(data.test.open("test")))]
        .map(({ id }) => id)
        .sort();
    };
    const ids = await idsWith(cache, await temporaryFolder());
    expect(ids).toContain("test.jsonl:1");
    expect(ids.find((id) => id.includes("train"))).toMatch(/^pip\/.*train\.jsonl:\d+$/);
    expect(await idsWith(join(await temporaryFolder(), "deep/er"), join(cache, ".."))).toEqual(ids);
  });

  test("takes what matches, records the hash, and then needs neither pip nor network", async () => {
    const { sha256 } = await makeWheel(wheels, "honetest", members);
    const ref = "pip:HoneTest==1.0#pkg/*.txt";
    const first = await resolveSource(ref, { cache });
    expect(await Promise.all(first.files.map((file) => readFile(file, "utf8")))).toEqual(["A", "B"]);
    expect(first.pinned).toBe(`${ref}&sha256=${sha256}`);
    expect(await readdir(cache)).toEqual(["pip"]); // no wheel and no temporary folder is left
    vi.stubEnv("PATH", "/nonexistent");
    expect(await resolveSource(first.pinned, { cache })).toEqual(first);
    expect((await refusal(() => resolveSource("pip:honetest==1.0#pkg/other.bin", { cache }))).what).toMatch(
      /pip is not/,
    );
    expect(
      (await refusal(() => resolveSource("pip:honetest==1.0#pkg/other.bin", { cache, offline: true }))).what,
    ).toMatch(/network is off/);
  });

  test("a zip inside the wheel; a file damaged in the cache is fetched again; two at once", async () => {
    await makeWheel(wheels, "honetest", members);
    const ref = "pip:honetest==1.0#pkg/inner.zip!deep/*.txt";
    const [one, two] = await Promise.all([resolveSource(ref, { cache }), resolveSource(ref, { cache })]);
    expect(one).toEqual(two);
    await truncate(one.files[0]!, 0);
    expect(await readFile((await resolveSource(ref, { cache })).files[0]!, "utf8")).toBe("C");
  });

  test("another wheel under the same version, and a wrong hash, are refused", async () => {
    await makeWheel(wheels, "honetest", members);
    const wrong = `pip:honetest==1.0#pkg/a.txt&sha256=${"0".repeat(64)}`;
    expect((await refusal(() => resolveSource(wrong, { cache }))).why).toMatch(/SHA-256/);
    await resolveSource("pip:honetest==1.0#pkg/a.txt", { cache });
    expect((await refusal(() => resolveSource(wrong, { cache }))).why).toMatch(/in the cache/);
    await makeWheel(wheels, "honetest", [...members, { name: "pkg/new.txt", data: "new" }]);
    expect((await refusal(() => resolveSource("pip:honetest==1.0#pkg/b.txt", { cache }))).why).toMatch(
      /another was seen/,
    );
  });

  test("a hostile wheel writes nothing; a missing member or package says what there is", async () => {
    await makeWheel(wheels, "honeevil", [
      { name: "../../evil.txt", data: "x" },
      { name: "ok.txt", data: "x" },
    ]);
    expect((await refusal(() => resolveSource("pip:honeevil==1.0#*.txt", { cache }))).why).toMatch(
      /leaves its folder/,
    );
    expect(await readdir(cache)).toEqual([]);
    await makeWheel(wheels, "honetest", members);
    expect((await refusal(() => resolveSource("pip:honetest==1.0#pkg/none.txt", { cache }))).why).toMatch(
      /pkg\/a\.txt/,
    );
    expect((await refusal(() => resolveSource("pip:honetest==9.9#a", { cache }))).why).toMatch(
      /No matching distribution/,
    );
  });

  test.each([
    "pip:--index-url==1.0#a",
    "pip:-r==1.0#a",
    "pip:name==1.0 --pre#a",
    "pip:name==$(id)#a",
    "pip:name==-1#a",
    "pip:na me==1.0#a",
    "pip:name#a",
    "pip:name==1.0",
    "pip:name==1.0#a!b!c",
    "pip:name==1.0#a&sha256=12",
  ])("refuses %s before anything runs", async (ref) => {
    vi.stubEnv("PATH", "/nonexistent");
    expect(await refusal(() => resolveSource(ref, { cache }))).toMatchObject({ where: ref, kind: "usage" });
  });

  test("does not import a pip.py from the working folder", async () => {
    await makeWheel(wheels, "honetest", members);
    const trap = await temporaryFolder();
    await mkdir(join(trap, "pip"), { recursive: true });
    await writeFile(join(trap, "pip", "__main__.py"), "raise SystemExit('trap')");
    const before = process.cwd();
    process.chdir(trap);
    try {
      expect((await resolveSource("pip:honetest==1.0#pkg/a.txt", { cache })).files).toHaveLength(1);
    } finally {
      process.chdir(before);
    }
  });
});

test("pip: the licence texts of the demo, from the registry", async () => {
  const cache = await temporaryFolder();
  const ref =
    "pip:licensedcode-data==32.1.0#licensedcode/data/licenses/*.LICENSE&sha256=18f60bde6dbabbc0a925d45ed80089cdbb7168156a2a1c118737198f9b743b96";
  const { files } = await resolveSource(ref, { cache });
  expect(files).toHaveLength(2310);
  const start = performance.now();
  expect((await resolveSource(ref, { cache, offline: true })).files).toEqual(files);
  expect(performance.now() - start).toBeLessThan(1000); // measured 0.1 to 0.2 s; a loaded machine may take longer
});
