// Small data in the two forms that the Lawma reader takes, written by hand.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Lawma's own form: four tasks, one plain, one keyed with holes, one with a list of right answers, one with a number. */
export function writeOpinionForm(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const ids = Array.from({ length: 12 }, (_, i) => String(100 + i));
  write(
    "sc_opinions.json",
    JSON.stringify(Object.fromEntries(ids.map((id) => [id, `Opinion ${id}. It is so ordered.`]))),
  );
  const examples = (of: (i: number) => object) => {
    const rows = ids.map((id, i) => ({ input: Number(id), ...of(i) }));
    return { train: rows.slice(0, 6), val: rows.slice(6, 8), test: rows.slice(8) };
  };
  // Written as text: an object literal would put "1" before "10" and "2".
  write(
    "sc_plain.json",
    `{"task": {"name": "sc_plain", "instruction": "Read \\"10\\": it.", "question": "Which?",
      "answer_choices": {"10": "ten", "2": "two", "nan": "none"}}, "examples": ${JSON.stringify(
        examples((i) => ({ target: i % 3 === 0 ? "nan" : i % 3 === 1 ? 2 : 10 })),
      )}}`,
  );
  write(
    "songer_keyed.json",
    JSON.stringify({
      task: {
        name: "songer_keyed",
        instruction: { a: "About {issue}, first.", b: "About {issue}, second." },
        question: { a: "What of {issue}?", b: "And what of {issue}?" },
        answer_choices: { a: { x: "ex", y: "why" }, b: { z: "zed", w: "double" } },
        fill_in: ["issue"],
      },
      examples: examples((i) => ({
        key: i % 2 ? "a" : "b",
        issue: `tax ${i}`,
        target: i % 2 ? "y" : "z",
      })),
    }),
  );
  write(
    "sc_list.json",
    JSON.stringify({
      task: {
        name: "sc_list",
        instruction: "I",
        question: "Q",
        answer_choices: { p: "pe", q: "cue", r: "are" },
      },
      examples: examples(() => ({ target: ["p", "q"], choices: ["p", "q"] })),
    }),
  );
  write(
    "songer_count.json",
    JSON.stringify({
      task: {
        name: "songer_count",
        instruction: "I",
        question: "How many?",
        answer_choices: null,
        type: "int",
      },
      examples: examples((i) => ({ target: i })),
    }),
  );
}

/** Definitions, facts and SCDB columns: a task of each rule for codes that are not among the choices. */
export function writeFactsForm(folder: string, cases = 60): void {
  mkdirSync(join(folder, "scdb_oyez"), { recursive: true });
  const definition = (variable: string, name: string, answer_choices: object, more: object = {}) => ({
    db: "SCDB",
    variable,
    name,
    instruction: `What follows is an opinion. Your task is ${name}. Mind the rest.`,
    question: `Which ${variable}?`,
    answer_choices,
    ...more,
  });
  const definitions = [
    definition("area", "sc_area", { "1": "crime", "2": "rights", "3": "speech" }),
    definition("agency", "sc_agency_is", { otherwise: "Yes", nan: "No" }),
    definition(
      "basis",
      "sc_basis",
      { "1": "first", "2": "second" },
      { multilabel_second_variable: "basis2" },
    ),
    { ...definition("geniss", "songer_geniss", { "1": "one" }), db: "Songer" },
  ];
  writeFileSync(join(folder, "lawma_task_definitions.json"), JSON.stringify(definitions));
  const rows = Array.from({ length: cases }, (_, i) => ({
    id: `19${10 + i}-00${i % 7}`,
    facts: `Petitioner ${i * 7919} of ${["Ohio", "Utah", "Iowa"][i % 3]} number ${i} argued ${"xyz"[i % 3]}${i * 31} and more${i * 17} before court${i * 13}.`,
    conclusion: "SECRET OUTCOME",
    labels: { area: String(1 + (i % 3)), basis: String(1 + (i % 2)) },
  }));
  const line = (row: object) => `${JSON.stringify(row)}\n`;
  const write = (name: string, part: typeof rows) =>
    writeFileSync(join(folder, "scdb_oyez", name), part.map(line).join(""));
  write("train_1.jsonl", rows.slice(0, 20));
  write("train_2.jsonl", rows.slice(20, 36));
  write("val.jsonl", rows.slice(36, 44));
  write("test.jsonl", rows.slice(44));
  const columns = rows.map(({ id }, i) => `${id},${i % 4 === 0 ? "" : i},${i % 5 === 0 ? 2 : ""}`);
  writeFileSync(
    join(folder, "SCDB_2018_01_caseCentered_Citation.csv"),
    `caseId,agency,basis2\n${columns.join("\n")}\n`,
  );
}
