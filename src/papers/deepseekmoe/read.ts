// The texts of the DeepSeekMoE reproduction by domain: from the folder that --data names, and code from the packages that
// Hone itself was installed with. Long texts are cut into documents of about one size, and those of one text stay in one
// split.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { randomFor, shuffled } from "../../core/random.js";
import { nearGroups, readRows } from "../../data/index.js";
import { firstBytes } from "../../tasks/corpus.js";
import type { DataFolder } from "../data.js";
import type { Domain, MoeSettings } from "./settings.js";

/** A text before it is cut; texts of one group stay in one split. */
interface Whole {
  id: string;
  text: string;
  /** Its own group if absent. */
  group?: string;
}

export interface TextRow {
  id: string;
  text: string;
  domain: Domain;
  group: string;
}

export interface MoeTexts {
  train: TextRow[];
  dev: TextRow[];
  test: TextRow[];
  /** Bytes of train by domain. */
  bytes: Record<string, number>;
}

/** Shorter documents reveal too little about their domain. */
const leastBytes = 200;
/** Stories at least this similar (Jaccard of word sequences) are one story told twice. */
const alike = 0.3;
/** Lines of Tatoeba per document, since a single sentence is too short. */
const linesOfDocument = 20;

const families: Partial<Record<Domain, readonly string[]>> = {
  Romance: ["fra", "spa", "ita", "por", "ron", "cat"],
  Slavic: ["rus", "ukr", "pol", "ces", "bul", "hrv", "srp"],
  Germanic: ["deu", "nld", "swe", "dan", "nob", "afr"],
};
/** Installed packages whose code is read, and the folder in each that holds it exactly once. */
const codeFolders = {
  zod: "src/v4",
  yaml: "dist",
  "onnxruntime-common": "lib",
  "@jax-js/jax": "dist",
  hono: "dist",
  "@huggingface/hub": "src",
  "@huggingface/jinja": "src",
  commander: "lib",
  "csv-parse": "lib",
  compromise: "src",
};

const readers: Record<Domain, (folder: DataFolder, domain: Domain) => AsyncIterable<Whole>> = {
  async *law(folder) {
    for (const part of ["train_1", "train_2", "val", "test"])
      for await (const { row } of readRows(folder.path("law", "scdb_oyez", `${part}.jsonl`)))
        yield {
          id: String(row.id),
          text: [row.facts, row.question, row.conclusion].filter(Boolean).join("\n"),
        };
  },
  async *medicine(folder) {
    for (const name of ["pubmedqa_train", "pubmedqa_test", "medqa_train1030", "medqa_dev", "medmcqa_dev"]) {
      let questions: string[] = [];
      let n = 0;
      for await (const { row } of readRows(folder.path("med", `${name}.jsonl`))) {
        const context = Array.isArray(row.context) ? row.context.join(" ") : String(row.context ?? "");
        const text = [context, row.question].filter(Boolean).join("\n");
        // Short questions are joined into one document.
        questions.push(text);
        if (questions.join("\n").length < 600) continue;
        yield { id: `${name}-${n++}`, text: questions.join("\n") };
        questions = [];
      }
    }
  },
  async *code() {
    const require = createRequire(import.meta.url);
    for (const [name, below] of Object.entries(codeFolders)) {
      const root = join(packageFolder(require.resolve(name)), below);
      for (const path of await codeFiles(root))
        yield { id: `${name}/${path}`, text: await readFile(join(root, path), "utf8") };
    }
  },
  async *stories(folder) {
    yield* stories(folder, "STORY");
  },
  async *"Chinese stories"(folder) {
    yield* stories(folder, "故事");
  },
  async *dictionary(folder) {
    // Its rows are grouped by meaning, with one language after the other.
    const lines = new Map<string, string[]>();
    let n = 0;
    const document = (language: string): Whole => {
      const text = (lines.get(language) ?? []).join("\n");
      lines.delete(language);
      return { id: `${language}-${n++}`, text };
    };
    for (const part of [1, 2, 3]) {
      const path = folder.path("lexical", "omw", `omw_core_${part}.tsv`);
      // Its quotes are not CSV quoting.
      for (const line of (await readFile(path, "utf8")).split("\n")) {
        const [, language = "", type, value = ""] = line.split("\t");
        if (type !== "def") continue;
        const own = lines.get(language) ?? [];
        lines.set(language, own);
        own.push(value);
        if (own.length === linesOfDocument) yield document(language);
      }
    }
    for (const language of [...lines.keys()]) yield document(language);
  },
  Romance: sentences,
  Slavic: sentences,
  Germanic: sentences,
};

async function* stories(folder: DataFolder, field: string): AsyncGenerator<Whole> {
  const found: { id: string; text: string }[] = [];
  const seen = new Set<string>();
  const root = folder.path("social", "tombench");
  for (const file of (await readdir(root)).filter((name) => name.endsWith(".jsonl")).sort()) {
    for (const line of (await readFile(join(root, file), "utf8")).split("\n").filter(Boolean)) {
      // Some of these files contain NaN, which is not JSON.
      const row = JSON.parse(line.replaceAll(/: NaN(?=[,}])/g, ": null")) as Record<string, unknown>;
      const text = String(row[field] ?? "").trim();
      if (text === "" || seen.has(text)) continue;
      seen.add(text);
      found.push({ id: `${file}-${seen.size}`, text });
    }
  }
  // Several versions of one story belong to one group.
  const groups = nearGroups(
    found.map(({ text }) => text),
    alike,
  );
  for (const [i, one] of found.entries()) yield { ...one, group: String(groups[i]) };
}

async function* sentences(folder: DataFolder, domain: Domain): AsyncGenerator<Whole> {
  for (const language of families[domain] ?? []) {
    const path = folder.path("lexical", "tatoeba", `tatoeba.${language}-eng.${language}`);
    if (!existsSync(path)) continue;
    const lines = (await readFile(path, "utf8")).split("\n").filter(Boolean);
    for (let from = 0; from < lines.length; from += linesOfDocument)
      yield { id: `${language}-${from}`, text: lines.slice(from, from + linesOfDocument).join("\n") };
  }
}

/** The folder of the package that a file is in. */
function packageFolder(file: string): string {
  let folder = dirname(file);
  while (!existsSync(join(folder, "package.json")) || /[\\/](esm|cjs|dist|lib)$/.test(folder)) {
    const above = dirname(folder);
    if (above === folder) break;
    folder = above;
  }
  return folder;
}

async function codeFiles(root: string): Promise<string[]> {
  const found = await readdir(root, { recursive: true });
  return found
    .filter(
      (path) =>
        /\.(m?js|ts)$/.test(path) &&
        !/\.d\.|\.min\.|\.(spec|test)\.|(^|\/)(cjs|locales|mini|tests)\//.test(path),
    )
    .sort();
}

/** Reads, cuts and splits the texts. */
export async function readTexts(
  folder: DataFolder,
  { texts, domains }: Pick<MoeSettings, "texts" | "domains">,
  signal: AbortSignal,
): Promise<MoeTexts> {
  const result: MoeTexts = { train: [], dev: [], test: [], bytes: {} };
  for (const domain of domains) {
    const rows: TextRow[] = [];
    for await (const whole of readers[domain](folder, domain)) {
      signal.throwIfAborted();
      rows.push(...cut(whole, domain, texts.bytes));
    }
    const groups = shuffled([...new Set(rows.map(({ group }) => group))], randomFor(1, "texts", domain));
    const place = new Map(groups.map((group, i) => [group, i]));
    const sorted = rows.sort((a, b) => (place.get(a.group) as number) - (place.get(b.group) as number));
    const test = take(sorted, 0, texts.test);
    const dev = take(sorted, test.end, texts.dev);
    let bytes = 0;
    const train = sorted.slice(dev.end).filter(({ text }) => {
      if (bytes >= texts.train) return false;
      bytes += Buffer.byteLength(text);
      return true;
    });
    result.test.push(...test.rows);
    result.dev.push(...dev.rows);
    result.train.push(...train);
    result.bytes[domain] = bytes;
  }
  return result;
}

/** The next `count` rows, each from another group, so that documents are independent. */
function take(rows: readonly TextRow[], from: number, count: number): { rows: TextRow[]; end: number } {
  const taken: TextRow[] = [];
  const seen = new Set<string>();
  let end = from;
  for (; end < rows.length; end++) {
    const row = rows[end] as TextRow;
    if (seen.has(row.group)) continue;
    if (taken.length === count) break;
    seen.add(row.group);
    taken.push(row);
  }
  return { rows: taken, end };
}

function cut({ id, text, group: own = id }: Whole, domain: Domain, bytes: number): TextRow[] {
  const rows: TextRow[] = [];
  const hash = (name: string) => createHash("sha256").update(`${domain}/${name}`).digest("hex").slice(0, 12);
  const group = hash(own);
  let rest = text.replaceAll("\0", "").trim();
  while (rest.length > 0) {
    const part = firstBytes(rest, bytes);
    rest = rest.slice(part.length);
    if (Buffer.byteLength(part) < leastBytes) break;
    if (part.trim() !== "") rows.push({ id: `${hash(id)}-${rows.length}`, text: part, domain, group });
  }
  return rows;
}
