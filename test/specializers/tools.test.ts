// tools: the protocol, its bounds, the built-in tools over files, and hostile calls.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { HoneError } from "../../src/core/errors.js";
import type { Answer, Query } from "../../src/core/language.js";
import { knn } from "../../src/specializers/prompting/knn.js";
import { defineTool } from "../../src/specializers/prompting/tools/define.js";
import { type ToolsOptions, tools } from "../../src/specializers/prompting/tools.js";
import { context, given, listener, make, queryOf } from "./fakes.js";

let base: string;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "hone-tools-"));
  await writeFile(join(base, "doses.csv"), "drug,dose,note\nAspirin,100 mg,daily\nHeparin,5000 IU,\n");
  const codes = [
    { id: "A00", text: "Cholera" },
    { id: "A01.0", text: "Typhoid fever" },
    { id: "A01.1", text: "Paratyphoid fever A" },
  ];
  await writeFile(join(base, "codes.jsonl"), codes.map((row) => JSON.stringify(row)).join("\n"));
});
afterAll(() => rm(base, { recursive: true }));

/** A subject that writes the given lines, one a turn, and scores options when it is not asked to write. */
const scripted = (...lines: string[]) => {
  let turn = 0;
  return listener((query): Answer => {
    const asked = query.instruction?.includes("CALL") ?? false;
    return asked ? { text: lines[turn++] ?? "B" } : { choice: "f", scores: { s: -2, f: -1, i: -3 } };
  });
};
/** The steps of one answer, and what the subject was asked. */
const ask = async (options: ToolsOptions, lines: string[], query = queryOf("x"), change = {}) => {
  const subject = scripted(...lines);
  const specialist = await make(tools(options), subject, { base, ...change });
  const answer = await specialist.respond(query, context);
  return { answer, steps: answer.trail ?? [], heard: subject.heard };
};
const only = async (options: ToolsOptions, line: string) => {
  const { steps } = await ask({ maxCalls: 1, ...options }, [line]);
  expect(steps).toHaveLength(1);
  return steps[0] as { kind: "tool"; name: string; arguments: unknown; result?: string; error?: string };
};
const failure = async (work: () => unknown) => {
  try {
    await work();
  } catch (error) {
    expect(error).toBeInstanceOf(HoneError);
    return (error as HoneError).failure;
  }
  throw new Error("no error");
};
const shout = defineTool({
  name: "shout",
  description: "Says it\nloudly",
  parameters: z.object({ word: z.string().max(50) }),
  run: ({ word }) => word.toUpperCase(),
});

describe("the protocol", () => {
  it("runs a call, shows its result, and then scores the options as always", async () => {
    const query = queryOf("two and two");
    const { answer, heard } = await ask({}, ['CALL calculator {"expression": "2+2"}', "B"], query);
    expect(answer).toEqual({
      choice: "f",
      scores: { s: -2, f: -1, i: -3 },
      trail: [{ kind: "tool", name: "calculator", arguments: { expression: "2+2" }, result: "4" }],
    });
    const passages = [
      { id: "tool:calculator", text: 'CALL calculator {"expression":"2+2"}\nRESULT calculator: 4' },
    ];
    expect(heard).toHaveLength(3);
    expect(heard[0]).toMatchObject({ input: "two and two", scoring: "parse", options: query.options });
    expect(heard[0]!.instruction).toContain(query.instruction);
    expect(heard[0]!.instruction).toContain("- calculator: ");
    expect(heard[0]!.instruction).toContain('"properties":{"expression":{"type":"string"}}');
    expect(heard[0]!.passages).toBeUndefined();
    expect(heard[1]).toMatchObject({ input: "two and two", passages });
    expect(heard[2]).toEqual({ ...query, passages });
  });

  it("answers as the inner subject where nothing is called", async () => {
    const { answer, heard } = await ask({}, ["The answer is B."]);
    expect(answer).toEqual({ choice: "f", scores: { s: -2, f: -1, i: -3 } });
    expect(heard.at(-1)).toEqual(queryOf("x"));
  });

  it("does not score options while words are wanted, nor reason twice", async () => {
    const query: Query = { ...queryOf("x"), reason: { maxTokens: 50 } };
    const { heard } = await ask({ maxTokens: 40 }, ["B"], query);
    expect(heard[0]).toMatchObject({ maxTokens: 40 });
    expect(heard[0]!.reason).toBeUndefined();
    expect(heard[1]).toEqual(query);
  });

  it("stops after maxCalls, and where a call is made again", async () => {
    const lines = [1, 2, 3, 4, 5].map((n) => `CALL calculator {"expression": "${n}"}`);
    expect((await ask({ maxCalls: 2 }, lines)).steps).toHaveLength(2);
    expect((await ask({}, [lines[0]!, lines[0]!, lines[1]!])).steps).toHaveLength(1);
  });

  it("reads the first call alone, and no result that the model made up", async () => {
    const { steps, heard } = await ask({}, [
      'I will compute.\n`CALL calculator {"expression": "1+1"}`\nRESULT calculator: 77\nCALL calculator {"expression": "3"}',
    ]);
    expect(steps).toMatchObject([{ arguments: { expression: "1+1" }, result: "2" }]);
    expect(JSON.stringify(heard)).not.toContain("77");
  });

  it("shows errors to the model while it calls, but not when the answer is asked for", async () => {
    const { heard } = await ask({}, ['CALL calculator {"expression": "1/0"}', "B"]);
    expect(heard[1]!.passages?.[0]?.text).toMatch(/ERROR calculator: .*divides by zero/s);
    expect(heard[2]).toEqual(queryOf("x"));
  });

  it("leaves the input alone, so that examples underneath are chosen as without tools", async () => {
    const subject = scripted('CALL calculator {"expression": "9"}');
    const inner = await make(knn({ k: 2, by: "bm25" }), subject);
    const specialist = await make(tools(), inner);
    await specialist.respond(queryOf("ship in the storm"), context);
    const shots = subject.heard.map(({ demonstrations }) => demonstrations);
    expect(shots[0]).toHaveLength(2);
    expect(new Set(shots.map((some) => JSON.stringify(some))).size).toBe(1);
  });
});

describe("what goes wrong with a call", () => {
  it.each([
    ['CALL calculater {"expression": "1"}', /no such tool.*Did you mean calculator/],
    ['CALL __proto__ {"a": 1}', /no such tool/],
    ["CALL constructor {}", /no such tool/],
    ["CALL calculator {expression: 1}", /not JSON/],
    ["CALL calculator", /do not fit: expression/],
    ['CALL calculator {"expression": 5}', /do not fit: expression/],
    ['CALL calculator {"__proto__": {"expression": "1"}}', /do not fit: expression/],
    ['CALL calculator ["1"]', /do not fit/],
    [`CALL calculator {"expression": "${"1+".repeat(2000)}1"}`, /more than 2000 characters/],
    [`CALL calculator ${"[".repeat(900)}${"]".repeat(900)}`, /do not fit/],
  ])("tells the model: %.60s", async (line, error) => {
    const step = await only({}, line);
    expect(step.error).toMatch(error);
    expect(step.result).toBeUndefined();
    expect(JSON.stringify(step).length).toBeLessThan(5000);
  });

  it("bounds the time, whether the tool listens to its signal or not", async () => {
    let told = false;
    const hang = defineTool({
      name: "hang",
      description: "Never ends",
      parameters: z.object({}),
      run: (_args, { signal }) =>
        new Promise<string>(() => signal.addEventListener("abort", () => (told = true))),
    });
    const step = await only({ offer: [hang], timeout: 20 }, "CALL hang {}");
    expect(step.error).toBe("it took longer than 0.02 s");
    expect(told).toBe(true);
  });

  it("stops with the study", async () => {
    const stop = new AbortController();
    const hang = defineTool({
      name: "hang",
      description: "Stops everything, never ends",
      parameters: z.object({}),
      run: () => {
        stop.abort(new Error("stopped"));
        return new Promise<string>(() => {});
      },
    });
    const specialist = await make(tools({ offer: [hang] }), scripted("CALL hang {}"));
    await expect(specialist.respond(queryOf("x"), { signal: stop.signal })).rejects.toThrow("stopped");
  });

  it("survives a tool that throws, and cuts and cleans what it says", async () => {
    const rude = defineTool({
      name: "rude",
      description: "Misbehaves",
      parameters: z.object({ how: z.string() }),
      run: ({ how }) => {
        if (how === "throw") throw new Error("boom\u0007");
        return how === "long" ? "😀".repeat(1000) : "\u001b[31mred\u0000\r\nline";
      },
    });
    expect((await only({ offer: [rude] }, 'CALL rude {"how": "throw"}')).error).toBe("boom\uFFFD");
    expect((await only({ offer: [rude] }, 'CALL rude {"how": "odd"}')).result).toBe(
      "\uFFFD[31mred\uFFFD\nline",
    );
    const long = (await only({ offer: [rude], maxOutput: 101 }, 'CALL rude {"how": "long"}')).result;
    expect(long).toBe(`${"😀".repeat(50)}… (cut: 101 of 2000 characters)`);
  });
});

describe("built-in tools over files", () => {
  const table = { table: { name: "doses", source: "file:doses.csv", key: "drug", columns: ["dose"] } };
  const codes = { codes: { name: "icd", source: "codes.jsonl", code: "id", text: "text" } };

  it.each([
    ["aspirin ", "drug: Aspirin; dose: 100 mg"],
    ["pirin", "No row has this key. Nearest keys: Aspirin"],
    ["Heparine", "No row has this key. Nearest keys: Heparin"],
    ["zzzzzzzzzzzzzzz", "No row has this key."],
    ["__proto__", "No row has this key."],
  ])("table finds %j", async (key, result) => {
    expect((await only({ offer: [table] }, `CALL doses ${JSON.stringify({ key })}`)).result).toBe(result);
  });

  it.each([
    ["a00", "A00: Cholera"],
    ["A01", "A01.0: Typhoid fever\nA01.1: Paratyphoid fever A"],
    ["fever with typhoid", "A01.0: Typhoid fever\nA01.1: Paratyphoid fever A"],
    ["", "No code has this beginning, and no text these words."],
  ])("codes finds %j", async (find, result) => {
    expect((await only({ offer: [codes] }, `CALL icd ${JSON.stringify({ find })}`)).result).toBe(result);
  });

  it("keeps the rows in its state: a saved specialist needs no file", async () => {
    const state = await tools({ offer: ["calculator", table] }).fit(scripted(), given({ base }));
    expect(state).toEqual([
      null,
      {
        columns: ["drug", "dose"],
        rows: [
          ["Aspirin", "100 mg"],
          ["Heparin", "5000 IU"],
        ],
      },
    ]);
    expect(() => tools({ offer: [table] }).apply(scripted(), [null], given())).toThrow(/damaged/);
  });

  it("names the column that is not there, and the file that is not", async () => {
    const wrong = { table: { ...table.table, columns: ["dosis"] } };
    const column = await failure(() => tools({ offer: [wrong] }).fit(scripted(), given({ base })));
    expect(column).toMatchObject({ kind: "usage", next: 'Write "dose".' });
    expect(column.where).toContain("doses.csv");
    const lost = { table: { ...table.table, source: "file:lost.csv" } };
    const missing = await failure(() => tools({ offer: [lost] }).fit(scripted(), given({ base })));
    expect(missing.where).toContain("lost.csv");
  });

  it("refuses a file with too many rows to keep", async () => {
    const rows = Array.from({ length: 50_001 }, (_, i) => `k${i},v`);
    await writeFile(join(base, "large.csv"), `key,value\n${rows.join("\n")}\n`);
    const large = { table: { name: "large", source: "large.csv", key: "key" } };
    const error = await failure(() => tools({ offer: [large] }).fit(scripted(), given({ base })));
    expect(error.why).toContain("50000 rows");
  });
});

describe("what may be offered", () => {
  it("takes tools of one's own, and their identity is part of the specialist's", async () => {
    const { steps } = await ask({ offer: [shout] }, ['CALL shout {"word": "hi"}']);
    expect(steps).toMatchObject([{ name: "shout", result: "HI" }]);
    expect(shout.description).toBe("Says it loudly");
    const { name, description, parameters } = shout;
    const whisper = defineTool({ name, description, parameters, run: () => "hi" });
    expect(whisper.id).not.toBe(shout.id);
    const ids = [shout, whisper].map(async (tool) => (await make(tools({ offer: [tool] }), scripted())).id);
    expect(new Set(await Promise.all(ids)).size).toBe(2);
    expect(tools({ offer: ["calculator", shout], maxCalls: 5 }).label).toBe(
      "tools(calculator, shout, maxCalls=5)",
    );
  });

  it.each([
    [["abacus"], /neither/],
    [[{ table: {}, codes: {} }], /neither/],
    [[null], /neither/],
    [["calculator", "calculator"], /two tools are called "calculator"/],
    [[{ table: { name: "no spaces", source: "x.csv", key: "k" } }], /letter/],
    [[{ name: "shout", run: () => "" }], /neither/],
  ])("refuses %j", async (offer, why) => {
    const error = await failure(() => tools({ offer: offer as never }));
    expect(error.why).toMatch(why);
    expect(error.kind).toBe("usage");
  });

  it.each([
    [{ name: "2x" }, /name/],
    [{ name: "a b" }, /name/],
    [{ description: " \n" }, /description/],
    [{ parameters: z.object({ f: z.function() as never }) }, /JSON schema/],
    [{ example: { word: 3 } }, /example/],
  ])("defineTool refuses %j", async (change, why) => {
    const error = await failure(() =>
      defineTool({
        name: "ok",
        description: "Is fine",
        parameters: z.object({ word: z.string() }),
        run: () => "",
        ...(change as object),
      }),
    );
    expect(error.why).toMatch(why);
  });

  it("needs a model that writes, and is named after what it offers", () => {
    expect(tools()).toMatchObject({ needs: ["text"], label: "tools(calculator)" });
  });
});
