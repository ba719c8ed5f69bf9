// The orders in which the members of a choice-shuffle ensemble see the options (Nori et al. 2023, §4.3). It only draws
// orders; asking and voting are elsewhere.

import { type Random, shuffled } from "../../core/random.js";

/** How orders are drawn: see `drawOrders`. */
export type Orders = "balanced" | "random";

/**
 * Draws orders of the indices 0 to n - 1, all distinct: `members` of them, or all n! where there are fewer.
 *
 * - `random`: random permutations, as published.
 * - `balanced` (ours): rotations of a random order, then of another one. The n rotations of an order are the rows of a
 *   Latin square: every option stands in every position once. So if `members` is a multiple of n, position bias affects
 *   every option alike; otherwise the counts differ by one at most.
 *
 * @example
 * drawOrders(3, 3, "balanced", random); // for instance [[2, 0, 1], [0, 1, 2], [1, 2, 0]]
 */
export function drawOrders(n: number, members: number, orders: Orders, random: Random): number[][] {
  const wanted = Math.min(members, factorialUpTo(n, members));
  const indices = Array.from({ length: n }, (_, i) => i);
  const seen = new Set<string>();
  const drawn: number[][] = [];
  while (drawn.length < wanted) {
    const order = shuffled(indices, random);
    // Rotations of one order are all drawn together or not at all, so checking the first one is enough.
    if (seen.has(order.join())) continue;
    const rows = orders === "random" ? [order] : indices.map((by) => rotated(order, by));
    for (const row of rows) seen.add(row.join());
    drawn.push(...rows.slice(0, wanted - drawn.length));
  }
  return drawn;
}

function rotated(order: readonly number[], by: number): number[] {
  return [...order.slice(by), ...order.slice(0, by)];
}

/** n!, or the first product above `most`: enough to compare with it, and never infinite. */
function factorialUpTo(n: number, most: number): number {
  let product = 1;
  for (let i = 2; i <= n && product <= most; i++) product *= i;
  return product;
}
