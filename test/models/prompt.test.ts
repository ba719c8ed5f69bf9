import { describe, expect, it } from "vitest";
import { noCost } from "../../src/core/call.js";
import type { Query } from "../../src/core/language.js";
import type { LanguageModel, ScoreRequest } from "../../src/core/model.js";
import { generalist } from "../../src/models/generalist.js";
import { optionLabels, parseChoice, renderPrompt } from "../../src/models/prompt.js";

const tones = [
  { key: "p", text: "polite" },
  { key: "r", text: "rude" },
];
const query: Query = {
  instruction: "What is the tone?",
  input: "Go away.",
  options: tones,
  demonstrations: [{ input: "Thank you!", answer: "p" }],
};

describe("renderPrompt", () => {
  it("lists shared options once, above the demonstrations, in plain format", () => {
    const { messages, continuations } = renderPrompt(query, "plain");
    expect(messages).toEqual([
      {
        role: "user",
        content: "What is the tone?\n\nA. polite\nB. rude\n\nThank you!\nAnswer: A\n\nGo away.\nAnswer:",
      },
    ]);
    expect(continuations).toEqual([" A", " B"]);
  });

  it("makes demonstrations turns of their own in chat format", () => {
    const { messages, continuations } = renderPrompt({ ...query, answerBy: "text" }, "chat");
    expect(messages.map(({ role }) => role)).toEqual(["system", "user", "assistant", "user"]);
    expect(messages[2]?.content).toBe("polite");
    expect(continuations).toEqual(["polite", "rude"]);
  });

  it("lists a sample's own options beside it", () => {
    const own = renderPrompt({ ...query, ownOptions: true, demonstrations: [] }, "plain");
    expect(own.messages[0]?.content).toBe("What is the tone?\n\nGo away.\nA. polite\nB. rude\nAnswer:");
  });

  it("has labels for any number of options, none the beginning of another", () => {
    for (const count of [1, 26, 27, 100, 311]) {
      const labels = optionLabels(count);
      expect(new Set(labels).size).toBe(count);
      for (const a of labels) for (const b of labels) if (a !== b) expect(b.startsWith(a)).toBe(false);
    }
  });
});

describe("parseChoice", () => {
  const read = (text: string, options = tones) => parseChoice(text, options)?.key;

  it.each([
    ["B", "r"],
    ["(b)", "r"],
    ["B. rude", "r"],
    ["**A**", "p"],
    ["The answer is B.", "r"],
    ["Answer: A", "p"],
    ["First I thought B, but the final answer: A", "p"],
    ["It sounds rude to me", "r"],
    ["I would say B here", "r"],
    ["A. polite\nB. rude\n\nAnswer: B", "r"],
    ["B. The answer is B, e.g. for a. or c.", "r"],
  ])("reads %j", (text, key) => {
    expect(read(text)).toBe(key);
  });

  it.each([
    ...["", "   ", "polite or rude", "A or B", "I do not know", "C", "The answer is a difficult one"],
    ...[
      "(A) and (B)",
      "A) or B)",
      "A. polite\nB. rude",
      "Answer: A or B",
      "The answer is A and B.",
      "B. No, A.",
    ],
    ...["not polite", "It isn't rude.", "Not A", "I would never be polite"],
  ])("makes no guess from %j", (text) => {
    expect(read(text)).toBeUndefined();
  });

  it("prefers the longer option where one holds the other", () => {
    const options = [
      { key: "1", text: "yes" },
      { key: "2", text: "yes, with conditions" },
    ];
    expect(read("I think yes, with conditions", options)).toBe("2");
  });

  it("tells options apart by their vowel signs", () => {
    const [feminine, masculine] = ["की", "का"].map((text) => ({ key: text, text }));
    expect(read("का", [feminine, masculine] as never)).toBe("का");
  });

  it("reads numbers beyond 26 options", () => {
    const many = Array.from({ length: 40 }, (_, i) => ({ key: `k${i}`, text: `option number ${i} of many` }));
    for (const text of ["Answer: 07", "Answer: 7", "7", "07."]) expect(read(text, many)).toBe("k6");
    expect(read("There are 7 of them", many)).toBeUndefined();
  });
});

describe("a query that reasons", () => {
  const query: Query = {
    input: "A new one.",
    options: [
      { key: "p", text: "polite" },
      { key: "r", text: "rude" },
    ],
    demonstrations: [{ input: "An old one.", answer: "r", rationale: "It shouts." }],
    passages: [{ id: "7", text: "Manners matter." }],
    reason: { maxTokens: 20 },
  };

  it("asks for the reasons first and for the answer after them", () => {
    const first = renderPrompt(query, "plain").messages[0]?.content;
    expect(first).toBe(
      "A. polite\nB. rude\n\nAn old one.\nExplanation: It shouts.\nAnswer: B\n\nContext: Manners matter.\n\nA new one.\nExplanation:",
    );
    expect(renderPrompt(query, "plain", "It is mild.").messages[0]?.content).toBe(
      `${first} It is mild.\nAnswer:`,
    );
  });

  it("keeps the two apart as turns in a chat, where the answer is scored", () => {
    const roles = (rationale?: string) =>
      renderPrompt(query, "chat", rationale).messages.map(({ role, content }) => [role[0], content]);
    expect(roles("It is mild.")).toEqual([
      ["s", "A. polite\nB. rude"],
      ["u", "An old one.\nThink step by step."],
      ["a", "It shouts."],
      ["u", "Answer:"],
      ["a", "B"],
      ["u", "Context: Manners matter.\nA new one.\nThink step by step."],
      ["a", "It is mild."],
      ["u", "Answer:"],
    ]);
    expect(roles().length).toBe(6);
  });

  it("takes one call where the answer is written, two where it is scored, and keeps the reasons", async () => {
    const asked: string[] = [];
    const model = {
      id: "m",
      name: "m",
      format: "chat",
      generate: async () => {
        asked.push("generate");
        return { text: "It is mild.\n**Answer:** A", finish: "stop", cost: noCost };
      },
      score: async ({ options }: ScoreRequest) => {
        asked.push("score");
        return { options: options.map((_, i) => ({ logprob: -i, tokens: 1 })), cost: noCost };
      },
    } as unknown as LanguageModel;
    const context = { signal: new AbortController().signal };
    const written = await generalist(model).respond({ ...query, scoring: "parse" }, context);
    expect(written).toMatchObject({ choice: "p", trail: [{ kind: "rationale", text: "It is mild." }] });
    expect(asked.splice(0)).toEqual(["generate"]);
    const scored = await generalist(model).respond(query, context);
    expect(scored).toMatchObject({ choice: "p", trail: [{ kind: "rationale", text: "It is mild." }] });
    expect(asked).toEqual(["generate", "score"]);
  });
});

describe("turns", () => {
  it("stand after the demonstrations and before the query", () => {
    const turns = [
      { role: "user", content: "Hello." },
      { role: "assistant", content: "Good day." },
    ] as const;
    const chat = renderPrompt({ ...query, turns }, "chat").messages;
    expect(chat.slice(-3, -1)).toEqual(turns);
    expect(chat.at(-1)?.content).toContain("Go away.");
    const [plain] = renderPrompt({ ...query, turns }, "plain").messages;
    expect(plain?.content).toMatch(/Thank you![\s\S]*User: Hello\.\n\nAssistant: Good day\.\n\nGo away\./);
  });
});
