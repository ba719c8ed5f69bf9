// EgoSocialArena's reproduction over the mock: published items in their formats, every study, every claim judged, and data
// that are not what they should be.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { egosocialarena } from "../../src/papers/egosocialarena/paper.js";
import { type EgoSettings, presets } from "../../src/papers/egosocialarena/settings.js";
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
    blackjack: { ...presets.smoke.arena.blackjack, tune: { fewShot: { k: 1 } } },
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
    expect(done.claims).toHaveLength(22);
    // Without a larger model its claims stay open.
    const open = done.claims.filter(({ measured }) => measured === null).map(({ id }) => id);
    expect(open).toEqual(["a2", "c2", "d1"]);
    expect(done.validation).toEqual({
      tomi: { read: 18, agree: 18, converted: 12, agreeConverted: 12 },
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

  it.each([["{not json", /first person[\s\S]*Made Here.jsonl:1/]])(
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
