// The records of the games' benchmarks agree with what is claimed of them.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { weights } from "../../src/games/holdem/weights.js";
import { playerOf } from "../../src/games/index.js";

const read = (name: string) =>
  JSON.parse(readFileSync(resolve(import.meta.dirname, `../../bench/recorded/${name}.json`), "utf8"));

describe("the records of games", () => {
  it("found RLCard and OpenSpiel equal on every deal", () => {
    const { games } = read("games-parity") as { games: Record<string, Record<string, number>> };
    expect(Object.keys(games)).toEqual(["holdem", "blackjack", "kuhn", "leduc"]);
    for (const [name, { deals, equalPayoffs, equalLegalMoves }] of Object.entries(games)) {
      expect([deals, equalPayoffs]).toEqual([1000, 1000]);
      // RLCard's actions of Blackjack are a constant, and nothing to agree with.
      expect(equalLegalMoves).toBe(name === "blackjack" ? undefined : 1000);
    }
  });

  it("counted every seven-card hand", () => {
    expect(Object.values(read("hands").counts)).toEqual([
      23294460, 58627800, 31433400, 6461620, 6180020, 4047644, 3473184, 224848, 41584,
    ]);
  });

  it("played 20,000 hands a second or more", () => {
    expect(read("games").ruleHandsPerSecond).toBeGreaterThan(20_000);
  });

  it("trained opponents of the shipped size in under ten minutes, each of its style", () => {
    const { trainingSeconds, styles } = read("holdem");
    expect(trainingSeconds).toBeLessThan(600);
    for (const [name, text] of Object.entries(weights)) {
      expect(styles[name].bytes).toBeCloseTo(text.length, -3);
      expect(playerOf("holdem", name).name).toBe(name);
    }
    const { aggressive, conservative, equilibrium } = styles;
    // The equilibrium of the buckets can be beaten in the game, too, but the styles more.
    const local = read("holdem-local").styles;
    expect(local.equilibrium.low).toBeGreaterThan(0);
    for (const other of [local.aggressive, local.conservative])
      expect(other.low).toBeGreaterThan(local.equilibrium.high);
    expect(aggressive.habits.entered).toBeGreaterThan(equilibrium.habits.entered);
    expect(equilibrium.habits.entered).toBeGreaterThan(conservative.habits.entered);
    expect(aggressive.habits.aggression).toBeGreaterThan(conservative.habits.aggression);
    for (const other of [aggressive, conservative]) {
      expect(other.against.equilibrium.high).toBeLessThan(0);
      expect(other.bestResponse.low).toBeGreaterThan(0);
    }
  });
});
