// A specialist with files of its own: fitted, kept, handed over as a folder, moved, damaged.

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { HoneError } from "../../src/core/errors.js";
import type { LanguageSpecializer, Specializer } from "../../src/core/specializer.js";
import { findSpecialist } from "../../src/deploy/find.js";
import { formatScore } from "../../src/report/format.js";
import { specializers } from "../../src/specializers/index.js";
import { defineSpecializer } from "../../src/specializers/parts/define.js";
import { runStudy } from "../../src/study/run.js";
import { loadSpecialist } from "../../src/study/specialist.js";
import { toneSpec, tones, writeTones } from "./fixture.js";

const root = mkdtempSync(join(tmpdir(), "hone-handover-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const signal = new AbortController().signal;
let fits = 0;
let interrupt = false;
let resumed = 0;

/** Answers with the first word of its file that the input contains; the file is its artifact. */
function wordFile(): Specializer {
  return defineSpecializer<{ artifact: string }>({
    name: "wordFile",
    async fit(_subject, given) {
      fits++;
      const work = await given.artifacts.scratch("words");
      if (existsSync(join(work, "checkpoint"))) resumed++;
      writeFileSync(join(work, "checkpoint"), "half way");
      if (interrupt) throw new Error("killed");
      mkdirSync(join(work, "final", "more"), { recursive: true });
      writeFileSync(join(work, "final", "words.json"), JSON.stringify(Object.entries(tones)));
      writeFileSync(join(work, "final", "more", "note.txt"), "more");
      return { artifact: await given.artifacts.keep(join(work, "final")) };
    },
    behave(state, _subject, tools) {
      const file = join(tools.artifacts.path(state.artifact), "words.json");
      const words = JSON.parse(readFileSync(file, "utf8")) as [string, string][];
      return {
        respond: async ({ input }) => ({
          choice: words.find(([, word]) => input.includes(word))?.[0] ?? "p",
        }),
      };
    },
  });
}
const needy = (): Specializer => ({ ...wordFile(), name: "needy", label: "needy", needs: ["gradients"] });
const entry = (make: () => Specializer) => ({
  make,
  options: z.strictObject({}),
  summary: "for this test",
  paper: "none",
  leaf: null,
});
/** The same with a file in which no word is right. */
const dull = (): LanguageSpecializer => ({
  ...wordFile(),
  name: "dull",
  label: "dull(k=1)",
  apply: (subject, state, tools) => {
    const made = (wordFile() as LanguageSpecializer).apply(subject, state, tools);
    return { ...made, id: `${made.id}-dull`, respond: async () => ({ choice: "p" }) };
  },
});
const table = { ...specializers, wordFile: entry(wordFile), needy: entry(needy), dull: entry(dull) };
const model = "mock:?skill=0.4&seed=1";

function run(store: string, specialists: unknown[] = ["wordFile"], name = "tones") {
  writeTones(join(root, "tones.jsonl"), 400);
  const spec = toneSpec({ name, model, specialists, extra: { handOver: 10 } });
  return runStudy(spec, { store: join(root, store), base: root, use: { specializers: table } });
}
const load = (path: string) => loadSpecialist(path, { signal, use: { specializers: table } });
const query = { input: "A rude letter", demonstrations: [] };

describe("a specialist with files", () => {
  it("is handed over as a folder that works wherever it is moved", async () => {
    const before = fits;
    const { handOver, verdict } = await run("a");
    expect(verdict?.champion).toBe("wordFile");
    expect(handOver).toMatchObject({ n: 10, agree: 10 });
    const folder = join(root, "a", "specialists", "tones");
    expect((await readdir(folder)).sort()).toEqual(["README.md", "artifacts", "specialist.json"]);
    // Continuing makes nothing again.
    expect((await run("a")).handOver).toEqual(handOver);
    expect(fits).toBe(before + 1);
    const moved = join(root, "moved");
    cpSync(folder, moved, { recursive: true });
    renameSync(join(root, "a"), join(root, "gone"));
    for (const path of [moved, join(moved, "specialist.json")]) {
      const { subject, close } = await load(path);
      expect(subject.id).toBe(handOver?.subject);
      if (subject.kind !== "language") throw new Error(subject.kind);
      expect(await subject.respond(query, { signal })).toEqual({ choice: "r" });
      await close();
    }
    renameSync(join(root, "gone"), join(root, "a"));
  });

  it("is kept under its name where another was chosen, and loads from there", async () => {
    const { handOver, verdict } = await run("kept", ["dull", "wordFile"]);
    expect(verdict?.champion).toBe("wordFile");
    const folder = join(root, "kept", "specialists", "tones+others", "dull-k-1");
    expect(handOver?.others?.map(({ subject }) => subject)).toEqual(["zeroShot", "dull(k=1)"]);
    expect(resolve(handOver?.others?.[1]?.path as string)).toBe(folder);
    expect(readFileSync(join(folder, "README.md"), "utf8")).toMatch(/^# dull\(k=1\)$/m);
    const { subject, saved, close } = await load(folder);
    if (subject.kind !== "language") throw new Error(subject.kind);
    expect([saved.name, await subject.respond(query, { signal })]).toEqual(["dull(k=1)", { choice: "p" }]);
    await close();
    // What the study no longer holds goes.
    await run("kept", ["wordFile"]);
    expect(await readdir(join(root, "kept", "specialists", "tones+others"))).toEqual(["zeroShot.json"]);
  });

  it("has a file of its own where another name differs only in its signs", async () => {
    const of = { fewShot: { k: 2 } };
    const alike = [{ bestOf: { of: [of, "calibrate"] } }, { bestOf: { of: [[of, "calibrate"]] } }];
    const spec = toneSpec({ model: "mock:?skill=0.9&seed=4", dev: 10, test: 20, specialists: alike });
    const store = join(root, "alike");
    writeTones(join(root, "tones.jsonl"), 400);
    await runStudy(spec, { base: root, store });
    for (const subject of ["bestOf(fewShot(k=2) | calibrate)", "bestOf(fewShot(k=2) + calibrate)"]) {
      const { saved, close } = await load(findSpecialist("tones", { store, subject }).path);
      expect(saved.name).toBe(subject);
      await close();
    }
  });

  it("runs no module that its file names unless that is allowed", async () => {
    const file = join(root, "a", "specialists", "tones", "specialist.json");
    const module = join(root, "hostile.mjs");
    writeFileSync(module, "globalThis.hostile = true;\nexport default {};\n");
    const hostile = join(root, "hostile");
    cpSync(dirname(file), hostile, { recursive: true });
    writeFileSync(
      join(hostile, "specialist.json"),
      JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), use: [module] }),
    );
    await expect(load(hostile)).rejects.toThrow(/hostile\.mjs[\s\S]*allowModules/);
    expect(globalThis).not.toHaveProperty("hostile");
    const options = { signal, use: { specializers: table }, allowModules: true };
    await (await loadSpecialist(hostile, options)).close();
    expect(globalThis).toHaveProperty("hostile", true);
  });

  it("is refused with one error when a file of it is missing, cut short or changed, or leads elsewhere", async () => {
    const folder = join(root, "a", "specialists", "tones");
    const id = (await readdir(join(folder, "artifacts")))[0] as string;
    const words = ["artifacts", id, "words.json"];
    const text = readFileSync(join(folder, ...words), "utf8");
    const saved = readFileSync(join(folder, "specialist.json"), "utf8");
    const spoilt: [why: RegExp, spoil: (copy: string) => void][] = [
      [/words\.json[\s\S]*missing/, (copy) => rmSync(join(copy, ...words))],
      [/bytes in place of/, (copy) => writeFileSync(join(copy, ...words), text.slice(1))],
      [/contents have changed/, (copy) => writeFileSync(join(copy, ...words), text.replace("rude", "ruse"))],
      [/manifest\.json[\s\S]*missing/, (copy) => rmSync(join(copy, "artifacts"), { recursive: true })],
      [/Cannot load the specialist/, (copy) => rmSync(join(copy, "specialist.json"))],
      [
        /Cannot load the specialist/,
        (copy) => writeFileSync(join(copy, "specialist.json"), saved.slice(0, -9)),
      ],
      [
        /not an artifact's id/,
        (copy) => writeFileSync(join(copy, "specialist.json"), saved.replaceAll(id, `../artifacts/${id}`)),
      ],
    ];
    for (const [i, [why, spoil]] of spoilt.entries()) {
      const copy = join(root, `spoilt-${i}`);
      cpSync(folder, copy, { recursive: true });
      spoil(copy);
      await expect(load(copy)).rejects.toThrow(why);
      await expect(load(copy)).rejects.toThrow(HoneError);
    }
  });

  it("is made again where the store lost its files", async () => {
    const before = fits;
    const first = await run("b");
    rmSync(join(root, "b", "artifacts"), { recursive: true });
    const second = await run("b");
    expect(fits).toBe(before + 2);
    expect(second.results).toMatchObject(first.results.map(({ subject, mean }) => ({ subject, mean })));
    expect((await run("b")).handOver).toEqual(first.handOver);
    expect(fits).toBe(before + 2);
  });

  it("finds its unfinished work again after an interruption, and leaves none when it is done", async () => {
    interrupt = true;
    await expect(run("c")).rejects.toThrow("killed");
    interrupt = false;
    const before = resumed;
    await run("c");
    expect(resumed).toBe(before + 1);
    expect(await readdir(join(root, "c", "artifacts", "scratch"))).toEqual([]);
  });

  it("gives way to a file, and a file to it, when the study changes", async () => {
    await run("d");
    const path = join(root, "d", "specialists");
    expect(await readdir(path)).toEqual(["tones", "tones+others"]);
    await run("d", ["linear"]);
    expect(await readdir(path)).toEqual(["tones+others", "tones.json"]);
    await run("d");
    expect(await readdir(path)).toEqual(["tones", "tones+others"]);
  });

  it("needs what the model grants", async () => {
    await expect(run("e", ["needy"])).rejects.toThrow(/Cannot use needy[\s\S]*it needs gradients/);
  });

  it("says in its card how it was made and how well it did", async () => {
    const record = await run("a");
    const card = readFileSync(join(root, "a", "specialists", "tones", "README.md"), "utf8");
    const result = record.results.find(({ subject }) => subject === "wordFile")!;
    expect(card).toContain(`| test | ${result.n} | ${formatScore(result.mean, result.n)}`);
    expect(card).toContain(`| dev (the specialist may have been chosen on it) | ${result.dev?.n} |`);
    expect(card).toContain("train");
  });
});
