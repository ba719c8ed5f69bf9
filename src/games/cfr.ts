// Counterfactual regret minimization (Zinkevich et al. 2007), as CFR+ (Tammelin 2014), for two-player games small enough to be
// enumerated, and the exploitability of any strategy in them. Kuhn and Leduc poker are its ground truth.

import { HoneError } from "../core/errors.js";
import type { Game, Player, View } from "./game.js";

/** A seat's information set, as text: states with the same key cannot be told apart. */
export function infoKey(view: View): string {
  const { legal: _legal, game: _game, ...known } = view;
  return JSON.stringify(known);
}

/** Probabilities of the legal moves, in their order, by information set. */
export type Strategy = ReadonlyMap<string, readonly number[]>;

interface Node {
  /** -1 at a terminal node. */
  seat: number;
  info: number;
  children: Node[];
  /** To seat 0, at a terminal node. */
  payoff: number;
}

/** An enumerated game: one tree per deal, and the information sets of its decisions. */
export interface GameTree {
  readonly roots: readonly Node[];
  readonly infos: readonly { key: string; seat: number; moves: readonly string[]; depth: number }[];
}

const maxNodes = 2_000_000;

/**
 * Enumerates a two-player game over all its deals, which are equally probable.
 * @throws HoneError if it has more than two million states
 */
export function treeOf<State, Deal>(game: Game<State, Deal>, deals: readonly Deal[]): GameTree {
  const infos: { key: string; seat: number; moves: readonly string[]; depth: number }[] = [];
  const places = new Map<string, number>();
  let nodes = 0;
  const grow = (state: State, depth: number): Node => {
    if (++nodes > maxNodes)
      throw new HoneError({
        what: `${game.name} is too large to enumerate`,
        why: `it has more than ${maxNodes} states`,
        next: "Take kuhn or leduc.",
        kind: "usage",
      });
    const seat = game.turn(state);
    if (seat < 0) return { seat, info: -1, children: [], payoff: game.payoffs(state)[0] as number };
    const key = infoKey(game.view(state, seat));
    const moves = game.legal(state);
    let info = places.get(key);
    if (info === undefined) {
      info = infos.length;
      places.set(key, info);
      infos.push({ key, seat, moves, depth });
    }
    return {
      seat,
      info,
      children: moves.map((move) => grow(game.act(state, move), depth + 1)),
      payoff: 0,
    };
  };
  return { roots: deals.map((deal) => grow(game.start(deal), 0)), infos };
}

/** All deals of Kuhn poker. */
export const kuhnDeals = permutations(3, 2).map(([a, b]) => ({
  hands: [[a as number], [b as number]],
  board: [],
}));

/** All deals of Leduc poker. */
export const leducDeals = permutations(6, 3).map(([a, b, c]) => ({
  hands: [[a as number], [b as number]],
  board: [c as number],
}));

function permutations(of: number, taken: number): number[][] {
  if (taken === 0) return [[]];
  return permutations(of, taken - 1).flatMap((start) =>
    Array.from({ length: of }, (_, i) => i)
      .filter((i) => !start.includes(i))
      .map((i) => [...start, i]),
  );
}

/** CFR+ with alternating updates and linearly weighted averages. @returns the average strategy */
export function solve({ roots, infos }: GameTree, iterations: number): Strategy {
  const regrets = infos.map(({ moves }) => new Float64Array(moves.length));
  const sums = infos.map(({ moves }) => new Float64Array(moves.length));
  const current = infos.map(({ moves }) => new Float64Array(moves.length).fill(1 / moves.length));
  let weight = 0;
  /** The value to `hero`; `own` and `others` are reach probabilities. */
  const walk = (node: Node, hero: number, own: number, others: number): number => {
    if (node.seat < 0) return hero === 0 ? node.payoff : -node.payoff;
    const chances = current[node.info] as Float64Array;
    let value = 0;
    if (node.seat !== hero) {
      for (let i = 0; i < chances.length; i++) {
        const chance = chances[i] as number;
        if (chance > 0) value += chance * walk(node.children[i] as Node, hero, own, others * chance);
      }
      return value;
    }
    const values = new Float64Array(chances.length);
    for (let i = 0; i < chances.length; i++) {
      const chance = chances[i] as number;
      values[i] = walk(node.children[i] as Node, hero, own * chance, others);
      value += chance * (values[i] as number);
    }
    const regret = gathered[node.info] as Float64Array;
    const sum = sums[node.info] as Float64Array;
    for (let i = 0; i < chances.length; i++) {
      regret[i] = (regret[i] as number) + others * ((values[i] as number) - value);
      sum[i] = (sum[i] as number) + weight * own * (chances[i] as number);
    }
    return value;
  };
  // Regrets of one pass are summed over all deals before they are clipped at zero.
  const gathered = infos.map(({ moves }) => new Float64Array(moves.length));
  for (let iteration = 1; iteration <= iterations; iteration++) {
    weight = iteration;
    for (const hero of [0, 1]) {
      for (const root of roots) walk(root, hero, 1, 1);
      for (const [i, info] of infos.entries()) {
        if (info.seat !== hero) continue;
        const regret = regrets[i] as Float64Array;
        const fresh = gathered[i] as Float64Array;
        let total = 0;
        for (let k = 0; k < regret.length; k++) {
          regret[k] = Math.max(0, (regret[k] as number) + (fresh[k] as number));
          fresh[k] = 0;
          total += regret[k] as number;
        }
        const chances = current[i] as Float64Array;
        for (let k = 0; k < chances.length; k++)
          chances[k] = total > 0 ? (regret[k] as number) / total : 1 / chances.length;
      }
    }
  }
  return new Map(
    infos.map(({ key, moves }, i) => {
      const sum = sums[i] as Float64Array;
      const total = sum.reduce((a, b) => a + b, 0);
      return [key, Array.from(sum, (one) => (total > 0 ? one / total : 1 / moves.length))];
    }),
  );
}

/** The value of a strategy to seat 0 against another strategy, over all deals. */
export function valueOfStrategies({ roots, infos }: GameTree, seat0: Strategy, seat1: Strategy): number {
  const walk = (node: Node): number => {
    if (node.seat < 0) return node.payoff;
    const chances = chancesAt(node.seat === 0 ? seat0 : seat1, infos[node.info] as GameTree["infos"][number]);
    return node.children.reduce((sum, child, i) => {
      const chance = chances[i] as number;
      return chance > 0 ? sum + chance * walk(child) : sum;
    }, 0);
  };
  return roots.reduce((sum, root) => sum + walk(root), 0) / roots.length;
}

function chancesAt(strategy: Strategy, { key, moves }: GameTree["infos"][number]): readonly number[] {
  return strategy.get(key) ?? moves.map(() => 1 / moves.length);
}

/** The most that a seat can win against the other seat's strategy: the value of a best response to that seat. */
export function bestResponse(tree: GameTree, hero: number, against: Strategy): number {
  const { roots, infos } = tree;
  const held: { node: Node; reach: number }[][] = infos.map(() => []);
  const gather = (node: Node, reach: number): void => {
    if (node.seat < 0 || reach === 0) return;
    if (node.seat === hero) (held[node.info] as { node: Node; reach: number }[]).push({ node, reach });
    const chances =
      node.seat === hero ? undefined : chancesAt(against, infos[node.info] as GameTree["infos"][number]);
    node.children.forEach((child, i) => {
      gather(child, reach * (chances ? (chances[i] as number) : 1));
    });
  };
  for (const root of roots) gather(root, 1);
  const chosen = new Int32Array(infos.length).fill(0);
  const value = (node: Node): number => {
    if (node.seat < 0) return hero === 0 ? node.payoff : -node.payoff;
    if (node.seat === hero) return value(node.children[chosen[node.info] as number] as Node);
    const chances = chancesAt(against, infos[node.info] as GameTree["infos"][number]);
    return node.children.reduce((sum, child, i) => {
      const chance = chances[i] as number;
      return chance > 0 ? sum + chance * value(child) : sum;
    }, 0);
  };
  // Deepest first, so that the choices further down are already made.
  const order = infos
    .map((info, i) => ({ ...info, i }))
    .filter(({ seat }) => seat === hero)
    .sort((a, b) => b.depth - a.depth);
  for (const { i, moves } of order) {
    const worth = moves.map((_, move) =>
      (held[i] ?? []).reduce((sum, { node, reach }) => sum + reach * value(node.children[move] as Node), 0),
    );
    chosen[i] = worth.indexOf(Math.max(...worth));
  }
  return roots.reduce((sum, root) => sum + value(root), 0) / roots.length;
}

/** Mean over both seats of what a best response wins against a strategy, in the game's unit per hand; 0 at equilibrium. */
export function exploitability(tree: GameTree, strategy: Strategy): number {
  return (bestResponse(tree, 0, strategy) + bestResponse(tree, 1, strategy)) / 2;
}

/** A player that follows a strategy. */
export function strategist(name: string, strategy: Strategy): Player {
  return {
    name,
    act(view, random) {
      const chances = strategy.get(infoKey(view)) ?? [];
      let rest = random();
      for (const [i, chance] of chances.entries()) {
        rest -= chance;
        if (rest < 0) return view.legal[i] as string;
      }
      return view.legal.at(-1) as string;
    },
  };
}
