// Stories in which something is moved while somebody is away, who may be told of it or come back. Drawn for both daily
// scenarios: where one will look (one's own belief), and where one thinks that another will look (the other's).

import type { Random } from "../../core/random.js";
import { shuffled } from "../../core/random.js";
import {
  article,
  between,
  listed,
  names,
  pick,
  type Situation,
  same,
  some,
  somebody,
  unlisted,
} from "./generator.js";
import type { Told } from "./told.js";
import { makeWorld, type World, type WorldEvent } from "./world.js";

export const places =
  "workshop library kitchen garage greenhouse studio attic cellar office nursery laundry barn pantry gallery".split(
    " ",
  );
const things =
  "whistle passport scarf compass map candle ticket torch camera necklace hammer notebook key glove postcard watch ring thermometer".split(
    " ",
  );
const containers =
  "basket tin crate drawer chest bucket suitcase cupboard box barrel backpack locker trunk bag".split(" ");

export function drawTransfer(random: Random, order: 1 | 2): Situation {
  // Each of the three places is right equally often, so that its role in the story does not predict the answer.
  const wanted = between(random, 0, 2);
  for (;;) {
    const everybody = some(random, names, 3);
    const place = pick(random, places);
    const [thing, other] = some(random, things, 2) as [string, string];
    const boxes = some(random, containers, 3) as [string, string, string];
    const [first, second, third] = boxes;
    const people = shuffled(everybody, random) as [string, string, string];
    const [leaves, mover, also] = people;
    const course = between(random, 0, 4);
    const told =
      course === 2
        ? { who: leaves, by: pick(random, [mover, also]) }
        : course === 4
          ? { who: pick(random, [leaves, also]), by: mover }
          : undefined;
    const lines: string[] = [];
    const world = makeWorld();
    const say = (line: string, ...happens: WorldEvent[]) => {
      lines.push(line);
      for (const event of happens) world.happen(event);
    };
    const move = (to: string) =>
      say(`${mover} moved the ${thing} to the ${to}.`, { kind: "move", who: mover, thing, container: to });
    say(
      `${listed(everybody)} were in the ${place}.`,
      ...everybody.map((who): WorldEvent => ({ kind: "enter", who, room: place })),
    );
    // Every place is named first, last and in total equally often: another thing is in the one that would be named less.
    lines.push(`There were also ${listed(shuffled(boxes, random).map(article))}.`);
    const seen = shuffled(
      [
        `the ${thing} was in the ${first}`,
        `the ${other} was in the ${course >= 3 ? pick(random, [second, third]) : third}`,
      ],
      random,
    );
    say(
      `Everybody saw that ${seen.join(" and that ")}.`,
      { kind: "stands", container: first, room: place },
      { kind: "placed", thing, container: first },
    );
    say(`${leaves} left the ${place}.`, { kind: "exit", who: leaves });
    move(second);
    if (course === 1)
      say(`${leaves} came back to the ${place} and saw where the ${thing} was.`, {
        kind: "enter",
        who: leaves,
        room: place,
      });
    if (course >= 3) {
      say(`${also} left the ${place} as well.`, { kind: "exit", who: also });
      move(third);
    }
    if (told)
      say(`${told.by} told ${told.who} on the phone, in private, where the ${thing} was.`, {
        kind: "tell",
        who: told.by,
        to: [told.who],
        thing,
      });
    lines.push(told ? "Nobody else was told anything." : "Nobody was told anything.");
    const [x, y, z] = shuffled(boxes, random) as [string, string, string];
    lines.push(`After that nobody touched the ${x}, the ${y} or the ${z}.`);
    const [outer, inner] = some(random, people, 2) as [string, string];
    const chain = order === 2 ? [outer, inner] : [outer];
    const answer = boxes.indexOf(world.belief(chain, thing) as string);
    // A person who is told where the thing is knows that the teller knows it. Whether anybody else does is left open, and is
    // not asked.
    const open = order === 2 && told?.who === outer && told.by !== inner;
    if (answer !== wanted || open) continue;
    const parts = [outer, inner, told?.who, told?.by].map((who) => people.indexOf(who as string));
    return {
      about: [thing, ...boxes, course, ...parts.slice(0, order), ...parts.slice(2)].join(" "),
      story: lines.join(" "),
      question:
        order === 2
          ? `Where does ${outer} think that ${inner} will look for the ${thing}?`
          : `Where will ${outer} look for the ${thing}?`,
      options: boxes.map((box) => `the ${box}`),
      answer,
      who: outer,
      others: everybody.filter((one) => one !== outer),
    };
  }
}

/** The world after such a story. */
function tellTransfer(story: string): World {
  const world = makeWorld();
  let room = "";
  for (const line of story.split(/(?<=\.)\s/).map((one) => one.replace(/\.$/, ""))) {
    const found = (pattern: RegExp) => pattern.exec(line)?.slice(1) as string[] | undefined;
    const start = found(/^(.+) were in the (\w+)$/);
    const left = found(new RegExp(`^${somebody} left the `));
    const moved = found(new RegExp(`^${somebody} moved the (\\w+) to the (\\w+)$`));
    const back = found(new RegExp(`^${somebody} came back to `));
    const told = found(
      new RegExp(`^${somebody} told ${somebody} on the phone, in private, where the (\\w+) was$`),
    );
    if (start) {
      [, room] = start as [string, string];
      for (const who of unlisted(start[0] as string)) world.happen({ kind: "enter", who: same(who), room });
    } else if (line.startsWith("Everybody saw that "))
      for (const [, thing, container] of line.matchAll(/the (\w+) was in the (\w+)/g)) {
        world.happen({ kind: "stands", container: container as string, room });
        world.happen({ kind: "placed", thing: thing as string, container: container as string });
      }
    else if (left) world.happen({ kind: "exit", who: same(left[0]) });
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
export function solveTransfer({ story, question, options }: Told): number {
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
