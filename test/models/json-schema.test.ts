// Schemas that answers are held to: the grammar takes what the schema allows and refuses the rest, and no schema hangs or crashes.

import { getLlama, type Llama } from "node-llama-cpp";
import { beforeAll, describe, expect, it } from "vitest";
import { CallError } from "../../src/core/call.js";
import type { Json } from "../../src/core/json.js";
import { checkSchema } from "../../src/models/json-schema.js";
import { grammarOf } from "../../src/models/llama/gbnf.js";
import { forcedCall, heldForm, readCalls, sureText } from "../../src/models/tool-calls.js";

let llama: Llama;
beforeAll(async () => {
  llama = await getLlama({ gpu: false, build: "never", skipDownload: true, progressLogs: false });
}, 60_000);

/** Whether a grammar takes a whole text. */
async function taker(grammar: string): Promise<(text: string) => boolean> {
  const made = await llama.createGrammar({ grammar });
  return (text) => (made as unknown as { _testText: (text: string) => boolean })._testText(text);
}

const person = {
  type: "object",
  properties: {
    name: { type: "string", minLength: 1, maxLength: 5 },
    age: { type: "integer", minimum: 0 },
    tags: { type: "array", items: { enum: ["a", "ab", 'b"\\é😀'] }, minItems: 1, maxItems: 2 },
    next: { anyOf: [{ $ref: "#/$defs/person" }, { type: "null" }] },
  },
  required: ["name", "next"],
  additionalProperties: false,
};

describe("grammars", () => {
  const cases: [schema: Json, allowed: string[], refused: string[]][] = [
    [
      { ...person, $defs: { person } } as unknown as Json,
      [
        '{"name":"x","next":null}',
        '{ "name": "a\\nbcd", "age": 0, "tags": ["ab", "a"], "next": {"name":"y","age":12,"next":null} }',
        '{"name":"x","tags":["b\\"\\\\é😀"],"next":null}',
      ],
      [
        '{"name":"","next":null}',
        '{"name":"toolong","next":null}',
        '{"next":null}',
        '{"name":"x"}',
        '{"name":"x","age":-1,"next":null}',
        '{"name":"x","age":01,"next":null}',
        '{"name":"x","tags":[],"next":null}',
        '{"name":"x","tags":["c"],"next":null}',
        '{"name":"x","next":null,"more":1}',
        '{"name":"x","next":null}}',
      ],
    ],
    [{ type: "object" }, ['{"a":[1,{"b":null}],"c":"\\u00e9"}', "{}"], ["[]", "1", '{"a":}']],
    [
      { type: "object", properties: { a: { type: "number" }, b: { type: "boolean" } } },
      ["{}", '{"a":-1.5e3}', '{"b":true}', '{"a":1,"b":false}'],
      ['{"b":true,"a":1}', '{"a":1,}', "{,}", '{"a":.5}'],
    ],
    [{ type: ["string", "null"] }, ['"x"', "null"], ["1", "nul", '"\n"']],
    [{ type: "integer", minimum: 1, maximum: 3 }, ["1", "3"], ["0", "4", "10", "1.0"]],
    [{ type: "string", format: "date" }, ['"2026-02-28"'], ['"2026-13-01"', '"2026-02-30"']],
    [
      { type: "array", prefixItems: [{ const: "x" }, { type: "integer" }], items: false },
      ['["x",1]'],
      ['["x",1,2]', '["y",1]'],
    ],
    [{ type: "object", additionalProperties: { type: "integer" } }, ['{"p":1,"q":2}', "{}"], ['{"p":"x"}']],
    [
      {
        allOf: [
          { properties: { a: { const: 1 } }, required: ["a"] },
          { properties: { b: { const: 2 } }, required: ["b"] },
        ],
      },
      ['{"a":1,"b":2}'],
      ['{"a":1}'],
    ],
  ];
  it.each(cases)("of %j take what it allows", async (schema, allowed, refused) => {
    const takes = await taker(grammarOf(checkSchema(schema)));
    expect(allowed.filter((text) => !takes(text))).toEqual([]);
    expect(refused.filter((text) => takes(text))).toEqual([]);
  });

  it("name what they do not enforce", () => {
    const schema = {
      type: "object",
      properties: { a: { type: "string", pattern: "^x" }, b: { type: "number", minimum: 3 } },
    };
    expect(checkSchema(schema).loose).toEqual(["minimum", "pattern"]);
    // As zod writes every integer.
    const whole = { type: "integer", minimum: -Number.MAX_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER };
    expect(checkSchema(whole).loose).toEqual([]);
  });

  it("of tools take one call, each tool with definitions of its own", async () => {
    const tools = ["f", "g"].map((name) => ({
      name,
      parameters: {
        type: "object",
        properties: { x: { $ref: "#/$defs/x" } },
        required: ["x"],
        $defs: { x: { const: name } },
      },
    }));
    const takes = await taker(grammarOf(forcedCall({ tools, toolChoice: "required" }) as never));
    expect(
      ['{"name":"f","arguments":{"x":"f"}}', '{"name": "g", "arguments": {"x": "g"}}'].every(takes),
    ).toBe(true);
    expect(takes('{"name":"f","arguments":{"x":"g"}}')).toBe(false);
    expect(() => forcedCall({ tools, toolChoice: { name: "h" } })).toThrow(/not offered/);
  });

  it("beside a schema take an answer of it or a call, and the two are told apart", async () => {
    // The tool is called as the schema's definitions are rooted, and both define `x`.
    const tools = [
      {
        name: "schema",
        parameters: { type: "object", properties: { x: { $ref: "#/$defs/x" } }, $defs: { x: { const: 1 } } },
      },
    ];
    const schema = {
      type: "object",
      properties: { city: { $ref: "#/$defs/x" } },
      required: ["city"],
      $defs: { x: { const: "Ulm" } },
    };
    const takes = await taker(grammarOf(heldForm({ json: { schema }, tools }) as never));
    const [answer, call] = ['{"city":"Ulm"}', '{"name":"schema","arguments":{"x":1}}'];
    expect([answer, call].every(takes)).toBe(true);
    expect(takes('{"city":1}')).toBe(false);
    expect(takes('{"name":"schema","arguments":{"x":"Ulm"}}')).toBe(false);
    expect(readCalls(answer, tools)).toEqual({ text: answer, calls: [] });
    expect(readCalls(call, tools).calls).toMatchObject([{ name: "schema", arguments: '{"x":1}' }]);
    expect(heldForm({ tools })).toBeUndefined();
    expect(heldForm({ json: {}, tools, toolChoice: "required" })).toEqual(
      forcedCall({ tools, toolChoice: "required" }),
    );
  });
});

describe("hostile schemas", () => {
  const deep = (levels: number) => {
    let schema: Json = { type: "string" };
    for (let i = 0; i < levels; i++) schema = { type: "array", items: schema };
    return schema;
  };
  const fork = (n: number, inner: Json): Json => ({
    anyOf: Array.from({ length: n }, () => ({ type: "object", properties: { a: inner }, required: ["a"] })),
  });
  const chain = Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [
      `d${i}`,
      fork(4, i === 19 ? { type: "null" } : { $ref: `#/$defs/d${i + 1}` }),
    ]),
  );
  const cases: Record<string, unknown> = {
    "no object": 3,
    "an unknown type": { type: "thing" },
    "an unknown keyword": { type: "object", not: { type: "null" } },
    "a nest of 100,000": deep(100_000),
    "an enum of a million": { enum: Array.from({ length: 1_000_000 }, (_, i) => i) },
    "an enum of long texts": { enum: ["x".repeat(1_000_000)] },
    "ten thousand members": {
      properties: Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`p${i}`, {}])),
    },
    "a reference to itself": { $ref: "#" },
    "references in a ring": {
      $ref: "#/$defs/a",
      $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } },
    },
    "a value that never ends": {
      $ref: "#/$defs/a",
      $defs: { a: { properties: { a: { $ref: "#/$defs/a" } }, required: ["a"] } },
    },
    "a choice that begins with itself": {
      $ref: "#/$defs/a",
      $defs: { a: { anyOf: [{ $ref: "#/$defs/a" }, { type: "null" }] } },
    },
    "a reference elsewhere": { $ref: "https://example.org/schema.json" },
    "a reference to nothing": { $ref: "#/$defs/__proto__/x" },
    "branches that multiply": { $ref: "#/$defs/d0", $defs: chain },
    "branches that double for ever": {
      $ref: "#/$defs/a",
      $defs: { a: { anyOf: [{ type: "null" }, fork(2, { $ref: "#/$defs/a" })] } },
    },
    "a thousand equal branches": fork(1_000, { type: "null" }),
    "optional members without end": {
      properties: Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`p${i}`, { type: "null" }])),
    },
    "a huge repetition": { type: "array", minItems: 1e9 },
    "many repetitions": {
      type: "array",
      prefixItems: Array.from({ length: 100 }, () => ({ type: "string", minLength: 400 })),
    },
    "a broken range": { type: "string", minLength: 3, maxLength: 1 },
    "required that is no list": { allOf: [{ required: 5 }, {}] },
    "properties that are a text": { properties: "abc" },
  };
  it.each(Object.entries(cases))("are refused at once: %s", (_name, schema) => {
    const began = performance.now();
    expect(() => checkSchema(schema)).toThrow(CallError);
    expect(performance.now() - began).toBeLessThan(30_000);
  });

  it("beside which large honest ones pass", async () => {
    const expression = {
      $ref: "#/$defs/e",
      $defs: {
        e: {
          anyOf: ["number", "add", "multiply", "negate"].map((type) => ({
            type: "object",
            properties: { type: { const: type }, left: { $ref: "#/$defs/e" }, right: { $ref: "#/$defs/e" } },
            required: type === "number" ? ["type"] : ["type", "left"],
          })),
        },
      },
    };
    const takes = await taker(grammarOf(checkSchema(expression)));
    expect(
      takes('{"type":"add","left":{"type":"number"},"right":{"type":"negate","left":{"type":"number"}}}'),
    ).toBe(true);
    const many = { enum: Array.from({ length: 1_500 }, (_, i) => `code-${i}`) };
    const code = await taker(grammarOf(checkSchema(many)));
    expect([code('"code-1499"'), code('"code-1500"')]).toEqual([true, false]);
  });
});

describe("calls in texts", () => {
  const tools = [{ name: "weather" }, { name: "time" }];
  const call = '{"name": "weather", "arguments": {"city": "Paris"}}';
  it.each([
    [
      "as Hermes writes them",
      `Let me see.\n<tool_call>\n${call}\n</tool_call>\n<tool_call>{"name":"time"}</tool_call>`,
      2,
      "Let me see.",
    ],
    ["as Mistral does", `[TOOL_CALLS] [${call}]`, 1, ""],
    ["as Llama does", ' {"name": "weather", "parameters": {"city": "Paris"}}', 1, ""],
    ["in a fence", `\`\`\`json\n${call}\n\`\`\``, 1, ""],
  ])("are found %s", (_way, written, n, text) => {
    const found = readCalls(written, tools);
    expect([found.calls.length, found.text]).toEqual([n, text]);
    expect(found.calls[0]).toMatchObject({ name: "weather", arguments: '{"city":"Paris"}' });
  });

  it.each([
    "Plain words.",
    '{"city": "Paris"}',
    '<tool_call>{"name": "rm"}</tool_call>',
    "<tool_call>{",
    "[1, 2]",
  ])("are not where there are none, and the text stays: %s", (written) =>
    expect(readCalls(written, tools)).toEqual({ text: written, calls: [] }),
  );

  it("are kept back from a stream as long as they may come", () => {
    const written = `Sure. <tool_call>${call}</tool_call>`;
    const { text } = readCalls(written, tools);
    for (let n = 0; n <= written.length; n++)
      expect(text.startsWith(sureText(written.slice(0, n)))).toBe(true);
    expect(sureText("a <b> c")).toBe("a <b> c");
    expect(sureText('{"name": ')).toBe("");
  });
});
