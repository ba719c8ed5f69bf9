// Daily Life, socialization: the protagonist's own feelings, choices and beliefs. With the protagonist as "you", each
// question is about oneself.

import { shuffled } from "../../core/random.js";
import { between, type Generator, listed, names, pick, some, somebody, unlisted } from "./generator.js";
import { happenings } from "./happenings.js";
import type { Told } from "./told.js";
import { drawTransfer, solveTransfer } from "./transfer.js";

const settings = [
  "after a long week at work", "on the first day of the holidays", "while packing for a journey", "over breakfast at home",
  "on a walk by the canal", "in the queue at the bakery", "during the lunch break", "on the way back from swimming",
  "at a friend's birthday", "in the waiting room", "while watering the garden", "late in the evening",
  "on a crowded train", "between two lessons", "while mending a bicycle", "on the balcony",
]; // biome-ignore format: a list

const news = [
  "from a text message", "from the radio", "from a note on the door", "from a passer-by",
  "over the telephone", "from the newspaper", "from the caretaker", "over the loudspeaker",
]; // biome-ignore format: a list

/** By hope or fear and whether the event came about (Ortony, Clore and Collins 1988, prospect-based emotions). */
const feelings = {
  hopeYes: "satisfied",
  hopeNo: "disappointed",
  fearYes: "downcast",
  fearNo: "relieved",
} as const;

const glosses =
  "To be satisfied is to get what was hoped for, to be disappointed is to miss it, to be downcast is to meet what was feared, to be relieved is to be spared it.";

const emotion: Generator = {
  name: "daily-self/emotion",
  scenario: "daily-self",
  draw(random) {
    const [who, other] = some(random, names, 2) as [string, string];
    const [would, did, not] = pick(random, happenings);
    const fear = random() < 0.5;
    const came = random() < 0.5;
    const attitude = fear
      ? pick(random, ["feared", "was afraid", "worried", "had feared for days"])
      : pick(random, ["hoped", "wished", "was hoping", "had hoped for days"]);
    const against = pick(random, [
      `${other} saw it quite differently.`,
      `${other} had no opinion on it.`,
      `${other} often talked about it.`,
      `${other} knew nothing about it.`,
    ]);
    return {
      rules: glosses,
      about: `${fear ? "fear" : "hope"}: ${came ? did : not}`,
      story: `${who} ${attitude} that ${would}. ${against} In the end ${came ? did : not}. ${who} learnt of it ${pick(random, news)}, ${pick(random, settings)}.`,
      question: `How does ${who} feel?`,
      options: Object.values(feelings).map((word) => `${who} is ${word}`),
      answer: (fear ? 2 : 0) + (came ? 0 : 1),
      who,
      others: [other],
    };
  },
  solve({ story, options }) {
    const fear = /\b(?:feared|afraid|worried)\b/.test(story);
    const known = happenings.find(([would]) => story.includes(` that ${would}.`));
    if (!known) return -1;
    const came = story.includes(`In the end ${known[1]}.`);
    const word = fear
      ? came
        ? feelings.fearYes
        : feelings.fearNo
      : came
        ? feelings.hopeYes
        : feelings.hopeNo;
    return options.findIndex((option) => option.endsWith(` ${word}`));
  },
};

/** Places to choose something, the kind of thing, and the choices. */
const wares = [
  ["At the café", "drinks", ["tea", "cocoa", "lemonade", "milk", "apple juice", "iced coffee"]],
  ["At the buffet", "desserts", ["rice pudding", "plum cake", "ice cream", "baked apples", "waffles", "jelly"]],
  ["At the youth club", "games", ["chess", "dominoes", "table tennis", "charades", "darts", "marbles"]],
  ["For the way to the lake", "vehicles", ["the tram", "the bicycle", "the ferry", "the bus", "the scooter", "the cable car"]],
  ["At the animal shelter", "pets", ["a tortoise", "a parrot", "a rabbit", "a cat", "a goldfish", "a hedgehog"]],
  ["In the garden", "jobs", ["digging", "pruning", "raking", "sowing", "watering", "weeding"]],
  ["In the reading room", "seats", ["the window seat", "the bench", "the armchair", "the stool", "the hammock", "the cushion"]],
  ["At the singing lesson", "songs", ["the ballad", "the lullaby", "the march", "the waltz", "the hymn", "the tango"]],
] as const; // biome-ignore format: a list

/** An order of preference, stated pair by pair and out of order; the favourite may not be available. */
const preference: Generator = {
  name: "daily-self/preference",
  scenario: "daily-self",
  draw(random) {
    const [who, other] = some(random, names, 2) as [string, string];
    const [where, kind, all] = pick(random, wares);
    const order = some(random, all, 4) as [string, string, string, string];
    // Stated from the better or from the worse one, so that the one named first is not always the better one.
    const prefers = (one: string, better: string, worse: string) =>
      random() < 0.5 ? `${one} prefers ${better} to ${worse}.` : `${one} likes ${worse} less than ${better}.`;
    const pairs = order.slice(1).map((worse, i) => prefers(who, order[i] as string, worse));
    const away = between(random, 0, 2);
    const missing = order.slice(0, away);
    const [better, worse] = some(random, order, 2) as [string, string];
    const lines = [
      `${where} there are ${missing.length === 0 ? "" : "usually "}four ${kind} to choose from: ${listed(shuffled(order, random))}.`,
      ...shuffled(
        [
          ...pairs,
          prefers(other, better, worse),
          missing.length === 0
            ? "All of them can be chosen today."
            : `Today ${listed(missing)} cannot be chosen.`,
        ],
        random,
      ),
      random() < 0.5 ? `${who} chooses freely.` : `${who} takes no notice of what ${other} likes.`,
    ];
    // The wrong options are ones that cannot be chosen or are liked less.
    const can = order.slice(away);
    const options = shuffled(
      [
        can[0] as string,
        ...some(
          random,
          order.filter((one) => one !== can[0]),
          2,
        ),
      ],
      random,
    );
    return {
      about: [...order, away].join("|"),
      story: lines.join(" "),
      question: `Which of these does ${who} choose?`,
      options,
      answer: options.indexOf(can[0] as string),
      who,
      others: [other],
    };
  },
  solve({ story, question, options }) {
    const who = new RegExp(`does? ${somebody} choose|do ${somebody} choose`).exec(question);
    const name = who?.[1] ?? who?.[2];
    if (name === undefined) return -1;
    const better = new Map<string, Set<string>>();
    const said = (better: string, worse: string) =>
      story.matchAll(new RegExp(`${somebody} ${better} (.+?) ${worse} (.+?)\\.`, "g"));
    const pairs = [
      ...[...said("prefers?", "to")].map(([, by, a, b]) => [by, a, b]),
      ...[...said("likes?", "less than")].map(([, by, b, a]) => [by, a, b]),
    ] as [string, string, string][];
    for (const [by, a, b] of pairs)
      if (by.toLowerCase() === name.toLowerCase()) better.set(a, (better.get(a) ?? new Set()).add(b));
    const gone = unlisted(/Today (.+?) cannot be chosen/.exec(story)?.[1] ?? "");
    const beats = (a: string, b: string): boolean =>
      [...(better.get(a) ?? [])].some((next) => next === b || beats(next, b));
    const can = options.filter((option) => !gone.includes(option));
    return options.indexOf(can.find((one) => can.every((rival) => rival === one || beats(one, rival))) ?? "");
  },
};

const ownBelief: Generator = {
  name: "daily-self/own belief",
  scenario: "daily-self",
  draw: (random) => drawTransfer(random, 1),
  solve: (told: Told) => solveTransfer(told),
};

export const dailySelf: readonly Generator[] = [emotion, preference, ownBelief];
