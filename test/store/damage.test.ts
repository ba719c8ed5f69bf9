// Real journals, damaged: nothing kills the process, nothing is read as something else, and what is left can be saved.

import { execFile } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomFor } from "../../src/core/random.js";
import { DamagedJournal } from "../../src/store/damage.js";
import { examine, repair } from "../../src/store/examine.js";
import { openJournal } from "../../src/store/journal.js";
import { runStudy } from "../../src/study/run.js";
import { toneSpec, writeTones } from "../study/fixture.js";

const execute = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");
const bin = join(root, "bin/hone.js");

let folder: string;
/** A journal of two studies, cleanly closed. */
let journal: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "hone-damage-"));
  writeTones(join(folder, "tones.jsonl"), 300);
  for (const name of ["one", "two"]) {
    const spec = toneSpec({ name, model: "mock:?skill=0.9", dev: 10, test: 30, extra: { handOver: 0 } });
    await runStudy(spec, { store: join(folder, "store"), base: folder });
  }
  journal = join(folder, "store", "journal.db");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let count = 0;
/** A store of its own with the journal changed. */
function storeWith(change: (bytes: Buffer) => Buffer): string {
  const store = join(folder, `damaged-${++count}`);
  mkdirSync(store);
  writeFileSync(join(store, "journal.db"), change(Buffer.from(readFileSync(journal))));
  return store;
}

/** Changes one character of the first live record where a text stands; pages also hold remnants of records that moved. */
const changed = (text: string, at: number, to: number) => (bytes: Buffer) => {
  const trial = join(folder, "trial.db");
  for (let place = bytes.indexOf(text); place > 0; place = bytes.indexOf(text, place + 1)) {
    const copy = Buffer.from(bytes);
    copy[place + at] = to;
    writeFileSync(trial, copy);
    if (place < 4096 || examine(trial).damaged > 0) return copy;
  }
  throw new Error(`there is no ${text}`);
};

async function hone(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  try {
    return { code: 0, ...(await execute(process.execPath, [bin, ...args])) };
  } catch (error) {
    const { code, signal, stdout, stderr } = error as {
      code: number | null;
      signal: string | null;
      stdout: string;
      stderr: string;
    };
    expect(signal, stderr).toBeNull();
    return { code: code ?? -1, stdout, stderr };
  }
}

describe("flipped bits", () => {
  it("at 400 places: no death, no bug; what reading does not notice changes nothing, or the examination notices it", async () => {
    const flips = 400;
    const halves = [0, 1].map(async (half) => {
      const place = join(folder, `flips-${half}`);
      mkdirSync(place);
      const [from, to] = [(half * flips) / 2, ((half + 1) * flips) / 2];
      const script = join(root, "test/store/read-damaged.js");
      await execute(process.execPath, [
        script,
        join(root, "dist"),
        journal,
        place,
        "11",
        String(from),
        String(to),
      ]);
      return readFileSync(join(place, "results"), "utf8").trim().split("\n");
    });
    const results = (await Promise.all(halves)).flat().map((line) => JSON.parse(line) as Flip);
    expect(results.length).toBe(flips);
    expect(results.filter(({ result }) => result.startsWith("bug"))).toEqual([]);
    // An index that leads astray is SQLite's to notice.
    const { askSqlite } = await import("../../src/store/examine.js");
    for (const { at, bit, damaged } of results.filter(({ result }) => result === "silent")) {
      if (damaged > 0) continue;
      const store = storeWith((bytes) => {
        bytes[at] = (bytes[at] as number) ^ bit;
        return bytes;
      });
      expect((await askSqlite(join(store, "journal.db"))).ok, `byte ${at}, bit ${bit}`).toBe(false);
    }
    const noticed = results.filter(({ result }) => result === "told" || result === "refused");
    expect(noticed.length).toBeGreaterThan(flips / 10);
  }, 300_000);

  interface Flip {
    at: number;
    bit: number;
    result: string;
    damaged: number;
  }
});

describe("a journal that was cut off", () => {
  it("is refused, wherever it was cut, and its beginning is saved", () => {
    const whole = readFileSync(journal);
    const random = randomFor(5, "cuts");
    const cuts = [
      0,
      1,
      99,
      100,
      4095,
      4096,
      8192,
      ...Array.from({ length: 30 }, () => Math.floor(random() * whole.length)),
    ];
    let most = 0;
    for (const cut of cuts) {
      const store = storeWith((bytes) => bytes.subarray(0, cut));
      const path = join(store, "journal.db");
      expect(() => openJournal(path, { existing: true }), `cut at ${cut}`).toThrow(/damaged|Cannot open/);
      const { saved, damaged } = repair(path);
      expect(damaged).toBeGreaterThan(0);
      most = Math.max(most, saved);
      expect(examine(path).damaged).toBe(0);
      openJournal(path, { existing: true }).close();
      rmSync(store, { recursive: true });
    }
    const { readable } = examine(journal);
    const all = Object.values(readable).reduce((sum, n) => sum + n, 0);
    expect(most).toBeGreaterThan(all / 2);
    expect(most).toBeLessThanOrEqual(all);
  });

  it("is not taken for a new one where only its log is left", () => {
    const store = storeWith(() => Buffer.alloc(0));
    const path = join(store, "journal.db");
    writeFileSync(`${path}-wal`, "something");
    expect(() => openJournal(path)).toThrow(DamagedJournal);
    expect(readFileSync(`${path}-wal`, "utf8")).toBe("something");
  });
});

describe("the command line", () => {
  it("lists the other studies where one result is damaged, and saves the rest", async () => {
    const store = storeWith(changed('"study":"one","description"', 9, 0x58));
    const listed = await hone("ls", "--store", store);
    expect(listed.code).toBe(1);
    expect(listed.stdout).toMatch(/^two +done/m);
    expect(listed.stdout).toMatch(/^one +damaged/m);
    expect(listed.stderr).toMatch(
      /record of the journal is damaged[\s\S]*the result of one[\s\S]*hone doctor --store/,
    );
    expect((await hone("show", "two", "--store", store)).code).toBe(0);
    const shown = await hone("show", "one", "--store", store);
    expect([shown.code, shown.stderr]).toEqual([1, expect.stringContaining("hone doctor")]);

    const examined = await hone("doctor", "--store", store, "--json");
    expect(examined.code).toBe(1);
    expect(JSON.parse(examined.stdout)).toMatchObject({
      healthy: false,
      journal: { damaged: 1, readable: { studies: 2 } },
    });
    const repaired = await hone("doctor", "--store", store, "--repair");
    expect(repaired.code).toBe(0);
    expect(repaired.stdout).toMatch(/The damaged one is kept as/);
    expect(readdirSync(store).filter((name) => /^journal\.damaged-\d+\.db$/.test(name))).toHaveLength(1);
    expect((await hone("ls", "--store", store)).stdout).toMatch(/^one +unfinished/m);
    expect((await hone("doctor", "--store", store)).stdout).toMatch(/^ok /);
  });

  it("lists what it can of a file that SQLite does not open", async () => {
    const store = storeWith(changed("CREATE TABLE studies", 8, 0xff));
    const listed = await hone("ls", "--store", store);
    expect(listed.code).toBe(1);
    expect(listed.stdout).toMatch(/^two +done[\s\S]*^one +done/m);
    expect(listed.stderr).toMatch(/The journal is damaged/);
    expect((await hone("doctor", "--store", store, "--repair")).code).toBe(0);
    expect((await hone("show", "one", "--store", store)).code).toBe(0);
  });

  it("shows the other samples where one outcome is not even text, and measures it again after the repair", async () => {
    const store = storeWith(changed('","split":"test"', 4, 0xff));
    const lost = examine(join(store, "journal.db"));
    expect(lost.damage).toEqual([expect.stringMatching(/outcome is not UTF-8/)]);
    const outcomes = Number(lost.readable.outcomes);
    const ids = readFileSync(join(folder, "tones.jsonl"), "utf8").trim().split("\n");
    for (const line of ids.slice(0, 6)) {
      const { id } = JSON.parse(line) as { id: string };
      const { code, stderr } = await hone("show", "one", "--sample", id, "--store", store);
      expect(stderr).toMatch(/damaged record is skipped/);
      expect(stderr).not.toMatch(/bug/);
      expect([0, 2]).toContain(code);
    }

    repair(join(store, "journal.db"));
    cpSync(join(folder, "tones.jsonl"), join(store, "tones.jsonl"));
    const spec = toneSpec({
      name: "one",
      model: "mock:?skill=0.9",
      dev: 10,
      test: 30,
      extra: { handOver: 0 },
    });
    const record = await runStudy(spec, { store, base: folder });
    expect(record.results.every(({ n }) => n === 30)).toBe(true);
    const after = examine(join(store, "journal.db"));
    expect([after.damaged, after.readable.outcomes]).toEqual([0, outcomes + 1]);
  }, 120_000);

  it("asks again for a call whose answer is damaged, and keeps the new one", async () => {
    const store = storeWith(changed('{"options":[{"logprob"', 3, 0x58));
    const path = join(store, "journal.db");
    expect(examine(path).damage).toEqual([expect.stringMatching(/^call [0-9a-f]{32}/)]);
    // Another specialist needs its zero-shot answers again.
    const opened = openJournal(path);
    opened.db.exec("delete from outcomes");
    opened.close();
    const spec = toneSpec({
      name: "one",
      model: "mock:?skill=0.9",
      dev: 10,
      test: 30,
      extra: { handOver: 0 },
    });
    await runStudy(spec, { store, base: folder });
    expect(examine(path).damaged).toBe(0);
  });

  it("says what to type where there is no journal, and does not repair one in use", async () => {
    expect((await hone("doctor", "--store", join(folder, "nowhere"))).code).toBe(2);
    expect((await hone("doctor", "--repair")).code).toBe(2);
    const store = storeWith((bytes) => bytes);
    const opened = openJournal(join(store, "journal.db"));
    expect(opened.locks.take("study")).toBe(true);
    expect(() => repair(join(store, "journal.db"))).toThrow(/is using it/);
    expect(readdirSync(store).filter((name) => name.startsWith("journal.repaired"))).toEqual([]);
    opened.close();
    expect(existsSync(join(store, "journal.db"))).toBe(true);
  });
});
