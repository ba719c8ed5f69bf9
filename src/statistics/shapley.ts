// Shapley values from scores that were measured for every coalition: what each part of a whole is worth, averaged over
// all orders in which the parts could have been added. Exact over coalitions, for a few players; it samples no orders.

import { randomFor } from "../core/random.js";
import { bootstrapInterval } from "./bootstrap.js";
import { type Group, unitsOf } from "./units.js";

/** Seed and effort of the Shapley values' intervals. */
export interface ShapleyOptions {
  seed: number;
  /** One entry per sample: samples of one group are resampled together. */
  groups?: readonly Group[];
  /** Default 0.95. */
  level?: number;
  /** Bootstrap resamples, default 10,000. */
  resamples?: number;
}

/** One player's value, in the scores' unit, with a percentile bootstrap interval over samples or groups. */
export interface ShapleyValue {
  player: string;
  mean: number;
  low: number;
  high: number;
  n: number;
}

/** Most players: nobody would measure the coalitions of more. */
const mostPlayers = 16;

/** The name of a coalition: its members in the players' order, joined by `+`; the empty one's is "". */
export function coalition(players: readonly string[], members: Iterable<string>): string {
  const chosen = new Set(members);
  return players.filter((player) => chosen.has(player)).join("+");
}

/**
 * Shapley (1953): φ_i = Σ over coalitions S without i of |S|! (n-|S|-1)! / n! · (v(S ∪ i) - v(S)). As φ is linear in v,
 * it is computed for every sample and then averaged; the values add up to v(all) - v(none) exactly.
 *
 * @param values per coalition, named by `coalition`, one score per sample; all in the same order of samples
 * @throws RangeError when a coalition is missing, lengths differ, there are no samples, or too many players
 */
export function shapley(
  players: readonly string[],
  values: ReadonlyMap<string, ArrayLike<number>>,
  { seed, groups, ...bootstrap }: ShapleyOptions,
): ShapleyValue[] {
  const count = players.length;
  if (count > mostPlayers)
    throw new RangeError(`${count} players; at most ${mostPlayers} have few enough coalitions`);
  if (new Set(players).size !== count) throw new RangeError("a player is named twice");
  const games = Array.from({ length: 2 ** count }, (_, mask) => {
    const name = coalition(
      players,
      players.filter((_, i) => mask & (1 << i)),
    );
    const scores = values.get(name);
    if (scores === undefined) throw new RangeError(`no scores of the coalition "${name}"`);
    return scores;
  });
  const n = games[0]!.length;
  if (n === 0) throw new RangeError("no samples");
  if (games.some(({ length }) => length !== n))
    throw new RangeError("coalitions differ in their number of samples");
  const weights = weightsOf(count);
  return players.map((player, i) => {
    const each = new Float64Array(n);
    for (let mask = 0; mask < games.length; mask++) {
      if (mask & (1 << i)) continue;
      const weight = weights[bits(mask)]!;
      const [without, joined] = [games[mask]!, games[mask | (1 << i)]!];
      for (let s = 0; s < n; s++) each[s]! += weight * (joined[s]! - without[s]!);
    }
    const units = unitsOf(each, groups);
    const random = randomFor(seed, "shapley", player);
    const [low, high] = bootstrapInterval(units, "percentile", { random, ...bootstrap });
    return { player, mean: units.mean, low, high, n };
  });
}

/** |S|! (n-|S|-1)! / n! by |S|. */
function weightsOf(count: number): number[] {
  const weights = [1 / count];
  for (let size = 1; size < count; size++) weights.push((weights[size - 1]! * size) / (count - size));
  return weights;
}

function bits(mask: number): number {
  let set = 0;
  for (let rest = mask; rest > 0; rest >>= 1) set += rest & 1;
  return set;
}
