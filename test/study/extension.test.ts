// Modules that a study names under `use`: a task, a specializer and a model from outside, run through the command line;
// what cannot be loaded is one error; an edited module is measured anew.

import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import type { LanguageModel } from "../../src/core/model.js";
import { tablesWith } from "../../src/study/extension.js";

const root = resolve(import.meta.dirname, "../..");
const shipped = join(root, "examples/extend");
const run = promisify(execFile);
let folder: string;
let rows = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hone-extension-"));
  cpSync(shipped, folder, { recursive: true });
  const heat = ["cold", "warm", "hot"];
  for (let i = 0; i < 240; i++) {
    const rank = (i * 7) % 3;
    rows += `${JSON.stringify({ id: `r${i}`, text: `Sample ${i} of ${["ice and snow", "mild spring", "fire and lava"][rank]}, ${heat[(rank + (i % 5 === 0 ? 1 : 0)) % 3]}.`, heat: heat[rank] })}\n`;
  }
  writeFileSync(join(folder, "rows.jsonl"), rows);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const study = (use: string, more = "") => `study: heat
use: ${use}
model: overlap:x
task:
  name: heat
  kind: ordinal
  data:
    source: rows.jsonl
    id: id
    input: text
    label: heat
    options: { cold: cold, warm: warm, hot: hot }
    split: { counts: { train: 60, dev: 60, test: 120 } }
specialists: [{ keywords: { count: 3 } }, linear, majority]
${more}`;

const hone = async (file: string, ...flags: string[]) => {
  const argv = [join(root, "bin/hone.js"), "run", file, "--json", "--store", join(folder, ".hone"), ...flags];
  const { stdout } = await run(process.execPath, argv, { cwd: folder, maxBuffer: 1 << 28 });
  return JSON.parse(stdout.trim().split("\n").at(-1) as string);
};

/** Programs that make a model of a class: what it can do would be lost with the class. */
const classy = `class Closes { async close() {} }
class Model extends Closes {
  id = "classy"; name = "classy"; grants = new Set(["logprobs"]); format = "plain"; concurrency = 1;
  async score() {}
}
export default { models: { overlap: async () => new Model() } };
`;

describe("modules of a study", () => {
  it("bring a task whose errors are the less the better, a specializer and a model", async () => {
    writeFileSync(
      join(folder, "heat.yaml"),
      study("[./keywords.ts, ./ordinal.ts, ./overlap.ts]", "gate: { atMost: 1.2 }\n"),
    );
    const record = await hone("heat.yaml");
    const [card] = record.tasks;
    expect(card.metric).toMatchObject({ name: "distance", better: "lower", unit: "ranks", most: 2 });
    const means = new Map(
      record.results.map(({ subject, mean }: { subject: string; mean: number }) => [subject, mean]),
    );
    expect([...means.keys()]).toEqual(["zeroShot", "keywords(3)", "linear(tfidf)", "majority"]);
    const least = [...means].sort((a, b) => (a[1] as number) - (b[1] as number))[0]?.[0];
    expect(record.verdict.champion).toBe(least);
    expect(record.gate).toMatchObject({ met: true });
    expect(record.handOver).toMatchObject({ n: 20, agree: 20 });
  }, 180_000);

  it("are measured anew once they are edited", async () => {
    const before = await hone("heat.yaml");
    const file = join(folder, "ordinal.ts");
    writeFileSync(file, readFileSync(file, "utf8").replace("Math.abs(", "2 * Math.abs("));
    const after = await hone("heat.yaml").catch((error) =>
      JSON.parse(error.stdout.trim().split("\n").at(-1)),
    );
    expect(after.results[0].mean).toBeCloseTo(2 * before.results[0].mean, 9);
  }, 180_000);

  it.each([
    ["[./missing.ts]", /use: \.\/missing\.ts.*no such file/],
    ["./empty.mjs", /expected record|default|Invalid/i],
    ["./broken.ts", /broken on purpose/],
    ["[./ordinal.ts, ./again.ts]", /ordinal, which already exists/],
    [
      "[./keywords.ts, ./ordinal.ts, ./classy.mjs]",
      /The model overlap:x is not a plain object where: model: overlap:x why: score, close are of its class.*next: Give a plain object/,
    ],
    ["/etc/hostname", /does not lie beside the study.*--allow-modules/],
  ])("are refused with one error: %s", async (use, message) => {
    writeFileSync(join(folder, "empty.mjs"), "export default 3;\n");
    writeFileSync(join(folder, "broken.ts"), 'throw new Error("broken on purpose");\n');
    writeFileSync(join(folder, "classy.mjs"), classy);
    writeFileSync(join(folder, "again.ts"), readFileSync(join(shipped, "ordinal.ts"), "utf8"));
    const path = join(folder, "bad.yaml");
    writeFileSync(path, study(use));
    // The command line as it is shipped: under Vitest, a module that imports Hone would have all of src/ compiled for it.
    const { stderr } = await hone("bad.yaml", "--dry-run").then(
      () => ({ stderr: "not refused" }),
      (error: { stderr: string }) => error,
    );
    expect(stderr.replace(/\s+/g, " ")).toMatch(message);
  });

  it("given as values refuse a class's model, too, and weights of one, by name", async () => {
    class Weights {
      tokenize() {}
    }
    const open = (model: object) =>
      tablesWith({ models: { mine: async () => model as LanguageModel } }).models.mine?.("x", {});
    const plain = { id: "a", name: "a", close: async () => {} };
    await expect(open(plain)).resolves.toBe(plain);
    await expect(open(Object.assign(Object.create({ score() {} }), plain))).rejects.toThrow(
      /The model mine:x is not a plain object[\s\S]*score is of its class[\s\S]*plain object/,
    );
    await expect(open({ ...plain, weights: new Weights() })).rejects.toThrow(
      /weights of mine:x[\s\S]*tokenize/,
    );
  });

  it("may lie elsewhere where that is allowed", async () => {
    const path = join(folder, "sub.yaml");
    const elsewhere = mkdtempSync(join(tmpdir(), "hone-elsewhere-"));
    cpSync(shipped, elsewhere, { recursive: true });
    writeFileSync(
      path,
      study(`[${["keywords", "ordinal", "overlap"].map((name) => join(elsewhere, `${name}.ts`)).join()}]`),
    );
    await expect(hone("sub.yaml", "--dry-run")).rejects.toThrow(/--allow-modules/);
    expect(await hone("sub.yaml", "--dry-run", "--allow-modules")).toMatchObject({ study: "heat" });
    rmSync(elsewhere, { recursive: true });
  });

  it("are shipped with a study that runs, here on few samples", async () => {
    const own = mkdtempSync(join(folder, "shipped-"));
    cpSync(shipped, own, { recursive: true });
    const path = join(own, "restrictiveness.study.yaml");
    const study = parse(readFileSync(path, "utf8"));
    // Its rows are divided as the demo's: none of dev and test was used before that split (test/data/licences.test.ts).
    const demo = parse(readFileSync(join(root, "examples/licences.study.yaml"), "utf8")).task.data;
    const { limit, options, ...data } = study.task.data;
    const { limit: published, options: labels, ...same } = demo;
    expect(data).toEqual(same);
    expect(Object.keys(options).sort()).toEqual(Object.keys(labels).sort());
    expect(limit.train).toBeLessThanOrEqual(published.train);
    study.task.data.limit = { train: 16, dev: 4, test: 6 };
    writeFileSync(path, stringify(study));
    const record = await hone(path);
    expect(record.results.map(({ subject, n }: { subject: string; n: number }) => [subject, n])).toEqual(
      ["zeroShot", "keywords(4)", "linear(tfidf)", "majority"].map((subject) => [subject, 6]),
    );
    expect(record.tasks[0].metric).toMatchObject({ better: "lower", most: 5 });
    const first = readFileSync(join(shipped, "restrictiveness.study.yaml"), "utf8").split("\n")[0];
    expect(first).toBe("# npx hone run examples/extend/restrictiveness.study.yaml");
  }, 180_000);

  it("are shipped in fewer than fifty lines each, and begin with the command that runs them", () => {
    for (const name of readdirSync(shipped).filter((name) => name.endsWith(".ts"))) {
      const lines = readFileSync(join(shipped, name), "utf8").split("\n");
      expect(lines[0]).toBe("// npx hone run examples/extend/restrictiveness.study.yaml");
      expect(lines.filter((line) => line.trim() && !line.startsWith("//")).length, name).toBeLessThan(50);
    }
  });
});
