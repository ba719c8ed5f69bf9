// The API reference: every export has a docstring, docs/api is as the docstrings make it, and every example is a program
// that imports the package by its name, compiles, and runs where it needs no model and no network.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");
const { apiPages, examplesOf, publicApi } = (await import(join(root, "docs/api.js"))) as {
  apiPages: () => Map<string, string>;
  examplesOf: (doc: string) => string[];
  publicApi: () => { name: string; source: string; doc: string; code: string }[];
};
const api = publicApi();

describe("the API reference", () => {
  it("has a docstring and a declaration for every export", async () => {
    expect(api.length).toBeGreaterThan(200);
    const silent = api.filter(({ doc, code }) => doc === "" || code === "");
    expect(silent.map(({ name, source }) => `${source}: ${name}`)).toEqual([]);
    // What the declarations export is what the program exports.
    const program = await import(join(root, "dist/index.js"));
    const values = Object.keys(program);
    expect(values.filter((name) => !api.some((one) => one.name === name))).toEqual([]);
    // Options of every specializer are on its page.
    expect(Object.keys(program.specializers).filter((name) => !values.includes(name))).toEqual([]);
  });

  it("is committed as the docstrings make it", () => {
    const pages = apiPages();
    expect(readdirSync(join(root, "docs/api")).sort()).toEqual([...pages.keys()].sort());
    for (const [name, page] of pages) {
      const same = readFileSync(join(root, "docs/api", name), "utf8") === page;
      expect(same, `docs/api/${name}: run \`npm run docs:api\``).toBe(true);
    }
  });
});

const examples = api.flatMap(({ name, doc }) =>
  examplesOf(doc).map((code, i) => ({ name: `${name}${i === 0 ? "" : i}`, code })),
);
/** Models and packages are fetched: compiled only. */
const fetches = ({ code }: { code: string }) => /"(?:llama|encoder|pip|hf):/.test(code);
/** `expression; // value` says what the expression gives. */
const checked = (code: string) =>
  code.replace(
    /^(?!const |let |import |await )(.+); \/\/ (".*"|true|false|-?[\d.]+)$/gm,
    (_, expression, value) => `deepStrictEqual(${expression}, ${value});`,
  );

describe("examples in docstrings", () => {
  // Within the package, so that its own name is known.
  const folder = join(root, "dist/.examples");
  let work: string;
  beforeAll(() => {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    for (const { name, code } of examples) {
      const program = `import { deepStrictEqual } from "node:assert";\nvoid deepStrictEqual;\n${checked(code)}\nexport {};\n`;
      writeFileSync(join(folder, `${name}.ts`), program);
    }
    const compilerOptions = {
      noEmit: false,
      outDir: "out",
      rootDir: ".",
      // The package as it is published, not its sources.
      paths: {},
      allowJs: false,
      declaration: false,
    };
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: "../../tsconfig.json", compilerOptions, include: ["*.ts"] }),
    );
    work = mkdtempSync(join(tmpdir(), "hone-examples-"));
    const cases = Array.from({ length: 40 }, (_, i) => ({
      facts: `Case ${i}: ${"tax crime court appeal vessel warrant".split(" ")[i % 6]} ${i * 7919}`,
      area: i % 2 ? "Tax" : "Crime",
    }));
    writeFileSync(join(work, "cases.jsonl"), cases.map((row) => `${JSON.stringify(row)}\n`).join(""));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
    rmSync(work, { recursive: true, force: true });
  });

  it("import the package by its name", () => {
    expect(examples.length).toBeGreaterThan(20);
    for (const { name, code } of examples) expect(code, name).toContain('from "@honelab/hone"');
  });

  it("compile and run", () => {
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    const { status, stdout } = spawnSync(process.execPath, [compiler, "-p", folder], { encoding: "utf8" });
    expect(stdout).toBe("");
    expect(status).toBe(0);
    const running = examples.filter((example) => !fetches(example));
    expect(running.length).toBeGreaterThan(examples.length - 5);
    const paths = running.map(({ name }) => join(folder, "out", `${name}.js`));
    const program = `for (const path of ${JSON.stringify(paths)}) await import(path).catch((error) => console.error(path, error));`;
    const run = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
      cwd: work,
      encoding: "utf8",
    });
    expect(run.stderr).toBe("");
    expect(run.status).toBe(0);
  }, 120_000);

  it("are held to the value that they say", () => {
    expect(checked('1 + 1; // 2\nx.label; // "a(b=1)"')).toBe(
      'deepStrictEqual(1 + 1, 2);\ndeepStrictEqual(x.label, "a(b=1)");',
    );
  });
});
