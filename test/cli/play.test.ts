// hone play with moves from a pipe: whole hands, bad moves, the end of the input, and opponents that do not exist.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { kuhn } from "../../src/games/index.js";
import { bin } from "./spawned.js";

const play = (args: string[], input: string) =>
  spawnSync(process.execPath, [bin, "play", ...args], { input, encoding: "utf8", cwd: tmpdir() });

describe("hone play", () => {
  it("plays hands by names, beginnings and numbers of moves, and says what was won", () => {
    const { stdout, status } = play(["blackjack", "--hands", "2", "--seed", "4", "--json"], "hit\ns\n");
    expect(status).toBe(0);
    const records = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(records.map(({ type }) => type)).toEqual(["hand", "hand", "done"]);
    expect(records.at(-1)).toMatchObject({
      game: "blackjack",
      against: null,
      hands: 2,
      seed: 4,
      unit: "bets",
    });
    expect(records[0].payoff + records[1].payoff).toBe(records[2].won);
    // The same seed deals the same cards.
    expect(play(["blackjack", "--hands", "2", "--seed", "4", "--json"], "1\n2\n").stdout).toBe(stdout);
  });

  it("asks again for what is no move, prints nothing of it that a terminal would obey, and ends with its input", () => {
    const { stdout, status } = play(
      ["holdem", "--against", "caller", "--seed", "4"],
      "\x1b[31mall in\x07\ncall\n",
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/"[^"]*all in" is not a legal move: type 1 fold, 2 call, 3 raise/);
    expect(stdout).not.toMatch(/[\x1b\x07]/);
    expect(stdout).toMatch(/Round: flop[\s\S]*0 of 10 hands played with seed 4/);
  });

  it("seats a model opposite", () => {
    const { stdout, status } = play(
      ["kuhn", "--against", "mock:?skill=0", "--hands", "2", "--seed", "1"],
      "check\nfold\ncheck\nfold\nq\n",
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/You play against mock/);
  });

  it("asks a saved specialist as its study did", () => {
    const folder = mkdtempSync(join(tmpdir(), "hone-play-"));
    const against = (instruction?: string) => {
      const path = join(folder, "saved.json");
      const saved = {
        ...{ hone: "specialist/1", name: "s", model: "mock:?skill=0", modelId: "mock:?seed=0&skill=0" },
        ...{ encoder: "mock:", specializer: "zeroShot", state: null, made: { study: "s", plan: "p" } },
        task: {
          name: "kuhn",
          options: { kind: "arena", game: "kuhn", ...(instruction && { instruction }) },
          labels: null,
        },
      };
      writeFileSync(path, JSON.stringify(saved));
      const { stdout } = play(
        ["kuhn", "--against", path, "--hands", "12", "--seed", "1"],
        "k\nc\n".repeat(12),
      );
      return stdout.match(/Player [01]: \w+/g);
    };
    const usual = against();
    expect(usual?.length).toBeGreaterThan(4);
    expect(against(kuhn.rules)).toEqual(usual);
    // The mock answers at random, by the prompt.
    expect(against("Play cards.")).not.toEqual(usual);
    rmSync(folder, { recursive: true });
  });

  it("says what the person did and won, and takes k for check", () => {
    const { stdout, status } = play(
      ["kuhn", "--against", "raiser", "--hands", "1", "--seed", "1"],
      "k\nfold\n",
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/you check, the opponent raises[\s\S]*You folded; player 1 wins 1 chip\./);
  });

  it("tells the person where a model's move was made for it", () => {
    const { stdout } = play(["guessing", "--against", "mock:?skill=0", "--seed", "1"], "50\n50\nq\n");
    expect(stdout).toMatch(
      /Player 1 wrote ".+", which is not a legal move, nor was the second answer; 50 is played/,
    );
    expect(stdout).toMatch(/Round 1: player 1 chose 50, you chose 50/);
  });

  it.each([
    [["chess"], /no game "chess"[\s\S]*guessing, holdem/],
    [["holdem", "--against", "nobody"], /no player "nobody" of holdem[\s\S]*equilibrium/],
    [["blackjack", "--against", "rule"], /Blackjack has no opponent/],
    [["holdem", "--hands", "0"], /at least 1/],
  ])("refuses %j", (args, said) => {
    const { stderr, status } = play(args, "");
    expect(status).toBe(2);
    expect(stderr).toMatch(said);
  });
});
