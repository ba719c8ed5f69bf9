// Finds the options that every row brings with it: a list in one field, or one field per option (option_a … option_d), and
// how the answer names one of them: by letter, by number, by its text. The reading that fits most rows is chosen.

import { HoneError } from "../core/errors.js";
import { field, foldLabel } from "../data/index.js";
import { type Column, isFilled, isLabelledList, isScalar, type Table, type TableRow } from "./columns.js";

export interface OwnOptions {
  fields: readonly string[];
  label: string;
  /** As a study writes it. */
  written: string | Record<string, string>;
  /** Most options that a row has. */
  most: number;
  /** How it was recognized, in words. */
  why: string;
  /** Share of the rows whose answer is one of their options. */
  share: number;
}

/** Fields that can hold options. `read` returns a row's options, by position; an empty text is no option. */
interface Candidate {
  fields: readonly string[];
  what: string;
  named: boolean;
  /** The options' names: the ends of their column names, or keys. */
  names: (row: TableRow) => readonly string[];
  read: (row: TableRow) => readonly string[];
  /** The field's name, if a study can use the field directly. */
  whole?: string;
}

const optionWords = new Set(
  "option options opt op choice choices answer answers ans candidate candidates alternative alternatives ending endings sol solution".split(
    " ",
  ),
);
const answerWords = new Set(
  "answer answers label gold correct target key solution cop idx index truth".split(" "),
);
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const looked = 2000;
const enough = 0.95;

/**
 * The rows' own options, or undefined if there are none.
 * @param asked the field that the user names, or true if the user only says that there are options
 * @throws HoneError where the user says that there are options and none can be found
 */
export function findOptions(
  table: Table,
  label: string | undefined,
  asked: string | boolean | undefined,
): OwnOptions | undefined {
  const candidates = candidatesIn(table);
  const chosen =
    typeof asked === "string" ? candidates.filter(({ fields }) => fields.includes(asked)) : candidates;
  const found = chosen.flatMap((candidate) =>
    table.columns
      .filter(({ name, lists }) => lists === 0 && !candidate.fields.includes(name))
      .filter(({ name }) => label === undefined || name === label)
      // Fields not named like options need a field named like an answer: else every field would be tried for every other.
      .filter((column) => candidate.named || asked !== undefined || isCalledAnswer(column))
      .flatMap((column) => reading(table, candidate, column, asked !== undefined) ?? []),
  );
  const best = found.sort((a, b) => b.rank - a.rank)[0];
  if (best) return best;
  if (asked === undefined || asked === false) return undefined;
  throw notFound(table, candidates, asked, label);
}

function notFound(
  table: Table,
  candidates: readonly Candidate[],
  asked: string | true,
  label: string | undefined,
): HoneError {
  const better = candidates.find(({ fields }) => typeof asked !== "string" || !fields.includes(asked));
  const known = table.columns.map(({ name }) => name);
  const holds = ({ fields, what }: Candidate) =>
    fields.length === 1 ? `${fields[0]} holds ${what}` : `${fields.join(", ")} are ${what}`;
  const hint = better && `${holds(better)}: say --own-options ${better.fields[0]}`;
  const unread = candidates.find(({ fields }) => typeof asked !== "string" || fields.includes(asked));
  const why =
    typeof asked === "string" && !known.includes(asked)
      ? `there is no field ${asked}; the fields are ${known.slice(0, 30).join(", ")}`
      : unread
        ? `${holds(unread)}, but ${label === undefined ? "no field" : label} says which of them is right`
        : `${asked === true ? "no field" : asked} holds a list of options or is one of several such as option_a, option_b; the fields are ${known.slice(0, 30).join(", ")}`;
  return new HoneError({
    what: "Cannot find the rows' own options",
    where: typeof asked === "string" ? `--own-options ${asked}` : "--own-options",
    why,
    next: unread
      ? "Name the field of the answers (a letter, a number or the option's text) with --label FIELD."
      : hint
        ? `${hint}.`
        : "Leave --own-options out where all rows choose among the same labels.",
    kind: "usage",
  });
}

function candidatesIn({ columns, rows }: Table): Candidate[] {
  const found: Candidate[] = [];
  for (const { name, words, filled, lists } of columns) {
    const named = words.some((word) => optionWords.has(word));
    const sample = rows.slice(0, 50).map((row) => field(row, name));
    if (lists > 0.98 && filled > 0.95 * rows.length) {
      const labelled = sample.some(isLabelledList);
      const read = (row: TableRow): string[] => {
        const value = field(row, name);
        return (isLabelledList(value) ? value.text : Array.isArray(value) ? value : []).map(plain);
      };
      if (!sample.every((value, i) => value === undefined || read(rows[i] as TableRow).length >= 2)) continue;
      const names = (row: TableRow): string[] => {
        const value = field(row, name);
        return isLabelledList(value) ? value.label.map(plain) : [...letters].slice(0, read(row).length);
      };
      const what = "a list in every row";
      found.push({ fields: [name], what, named, names, read, whole: name });
      if (labelled) found.splice(-1, 1, { ...(found.at(-1) as Candidate), named: true });
    } else if (lists === 0 && sample.length > 0 && sample.every(isMap)) {
      const entries = (row: TableRow) => Object.entries((field(row, name) ?? {}) as Record<string, unknown>);
      found.push({
        fields: [name],
        what: "named options in every row",
        named,
        names: (row) => entries(row).map(([key]) => key),
        read: (row) => entries(row).map(([, value]) => plain(value)),
        whole: name,
      });
    }
  }
  for (const family of families(columns)) {
    const fields = family.map(({ column }) => column.name);
    found.push({
      fields,
      what: "a field for each option",
      named: family[0]?.named ?? false,
      names: () => family.map(({ end }) => end),
      read: (row) => fields.map((name) => plain(field(row, name))),
    });
  }
  return found;
}

function isCalledAnswer({ words }: Column): boolean {
  return words.some((word) => answerWords.has(word));
}

function isMap(value: unknown): boolean {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.length >= 2 &&
    entries.every(([key, one]) => /^([A-Za-z]|\d{1,2})$/.test(key) && (one === null || isScalar(one)))
  );
}

/** Columns whose names differ only in a final letter or number that counts up from a, 0 or 1. */
function families(columns: readonly Column[]): { column: Column; end: string; named: boolean }[][] {
  const stems = new Map<string, { column: Column; end: string; place: number }[]>();
  for (const column of columns) {
    const match = /^(.*?)[\s_.-]*(\d{1,2}|[A-Za-z])$/.exec(column.name);
    if (!match || column.name.includes(".") || !column.everywhere) continue;
    const [, stem = "", end = ""] = match;
    const digit = /\d/.test(end);
    const key = `${digit ? "1" : "a"}${stem.toLowerCase()}`;
    const place = digit ? Number(end) : end.toLowerCase().charCodeAt(0) - 97;
    stems.set(key, [...(stems.get(key) ?? []), { column, end, place }]);
  }
  return [...stems].flatMap(([key, members]) => {
    const family = members.toSorted((a, b) => a.place - b.place);
    const first = family[0]?.place ?? 0;
    const counts = family.every(({ place }, i) => place === first + i);
    if (family.length < 2 || !counts || first > (key.startsWith("1") ? 1 : 0)) return [];
    const stem = key.slice(1).match(/\p{L}+/gu) ?? [];
    // Columns named just A, B, C, … are options too; text1 and text2 are not.
    const named = stem.length === 0 ? !key.startsWith("1") : stem.some((word) => optionWords.has(word));
    return [family.map(({ column, end }) => ({ column, end, named }))];
  });
}

const ways = [
  { how: "name", why: "the answer is its name" },
  { how: "letter", why: "the answer is its letter" },
  { how: "text", why: "the answer is its text" },
  { how: "from 0", why: "the answer is its number, from 0" },
  { how: "from 1", why: "the answer is its number, from 1" },
  { how: "field", why: "the answer is its field's name" },
] as const;
type How = (typeof ways)[number]["how"];

/** The position of the option that an answer means, or -1. */
function placeOf(how: How, answer: string, row: TableRow, { names, read, fields }: Candidate): number {
  const same = (one: string) => foldLabel(one) === foldLabel(answer);
  switch (how) {
    case "name":
      return names(row).findIndex(same);
    case "letter":
      return /^[a-z]$/i.test(answer) ? letters.indexOf(answer.toUpperCase()) : -1;
    case "text": {
      const texts = read(row);
      const first = texts.findIndex(same);
      return first >= 0 && texts.findLastIndex(same) === first ? first : -1;
    }
    case "from 0":
      return /^\d{1,2}$/.test(answer) ? Number(answer) : -1;
    case "from 1":
      return /^\d{1,2}$/.test(answer) ? Number(answer) - 1 : -1;
    case "field":
      return fields.length > 1 ? fields.findIndex(same) : -1;
  }
}

function reading(
  { rows, columns }: Table,
  candidate: Candidate,
  label: Column,
  asked: boolean,
): (OwnOptions & { rank: number }) | undefined {
  const answered = rows.filter((row) => isFilled(field(row, label.name))).slice(0, looked);
  if (answered.length < Math.min(5, rows.length) || answered.length === 0) return undefined;
  // Many answers numbered from 0 include a 0.
  const counted = answered.some((row) => plain(field(row, label.name)) === "0") || answered.length < 20;
  let best: { how: How; why: string; share: number } | undefined;
  for (const { how, why } of ways) {
    // A number or letter is weak evidence for a field that is not named like options: tokens and a label 0 or 1 would fit.
    if (!candidate.named && !asked && how !== "text") continue;
    if (how === "from 0" && !counted) continue;
    const fits = answered.filter((row) => {
      const place = placeOf(how, plain(field(row, label.name)), row, candidate);
      return place >= 0 && (candidate.read(row)[place] ?? "") !== "";
    });
    const share = fits.length / answered.length;
    if (share >= enough && share > (best?.share ?? 0)) best = { how, why, share };
  }
  if (!best) return undefined;
  const named = isCalledAnswer(label);
  const most = rows.reduce((most, row) => Math.max(most, candidate.read(row).length), 0);
  return {
    fields: candidate.fields,
    label: label.name,
    written: written(candidate, best.how, answered, label.name, most),
    most,
    why: `${candidate.what}; ${best.how === "name" ? nameWhy(candidate.names(rows[0] as TableRow)) : best.why}`,
    share: best.share,
    // An answer is named like one, and more often follows its options than precedes them.
    rank: 10 * Number(candidate.named) + 5 * Number(named) + best.share + columns.indexOf(label) / 1e4,
  };
}

function nameWhy(names: readonly string[]): string {
  const kind = names.every((name) => /^\d+$/.test(name))
    ? "number"
    : names.every((name) => name.length === 1)
      ? "letter"
      : "name";
  return `the answer is its ${kind}`;
}

/** The field alone if the data layer reads it that way, else a template for each option. */
function written(
  { whole, fields, names }: Candidate,
  how: How,
  rows: readonly TableRow[],
  label: string,
  most: number,
): string | Record<string, string> {
  const list = whole !== undefined && rows.some((row) => Array.isArray(field(row, whole)));
  const numbers = rows.some((row) => typeof field(row, label) === "number");
  const asItIs = whole !== undefined && (!list || (how === "from 0") === numbers) && how !== "from 1";
  if (asItIs) return whole;
  const ends = whole === undefined ? names(rows[0] as TableRow) : [];
  // Letters in the case that the answers use.
  const capital = rows.some((row) => /^\p{Lu}$/u.test(plain(field(row, label))));
  const keyOf = (place: number): string => {
    if (how === "from 0") return String(place);
    if (how === "from 1") return String(place + 1);
    if (how === "field") return fields[place] as string;
    const letter = (how === "name" ? ends[place] : undefined) ?? (letters[place] as string);
    return how === "text" ? letter : capital ? letter.toUpperCase() : letter.toLowerCase();
  };
  const slot = (place: number) => (whole === undefined ? (fields[place] as string) : `${whole}.${place}`);
  return Object.fromEntries(
    Array.from({ length: Math.min(most, letters.length) }, (_, place) => [
      keyOf(place),
      `{{${slot(place)}}}`,
    ]),
  );
}

function plain(value: unknown): string {
  return isScalar(value) ? String(value).trim() : "";
}
