// EgoSocialArena's static scenarios as a task: situations drawn from a seed, told in the third person, in the first, or with
// somebody else as "you". They are Hone's own: the original's items are not public.

import { z } from "zod";
import type { Sample, SplitName } from "../../core/sample.js";
import { type ChoiceOptions, choice, choiceSchema, choiceTask } from "../choice.js";
import { taskEntry } from "../table.js";
import { scenarios } from "./generator.js";
import { drawItems, generators, type Person, persons, type SocialItem } from "./items.js";

/** The instruction. In the first person it is EgoSocialArena's own system message (README, fig. 2). */
export const instructions: Readonly<Record<Person, string>> = {
  third: "Read the following social event and answer the questions.",
  first: "Read the following social event related to you and answer the questions.",
  shuffled: "Read the following social event related to you and answer the questions.",
};

const socialSchema = z.strictObject({
  kind: z.literal("social").describe("Social situations, drawn from a seed, with options to choose from"),
  person: z
    .enum(persons)
    .default("first")
    .describe('Told in the third person, in the first, or "shuffled": with somebody else as "you"'),
  scenarios: z
    .array(z.enum(scenarios))
    .min(1)
    .default([...scenarios])
    .describe("Which of the seven scenarios"),
  answerBy: choiceSchema.shape.answerBy,
  scoring: choiceSchema.shape.scoring,
  maxTokens: choiceSchema.shape.maxTokens,
});

const many = (most: number) => z.int().min(0).max(most);

const socialDataSchema = z.strictObject({
  train: many(400).default(30).describe("Training items of each generator"),
  dev: many(200).default(10).describe("Dev items of each generator"),
  test: many(400).min(1).default(100).describe("Sealed items of each generator"),
  seed: z.int().default(1).describe("Another seed draws other items"),
});

/** An item as a sample of a choice task. */
export function sampleOf({ id, generator, told, answer }: SocialItem, person: Person): Sample {
  const { rules, story, question, options } = told[person];
  return {
    id,
    instruction: instructions[person],
    input: rules === undefined ? story : `${rules} ${story}`,
    question,
    options: options.map((text, i) => ({ key: String(i + 1), text })),
    gold: String(answer + 1),
    stratum: generator,
  };
}

function drawSplits(
  { person, scenarios: wanted }: z.output<typeof socialSchema>,
  { train, dev, test, seed }: z.output<typeof socialDataSchema>,
): Record<SplitName, Sample[]> & { source: string } {
  const chosen = generators.filter(({ scenario }) => wanted.includes(scenario));
  const items = drawItems(train + dev + test, seed, chosen);
  const splits: Record<SplitName, Sample[]> = { train: [], dev: [], test: [] };
  // Items of a generator are contiguous, in a random order.
  for (const [i, item] of items.entries()) {
    const at = i % (train + dev + test);
    splits[at < train ? "train" : at < train + dev ? "dev" : "test"].push(sampleOf(item, person));
  }
  return { ...splits, source: `social situations drawn with seed ${seed}, ${person} person` };
}

export const socialTask = taskEntry({
  options: socialSchema,
  data: socialDataSchema.prefault({}).describe("How many items are drawn"),
  make: (name, options) => choice(name, asChoice(options)),
  ways: (options, grants) =>
    choiceTask
      .ways?.(choiceSchema.parse(asChoice(options)), grants)
      .map(({ label, options: { answerBy, scoring } }) => ({
        label,
        options: { ...options, answerBy, scoring },
      })) ?? [],
  draw: drawSplits,
});

function asChoice({ answerBy, scoring, maxTokens }: z.output<typeof socialSchema>): ChoiceOptions {
  return {
    ...(answerBy === undefined ? {} : { answerBy }),
    ...(scoring === undefined ? {} : { scoring }),
    maxTokens,
  };
}
