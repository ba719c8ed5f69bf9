// The house: imports run one way, files say what they are, and examples begin with the command that runs them.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");
const src = join(root, "src");

/** From the top down; a folder may import its own tier's folders only where they are named together here. */
const tiers = [
  ["cli"],
  ["serve"],
  ["papers", "advise", "deploy"],
  ["study"],
  ["report"],
  ["specializers", "tasks"],
  ["models", "motor", "games", "store"],
  ["nets"],
  ["data", "learn", "statistics"],
  ["tensor"],
  ["core"],
];

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? files(path) : path.endsWith(".ts") ? [path] : [];
  });
}

/** Names that a source exports, also by way of others. */
function exportsOf(path: string): Set<string> {
  const text = readFileSync(path, "utf8");
  const own = text.matchAll(/^export (?:async )?(?:function\*?|const|let|class) (\w+)/gm);
  const lists = [...text.matchAll(/^export \{([^}]+)\}/gm)].flatMap(([, names = ""]) => names.split(","));
  const others = text.matchAll(/^export \* from "(\.[^"]+)"/gm);
  return new Set([
    ...[...own].map(([, name]) => name as string),
    ...lists.map((one) => one.trim().replace(/^.* as /, "")),
    ...[...others].flatMap(([, to]) => [
      ...exportsOf(resolve(dirname(path), (to as string).replace(/\.js$/, ".ts"))),
    ]),
  ]);
}

const sources = files(src);
const folderOf = (path: string) => relative(src, path).split("/")[0] as string;
const tierOf = (folder: string) => tiers.findIndex((tier) => tier.includes(folder));

describe("the house", () => {
  it("has a tier for every folder", () => {
    const folders = readdirSync(src, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    for (const { name } of folders) expect(tierOf(name), `src/${name}`).toBeGreaterThanOrEqual(0);
  });

  it("imports one way only", () => {
    const upward: string[] = [];
    let seen = 0;
    for (const path of sources) {
      const from = folderOf(path);
      if (from.endsWith(".ts")) continue;
      const text = readFileSync(path, "utf8");
      for (const [, target] of text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)) {
        seen++;
        const to = folderOf(resolve(dirname(path), target as string));
        if (to === from || to === "version.js") continue;
        if (tierOf(to) <= tierOf(from)) upward.push(`${relative(root, path)} -> ${target}`);
      }
    }
    expect(seen).toBeGreaterThan(100);
    expect(upward).toEqual([]);
  });

  it("has no cycles between files", () => {
    const targets = new Map(
      sources.map((path) => {
        const text = readFileSync(path, "utf8");
        const found = [...text.matchAll(/^(?:import|export)\s(type\s)?[^;]*?from\s"(\.[^"]+)"/gms)];
        // Types alone are free of order; where files are many they must not go round either.
        const all = ["core", "data", "papers", "study", "tasks"].includes(folderOf(path));
        const kept = found.filter(([, type]) => all || type === undefined);
        return [path, kept.map(([, , to]) => resolve(dirname(path), (to as string).replace(/\.js$/, ".ts")))];
      }),
    );
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (path: string, above: readonly string[]): void => {
      if (above.includes(path)) {
        cycles.push(
          [...above.slice(above.indexOf(path)), path].map((one) => relative(src, one)).join(" -> "),
        );
        return;
      }
      if (done.has(path)) return;
      for (const to of targets.get(path) ?? []) visit(to, [...above, path]);
      done.add(path);
    };
    for (const path of sources) visit(path, []);
    expect(cycles).toEqual([]);
  });

  it("keeps what the benches import", () => {
    const benches = readdirSync(join(root, "bench"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".js"))
      .map((entry) => join(entry.parentPath, entry.name));
    const missing: string[] = [];
    let seen = 0;
    for (const path of benches) {
      const text = readFileSync(path, "utf8");
      const imports = text.matchAll(/\{([^{}]+)\} (?:from|= await import\() ?"(\.\.\/[^"]*dist\/[^"]+)"/g);
      for (const [, names = "", target = ""] of imports) {
        const source = resolve(dirname(path), target).replace(`${root}/dist/`, `${root}/src/`);
        const exported = exportsOf(source.replace(/\.js$/, ".ts"));
        for (const name of names.split(",").map((one) => one.trim().replace(/ as .*|:.*/, "")))
          if (name !== "" && !exported.has(name))
            missing.push(`${relative(root, path)}: ${name} of ${target}`);
        seen++;
      }
    }
    expect(seen).toBeGreaterThan(50);
    expect(missing).toEqual([]);
  });

  it("says in the first lines of every file what it is", () => {
    const silent = sources.filter((path) => !/^(#!.*\n)?\/\/ \S.{20,}/.test(readFileSync(path, "utf8")));
    expect(silent.map((path) => relative(root, path))).toEqual([]);
  });

  it("casts nothing by way of unknown", () => {
    const casting = sources.filter((path) =>
      /\bas\s+(?:unknown|never|any)\s+as\b/.test(readFileSync(path, "utf8")),
    );
    // A file that cannot do without is named here, and has the reason beside the cast.
    expect(casting.map((path) => relative(root, path))).toEqual([]);
  });

  it("prints the tree of src in ARCHITECTURE.md", () => {
    const page = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");
    for (const { name } of readdirSync(src, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
      expect(page, `ARCHITECTURE.md names ${name}/`).toMatch(new RegExp(`^\\s+${name}/\\s+\\S`, "m"));
    }
  });

  it("explains every dependency in one line", () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    const page = readFileSync(join(root, "docs/dependencies.md"), "utf8");
    for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
      expect(page, `docs/dependencies.md names ${name}`).toContain(`\`${name}\``);
    }
  });

  it("names no machine's path and no data outside the repository", () => {
    const shipped = [
      ...sources,
      ...files(join(root, "test")),
      ...readdirSync(join(root, "examples"), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name)),
    ];
    for (const path of shipped) {
      expect(readFileSync(path, "utf8"), relative(root, path)).not.toMatch(
        /\/(?:work|root|home)\/\w|\.\.\/shared/,
      );
    }
  });
});
