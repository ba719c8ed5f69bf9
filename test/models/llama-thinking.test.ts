// Models that can think before they answer: their templates are told not to let them, and thoughts that they write nevertheless are no
// part of the answer. On a tiny file that writes the same tokens after each prompt.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openLlama } from "../../src/models/llama.js";
import { compileTemplate, renderingMark, withoutThoughts } from "../../src/models/template.js";
import { ggufBytes, type Made, tinyLlama, withValue } from "./llama-make.js";

const folder = mkdtempSync(join(tmpdir(), "hone-thinking-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const chatml = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}";
const qwen = `${chatml}{% if add_generation_prompt %}:{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}{% endif %}`;
const smollm = `{% if enable_thinking is not defined %}{% set enable_thinking = true %}{% endif %}{{ "/think" if enable_thinking else "/no_think" }} ${chatml}`;

it("are told not to think, and have another id than when they did", async () => {
  const rendered = async (source: string) =>
    (await compileTemplate(source))([{ role: "user", content: "Hi" }])
      .map(({ text }) => text)
      .join("");
  expect(await rendered(qwen)).toBe("<user>Hi:<think>\n\n</think>\n\n");
  expect(await rendered(smollm)).toBe("/no_think <user>Hi");
  expect(await rendered(chatml)).toBe("<user>Hi");
  expect([qwen, smollm, chatml].map(renderingMark)).toEqual([";no-thinking", ";no-thinking", ""]);
});

it.each([
  ["<think>\nLet me see.\n</think>\n\nA", "A"],
  ["\n<think></think>A </think>", "A </think>"],
  ["<think>It goes on", ""],
  ["A <think>b</think>", "A <think>b</think>"],
  ["<thin", "<thin"],
])("cut thoughts off: %j", (written, answer) => {
  expect(withoutThoughts(written)).toBe(answer);
});

/** A file that writes these tokens, each different, after a colon: attention and feed-forwards add nothing, and each token has the next as its output. */
function writes(tokens: readonly string[], template: string): Made {
  const made = tinyLlama();
  const texts = (made.metadata.find(([key]) => key === "tokenizer.ggml.tokens")?.[1].value ?? []) as string[];
  const named = texts.map((text) => ({ ab: "<think>", cd: "</think>" })[text] ?? text);
  const ids = [":", ...tokens, "<<end>>"].map((text) => named.indexOf(text));
  const tensors = made.tensors.map((one) =>
    /attn_output|ffn_down/.test(one.name) ? { ...one, data: Buffer.alloc(one.data.length) } : one,
  );
  const table = tensors.find(({ name }) => name === "token_embd.weight") as Made["tensors"][number];
  const row = 4 * (table.shape[0] as number);
  const data = Buffer.alloc(table.data.length);
  ids.slice(1).forEach((id, i) => {
    table.data.copy(data, id * row, (ids[i] as number) * row, ((ids[i] as number) + 1) * row);
  });
  const file = { ...made, tensors: [...tensors, { ...table, name: "output.weight", data }] };
  const strings = (key: string, value: string[]) => [key, { type: "strings", value }] as const;
  return [strings("tokenizer.ggml.tokens", named), strings("tokenizer.ggml.merges", ["z z"])].reduce<Made>(
    (all, [key, value]) => withValue(all, key, value),
    withValue(file, "tokenizer.chat_template", { type: "string", value: template }),
  );
}

describe("what a model writes", () => {
  const written = ["<think>", "B", "</think>", "A", "!", ",", "C"];
  const answer = async (template: string, more: { stop?: string[]; maxTokens?: number } = {}) => {
    const path = join(folder, "writes.gguf");
    writeFileSync(path, ggufBytes(writes(written, template)));
    const model = await openLlama(path, { lanes: 1, threads: 1, context: 128 });
    const grown: string[] = [];
    try {
      const request = { messages: [{ role: "user", content: "x" }], format: "chat" } as const;
      const { text, finish } = await model.generate(
        { ...request, maxTokens: 12, temperature: 0, seed: 1, ...more },
        { signal: new AbortController().signal, grows: (text) => void grown.push(text) },
      );
      return { text, finish, grown: [...new Set(grown)], id: model.id };
    } finally {
      await model.close();
    }
  };
  const thinking = "{{ enable_thinking }}{{ messages[0].content }}:";

  it("begins after its thoughts, also where it streams and where it stops", async () => {
    const whole = await answer(thinking);
    expect(whole).toMatchObject({ text: "A!,C", finish: "stop", grown: ["", "A", "A!", "A!,", "A!,C"] });
    expect(whole.id).toMatch(/;no-thinking$/);
    expect((await answer(thinking, { stop: ["B", ","] })).text).toBe("A!");
    expect(await answer(thinking, { maxTokens: 2 })).toMatchObject({ text: "", finish: "length" });
  });

  it("stays as it is where the template has no such switch", async () => {
    const whole = await answer("{{ messages[0].content }}:");
    expect(whole.text).toBe("<think>B</think>A!,C");
    expect(whole.id).not.toMatch(/thinking/);
  });
});
