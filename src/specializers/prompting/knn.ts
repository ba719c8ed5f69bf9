// knn: puts the train examples most similar to each query before it, the most similar last (Liu et al. 2022, KATE; Nori
// et al. 2023, §4.1). Similarity is the cosine of sentence vectors, or BM25. It retrieves examples and does not vote
// with their answers.

import { z } from "zod";
import type { Demonstration } from "../../core/language.js";
import type { Given, LanguageSpecializer } from "../../core/specializer.js";
import { bm25 } from "../../learn/bm25.js";
import { type KeptVectors, keepVectors, type Likeness, likenessByVectors } from "../../learn/neighbours.js";
import { questionsVary, readText, sameTextKey } from "../../learn/text.js";
import { defineSpecializer, requireTrain } from "../parts/define.js";
import { type KeptDemonstrations, keepDemonstrations, prepend } from "../parts/demonstrations.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";

export const knnOptions = z.strictObject({
  k: z.int().min(1).max(1000).default(5).describe("how many examples, 1 to 1000"),
  by: z
    .enum(["vectors", "bm25"])
    .default("vectors")
    .describe('"vectors" for similar meaning, "bm25" for shared words'),
  balance: z
    .boolean()
    .default(false)
    .describe(
      "true to spread the examples over the right answers, false for the nearest whatever they answer",
    ),
});
/** Options of `knn`. */
export type KnnOptions = z.input<typeof knnOptions>;

type State = {
  pool: KeptDemonstrations;
  /** Whether questions are part of the text compared: only where they differ between samples. */
  question: boolean;
  /** Present for `by: "vectors"`. */
  vectors?: KeptVectors;
};

/** Puts the k nearest train examples before each query; examples that are the query itself are skipped. */
export function knn(options: KnnOptions = {}): LanguageSpecializer {
  const { k, by, balance } = readOptions(knnOptions, "knn", options);
  return defineSpecializer<State>({
    name: "knn",
    label: `knn(k=${k}${by === "bm25" ? ", bm25" : ""}${balance ? ", balanced" : ""})`,
    options: { k, by, balance },
    ...(by === "vectors" ? { encodes: () => true } : {}),
    fit: (_subject, given) => fitPool(given, by),
    behave: (state, _subject, tools) => {
      const { shots, labels } = state.pool;
      const likeness = state.vectors
        ? likenessByVectors(state.vectors, shots.length, state.question, tools)
        : likenessByWords(state);
      const keys = shots.map(sameTextKey);
      return {
        prepare: async (query, context) => {
          const scores = await likeness(query, context);
          const own = sameTextKey(query);
          const ranked = shots
            .map((_, i) => i)
            .filter((i) => keys[i] !== own)
            .sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
          const chosen = balance ? spread(ranked, k, shots) : ranked.slice(0, k);
          const nearestLast = chosen.reverse().map((i) => shots[i] as Demonstration);
          return prepend(nearestLast, labels, query);
        },
      };
    },
  });
}

async function fitPool(given: Given, by: "vectors" | "bm25"): Promise<State> {
  requireTrain(given, "knn");
  const shots = given.train.map((sample) => given.task.demonstration(sample));
  const question = questionsVary(shots);
  const pool = keepDemonstrations(shots, given.task);
  if (by === "bm25") return { pool, question };
  const texts = shots.map((shot) => readText(shot, question));
  return { pool, question, vectors: await keepVectors(texts, given) };
}

function likenessByWords(state: State): Likeness {
  const score = bm25(state.pool.shots.map((shot) => readText(shot, state.question)));
  return async (query) => score(readText(query, state.question));
}

/** The first k of `ranked` with at most an equal share for each answer, filled up by rank if those are too few. */
function spread(ranked: readonly number[], k: number, pool: readonly Demonstration[]): number[] {
  const answers = new Set(pool.map((shot) => shot.answer));
  const share = Math.ceil(k / answers.size);
  const taken = new Map<string, number>();
  const within = ranked.filter((i) => {
    const { answer } = pool[i] as Demonstration;
    const count = (taken.get(answer) ?? 0) + 1;
    taken.set(answer, count);
    return count <= share;
  });
  const chosen = new Set(within.slice(0, k));
  for (const i of ranked) if (chosen.size < k) chosen.add(i);
  return ranked.filter((i) => chosen.has(i));
}

/** Its entry in the table of specializers. */
export const knnEntry = {
  make: knn,
  options: knnOptions,
  summary: "The train examples nearest to each query before it, the nearest last",
  paper:
    "Liu et al. 2022, What Makes Good In-Context Examples for GPT-3? (arXiv 2101.06804); Nori et al. 2023 (2311.16452)",
  leaf: "few-shot prompt",
} satisfies SpecializerEntry;
