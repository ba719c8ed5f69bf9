// EgoSocialArena's reproduction over the mock: published items in their formats, every study, every claim judged, and data
// that are not what they should be.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { judge } from "../../src/papers/claim.js";
import { type EgoScores, egoClaims } from "../../src/papers/egosocialarena/claims.js";
import { egosocialarena } from "../../src/papers/egosocialarena/paper.js";
import { egoPlans } from "../../src/papers/egosocialarena/plans.js";
import { drawnItems, type EgoRow, readPublished } from "../../src/papers/egosocialarena/read.js";
import { type EgoSettings, presets } from "../../src/papers/egosocialarena/settings.js";
import type { Row } from "../../src/papers/figures.js";
import { writeFactsForm } from "./make.js";

const folder = mkdtempSync(join(tmpdir(), "hone-ego-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function writeSocial(root: string, bench: string): void {
  mkdirSync(join(root, "social/tomi"), { recursive: true });
  mkdirSync(join(root, "social/tombench"), { recursive: true });
  writeFactsForm(join(root, "law"), 600);
  const row = (question: string, answer: string, i: number) => ({
    story: `1 Nora entered the shed.\n2 Paul entered the shed.\n3 The kiwi is in the sack.\n4 The sack is in the shed.\n5 Nora exited the shed.\n6 Paul moved the kiwi to the tub${i}.\n7 The tub${i} is in the shed.`,
    question,
    answer,
    story_type: "false_belief",
    question_type: "made here",
    containers: ["sack", `tub${i}`],
  });
  const rows = Array.from({ length: 6 }, (_, i) => [
    row("Where will Nora look for the kiwi?", "sack", i),
    row("Where does Nora think that Paul searches for the kiwi?", "sack", i),
    row("Where does Paul think that Nora searches for the kiwi?", "sack", i),
    row("Where is the kiwi really?", `tub${i}`, i),
  ]).flat();
  writeFileSync(
    join(root, "social/tomi/test_balanced.jsonl"),
    rows.map((one) => `${JSON.stringify(one)}\n`).join(""),
  );
  writeFileSync(join(root, "social/tombench/Made Here.jsonl"), bench);
}

const item = (answer: string) =>
  `{"能力\\nABILITY": "Emotion: typical", "STORY": "Nora opens the gift from her aunt and finds a ring.", "QUESTION": "What does Nora feel?", "OPTION-A": "Nora is glad", "OPTION-B": "She is cross", "OPTION-C": NaN, "OPTION-D": NaN, "答案\\nANSWER": "${answer}"}`;

const settings: EgoSettings = {
  ...presets.smoke,
  each: 1,
  tomi: 6,
  tombench: 2,
  profile: { each: 1, tomi: 4 },
  law: { ...presets.smoke.law, tasks: null, enough: { train: 8, test: 6 }, tune: { fewShot: { k: 1 } } },
  social: { train: 1, dev: 1, tune: { fewShot: { k: 1 } } },
  arena: {
    ...presets.smoke.arena,
    rules: ["constant"],
    deals: [{ guessing: 1, holdem: 1, blackjack: 3 }],
    solved: { ...presets.smoke.arena.solved, tune: { fewShot: { k: 1 } } },
  },
  seeds: [1],
  models: ["mock:"],
};

describe("egosocialarena over the mock", () => {
  it("runs every study, judges every claim and says what became of the published items", {
    timeout: 120_000,
  }, async () => {
    const data = join(folder, "data");
    writeSocial(data, [item("A"), item("B"), `{"STORY": "", "QUESTION": "?"}`].join("\n"));
    const store = join(folder, "store");
    const done = await egosocialarena.reproduce({ preset: "smoke", data, store }, settings);
    expect(done.stopped).toBeNull();
    expect(done.studies).toHaveLength(6);
    expect(done.claims).toHaveLength(23);
    // Without a larger model its claims stay open.
    const open = done.claims.filter(({ measured }) => measured === null).map(({ id }) => id);
    expect(open).toEqual(["a2", "c2", "d1"]);
    expect(done.validation).toEqual({
      tomi: { read: 24, agree: 24, converted: 18, agreeConverted: 18 },
      tombench: { read: 2, converted: 2, refused: {} },
    });
    const [table] = done.tables;
    expect(table?.head).toContain("shuffled");
    expect(table?.rows.map(([scenario]) => scenario)).toEqual(
      expect.arrayContaining([
        "tomi-other",
        "tomi-self",
        "tombench-self",
        "daily-tom",
        "holdem",
        "blackjack",
        "all",
      ]),
    );
  });

  it.each([["{not json", /not an item that Hone can[\s\S]*Made Here.jsonl:1/]])(
    "says where data are damaged: %j",
    async (bench, why) => {
      const data = join(folder, "damaged");
      writeSocial(data, bench);
      await expect(
        egosocialarena.reproduce({ preset: "smoke", data, store: join(folder, "store-2") }, settings),
      ).rejects.toThrow(why);
    },
  );
});

describe("items of egosocialarena", () => {
  const read = async () => {
    const data = join(folder, "items");
    writeSocial(data, [item("A"), item("B")].join("\n"));
    return readPublished(join(data, "social"), 9, new AbortController().signal);
  };

  it("have an easier question only where it has the same answer", async () => {
    const { tomi } = await read();
    const second = tomi.filter(({ third }) => third.id.startsWith("tomi-other"));
    // Nora thinks that Paul looks where he does not; Paul knows where Nora looks.
    expect(second).toHaveLength(12);
    const controls = second.filter(({ easier }) => easier);
    expect(controls).toHaveLength(6);
    for (const { easier, first } of controls) expect(easier?.answer).toBe(first.answer);
  });

  it("of one story are one group", async () => {
    const { tomi, tombench } = await read();
    const groups = new Set(tomi.map(({ first }) => first.group));
    expect([tomi.length, groups.size]).toEqual([18, 6]);
    expect(new Set(tombench.map(({ third }) => third.group)).size).toBe(1);
  });

  it("are one group where two seeds drew the same in other words", () => {
    const groups = drawnItems(2, [1, 1]).map(({ third }) => third.group);
    const once = groups.slice(0, groups.length / 2);
    expect(new Set(once).size).toBe(once.length);
    expect(groups.slice(once.length)).toEqual(once);
  });

  it("decide in both persons how is asked, and no story of theirs is tested", async () => {
    const law = { chosen: [], texts: new Map() } as never;
    const [plan] = egoPlans({
      settings: { ...settings, tomi: 9, asking: { each: 1, tomi: 3, tombench: 1 } },
      models: ["mock:"],
      data: { ...(await read()), law },
    });
    const [dev, third, first] = ["dev", "test", "first"].map(
      (name) => plan?.files[`${name}.jsonl`] as EgoRow[],
    );
    const persons = dev?.map(({ id }) => id.endsWith("/first"));
    expect(dev?.length).toBe(2 * (20 + 3));
    expect(persons?.filter(Boolean)).toHaveLength(23);
    const tested = new Set([...(third ?? []), ...(first ?? [])].map(({ group }) => group));
    expect(dev?.filter(({ group }) => tested.has(group))).toEqual([]);
    expect(plan?.study.task).not.toHaveProperty("answerBy");
  });

  it("that are tested were drawn together with what is trained on", () => {
    const law = { chosen: [], texts: new Map() } as never;
    const validation = {} as never;
    const given = {
      ...settings,
      profile: { each: 2, tomi: 0 },
      asking: { each: 1, tomi: 0, tombench: 0 },
      social: { train: 3, dev: 1, tune: "fewShot" },
    };
    const plans = egoPlans({
      settings: given,
      models: ["mock:"],
      data: { tomi: [], tombench: [], law, validation },
    });
    const files = plans.find(({ part }) => part === "social")?.files ?? {};
    const ids = ["train", "dev", "test"].map((split) =>
      (files[`${split}.jsonl`] as EgoRow[]).map(({ id }) => id),
    );
    expect(ids.map(({ length }) => length)).toEqual([60, 20, 40]);
    expect(new Set(ids.flat()).size).toBe(120);
    // What is drawn at once is never the same in other words.
    expect(new Set(ids.flat().map((id) => id.replace(/.*#/, "")))).toEqual(new Set(["1001"]));
    expect(plans[0]?.study.task).toMatchObject({ data: { group: "group" } });
  });
});

describe("claims on what was trained", () => {
  const items = Array.from({ length: 80 }, (_, i) => i);
  const rowOf = (task: string, i: number, seed: number, score: number): Row => ({
    ...{
      task,
      sample: `${task}/${i}`,
      group: `case ${i}`,
      seed,
      gold: "",
      prediction: "",
      score,
      details: {},
    },
  });
  const claimOf = (id: string, trained: EgoScores["trained"]) => {
    const none = new Map();
    const claims = egoClaims({ told: () => none, trained, chance: none, surface: none });
    return judge(claims.filter((claim) => claim.id === id))[0];
  };

  it("count training seeds as well as items", () => {
    // One training of three learnt it, the others nothing.
    const lora = [1, 2, 3].flatMap((seed) => items.map((i) => rowOf("law", i, seed, seed === 1 ? 1 : i % 2)));
    const claim = claimOf("e1", (_, arm, on) =>
      on !== "law" ? [] : arm === "lora" ? lora : items.map((i) => rowOf("law", i, 1, i % 2)),
    );
    expect(claim?.measured).toBeCloseTo(1 / 6, 9);
    expect(claim?.holds).toBe(false);
    expect(claim?.p).toBeGreaterThan(0.1);
  });

  it("compare each training with itself where only the person differs", () => {
    // The trainings know a fifth, a half and four fifths of the items, and each loses ten in the first person.
    const known = [16, 40, 64];
    const told = (less: number) =>
      known.flatMap((most, s) => items.map((i) => rowOf("holdem", i, s + 1, i >= less && i < most ? 1 : 0)));
    const claim = claimOf("f3", (_, __, on) => (on === "first" ? told(10) : told(0)));
    expect(claim?.measured).toBeCloseTo(-10 / 80, 9);
    expect(claim?.holds).toBe(true);
  });
});
