// Reading Lawma's data, in either of two forms: the files that Lawma's own scripts write (one JSON file per task, with
// the opinions beside it), or its task definitions with Oyez's summaries of the facts and SCDB's labels.

import { basename } from "node:path";
import { HoneError } from "../../core/errors.js";
import type { Option } from "../../core/language.js";
import type { SplitName } from "../../core/sample.js";
import {
  asText,
  findLeaks,
  readRows,
  resolveSource,
  type SourceOptions,
  shownPath,
} from "../../data/index.js";
import { at, entriesOf, readJsonFile } from "../json.js";
import type { LawmaData, LawmaExample, LawmaTask } from "./tasks.js";

type Row = Record<string, unknown>;

/**
 * @param folder contains the files, or folders of them
 * @throws HoneError when data of neither form are found, or a file is damaged
 */
export async function readLawma(folder: string, options: SourceOptions): Promise<LawmaData> {
  const { files } = await resolveSource(`${folder}/**/*.{json,jsonl,csv}`, options);
  const named = (pattern: RegExp) => files.filter((path) => pattern.test(basename(path)));
  const [definitions] = named(/^lawma_task_definitions\.json$/);
  const accuracy = await readAccuracy(named(/^lawma_task_accuracy\.csv$/)[0]);
  const predictions = await readPredictions(named(/^lawma_predictions.*\.jsonl$/)[0]);
  const opinions = named(/opinions\.json$/);
  const facts = files.filter((path) =>
    /\/scdb_oyez\/(train\w*|val|test)\.jsonl$/.test(path.replaceAll("\\", "/")),
  );
  if (definitions && facts.length > 0) {
    const columns = named(/^SCDB_.*caseCentered_Citation\.csv$/)[0];
    return { ...(await readFacts(definitions, facts, columns)), kind: "facts", accuracy, predictions };
  }
  if (opinions.length > 0) {
    const tasks = files.filter((path) => path.endsWith(".json") && !opinions.includes(path));
    return { ...(await readOpinions(tasks, opinions)), kind: "opinions", accuracy, predictions, leaked: 0 };
  }
  throw new HoneError({
    what: "These are not Lawma's data",
    where: shownPath(folder),
    why: "there are neither `*opinions.json` with task files nor `lawma_task_definitions.json` with `scdb_oyez/*.jsonl`",
    next: "Make the files with data_generation of socialfoundations/lawma, and put them into law/ of the folder that --data names.",
    kind: "usage",
  });
}

function fill(text: string, holes: readonly string[], values: Row): string {
  return holes.reduce((filled, hole) => filled.replaceAll(`{${hole}}`, asText(values[hole])), text);
}

function optionsOf(choices: unknown): Option[] | undefined {
  if (choices === null || choices === undefined) return undefined;
  return entriesOf(choices as object).map(([key, text]) => ({ key, text: asText(text) }));
}

/** Lawma's own files: {"task": {…}, "examples": {"train": [{"input", "target", …}], "val", "test"}}. */
async function readOpinions(
  paths: readonly string[],
  opinionFiles: readonly string[],
): Promise<Pick<LawmaData, "tasks" | "texts">> {
  const texts = new Map<string, string>();
  for (const path of opinionFiles) {
    for (const [id, text] of Object.entries((await readJsonFile(path, false)) as Row))
      texts.set(id, asText(text));
  }
  const tasks: LawmaTask[] = [];
  for (const path of paths) {
    const file = (await readJsonFile(path, true)) as { task?: Row; examples?: Record<string, Row[]> };
    if (!file.task || !file.examples) continue;
    const task = file.task;
    const keyed = (value: unknown, key: unknown) =>
      value !== null && typeof value === "object" ? at(value, asText(key)) : value;
    const choices = task.answer_choices as object | null | undefined;
    const nested = choices && Object.values(choices).some((one) => one !== null && typeof one === "object");
    const read = (row: Row): LawmaExample => {
      const caseId = asText(row.input);
      if (!texts.has(caseId)) throw missing(path, `the opinion ${caseId} is in none of the opinion files`);
      const holes = (task.fill_in ?? []) as string[];
      let options = optionsOf(nested ? keyed(choices, row.key) : choices);
      if (options && Array.isArray(row.choices)) {
        const offered = new Set(row.choices.map(asText));
        options = options.filter(({ key }) => offered.has(key));
      }
      const gold = [row.target].flat().map(asText);
      if (options && !gold.some((code) => options.some(({ key }) => key === code)))
        throw missing(path, `the target ${gold.join(", ")} of ${caseId} is not among the choices`);
      return {
        caseId,
        instruction: fill(asText(keyed(task.instruction, row.key)), holes, row),
        question: fill(asText(keyed(task.question, row.key)), holes, row),
        ...(options ? { options } : {}),
        gold,
      };
    };
    const part = (name: string) => (file.examples?.[name] ?? []).map(read);
    tasks.push({
      name: asText(task.name),
      splits: { train: part("train"), dev: part("val"), test: part("test") },
    });
  }
  return { tasks, texts };
}

function missing(path: string, why: string): HoneError {
  return new HoneError({
    what: "A Lawma task file does not fit",
    where: basename(path),
    why,
    next: "Make tasks and opinions with the same version of Lawma's scripts.",
  });
}

/** Lawma's definitions applied to SCDB's labels by its own rules, over Oyez's summaries. */
async function readFacts(
  definitions: string,
  factFiles: readonly string[],
  columnsFile: string | undefined,
): Promise<Pick<LawmaData, "tasks" | "texts" | "leaked">> {
  const columns = new Map<string, Row>();
  if (columnsFile) {
    for await (const { row } of readRows(columnsFile, { encoding: "cp1252" }))
      columns.set(asText(row.caseId), row);
  }
  const cases: { id: string; split: SplitName; labels: Row }[] = [];
  const texts = new Map<string, string>();
  for (const path of factFiles) {
    const split = /^train/.test(basename(path)) ? "train" : /^val/.test(basename(path)) ? "dev" : "test";
    for await (const { row } of readRows(path)) {
      const id = asText(row.id);
      const text = asText(row.facts).replace(/\s+/g, " ").trim();
      if (text === "") continue;
      texts.set(id, text);
      // The conclusion reveals the outcome and is never read.
      cases.push({ id, split, labels: { ...columns.get(id), ...(row.labels as Row) } });
    }
  }
  const items = (test: boolean) =>
    cases
      .filter(({ split }) => (split === "test") === test)
      .map(({ id }) => ({ id, text: texts.get(id) as string }));
  const leaks = new Set(findLeaks(items(false), items(true)).map(({ train }) => train));
  const kept = cases.filter(({ id }) => !leaks.has(id));

  const all = (await readJsonFile(definitions, true)) as Row[];
  const tasks = all
    .filter(({ db, answer_choices: choices }) => db === "SCDB" && choices !== null)
    .map((definition) => factsTask(definition, kept));
  return { tasks, texts, leaked: leaks.size };
}

function factsTask(
  definition: Row,
  cases: readonly { id: string; split: SplitName; labels: Row }[],
): LawmaTask {
  const options = optionsOf(definition.answer_choices) as Option[];
  const codes = new Set(options.map(({ key }) => key));
  const codeOf = (value: unknown): string | undefined => {
    const written = asText(value).trim();
    const code = written === "" ? "nan" : written;
    return codes.has(code) ? code : codes.has("otherwise") && code !== "nan" ? "otherwise" : undefined;
  };
  const splits: LawmaTask["splits"] = { train: [], dev: [], test: [] };
  const second = definition.multilabel_second_variable;
  for (const { id, split, labels } of cases) {
    const code = codeOf(labels[asText(definition.variable)]);
    if (code === undefined) continue;
    const other = second === undefined ? undefined : codeOf(labels[asText(second)]);
    splits[split].push({
      caseId: id,
      instruction: asText(definition.instruction),
      question: asText(definition.question),
      options,
      gold: other === undefined || other === code ? [code] : [code, other],
    });
  }
  return { name: asText(definition.name), splits };
}

async function readAccuracy(path: string | undefined): Promise<LawmaData["accuracy"]> {
  const table = new Map<string, Record<string, number>>();
  if (path === undefined) return table;
  for await (const { row } of readRows(path)) {
    const figures = Object.entries(row).flatMap(([name, value]): [string, number][] => {
      const text = asText(value);
      return name === "task" || text === "" || !Number.isFinite(Number(text))
        ? []
        : [[name.replace(/_acc$/, ""), Number(text)]];
    });
    table.set(asText(row.task), Object.fromEntries(figures));
  }
  return table;
}

async function readPredictions(path: string | undefined): Promise<LawmaData["predictions"]> {
  const rows: LawmaData["predictions"] = [];
  if (path === undefined) return rows;
  for await (const { row } of readRows(path)) {
    const lawma = (row.pred as Row | undefined)?.["lawma-8b"];
    if (lawma === undefined || lawma === null) continue;
    const gold = [row.gold].flat().map((one) => asText(one).trim());
    rows.push({
      task: asText(row.task),
      id: asText(row.id),
      gold: gold[0] as string,
      lawma: asText(lawma).trim(),
    });
  }
  return rows;
}
