// Answers in a form: JSON of a schema and calls of tools, whole and streamed, in both protocols; by the mock, and through an
// endpoint that has them.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startMockServer } from "../../src/models/mock-server.js";
import { type Asking, eventsOf, type Loose, serving, toneStore } from "./fixture.js";

const root = mkdtempSync(join(tmpdir(), "hone-forms-"));
let server: Asking;
let endpoint: Awaited<ReturnType<typeof startMockServer>>;
beforeAll(async () => {
  await toneStore(root);
  endpoint = await startMockServer();
  server = await serving(
    ["tones", "m=mock:?seed=1", "plain=mock:?format=plain", `far=openai:any?base=${endpoint.url}`],
    { store: join(root, ".hone") },
  );
});
afterAll(async () => {
  await server.stop();
  await endpoint.close();
  rmSync(root, { recursive: true, force: true });
});

const schema = {
  type: "object",
  properties: { colour: { enum: ["red", "green"] }, size: { type: "integer", minimum: 0 } },
  required: ["colour", "size"],
  additionalProperties: false,
};
const tools = [
  {
    type: "function",
    function: {
      name: "weather",
      description: 'Of a "city"',
      parameters: { type: "object", properties: { city: { enum: ["Paris", "Rome"] } }, required: ["city"] },
    },
  },
  { type: "function", function: { name: "clock" } },
];
const messages = [{ role: "user", content: "Use weather, please." }];
const format = { type: "json_schema", json_schema: { name: "thing", schema, strict: true } };
const isThing = (text: string) => {
  const { colour, size, ...more } = JSON.parse(text);
  expect([["red", "green"].includes(colour), Number.isInteger(size), more]).toEqual([true, true, {}]);
};
const deltas = (events: { data: Loose }[]) =>
  events.flatMap(({ data }) => (data === "[DONE]" ? [] : data.choices[0].delta));

describe.each(["m", "far"])("of %s", (model) => {
  it("are JSON of a schema, or any object", async () => {
    const asked = { model, messages: [{ role: "user", content: "A thing." }], response_format: format };
    const { body } = await server.json("/v1/chat/completions", asked);
    isThing(body.choices[0].message.content);
    const events = await eventsOf(await server.ask("/v1/chat/completions", { ...asked, stream: true }));
    expect(
      deltas(events)
        .map(({ content = "" }) => content)
        .join(""),
    ).toBe(body.choices[0].message.content);
    const any = await server.json("/v1/chat/completions", {
      ...asked,
      response_format: { type: "json_object" },
    });
    expect(typeof JSON.parse(any.body.choices[0].message.content)).toBe("object");
    const said = await server.json("/v1/responses", {
      model,
      input: "A thing.",
      text: { format: { type: "json_schema", name: "thing", schema } },
    });
    isThing(said.body.output[0].content[0].text);
  });

  it("has no log-probabilities beside tools: they would be those of a prompt without them", async () => {
    const asked = { model, messages, tools, tool_choice: "auto", logprobs: true };
    const answer = await server.ask("/v1/chat/completions", asked);
    expect(answer.headers.get("x-hone-ignored")).toContain("logprobs");
    const body = (await answer.json()) as { choices: { logprobs: unknown }[] };
    expect(body.choices[0]?.logprobs).toBeNull();
  });

  it("are calls of tools, with what came back from them", async () => {
    const asked = { model, messages, tools };
    const { body } = await server.json("/v1/chat/completions", asked);
    const [choice] = body.choices;
    expect([choice.finish_reason, choice.message.content]).toEqual(["tool_calls", null]);
    const [call] = choice.message.tool_calls;
    expect(call).toMatchObject({ type: "function", function: { name: "weather" } });
    expect(["Paris", "Rome"]).toContain(JSON.parse(call.function.arguments).city);
    const [head, first, ...rest] = deltas(
      await eventsOf(await server.ask("/v1/chat/completions", { ...asked, stream: true })),
    );
    expect(head).toEqual({ role: "assistant", content: "" });
    expect(first.tool_calls).toEqual([{ ...call, index: 0, id: first.tool_calls[0].id }]);
    expect(rest).toEqual([{}]);
    const turns = [...messages, choice.message, { role: "tool", tool_call_id: call.id, content: "Sunny." }];
    const after = await server.json("/v1/chat/completions", { model, messages: turns, tools });
    expect([after.body.choices[0].finish_reason, after.body.choices[0].message.tool_calls]).toEqual([
      "stop",
      undefined,
    ]);
    for (const choice of ["none", "required", { type: "function", function: { name: "clock" } }]) {
      const { body: found } = await server.json("/v1/chat/completions", { ...asked, tool_choice: choice });
      const names = found.choices[0].message.tool_calls?.map((one: Loose) => one.function.name);
      if (choice === "none") expect(names).toBeUndefined();
      else if (choice === "required") expect(names.length).toBe(1);
      else expect(names).toEqual(["clock"]);
    }
  });

  it("are function calls in the Responses protocol", async () => {
    const asked = {
      model,
      input: "Use weather, please.",
      tools: tools.map((tool) => ({ type: "function", ...tool.function })),
    };
    const { body } = await server.json("/v1/responses", asked);
    const [item] = body.output;
    expect([body.output.length, item.type, item.name]).toEqual([1, "function_call", "weather"]);
    const events = await eventsOf(await server.ask("/v1/responses", { ...asked, stream: true }));
    expect(events.map(({ event }) => event)).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.function_call_arguments.delta",
      "response.function_call_arguments.done",
      "response.output_item.done",
      "response.completed",
    ]);
    expect(events.at(-1)?.data.response.output[0].arguments).toBe(item.arguments);
    const turns = [
      { role: "user", content: "Use weather, please." },
      item,
      { type: "function_call_output", call_id: item.call_id, output: "Sunny." },
    ];
    const after = await server.json("/v1/responses", { ...asked, input: turns });
    expect(after.body.output.map(({ type }: Loose) => type)).toEqual(["message"]);
  });
});

it("are refused in plain words where they cannot be had", async () => {
  const cases: [more: object, param: string, why: RegExp][] = [
    [
      { model: "tones", response_format: format },
      "response_format",
      /a specialist: it answers with its label/,
    ],
    [{ model: "tones", tools }, "tools", /calls no tools/],
    [{ model: "plain", tools, tool_choice: "required" }, "tools", /calls no tools/],
    [
      { model: "plain", response_format: { type: "json_object" } },
      "response_format",
      /cannot be held to JSON/,
    ],
    [
      { model: "m", response_format: { type: "json_schema", json_schema: { name: "x" } } },
      "response_format",
      /no schema/,
    ],
    [{ model: "m", response_format: { type: "xml" } }, "response_format.type", /./],
    [{ model: "m", tools: [...tools, tools[0]] }, "tools", /same name/],
    [
      { model: "m", tools: [{ type: "function", function: { name: "no spaces" } }] },
      "tools.0.function.name",
      /1 to 64/,
    ],
    [{ model: "m", functions: [{ name: "f" }] }, "functions", /send tools/],
    [{ model: "m", modalities: ["audio"] }, "modalities", /writes only text/],
  ];
  for (const [more, param, why] of cases) {
    const { status, body } = await server.json("/v1/chat/completions", { messages, ...more });
    expect([status, body.error.param?.split(".").slice(0, 4).join("."), body.error.message]).toEqual([
      400,
      param,
      expect.stringMatching(why),
    ]);
  }
  const refs = { type: "json_schema", json_schema: { name: "x", schema: { $ref: "#" } } };
  for (const stream of [false, true]) {
    const { status, body } = await server.json("/v1/chat/completions", {
      model: "m",
      messages,
      response_format: refs,
      stream,
    });
    expect([status, body.error.code]).toEqual([400, "unsupported"]);
  }
  const unnamed = { type: "json_schema", json_schema: { schema: { const: "yes" } } };
  const said = await server.json("/v1/chat/completions", { model: "m", messages, response_format: unnamed });
  expect([said.status, said.body.choices?.[0].message.content]).toEqual([200, '"yes"']);
  const loose = { ...format, json_schema: { name: "x", schema: { type: "string", pattern: "^a" } } };
  const answer = await server.ask("/v1/chat/completions", { model: "m", messages, response_format: loose });
  expect([answer.status, answer.headers.get("x-hone-ignored")]).toEqual([200, "schema.pattern"]);
});
