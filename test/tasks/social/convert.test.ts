// Items in ToMi's, ToMBench's and plain form, told in the first person as the command writes them, and brought back.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { LanguageSubject } from "../../../src/core/kinds.js";
import {
  type FirstPersonRow,
  firstPersonRow,
  itemRows,
  readItem,
  restoredRow,
} from "../../../src/tasks/social/convert.js";
import { hone } from "../../cli/spawned.js";

const folder = mkdtempSync(join(tmpdir(), "hone-first-person-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tomi = {
  story:
    "1 Ann entered the den.\n2 Ben entered the den.\n3 The hat is in the box.\n4 The box is in the den.\n",
  question: "Where will Ann look for the hat?",
  answer: "box",
  containers: ["box", "bag"],
  story_type: "true_belief",
  question_type: "first_order_0_tom",
};
const tombench =
  '{"能力\\nABILITY": "Belief", "STORY": "Tim hides a coin. He is proud.", "QUESTION": "How does Tim feel?", "OPTION-A": "Tim is proud", "OPTION-B": "Tim is sad", "OPTION-C": NaN, "OPTION-D": NaN, "答案\\nANSWER": "A"}';
const plain = {
  id: "p",
  story: "Ben meets Karl. He is tired.",
  question: "How does Ben feel?",
  options: ["Ben is tired", "Ben is glad"],
  answer: "Ben is glad",
  who: "Ben",
};
const path = join(folder, "items.jsonl");
writeFileSync(path, `${JSON.stringify(tomi)}\n${tombench}\n\n${JSON.stringify(plain)}\n`);

const writer: LanguageSubject = {
  kind: "language",
  name: "writer",
  id: "writer",
  respond: async () => ({
    text: "Story: You meet Karl. You are tired.\nQuestion: How do you feel?\nOption 1: I am tired\nOption 2: I am glad",
  }),
};

async function converted() {
  const context = { signal: new AbortController().signal };
  const made: (FirstPersonRow | { refused: string })[] = [];
  for await (const { row, place } of itemRows(path)) {
    const item = readItem(row, place, made.length);
    made.push(item ? await firstPersonRow(item, { subject: writer, context }) : { refused: "not whole" });
  }
  return made as FirstPersonRow[];
}

describe("items in the first person", () => {
  it("are read in three forms, and told by rule, or by the assistant where the rules refuse", async () => {
    const [a, b, c] = await converted();
    expect(a).toMatchObject({
      input: "You and Ben entered the den. The hat is in the box, the box is in the den.",
      question: "Where will you look for the hat?",
      answer: "1",
      by: "rule",
    });
    expect(b).toMatchObject({ input: "You hide a coin. You are proud.", answer: "1", by: "rule" });
    expect(b?.options).toEqual({ label: ["1", "2"], text: ["I am proud", "I am sad"] });
    expect(c).toMatchObject({ id: "p", input: "You meet Karl. You are tired.", answer: "2", by: "writer" });
  });

  it("come back to the letter", async () => {
    const [, , c] = await converted();
    const { answer: _, ...rest } = plain;
    expect(restoredRow(JSON.parse(JSON.stringify(c)), "c:1")).toEqual({ ...rest, answer: 1 });
    expect(() => restoredRow({ ...plain }, "items.jsonl:4")).toThrow(/input is missing/);
  });

  it("are refused where the question is about somebody else, or the name is a title or an article", async () => {
    const asked = (story: string, question: string, who?: string) =>
      firstPersonRow(
        readItem({ story, question, options: ["a", "b"], ...(who ? { who } : {}) }, "x:1", 0) as never,
      );
    expect(await asked("Ben sees that Karla is tired.", "How does Karla feel?", "Ben")).toEqual({
      refused: "the question is about somebody else",
    });
    for (const [story, question] of [
      ["Mr. Lin runs a shop.", "Does Mr. Lin tell the truth?"],
      ["An engineer waits.", "Why does An engineer wait?"],
    ] as const)
      expect(await asked(story, question)).toMatchObject({
        refused: expect.stringMatching(/title|nobody named/),
      });
  });

  it("of another form are one error that says where", () => {
    const wrong = (row: object) => () => readItem({ ...row } as Record<string, unknown>, "x.jsonl:3", 0);
    expect(wrong({ story: 1 })).toThrow(/story/);
    expect(wrong({ ...plain, answer: 2 })).toThrow(/none of its options/);
    expect(wrong({ ...tomi, answer: "shelf" })).toThrow(/ToMi/);
  });
});

describe("hone data first-person", () => {
  it("writes rows, says what was refused, and restores them", async () => {
    const out = join(folder, "sub", "first.jsonl");
    const { code, stdout } = await hone(["data", "first-person", path, "--out", out, "--json"], {
      cwd: folder,
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout.trim().split("\n").at(-1) as string)).toMatchObject({
      type: "done",
      read: 3,
      written: 2,
      by: { rule: 2 },
      refused: { "ambiguous pronoun": 1 },
    });
    const back = join(folder, "back.jsonl");
    const args = ["data", "first-person", out, "--back", "--out", back];
    expect((await hone(args, { cwd: folder })).code).toBe(0);
    const [first] = readFileSync(back, "utf8").trim().split("\n");
    expect(JSON.parse(first as string)).toMatchObject({ question: tomi.question, who: "Ann", answer: 0 });
  });
});
