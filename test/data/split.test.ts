import { spawnSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  assignSplits,
  capByHash,
  codesOf,
  largestRemainder,
  splitFile,
  unitHash,
  unused,
} from "../../src/data/index.js";
import { refusal, temporaryFolder, write } from "./make.js";

const hashesOf = (ids: readonly string[], seed = 0) => Float64Array.from(ids, (id) => unitHash(seed, id));
const fractions = fc
  .tuple(fc.integer({ min: 1, max: 10 }), fc.integer({ min: 0, max: 10 }), fc.integer({ min: 1, max: 10 }))
  .map(([a, b, c]) => ({ train: a / (a + b + c), dev: b / (a + b + c), test: c / (a + b + c) }));
const ids = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 200 });
const runs = { numRuns: 150, seed: 3 };

describe("properties", () => {
  test("plain: every row is in one split, its own id decides, and adding rows moves none", () => {
    fc.assert(
      fc.property(ids, fractions, fc.integer(), (names, parts, seed) => {
        const all = assignSplits({ hashes: hashesOf(names, seed) }, { fractions: parts });
        const some = names.filter((_, i) => i % 2 === 0);
        const fewer = assignSplits({ hashes: hashesOf(some, seed) }, { fractions: parts });
        expect([...all].every((part) => part <= 2)).toBe(true);
        expect([...fewer]).toEqual([...all].filter((_, i) => i % 2 === 0));
      }),
      runs,
    );
  });

  test("grouped: no group straddles, in every mode", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(20), fc.nat(3)), { minLength: 1, maxLength: 150 }),
        fractions,
        fc.nat(80),
        (rows, parts, n) => {
          const hashes = hashesOf(rows.map(([group]) => `g${group}`));
          const strata = Int32Array.from(rows, ([, label]) => label);
          for (const plan of [{ fractions: parts }, { counts: { dev: n >> 1, test: n } }]) {
            for (const extra of [{}, { strata }]) {
              const out = assignSplits({ hashes, grouped: true, ...extra }, plan);
              const seen = new Map<number, number>();
              rows.forEach(([group], i) => {
                expect(seen.get(group) ?? out[i]).toBe(out[i]);
                seen.set(group, out[i]!);
              });
              if (plan.counts) expect(out.filter((part) => part === 2).length).toBeLessThanOrEqual(n);
            }
          }
        },
      ),
      runs,
    );
  });

  test("stratified: every label has its share of every split to within one row", () => {
    fc.assert(
      fc.property(ids, fractions, fc.integer({ min: 1, max: 5 }), (names, parts, labels) => {
        const { codes } = codesOf(names.map((name) => `label ${name.length % labels}`));
        const out = assignSplits({ hashes: hashesOf(names), strata: codes }, { fractions: parts });
        for (const code of new Set(codes)) {
          const mine = [...out].filter((_, i) => codes[i] === code);
          for (const [k, share] of [parts.train, parts.dev, parts.test].entries()) {
            const got = mine.filter((part) => part === k).length;
            expect(Math.abs(got - share * mine.length)).toBeLessThan(1);
          }
        }
      }),
      runs,
    );
  });

  test("counts: exactly as many as asked for, or all there are; the rest is train or unused", () => {
    fc.assert(
      fc.property(
        ids,
        fc.nat(100),
        fc.nat(100),
        fc.option(fc.nat(50)),
        fc.boolean(),
        (names, test_, dev, train, stratify) => {
          const strata = Int32Array.from(names, (name) => name.length % 3);
          const counts = { test: test_, dev, ...(train === null ? {} : { train }) };
          const out = assignSplits({ hashes: hashesOf(names), ...(stratify ? { strata } : {}) }, { counts });
          const of = (part: number) => out.filter((p) => p === part).length;
          const n = names.length;
          expect(of(2)).toBe(Math.min(n, test_));
          expect(of(1)).toBe(Math.min(n - of(2), dev));
          expect(of(0)).toBe(Math.min(n - of(2) - of(1), train ?? n));
          expect(of(unused)).toBe(n - of(0) - of(1) - of(2));
        },
      ),
      runs,
    );
  });

  test("counts with groups: train takes whatever dev and test have no room for, and no row is lost", () => {
    const hashes = hashesOf(Array.from({ length: 40 }, (_, i) => `g${i >> 2}`));
    const out = assignSplits({ hashes, grouped: true }, { counts: { dev: 5, test: 10 } });
    const of = (part: number) => out.filter((p) => p === part).length;
    expect([of(0), of(1), of(2), of(unused)]).toEqual([28, 4, 8, 0]);
    const limited = assignSplits({ hashes, grouped: true }, { counts: { train: 6, dev: 5, test: 10 } });
    expect(limited.filter((p) => p === 0)).toHaveLength(4);
  });

  test("the order of the rows does not matter; another seed gives another split", () => {
    fc.assert(
      fc.property(ids, fc.boolean(), (names, exact) => {
        const plan = exact
          ? { counts: { dev: 3, test: 5 } }
          : { fractions: { train: 0.5, dev: 0.2, test: 0.3 } };
        const forward = assignSplits({ hashes: hashesOf(names) }, plan);
        const backward = assignSplits({ hashes: hashesOf([...names].reverse()) }, plan);
        expect([...backward].reverse()).toEqual([...forward]);
      }),
      runs,
    );
    const many = Array.from({ length: 400 }, (_, i) => `row ${i}`);
    const plan = { fractions: { train: 0.5, dev: 0.2, test: 0.3 } };
    const one = assignSplits({ hashes: hashesOf(many, 1) }, plan);
    expect(one).not.toEqual(assignSplits({ hashes: hashesOf(many, 2) }, plan));
    expect(one.filter((part) => part === 2).length).toBeGreaterThan(80); // 120 ± 40: more than four standard deviations
    expect(one.filter((part) => part === 2).length).toBeLessThan(160);
  });

  test("largest remainder sums to the total; a cap keeps order and proportions", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { minLength: 1 }), fc.nat(500), (shares, total) => {
        const out = largestRemainder(shares, total);
        const sum = shares.reduce((a, b) => a + b, 0);
        expect(out.reduce((a, b) => a + b, 0)).toBe(sum === 0 ? 0 : total);
      }),
      runs,
    );
    const names = Array.from({ length: 100 }, (_, i) => `r${i}`);
    const strata = Int32Array.from(names, (_, i) => (i < 80 ? 0 : 1));
    const indices = names.map((_, i) => i);
    const kept = capByHash(indices, hashesOf(names), 10, strata);
    expect(kept).toEqual([...kept].sort((a, b) => a - b));
    expect(kept.filter((i) => i < 80)).toHaveLength(8);
    expect(kept).toHaveLength(10);
    expect(capByHash(kept, hashesOf(names), 10)).toEqual(kept);
  });
});

describe("splitting a file", () => {
  const rows = Array.from({ length: 300 }, (_, i) => ({
    id: `r${i}`,
    case: `c${i % 50}`,
    label: i % 3 === 0 ? "a" : "b",
  }));
  const lines = rows.map((row) => JSON.stringify(row));

  test("the lines come out byte for byte, in order, as assignSplits says", async () => {
    const folder = await temporaryFolder();
    const path = await write(folder, "all.jsonl", `${lines.join("\n")}\n\n`);
    const out = join(folder, "out");
    const result = await splitFile(path, out, {
      fractions: { train: 0.6, dev: 0.2, test: 0.2 },
      stratify: "label",
      seed: 4,
    });
    const read = async (part: "train" | "dev" | "test") =>
      (await readFile(result.files[part], "utf8")).trim().split("\n");
    const parts = await Promise.all((["train", "dev", "test"] as const).map(read));
    expect(parts.flat().sort()).toEqual([...lines].sort());
    expect(parts.map((part) => part.length)).toEqual([180, 60, 60]);
    for (const part of parts) expect(part).toEqual(lines.filter((line) => part.includes(line)));
    const expected = assignSplits(
      {
        hashes: hashesOf(
          rows.map(({ id }) => `id:${id}`),
          4,
        ),
        strata: codesOf(rows.map(({ label }) => label)).codes,
      },
      { fractions: { train: 0.6, dev: 0.2, test: 0.2 } },
    );
    expect(parts[2]).toEqual(lines.filter((_, i) => expected[i] === 2));
    const grouped = await splitFile(path, out, { counts: { dev: 30, test: 60 }, group: "case" });
    expect(grouped).toMatchObject({ train: 210, dev: 30, test: 60, unused: 0 });
    expect((await readdir(out)).sort()).toEqual(["dev.jsonl", "test.jsonl", "train.jsonl"]);
  });

  test("equal lines stay together by counts, too; rows without a group stand alone", async () => {
    const folder = await temporaryFolder();
    const pairs = Array.from({ length: 60 }, (_, i) => JSON.stringify({ text: `t${i >> 1}` }));
    const path = await write(folder, "pairs.jsonl", pairs.join("\n"));
    const result = await splitFile(path, join(folder, "out"), { counts: { dev: 7, test: 15 } });
    expect(result).toMatchObject({ train: 40, dev: 6, test: 14, unused: 0 });
    const read = async (part: "train" | "dev" | "test") =>
      new Set((await readFile(result.files[part], "utf8")).trim().split("\n"));
    const [train, dev, test_] = [await read("train"), await read("dev"), await read("test")];
    expect(train.size + dev.size + test_.size).toBe(new Set([...train, ...dev, ...test_]).size);

    const loose = Array.from({ length: 100 }, (_, i) => JSON.stringify({ id: i, g: i % 2 ? null : "" }));
    const other = await write(folder, "loose.jsonl", loose.join("\n"));
    const fractions = { train: 0.6, dev: 0.2, test: 0.2 };
    const parted = await splitFile(other, join(folder, "out"), { fractions, group: "g" });
    expect(Math.min(parted.train, parted.dev, parted.test)).toBeGreaterThan(5);
  });

  test("shares that leave train nothing, or are no shares, are refused before anything is written", async () => {
    const folder = await temporaryFolder();
    const path = await write(folder, "all.jsonl", lines.join("\n"));
    for (const [dev, test] of [
      [0.9, 0.9],
      [0.1, 0.9],
      [0, 1],
      [5, 0.2],
      [-0.5, 0.2],
      [Number.NaN, 0.2],
    ] as const) {
      const fractions = { train: 1 - dev - test, dev, test };
      const failure = await refusal(() => splitFile(path, join(folder, "out"), { fractions }));
      expect(failure).toMatchObject({ kind: "usage" });
    }
    expect(await readdir(folder)).toEqual(["all.jsonl"]);
    const fractions = { train: 1 - 0.3 - 0.6, dev: 0.3, test: 0.6 };
    const { train, dev, test } = await splitFile(path, join(folder, "out"), { fractions });
    expect(train + dev + test).toBe(300);
    expect(train).toBeGreaterThan(0);
  });

  test.skipIf(process.platform === "win32")("a full disk is an error, and loses no row", async () => {
    const folder = await temporaryFolder();
    const path = await write(folder, "all.jsonl", lines.join("\n"));
    await write(folder, "out/train.jsonl", "old");
    // As on a full disk, the write that meets the limit succeeds in part.
    const command = 'trap \'\' XFSZ; ulimit -f 8; exec "$0" bin/hone.js data split "$1" --out "$2"';
    const ran = spawnSync("sh", ["-c", command, process.execPath, path, join(folder, "out")], {
      encoding: "utf8",
    });
    expect(ran.stderr).toMatch(/EFBIG|too large/);
    expect(ran.status).toBe(1);
    expect(await readFile(join(folder, "out/train.jsonl"), "utf8")).toBe("old");
    expect(await readdir(join(folder, "out"))).toEqual(["train.jsonl"]);
  });

  test("failures name the lines and leave the old files as they were", async () => {
    const folder = await temporaryFolder();
    await write(folder, "out/train.jsonl", "old");
    const plan = { fractions: { train: 0.5, dev: 0.2, test: 0.3 } };
    const bad = async (contents: string, options = {}) =>
      refusal(async () =>
        splitFile(await write(folder, "bad.jsonl", contents), join(folder, "out"), { ...plan, ...options }),
      );
    expect((await bad('{"id":1}\n{"id":2}\n{"id":1}\n')).where).toMatch(/bad\.jsonl:1 and .*bad\.jsonl:3/);
    expect((await bad('{"id":1}\n{"id":\n')).where).toMatch(/bad\.jsonl:2:7/);
    expect((await bad('{"id":1}\n', { group: "case" })).where).toMatch(/bad\.jsonl:1/);
    expect((await bad("\n")).where).toMatch(/bad\.jsonl/);
    expect(await readFile(join(folder, "out/train.jsonl"), "utf8")).toBe("old");
    expect(await readdir(join(folder, "out"))).toEqual(["train.jsonl"]);
    const own = await write(folder, "own/test.jsonl", `${lines.join("\n")}\n`);
    expect((await refusal(() => splitFile(own, join(folder, "own"), plan))).what).toMatch(/overwrite/);
  });
});
