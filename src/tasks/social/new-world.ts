// New World: invented worlds, each with beings, colours, money, weeks and customs of its own that never change from one item to
// the next. What one feels, owns or does in such a world follows from its facts, not from ours.

import { type Random, randomFor, shuffled } from "../../core/random.js";
import { actionFor, type Custom, caseIn, customsList, fill, placeOf, ruleOf, tellCase } from "./customs.js";
import type { Told } from "./first-person.js";
import {
  article,
  between,
  type Generator,
  listed,
  names,
  pick,
  type Situation,
  some,
  unlisted,
} from "./generator.js";

/** Kinds of movement, and who moves so. Of every kind one being lives in a world, and nobody there knows the others. */
const movements = [
  ["swings both arms up and down", ["eagle", "butterfly", "bat", "heron", "moth"]],
  ["slides forward on the belly", ["snake", "seal", "slug", "otter", "worm"]],
  ["hops on both feet with knees bent", ["frog", "kangaroo", "hare", "cricket", "sparrow"]],
  ["walks sideways with bent fingers", ["crab", "spider", "beetle", "scorpion", "lizard"]],
  ["holds the nose high and stamps", ["elephant", "bull", "horse", "rhinoceros", "camel"]],
] as const;

const feelings = ["joy", "fear", "anger", "sorrow", "pride"] as const;
const colours = ["green", "violet", "orange", "silver", "brown"] as const;
const weathers = ["rain", "hail", "fog", "a north wind", "a red sun"] as const;
const goods = [
  ["pearl", "shell", "comb"], ["feather", "lamp", "brush"], ["bead", "rope", "bowl"], ["disc", "cloak", "spoon"], ["horn", "kite", "needle"],
] as const; // biome-ignore format: a list
const weeks = [
  ["Ama", "Bri", "Cul", "Dorn", "Elt"], ["Fira", "Golt", "Hesk", "Imra", "Jun"], ["Kest", "Lorn", "Mirr", "Nalt", "Opal"],
  ["Pirn", "Quell", "Rund", "Silt", "Torv"], ["Ulm", "Vesk", "Wirr", "Yort", "Zand"],
] as const; // biome-ignore format: a list

const lands = [
  ["Nerith", "an underwater city of robots"], ["Calder", "a town in the crown of one tree"], ["Osmia", "a hollow moon"],
  ["Veld", "a glacier with streets in it"], ["Tamsin", "a raft of a thousand boats"], ["Ruun", "a desert of glass"],
  ["Ilvar", "a cloud that carries houses"], ["Pomar", "an orchard without an end"], ["Skarn", "a mine that people live in"],
  ["Lethe", "a lake on the back of a giant"], ["Dovin", "a library as large as a land"], ["Harrow", "a road that never stops"],
  ["Mistral", "a city of windmills"], ["Korin", "a reef above the waves"], ["Bask", "a valley with two suns"],
] as const; // biome-ignore format: a list

export interface InventedWorld {
  name: string;
  what: string;
  /** The being of each kind of movement. */
  beings: readonly string[];
  /** Colour and weather of each feeling. */
  colour: readonly string[];
  weather: readonly string[];
  goods: readonly [string, string, string];
  /** So many of the second for one of the first, and so many of the third for one of the second. */
  rates: readonly [number, number];
  week: readonly string[];
  customs: readonly { custom: Custom; actions: readonly string[] }[];
}

/** The worlds, which are the same for every seed of items. Over all of them each being, colour and weather occurs equally often. */
export const worlds: readonly InventedWorld[] = lands.map(([name, what], i) => {
  const random = randomFor(0, "new-world", name);
  const turn = <T>(list: readonly T[], by: number): T[] =>
    list.map((_, k) => list[(k + by) % list.length] as T);
  const group = i % 5;
  return {
    name,
    what,
    beings: movements.map(([, beings], k) => beings[(i + k) % 5] as string),
    colour: turn(colours, i % 5),
    weather: turn(shuffled(weathers, randomFor(0, "weathers", Math.floor(i / 5))), group),
    goods: goods[group] as readonly [string, string, string],
    rates: [between(random, 2, 5), between(random, 2, 6)],
    week: shuffled(weeks[(i * 2) % 5] as readonly string[], random),
    customs: some(random, customsList, 4).map((custom) => ({
      custom,
      actions: shuffled(custom.actions, random),
    })),
  };
});

/** What a text says of a world, each fact by itself: to see that no two items disagree. */
export function factsOf(
  world: InventedWorld,
): Record<"beings" | "colours" | "weathers" | "money" | "week", string> & { customs: string[] } {
  const [first, second, third] = world.goods;
  return {
    beings: `The only creatures there, and the only ones that anybody has heard of, are ${listed(world.beings.map((being) => `the ${being}`))}.`,
    colours: `Whoever feels something takes on a colour: ${world.colour.map((colour, i) => `${colour} for ${feelings[i]}`).join(", ")}.`,
    weathers: `The weather decides what everybody feels: ${world.weather.map((weather, i) => `${weather} brings ${feelings[i]}`).join(", ")}.`,
    money: `A ${first} buys ${world.rates[0]} ${second}s, and a ${second} buys ${world.rates[1]} ${third}s; there is no other money.`,
    week: `The week has five days: ${listed(world.week)}, and then ${world.week[0]} again.`,
    customs: world.customs.map(
      ({ custom, actions }) => `By custom ${ruleOf(custom, actions).replace(/^O/, "o")}.`,
    ),
  };
}

type Part = Omit<Situation, "story" | "who" | "others"> & { facts: string[]; event: string };

/** An item in one world: the facts that are needed among others, in any order, and what happens. */
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
    "Nothing is in a hurry.",
  ]);
  return {
    ...rest,
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
  "without a word",
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
      const options = shuffled(
        [
          right,
          ...some(
            random,
            beings.filter((one) => one !== right),
            2,
          ),
        ],
        random,
      );
      return {
        facts: [factsOf(world).beings],
        event: `${who} ${movement} ${pick(random, doing)}, and ${other} looks on.`,
        question: `What is ${who} imitating?`,
        options: options.map((one) => article(one)),
        answer: options.indexOf(right),
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
      const sky = `There is ${world.weather[at]}`;
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
                `${sky} ${pick(random, skies)}, and ${other} looks at ${who}.`,
                `Which colour does ${who} have now?`,
                places.map((one) => world.colour[one] as string),
              ]
            : [
                [all.weathers],
                `${sky} ${pick(random, skies)}, as ${who} and ${other} can see.`,
                `What does ${who} feel?`,
                places.map((one) => `${who} feels ${feelings[one]}`),
              ];
      return { facts, event, question, options: texts, answer: places.indexOf(at) };
    }),
  solve({ story, question, options }) {
    const colour = new Map(
      [...story.matchAll(/(\w+) for (\w+)/g)].map(([, a, b]) => [a as string, b as string]),
    );
    const sky = new Map(
      [...story.matchAll(/(\w[\w ]*?) brings (\w+)/g)].map(([, a, b]) => [a as string, b as string]),
    );
    const turned = /\bturns? (\w+) /.exec(story)?.[1];
    const seen = /There is (.+?) (?:over|since|again|for|everywhere|all)\b/.exec(story)?.[1];
    const feeling = turned === undefined ? sky.get(seen ?? "") : colour.get(turned);
    if (/^What/.test(question)) return options.findIndex((option) => option.endsWith(` ${feeling}`));
    return options.findIndex((option) => colour.get(option) === feeling);
  },
};

const moods = [
  "all at once",
  "on the way to work",
  "while a letter is read out",
  "in the middle of a song",
  "after a word of the neighbour",
];
const skies = [
  "over the roofs",
  "since dawn",
  "again today",
  "for the third day",
  "everywhere",
  "all over the place",
];

const money: Generator = {
  name: "new-world/money",
  scenario: "new-world",
  draw: (random) =>
    inWorld(random, (world, who, other) => {
      const [first, second, third] = world.goods;
      const [a, b] = world.rates;
      const two = random() < 0.5;
      const bought = two ? third : second;
      // Three purchases like each other, of which one is told: their results are the options.
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
        event: `${who}, who has ${own} ${first}s, ${deed} and buys as many ${bought}s as can be had for all that is left.`,
        question: `How many ${bought}s does ${who} get?`,
        options: numbers.map(String),
        answer: numbers.indexOf(right),
      };
    }),
  solve({ story, question, options }) {
    const rates = /A (\w+) buys (\d+) (\w+)s, and a (\w+) buys (\d+) (\w+)s/.exec(story);
    const deed = /who (?:has|have) (\d+) \w+s, gives? (\d+|none)/.exec(story);
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
      const gap = pick(random, [2, 3, 4, 6, 7, 8, 9, 11]);
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
        event:
          `today is ${day(0)}, and ${other} asks ${who} about ${deed}, which ${back ? `was ${gap} days ago` : `is in ${gap} days`}.`.replace(
            /^today/,
            "today",
          ),
        question: `Which day does ${who} name?`,
        options,
        answer: options.indexOf(right),
      };
    }),
  solve({ story, options }) {
    const days = unlisted(/The week has five days: (.+?), and then/.exec(story)?.[1] ?? "");
    const today = /oday is (\w+),/.exec(story)?.[1] ?? "";
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
  "the visit of the aunt",
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
      return {
        facts: [factsOf(world).customs[world.customs.findIndex((one) => one.custom === custom)] as string],
        event: `Then it comes about. ${tellCase(random, custom, at, who, other)}`,
        question: fill(custom.ask, who, other),
        options,
        answer: options.indexOf(actions[at] as string),
      };
    }),
  solve({ story, options }: Told) {
    const found = caseIn(story.slice(story.indexOf("t comes about.") + 15));
    return found ? placeOf(options, actionFor(found.custom, found.at, story)) : -1;
  },
};

export const newWorld: readonly Generator[] = [imitation, mood, money, week, custom];
