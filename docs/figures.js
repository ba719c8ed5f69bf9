// The figures in README and docs, made from their records: `npm run docs:figures` fills what stands between
// `<!-- figures: NAME -->` and `<!-- end -->`, and test/figures.test.ts holds the pages to it. A figure without a record has no row.

import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { markdownReproduction } from "../dist/cli/reproduction.js";
import { catalogue } from "./tables/catalogue.js";
import { games, holdem } from "./tables/games.js";
import { experts, optimizers } from "./tables/nets.js";
import { paper, root, study } from "./tables/parts.js";
import { demo, measured } from "./tables/readme.js";
import { clients, llamaServer } from "./tables/serving.js";
import {
  compositions,
  fewLabels,
  predictions,
  prompts,
  races,
  routes,
  searches,
  studyTable,
} from "./tables/studies.js";

/** What a command prints, under the command. */
function printed(command) {
  const [, ...args] = command.split(" ");
  const run = spawnSync(process.execPath, [join(root, "bin/hone.js"), ...args], {
    encoding: "utf8",
    env: { ...process.env, COLUMNS: "400", NO_COLOR: "1" },
  });
  if (run.status !== 0) throw new Error(run.stderr);
  const [text] = run.stdout.split("\nThe study");
  return ["```", `$ ${command}`, text.trimEnd(), "```"];
}

const tables = {
  clients,
  "llama-server": llamaServer,
  holdem,
  games,
  advise: () => printed("hone advise --access text,logprobs --labels 300 --latency 500 --strength small"),
  "lawma-predictions": predictions,
  measured,
  demo,
  optimize: races,
  prompts,
  search: searches,
  routes,
  compositions,
  setfit: fewLabels,
  muon: optimizers,
  moe: experts,
  specializers: catalogue,
  licences: () => study("licences") && studyTable(study("licences")),
  "scotus-issue-area": () => study("scotus-issue-area") && studyTable(study("scotus-issue-area")),
  pubmedqa: () => study("pubmedqa") && studyTable(study("pubmedqa")),
};

const papers = readdirSync(join(root, "papers"));

/** A paper's claims and its other tables (NAME-table-1 is the first), as `hone reproduce --out measured.md` writes them. */
for (const name of papers) {
  const record = paper(name);
  const sections = record ? markdownReproduction(record).split(/^## /m).slice(1) : [];
  for (const [i, section] of sections.slice(0, -1).entries())
    tables[i === 0 ? `${name}-claims` : `${name}-table-${i}`] = () => section.match(/^\|.*$/gm);
}

/** The page with every block as its record has it; a block without a record stays as it is and is told to `missing`. */
export function filled(page, missing = () => {}) {
  return page.replace(/(<!-- figures: ([\w-]+) -->\n)[\s\S]*?(<!-- end -->)/g, (whole, begin, name, end) => {
    if (!Object.hasOwn(tables, name)) throw new Error(`docs/figures.js makes no table "${name}".`);
    const lines = tables[name]();
    if (lines) return `${begin}\n${lines.join("\n")}\n\n${end}`;
    missing(name);
    return whole;
  });
}

/** Pages that may have figures. */
export const pages = [
  "README.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
  ...papers.map((name) => `papers/${name}/README.md`),
];

/** Pages that are made of a record whole, by path. */
export const made = Object.fromEntries(
  papers.flatMap((name) => {
    const record = paper(name);
    return record ? [[`papers/${name}/measured.md`, `${markdownReproduction(record)}\n`]] : [];
  }),
);

if (process.argv[1] === import.meta.filename) {
  for (const name of pages) {
    const path = join(root, name);
    const page = readFileSync(path, "utf8");
    const now = filled(page, (table) => console.log(`${name}: no record for ${table}, left as it is`));
    if (now === page) continue;
    writeFileSync(path, now);
    console.log(`${name}: figures filled in`);
  }
  for (const [path, text] of Object.entries(made)) writeFileSync(join(root, path), text);
}
