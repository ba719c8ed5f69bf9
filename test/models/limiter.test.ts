// The limiter and the retries, without any endpoint: what they allow, how they back off, how they stop.

import { describe, expect, it } from "vitest";
import { CallError } from "../../src/core/call.js";
import { createLimiter, sharedLimiter } from "../../src/models/limiter.js";
import { createBucket } from "../../src/models/mock.js";
import { AttemptFailed, type RetryPolicy, withRetries } from "../../src/models/retry.js";
import { sleep } from "../../src/models/wait.js";

const never = new AbortController().signal;
const policyOf = (ceiling: number, changes: Partial<RetryPolicy> = {}): RetryPolicy => ({
  limiter: createLimiter(() => ceiling),
  retries: 4,
  backoffMs: 1,
  maxRetryAfterMs: 60_000,
  random: () => 0.5,
  ...changes,
});
const slowDown = (retryAfterMs?: number) =>
  new AttemptFailed("rate-limited", "slow down", { retry: true, overload: true, retryAfterMs });

describe("limiter", () => {
  it("never exceeds its ceiling and serves in order", async () => {
    const limiter = createLimiter(() => 3);
    const order: number[] = [];
    let most = 0;
    await Promise.all(
      Array.from({ length: 30 }, async (_, i) => {
        const ticket = await limiter.acquire(never);
        most = Math.max(most, limiter.inFlight);
        order.push(i);
        await sleep(1, never);
        limiter.release(ticket, "fine");
      }),
    );
    expect(most).toBe(3);
    expect(order).toEqual(Array.from({ length: 30 }, (_, i) => i));
    expect(limiter.inFlight).toBe(0);
  });

  it("halves once a round trip, not once a failure", async () => {
    const limiter = createLimiter(() => 16);
    const tickets = await Promise.all(Array.from({ length: 16 }, () => limiter.acquire(never)));
    for (const ticket of tickets) limiter.release(ticket, "overload");
    expect(limiter.limit).toBe(8);
  });

  it("grows by one for each window of successes while calls wait", async () => {
    const limiter = createLimiter(() => 16);
    limiter.release(await limiter.acquire(never), "overload");
    expect(limiter.limit).toBe(8);
    let made = 0;
    const worker = async () => {
      while (made < 200) {
        made++;
        const ticket = await limiter.acquire(never);
        await sleep(1, never);
        limiter.release(ticket, "fine");
      }
    };
    await Promise.all(Array.from({ length: 32 }, worker));
    expect(limiter.limit).toBe(16);
  });

  it("a pause holds back everybody", async () => {
    const limiter = createLimiter(() => 4);
    const first = await limiter.acquire(never);
    limiter.release(first, "neutral", 80);
    const asked = performance.now();
    await Promise.all([limiter.acquire(never), limiter.acquire(never)]);
    expect(performance.now() - asked).toBeGreaterThanOrEqual(78);
  });

  it("lets go of waiting calls at once when aborted, without listeners piling up", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error) => warnings.push(warning);
    process.on("warning", onWarning);
    const limiter = createLimiter(() => 1);
    const stop = new AbortController();
    const ticket = await limiter.acquire(never);
    const waiting = Array.from({ length: 5_000 }, () => limiter.acquire(stop.signal));
    const settled = Promise.allSettled(waiting);
    const started = performance.now();
    stop.abort(new Error("enough"));
    const results = await settled;
    expect(performance.now() - started).toBeLessThan(500);
    expect(
      results.every((result) => result.status === "rejected" && result.reason.message === "enough"),
    ).toBe(true);
    limiter.release(ticket, "fine");
    await limiter.acquire(never);
    expect(limiter.inFlight).toBe(1);
    await sleep(5, never);
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
  });

  it("is shared by base URL, and the lowest ceiling holds", () => {
    const a = sharedLimiter("http://one/v1", 64);
    const b = sharedLimiter("http://one/v1", 4);
    const c = sharedLimiter("http://two/v1", 64);
    expect(b.limiter).toBe(a.limiter);
    expect(c.limiter).not.toBe(a.limiter);
    expect(a.limiter.limit).toBe(4);
    b.close();
    expect(a.limiter.limit).toBe(64);
    a.close();
    a.close();
    expect(a.limiter.limit).toBe(64);
    expect(sharedLimiter("http://one/v1", 2).limiter).not.toBe(a.limiter);
  });

  it("settles at the rate of an endpoint that allows 100 calls a second, and no call fails", async () => {
    const policy = policyOf(64, { backoffMs: 100, random: Math.random });
    const mayPass = createBucket(100);
    let refused = 0;
    const started = performance.now();
    await Promise.all(
      Array.from({ length: 400 }, () =>
        withRetries(policy, { signal: never }, async () => {
          await sleep(20, never);
          if (mayPass()) return;
          refused++;
          throw slowDown();
        }),
      ),
    );
    const seconds = (performance.now() - started) / 1000;
    // 100 pass as the burst, 300 at 100 a second: 3 s at best.
    expect(seconds).toBeGreaterThan(2.8);
    expect(seconds).toBeLessThan(6);
    expect(refused).toBeLessThan(200);
  });
});

describe("retries", () => {
  it("gives the first success, and says how often it tried when there is none", async () => {
    let calls = 0;
    const value = await withRetries(policyOf(1), { signal: never }, async (number) => {
      calls++;
      if (number < 3) throw new AttemptFailed("server-error", "broke", { retry: true });
      return number;
    });
    expect([value, calls]).toEqual([3, 4]);
    const failed = withRetries(policyOf(1), { signal: never }, async () => {
      throw new AttemptFailed("server-error", "broke", { retry: true });
    });
    await expect(failed).rejects.toMatchObject({
      failure: "server-error",
      message: "broke (after 5 attempts)",
    });
    await expect(failed).rejects.toBeInstanceOf(CallError);
  });

  it("does not try again what cannot pass, and lets other errors through", async () => {
    let calls = 0;
    const refused = withRetries(policyOf(1), { signal: never }, async () => {
      calls++;
      throw new AttemptFailed("refused", "no", { retry: false });
    });
    await expect(refused).rejects.toMatchObject({ failure: "refused", message: "no" });
    expect(calls).toBe(1);
    const policy = policyOf(1);
    const bug = withRetries(policy, { signal: never }, async () => {
      throw new TypeError("bug");
    });
    await expect(bug).rejects.toBeInstanceOf(TypeError);
    expect(policy.limiter.inFlight).toBe(0);
  });

  it("a Retry-After silences every call of the endpoint, up to the cap", async () => {
    for (const [asked, least, most] of [
      [120, 118, 400],
      [60_000, 98, 400],
    ] as const) {
      const policy = policyOf(8, { maxRetryAfterMs: asked === 120 ? 1_000 : 100 });
      const starts: number[] = [];
      const begin = performance.now();
      const one = (fails: boolean) =>
        withRetries(policy, { signal: never }, async (number) => {
          starts.push(performance.now() - begin);
          if (fails && number === 0) throw slowDown(asked);
          return true;
        });
      const first = one(true);
      await sleep(5, never);
      await Promise.all([first, one(false), one(false)]);
      const later = starts.slice(1);
      expect(later).toHaveLength(3);
      for (const at of later) expect(at).toBeGreaterThanOrEqual(least);
      for (const at of later) expect(at).toBeLessThan(most);
    }
  });

  it("full jitter: waits are spread between nothing and a doubling bound", async () => {
    const drawn = [0, 1, 0.5];
    const policy = policyOf(1, { backoffMs: 100, random: () => drawn.shift() ?? 0 });
    const times: number[] = [];
    await withRetries(policy, { signal: never }, async (number) => {
      times.push(performance.now());
      if (number < 3) throw new AttemptFailed("malformed", "what", { retry: true });
    });
    const waits = times.slice(1).map((time, i) => time - (times[i] as number));
    expect(waits[0]).toBeLessThan(90);
    expect(waits[1]).toBeGreaterThanOrEqual(195);
    expect(waits[2]).toBeGreaterThanOrEqual(195);
  });

  it("stops at once in a back-off", async () => {
    const stop = new AbortController();
    const policy = policyOf(1, { backoffMs: 60_000, random: () => 1 });
    const call = withRetries(policy, stop, async () => {
      throw new AttemptFailed("server-error", "broke", { retry: true });
    });
    setTimeout(() => stop.abort(new Error("enough")), 20);
    const started = performance.now();
    await expect(call).rejects.toThrow("enough");
    expect(performance.now() - started).toBeLessThan(500);
    expect(policy.limiter.inFlight).toBe(0);
  });
});
