// Medprompt's rungs on a simulated subject: what each is measured to add agrees with what it adds by construction, for
// two, four and seven options. Values are compared within `boundFor(checks)` standard errors of the measured mean.

import { beforeAll, describe, expect, it } from "vitest";
import { noCost } from "../../src/core/call.js";
import type { Query } from "../../src/core/language.js";
import type { Encoder } from "../../src/core/model.js";
import type { Sample } from "../../src/core/sample.js";
import { medprompt, type Rung, rungs } from "../../src/specializers/prompting/medprompt.js";
import { choice } from "../../src/tasks/choice.js";
import { context, given, letterEncoder } from "./fakes.js";
import {
  boundFor,
  clusterOf,
  expectedAlone,
  expectedPlurality,
  known,
  type Mind,
  mean,
  optionsOf,
  simulated,
  simulatedSamples,
  sum,
} from "./simulated.js";

const clusters = 8;
/** Test goes through the clusters in turn; it is 40 blocks, each of all clusters alike. */
const blocks = 40;
const block = 11 * clusters;
const count = blocks * block;
const k = 5;

/** Train has one sample of the first cluster, two of the second and so on: neighbours are few for some queries. */
const trainClusters = Array.from({ length: clusters }, (_, c) => new Array<number>(c + 1).fill(c)).flat();

const arms: Record<string, Rung[]> = {
  nothing: [],
  examples: ["examples"],
  "examples, reasoning": ["examples", "reasoning"],
  neighbours: ["examples", "neighbours"],
  "neighbours, reasoning": ["examples", "reasoning", "neighbours"],
  shuffling: ["shuffling"],
  all: ["examples", "reasoning", "neighbours", "shuffling"],
};
const gains: [from: string, to: string][] = [
  ["nothing", "examples"],
  ["examples", "examples, reasoning"],
  ["examples", "neighbours"],
  ["examples, reasoning", "neighbours, reasoning"],
  ["neighbours", "neighbours, reasoning"],
  ["nothing", "shuffling"],
  ["neighbours, reasoning", "all"],
];

interface Case {
  n: number;
  /** At most n, so that balanced orders are rotations of one. */
  members: number;
  orders: "balanced" | "random";
  by: "vectors" | "bm25";
  positions: number[];
}
const cases: Case[] = [
  { n: 2, members: 2, orders: "random", by: "bm25", positions: [0.9, 0.1] },
  { n: 4, members: 4, orders: "balanced", by: "vectors", positions: [0.6, 0.2, 0.1, 0.1] },
  { n: 7, members: 5, orders: "random", by: "bm25", positions: [0.4, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05] },
];

// Each arm's accuracy and each gain; three histograms of n positions; twice the spread.
const checks = sum(cases.map(({ n }) => Object.keys(arms).length + gains.length + 3 * n)) + 2;
const bound = boundFor(checks);

interface Measured {
  right: number[];
  expected: number;
  /** Queries, those that reason, and their examples: all of them and those of the query's own cluster. */
  heard: { queries: number; reasoning: number; shots: number; near: number };
  /** Mean share of the query's own cluster among its examples, by construction; null without examples. */
  share: number | null;
  /** How often the option in each position of the query's own order was chosen. */
  chosen: number[];
  /** How often a member chose the option in each position of the order that it saw. */
  voted: number[];
}

interface World extends Case {
  mind: Mind;
  measured: Map<string, Measured>;
  /** Queries with an example that is no train sample, or has another answer than its own. */
  strangers: Query[];
}

const worlds = new Map<number, World>();

/** By meaning: a direction for each cluster, and a little of each text's own. */
function clusterEncoder(): Encoder {
  return {
    ...letterEncoder("clusters"),
    embed: async (texts) => ({
      vectors: texts.map((text) => {
        const own = 0.1 * (Number(text.replace(/^.*\D/, "")) % 7);
        const length = Math.hypot(1, own);
        const vector = new Array<number>(clusters + 1).fill(0);
        vector[Number(clusterOf(text).slice("cluster".length))] = 1 / length;
        vector[clusters] = own / length;
        return vector;
      }),
      cost: noCost,
    }),
  };
}

async function climb(world: Case): Promise<World> {
  const { n, members, orders, by, positions } = world;
  const mind: Mind = { base: 0.2, examples: 0.1, neighbours: 0.4, reasoning: 0.2, bias: 0.25, positions };
  const task = choice(`simulated ${n}`, {}, optionsOf(n));
  const train = simulatedSamples(trainClusters.length, n, (i) => trainClusters[i]!, "train");
  const test = simulatedSamples(count, n, (i) => i % clusters, "test");
  const own = new Map(train.map(({ input, gold }) => [input, gold]));
  const encoder = clusterEncoder();
  const all = given({ task, train, encoder: async () => encoder });
  const made: World = { ...world, mind, measured: new Map(), strangers: [] };

  for (const [name, present] of Object.entries(arms)) {
    const subject = simulated(mind, [...train, ...test]);
    const without = rungs.filter((rung) => !present.includes(rung));
    const specializer = medprompt({ k, members, orders, by, shuffles: 2, without, examples: "always" });
    const state = await specializer.fit(subject, all);
    const asked = subject.heard.splice(0);
    const pool = present.includes("reasoning")
      ? train.filter(({ input, gold }) =>
          asked.some(({ query, answer }) => query.input === input && answer.choice === gold),
        )
      : train;
    const specialist = specializer.apply(subject, state, all);

    const right: number[] = [];
    const chosen = new Array<number>(n).fill(0);
    const voted = new Array<number>(n).fill(0);
    for (const sample of test) {
      const { choice: key, trail = [] } = await specialist.respond(task.query(sample), context);
      right.push(key === sample.gold ? 1 : 0);
      chosen[optionsOf(n).findIndex((option) => option.key === key)]!++;
      for (const step of trail) {
        if (step.kind === "vote") voted[step.order!.indexOf(step.choice!)]!++;
      }
    }
    const queries = subject.heard.map(({ query }) => query);
    const shots = (of: Query) => of.demonstrations.length;
    const near = (of: Query) =>
      of.demonstrations.filter(({ input }) => clusterOf(input) === clusterOf(of.input)).length;
    const heard = {
      queries: queries.length,
      reasoning: queries.filter(({ reason }) => reason).length,
      shots: sum(queries.map(shots)),
      near: sum(queries.map(near)),
    };
    made.strangers.push(
      ...queries.filter(({ demonstrations }) =>
        demonstrations.some(({ input, answer }) => own.get(input) !== answer),
      ),
    );
    const share = nearShare(present, pool);
    const knows = known(mind, share, present.includes("reasoning"));
    const expected = present.includes("shuffling")
      ? expectedOver(present, pool, mind, members, orders)
      : expectedAlone(mind, knows);
    made.measured.set(name, { right, expected, heard, share, chosen, voted });
  }
  return made;
}

/** Mean share of a query's own cluster among its examples; null without examples. */
function nearShare(present: readonly Rung[], pool: readonly Sample[]): number | null {
  if (!present.includes("examples")) return null;
  // Whatever is drawn: test goes through the clusters in turn.
  return present.includes("neighbours") ? mean(nearShares(pool)) : 1 / clusters;
}

/** For each cluster: as many of the k as the pool has. */
function nearShares(pool: readonly Sample[]): number[] {
  return Array.from({ length: clusters }, (_, c) => {
    const size = pool.filter(({ input }) => clusterOf(input) === `cluster${c}`).length;
    return Math.min(k, size) / k;
  });
}

/** A vote is not linear in the chance to know, so it is averaged over the clusters. */
function expectedOver(
  present: readonly Rung[],
  pool: readonly Sample[],
  mind: Mind,
  members: number,
  orders: "balanced" | "random",
): number {
  const reasons = present.includes("reasoning");
  const near = present.includes("neighbours") ? nearShares(pool) : [nearShare(present, pool)];
  return mean(near.map((share) => expectedPlurality(mind, known(mind, share, reasons), members, orders)));
}

beforeAll(async () => {
  for (const world of cases) worlds.set(world.n, await climb(world));
}, 60_000);

/** Off the derived gain, in standard errors of the mean paired difference of these samples. */
function offGain({ measured }: World, from: string, to: string, start = 0, end = count): number {
  const before = measured.get(from)!;
  const after = measured.get(to)!;
  const each = after.right.slice(start, end).map((score, i) => score - before.right[start + i]!);
  const gain = mean(each);
  const error = Math.sqrt(sum(each.map((one) => (one - gain) ** 2)) / (each.length - 1) / each.length);
  return (gain - (after.expected - before.expected)) / error;
}

describe.each(cases)("with $n options", ({ n }) => {
  it.each(Object.keys(arms))("%s: as accurate as it is made to be", (name) => {
    const { right, expected } = worlds.get(n)!.measured.get(name)!;
    const off = (mean(right) - expected) / Math.sqrt((expected * (1 - expected)) / count);
    expect(Math.abs(off)).toBeLessThan(bound);
  });

  it.each(gains)("from %s to %s the paired gain is the derived one", (from, to) => {
    expect(Math.abs(offGain(worlds.get(n)!, from, to))).toBeLessThan(bound);
  });

  it("prefers positions alone and in each vote as it is made to, and not as an ensemble", () => {
    const { mind, measured, members } = worlds.get(n)!;
    const made = mind.positions.map((weight) => mind.bias * weight + (1 - mind.bias) / n);
    const even = mind.positions.map(() => 1 / n);
    const off = (counts: number[], shares: number[]) => {
      const total = sum(counts);
      return Math.max(
        ...shares.map((share, i) =>
          Math.abs((counts[i]! / total - share) / Math.sqrt((share * (1 - share)) / total)),
        ),
      );
    };
    const { chosen, voted } = measured.get("shuffling")!;
    expect(sum(voted)).toBe(count * members);
    expect(off(measured.get("nothing")!.chosen, made)).toBeLessThan(bound);
    expect(off(voted, made)).toBeLessThan(bound);
    expect(off(chosen, even)).toBeLessThan(bound);
    // The check can tell the two apart.
    expect(off(measured.get("nothing")!.chosen, even)).toBeGreaterThan(bound);
    expect(off(chosen, made)).toBeGreaterThan(bound);
  });

  it.each(Object.entries(arms))("%s: asks what it says it asks", (name, present) => {
    const { measured, members } = worlds.get(n)!;
    const { heard, share } = measured.get(name)!;
    expect(heard.queries).toBe(count * (present.includes("shuffling") ? members : 1));
    expect(heard.reasoning).toBe(present.includes("reasoning") ? heard.queries : 0);
    expect(heard.shots).toBe(share === null ? 0 : heard.queries * k);
    if (share !== null) expect(heard.near / heard.shots).toBeCloseTo(share, 10);
  });

  it("shows no test sample, and train samples with their own answers", () => {
    expect(worlds.get(n)!.strangers).toEqual([]);
  });
});

it("deviates from the derived gains as chance does: 40 blocks of each, standard deviation 1 and mean 0", () => {
  // Two gains without a common arm, so that the deviations are independent.
  const disjoint: typeof gains = [
    ["nothing", "examples"],
    ["examples, reasoning", "neighbours, reasoning"],
  ];
  const off = [...worlds.values()].flatMap((world) =>
    disjoint.flatMap(([from, to]) =>
      Array.from({ length: blocks }, (_, i) => offGain(world, from, to, i * block, (i + 1) * block)),
    ),
  );
  expect(off).toHaveLength(3 * 2 * blocks);
  expect(Math.abs(mean(off))).toBeLessThan(bound / Math.sqrt(off.length));
  // The error of an estimated standard deviation is 1 / sqrt(2 n).
  const spread = Math.sqrt(sum(off.map((one) => one ** 2)) / off.length);
  expect(Math.abs(spread - 1)).toBeLessThan(bound / Math.sqrt(2 * off.length));
});
