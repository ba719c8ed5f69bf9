// Runs the published optimizers on the same parts of train. What they return is also scored on the confirm samples, so that
// their gain where they searched can be compared with the confirmed gain.

import { randomFor, shuffled } from "../../../core/random.js";
import type { Group } from "../../../statistics/index.js";
import type { Candidate } from "./candidate.js";
import { type GepaReport, gepa } from "./gepa.js";
import { type MiproReport, miprov2, type Pair, parzenPair } from "./miprov2.js";
import { confirmation, type RaceOptions, type RaceReport } from "./race.js";
import type { Workshop } from "./workshop.js";

export type PublishedReport = Pick<RaceReport, "looked" | "returned" | "confirm"> & {
  found: GepaReport | MiproReport;
  /** Mean gain over the prompt as it stands on the search samples, and that minus the confirmed gain. */
  gain: number;
  shrinkage: number | null;
};

/** GEPA's minibatch, and MIPROv2's; trials between two scorings on all samples. */
const [gepaBatch, miproBatch, fullEvery] = [3, 35, 5];

/**
 * Runs one of them.
 * @param groups of the confirm samples
 */
export async function published(
  workshop: Workshop,
  { algorithm, calls }: { algorithm: "gepa" | "miprov2"; calls: number },
  groups: readonly Group[],
  options: Pick<RaceOptions, "seed" | "range">,
): Promise<PublishedReport> {
  const { seed } = options;
  const random = randomFor(seed, "optimize", algorithm);
  const scored = new Set([0]);
  const counted: Workshop = {
    ...workshop,
    scores: (candidate, ...asked) => {
      scored.add(candidate);
      return workshop.scores(candidate, ...asked);
    },
  };
  const draw = (size: number, part: "feedback" | "search") =>
    shuffled([...Array(workshop.sizes[part]).keys()], random).slice(0, size);
  const { found, returned, gain } =
    algorithm === "gepa"
      ? await byGepa(counted, calls, () => draw(gepaBatch, "feedback"), random)
      : await byMipro(counted, calls, () => draw(miproBatch, "search"), random);
  const confirm = returned === 0 ? null : await confirmation(returned, groups, workshop.scores, options);
  return { looked: scored.size, returned, found, gain, confirm, shrinkage: confirm && gain - confirm.delta };
}

/** A sample that the endpoint failed to answer counts as the worst score, or the worst of its batch if scores are unbounded. */
function known({ worst }: Workshop, scores: readonly (number | null)[]): number[] {
  const least = Number.isFinite(worst) ? worst : Math.min(...scores.filter((score) => score !== null), 0);
  return scores.map((score) => score ?? least);
}

async function byGepa(workshop: Workshop, calls: number, minibatch: () => number[], random: () => number) {
  const found = await gepa({
    ...{ search: workshop.sizes.search, maxCalls: calls, perfect: workshop.perfect },
    score: async (candidate, part, samples) =>
      known(workshop, await workshop.scores(candidate, part, samples)),
    propose: workshop.propose,
    draws: { parent: (list) => list[Math.floor(random() * list.length)] as number, minibatch },
  });
  const { candidate, mean } = found.pool[found.best] as GepaReport["pool"][number];
  return { found, returned: candidate, gain: mean - (found.pool[0]?.mean as number) };
}

/** Instructions are the candidates without examples and the proposals; sets of examples are those of the other candidates. */
async function byMipro(workshop: Workshop, calls: number, minibatch: () => number[], random: () => number) {
  const { candidates, propose, asksAgain, scores, sizes } = workshop;
  while (asksAgain()) await propose(0);
  const words = candidates.filter(({ shots }) => !shots);
  const sets = [undefined, ...setsIn(candidates)];
  const numbers = new Map<string, number>();
  const numberOf = (pair: Pair): number => {
    const before = numbers.get(pair.join());
    if (before !== undefined) return before;
    const [instruction, set] = [words[pair[0]] as Candidate, sets[pair[1]]];
    candidates.push(
      set ? { ...instruction, name: `${instruction.name} + ${set.name}`, shots: set.shots } : instruction,
    );
    numbers.set(pair.join(), candidates.length - 1);
    return candidates.length - 1;
  };
  numbers.set("0,0", 0);
  const pairs: Pair = [words.length, sets.length];
  const found = await miprov2({
    ...{ sizes: pairs, search: sizes.search, fullEvery },
    trials: Math.max(1, Math.floor((calls - sizes.search) / (miproBatch + sizes.search / fullEvery))),
    score: async (pair, samples) => {
      const all = known(workshop, await scores(numberOf(pair), "search", samples));
      return all.reduce((sum, score) => sum + score, 0) / all.length;
    },
    draws: { pair: (trials) => parzenPair(trials, pairs, random), minibatch },
  });
  const start = (found.trials[0] as MiproReport["trials"][number]).score;
  return { found, returned: numberOf(found.best.pair), gain: (found.best.score - start) / 100 };
}

/** The different sets of examples among some candidates. */
function setsIn(
  candidates: readonly Candidate[],
): { shots: NonNullable<Candidate["shots"]>; name: string }[] {
  const sets = new Map(
    candidates.flatMap(({ shots, name }) =>
      shots ? [[JSON.stringify(shots), { shots, name }] as const] : [],
    ),
  );
  return [...sets.values()];
}
