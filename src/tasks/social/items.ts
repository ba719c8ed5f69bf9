// From generators to items: so many of each, none twice in other words, answers at every position equally often, and each told in
// the third person, in the first, and with somebody else as "you".

import { type Random, randomFor, shuffled } from "../../core/random.js";
import { nearGroups } from "../../data/index.js";
import { counterfactual } from "./counterfactual.js";
import { dailySelf } from "./daily-self.js";
import { dailyTom } from "./daily-tom.js";
import { type Lineage, type Told, toFirstPerson } from "./first-person.js";
import { type Generator, names, pick, type Scenario, type Situation } from "./generator.js";
import { guessing } from "./guessing.js";
import { newWorld } from "./new-world.js";

/** Every generator, by scenario. */
export const generators: readonly Generator[] = [
  ...dailyTom,
  guessing,
  ...dailySelf,
  ...counterfactual,
  ...newWorld,
];

/** How an item is told: the protagonist named, as "you", or with somebody else of the story as "you" (a control). */
export const persons = ["third", "first", "shuffled"] as const;
export type Person = (typeof persons)[number];

export interface SocialItem {
  /** `generator/number`, the same in every person. */
  id: string;
  scenario: Scenario;
  generator: string;
  told: Readonly<Record<Person, Told & { rules?: string }>>;
  /** Place of the right option. */
  answer: number;
  lineage: Readonly<Record<"first" | "shuffled", Lineage>>;
}

/** Word-shingle similarity, names apart, from which two items count as one in other words. */
export const nearDuplicate = 0.8;

/**
 * Draws items. The same seed gives the same items, and more of them begin with the same ones.
 * @param count of each generator
 * @throws Error where a generator has not so many different situations
 */
export function drawItems(
  count: number,
  seed: number,
  from: readonly Generator[] = generators,
): SocialItem[] {
  // Drawn with a margin, for some will say the same in other words.
  let margin = 1.5;
  for (;;) {
    const many = Math.ceil(count * margin);
    const drawn = from.flatMap((generator) =>
      Array.from({ length: many }, (_, i) => {
        const situation = generator.draw(randomFor(seed, "social", generator.name, i));
        return { generator, situation };
      }),
    );
    const group = nearGroups(
      drawn.map(({ situation }) => wording(situation)),
      nearDuplicate,
    );
    const distinct = drawn.filter((_, i) => group[i] === i);
    const kept = from.map((one) => distinct.filter(({ generator }) => generator === one).slice(0, count));
    if (kept.every(({ length }) => length === count)) return kept.flatMap((some) => placed(some, seed));
    if (margin > 20) {
      const short = from.filter((_, i) => (kept[i] as unknown[]).length < count).map(({ name }) => name);
      throw new Error(`fewer than ${count} different situations: ${short.join(", ")}`);
    }
    margin *= 2;
  }
}

/** What an item says, whoever it is about: names are no difference, nor is the order of its options. */
export function wording({ story, question, options }: Told): string {
  const people = new RegExp(`\\b(?:${names.join("|")})\\b`, "g");
  return `${story} ${question} ${options.toSorted().join(" ")}`.replace(people, "somebody");
}

/** Answers at each position equally often, up to one; the other options in random order. */
function placed(
  drawn: readonly { generator: Generator; situation: Situation }[],
  seed: number,
): SocialItem[] {
  const [one] = drawn;
  if (!one) return [];
  const random = randomFor(seed, "social places", one.generator.name);
  const size = one.situation.options.length;
  const places = shuffled(
    drawn.map((_, i) => i % size),
    random,
  );
  return drawn.map(({ generator, situation }, i) =>
    itemOf(generator, situation, i, places[i] as number, random),
  );
}

function itemOf(
  { name, scenario }: Generator,
  situation: Situation,
  number: number,
  place: number,
  random: Random,
): SocialItem {
  const { story, question, options, answer, who, others, rules } = situation;
  const right = options[answer];
  if (right === undefined || new Set(options).size < options.length)
    throw new Error(
      `${name} drew a situation without one right option: ${story} ${question} ${options.join(" | ")}`,
    );
  const wrong = shuffled(
    options.filter((_, i) => i !== answer),
    random,
  );
  const told: Told = { story, question, options: [...wrong.slice(0, place), right, ...wrong.slice(place)] };
  const asYou = (one: string) => {
    const converted = toFirstPerson(told, one);
    if ("refused" in converted) throw new Error(`${name}: ${converted.refused}`);
    return converted;
  };
  const first = asYou(who);
  const shuffledOne = asYou(pick(random, others));
  const withRules = (one: Told) => (rules === undefined ? one : { ...one, rules });
  return {
    id: `${name}/${number + 1}`,
    scenario,
    generator: name,
    told: { third: withRules(told), first: withRules(first.told), shuffled: withRules(shuffledOne.told) },
    answer: place,
    lineage: { first: first.lineage, shuffled: shuffledOne.lineage },
  };
}
