// What the paper says that can be checked here, each as a difference with an interval, model by model.

import { type Claim, makeClaim } from "../claim.js";
import { macroDifference, type Scores } from "../figures.js";
import { biasReduction } from "./bias.js";
import type { MeasuredTask } from "./measured.js";
import { publishedLadder, publishedPortfolio } from "./published.js";

const above = { side: "above", threshold: 0 } as const;

/**
 * @param at 1 for the first model, and so on: the number in the claims' ids
 * @param tasks the ladder's, this model's
 * @param lookups the retrieval studies', this model's
 */
export function claimsOf(
  model: string,
  at: number,
  tasks: readonly MeasuredTask[],
  lookups: readonly MeasuredTask[],
): Claim[] {
  const all = (rung: number): Scores =>
    new Map(tasks.flatMap(({ arms }) => [...(arms[rung]?.scores ?? new Map())]));
  const gain = (id: string, claim: string, from: number, to: number, published: number, source: string) =>
    makeClaim(
      {
        id: `${id}.${at}`,
        claim: `${claim} (${model}).`,
        published: Math.round(published * 1000) / 1000,
        note: `Published: ${source}; ours: mean of the tasks' paired differences.`,
      },
      above,
      macroDifference(all(to), all(from)),
    );
  const rung = (id: string, claim: string, from: number, to: number) =>
    gain(
      id,
      claim,
      from,
      to,
      (publishedLadder[to] as number) - (publishedLadder[from] as number),
      "MedQA with GPT-4",
    );
  const portfolio = tasks.some(({ arms }) => arms.length > 5)
    ? [
        gain(
          "m6",
          "The portfolio of reasoned and direct calls raises it further",
          4,
          5,
          publishedPortfolio.after - publishedPortfolio.before,
          "MMLU with GPT-4",
        ),
      ]
    : [];
  return [
    rung("m1", "Random worked examples raise accuracy", 0, 1),
    rung("m2", "The model's own chains of thought raise it further", 1, 2),
    rung("m3", "Nearest examples are better than random ones", 2, 3),
    rung("m4", "The choice-shuffle ensemble raises it further", 3, 4),
    rung("m5", "The whole ladder beats zero-shot", 0, 4),
    ...portfolio,
    ...tasks.map(({ task, arms, keys }) =>
      makeClaim(
        {
          id: `b.${task}.${at}`,
          claim: `The ensemble brings the positions of choices nearer to the right ones' on ${task} (${model}).`,
          published: null,
          note: "Total variation distance without shuffling less with; the paper names the aim and gives no figure.",
        },
        above,
        biasReduction(arms[3]?.scores ?? new Map(), arms[4]?.scores ?? new Map(), keys),
      ),
    ),
    ...lookups.map(({ task, arms }) =>
      makeClaim(
        {
          id: `r.${task}.${at}`,
          claim: `Retrieved passages (${arms.at(-1)?.name}) raise the score on ${task} (${model}).`,
          published: null,
          note: "Not in this paper: the survey's external knowledge augmentation.",
        },
        above,
        macroDifference(arms.at(-1)?.scores ?? new Map(), arms[0]?.scores ?? new Map()),
      ),
    ),
  ];
}
