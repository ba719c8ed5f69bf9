// Data as they come: labels spelt in several ways or missing, options in columns, several tasks in one file, nothing to learn from.

import { describe, expect, test } from "vitest";
import { loadDataset } from "../../src/data/index.js";
import { drain, refusal, temporaryFolder, write } from "./make.js";

const base = await temporaryFolder();
const text = (i: number) => Array.from({ length: 12 }, (_, k) => `word${i}x${k}`).join(" ");
let files = 0;
async function load(rows: readonly object[], spec: object) {
  const source = `${++files}.jsonl`;
  await write(base, source, rows.map((row) => JSON.stringify(row)).join("\n"));
  const data = await loadDataset({ source, input: "text", ...spec }, { base, name: "data" });
  return { ...data, all: [...data.train, ...data.dev, ...(await drain(data.test.open("a test")))] };
}

describe("labels", () => {
  const spellings = ["Billing", "billing", " BILLING  ", "Log  in", "log in", "Log\u00a0In"];
  const rows = Array.from({ length: 120 }, (_, i) => ({ text: text(i), team: spellings[i % 6] }));
  const spec = { label: "team", options: { billing: "Billing", login: "Log in" } };

  test("that differ by case or white space are one, with a warning that counts them", async () => {
    const { all, warnings } = await load(rows, spec);
    expect(all).toHaveLength(120);
    expect(all.filter(({ gold }) => gold === "billing")).toHaveLength(60);
    expect(warnings).toContainEqual(
      expect.stringMatching(/^80 rows with a label that is an option but for case/),
    );
  });

  test("are not joined where two options differ in nothing else", async () => {
    const failure = await refusal(() => load([...rows, { text: text(999), team: "US" }], spec));
    expect(failure.why).toMatch(/"US"/);
    const states = Array.from({ length: 60 }, (_, i) => ({ text: text(i), team: i % 2 ? "US" : "us" }));
    const { all } = await load(states, { label: "team", options: ["US", "us"] });
    expect(all.filter(({ gold }) => gold === "us")).toHaveLength(30);
    const doubtful = [...states, { text: text(99), team: "Us" }];
    expect((await refusal(() => load(doubtful, { label: "team", options: ["US", "us"] }))).why).toMatch(
      /"Us"/,
    );
  });

  test("that are empty or not there leave their rows out, counted; a field that no row has is an error", async () => {
    const gaps = rows.map((row, i) =>
      i % 10 === 0 ? { text: row.text } : i % 10 === 1 ? { ...row, team: " " } : row,
    );
    const { all, warnings } = await load(gaps, spec);
    expect(all).toHaveLength(96);
    expect(warnings).toContain("24 rows without a label left out.");
    expect((await refusal(() => load(gaps, { ...spec, label: "teams" }))).why).toMatch(/text/);
  });
});

describe("a row's own options", () => {
  const rows = Array.from({ length: 60 }, (_, i) => ({
    text: text(i),
    option_a: `first ${i}`,
    option_b: `second ${i}`,
    option_c: i % 2 ? `third ${i}` : "",
    choices: [`first ${i}`, `second ${i}`, ...(i % 2 ? [`third ${i}`] : [])],
    letter: "AB"[i % 2],
    number: 1 + (i % 2),
  }));

  test("stand in a field each, or in a list counted from 1; what is empty is no option", async () => {
    const columns = await load(rows, {
      label: "letter",
      options: { A: "{{option_a}}", B: "{{option_b}}", C: "{{option_c}}" },
    });
    const list = await load(rows, {
      label: "number",
      options: { 1: "{{choices.0}}", 2: "{{choices.1}}", 3: "{{choices.2}}" },
    });
    for (const { all } of [columns, list]) {
      expect(all).toHaveLength(60);
      for (const { options = [], gold } of all) {
        const odd = options[0]?.text.endsWith("0") || Number(options[0]?.text.slice(6)) % 2 === 0 ? 0 : 1;
        expect(options).toHaveLength(2 + odd);
        expect(options.findIndex(({ key }) => key === gold)).toBe(odd);
      }
    }
  });

  test("in the wrong field point to the right one", async () => {
    const failure = await refusal(() => load(rows, { label: "letter", options: "text" }));
    expect(failure.next).toMatch(/options: choices/);
  });

  test("are those of its task where several are in one file", async () => {
    const mixed = Array.from({ length: 60 }, (_, i) => ({
      text: text(i),
      task: i % 2 ? "tone" : "topic",
      label: i % 2 ? "rude" : "tax",
    }));
    const options = { tone: ["polite", "rude"], topic: { tax: "taxes", law: "the law" } };
    const { all } = await load(mixed, { label: "label", stratum: "task", options });
    for (const { options, stratum } of all)
      expect(options?.map(({ text }) => text)).toEqual(
        stratum === "tone" ? ["polite", "rude"] : ["taxes", "the law"],
      );
    expect((await refusal(() => load(mixed, { label: "label", options }))).why).toMatch(/stratum/);
    const more = [...mixed, { text: text(77), task: "length", label: "short" }];
    expect((await refusal(() => load(more, { label: "label", stratum: "task", options }))).why).toMatch(
      /"length"/,
    );
  });
});

describe("rows", () => {
  test("can all be for testing where there is nothing to learn from", async () => {
    const rows = Array.from({ length: 30 }, (_, i) => ({ text: text(i), label: "ab"[i % 2] }));
    const { counts, warnings } = await load(rows, {
      label: "label",
      options: ["a", "b"],
      split: { fractions: { train: 0, dev: 0.2, test: 0.8 }, stratify: true },
    });
    expect(counts).toMatchObject({ train: 0, dev: 6, test: 24 });
    expect(warnings).toEqual([]);
  });

  test("with an id that is none are known by their place", async () => {
    const rows = Array.from({ length: 40 }, (_, i) => ({ id: i % 7, text: text(i), label: "ab"[i % 2] }));
    expect((await refusal(() => load(rows, { label: "label" }))).what).toMatch(/same id/);
    const { all } = await load(rows, { label: "label", id: false });
    expect(new Set(all.map(({ id }) => id)).size).toBe(40);
  });
});
