// Daily Life, socialization: the protagonist's own feelings, choices and beliefs. Told to that one as "you", each is about
// oneself.

import { shuffled } from "../../core/random.js";
import { drawTransfer, solveTransfer } from "./daily-tom.js";
import type { Told } from "./first-person.js";
import { between, type Generator, listed, names, pick, some, somebody, unlisted } from "./generator.js";

/** What may happen, as it is hoped or feared, and as it comes true or fails to. */
const happenings = [
  ["the match would be cancelled", "the match was cancelled", "the match took place"],
  ["it would snow on Saturday", "it snowed on Saturday", "Saturday was dry and mild"],
  ["the aunt would come to stay", "the aunt came to stay", "the aunt stayed at home"],
  [
    "the school play would be on television",
    "the school play was on television",
    "no camera was at the school play",
  ],
  ["the old oak would be felled", "the old oak was felled", "the old oak was left standing"],
  [
    "the shop on the corner would close",
    "the shop on the corner closed",
    "the shop on the corner stayed open",
  ],
  ["the trip would go to the mountains", "the trip went to the mountains", "the trip went somewhere else"],
  [
    "the teacher would read the essay aloud",
    "the teacher read the essay aloud",
    "the teacher handed the essay back unread",
  ],
  ["the neighbours would move away", "the neighbours moved away", "the neighbours renewed their lease"],
  ["the power would fail at night", "the power failed at night", "the lights burned all night"],
  ["a stranger would take the free seat", "a stranger took the free seat", "the seat stayed free"],
  ["the cousin would bring the drums", "the cousin brought the drums", "the cousin left the drums behind"],
  ["the concert would be moved indoors", "the concert was moved indoors", "the concert stayed in the park"],
  ["the bus would be late", "the bus was late", "the bus was on time"],
  ["the team would get a new coach", "the team got a new coach", "the team kept its coach"],
  ["the river would freeze", "the river froze", "the river flowed as ever"],
  ["the letter would be lost in the post", "the letter was lost in the post", "the letter arrived"],
  ["the dentist would call", "the dentist called", "no call came from the dentist"],
  ["the class would be split in two", "the class was split in two", "the class stayed together"],
  ["the painting would be sold", "the painting was sold", "nobody bought the painting"],
  ["the choir would sing in Latin", "the choir sang in Latin", "the choir sang in English"],
  ["the dog would find the way home", "the dog found the way home", "the dog was fetched by car"],
  ["the ferry would run on the holiday", "the ferry ran on the holiday", "the ferry stayed in port"],
  ["the cake would be all eaten", "the cake was all eaten", "half the cake was left over"],
  ["the meeting would last until night", "the meeting lasted until night", "the meeting ended at noon"],
  [
    "the path through the field would be shut",
    "the path through the field was shut",
    "the path through the field stayed open",
  ],
  [
    "the job would go to somebody from abroad",
    "the job went to somebody from abroad",
    "the job went to somebody from town",
  ],
  ["the tent would have to be shared", "the tent had to be shared", "there was a tent for everybody"],
] as const;

const settings = [
  "after a long week at work", "on the first day of the holidays", "while packing for a journey", "over breakfast at home",
  "on a walk by the canal", "in the queue at the bakery", "during the lunch break", "on the way back from swimming",
  "at a friend's birthday", "in the waiting room", "while watering the garden", "late in the evening",
  "on a crowded train", "between two lessons", "while mending a bicycle", "on the balcony",
]; // biome-ignore format: a list

const news = [
  "by a text message",
  "from the radio",
  "from a note on the door",
  "from a passer-by",
  "by telephone",
  "in the newspaper",
  "from the caretaker",
  "over the loudspeaker",
];

/** By hope or fear and whether it came about (Ortony, Clore and Collins 1988, prospect-based emotions). */
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
      ? pick(random, ["feared", "was afraid", "dreaded"])
      : pick(random, ["hoped", "wished", "longed"]);
    const clause =
      attitude === "dreaded" || attitude === "longed"
        ? `${attitude} so much, and for days, that ${would}`
        : `${attitude} that ${would}`;
    const against = pick(random, [
      `${other} thought quite otherwise about it.`,
      `${other} had no opinion on it.`,
      `${other} had often talked about it.`,
      `${other} was told nothing of it.`,
    ]);
    return {
      rules: glosses,
      story: `${who} ${clause}. ${against} Then, ${pick(random, settings)}, ${who} heard ${pick(random, news)}: ${came ? did : not}.`,
      question: `What does ${who} feel?`,
      options: Object.values(feelings).map((word) => `${who} is ${word}`),
      answer: (fear ? 2 : 0) + (came ? 0 : 1),
      who,
      others: [other],
    };
  },
  solve({ story, options }) {
    const fear = /\b(?:feared|afraid|dreaded)\b/.test(story);
    const known = happenings.find(([would]) => story.includes(would));
    if (!known) return -1;
    const came = story.endsWith(`${known[1]}.`);
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

const wares = [
  ["drinks", ["tea", "cocoa", "lemonade", "milk", "apple juice", "iced coffee"]],
  ["desserts", ["rice pudding", "plum cake", "ice cream", "baked apples", "waffles", "jelly"]],
  ["games", ["chess", "dominoes", "table tennis", "charades", "darts", "marbles"]],
  ["ways to travel", ["the tram", "the bicycle", "the ferry", "the bus", "the scooter", "the night train"]],
  ["pets", ["a tortoise", "a parrot", "a rabbit", "a cat", "a goldfish", "a hedgehog"]],
  ["jobs in the garden", ["digging", "pruning", "raking", "sowing", "watering", "weeding"]],
  ["seats", ["the window seat", "the bench", "the armchair", "the stool", "the hammock", "the cushion"]],
  ["songs", ["the ballad", "the lullaby", "the march", "the waltz", "the hymn", "the tango"]],
] as const;

/** An order of liking, told pair by pair and out of order; what is liked best may not be there. */
const preference: Generator = {
  name: "daily-self/preference",
  scenario: "daily-self",
  draw(random) {
    const [who, other] = some(random, names, 2) as [string, string];
    const [kind, all] = pick(random, wares);
    const order = some(random, all, 4) as [string, string, string, string];
    const pairs = order.slice(1).map((worse, i) => `${who} prefers ${order[i]} to ${worse}.`);
    const away = between(random, 0, 2);
    const missing = order.slice(0, away);
    const theirs = some(random, order, 2);
    const lines = [
      `There are several ${kind} to choose from ${pick(random, settings)}.`,
      ...shuffled([...pairs, `${other} prefers ${theirs[0]} to ${theirs[1]}.`], random),
      missing.length === 0 ? "All of them can be had today." : `Today ${listed(missing)} cannot be had.`,
      random() < 0.5 ? `${who} chooses freely.` : `${who} takes no notice of what ${other} says.`,
    ];
    // Among the options stands one that cannot be had, or another that is liked less.
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
    for (const [, by, a, b] of story.matchAll(new RegExp(`${somebody} prefers? (.+?) to (.+?)\\.`, "g"))) {
      if ((by as string).toLowerCase() !== name.toLowerCase()) continue;
      better.set(a as string, (better.get(a as string) ?? new Set()).add(b as string));
    }
    const gone = unlisted(/Today (.+?) cannot be had/.exec(story)?.[1] ?? "");
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
