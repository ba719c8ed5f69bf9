// The first person by a model: taken where it is one, and refused where it is not; the original is restored in any case.

import { describe, expect, it } from "vitest";
import type { LanguageSubject } from "../../../src/core/kinds.js";
import { assistedFirstPerson } from "../../../src/tasks/social/assisted.js";
import { restore } from "../../../src/tasks/social/first-person.js";
import type { Told } from "../../../src/tasks/social/told.js";

const told: Told = {
  story: "Ben meets Karl at the station. He is tired.",
  question: "How does Ben feel?",
  options: ["Ben is tired", "He is glad"],
};

function writing(text: string): LanguageSubject {
  return { kind: "language", name: "writer", id: "writer", respond: () => Promise.resolve({ text }) };
}

const convert = (text: string) =>
  assistedFirstPerson(told, "Ben", writing(text), { signal: new AbortController().signal });

describe("the first person by a model", () => {
  it("is taken part by part, and can be restored", async () => {
    const found = await convert(
      "Sure!\nStory: You meet Karl at the station. You are tired.\nQuestion: How do you feel?\nOption 1: I am tired\nOption 2: I am glad\n",
    );
    if ("refused" in found) throw new Error(found.refused);
    expect(found.told.story).toBe("You meet Karl at the station. You are tired.");
    expect(found.told.options).toEqual(["I am tired", "I am glad"]);
    expect(restore(found.told, found.lineage)).toEqual(told);
  });

  it.each([
    ["", /left a part out/],
    ["Story: You meet Karl.\nQuestion: How?\nOption 1: I am tired", /left a part out/],
    [
      "Story: Ben meets Karl at the station. You are tired.\nQuestion: How do you feel?\nOption 1: a\nOption 2: b",
      /left the name in/,
    ],
    [
      "Story: Karl is at the station and is tired.\nQuestion: How?\nOption 1: a\nOption 2: b",
      /addresses nobody/,
    ],
    ["Story: You win.\nQuestion: How?\nOption 1: a\nOption 2: b", /another story/],
    [
      "Story: You meet Karl at the station. You are tired.\nQuestion: How?\nOption 1: a\nOption 2: a",
      /two options one/,
    ],
  ])("refuses %j", async (text, why) => {
    expect(await convert(text)).toMatchObject({ refused: expect.stringMatching(why) });
  });
});
