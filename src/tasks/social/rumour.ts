// Stories in which a plan is changed, once or twice, and the news is passed on, each time behind somebody's back. A person who
// is told of a change knows that its maker and the teller know it; people who are told together know it of each other.

import { shuffled } from "../../core/random.js";
import { between, type Generator, listed, names, pick, same, some, somebody, unlisted } from "./generator.js";
import type { Told } from "./told.js";

const matters = [
  ["the day of the rehearsal", ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]],
  ["the meeting point", ["the bridge", "the fountain", "the bakery", "the station", "the museum"]],
  ["the colour of the costumes", ["blue", "green", "red", "white", "yellow"]],
  ["the password of the club", ["pepper", "marble", "river", "thunder", "velvet"]],
  ["the hour of the departure", ["two o'clock", "three o'clock", "four o'clock", "five o'clock", "six o'clock"]],
  ["the gift for the teacher", ["a plant", "a book", "a mug", "a painting", "a clock"]],
  ["the dish for the picnic", ["soup", "salad", "pancakes", "dumplings", "a pie"]],
  ["the start of the race", ["the lake", "the mill", "the chapel", "the forest gate", "the old pier"]],
] as const; // biome-ignore format: a list

/** A course of events after the first change: its sentences, and what one person thinks that another believes. */
interface Course {
  lines: string[];
  /** Pairs of people by index, and the plan that the first thinks the second believes in: 1 for the first change, 2 for the second. */
  knows: readonly (readonly [outer: number, inner: number, plan: 1 | 2])[];
  /** Pairs for which the story leaves it open. */
  open: readonly (readonly [outer: number, inner: number])[];
}

/** People in this order: the one who makes the change, the one who is told of it alone, and two others. */
function drawCourse(at: number, [a, b, c, d]: readonly string[], third: string): Course {
  const heard = [[0, 1, 1], [1, 0, 1]] as const; // biome-ignore format: pairs
  switch (at) {
    case 0:
    case 1:
      return {
        lines: [`Then ${b} told ${c} in private of the change that ${a} had made.`],
        knows: [...heard, [1, 2, 1], [2, 1, 1], [2, 0, 1]],
        open: [],
      };
    case 2:
      return {
        lines: [`Then ${a} told ${c} and ${d} together of the change, while ${b} was away.`],
        knows: [...heard, [0, 2, 1], [0, 3, 1], [2, 0, 1], [3, 0, 1], [2, 3, 1], [3, 2, 1]],
        open: [[2, 1], [3, 1]],
      }; // biome-ignore format: pairs
    case 3:
      return {
        lines: [`${c} and ${d} were away on a trip without a phone.`],
        knows: heard,
        open: [],
      };
    case 4:
      return {
        lines: [`Still later ${a} changed it again, to ${third}, and told ${c} alone.`],
        knows: [...heard, [0, 2, 2], [2, 0, 2]],
        open: [[2, 1]],
      };
    default:
      return {
        lines: [`Still later ${a} changed it again, to ${third}, and told ${b} alone.`],
        knows: [[0, 1, 2], [1, 0, 2]],
        open: [],
      }; // biome-ignore format: pairs
  }
}

export const rumour: Generator = {
  name: "daily-tom/rumour",
  scenario: "daily-tom",
  draw(random) {
    // The first plan, the second and the third are right equally often.
    const wanted = between(random, 0, 2);
    const [matter, values] = pick(random, matters);
    const plans = some(random, values, 3) as [string, string, string];
    const [old, now, third] = plans;
    const parts = some(random, names, 4);
    const people = shuffled(parts, random);
    for (;;) {
      const at = between(random, 0, 5);
      const { lines, knows, open } = drawCourse(at, parts, third);
      const [outer, inner] = some(random, [0, 1, 2, 3], 2) as [number, number];
      const same = ([a, b]: readonly number[]) => a === outer && b === inner;
      if (open.some(same) || (knows.find(same)?.[2] ?? 0) !== wanted) continue;
      // Every plan is named equally often, and is equally often named first and last.
      const [x, y, z] = shuffled(plans, random);
      return {
        about: [matter, ...plans, at, outer, inner].join("|"),
        story: [
          `${listed(people)} had to settle ${matter}: ${listed(shuffled(plans, random)).replace(" and ", " or ")}.`,
          `Everybody agreed on ${old}.`,
          ...(at < 4 ? [`Nobody ever spoke of ${third} again.`] : []),
          `Later ${parts[0]} changed it to ${now} and told ${parts[1]} alone.`,
          ...lines,
          "Nobody else heard of any of this.",
          `Neither ${x}, ${y} nor ${z} was ever put in writing.`,
        ].join(" "),
        question: `What does ${parts[outer]} think that ${parts[inner]} believes about ${matter}?`,
        options: plans.map((value) => `It is ${value}`),
        answer: wanted,
        who: parts[outer] as string,
        others: people.filter((one) => one !== parts[outer]),
      };
    }
  },
  solve: solveRumour,
};

/**
 * Solves from the words: in each talk all participants share the plan, and those who are told also share it with the
 * maker of the change.
 */
function solveRumour({ story, question, options }: Told): number {
  const asked = new RegExp(`(?:does|do) ${somebody} think that ${somebody} believes? about`).exec(question);
  const start = /Everybody agreed on (.+?)\./.exec(story)?.[1];
  if (!asked || start === undefined) return -1;
  const pair = (outer: string, inner: string) => `${outer} ${inner}`;
  const shared = new Map<string, string>();
  let maker = "";
  let plan = start;
  const talk = (teller: string, told: readonly string[]) => {
    const group = [teller, ...told];
    for (const one of group) for (const other of group) shared.set(pair(one, other), plan);
    for (const one of told) shared.set(pair(one, maker), plan);
  };
  for (const line of story.split(/(?<=\.)\s/)) {
    const change = new RegExp(
      `${somebody} changed it (?:again, )?to (.+?),? and told ${somebody} alone`,
    ).exec(line);
    const word = new RegExp(`Then ${somebody} told (.+?) (?:in private|together) of the change`).exec(line);
    if (change) {
      maker = same(change[1]);
      plan = change[2] as string;
      talk(maker, [same(change[3])]);
    } else if (word) talk(same(word[1]), unlisted(word[2] as string).map(same));
  }
  return options.indexOf(`It is ${shared.get(pair(same(asked[1]), same(asked[2]))) ?? start}`);
}
