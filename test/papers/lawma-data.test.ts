// Reading Lawma's data in both forms, and what is done to every task: balancing, choosing, cutting.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { renderPrompt } from "../../src/models/prompt.js";
import { at, entriesOf, parseOrdered } from "../../src/papers/json.js";
import { rowsOf } from "../../src/papers/lawma/plans.js";
import { readLawma } from "../../src/papers/lawma/read.js";
import { presets } from "../../src/papers/lawma/settings.js";
import {
  balance,
  choose,
  head,
  heldOut,
  type LawmaExample,
  type LawmaTask,
  sentences,
} from "../../src/papers/lawma/tasks.js";
import { writeFactsForm, writeOpinionForm } from "./make.js";

const folder = mkdtempSync(join(tmpdir(), "hone-lawma-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const opinions = join(folder, "opinions");
const facts = join(folder, "facts");
writeOpinionForm(opinions);
writeFactsForm(facts);

describe("parseOrdered", () => {
  it("keeps the order of keys that look like numbers, and texts that look like keys", () => {
    const value = parseOrdered('{"10": "a \\"7\\": b", "9": {"1": 1, "0": 2}, "x": ["3", "4"]}') as object;
    expect(entriesOf(value).map(([key]) => key)).toEqual(["10", "9", "x"]);
    expect(at(value, "10")).toBe('a "7": b');
    expect(entriesOf(at(value, "9") as object)).toEqual([
      ["1", 1],
      ["0", 2],
    ]);
    expect(at(value, "x")).toEqual(["3", "4"]);
  });

  it("gives every value that JSON.parse gives", () => {
    const plain = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(plain)
        : value !== null && typeof value === "object"
          ? Object.fromEntries(entriesOf(value).map(([key, one]) => [key, plain(one)]))
          : value;
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(!JSON.stringify(value).includes('"#'));
        expect(plain(parseOrdered(JSON.stringify(value)))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});

describe("Lawma's own files", () => {
  it("are read with keys, holes, lists of right answers and the codebook's order", async () => {
    const data = await readLawma(opinions, {});
    expect(data.kind).toBe("opinions");
    const task = (name: string) => data.tasks.find((one) => one.name === name) as LawmaTask;
    expect(task("sc_plain").splits.train.map(({ gold }) => gold[0])).toEqual([
      "nan",
      "2",
      "10",
      "nan",
      "2",
      "10",
    ]);
    expect(task("sc_plain").splits.train[0]?.options?.map(({ key }) => key)).toEqual(["10", "2", "nan"]);
    expect(task("sc_plain").splits.train[0]?.instruction).toBe('Read "10": it.');
    expect(task("songer_keyed").splits.train[1]).toEqual({
      caseId: "101",
      instruction: "About tax 1, first.",
      question: "What of tax 1?",
      options: [
        { key: "x", text: "ex" },
        { key: "y", text: "why" },
      ],
      gold: ["y"],
    });
    expect(task("sc_list").splits.test[0]?.gold).toEqual(["p", "q"]);
    expect(task("sc_list").splits.test[0]?.options?.map(({ key }) => key)).toEqual(["p", "q"]);
    expect(task("songer_count").splits.dev.map(({ gold, options }) => [gold, options])).toEqual([
      [["6"], undefined],
      [["7"], undefined],
    ]);
    expect(data.texts.get("103")).toMatch(/^Opinion 103/);
  });

  it("become rows in Lawma's prompt, to the letter", async () => {
    const data = await readLawma(opinions, {});
    const { chosen } = choose(data, presets.original);
    const rows = rowsOf(chosen, data.texts, presets.original);
    const row = rows.test.find(({ id }) => id === "sc_plain/108");
    if (!row) throw new Error("no row");
    const prompt = renderPrompt(
      {
        instruction: row.instruction,
        input: row.input,
        question: row.question,
        options: row.options.text.map((text, i) => ({ key: row.options.label[i] as string, text })),
        ownOptions: true,
        demonstrations: [],
      },
      "plain",
    );
    expect(prompt.messages).toEqual([
      {
        role: "user",
        content:
          'Read "10": it.\n\nOpinion 108. It is so ordered.\n\nQuestion: Which?\nA. ten\nB. two\nC. none\nAnswer:',
      },
    ]);
    expect(prompt.continuations).toEqual([" A", " B", " C"]);
  });

  it("that do not fit are named", async () => {
    const bad = mkdtempSync(join(folder, "bad-"));
    writeOpinionForm(bad);
    writeFileSync(join(bad, "sc_opinions.json"), "{}");
    await expect(readLawma(bad, {})).rejects.toThrow(/opinion 100 is in none/);
    writeFileSync(join(bad, "sc_opinions.json"), "{");
    await expect(readLawma(bad, {})).rejects.toThrow(/sc_opinions\.json/);
    const empty = mkdtempSync(join(folder, "empty-"));
    writeFileSync(join(empty, "other.json"), "{}");
    await expect(readLawma(empty, {})).rejects.toThrow(/neither/);
  });
});

describe("facts with SCDB's labels", () => {
  it("follow Lawma's rules for codes: nan, otherwise, a second right answer, nothing of the Appeals", async () => {
    const data = await readLawma(facts, {});
    expect(data.kind).toBe("facts");
    expect(data.tasks.map(({ name }) => name)).toEqual(["sc_area", "sc_agency_is", "sc_basis"]);
    const [, agency, basis] = data.tasks as [LawmaTask, LawmaTask, LawmaTask];
    expect(agency.splits.train.slice(0, 5).map(({ gold }) => gold[0])).toEqual([
      "nan",
      "otherwise",
      "otherwise",
      "otherwise",
      "nan",
    ]);
    expect(agency.splits.train[0]?.options?.map(({ text }) => text)).toEqual(["Yes", "No"]);
    expect(basis.splits.train.slice(0, 2).map(({ gold }) => gold)).toEqual([["1", "2"], ["2"]]);
    expect(
      data.tasks.map(({ splits }) => [splits.train.length, splits.dev.length, splits.test.length]),
    ).toEqual(Array.from({ length: 3 }, () => [36, 8, 16]));
  });

  it("never show the conclusion, and cut facts and instruction to what was asked", async () => {
    const data = await readLawma(facts, {});
    const { chosen } = choose(data, { tasks: null, maxOptions: 26, enough: { train: 10, test: 5 } });
    const rows = rowsOf(chosen, data.texts, {
      input: { chars: 30 },
      instructionSentences: 2,
      limit: { train: 5, dev: 2, test: 3 },
    });
    expect(JSON.stringify(rows)).not.toContain("SECRET");
    expect(rows.train).toHaveLength(15);
    expect(rows.test).toHaveLength(9);
    for (const { input } of rows.train) expect(input.length).toBeLessThanOrEqual(30);
    expect(rows.train[0]?.instruction).toBe("What follows is an opinion. Your task is sc_agency_is.");
    expect(new Set([...rows.train, ...rows.dev, ...rows.test].map(({ id }) => id)).size).toBe(30);
  });
});

describe("what is done to every task", () => {
  const examples = (codes: string): LawmaExample[] =>
    [...codes].map((code, i) => ({
      caseId: `${i}`,
      instruction: "I",
      question: "Q",
      options: [...new Set(codes)].map((key) => ({ key, text: key })),
      gold: [code],
    }));
  const task = (train: string, test = train): LawmaTask => ({
    name: "t",
    splits: { train: examples(train), dev: [], test: examples(test) },
  });
  const counts = (rows: readonly LawmaExample[]) =>
    rows.reduce<Record<string, number>>((sum, { gold }) => {
      sum[gold[0] as string] = (sum[gold[0] as string] ?? 0) + 1;
      return sum;
    }, {});

  it("cuts a majority to half, and remembers the share that stayed", () => {
    const { splits, keep, majority } = balance(task("aaaaaaaabbbc", "bbbbbbbbbbbbbac"));
    expect(counts(splits.train)).toEqual({ a: 4, b: 3, c: 1 });
    expect(keep.train).toBe(0.5);
    expect(counts(splits.test)).toEqual({ a: 1, b: 2, c: 1 });
    expect(keep.test).toBeCloseTo(2 / 13);
    expect(majority).toBe("b");
    expect(balance(task("aaaaaaaabbbc")).splits.train).toEqual(splits.train);
  });

  it("leaves a split of ten alone, and one without an absolute majority", () => {
    expect(balance(task("aaaaaaaaab")).keep.train).toBe(1);
    expect(balance(task("aaaaaabbbccc")).keep.train).toBe(1);
  });

  it("says why a task is left out", () => {
    const tasks = [
      { ...task("abcabcabcabc"), name: "many" },
      { ...task("ababab"), name: "few" },
      { ...task("abababababab"), name: "good" },
      { ...task("abababababab"), name: "other" },
    ];
    const none = {
      texts: new Map(),
      kind: "facts",
      leaked: 0,
      accuracy: new Map(),
      predictions: [],
    } as const;
    const { chosen, leftOut } = choose(
      { ...none, predictions: [], tasks },
      {
        tasks: ["many", "few", "good"],
        maxOptions: 2,
        enough: { train: 10, test: 10 },
      },
    );
    expect(chosen.map(({ name }) => name)).toEqual(["good"]);
    expect(leftOut.map(({ task: name }) => name)).toEqual(["few", "many", "other"]);
    expect(leftOut.map(({ why }) => why).join("; ")).toMatch(/6 train.*3 options.*preset/);
  });

  it("keeps tasks from training: the other court's where there are two, else every third", () => {
    expect(heldOut(["sc_a", "sc_b", "songer_a"])).toEqual(["sc_a", "sc_b"]);
    expect(heldOut(["sc_a", "sc_b", "sc_c", "sc_d", "sc_e", "sc_f"])).toEqual(["sc_c", "sc_f"]);
  });

  it("cuts at sentences and at words", () => {
    expect(sentences("One, i.e. the first. Two?\nThree.", 2)).toBe("One, i.e. the first. Two?");
    expect(sentences("One.\n Two.", null)).toBe("One.\n Two.");
    expect(head("the quick brown fox", 12)).toBe("the quick");
    expect(head("short", 12)).toBe("short");
    expect(head("unbroken", 3)).toBe("unb");
  });
});

const real = process.env.HONE_TEST_DATA;
const has = real !== undefined && existsSync(join(real, "law", "scdb_oyez"));
describe.skipIf(!has)("the real data (skipped unless HONE_TEST_DATA has law/scdb_oyez)", () => {
  it("give 15 of the 37 Supreme Court tasks enough cases", async () => {
    const data = await readLawma(`${real}/law`, {});
    expect(data.tasks).toHaveLength(37);
    const { chosen, leftOut } = choose(data, presets.full);
    expect(chosen).toHaveLength(15);
    expect(leftOut).toHaveLength(22);
    for (const { splits } of chosen) {
      const train = new Set(splits.train.map(({ caseId }) => caseId));
      for (const { caseId } of splits.test) expect(train.has(caseId)).toBe(false);
    }
    expect(data.accuracy.get("sc_issuearea")?.["lawma-8b"]).toBeCloseTo(0.844);
  });
});
