// ToMi and ToMBench items: read, solved by the symbolic world before and after conversion, converted and restored.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { restore, toFirstPerson } from "../../../src/tasks/social/first-person.js";
import { compromiseTagger } from "../../../src/tasks/social/tagger.js";
import { protagonistOf, readTombench } from "../../../src/tasks/social/tombench.js";
import { solveTomi, type TomiRow, tomiItem, tomiPersons } from "../../../src/tasks/social/tomi.js";
import { makeWorld } from "../../../src/tasks/social/world.js";

const story = [
  "1 Nora entered the shed.",
  "2 Paul entered the shed.",
  "3 The kiwi is in the sack.",
  "4 The sack is in the shed.",
  "5 Nora exited the shed.",
  "6 Paul moved the kiwi to the tub.",
  "7 The tub is in the shed.",
].join("\n");

describe("the symbolic world", () => {
  it.each([
    ["Where is the kiwi really?", "tub"],
    ["Where was the kiwi at the beginning?", "sack"],
    ["Where will Nora look for the kiwi?", "sack"],
    ["Where will Paul look for the kiwi?", "tub"],
    ["Where does Paul think that Nora searches for the kiwi?", "sack"],
    ["Where does Nora think that Paul searches for the kiwi?", "sack"],
  ])("%s", (question, place) => {
    expect(solveTomi(story, question)).toBe(place);
  });

  it("lets who comes back see, and the others see that", () => {
    const back = `${story}\n8 Nora entered the shed.`;
    expect(solveTomi(back, "Where will Nora look for the kiwi?")).toBe("tub");
    expect(solveTomi(back, "Where does Paul think that Nora searches for the kiwi?")).toBe("tub");
    expect(solveTomi(`${story}\n8 Nora entered the yard.`, "Where will Nora look for the kiwi?")).toBe(
      "sack",
    );
  });

  it("keeps three who know apart from two who know of each other", () => {
    const world = makeWorld();
    world.happen({ kind: "placed", thing: "plan", container: "old" });
    world.happen({ kind: "tell", who: "a", to: ["b", "c"], thing: "plan" });
    world.happen({ kind: "placed", thing: "plan", container: "new" });
    world.happen({ kind: "tell", who: "a", to: ["b"], thing: "plan" });
    world.happen({ kind: "tell", who: "b", to: ["c"], thing: "plan" });
    expect(world.belief(["c"], "plan")).toBe("new");
    expect(world.belief(["b", "c"], "plan")).toBe("new");
    expect(world.belief(["a", "c"], "plan")).toBe("old");
  });

  it("says where a story or a question is none of ToMi's", () => {
    expect(() => solveTomi("Nora flew to the moon.", "Where is the kiwi really?")).toThrow(
      /not in ToMi's format[\s\S]*flew/,
    );
    expect(() => solveTomi(story, "Why?")).toThrow(/question is not in ToMi's format/);
  });
});

const row: TomiRow = {
  story,
  question: "Where does Nora think that Paul searches for the kiwi?",
  answer: "sack",
  story_type: "false_belief",
  question_type: "second_order_1_tom",
  containers: ["sack", "tub"],
};

describe("an item in ToMi's format", () => {
  it("is told in every person, and answered alike by the world", () => {
    const item = tomiItem(row, 0);
    expect(item).toMatchObject({ who: "Nora", others: ["Paul"] });
    const { third, first, shuffled, easier } = tomiPersons(item, 1);
    expect(third.told.story).toBe(
      "Nora and Paul entered the shed. The kiwi is in the sack, the sack is in the shed. Nora exited the shed. Paul moved the kiwi to the tub, the tub is in the shed.",
    );
    expect(first?.told.story).toMatch(/^You and Paul entered the shed\./);
    expect(first?.told.question).toBe("Where do you think that Paul searches for the kiwi?");
    expect(shuffled?.told.question).toBe("Where does Nora think that you search for the kiwi?");
    expect(easier).toMatchObject({ told: { question: "Where will Paul look for the kiwi?" }, gold: "tub" });
    for (const one of [third, first, shuffled, easier])
      expect(solveTomi(one?.told.story ?? "", one?.told.question ?? "")).toBe(one?.gold);
  });
});

const data = process.env.HONE_TEST_DATA;

describe.skipIf(!data)("the published items (need HONE_TEST_DATA)", () => {
  it("ToMi: the world agrees with the labels, before and after conversion", () => {
    const lines = readFileSync(join(data as string, "social/tomi/test_balanced.jsonl"), "utf8")
      .trim()
      .split("\n");
    const rows = lines.map((line) => JSON.parse(line) as TomiRow);
    const agree = { third: 0, first: 0, shuffled: 0 };
    let converted = 0;
    for (const [i, one] of rows.entries()) {
      const item = tomiItem(one, i);
      const told = tomiPersons(item, 1);
      if (told.first) converted++;
      for (const person of ["third", "first", "shuffled"] as const) {
        const form = told[person];
        if (form && solveTomi(form.told.story, form.told.question) === one.answer) agree[person]++;
      }
    }
    expect(rows).toHaveLength(1000);
    expect(converted).toBe(800);
    // One label is wrong: who enters another room is said to see what is in the first.
    expect(agree.third).toBe(999);
    expect(agree.first).toBe(799);
    expect(agree.shuffled).toBeGreaterThanOrEqual(798);
  });

  it("ToMBench: a quarter and more are converted and restored to the letter", () => {
    const folder = join(data as string, "social/tombench");
    const files = readdirSync(folder).filter((name) => name.endsWith(".jsonl"));
    let [read, converted] = [0, 0];
    for (const file of files) {
      // Every fourth item: tagging is slow.
      const lines = readFileSync(join(folder, file), "utf8")
        .trim()
        .split("\n")
        .filter((_, i) => i % 4 === 0);
      for (const [i, line] of lines.entries()) {
        const item = readTombench(
          JSON.parse(line.replace(/: NaN\b/g, ": null")),
          file.replace(/\.jsonl$/, ""),
          i,
        );
        if (!item) continue;
        read++;
        const who = protagonistOf(item);
        const found = who === undefined ? undefined : toFirstPerson(item, who, compromiseTagger);
        if (found === undefined || "refused" in found) continue;
        converted++;
        const { story, question, options } = item;
        expect(restore(found.told, found.lineage)).toEqual({ story, question, options });
        const text = [found.told.question, found.told.story, ...found.told.options].join("\n");
        expect(text).not.toMatch(/\b(?:does|her|the|named|Mr\.) you\b|you think you think/i);
      }
    }
    expect(read).toBeGreaterThan(700);
    expect(converted / read).toBeGreaterThan(0.24);
  });
});
