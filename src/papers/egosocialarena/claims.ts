// Claims of EgoSocialArena, questions of its reviewers, and whether specialists keep the effect, tested on our figures.

import { above, below, type Draft } from "../claim.js";
import { crossedDifference, difference, type Row, type Scores } from "../figures.js";
import type { EgoPart } from "./plans.js";
import { published } from "./published.js";
import type { Condition } from "./read.js";

export interface EgoScores {
  /** The generalist's scores in a condition; 0 is the smaller model. */
  told: (condition: Condition, model: number) => Scores;
  /** A trained specialist's rows on one of its tasks, over all seeds. */
  trained: (part: Exclude<EgoPart, "perspectives">, arm: "zero-shot" | "lora", on: string) => readonly Row[];
  /** Per item, the score of guessing, and that of the best of guessing and four rules that see only which options the story names. */
  chance: Scores;
  surface: Scores;
}

/** Items of scenarios whose names begin with `prefix`. */
export function of(scores: Scores, prefix: string): Scores {
  return new Map([...scores].filter(([, { task }]) => task.startsWith(prefix)));
}

const given = /^(?:tomi|tombench|law)/;

/** Drawn situations: neither ToMi's nor ToMBench's. */
export function drawn(scores: Scores): Scores {
  return new Map([...scores].filter(([, { task }]) => !given.test(task)));
}

export function egoClaims({ told, trained, surface }: EgoScores): Draft[] {
  const { "claude-3-5-sonnet": claude, "gpt-4-turbo": gpt } = published.tomi;
  const third = told("third", 0);
  const first = told("first", 0);
  const bigger = told("first", 1);
  const crossed = (a: readonly Row[], b: readonly Row[], same = false) => crossedDifference(a, b, null, { range: [0, 1], same });
  const drawnRows = (rows: readonly Row[]) => rows.filter(({ sample }) => !given.test(sample));
  const social = (arm: "zero-shot" | "lora", on: string) => drawnRows(trained("social", arm, on));
  const units = "items and training seeds are the units";
  const gain = `Claude 3.5 Sonnet; GPT-4-Turbo ${(gpt.first - gpt.third).toFixed(3)}. Reviews of v1; every model of the paper gains`;
  return [
    above("a1", "ToMi is answered better in the first person than in the third", claude.first - claude.third, gain, difference(of(first, "tomi"), of(third, "tomi"))),
    above("a2", "The larger model, too, answers ToMi better in the first person", claude.first - claude.third, gain, difference(of(bigger, "tomi"), of(told("third", 1), "tomi"))),
    above("a3", "ToMBench is answered better in the first person", null, "figure not found; the paper converts it by a language model, here by rule", difference(of(first, "tombench"), of(third, "tombench"))),
    above("a4", "Situations drawn here are answered better in the first person", null, "all seven scenarios; the original's items are not public", difference(drawn(first), drawn(third))),
    above("b1", "It is the perspective: being the one asked about is better than being somebody else in the story", null, "a control that the reviews asked for: somebody else of the same story is told as you; of a model that guesses (c1) it says nothing", difference(first, told("shuffled", 0))),
    above("b2", "It is not that the question is easier: the first person beats the third-person question of one order less", null, "a control that the reviews asked for: second-order items of ToMi whose right answer is the same in both; as b1", difference(first, told("easier", 0))),
    above("c1", "The smaller model is better in the first person than rules that understand nothing", null, "mean over scenarios, less the best of five on these items: a guess, and the option whose words stand in the story, stand first, last or most often", difference(first, surface)),
    above("c2", "The larger model is better in the first person than rules that understand nothing", null, "as c1", difference(bigger, surface)),
    above("d1", "The larger model is better than the smaller one in the first person", null, "in the paper o1-preview is near the human, Llama 3 8B far below", difference(bigger, first)),
    above("e1", "A LoRA on legal classification gets better at it", null, `no claim of the paper: it shows that the specialist is one; ${units}`, crossed(trained("law", "lora", "law"), trained("law", "zero-shot", "law"))),
    below("e2", "A LoRA on legal classification loses social sense", null, `no claim of the paper; social situations in the first person; who guessed before (c1) has nothing to lose; ${units}`, crossed(trained("law", "lora", "first"), trained("law", "zero-shot", "first"))),
    above("f1", "A LoRA on social situations told in the third person gets better at others of them", null, `no claim of the paper: it shows that the items can be learnt, and the difference be seen; ${units}`, crossed(social("lora", "third"), social("zero-shot", "third"))),
    above("f2", "What it learnt in the third person holds in the first", null, `no claim of the paper; ${units}`, crossed(social("lora", "first"), social("zero-shot", "first"))),
    below("f3", "In the first person it stays below what it is in the third, which it was trained on", null, `no claim of the paper; ${units}`, crossed(social("lora", "first"), social("lora", "third"), true)),
  ];
} // biome-ignore format: one claim a line
