// Study files that are written for a user: the starter on the demo's texts, one from a data file's own fields, and either
// with the specialists that were advised. Used by `hone init` and `hone advise`; it writes nothing to disk.

import { dirname, relative, resolve } from "node:path";
import { stringify } from "yaml";
import { HoneError } from "../core/errors.js";
import { type Reading, type Row, readingOf, readRows } from "../data/index.js";
import { parseStudy } from "../study/spec.js";
import { type Advice, namesIn } from "./advise.js";

/** A study to be written. */
export interface Draft {
  study: string;
  model: string;
  task: { kind: string; name: string; data: Record<string, unknown> } & Record<string, unknown>;
  specialists: unknown[];
  /** Rows of the data file, where there is one. */
  rows?: number;
}

/** Rows looked at to guess which field is what. */
const sampleRows = 500;
const mostLabels = 40;
/** In an advised study: specialists in all, and of these such that are trained. */
const mostAdvised = 8;
const mostTrained = 2;

/** The study's name in a path such as `folder/mine.study.yaml`. */
export function studyName(path: string): string {
  return path.replace(/^.*[\\/]/, "").replace(/(\.study)?\.ya?ml$/, "");
}

/**
 * The draft with the specialists that were advised, in their order: the first eight, at most two of them trained, and
 * always the references. The generalist as it is belongs to every study and is not listed.
 */
export function withAdvice(draft: Draft, advice: Advice, model?: string): Draft {
  const others = advice.routes.filter(({ specializer }) => specializer !== "zeroShot");
  const trained = others.filter(({ cost }) => cost.training).slice(0, mostTrained);
  const kept = others.filter((route) => !route.cost.training || trained.includes(route));
  const chosen = kept.filter((route, place) => place < mostAdvised || route.specializer === "majority");
  const listed = chosen.map(({ specializer }) => specializer);
  return {
    ...draft,
    ...(model === undefined ? {} : { model }),
    specialists: listed.length > 0 ? listed : ["zeroShot"],
  };
}

/**
 * The study file's text, checked.
 * @throws HoneError where the draft is no study
 */
export function studyText(path: string, { rows: _, ...spec }: Draft): string {
  parseStudy(spec, path);
  const documents = spec.specialists.flatMap(namesIn).includes("retrieve")
    ? "# Put your documents in place of what retrieve names; text is the field (or the template) that holds their text.\n"
    : "";
  return `# npx hone run ${path}\n#\n# Every field: docs/study.md, or \`hone init --schema\` for your editor.\n${documents}${stringify(spec, { lineWidth: 100 })}`;
}

/** Where nobody advised: routes that need no training, and the references. */
const specialists = [
  { fewShot: { k: 4, draw: "balanced" } },
  { knn: { k: 4, by: "bm25" } },
  "calibrate",
  "linear",
  "majority",
];

/** Without data of one's own: the demo's texts, few enough to run in a minute. */
export function starter(study: string): Draft {
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

/**
 * A study of a data file of one's own: which field is text and which is answer is guessed where it is not said.
 * @param path where the study file will lie; its source is written relative to it
 * @throws HoneError where a field cannot be told or is not there
 */
export async function fromData(
  study: string,
  path: string,
  file: string,
  flags: { input?: string; label?: string } & Reading,
): Promise<Draft> {
  const rows: Row["row"][] = [];
  let count = 0;
  for await (const { row } of readRows(file, readingOf(flags))) {
    count++;
    if (rows.length < sampleRows) rows.push(row);
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
    rows: count,
    model: "llama:smollm2-135m-instruct?format=plain",
    task: {
      name: String(label),
      kind: classes ? "choice" : "answer",
      instruction: classes ? `Which ${label} fits best?` : "Answer briefly.",
      ...(classes ? {} : { metric: "f1" }),
      data: {
        ...source,
        ...readingOf(flags),
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
