// hone init: a study file that runs as it is, built from a data file's own fields where one is given.

import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, relative, resolve } from "node:path";
import { stringify } from "yaml";
import { HoneError } from "../core/errors.js";
import { type Row, readRows } from "../data/index.js";
import { parseStudy, studyJsonSchema } from "../study/spec.js";
import { makeOutput } from "./output.js";

interface Flags {
  data?: string;
  input?: string;
  label?: string;
  force?: boolean;
  schema?: boolean;
  json?: boolean;
}

/** Rows looked at to guess which field is what. */
const sampleRows = 500;
const mostLabels = 40;

export async function init(name: string, flags: Flags): Promise<void> {
  const output = makeOutput(flags);
  if (flags.schema) {
    process.stdout.write(`${JSON.stringify(studyJsonSchema(), null, 2)}\n`);
    return;
  }
  const path = /\.ya?ml$/.test(name) ? name : `${name}.study.yaml`;
  const study = path.replace(/^.*[\\/]/, "").replace(/(\.study)?\.ya?ml$/, "");
  if (existsSync(path) && !flags.force) {
    throw new HoneError({
      what: "The study file exists already",
      where: path,
      next: "Choose another name, or overwrite it with --force.",
      kind: "usage",
    });
  }
  const spec = flags.data === undefined ? starter(study) : await fromData(study, path, flags.data, flags);
  parseStudy(spec, path);
  const text = `# npx hone run ${path}\n#\n# Every field: docs/study.md, or \`hone init --schema\` for your editor.\n${stringify(spec, { lineWidth: 100 })}`;
  await mkdir(dirname(resolve(path)), { recursive: true });
  await writeFile(path, text);
  output.record({ type: "done", path, spec });
  if (flags.json) return;
  output.say(
    `Wrote ${path}\n\nNext:\n  hone data check ${path}\n  hone run ${path} --dry-run\n  hone run ${path}`,
  );
}

const specialists = [
  { fewShot: { k: 4, draw: "balanced" } },
  { knn: { k: 4, by: "bm25" } },
  "calibrate",
  "linear",
  "majority",
];

/** Without data of one's own: the demo's texts, few enough to run in a minute. */
function starter(study: string): unknown {
  return {
    study,
    model: "llama:smollm2-135m-instruct?format=plain",
    task: {
      name: "permissive or copyleft",
      kind: "choice",
      instruction: "Is this software licence permissive or copyleft?",
      data: {
        source: "pip:licensedcode-data==32.1.0#licensedcode/data/licenses/*.LICENSE",
        where: { is_deprecated: { not: true }, category: ["Permissive", "Copyleft"] },
        id: "key",
        input: "{{text|500}}",
        label: "category",
        options: { Permissive: "permissive", Copyleft: "copyleft" },
        split: { by: "hash", stratify: true, group: "near", seed: 1 },
        limit: { train: 200, dev: 30, test: 60 },
      },
    },
    specialists,
  };
}

async function fromData(study: string, path: string, file: string, flags: Flags): Promise<unknown> {
  const rows: Row["row"][] = [];
  for await (const { row } of readRows(file)) {
    rows.push(row);
    if (rows.length >= sampleRows) break;
  }
  const fields = Object.keys(rows[0] ?? {});
  const texts = (field: string) =>
    rows
      .map((row) => row[field])
      .filter(
        (value): value is string | number | boolean =>
          value !== null && typeof value !== "object" && value !== undefined,
      );
  const label = flags.label ?? guessLabel(fields, texts);
  const input =
    flags.input ??
    guessInput(
      fields.filter((field) => field !== label),
      texts,
    );
  for (const [flag, field] of [
    ["--label", label],
    ["--input", input],
  ] as const) {
    if (field !== undefined && fields.includes(field)) continue;
    throw new HoneError({
      what: field === undefined ? "Cannot tell which field to use" : `There is no field ${field}`,
      where: file,
      why: `the first row has ${fields.join(", ") || "no fields"}`,
      next: `Name it with ${flag} FIELD.`,
      kind: "usage",
    });
  }
  const values = [...new Set(texts(label as string).map(String))].sort();
  const shared = { input: `{{${input}|1500}}`, label, ...(fields.includes("id") ? { id: "id" } : {}) };
  const source = { source: `file:${relative(dirname(resolve(path)), resolve(file)) || file}` };
  const classes = values.length <= mostLabels && values.length < rows.length / 2;
  return {
    study,
    model: "llama:smollm2-135m-instruct?format=plain",
    task: {
      name: String(label),
      kind: classes ? "choice" : "answer",
      instruction: classes ? `Which ${label} fits best?` : "Answer briefly.",
      ...(classes ? {} : { metric: "f1" }),
      data: {
        ...source,
        ...shared,
        ...(classes ? { options: Object.fromEntries(values.map((value) => [value, value])) } : {}),
        split: { by: "hash", ...(classes ? { stratify: true } : {}), seed: 1 },
        limit: { dev: 100, test: 300 },
      },
    },
    specialists: classes ? specialists : [{ fewShot: { k: 4 } }, { knn: { k: 4, by: "bm25" } }, "majority"],
  };
}

type TextsOf = (field: string) => (string | number | boolean)[];

/** A field called like a label, else the one with the fewest distinct values that still has two. */
function guessLabel(fields: readonly string[], texts: TextsOf): string | undefined {
  const named = fields.find((field) => /^(label|category|class|target|gold|answer)$/i.test(field));
  if (named) return named;
  return fields
    .map((field) => ({ field, distinct: new Set(texts(field)).size }))
    .filter(({ distinct }) => distinct >= 2 && distinct <= mostLabels)
    .sort((a, b) => a.distinct - b.distinct)[0]?.field;
}

/** A field called like a text, else the one with the longest values. */
function guessInput(fields: readonly string[], texts: TextsOf): string | undefined {
  const length = (field: string) =>
    texts(field).reduce((sum: number, value) => sum + String(value).length, 0);
  const named = fields.find((field) => /^(text|input|question|prompt|content|body)$/i.test(field));
  return named ?? fields.toSorted((a, b) => length(b) - length(a))[0];
}
