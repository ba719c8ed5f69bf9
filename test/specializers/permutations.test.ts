// Orders of the ensemble: distinct, complete where there are few, and balanced over positions.

import { expect, test } from "vitest";
import { randomFor } from "../../src/core/random.js";
import { drawOrders } from "../../src/specializers/parts/permutations.js";

test.each(["balanced", "random"] as const)(
  "%s orders are distinct permutations, at most n! of them",
  (orders) => {
    for (const [n, members, count] of [
      [1, 5, 1],
      [2, 5, 2],
      [3, 5, 5],
      [3, 9, 6],
      [4, 24, 24],
      [7, 20, 20],
    ] as const) {
      const drawn = drawOrders(n, members, orders, randomFor(1, "test", n));
      expect(new Set(drawn.map(String)).size).toBe(count);
      expect(drawn.length).toBe(count);
      for (const order of drawn) expect(order.toSorted()).toEqual(Array.from({ length: n }, (_, i) => i));
    }
  },
);

test("balanced orders put every option in every position equally often, as far as members allow", () => {
  for (const members of [4, 5, 8, 10]) {
    const drawn = drawOrders(4, members, "balanced", randomFor(2, "test"));
    for (let option = 0; option < 4; option++)
      for (let position = 0; position < 4; position++) {
        const count = drawn.filter((order) => order[position] === option).length;
        expect([Math.floor(members / 4), Math.ceil(members / 4)]).toContain(count);
      }
  }
});
