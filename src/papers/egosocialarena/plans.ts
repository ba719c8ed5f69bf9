// The studies behind the claims: a generalist in every condition, and what specialists keep of it.

import { type LawmaRow, rowsOf } from "../lawma/plans.js";
import type { LawmaChoice } from "../lawma/tasks.js";
import type { Given } from "../paper.js";
import { fileSplits, type Plan, splitFiles } from "../plans.js";
import { type ArenaPart, arenaPlans } from "./arena.js";
import {
  type Condition,
  conditions,
  drawnItems,
  type EgoItem,
  type EgoRow,
  type PublishedItems,
  someOf,
} from "./read.js";
import type { EgoSettings } from "./settings.js";

export type EgoPart = "perspectives" | "law" | "social";

export interface EgoPlan extends Plan {
  experiment: EgoPart | ArenaPart;
}

export interface EgoData extends PublishedItems {
  law: LawmaChoice;
}

/** The seed of the items on which specialists are trained and measured, distinct from the draws of the perspectives. */
const trainSeed = 1001;

export function egoPlans({ settings, models, data }: Given<EgoSettings, EgoData>): EgoPlan[] {
  const [small] = models as [string];
  const { draws, each, seeds, social } = settings;
  const tomi = halves(data.tomi, settings.tomi, settings.asking.tomi, "tomi");
  const tombench = halves(data.tombench, settings.tombench, settings.asking.tombench, "tombench");
  const items = [...drawnItems(each, draws), ...tomi.tested, ...tombench.tested];
  // Drawn together, so that no test item paraphrases a training item.
  const perGenerator = social.train + social.dev + settings.profile.each + settings.asking.each;
  const spare = drawnItems(perGenerator, [trainSeed]);
  const part = (from: number, count: number) =>
    spare.filter((_, i) => i % perGenerator >= from && i % perGenerator < from + count);
  const train = part(0, social.train);
  const dev = part(social.train, social.dev);
  const asked = [
    ...part(perGenerator - settings.asking.each, settings.asking.each),
    ...tomi.asked,
    ...tombench.asked,
  ];
  const profile = [
    ...part(social.train + social.dev, settings.profile.each),
    ...someOf(data.tomi, settings.profile.tomi, "profile"),
  ];
  const lawRows = rowsOf(data.law.chosen, data.law.texts, {
    input: { chars: settings.law.chars },
    instructionSentences: 1,
    limit: settings.law.limit,
  });
  const law = { train: lawRows.train.map(asEgo), dev: lawRows.dev.map(asEgo), test: lawRows.test.map(asEgo) };
  const told = (of: readonly EgoItem[], condition: Condition): EgoRow[] =>
    of.flatMap((item) => item[condition] ?? []);
  // Both persons, so that the choice favours neither.
  const bothPersons = (of: readonly EgoItem[]): EgoRow[] =>
    of.flatMap(({ third, first }) => [third, { ...first, id: `${first.id}/first` }]);
  const elsewhere = (name: string, test: readonly EgoRow[]) => ({
    name,
    rows: test,
    // Nothing is trained on these tasks; the training split only fulfils the schema.
    task: taskOf(name, {
      train: `file:${name}-train.jsonl`,
      dev: `file:${name}-dev.jsonl`,
      test: `file:${name}.jsonl`,
    }),
  });
  const study = (
    name: string,
    splits: Record<"train" | "dev" | "test", readonly EgoRow[]>,
    others: ReturnType<typeof elsewhere>[],
    trained: readonly number[],
  ): Pick<Plan, "study" | "files"> => ({
    study: {
      task: taskOf(name, fileSplits),
      elsewhere: others.map(({ task }) => task),
      seeds: trained,
      handOver: 3,
    },
    files: {
      ...splitFiles(splits),
      ...Object.fromEntries(
        others.flatMap(({ name: other, rows }) => [
          [`${other}.jsonl`, rows],
          [`${other}-train.jsonl`, splits.train.slice(0, 4)],
          [`${other}-dev.jsonl`, splits.train.slice(4, 6)],
        ]),
      ),
    },
  });
  const perspectives = models.map(
    (model): EgoPlan => ({
      experiment: "perspectives",
      part: "perspectives",
      model,
      description: `Third person, first person and controls: ${model.replace(/\?.*/, "")}`,
      ...study(
        "third",
        {
          train: told(train, "third").slice(0, 30),
          dev: bothPersons(asked),
          test: told(items, "third"),
        },
        // Controls run on the smaller model only, to save time.
        conditions
          .filter((one) => one !== "third" && (model === small || one === "first"))
          .map((one) => elsewhere(one, told(items, one))),
        [1],
      ),
      arms: { "zero-shot": "zeroShot", majority: "majority" },
    }),
  );
  return [
    ...perspectives,
    {
      experiment: "social",
      part: "social",
      model: small,
      description: "A LoRA on social situations told in the third person",
      ...study(
        "third",
        { train: told(train, "third"), dev: told(dev, "third"), test: told(profile, "third") },
        [elsewhere("first", told(profile, "first")), elsewhere("law", law.test)],
        seeds,
      ),
      arms: { "zero-shot": "zeroShot", lora: social.tune },
    },
    {
      experiment: "law",
      part: "law",
      model: small,
      description: "A LoRA on legal classification, measured on social situations",
      ...study(
        "law",
        law,
        [elsewhere("third", told(profile, "third")), elsewhere("first", told(profile, "first"))],
        seeds,
      ),
      arms: { "zero-shot": "zeroShot", lora: settings.law.tune },
    },
    ...arenaPlans(models, settings.arena, seeds),
  ];
}

/** Items to test on and, from the other end of the same order, items of other stories that decide the prompt format. */
function halves(of: readonly EgoItem[], tested: number, asked: number, purpose: string) {
  const order = someOf(of, of.length, purpose);
  const back = order.slice(Math.max(0, order.length - tested));
  const groups = new Set(back.map(({ third }) => third.group));
  const front = order.slice(0, order.length - back.length).filter(({ third }) => !groups.has(third.group));
  return { tested: back, asked: front.slice(0, asked) };
}

function taskOf(name: string, splits: Record<"train" | "dev" | "test", string>): object {
  return {
    name,
    kind: "choice",
    data: {
      splits,
      id: "id",
      input: "input",
      instruction: "{{instruction}}",
      question: "{{question}}",
      options: "options",
      label: "answer",
      group: "group",
      stratum: "stratum",
      // Drawn items do not repeat, and training items are drawn separately.
      leakage: "off",
    },
  };
}

function asEgo({
  id,
  case: group,
  stratum,
  instruction,
  input,
  question,
  options,
  answer,
}: LawmaRow): EgoRow {
  const right = Array.isArray(answer) ? (answer[0] as string) : answer;
  return { id: `law/${id}`, instruction, input, question, options, answer: right, stratum, group };
}
