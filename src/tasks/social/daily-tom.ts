// Daily Life, theory of mind: what one person thinks that another believes or sees. Told to that one as "you", each is about
// the mind of somebody else.

import type { Random } from "../../core/random.js";
import { shuffled } from "../../core/random.js";
import {
  article,
  between,
  type Generator,
  listed,
  names,
  pick,
  type Situation,
  same,
  some,
  somebody,
  unlisted,
} from "./generator.js";
import { makeWorld, type World, type WorldEvent } from "./world.js";

const places =
  "workshop library kitchen garage greenhouse studio attic cellar office nursery laundry barn pantry gallery".split(
    " ",
  );
const things =
  "whistle passport lantern scarf compass teapot violin map candle ticket ladder umbrella helmet camera necklace hammer kite notebook".split(
    " ",
  );
const containers =
  "basket, tin, crate, drawer, chest, bucket, suitcase, cupboard, jar, barrel, backpack, envelope, locker, trunk".split(
    ", ",
  );

/** Something is moved while somebody is away, may be told of it or may come back. Drawn for both daily scenarios. */
export function drawTransfer(random: Random, order: 1 | 2): Situation {
  const [a, b, c] = some(random, names, 3) as [string, string, string];
  const place = pick(random, places);
  const thing = pick(random, things);
  const boxes = some(random, containers, 4);
  const [first, second, third] = boxes as [string, string, string];
  const lines: string[] = [];
  const world = makeWorld();
  const say = (line: string, ...happens: WorldEvent[]) => {
    lines.push(line);
    for (const event of happens) world.happen(event);
  };
  const everybody = [a, b, c];
  say(
    `${listed(everybody)} were in the ${place}.`,
    ...everybody.map((who): WorldEvent => ({ kind: "enter", who, room: place })),
  );
  say(
    `The ${thing} was in the ${first}, in full view of everybody.`,
    { kind: "stands", container: first, room: place },
    { kind: "placed", thing, container: first },
  );
  const leaves = pick(random, everybody);
  const stay = everybody.filter((one) => one !== leaves);
  const mover = pick(random, stay);
  const also = stay.find((one) => one !== mover) as string;
  const tell = (who: string, to: string) =>
    say(`${who} told ${to} on the phone, in private, where the ${thing} was.`, {
      kind: "tell",
      who,
      to: [to],
      thing,
    });
  say(`${leaves} left the ${place}.`, { kind: "exit", who: leaves });
  say(`${mover} moved the ${thing} to the ${second}.`, {
    kind: "move",
    who: mover,
    thing,
    container: second,
  });
  const course = between(random, 0, 4);
  if (course === 1)
    say(`${leaves} came back to the ${place} and saw where the ${thing} was.`, {
      kind: "enter",
      who: leaves,
      room: place,
    });
  if (course === 2) tell(pick(random, stay), leaves);
  if (course >= 3) {
    say(`${also} left the ${place} too.`, { kind: "exit", who: also });
    say(`${mover} moved the ${thing} to the ${third}.`, {
      kind: "move",
      who: mover,
      thing,
      container: third,
    });
    if (course === 4) tell(mover, pick(random, [leaves, also]));
  }
  say("Nobody else was told anything.");
  const [outer, inner] = some(random, everybody, 2) as [string, string];
  const question =
    order === 2
      ? `Where does ${outer} think that ${inner} will look for the ${thing}?`
      : `Where will ${outer} look for the ${thing}?`;
  return {
    story: lines.join(" "),
    question,
    options: boxes.slice(0, 3).map((box) => `the ${box}`),
    answer: boxes.indexOf(world.belief(order === 2 ? [outer, inner] : [outer], thing) as string),
    who: outer,
    others: everybody.filter((one) => one !== outer),
  };
}

/** The world after such a story. */
function tellTransfer(story: string): World {
  const world = makeWorld();
  let room = "";
  let people: string[] = [];
  const stands = (container: string) => world.happen({ kind: "stands", container, room });
  for (const line of story.split(/(?<=\.)\s/).map((one) => one.replace(/\.$/, ""))) {
    const found = (pattern: RegExp) => pattern.exec(line)?.slice(1) as string[] | undefined;
    const start = found(/^(.+) were in the (\w+)$/);
    const put = found(/^The (\w+) was in the (\w+), in full view of everybody$/);
    const left = found(new RegExp(`^${somebody} left the `));
    const moved = found(new RegExp(`^${somebody} moved the (\\w+) to the (\\w+)$`));
    const back = found(new RegExp(`^${somebody} came back to `));
    const told = found(
      new RegExp(`^${somebody} told ${somebody} on the phone, in private, where the (\\w+) was$`),
    );
    if (start) {
      [, room] = start as [string, string];
      people = unlisted(start[0] as string).map(same);
      for (const who of people) world.happen({ kind: "enter", who, room });
    } else if (put) {
      stands(put[1] as string);
      world.happen({ kind: "placed", thing: put[0] as string, container: put[1] as string });
    } else if (left) world.happen({ kind: "exit", who: same(left[0]) });
    else if (moved)
      world.happen({
        kind: "move",
        who: same(moved[0]),
        thing: moved[1] as string,
        container: moved[2] as string,
      });
    else if (back) world.happen({ kind: "enter", who: same(back[0]), room });
    else if (told)
      world.happen({ kind: "tell", who: same(told[0]), to: [same(told[1])], thing: told[2] as string });
  }
  return world;
}

/** Solves a transfer of either order from its words. */
export function solveTransfer({
  story,
  question,
  options,
}: {
  story: string;
  question: string;
  options: readonly string[];
}): number {
  const second = new RegExp(
    `^Where (?:does|do) ${somebody} think that ${somebody} will look for the (\\w+)\\?$`,
  ).exec(question);
  const first = new RegExp(`^Where will ${somebody} look for the (\\w+)\\?$`).exec(question);
  const world = tellTransfer(story);
  const place = second
    ? world.belief([same(second[1]), same(second[2])], second[3] as string)
    : first
      ? world.belief([same(first[1])], first[2] as string)
      : undefined;
  return options.indexOf(`the ${place}`);
}

const animals = "fox owl frog horse swan bear hare whale goat crab deer moth seal crow wolf lynx".split(" ");
const boards = "card sign plate poster tile banner lid kite screen flag".split(" ");
const turns = [
  "turned it around",
  "flipped it over",
  "spun it once, so that its sides changed places",
] as const;

/** Two people see the two sides of one thing, which is turned a number of times. */
const sides: Generator = {
  name: "daily-tom/sides",
  scenario: "daily-tom",
  draw(random) {
    const [a, b] = some(random, names, 2) as [string, string];
    const [front, back, never] = some(random, animals, 3) as [string, string, string];
    const board = pick(random, boards);
    const place = pick(random, places);
    const count = between(random, 0, 4);
    const swapped = random() < 0.5;
    const story = [
      `In the ${place} ${a} and ${b} sat face to face, with ${article(board)} upright between them.`,
      `On the side towards ${a} was ${article(front)}, on the side towards ${b} ${article(back)}.`,
      "Both knew both sides.",
      ...Array.from({ length: count }, () => `Then ${pick(random, [a, b])} ${pick(random, turns)}.`),
      ...(swapped ? [`At last ${a} and ${b} changed seats, and the ${board} stayed as it was.`] : []),
    ].join(" ");
    return {
      story,
      question: `Which animal does ${a} think that ${b} sees now?`,
      options: [front, back, never].map(article),
      // At first b sees the back; every turn and the change of seats show the other side.
      answer: (count + Number(swapped)) % 2 === 0 ? 1 : 0,
      who: a,
      others: [b],
    };
  },
  solve: solveSides,
};

function solveSides({
  story,
  question,
  options,
}: {
  story: string;
  question: string;
  options: readonly string[];
}): number {
  const at = new RegExp(
    `On the side towards ${somebody} was an? (\\w+), on the side towards ${somebody} an? (\\w+)\\.`,
  ).exec(story);
  const asked = new RegExp(`think that ${somebody} sees? now`).exec(question);
  if (!at || !asked) return -1;
  const turned = (story.match(/turned it around|flipped it over|spun it once/g) ?? []).length;
  const swapped = /changed seats/.test(story) ? 1 : 0;
  const own = same(asked[1]) === same(at[1]) ? at[2] : at[4];
  const other = own === at[2] ? at[4] : at[2];
  return options.indexOf(article(((turned + swapped) % 2 === 0 ? own : other) as string));
}

const matters = [
  ["the rehearsal", "on", ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]],
  ["the meeting point", "at", ["the bridge", "the fountain", "the bakery", "the station", "the museum"]],
  ["the colour of the party", "as", ["blue", "green", "red", "white", "yellow"]],
  ["the password of the club", "as", ["pepper", "marble", "river", "thunder", "velvet"]],
  ["the train home", "at", ["two o'clock", "three o'clock", "four o'clock", "five o'clock", "six o'clock"]],
  ["the gift for the teacher", "as", ["a plant", "a book", "a mug", "a painting", "a clock"]],
  ["the dish for the picnic", "as", ["soup", "salad", "pancakes", "dumplings", "a pie"]],
  ["the start of the race", "at", ["the lake", "the mill", "the chapel", "the forest gate", "the old pier"]],
] as const;

/** A plan is changed, and word of it goes from one to another, each time before witnesses or behind backs. */
const rumour: Generator = {
  name: "daily-tom/rumour",
  scenario: "daily-tom",
  draw(random) {
    const people = some(random, names, 4) as [string, string, string, string];
    const [matter, , values] = pick(random, matters);
    const [old, now, never] = some(random, values, 3) as [string, string, string];
    const [a, b, c, d] = people;
    const told = shuffled([b, c, d], random) as [string, string, string];
    const lines = [
      `${listed(people)} had agreed on ${matter}: ${old}.`,
      `Later ${a} changed it to ${now} and told ${told[0]} alone.`,
    ];
    // Groups that learnt of it together: each of a group knows it of the others.
    const groups: string[][] = [[a, told[0]]];
    const course = between(random, 0, 3);
    if (course <= 1) {
      lines.push(`Then ${told[0]} told ${told[1]} about the change, and ${a} was not there.`);
      groups.push([told[0], told[1]]);
    } else if (course === 2) {
      lines.push(`Then ${a} told ${told[1]} and ${told[2]} together about the change.`);
      groups.push([a, told[1], told[2]]);
    } else lines.push("The others had been away on a trip without a phone.");
    if (random() < 0.3) lines.push("Nobody else knew about any of these talks.");
    const [outer, inner] = some(random, people, 2) as [string, string];
    return {
      story: lines.join(" "),
      question: `What does ${outer} think that ${inner} believes about ${matter}?`,
      options: [old, now, never].map((value) => `It is ${value}`),
      answer: groups.some((group) => group.includes(outer) && group.includes(inner)) ? 1 : 0,
      who: outer,
      others: people.filter((one) => one !== outer),
    };
  },
  solve: solveRumour,
};

function solveRumour({
  story,
  question,
  options,
}: {
  story: string;
  question: string;
  options: readonly string[];
}): number {
  const asked = new RegExp(`(?:does|do) ${somebody} think that ${somebody} believes? about`).exec(question);
  const start = /^(.+?) had agreed on .+?: (.+?)\./.exec(story);
  const change = new RegExp(`Later ${somebody} changed it to (.+?) and told ${somebody} alone\\.`).exec(
    story,
  );
  if (!asked || !start || !change) return -1;
  const world = makeWorld();
  const everybody = unlisted(start[1] as string).map(same);
  world.happen({ kind: "placed", thing: "plan", container: start[2] as string });
  world.happen({ kind: "tell", who: everybody[0] as string, to: everybody.slice(1), thing: "plan" });
  world.happen({ kind: "placed", thing: "plan", container: change[2] as string });
  world.happen({ kind: "tell", who: same(change[1]), to: [same(change[3])], thing: "plan" });
  for (const found of story.matchAll(
    new RegExp(`Then ${somebody} told ${somebody}(?: and ${somebody} together)? about`, "g"),
  )) {
    const to = [found[2], found[3]].filter((one) => one !== undefined).map(same);
    world.happen({ kind: "tell", who: same(found[1]), to, thing: "plan" });
  }
  return options.indexOf(`It is ${world.belief([same(asked[1]), same(asked[2])], "plan")}`);
}

export const dailyTom: readonly Generator[] = [
  {
    name: "daily-tom/transfer",
    scenario: "daily-tom",
    draw: (random) => drawTransfer(random, 2),
    solve: solveTransfer,
  },
  sides,
  rumour,
];
