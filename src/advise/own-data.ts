// Writes a study for a user's own data file: columns are assigned roles, labels are counted, and the data set is loaded as
// the study will load it, so that the written study runs. The result says what was used, and what could not be kept.

import { basename, dirname, relative, resolve } from "node:path";
import { HoneError } from "../core/errors.js";
import { type Reading, readingOf } from "../data/index.js";
import { type Column, readTable, type Table } from "./columns.js";
import { countLabels, type Label, type Labels } from "./labels.js";
import { has, named } from "./names.js";
import { countOf, cutNotes, headerNotes, labelNotes, splitColumn, splitNotes } from "./notes.js";
import { labelsApart, type Roles, rolesOf, type Said, type Taken } from "./roles.js";
import { type Counts, settle } from "./settle.js";
import { type Draft, defaultModel } from "./study.js";

export interface DataFlags extends Said, Reading {
  /** All rows are for testing: true or false if given, else inferred from names and numbers. */
  testOnly?: boolean;
}

/** What was detected in a study's data, for people and for --json. */
export interface About {
  source: string;
  rows: number;
  fields: number;
  taken: readonly Taken[];
  unused: Roles["unused"];
  /** By task if there are several; empty if answers are open or every row has its own options. */
  labels: readonly { task?: string; labels: readonly Pick<Label, "text" | "rows">[] }[];
  /** Most options that a sample has, and whether every row brings its own. */
  options: { most?: number; own: boolean };
  counts: Counts;
  /** Whether near-duplicates stay in one split. */
  near: boolean;
  /** What was left out, joined or not kept, one sentence each. */
  notes: readonly string[];
}

/** With fewer answered rows nothing is left to learn from once dev and test are taken. */
const fewestRows = 50;
const cut = 1500;

/**
 * @param path where the study file will be; its source is written relative to it
 * @param file a path or pattern, hf: or pip:
 * @throws HoneError where a field cannot be inferred or does not exist
 */
export async function fromData(
  study: string,
  path: string,
  file: string,
  flags: DataFlags,
): Promise<Draft & { about: About }> {
  const table = await readTable(file, readingOf(flags));
  const roles = rolesOf(table, flags, file);
  const apart =
    roles.kind === "labels" && roles.task !== undefined && labelsApart(table.rows, roles.task, roles.label);
  const labels = await countLabels(table, roles.label, apart ? roles.task : undefined);
  const labelled = table.total - labels.empty;
  if (labelled === 0)
    throw new HoneError({
      what: `The field ${roles.label} is empty`,
      where: file,
      why: `none of ${countOf(table.total, "row")} has a value in it`,
      next: "Name another field with --label FIELD.",
      kind: "usage",
    });
  const notes =
    labels.empty > 0 ? [`${countOf(labels.empty, "row")} without ${article(roles.label)} are left out.`] : [];
  if (roles.open !== undefined)
    notes.push(`${roles.label} is taken as free text (kind: answer, scored by f1): ${roles.open}.`);
  const shown = roles.kind === "labels" ? shownLabels(labels, roles, table, file) : [];
  const untrained = testReason(table, labelled, file, flags.testOnly);
  if (untrained !== undefined)
    notes.push(`${untrained}: the study has prompts only, with a fifth of the rows to choose among them.`);

  const base = dirname(resolve(path));
  const data = {
    ...sourceOf(table, base, file, untrained !== undefined),
    ...table.reading,
    ...dataOf(roles, labels, apart, table.columns),
  };
  notes.push(
    ...shown.flatMap((one) => labelNotes(one.labels, roles.label)),
    ...headerNotes(table),
    ...("splits" in data ? [] : splitNotes(table.columns)),
    ...cutNotes(data.input, cut, table),
  );
  const settled = await settle(data, {
    base,
    notes,
    roles,
    labelled,
    labels: shown.reduce((sum, one) => sum + one.labels.length, 0),
    untrained: untrained !== undefined,
  });
  return {
    study,
    model: defaultModel,
    task: {
      name: taskName(roles.label),
      kind: roles.kind === "open" ? "answer" : "choice",
      ...asked(roles, table),
      data: settled.data,
    },
    specialists: ["zeroShot"],
    about: {
      source: file,
      rows: table.total,
      fields: table.columns.filter(({ name }) => !name.includes(".")).length,
      taken: settled.taken,
      unused: roles.unused,
      labels: shown.map(({ labels: list, ...of }) => ({
        ...of,
        labels: list.map(({ text, rows }) => ({ text, rows })),
      })),
      options:
        roles.options !== undefined
          ? { most: roles.options.most, own: true }
          : {
              ...(shown.length > 0 ? { most: Math.max(...shown.map((one) => one.labels.length)) } : {}),
              own: false,
            },
      counts: settled.counts,
      near: (settled.data.split as { group?: string }).group === "near",
      notes,
    },
  };
}

/** Labels for the output and the notes. */
function shownLabels(
  { strata, empty }: Labels,
  { label }: Roles,
  table: Table,
  file: string,
): { task?: string; labels: readonly Label[] }[] {
  const all = [...strata].map(([task, labels]) => ({ ...(task === "" ? {} : { task }), labels }));
  if (new Set(all.flatMap(({ labels }) => labels.map(({ text }) => text))).size < 2)
    throw new HoneError({
      what: `The field ${label} has only one label`,
      where: file,
      why: `all ${countOf(table.total - empty, "row")} that have a value say ${JSON.stringify(all[0]?.labels[0]?.text.slice(0, 60))}, so there is nothing to tell apart`,
      next: "Name another field with --label FIELD, or add rows of other labels.",
      kind: "usage",
    });
  return all;
}

/** Why nothing can be learnt from these rows; undefined if they can be split. */
function testReason(
  table: Table,
  labelled: number,
  file: string,
  said: boolean | undefined,
): string | undefined {
  if (said !== undefined) return said ? "--test-only" : undefined;
  const few = `${countOf(labelled, "row")} with an answer are too few to learn from and to test on`;
  if (labelled < fewestRows) return few;
  const test = /(^|[^a-z])(test|eval|holdout|heldout|benchmark)([^a-z]|$)/i;
  if (table.files.every((one) => test.test(basename(one))))
    return `${oneName(table.files, file)} is a test set by its name (--no-test-only splits it)`;
  const split = splitColumn(table.columns);
  return split && [...split.counts.keys()].every((value) => test.test(value))
    ? `the field ${split.name} says test in every row (--no-test-only splits them)`
    : undefined;
}

function oneName(files: readonly string[], file: string): string {
  return files.length === 1 ? basename(files[0] as string) : file;
}

/** One source to be split, or files whose names already mark them as splits. */
function sourceOf({ files }: Table, base: string, file: string, untrained: boolean): Record<string, unknown> {
  const written = (path: string) => `file:${relative(base, path).split("\\").join("/") || path}`;
  const part = (word: RegExp) => {
    const found = files.filter((path) => word.test(basename(path).toLowerCase()));
    return found.length === 0
      ? undefined
      : found.length === 1
        ? written(found[0] as string)
        : found.map(written);
  };
  const train = part(/(^|[^a-z])train([^a-z]|$)/);
  const test = part(/(^|[^a-z])test([^a-z]|$)/);
  const dev = part(/(^|[^a-z])(dev|val|valid|validation)([^a-z]|$)/);
  if (train && test && !untrained) return { splits: { train, ...(dev ? { dev } : {}), test } };
  if (/^(hf|pip):/.test(file)) return { source: file };
  const path = file.replace(/^file:/, "");
  return { source: written(resolve(path)) };
}

function dataOf(
  roles: Roles,
  labels: Labels,
  apart: boolean,
  columns: readonly Column[],
): { input: string } & Record<string, unknown> {
  const { id, question, instruction, group, task, options, kind } = roles;
  // In a list a number would be an index.
  const written = (list: readonly Label[]) => {
    const texts = list.map(({ text }) => text);
    return texts.some((text) => /^\d+$/.test(text))
      ? Object.fromEntries(texts.map((text) => [text, text]))
      : texts;
  };
  const shared = apart
    ? Object.fromEntries([...labels.strata].map(([stratum, list]) => [stratum, written(list)]))
    : written([...labels.strata.values()].flat());
  return {
    ...(id === undefined ? {} : { id }),
    input: template(roles.input, columns),
    ...(question === undefined ? {} : { question: `{{${question}}}` }),
    ...(question === undefined && instruction === undefined && task !== undefined
      ? { question: `What is the {{${task}}}?` }
      : {}),
    ...(instruction === undefined ? {} : { instruction: `{{${instruction}}}` }),
    label: roles.label,
    ...(options ? { options: options.written } : kind === "labels" ? { options: shared } : {}),
    ...(options && options.share < 1 ? { otherLabels: "drop" } : {}),
    ...(task === undefined ? {} : { stratum: task }),
    ...(group === undefined ? {} : { group }),
  };
}

/** A title is placed above its text without a heading; other texts are prefixed with their names. */
function template(input: readonly string[], columns: readonly Column[]): string {
  const of = (name: string) => columns.find((column) => column.name === name);
  const isLong = (name: string) => [...(of(name)?.counts.keys() ?? [])].some((text) => text.length > cut / 4);
  const slot = (name: string) => {
    if (/^\s|\s$|[|{}]/.test(name)) return name;
    return isLong(name) ? `{{${name}|${cut}}}` : `{{${name}}}`;
  };
  const only = input[0] as string;
  if (input.length === 1) return slot(only);
  const isTitle = (name: string) => {
    const column = of(name);
    return column !== undefined && has(column, named.title);
  };
  const order = [...input.filter(isTitle), ...input.filter((name) => !isTitle(name))];
  if (order.length === 2 && isTitle(order[0] as string)) return order.map(slot).join("\n");
  return order.map((name) => `${name}: ${slot(name)}`).join("\n");
}

function asked({ kind, label, instruction, options, task }: Roles, table: Table): Record<string, unknown> {
  if (kind === "open") return { ...(instruction ? {} : { instruction: "Answer briefly." }), metric: "f1" };
  if (instruction || (task && kind === "labels")) return {};
  const words = table.columns.find(({ name }) => name === label)?.words.join(" ") || label;
  return { instruction: options ? "Which answer is right?" : `Which ${words} fits best?` };
}

/** A valid task name has letters, digits and a few symbols. */
function taskName(label: string): string {
  const plain = label
    .normalize("NFKD")
    .replace(/[^A-Za-z0-9_ .-]+/g, " ")
    .replace(/^[^A-Za-z0-9]+/, "")
    .trim()
    .slice(0, 64);
  return plain === "" ? "label" : plain;
}

const article = (name: string) => `a value in ${name}`;
