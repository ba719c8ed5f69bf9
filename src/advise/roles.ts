// Infers the role of each column of a data file: answer, text, options, id, group, task. Each decision is based on names and
// facts, and keeps a readable reason. What the user has specified is not decided here.

import { HoneError } from "../core/errors.js";
import { field, foldLabel } from "../data/index.js";
import { asLabels, betrays, labelOf } from "./answer.js";
import { type Column, isFilled, type Table } from "./columns.js";
import { has, isCategorical, mayBeLabels, most, named, repeats, whyNotLabels } from "./names.js";
import { splitColumn } from "./notes.js";
import { findOptions, type OwnOptions } from "./own-options.js";
import { passageOf, textsOf } from "./texts.js";

export type Role = "label" | "input" | "question" | "instruction" | "options" | "id" | "group" | "task";

/** Which columns were given a role, and why. */
export interface Taken {
  role: Role;
  fields: readonly string[];
  why: string;
}

export interface Roles {
  label: string;
  /** Labels that rows share, options of their own, or open answers. */
  kind: "labels" | "options" | "open";
  /** Why the answers are taken as free text. */
  open?: string;
  input: readonly string[];
  question?: string;
  instruction?: string;
  options?: OwnOptions;
  id?: string | false;
  group?: string;
  task?: string;
  taken: readonly Taken[];
  /** Columns that no part of the study reads. */
  unused: readonly { name: string; why?: string }[];
}

export interface Said {
  input?: string;
  label?: string;
  ownOptions?: string | boolean;
}

/** @throws HoneError where a field cannot be inferred, or a named one does not exist or is unsuitable */
export function rolesOf(table: Table, said: Said, file: string): Roles {
  const { rows } = table;
  // A template cannot contain these names; they are rare, and only their column is lost.
  const columns = table.columns.filter(({ name, filled }) => /^[^\s|{}][^|{}]*$/.test(name) && filled > 0);
  const byName = new Map(table.columns.map((column) => [column.name, column]));
  for (const flag of ["input", "label"] as const) {
    const wanted = said[flag];
    if (wanted !== undefined && !byName.has(wanted)) throw unknownField(flag, wanted, table, file);
  }
  const taken: Taken[] = [];
  const used = new Set<string>();
  const take = (role: Role, fields: readonly string[], why: string): void => {
    for (const name of fields) used.add(name);
    taken.push({ role, fields, why });
  };
  const isUsed = ({ name }: Column) => used.has(name) || [...used].some((one) => name.startsWith(`${one}.`));
  const free = () => columns.filter((column) => !isUsed(column));

  const split = splitColumn(columns);
  const options = findOptions({ ...table, columns }, said.label, said.ownOptions);
  const answer = options
    ? { name: options.label, why: "it names one of the row's options" }
    : labelOf(
        columns.filter((column) => column !== split),
        said,
      );
  if (!answer) throw noLabel(columns, table, file);
  const labelColumn = byName.get(answer.name) as Column;
  const open = options ? undefined : whyNotLabels(asLabels(labelColumn, rows));
  const kind = options ? "options" : open === undefined ? "labels" : "open";
  const rivals =
    options || said.label
      ? []
      : free().filter(
          (one) =>
            one.name !== answer.name &&
            one !== split &&
            isCategorical(one, rows.length) &&
            ![named.after, named.text, named.date, named.id, named.group].some((words) => has(one, words)),
        );
  const rival = rivals
    .slice(0, 3)
    .map(({ name }) => name)
    .join(", ");
  take(
    "label",
    [answer.name],
    said.label
      ? "as --label says"
      : `${answer.why}${rival ? `; --label FIELD takes another (${rival})` : ""}`,
  );
  if (options) take("options", options.fields, options.why);

  // Ids come before texts: an identifier of letters and digits is short, and never the text to judge.
  const id = idOf(free(), rows.length, said.input);
  if (id) take("id", [id.name], id.why);
  const repeated = columns.find(({ name }) => name === "id" && !used.has(name));

  const task = taskOf(free(), table);
  if (task) take("task", [task.name], tasksApart(task, table, labelColumn, options));
  const group = groupOf(free(), rows.length, said.input);
  if (group) take("group", [group.name], group.why);

  const telling = new Set(
    kind === "labels" ? free().filter((column) => betrays(rows, column, answer.name)) : [],
  );
  const texts = textsOf(
    free().filter((column) => !telling.has(column)),
    rows.length,
    said,
  );
  const { input } = texts;
  if (input.length === 0) throw noText(table, file);
  // The column that distinguishes tasks may itself hold their questions.
  const words = (role: ReadonlySet<string>) => (task && has(task, role) ? task.name : undefined);
  const question = texts.question ?? words(named.question);
  const instruction = texts.instruction ?? words(named.instruction);
  take("input", input, texts.why);
  if (question) take("question", [question], "asked about the text");
  if (instruction) take("instruction", [instruction], "each row brings its own");
  const passage = group ? undefined : passageOf(input, question, byName, rows.length);
  if (passage) taken.push({ role: "group", fields: [passage], why: "several rows are about the same text" });
  const unused = columns
    .filter(({ name }) => !name.includes(".") && ![...used].some((one) => one.startsWith(`${name}.`)))
    .filter((column) => !isUsed(column))
    .map((column) => ({
      name: column.name,
      ...(has(column, named.after) || telling.has(column) ? { why: "it may give the answer away" } : {}),
    }));
  return {
    label: answer.name,
    kind,
    ...(open === undefined ? {} : { open }),
    input,
    ...(question ? { question } : {}),
    ...(instruction ? { instruction } : {}),
    ...(options ? { options } : {}),
    ...(id ? { id: id.name } : repeated ? { id: false as const } : {}),
    ...(group ? { group: group.name } : passage ? { group: passage } : {}),
    ...(task ? { task: task.name } : {}),
    taken,
    unused,
  };
}

function idOf(
  columns: readonly Column[],
  rows: number,
  input?: string,
): { name: string; why: string } | undefined {
  const unique = columns.filter(
    ({ name, filled, counts, meanWords, meanLength }) =>
      name !== input && filled === rows && counts.size === rows && meanWords <= 1.5 && meanLength <= 80,
  );
  const exact = unique.find(({ name }) => name.toLowerCase() === "id");
  const called = unique.find((column) => has(column, named.id) && !has(column, named.date));
  // A first column without a name is a table's row number; other ids have digits and no decimals.
  const shaped = unique.find(
    (column, place) =>
      !has(column, named.date) &&
      !has(column, named.text) &&
      (column.numeric < 0.5 || (place === 0 && column === columns[0])) &&
      [...column.counts.keys()].slice(0, 100).every((value) => /^(?=.*\d)[\p{L}\d_:/-]+$/u.test(value)),
  );
  const found = exact ?? called ?? shaped;
  return found && { name: found.name, why: "unique in every row" };
}

function groupOf(
  columns: readonly Column[],
  rows: number,
  input?: string,
): { name: string; why: string } | undefined {
  const repeating = columns.filter(({ name, counts, filled, meanWords, meanLength }) => {
    const largest = Math.max(0, ...counts.values());
    return (
      name !== input &&
      meanWords <= 4 &&
      meanLength <= 80 &&
      counts.size >= Math.min(10, rows / 10) &&
      counts.size < 0.95 * filled &&
      largest <= Math.max(2, 0.25 * rows)
    );
  });
  const idLike = ({ counts }: Column) =>
    [...counts.keys()]
      .slice(0, 100)
      .every((value) => /^(?=.*\d)[\p{L}\d][\p{L}\d_-]*$/u.test(value) && /\p{L}|[-_]/u.test(value));
  const fits = repeating.filter(
    (column) =>
      !has(column, named.date) &&
      (has(column, named.group) || has(column, named.id) || (idLike(column) && column.numeric < 0.5)) &&
      (has(column, named.id) || !has(column, named.title)),
  );
  // A customer has several threads: the coarser group keeps the finer one together.
  const found = fits.toSorted((a, b) => a.counts.size - b.counts.size)[0];
  if (!found) return undefined;
  const each = (found.filled / found.counts.size).toFixed(1);
  return {
    name: found.name,
    why: `${found.counts.size} values, ${each} rows each: they stay in one split`,
  };
}

/** Named like a task, with enough rows for every task; or a question that a few kinds of rows share. */
function taskOf(columns: readonly Column[], { rows }: Table): Column | undefined {
  const few = columns.filter(
    (column) =>
      isCategorical(column, rows.length) &&
      column.everywhere &&
      column.filled === rows.length &&
      column.counts.size <= most.tasks &&
      Math.min(...column.counts.values()) >= 5,
  );
  const called = few.find((column) => has(column, named.task) && !has(column, named.date));
  const asked = few.find((column) => has(column, named.question) || has(column, named.instruction));
  return called ?? asked;
}

function tasksApart(task: Column, { rows }: Table, label: Column, options: OwnOptions | undefined): string {
  const own = !options && labelsApart(rows, task.name, label.name);
  return `tells ${task.counts.size} tasks apart${own ? ", each with labels of its own" : ""}`;
}

/** Whether hardly a label occurs in two of the tasks. */
export function labelsApart(rows: Table["rows"], task: string, label: string): boolean {
  const tasks = new Map<string, Set<string>>();
  for (const row of rows) {
    const value = field(row, label);
    if (!isFilled(value)) continue;
    const name = foldLabel(String(value));
    tasks.set(name, (tasks.get(name) ?? new Set()).add(String(field(row, task))));
  }
  const all = [...tasks.values()];
  return all.filter(({ size }) => size > 1).length <= 0.2 * all.length;
}

const fieldsOf = ({ columns }: Table) =>
  columns
    .slice(0, 30)
    .map(({ name }) => name)
    .join(", ") || "none";

function unknownField(flag: string, name: string, table: Table, file: string): HoneError {
  return new HoneError({
    what: `There is no field ${name}`,
    where: file,
    why: `its fields are ${fieldsOf(table)}`,
    next: `Name one of them with --${flag} FIELD.`,
    kind: "usage",
  });
}

function noLabel(columns: readonly Column[], table: Table, file: string): HoneError {
  const one = columns.find((column) => has(column, named.label) && column.counts.size === 1);
  const near = columns.filter(
    (column) =>
      mayBeLabels(column) && ![named.date, named.id, named.group].some((words) => has(column, words)),
  );
  const shown = near.slice(0, 3).map((column) => `${column.name} (${repeats(column, table.rows.length)})`);
  return new HoneError({
    what: one ? `The field ${one.name} has only one label` : "Cannot tell which field holds the answer",
    where: file,
    why: one
      ? `every row that has one${table.total > table.rows.length ? `, of the first ${table.rows.length.toLocaleString("en")},` : ""} says ${JSON.stringify([...one.counts.keys()][0]?.slice(0, 60))}, so there is nothing to tell apart`
      : near.length > 0
        ? `values repeat in ${shown.join(", ")}, but no field is named like an answer; the fields are ${fieldsOf(table)}`
        : `no field is named like an answer, or has two or more values that repeat (dates, ids and groups aside); its fields are ${fieldsOf(table)}`,
    next:
      near[0] && !one
        ? `If ${near[0].name} is the answer, say --label ${near[0].name}.`
        : "Name it with --label FIELD.",
    kind: "usage",
  });
}

function noText(table: Table, file: string): HoneError {
  return new HoneError({
    what: "Cannot tell which field holds the text",
    where: file,
    why: `its fields are ${fieldsOf(table)}`,
    next: "Name it with --input FIELD.",
    kind: "usage",
  });
}
