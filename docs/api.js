// The API reference, made from the docstrings of what `@honelab/hone` exports: `npm run docs:api` reads the compiler's
// declarations in dist/ and writes docs/api/; test/api.test.ts holds it up to date and runs its examples. TypeDoc needs
// TypeScript's old programming interface, which TypeScript 7 does not have.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { z } from "zod";
import { specializers } from "../dist/specializers/index.js";

const root = resolve(import.meta.dirname, "..");
const dist = join(root, "dist");
/** Longer declarations are cut: they are tables of schemas. */
const maxLines = 90;

const parsed = new Map();

/** The top-level statements of a declaration file: each with the comment before it. */
function statementsOf(file) {
  if (parsed.has(file)) return parsed.get(file);
  const statements = [];
  let comment = [];
  let current;
  let commenting = false;
  for (const line of readFileSync(file, "utf8").split("\n")) {
    if (current) {
      current.lines.push(line);
      // The compiler indents everything within a statement.
      if (/^[}\])].*;?$|;$/.test(line) && !line.startsWith(" ")) current = undefined;
    } else if (commenting || line.startsWith("/**")) {
      if (!commenting) comment = [];
      comment.push(line);
      commenting = !line.includes("*/");
    } else if (line !== "") {
      current = { comment, lines: [line] };
      statements.push(current);
      comment = [];
      if (/[;}]$/.test(line) && !/[{[(]$/.test(line)) current = undefined;
    }
  }
  const found = statements.map(({ comment, lines }) => ({ doc: plain(comment), code: lines.join("\n") }));
  parsed.set(file, found);
  return found;
}

/** A comment without its stars. */
const plain = (lines) =>
  lines
    .join("\n")
    .replace(/^\/\*\*|\*\/$/g, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, "").trimEnd())
    .join("\n")
    .trim();

const declared =
  /^(?:export )?(?:declare )?(?:abstract )?(?:function|const|class|interface|type|enum) ([\w$]+)/;

/** The module that a file imports a name from, where it exports the name again. */
function importOf(file, name) {
  for (const { code } of statementsOf(file)) {
    const [, names, source] = code.match(/^import (?:type )?\{([\s\S]*)\} from "([^"]+)";/) ?? [];
    if (names?.split(",").some((part) => part.trim().replace(/^type /, "") === name)) return source;
  }
}

/** Names that a module exports, each with the file that declares it: follows `export *` and `export { … } from`. */
function exportsOf(file) {
  const found = new Map();
  const target = (path) => resolve(dirname(file), path.replace(/\.js$/, ".d.ts"));
  for (const { code } of statementsOf(file)) {
    const star = code.match(/^export \* from "([^"]+)";/);
    const named = code.match(/^export (?:type )?\{([\s\S]*)\}(?: from "([^"]+)")?;/);
    if (star) for (const [name, place] of exportsOf(target(star[1]))) found.set(name, place);
    else if (named) {
      for (const part of named[1].split(",")) {
        const [from, as = from] = part
          .trim()
          .replace(/^type /, "")
          .split(" as ");
        if (from === "") continue;
        const source = named[2] ?? importOf(file, from);
        const place = source ? exportsOf(target(source)).get(from) : { file, name: from };
        if (!place) throw new Error(`${file} exports ${from}, which ${named[2]} does not have.`);
        found.set(as, place);
      }
    } else if (code.startsWith("export ")) {
      const name = code.match(declared)?.[1];
      if (name) found.set(name, { file, name });
    }
  }
  return found;
}

/** What the package exports: name, source folder and file, docstring, declarations (several where it is overloaded). */
export function publicApi() {
  return [...exportsOf(join(dist, "index.d.ts"))].map(([name, place]) => {
    const own = statementsOf(place.file).filter(({ code }) => code.match(declared)?.[1] === place.name);
    const source = `src/${relative(dist, place.file).replace(/\.d\.ts$/, ".ts")}`;
    const doc = own.map(({ doc }) => doc).find((text) => text !== "") ?? "";
    return { name, source, folder: source.split("/")[1], doc, code: own.map(({ code }) => code).join("\n") };
  });
}

/** The examples of a docstring, as programs. */
export const examplesOf = (doc) =>
  [...doc.matchAll(/^@example\n([\s\S]*?)(?=^@\w|$(?![\s\S]))/gm)].map(([, code]) => code.trim());

/** A docstring as Markdown: parameters as a list, examples as code. */
function markdownOf(doc) {
  const examples = examplesOf(doc).map((code) => `\`\`\`ts\n${code}\n\`\`\``);
  const text = doc
    .replace(/^@example\n[\s\S]*?(?=^@\w|$(?![\s\S]))/gm, "")
    .replace(/\s*@throws /g, "\n- throws ")
    .replace(/\s*@returns? /g, "\n- returns ")
    .replace(/\s*@param (\S+) /g, "\n- `$1`: ")
    .replace(/([^\n])\n- /, "$1\n\n- ")
    .trim();
  return [text, ...examples].filter((part) => part !== "");
}

function optionsOf(name) {
  const entry = Object.hasOwn(specializers, name) ? specializers[name] : undefined;
  const { properties = {} } = entry
    ? z.toJSONSchema(entry.options, { io: "input", unrepresentable: "any" })
    : {};
  const rows = Object.entries(properties).map(([option, schema]) => {
    const usual = schema.default === undefined ? "" : `\`${JSON.stringify(schema.default)}\``;
    return `| \`${option}\` | ${usual} | ${(schema.description ?? "").replaceAll("|", "\\|")} |`;
  });
  return rows.length === 0 ? [] : [["| option | default | meaning |", "|---|---|---|", ...rows].join("\n")];
}

function cut(code) {
  const lines = code.replace(/^export /gm, "").split("\n");
  if (lines.length <= maxLines) return lines.join("\n");
  return `${lines[0]}\n    // ${lines.length - 2} more lines\n${lines.at(-1)}`;
}

/** Pages by file name. */
export function apiPages() {
  const pages = new Map();
  const index = [];
  const all = publicApi();
  const folders = [...new Set(all.map(({ folder }) => folder))].sort();
  for (const folder of folders) {
    const own = all.filter((one) => one.folder === folder).sort((a, b) => (a.name < b.name ? -1 : 1));
    index.push(`- [${folder}](${folder}.md): ${own.map(({ name }) => `\`${name}\``).join(", ")}`);
    const sections = own.map(({ name, source, doc, code }) =>
      [
        `## ${name}`,
        ...markdownOf(doc),
        `\`\`\`ts\n${cut(code)}\n\`\`\``,
        ...optionsOf(name),
        `<sub>[${source}](../../${source})</sub>`,
      ].join("\n\n"),
    );
    pages.set(
      `${folder}.md`,
      `# ${folder}\n\nWhat \`@honelab/hone\` exports from \`src/${folder}\`.\n\n${sections.join("\n\n")}\n`,
    );
  }
  pages.set(
    "README.md",
    `# API\n\nEverything that \`@honelab/hone\` exports, by folder; made from the docstrings by \`npm run docs:api\`.\n\n${index.join("\n")}\n`,
  );
  return pages;
}

if (process.argv[1] === import.meta.filename) {
  const folder = join(root, "docs/api");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of apiPages()) writeFileSync(join(folder, name), text);
}
