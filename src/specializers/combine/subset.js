// subset: another specializer on less training data, to measure what labels are worth. Test and dev stay as they are.
import { z } from "zod";
import { randomFor, shuffled } from "../../core/random.js";
export const subsetOptions = z.strictObject({
  n: z.int().min(1).max(1_000_000).describe("train samples to keep of each stratum, drawn by the seed"),
  use: z.unknown().describe("the specializer that learns from them, as a study would name it"),
});
/**
 * Fits `inner` on n train samples of each stratum (of all, where there are no strata). For one seed the draws are nested:
 * the first 50 are among the first 100, so that a curve over n compares amounts and not draws.
 *
 * @example
 * import { linear, subset } from "@honelab/hone";
 * subset({ n: 50 }, linear()).label; // "linear(tfidf), n=50"
 */
export function subset({ n }, inner) {
  return {
    name: "subset",
    label: `${inner.label}, n=${n}`,
    options: { n, use: { name: inner.name, options: inner.options } },
    needs: inner.needs,
    kinds: inner.kinds,
    seeded: true,
    ...(inner.reference ? { reference: true } : {}),
    fit: (subject, given) => inner.fit(subject, { ...given, train: drawn(given.train, n, given.seed) }),
    apply: (subject, state, tools) => inner.apply(subject, state, tools),
  };
}
function drawn(samples, n, seed) {
  const taken = new Map();
  return shuffled(samples, randomFor(seed, "subset")).filter(({ stratum = "" }) => {
    const before = taken.get(stratum) ?? 0;
    taken.set(stratum, before + 1);
    return before < n;
  });
}
