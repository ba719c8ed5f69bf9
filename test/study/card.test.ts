// Model cards: what they say, and that nothing in them is markup.

import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { share } from "../../src/core/metric.js";
import { type CardFacts, modelCard } from "../../src/study/card.js";

const facts: CardFacts = {
  name: "lora(r=8)",
  study: "court",
  plan: "abc",
  base: { name: "smollm2", ref: "llama:smollm2-135m-instruct", id: "llama:smollm2@1", file: "base.gguf" },
  specializer: { name: "lora", options: { rank: 8, optimizer: { rate: 0.001 }, targets: ["attn_q"] } },
  seed: 3,
  seconds: 90,
  task: {
    name: "issue area",
    metric: share("accuracy"),
    source: "file:cases.jsonl",
    counts: { train: 1000, dev: 50, test: 600, eyesOff: 0 },
    labels: [
      { key: "a", text: "criminal" },
      { key: "b", text: "civil" },
    ],
  },
  dev: { n: 50, mean: 0.7, low: 0.56, high: 0.81 },
  test: { n: 598, mean: 0.6333, low: 0.594, high: 0.671, unscored: 2 },
  openedBefore: { rows: 120, of: 600, plans: 2 },
  files: { adapters: ["artifacts/x/adapter.gguf"], models: [], peft: ["artifacts/x/peft"] },
};

const headerOf = (card: string) => parse(card.split("---\n")[1] as string) as Record<string, unknown>;

describe("modelCard", () => {
  it("says what it was made from, how, how well it does and how to load it", () => {
    const card = modelCard(facts);
    expect(headerOf(card)).toEqual({
      base_model: "llama:smollm2-135m-instruct",
      library_name: "peft",
      tags: ["hone", "specialist", "lora"],
      pipeline_tag: "text-classification",
    });
    for (const line of [
      "| rank | 8 |",
      "| optimizer.rate | 0.001 |",
      "| targets.0 | attn\\_q |",
      "| base file | base.gguf |",
      "(`hone models pull smollm2-135m-instruct` fetches it)",
      "| seed | 3 |",
      "| test | 598 | 63.3% (95 % interval 59.4–67.1) |",
      "| dev (the specialist may have been chosen on it) | 50 | 70% (95 % interval 56–81) |",
      "Of the test split, 120 of 600 rows opened before, by 2 other plans.",
      "2 test samples could not be scored and are left out.",
      "llama-server -m base.gguf --lora artifacts/x/adapter.gguf",
      '"artifacts/x/peft")',
    ]) {
      expect(card).toContain(line);
    }
  });

  it("says where dev chose within the specialist", () => {
    const card = modelCard({ ...facts, dev: { n: 50, mean: 0.7, low: 0.56, high: 0.81, optimistic: true } });
    expect(card).toContain(
      "| dev (optimistic: dev also chose within the specialist, or its seed) | 50 | 70% (95 % interval 56–81) |",
    );
  });

  it("says what another server must do where Hone fixes how the prompt is rendered", () => {
    const id = "llama:qwen3@1?ctx=2048;no-thinking;fixed-date";
    const card = modelCard({ ...facts, base: { ...facts.base, id } });
    expect(card).toContain("another server must pass `enable_thinking: false`");
    expect(card).toContain("26 July 2024");
    expect(modelCard(facts)).not.toMatch(/thinking|July/);
  });

  it("says that it was not measured where it was not", () => {
    const card = modelCard({ ...facts, dev: null, test: null });
    expect(card).toContain("It was not measured.");
    expect(card).not.toContain("| test |");
  });

  it("is inert to what names, options and data say", () => {
    const evil =
      "<script>alert(1)</script> [x](javascript:1)\n---\n# H | `a` ![i](http://e.x)\u202e\x1b[31m```";
    const card = modelCard({
      ...facts,
      name: evil,
      study: evil,
      plan: evil,
      base: { name: evil, ref: evil, id: evil, file: evil },
      specializer: { name: evil, options: { [evil]: evil } },
      task: { ...facts.task, name: evil, source: evil },
    });
    const body = card.split("---\n").slice(2).join("---\n");
    const outside = body.replace(/^(`{3,})text\n[\s\S]*?\n\1$/gm, "");
    expect(outside).not.toMatch(/<script|\x1b|\u202e|(?<!\\)`|\n# H|(?<!\\)\[x|(?<!\\)!\[/);
    expect(Object.keys(headerOf(card))).toEqual(["base_model", "library_name", "tags", "pipeline_tag"]);
    expect(outside.match(/^## /gm)).toHaveLength(4);
  });
});
