// The pool that holds a few loaded models: it loads and unloads under load, never what is in use.

import { describe, expect, it } from "vitest";
import { type Member, makePool } from "../../src/models/llama/pool.js";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function members(count: number) {
  const log: string[] = [];
  const loaded = new Set<number>();
  const busy = new Set<number>();
  let most = 0;
  const all = Array.from(
    { length: count },
    (_, i): Member<number> => ({
      async load() {
        await turn();
        loaded.add(i);
        most = Math.max(most, loaded.size);
        log.push(`load ${i}`);
        return i;
      },
      async unload() {
        if (busy.has(i)) throw new Error(`${i} was unloaded in use`);
        await turn();
        loaded.delete(i);
        log.push(`unload ${i}`);
      },
    }),
  );
  return { all, log, loaded, busy, most: () => most };
}

describe("makePool", () => {
  it("unloads what was used longest ago", async () => {
    const { all, log } = members(3);
    const pool = makePool<number>(2);
    for (const i of [0, 1, 0, 2, 0, 1]) expect(await pool.use(all[i]!, async (got) => got)).toBe(i);
    expect(log).toEqual(["load 0", "load 1", "unload 1", "load 2", "unload 2", "load 1"]);
  });

  it("never holds more than it may, nor unloads what works, however many ask at once", async () => {
    const { all, busy, most } = members(6);
    const pool = makePool<number>(2);
    const counts = new Map<number, number>();
    const done = await Promise.all(
      Array.from({ length: 120 }, (_, n) => {
        const i = (n * n + 3 * n) % 6;
        return pool.use(all[i]!, async (got) => {
          counts.set(i, (counts.get(i) ?? 0) + 1);
          busy.add(i);
          for (let k = 0; k < 1 + (n % 3); k++) await turn();
          const left = (counts.get(i) as number) - 1;
          counts.set(i, left);
          if (left === 0) busy.delete(i);
          return got === i;
        });
      }),
    );
    expect(done.every(Boolean)).toBe(true);
    expect(most()).toBe(2);
  });

  it("lets whoever waits for room in before those who keep its places busy", async () => {
    const { all } = members(2);
    const pool = makePool<number>(1);
    let stop = false;
    const busy = Promise.all(
      [1, 2, 3].map(async () => {
        while (!stop) await pool.use(all[0]!, turn);
      }),
    );
    await turn();
    expect(await pool.use(all[1]!, async (got) => got)).toBe(1);
    stop = true;
    await busy;
  });

  it("passes a failure to load on, and tries again at the next call", async () => {
    const pool = makePool<number>(1);
    let tries = 0;
    const member: Member<number> = {
      load: async () => {
        if (++tries === 1) throw new Error("no memory");
        return tries;
      },
      unload: async () => {},
    };
    await expect(pool.use(member, async (got) => got)).rejects.toThrow("no memory");
    expect(await pool.use(member, async (got) => got)).toBe(2);
  });

  it("closes after what runs, and then refuses", async () => {
    const { all, loaded, log } = members(2);
    const pool = makePool<number>(2);
    let finished = false;
    const running = pool.use(all[0]!, async () => {
      for (let k = 0; k < 5; k++) await turn();
      finished = true;
    });
    await turn();
    await turn();
    await pool.close();
    expect([finished, loaded.size, log]).toEqual([true, 0, ["load 0", "unload 0"]]);
    await running;
    await expect(pool.use(all[1]!, async () => 1)).rejects.toThrow(/closed/);
  });
});
