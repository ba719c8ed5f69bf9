// Counterfactual situations: rock-paper-scissors with its rules reversed, and worlds with changed laws of nature. The
// well-known rule gives a wrong answer; the stated rule gives the right one.

import type { Random } from "../../core/random.js";
import { shuffled } from "../../core/random.js";
import { customs } from "./customs.js";
import { between, type Generator, names, pick, same, some, somebody } from "./generator.js";

/** Each beats the next by the usual rules, and the last beats the first. */
const cycles = [
  ["rock", "scissors", "paper"], ["water", "fire", "wood"], ["cat", "mouse", "elephant"], ["sun", "fog", "moon"],
  ["fox", "mayor", "hunter"], ["frog", "slug", "snake"], ["earwig", "giant", "baker"], ["bear", "ninja", "cowboy"],
  ["troll", "elf", "wizard"], ["spear", "horse", "bow"], ["knight", "thief", "king"], ["shark", "diver", "net"],
] as const; // biome-ignore format: a list

const usual = ([a, b, c]: readonly [string, string, string]) =>
  `By the usual rules ${a} beats ${b}, ${b} beats ${c} and ${c} beats ${a}. In this game the rules are reversed: ${b} beats ${a}, ${c} beats ${b} and ${a} beats ${c}. Equal choices win nothing.`;

/** 1 if the first choice wins by the reversed rules, -1 if it loses. */
function reversed(cycle: readonly string[], mine: string, theirs: string): number {
  const gap = (cycle.indexOf(theirs) - cycle.indexOf(mine) + 3) % 3;
  return gap === 0 ? 0 : gap === 1 ? -1 : 1;
}

const match: Generator = {
  name: "counterfactual/match",
  scenario: "counterfactual",
  draw(random) {
    const [who, other] = some(random, names, 2) as [string, string];
    const cycle = pick(random, cycles);
    const wanted = between(random, -1, 1);
    const rounds = pick(random, [1, 2, 2, 3, 3, 4, 4]);
    const play = (): [string, string][] =>
      Array.from({ length: rounds }, () => [pick(random, cycle), pick(random, cycle)]);
    const score = (moves: [string, string][]) =>
      Math.sign(moves.reduce((sum, [a, b]) => sum + reversed(cycle, a, b), 0));
    let moves = play();
    while (score(moves) !== wanted) moves = play();
    const ordinal = rounds === 1 ? ["Now"] : ["First", "Then", "After that", "At last"];
    const lines = moves.map(([a, b], i) => `${ordinal[i]} ${who} chooses ${a} and ${other} chooses ${b}.`);
    if (rounds > 1) lines.push("Whoever wins more rounds wins the match.");
    return {
      rules: usual(cycle),
      about: moves.map((both) => both.join(" ")).join(", "),
      story: lines.join(" "),
      question: rounds === 1 ? "Who wins?" : "Who wins the match?",
      options: [`${who} wins`, `${other} wins`, "nobody wins"],
      answer: wanted === 1 ? 0 : wanted === -1 ? 1 : 2,
      who,
      others: [other],
    };
  },
  solve({ rules = "", story, options }) {
    const cycle = cycleIn(rules);
    const moves = [
      ...story.matchAll(new RegExp(`${somebody} chooses? (\\w+) and ${somebody} chooses? (\\w+)\\.`, "g")),
    ];
    const first = same(moves[0]?.[1]);
    const sum = moves.reduce((total, [, , a, , b]) => total + reversed(cycle, a as string, b as string), 0);
    if (sum === 0) return options.indexOf("nobody wins");
    return options.findIndex((option) => {
      const winner = same(/^(\w+) wins?$/.exec(option)?.[1]);
      return option !== "nobody wins" && (winner === first) === sum > 0;
    });
  },
};

/** The usual cycle that the stated rules reverse, read from their text. */
function cycleIn(rules: string): string[] {
  const [, b, a, c] = /reversed: (\w+) beats (\w+), (\w+) beats/.exec(rules) ?? [];
  return [a ?? "", b ?? "", c ?? ""];
}

/** Which choice wins, loses or draws, now or in one round of several. */
const move: Generator = {
  name: "counterfactual/move",
  scenario: "counterfactual",
  draw(random) {
    const [who, other, third] = some(random, names, 3) as [string, string, string];
    const cycle = pick(random, cycles);
    const theirs = pick(random, cycle);
    const aim = pick(random, ["win", "lose", "draw"]);
    const right = cycle.find(
      (mine) => reversed(cycle, mine, theirs) === { win: 1, lose: -1, draw: 0 }[aim],
    ) as string;
    const [decoy, habit] = [pick(random, cycle), pick(random, cycle)];
    const reasons = {
      win: ["needs the point", "has a bet on it", "hates to come second"],
      lose: [`likes ${other} to win`, "has promised to be kind", "is tired of prizes"],
      draw: ["likes long games", "is fond of even scores", "has no need of a winner"],
    } as const;
    const clues = [
      `${other} always chooses ${theirs}.`,
      `${other} never lies and has said: "I choose ${theirs}."`,
      `${other} always repeats the choice of the round before, which was ${theirs}.`,
      `${other} has nothing left to choose but ${theirs}.`,
      `${other} has to choose ${theirs} by order of the referee.`,
    ];
    const clue = between(random, 0, clues.length - 1);
    const story = [
      `${who} plays against ${other}, and ${third} watches.`,
      `In the round before, ${who} chose ${habit}.`,
      `${third} would choose ${decoy}.`,
      clues[clue],
      `${who} ${pick(random, reasons[aim as keyof typeof reasons])} and wants to ${aim}.`,
    ].join(" ");
    const options = shuffled<string>(cycle, random);
    return {
      rules: usual(cycle),
      about: `${aim} against ${theirs}, ${cycle[0]}, ${clue}`,
      story,
      question: `What should ${who} choose?`,
      options,
      answer: options.indexOf(right),
      who,
      others: [other, third],
    };
  },
  solve({ rules = "", story, options }) {
    const cycle = cycleIn(rules);
    const theirs =
      /always chooses? (\w+)\./.exec(story)?.[1] ??
      /"I choose (\w+)\."/.exec(story)?.[1] ??
      /of the round before, which was (\w+)\./.exec(story)?.[1] ??
      /nothing left to choose but (\w+)\./.exec(story)?.[1] ??
      /to choose (\w+) by order/.exec(story)?.[1];
    const aim = /wants? to (win|lose|draw)\./.exec(story)?.[1];
    const value = aim === "win" ? 1 : aim === "lose" ? -1 : 0;
    return options.findIndex((mine) => reversed(cycle, mine, theirs ?? "") === value);
  },
};

interface Law {
  /** The changed law. */
  law: string;
  /** A sentence on what each person does, with the value that matters. */
  each: (who: string, thing: string, value: number) => string;
  things: readonly string[];
  low: number;
  high: number;
  /** Question endings for the one with the most and the one with the least, under the changed law. */
  most: string;
  least: string;
  /** True if a larger value gives more of it under the changed law. */
  rising: boolean;
}

const laws: readonly Law[] = [
  { law: "the heavier a thing is, the more slowly it falls", each: (who, thing, n) => `${who} dropped ${thing} of ${n} grams.`, things: ["a ball", "a shoe", "a stone", "a spoon", "a pear", "a brick"], low: 20, high: 900, most: "takes longest to reach the ground", least: "reaches the ground first", rising: true },
  { law: "the nearer a thing lies to a fire, the colder it becomes", each: (who, thing, n) => `${who} laid ${thing} ${n} centimetres from the fire.`, things: ["a glove", "a coin", "a plate", "a loaf", "a potato", "a key"], low: 10, high: 300, most: "becomes warmest", least: "becomes coldest", rising: true },
  { law: "the farther a sound has to travel, the louder it is heard", each: (who, thing, n) => `${who} rang ${thing} ${n} metres from the tower.`, things: ["a bell", "a gong", "a triangle", "a chime", "a cowbell", "a doorbell"], low: 5, high: 800, most: "is heard loudest at the tower", least: "is heard faintest at the tower", rising: true },
  { law: "the more light a plant gets, the smaller it grows", each: (who, thing, n) => `${who} gave ${thing} ${n} minutes of sun a day.`, things: ["a bean", "a fern", "a lily", "a cactus", "a tomato", "a tulip"], low: 15, high: 600, most: "grows tallest", least: "stays smallest", rising: false },
  { law: "the rougher the ground, the farther a sledge slides on it", each: (who, thing, n) => `${who} pushed ${thing} over ground of roughness ${n}.`, things: ["a toboggan", "a crate", "a tray", "a board", "a tub", "a sack"], low: 2, high: 90, most: "slides farthest", least: "stops first", rising: true },
  { law: "the older a thing is, the newer it looks", each: (who, thing, n) => `${who} brought ${thing} that was made ${n} months ago.`, things: ["a coat", "a chair", "a violin", "a lamp", "a hat", "a kettle"], low: 2, high: 400, most: "looks newest", least: "looks most worn", rising: true },
  { law: "the more one eats, the hungrier one becomes", each: (who, thing, n) => `${who} ate ${n} bites of ${thing}.`, things: ["a melon", "a pie", "a cheese", "a pizza", "a cake", "a salad"], low: 2, high: 60, most: "makes the eater hungriest", least: "makes the eater least hungry", rising: true },
  { law: "the larger a sign is, the closer one must stand to read it", each: (who, thing, n) => `${who} put up ${thing} ${n} centimetres wide.`, things: ["a map", "a notice", "a poster", "a banner", "a timetable", "a signboard"], low: 10, high: 500, most: "can be read from farthest away", least: "can be read only from nearest", rising: false },
  { law: "the more salt is stirred into water, the sweeter it tastes", each: (who, thing, n) => `${who} stirred ${n} pinches of salt into ${thing} of water.`, things: ["a jug", "a cup", "a bowl", "a bottle", "a flask", "a pan"], low: 2, high: 80, most: "tastes sweetest", least: "tastes least sweet", rising: true },
  { law: "the harder something is pulled, the shorter it becomes", each: (who, thing, n) => `${who} pulled ${thing} with the strength of ${n} people.`, things: ["a rope", "a cord", "a ribbon", "a belt", "a cable", "a string"], low: 2, high: 70, most: "is longest at the end", least: "is shortest at the end", rising: false },
  { law: "the hotter an oven is, the longer baking takes in it", each: (who, thing, n) => `${who} baked ${thing} at ${n} degrees.`, things: ["a roll", "a quiche", "a tart", "a flatbread", "a muffin", "a biscuit"], low: 90, high: 290, most: "takes longest", least: "is done first", rising: true },
  { law: "the more people carry a thing, the heavier it is for each", each: (who, thing, n) => `${who} carried ${thing} together with ${n} helpers.`, things: ["a beam", "a piano", "a trunk", "a sofa", "a ladder", "a statue"], low: 2, high: 40, most: "is heaviest for each carrier", least: "is lightest for each carrier", rising: true },
]; // biome-ignore format: one law a line

const aloud = [
  "On this planet",
  "In this country",
  "On this island",
  "Since the great storm",
  "In this valley",
  "In this story",
];

const physics: Generator = {
  name: "counterfactual/physics",
  scenario: "counterfactual",
  draw(random) {
    const people = some(random, names, 3) as [string, string, string];
    const law = pick(random, laws);
    const things = some(random, law.things, 3);
    const values = distinct(random, law.low, law.high);
    const most = random() < 0.5;
    const lines = people.map((who, i) => law.each(who, things[i] as string, values[i] as number));
    const extreme = most === law.rising ? Math.max(...values) : Math.min(...values);
    const right = values.indexOf(extreme);
    return {
      about: `${most ? law.most : law.least}: ${things[right]} of ${things.toSorted().join(", ")}`,
      story: `${pick(random, aloud)}, ${law.law}. ${lines.join(" ")}`,
      question: `Which of the three ${most ? law.most : law.least}?`,
      options: people.map((who, i) => `${who}'s ${(things[i] as string).replace(/^an? /, "")}`),
      answer: right,
      who: people[0],
      others: people.slice(1),
    };
  },
  solve({ story, question, options }) {
    const law = laws.find((one) => story.includes(one.law));
    if (!law) return -1;
    const most = question.includes(law.most);
    const values = options.map((option) => {
      const thing = option.replace(/^(?:[Mm]y|[A-Z]\w+'s) /, "");
      const sentence = story.split(/(?<=\.)\s/).find((line) => new RegExp(`\\ban? ${thing}\\b`).test(line));
      return Number(/\d+/.exec(sentence ?? "")?.[0]);
    });
    return values.indexOf(most === law.rising ? Math.max(...values) : Math.min(...values));
  },
};

function distinct(random: Random, low: number, high: number): number[] {
  const values = new Set<number>();
  while (values.size < 3) values.add(between(random, low, high));
  return [...values];
}

export const counterfactual: readonly Generator[] = [match, move, physics, customs];
