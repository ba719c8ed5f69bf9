// GEPA (Agrawal et al. 2025, arXiv 2507.19457, algorithm 1) as in its package: reflective mutation of a parent drawn from the
// Pareto front over instances, accepted where it does better on a minibatch of three, then scored on all of them. `optimize`
// races instead; this is for comparison with it.

/** What GEPA draws at random; replayed from the package's own draws in the tests. */
export interface GepaDraws {
  /** Picks one of the list, which holds a candidate once for every instance that it leads. */
  parent(list: readonly number[]): number;
  /** Positions of a minibatch among the feedback samples. */
  minibatch(): readonly number[];
}

export interface GepaProblem {
  /** Scores of a candidate on samples of a part; higher is better. */
  score(
    candidate: number,
    part: "feedback" | "search",
    samples: readonly number[],
  ): Promise<readonly number[]>;
  /** Writes a new candidate from a parent's results on a minibatch and returns its number; undefined if none was written. */
  propose(parent: number, samples: readonly number[]): Promise<number | undefined>;
  /** Samples to score accepted candidates on. */
  search: number;
  /** Number of scored answers after which it ends. */
  maxCalls: number;
  /** The best score of a sample: a parent that reaches it on all of a minibatch is not mutated. */
  perfect: number;
  draws: GepaDraws;
}

/** One mutation: the sums over its minibatch, and whether the child was taken. */
export type Mutation = {
  parent: number;
  samples: readonly number[];
  before: number;
  after: number | null;
  accepted: boolean;
};

export type GepaReport = {
  /** Accepted candidates by number with their mean on the search samples; the first is the prompt as it stands. */
  pool: { candidate: number; mean: number }[];
  mutations: Mutation[];
  /** Position in the pool of the highest mean. */
  best: number;
  calls: number;
};

export async function gepa(problem: GepaProblem): Promise<GepaReport> {
  const { score, draws } = problem;
  const everything = Array.from({ length: problem.search }, (_, i) => i);
  const pool: GepaReport["pool"] = [];
  /** By instance: the best score so far, and the pool's members that have it. */
  const fronts = everything.map(() => ({ best: Number.NEGATIVE_INFINITY, leaders: new Set<number>() }));
  const mutations: Mutation[] = [];
  let calls = 0;
  const admit = async (candidate: number): Promise<void> => {
    const scores = await score(candidate, "search", everything);
    calls += scores.length;
    for (const [i, front] of fronts.entries()) {
      const own = scores[i] as number;
      if (own > front.best) front.leaders.clear();
      front.best = Math.max(front.best, own);
      if (own === front.best) front.leaders.add(pool.length);
    }
    pool.push({ candidate, mean: sum(scores) / scores.length });
  };

  await admit(0);
  while (calls < problem.maxCalls) {
    const fronted = withoutDominated(
      fronts.map(({ leaders }) => leaders),
      pool.map(({ mean }) => mean),
    );
    const counts = new Map<number, number>();
    for (const front of fronted) for (const one of front) counts.set(one, (counts.get(one) ?? 0) + 1);
    const parent = draws.parent([...counts].flatMap(([one, count]) => Array<number>(count).fill(one)));
    const samples = draws.minibatch();
    const { candidate } = pool[parent] as GepaReport["pool"][number];
    const scores = await score(candidate, "feedback", samples);
    calls += samples.length;
    const mutation: Mutation = { parent, samples, before: sum(scores), after: null, accepted: false };
    mutations.push(mutation);
    if (scores.every((one) => one >= problem.perfect)) continue;
    const child = await problem.propose(candidate, samples);
    if (child === undefined) continue;
    mutation.after = sum(await score(child, "feedback", samples));
    calls += samples.length;
    mutation.accepted = mutation.after > mutation.before;
    if (mutation.accepted) await admit(child);
  }
  const best = pool.reduce((at, { mean }, i) => (mean > (pool[at]?.mean as number) ? i : at), 0);
  return { pool, mutations, best, calls };
}

/**
 * The fronts without dominated members: a member is dominated if each of its fronts has another remaining member. Members
 * with the lowest mean are removed first.
 */
function withoutDominated(
  fronts: readonly ReadonlySet<number>[],
  means: readonly number[],
): ReadonlySet<number>[] {
  const left = new Set(fronts.flatMap((front) => [...front]));
  const order = [...left].sort((a, b) => (means[a] as number) - (means[b] as number));
  for (;;) {
    const gone = order.find(
      (one) =>
        left.has(one) &&
        fronts.every(
          (front) => !front.has(one) || [...front].some((other) => other !== one && left.has(other)),
        ),
    );
    if (gone === undefined) break;
    left.delete(gone);
  }
  return fronts.map((front) => new Set([...front].filter((one) => left.has(one))));
}

function sum(scores: readonly number[]): number {
  return scores.reduce((total, score) => total + score, 0);
}
