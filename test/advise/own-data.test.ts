// Data that nobody prepared: each goes through `hone init` and the study that it writes through `hone run`, without an edit.

import { execFile } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { parse } from "yaml";
import * as sets from "./datasets.js";

// Each test starts a few processes.
vi.setConfig({ testTimeout: 300_000 });

const root = resolve(import.meta.dirname, "../..");
// What is written out of it would lie in a folder of these tests, too.
const outer = mkdtempSync(join(tmpdir(), "hone-own-"));
const folder = join(outer, "here");
mkdirSync(folder);
afterAll(() => rmSync(outer, { recursive: true, force: true }));

interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

const hone = (args: string[]): Promise<Ran> =>
  new Promise((done) => {
    execFile(
      process.execPath,
      [join(root, "bin/hone.js"), ...args],
      { cwd: folder },
      (error, stdout, stderr) => done({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });

interface Made {
  spec: { task: { kind: string; data: Record<string, unknown> }; specialists: unknown[] };
  about: {
    taken: { role: string; fields: string[]; why: string }[];
    unused: { name: string; why?: string }[];
    labels: { task?: string; labels: { text: string; rows: number }[] }[];
    counts: Record<"train" | "dev" | "test", number>;
    notes: string[];
  };
  taken: Record<string, string[]>;
  study: Record<string, never>;
}

async function init(name: string, data: string, more: string[] = []): Promise<Made> {
  const ran = await hone(["init", name, "--data", data, "--model", "mock:?skill=0.8", "--json", ...more]);
  expect(ran.code, ran.stderr).toBe(0);
  const made = JSON.parse(ran.stdout.trim().split("\n").at(-1) as string) as Made;
  const taken = Object.fromEntries(made.about.taken.map(({ role, fields }) => [role, fields]));
  return { ...made, taken, study: parse(readFileSync(join(folder, `${name}.study.yaml`), "utf8")) };
}

/** Runs the study as it was written, and gives its last record. */
async function run(name: string): Promise<{ results: { subject: string; n: number; mean: number }[] }> {
  const ran = await hone(["run", `${name}.study.yaml`, "--quiet", "--json"]);
  expect(ran.code, ran.stderr).toBe(0);
  return JSON.parse(ran.stdout.trim().split("\n").at(-1) as string);
}

const names = (specialists: unknown[]) => JSON.stringify(specialists);

describe("a study from data as they come", () => {
  it("tickets with customers and near-duplicates: id, group, subject and body; no leak, no customer on both sides", async () => {
    const { taken, about, spec } = await init(
      "tickets",
      sets.writeCsv(folder, "tickets.csv", sets.tickets()),
    );
    expect(taken).toEqual({
      label: ["team"],
      id: ["ticket_id"],
      group: ["customer_id"],
      input: ["subject", "body"],
    });
    expect(spec.task.data).toMatchObject({ group: "customer_id", split: { group: "near" }, id: "ticket_id" });
    expect(spec.task.data.input).toMatch(/^\{\{subject\}\}\n\{\{body/);
    expect(about.unused).toContainEqual({
      name: "agent_reply",
      why: expect.stringMatching(/give the answer away/),
    });
    expect(about.labels[0]?.labels.reduce((sum, { rows }) => sum + rows, 0)).toBe(400);
    expect(about.counts.test).toBeGreaterThan(70);
    const { results } = await run("tickets");
    expect(results.map(({ subject }) => subject)).toEqual(
      expect.arrayContaining(["zeroShot", "majority", "linear(tfidf)", "knn(k=5, bm25)"]),
    );
    const text = readFileSync(join(folder, "tickets.study.yaml"), "utf8");
    expect(text).toMatch(/^# npx hone run tickets.study.yaml\n/);
    for (const { role, fields, why } of about.taken)
      expect(text).toContain(`#   ${role}: ${fields.join(", ")} (${why})`);
  });

  it("exam questions with a column for each option, the answer a letter; the explanation stays out", async () => {
    const { taken, about, spec } = await init("exam", sets.writeCsv(folder, "exam.csv", sets.examColumns()));
    expect(taken).toMatchObject({
      label: ["answer"],
      options: ["option_a", "option_b", "option_c", "option_d"],
      input: ["question"],
    });
    expect(spec.task.data.options).toEqual({
      A: "{{option_a}}",
      B: "{{option_b}}",
      C: "{{option_c}}",
      D: "{{option_d}}",
    });
    expect(about.unused.find(({ name }) => name === "explanation")?.why).toMatch(/give the answer away/);
    expect(names(spec.specialists)).not.toMatch(/linear/);
    await run("exam");
  });

  it("exam questions with a list of choices, the answer an index from 0", async () => {
    const { taken, spec } = await init("list", sets.writeJsonLines(folder, "list.jsonl", sets.examList()));
    expect(taken).toMatchObject({ label: ["answer"], options: ["choices"], id: ["id"], input: ["question"] });
    expect(spec.task.data.options).toBe("choices");
    await run("list");
  });

  it.each([
    ["an index from 1", (i: number) => i + 1, /its number, from 1/],
    ["a letter", (i: number) => "abc"[i], /its letter/],
    ["the text", (i: number, choices: string[]) => choices[i]?.toUpperCase(), /its text/],
  ])("and the answer as %s", async (_, answer, why) => {
    const rows = sets.examList().map((row) => ({
      ...row,
      answer: answer(row.answer as number, row.choices as string[]),
    }));
    const name = `list-${rows[0]?.answer}`.replace(/\W/g, "-").slice(0, 20);
    const { about } = await init(name, sets.writeJsonLines(folder, `${name}.jsonl`, rows));
    expect(about.taken.find(({ role }) => role === "options")?.why).toMatch(why);
    const done = await run(name);
    // The mock holds the option for right that shares words with the question; here none does, so it guesses.
    expect(done.results.find(({ subject }) => subject === "zeroShot")?.n).toBeGreaterThan(60);
  });

  it("test-only files and few rows: a study of prompts, said so, unless told otherwise", async () => {
    const file = sets.writeCsv(folder, "tickets-test.csv", sets.tickets(150));
    const { spec, about } = await init("tested", file);
    expect(about.counts).toMatchObject({ train: 0 });
    expect(about.notes.join()).toMatch(/test set by its name.*prompts only/);
    expect(names(spec.specialists)).not.toMatch(/linear|fewShot|knn|majority|lora/);
    const { results } = await run("tested");
    expect(results.length).toBeGreaterThanOrEqual(3);
    expect((await init("split", file, ["--no-test-only"])).about.counts.train).toBeGreaterThan(40);
    const { about: small } = await init("small", sets.writeCsv(folder, "small.csv", sets.tickets(30)));
    expect(small.notes.join()).toMatch(/30 rows with an answer are too few/);
    await run("small");
  });

  it("several tasks in one file: each with its own labels, and specialists of its own", async () => {
    const { taken, about, spec } = await init(
      "tasks",
      sets.writeJsonLines(folder, "tasks.jsonl", sets.severalTasks()),
    );
    expect(taken).toEqual({ label: ["label"], task: ["task"], input: ["text"] });
    expect(about.labels.map(({ task, labels }) => [task, labels.length])).toEqual(
      expect.arrayContaining([
        ["tone", 2],
        ["urgency", 3],
        ["topic", 3],
      ]),
    );
    expect(spec.task.data).toMatchObject({ stratum: "task", question: "What is the {{task}}?" });
    expect(names(spec.specialists)).toMatch(/perStratum.*linear/);
    await run("tasks");
  });

  it("labels of mixed case and none: one label each, counted, with a warning; empty ones are left out and counted", async () => {
    const { about, spec } = await init("mixed", sets.writeCsv(folder, "mixed.csv", sets.mixedLabels()));
    expect(about.labels[0]?.labels).toHaveLength(3);
    expect(about.labels[0]?.labels.reduce((sum, { rows }) => sum + rows, 0)).toBe(250);
    expect(about.notes.join()).toMatch(/50 rows without a value in Sentiment are left out/);
    expect(about.notes.join()).toMatch(/3 labels had several spellings.*one: /);
    expect(spec.task.data.options).toHaveLength(3);
    await run("mixed");
  });

  it("other shapes: what names the label in other words stays out, several right answers, semicolons, folders of texts", async () => {
    const rows = sets.tickets(120);
    const codes = rows.map(({ body, team }) => ({ body, team, team_text: `the people of ${team}`, code: 1 }));
    const coded = await init("codes", sets.writeCsv(folder, "codes.csv", codes));
    expect(coded.taken.input).toEqual(["body"]);
    expect(coded.about.unused.find(({ name }) => name === "team_text")?.why).toMatch(/give the answer away/);
    const several = rows.map(({ body, team }, i) => ({ body, labels: [team, ["Fast", "Slow"][i % 2]] }));
    const { about } = await init("several", sets.writeJsonLines(folder, "several.jsonl", several));
    expect(about.labels[0]?.labels).toHaveLength(6);
    expect(about.notes.join()).not.toMatch(/no training sample/);
    const numbered = rows.map(({ body }, i) => ({ body, label: i % 2 }));
    const { about: numbers, spec } = await init(
      "numbers",
      sets.writeJsonLines(folder, "numbers.jsonl", numbered),
    );
    expect(numbers.notes.join()).toMatch(/The labels are numbers/);
    expect(spec.task.data.options).toEqual({ 0: "0", 1: "1" });
    const lines = rows.map(({ body, team, customer_id }) => `${customer_id};${body};${team}`);
    writeFileSync(join(folder, "semi.csv"), `Kunde;Beschreibung;Kategorie\n${lines.join("\n")}\n`);
    expect((await init("semi", "semi.csv")).taken).toMatchObject({ group: ["Kunde"], label: ["Kategorie"] });
    for (const name of ["codes", "several", "numbers", "semi"]) await run(name);
  });

  it("files that are splits by their names stay so", async () => {
    mkdirSync(join(folder, "parts"), { recursive: true });
    const rows = sets.tickets(300).map(({ body, team }) => ({ body, team }));
    sets.writeJsonLines(folder, "parts/train.jsonl", rows.slice(0, 180));
    sets.writeJsonLines(folder, "parts/test.jsonl", rows.slice(180));
    const { spec, about } = await init("parts", "parts/*.jsonl");
    expect(spec.task.data).toMatchObject({
      splits: { train: "file:parts/train.jsonl", test: "file:parts/test.jsonl" },
      leakage: "drop",
    });
    expect(about.counts.test).toBe(120);
    await run("parts");
  });

  it("a file of copies, and ids that are none: what cannot be kept apart is dropped, and said", async () => {
    const rows = sets
      .tickets(120)
      .map((row, i) => ({ id: i % 9, body: i % 4 ? "The same text." : row.body, team: row.team }));
    const { about, spec } = await init("copies", sets.writeJsonLines(folder, "copies.jsonl", rows));
    expect(spec.task.data.id).toBe(false);
    expect(spec.task.data).toMatchObject({ leakage: "drop" });
    expect(about.notes.join()).toMatch(/near-duplicates of each other/);
    await run("copies");
  });
});

describe("what is said of data that do not serve", () => {
  const exam = () => sets.writeJsonLines(folder, "own.jsonl", sets.examList());

  it("--own-options points to the field that holds them", async () => {
    const wrong = await hone(["init", "o1", "--data", exam(), "--own-options", "question"]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/choices holds a list in every row: say --own-options choices/);
    const missing = await hone(["init", "o1", "--data", exam(), "--own-options", "choixes"]);
    expect(missing.stderr).toMatch(/there is no field choixes.*\n.*--own-options choices/);
    const none = await hone([
      "init",
      "o1",
      "--data",
      sets.writeCsv(folder, "none.csv", sets.tickets()),
      "--own-options",
    ]);
    expect(none.code).toBe(2);
    expect(none.stderr).toMatch(/no field holds a list.*option_a[\s\S]*Leave --own-options out/);
    const label = await hone(["init", "o1", "--data", exam(), "--own-options", "--label", "question"]);
    expect(label.stderr).toMatch(/choices holds a list in every row, but question.*\n.*--label FIELD/);
    expect(existsSync(join(folder, "o1.study.yaml"))).toBe(false);
    expect((await init("o1", exam(), ["--own-options", "choices"])).spec.task.data.options).toBe("choices");
  });

  it("a field that is not there, one label only, nothing like an answer", async () => {
    const rows = sets.tickets(80);
    const one = sets.writeCsv(
      folder,
      "one.csv",
      rows.map((row) => ({ body: row.body, label: "spam" })),
    );
    expect((await hone(["init", "e1", "--data", one])).stderr).toMatch(/label has only one label/);
    const texts = sets.writeCsv(
      folder,
      "texts.csv",
      rows.map((row) => ({ body: row.body })),
    );
    const none = await hone(["init", "e1", "--data", texts]);
    expect(none.stderr).toMatch(/Cannot tell which field holds the answer[\s\S]*--label FIELD/);
    const unknown = await hone(["init", "e1", "--data", texts, "--label", "teams"]);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toMatch(/no field teams[\s\S]*body/);
  });

  it("labels that are partly filled or many: told by --label, and named where they are not; never free text without a word", async () => {
    const rows = sets.tickets(600).map(({ body, team }, i) => ({ body, kind: i % 5 < 2 ? team : "" }));
    const part = sets.writeCsv(folder, "part.csv", rows);
    const { spec, about } = await init("part", part, ["--label", "kind"]);
    expect(spec.task).toMatchObject({ kind: "choice", data: { options: expect.any(Array) } });
    expect(names(spec.specialists)).toMatch(/linear/);
    expect(about.notes).toEqual(["360 rows without a value in kind are left out."]);
    const unsaid = await hone(["init", "e2", "--data", part]);
    expect(unsaid.stderr).toMatch(
      /kind \(4 values, 60 rows each; 240 of 600 rows have one\)[\s\S]*say --label kind/,
    );
    const called = rows.map(({ body, kind }) => ({ body, label: kind }));
    expect((await init("called", sets.writeCsv(folder, "called.csv", called))).taken.label).toEqual([
      "label",
    ]);
    const many = sets.tickets(600).map(({ body }, i) => ({ body, kind: `kind ${i % 150}` }));
    const wide = await init("many", sets.writeCsv(folder, "many.csv", many), ["--label", "kind"]);
    expect(wide.about.labels[0]?.labels).toHaveLength(150);
    expect(names(wide.spec.specialists)).toMatch(/linear/);
    const halves = sets
      .tickets(300)
      .map(({ body }) => String(body).split(". "))
      .map(([ask, reply]) => ({ ask, reply }));
    const open = await init("open", sets.writeCsv(folder, "open.csv", halves), ["--label", "reply"]);
    expect(open.spec.task.kind).toBe("answer");
    expect(open.about.notes.join()).toMatch(
      /reply is taken as free text .*: its \d+ values occur 1\.\d times each on average/,
    );
    const same = sets.tickets(80).map(({ body }) => ({ body, kind: "spam", none: "" }));
    const single = sets.writeCsv(folder, "single.csv", same);
    const one = await hone(["init", "e2", "--data", single, "--label", "kind"]);
    expect(one.code).toBe(2);
    expect(one.stderr).toMatch(/only one label[\s\S]*all 80 rows that have a value say "spam"/);
    const none = await hone(["init", "e2", "--data", single, "--label", "none"]);
    expect(none.stderr).toMatch(/none is empty[\s\S]*none of 80 rows/);
  });

  it("field names and labels cannot break out of the study's comments", async () => {
    const rows = sets
      .tickets(90)
      .map((row) => ({ body: row.body, "a\nstudy: owned": row.channel, team: `${row.team}\n# x\u001b[2J` }));
    const { study } = await init("evil", sets.writeJsonLines(folder, "evil.jsonl", rows));
    expect(study).toMatchObject({ study: "evil" });
    await run("evil");
  });
});

describe("the model's own routes", () => {
  it("hold fine-tuning where its weights are there, without being told, and not where they are not", async () => {
    const file = sets.writeCsv(folder, "weights.csv", sets.tickets());
    const spec = async (args: string[]) => {
      const ran = await hone(["init", "w", "--data", file, "--force", "--json", ...args]);
      expect(ran.code, ran.stderr).toBe(0);
      return (JSON.parse(ran.stdout.trim()) as Made).spec.specialists;
    };
    expect(await spec([])).toContainEqual({ lora: { layers: 10 } });
    expect(await spec(["--model", "llama:gemma3-270m"])).toContainEqual({ lora: { layers: 10 } });
    expect(names(await spec(["--model", "mock:"]))).not.toMatch(/lora/);
    expect(names(await spec(["--model", "mock:?grants=text"]))).not.toMatch(/calibrate/);
    expect(names(await spec(["--model", "openai:x?base=http://127.0.0.1:1/v1"]))).not.toMatch(
      /lora|calibrate/,
    );
    expect(names(await spec(["--access", "text"]))).not.toMatch(/lora/);
    writeFileSync(join(folder, "broken.gguf"), "no model");
    expect(names(await spec(["--model", "llama:file:broken.gguf"]))).not.toMatch(/lora/);
    const advised = await hone(["advise", "--data", file, "--json"]);
    expect(JSON.parse(advised.stdout.trim()).study).toMatch(/lora:\n\s+layers: 10/);
  });
});

describe("the folder of a study", () => {
  it("is not left: by .., from the root, or over a link", async () => {
    const inner = join(folder, "inner");
    mkdirSync(inner, { recursive: true });
    symlinkSync(tmpdir(), join(inner, "away"));
    symlinkSync(join(folder, "target.yaml"), join(inner, "dangling.study.yaml"));
    for (const name of ["../x", "a/../../x", join(folder, "x"), "away/x"]) {
      const ran = await hone(["init", name, "--folder", "inner"]);
      expect(ran.code, name).toBe(2);
      expect(ran.stderr).toMatch(/leads out of the folder/);
    }
    expect((await hone(["init", "../x"])).code).toBe(2);
    expect((await hone(["init", "dangling", "--folder", "inner", "--force"])).code).toBe(2);
    for (const path of ["x.study.yaml", "target.yaml", "../x.study.yaml"])
      expect(existsSync(join(folder, path)), path).toBe(false);
    const fine = await hone(["init", "sub/fine", "--folder", "inner"]);
    expect(fine.code, fine.stderr).toBe(0);
    expect(existsSync(join(inner, "sub/fine.study.yaml"))).toBe(true);
    const bad = await hone(["init", "not a name!"]);
    expect(bad.code).toBe(2);
  });
});
