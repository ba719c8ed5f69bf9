// New World: what somebody feels, owns, imitates or does in an invented world, where the answer follows from the world's facts,
// not from ours.

import { type Random, shuffled } from "../../core/random.js";
import { actionFor, caseIn, fill, placeOf, situationOf } from "./customs.js";
import {
  article,
  between,
  type Generator,
  names,
  pick,
  type Situation,
  some,
  unlisted,
} from "./generator.js";
import type { Told } from "./told.js";
import { factsOf, feelings, type InventedWorld, movements, worlds } from "./worlds.js";

/** What differs between kinds: the facts that are needed, the event, and the content within the world. */
type Part = Omit<Situation, "story" | "who" | "others"> & { facts: string[]; event: string };

/** An item in one world: the needed facts among others, in any order, and the event. */
function inWorld(
  random: Random,
  make: (world: InventedWorld, who: string, other: string) => Part,
): Situation {
  const world = pick(random, worlds);
  const [who, other] = some(random, names, 2) as [string, string];
  const { facts, event, ...rest } = make(world, who, other);
  const all = factsOf(world);
  const spare = [all.beings, all.colours, all.weathers, all.money, all.week].filter(
    (fact) => !facts.includes(fact),
  );
  const stated = shuffled([...facts, ...some(random, spare, between(random, 1, 2))], random);
  const at = pick(random, [
    "It is a day like any other.",
    "It is late in the day.",
    "The streets are full.",
    "The streets are empty.",
    "It is a quiet hour.",
    "Nobody is in a hurry.",
  ]);
  return {
    ...rest,
    about: `${world.name}: ${rest.about}`,
    rules: `${world.name} is ${world.what}.`,
    story: `${who} and ${other} live in ${world.name} and know no other place. ${stated.join(" ")} ${at} ${event}`,
    who,
    others: [other],
  };
}

const doing = [
  "in a game",
  "for fun",
  "on the market square",
  "to make the others guess",
  "after supper",
  "in front of a mirror",
];

const imitation: Generator = {
  name: "new-world/imitation",
  scenario: "new-world",
  draw: (random) =>
    inWorld(random, (world, who, other) => {
      const kind = Math.floor(random() * movements.length);
      const [movement, beings] = movements[kind] as (typeof movements)[number];
      const right = world.beings[kind] as string;
      const unknown = some(
        random,
        beings.filter((one) => one !== right),
        2,
      );
      const options = [right, ...unknown];
      // The others are named too, so that an option in the story is no more often right than one that is not.
      const nobody = shuffled(
        [
          `Nobody there has ever heard of the ${unknown[0]}.`,
          `The ${unknown[1]} lives in other worlds only.`,
        ],
        random,
      );
      return {
        about: right,
        facts: [factsOf(world).beings, ...nobody],
        event: `${who} ${movement} ${pick(random, doing)}, and ${other} looks on.`,
        question: `What is ${who} imitating?`,
        options: options.map((one) => article(one)),
        answer: 0,
      };
    }),
  solve({ story, options }) {
    const known = unlisted(/heard of, are (.+?)\./.exec(story)?.[1] ?? "").map((one) =>
      one.replace(/^the /, ""),
    );
    return options.findIndex((option) => known.includes(option.replace(/^an? /, "")));
  },
};

const mood: Generator = {
  name: "new-world/mood",
  scenario: "new-world",
  draw: (random) =>
    inWorld(random, (world, who, other) => {
      const all = factsOf(world);
      const at = Math.floor(random() * 5);
      const away = some(
        random,
        [0, 1, 2, 3, 4].filter((one) => one !== at),
        2,
      );
      const places = shuffled([at, ...away], random);
      const what = between(random, 0, 2);
      const sky = pick(random, skies).replace("W", world.weather[at] as string);
      const [facts, event, question, texts]: [string[], string, string, string[]] =
        what === 0
          ? [
              [all.colours],
              `${who} turns ${world.colour[at]} ${pick(random, moods)}.`,
              `What does ${who} feel?`,
              places.map((one) => `${who} feels ${feelings[one]}`),
            ]
          : what === 1
            ? [
                [all.colours, all.weathers],
                `${sky}, and ${other} looks at ${who}.`,
                `What colour is ${who} now?`,
                places.map((one) => world.colour[one] as string),
              ]
            : [
                [all.weathers],
                `${sky}, as ${who} and ${other} can see.`,
                `What does ${who} feel?`,
                places.map((one) => `${who} feels ${feelings[one]}`),
              ];
      return {
        about: `${what} ${feelings[at]}`,
        facts,
        event,
        question,
        options: texts,
        answer: places.indexOf(at),
      };
    }),
  solve({ story, question, options }) {
    const colour = new Map(
      [...story.matchAll(/(\w+) for (\w+)/g)].map(([, a, b]) => [a as string, b as string]),
    );
    const sky = new Map(
      [...story.matchAll(/(\w[\w ]*?) brings (\w+)/g)].map(([, a, b]) => [a as string, b as string]),
    );
    const turned = /\bturns? (\w+) /.exec(story)?.[1];
    const seen = /There (?:is|has been) (.+?) (?:over|since|again|for|everywhere)\b/.exec(story)?.[1];
    const feeling = turned === undefined ? sky.get(seen ?? "") : colour.get(turned);
    if (!question.startsWith("What colour"))
      return options.findIndex((option) => option.endsWith(` ${feeling}`));
    return options.findIndex((option) => colour.get(option) === feeling);
  },
};

const moods = [
  "all at once",
  "on the way to work",
  "while a letter is read out",
  "in the middle of a song",
  "after a word from the neighbour",
];
const skies = ["There is W over the roofs", "There has been W since dawn", "There is W again today", "There has been W for three days", "There is W everywhere"]; // biome-ignore format: a list

const money: Generator = {
  name: "new-world/money",
  scenario: "new-world",
  draw: (random) =>
    inWorld(random, (world, who, other) => {
      const [first, second, third] = world.goods;
      const [a, b] = world.rates;
      const two = random() < 0.5;
      const bought = two ? third : second;
      // Three similar purchases, of which one is told; their results are the options.
      const purchases = new Map<number, [own: number, spent: number]>();
      while (purchases.size < 3) {
        const [own, spent] = [between(random, 2, 9), between(random, 0, 3)];
        if (own > spent) purchases.set((own - spent) * a * (two ? b : 1), [own, spent]);
      }
      const numbers = shuffled([...purchases.keys()], random);
      const right = pick(random, numbers);
      const [own, spent] = purchases.get(right) as [number, number];
      const deed = spent > 0 ? `gives ${spent} of them to ${other}` : `gives none of them to ${other}`;
      return {
        facts: [factsOf(world).money],
        about: `${own - spent} ${bought}s`,
        event: `${who} has ${own} ${first}s, ${deed} and buys as many ${bought}s as can be had for the rest.`,
        question: `How many ${bought}s does ${who} get?`,
        options: numbers.map(String),
        answer: numbers.indexOf(right),
      };
    }),
  solve({ story, question, options }) {
    const rates = /A (\w+) buys (\d+) (\w+)s, and a (\w+) buys (\d+) (\w+)s/.exec(story);
    const deed = / (?:has|have) (\d+) \w+s, gives? (\d+|none)/.exec(story);
    const asked = /^How many (\w+)s /.exec(question)?.[1];
    if (!rates || !deed) return -1;
    const left = Number(deed[1]) - (deed[2] === "none" ? 0 : Number(deed[2]));
    const seconds = left * Number(rates[2]);
    return options.indexOf(String(asked === rates[3] ? seconds : seconds * Number(rates[5])));
  },
};

const week: Generator = {
  name: "new-world/week",
  scenario: "new-world",
  draw: (random) =>
    inWorld(random, (world, who, other) => {
      const today = between(random, 0, 4);
      const gap = between(random, 2, 11);
      const back = random() < 0.5;
      const day = (offset: number) => world.week[(((today + offset) % 5) + 5) % 5] as string;
      const right = day(back ? -gap : gap);
      const options = shuffled(
        [
          right,
          ...some(
            random,
            world.week.filter((one) => one !== right),
            2,
          ),
        ],
        random,
      );
      const deed = pick(random, deeds);
      return {
        facts: [factsOf(world).week],
        about: `${day(0)} ${back ? -gap : gap}`,
        event: `Today is ${day(0)}, and ${other} asks ${who} about ${deed}, which ${back ? `was ${gap} days ago` : `is in ${gap} days`}.`,
        question: `Which day does ${who} name?`,
        options,
        answer: options.indexOf(right),
      };
    }),
  solve({ story, options }) {
    const days = unlisted(/The week has five days: (.+?), and then/.exec(story)?.[1] ?? "");
    const today = /Today is (\w+),/.exec(story)?.[1] ?? "";
    const gap = /was (\d+) days ago/.exec(story)?.[1];
    const ahead = /is in (\d+) days/.exec(story)?.[1];
    const place = days.indexOf(today) + (gap === undefined ? Number(ahead) : -Number(gap));
    return options.indexOf(days[((place % 5) + 5) % 5] ?? "");
  },
};

const deeds = [
  "the great race",
  "the washing",
  "the concert",
  "the visit from the mayor",
  "the feast",
  "the test",
  "the departure",
  "the first swim",
  "the moon dance",
];

const custom: Generator = {
  name: "new-world/custom",
  scenario: "new-world",
  draw: (random) =>
    inWorld(random, (world, who, other) => {
      const { custom, actions } = pick(random, world.customs);
      const at = between(random, 0, 2);
      const options = shuffled(actions, random);
      const happens = situationOf(random, custom, at);
      return {
        about: happens,
        facts: [factsOf(world).customs[world.customs.findIndex((one) => one.custom === custom)] as string],
        event: `Then this happens. ${fill(happens, who, other)}`,
        question: fill(custom.ask, who, other),
        options,
        answer: options.indexOf(actions[at] as string),
      };
    }),
  solve({ story, options }: Told) {
    const found = caseIn(story.slice(story.indexOf("Then this happens.") + 18));
    return found ? placeOf(options, actionFor(found.custom, found.at, story)) : -1;
  },
};

export const newWorld: readonly Generator[] = [imitation, mood, money, week, custom];
