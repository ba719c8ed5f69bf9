// The paper's claims that can be checked here, each as a difference with an interval, model by model.

import { above, type Draft } from "../claim.js";
import { difference, type Measured as Figure, type Scores } from "../figures.js";
import { biasReduction } from "./bias.js";
import { type Measured, on, optionKeys } from "./measured.js";
import type { RungName } from "./plans.js";
import { publishedLadder, publishedPortfolio } from "./published.js";

/**
 * @param at 1 for the first model, and so on: the number in the claims' ids
 * @param tasks the ladder's, this model's
 * @param lookups the retrieval studies', this model's
 */
export function claimsOf(
  model: string,
  at: number,
  tasks: readonly Measured[],
  lookups: readonly Measured[],
): Draft[] {
  const all = (rung: RungName): Scores => new Map(tasks.flatMap((task) => [...on(task, rung)]));
  const claim = (
    id: string,
    words: string,
    published: number | null,
    note: string,
    measured: Figure | null,
  ): Draft => above(`${id}.${at}`, `${words} (${model}).`, published, note, measured);
  const rounded = (value: number) => Math.round(value * 1000) / 1000;
  const source = (where: string) => `Published: ${where}; ours: mean of the tasks' paired differences.`;
  const rung = (
    id: string,
    words: string,
    from: keyof typeof publishedLadder,
    to: keyof typeof publishedLadder,
  ) =>
    claim(
      id,
      words,
      rounded(publishedLadder[to] - publishedLadder[from]),
      source("MedQA with GPT-4"),
      difference(all(to), all(from)),
    );
  const portfolio = claim(
    "m6",
    "The portfolio of reasoned and direct calls raises it further",
    rounded(publishedPortfolio.after - publishedPortfolio.before),
    source("MMLU with GPT-4"),
    difference(all("portfolio"), all("ensemble")),
  );
  return [
    rung("m1", "Random worked examples raise accuracy", "zero-shot", "few-shot"),
    rung("m2", "The model's own chains of thought raise it further", "few-shot", "chain of thought"),
    rung("m3", "Nearest examples are better than random ones", "chain of thought", "neighbours"),
    rung("m4", "The choice-shuffle ensemble raises it further", "neighbours", "ensemble"),
    rung("m5", "The whole ladder beats zero-shot", "zero-shot", "ensemble"),
    ...(all("portfolio").size > 0 ? [portfolio] : []),
    ...tasks.map((task) =>
      claim(
        `b.${task.plan.task}`,
        `The ensemble brings the positions of choices nearer to the right ones' on ${task.plan.task}`,
        null,
        "Total variation distance without shuffling less with; the paper names the aim and gives no figure.",
        biasReduction(on(task, "neighbours"), on(task, "ensemble"), optionKeys(task)),
      ),
    ),
    ...lookups.flatMap((task) => {
      const { compared, task: name } = task.plan;
      if (!compared) return [];
      return claim(
        `r.${name}`,
        `Retrieved passages (${compared.with}) raise the score on ${name}`,
        null,
        "Not in this paper: the survey's external knowledge augmentation.",
        difference(on(task, compared.with), on(task, compared.without)),
      );
    }),
  ];
}
