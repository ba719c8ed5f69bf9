// Limits of a run: what is let through until a cost is known, and what a call that fails leaves behind.

import { expect, it } from "vitest";
import { noCost } from "../../src/core/call.js";
import { makeBudget } from "../../src/study/budget.js";

const paid = { id: "paid", price: { input: 1, output: 1 } };
const callOf = (model: string, usd: number) => ({
  ...{ key: "k", model, operation: "score" as const, request: null, response: null },
  cost: { ...noCost, inputTokens: 1, usd },
});

it("lets one call of a priced model through until one has ended, whatever free models answer", async () => {
  const budget = makeBudget({ maxUsd: 1 });
  budget.expect(paid);
  budget.expect({ id: "free" });
  await budget.before("free");
  budget.made(callOf("free", 0));
  let through = 0;
  const waiting = Array.from({ length: 1000 }, () => budget.before("paid").then(() => through++));
  await new Promise((tick) => setImmediate(tick));
  expect(through).toBe(1);
  // A failure tells enough: what else is wrong must not be waited for.
  budget.failed("paid");
  await Promise.all(waiting);
  expect(through).toBe(1000);
});

it("drains those that wait where the first call shows that the money is spent", async () => {
  const budget = makeBudget({ maxUsd: 1 });
  budget.expect(paid);
  await budget.before("paid");
  const waiting = Array.from({ length: 300 }, () => budget.before("paid"));
  budget.made(callOf("paid", 2));
  const ends = await Promise.allSettled(waiting);
  expect(new Set(ends.map(({ status }) => status))).toEqual(new Set(["rejected"]));
  expect(budget.draining.reason).toMatchObject({ name: "Draining" });
});

it("ends when the money is spent, not when all of it is reserved by calls that were let through", async () => {
  const budget = makeBudget({ maxUsd: 0.5 });
  budget.expect(paid);
  let [through, refused] = [0, 0];
  const count = [() => through++, () => refused++] as const;
  const asked = Array.from({ length: 60 }, () => budget.before("paid").then(...count));
  await new Promise((tick) => setImmediate(tick));
  budget.made(callOf("paid", 0.02));
  await new Promise((tick) => setImmediate(tick));
  // One that has ended and those that it left room for; ending the budget would take these back where they queue.
  expect([through, refused, budget.drained()]).toEqual([25, 0, undefined]);
  for (let call = 1; call < 25; call++) budget.made(callOf("paid", 0.02));
  await Promise.all(asked);
  expect([through, refused]).toEqual([25, 35]);
  expect(budget.drained()).toBe("--max-cost of $0.5 reached ($0.5000 spent)");

  // Where nothing more is asked for, nothing was stopped.
  const enough = makeBudget({ maxUsd: 0.5 });
  enough.expect(paid);
  await enough.before("paid");
  enough.made(callOf("paid", 0.3));
  expect(enough.drained()).toBeUndefined();
  await expect(enough.before("paid")).rejects.toThrow("($0.3000 spent)");
  expect(enough.drained()).toBe("--max-cost of $0.5 reached ($0.3000 spent)");
});

it("refuses an endpoint without a price, and stops at one that does not count", async () => {
  const budget = makeBudget({ maxUsd: 1 });
  expect(() => budget.expect({ id: "openai:m" })).toThrow(/price of its tokens/);
  budget.expect({ id: "openai:n", price: { input: 0, output: 1 } });
  await budget.before("openai:n");
  budget.made(callOf("openai:n", 0));
  expect(budget.drained()).toBeUndefined();
  budget.expect(paid);
  await budget.before("paid");
  budget.made(callOf("paid", 0));
  expect(budget.drained()).toMatch(/does not say how many tokens/);
  expect(() => makeBudget().expect({ id: "openai:m" })).not.toThrow();
});

it("counts what other studies have used of the same limits, and names the limits as they were given", async () => {
  const used = { since: Date.now() - 5000, usd: 0.75 };
  expect(makeBudget({ maxSeconds: 3, used }).drained()).toBe("--max-time of 3 s reached");
  expect(makeBudget({ maxSeconds: 60, maxUsd: 0.75, used }).drained()).toMatch(
    /^--max-cost of \$0\.75 reached/,
  );
  const budget = makeBudget({ maxUsd: 1, used });
  expect(budget.drained()).toBeUndefined();
  await budget.before("paid");
  budget.made(callOf("paid", 0.25));
  expect(budget.drained()).toBe("--max-cost of $1 reached ($1.0000 spent)");
  expect(budget.spent().usd).toBe(0.25);
});
