// The record of the last whole `npm run attack`: it tried every attack, within its time, and nothing was killed.

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const bench = resolve(import.meta.dirname, "../../bench");
const names = readdirSync(join(bench, "attack"))
  .filter((name) => name.endsWith(".js"))
  .map((name) => name.slice(0, -3));

interface Counts {
  tried: number;
  refused: number;
  passed: number;
  killed: number;
  seconds: number;
}

describe("the record of the last attack", () => {
  const record = JSON.parse(readFileSync(join(bench, "recorded/attack.json"), "utf8")) as {
    machine: string;
    node: string;
    seed: number;
    seconds: number;
    modules: Record<string, Counts>;
  };

  it("holds every attack, with counts that add up", () => {
    expect(Object.keys(record.modules).sort()).toEqual(names.toSorted());
    expect(record.machine).toMatch(/cores$/);
    expect(record.node).toMatch(/^v\d+\.\d+\.\d+$/);
    for (const [name, { tried, refused, passed, killed, seconds }] of Object.entries(record.modules)) {
      expect(refused + passed + killed, name).toBe(tried);
      expect(tried, name).toBeGreaterThanOrEqual(50);
      expect(refused, name).toBeGreaterThan(0);
      expect(seconds, name).toBeGreaterThan(0);
    }
  });

  it("was over in 15 minutes", () => {
    expect(record.seconds).toBeLessThan(900);
  });

  it("killed nothing", () => {
    const killed = Object.entries(record.modules).filter(([, module]) => module.killed > 0);
    expect(killed.map(([name, { killed: n }]) => `${name}: ${n}`)).toEqual([]);
  });
});
