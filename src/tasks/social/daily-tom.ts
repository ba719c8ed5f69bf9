// Daily Life, theory of mind: what one person thinks that another believes or sees. With that person as "you", each question
// is about somebody else's mind.

import { article, between, type Generator, names, pick, same, some, somebody } from "./generator.js";
import { rumour } from "./rumour.js";
import type { Told } from "./told.js";
import { drawTransfer, places, solveTransfer } from "./transfer.js";

const animals = "fox owl frog horse swan bear hare whale goat crab deer moth seal crow wolf lynx".split(" ");
const boards = "card sign plate poster tile screen flag slate banner placard".split(" ");
const turns = ["turned the BOARD around", "flipped the BOARD over", "gave the BOARD half a turn"] as const;

/** Two people see the two sides of one thing, which is turned a number of times; one of them may look elsewhere at the end. */
const sides: Generator = {
  name: "daily-tom/sides",
  scenario: "daily-tom",
  draw(random) {
    const [a, b] = some(random, names, 2) as [string, string];
    const [front, back, wall] = some(random, animals, 3) as [string, string, string];
    const board = pick(random, boards);
    const place = pick(random, places);
    const count = between(random, 0, 4);
    const swapped = random() < 0.5;
    const away = random() < 1 / 3;
    const onWall = `A drawing of ${article(wall)} hung on the wall.`;
    // The animal on the wall is named before or after the other two, so that its position in the story carries no
    // information.
    const early = random() < 1 / 2;
    const story = [
      `In the ${place} ${a} and ${b} sat face to face at a table, and upright on the table stood ${article(board)}.`,
      ...(early ? [onWall] : []),
      `The side towards ${a} showed ${article(front)}, the side towards ${b} showed ${article(back)}.`,
      ...(early ? [] : [onWall]),
      `Both had seen both sides of the ${board}.`,
      ...Array.from(
        { length: count },
        () => `Then ${pick(random, [a, b])} ${pick(random, turns).replace("BOARD", board)}.`,
      ),
      ...(swapped ? [`At last ${a} and ${b} changed seats, and the ${board} stayed as it was.`] : []),
      ...(away ? [`Now ${b} looks at nothing but the drawing on the wall, and ${a} notices it.`] : []),
    ].join(" ");
    return {
      about: [front, back, wall, count, swapped, away].join(" "),
      story,
      question: `Which animal does ${a} think that ${b} sees now?`,
      options: [front, back, wall].map(article),
      // At first b sees the back; every turn and the change of seats show the other side.
      answer: away ? 2 : (count + Number(swapped)) % 2 === 0 ? 1 : 0,
      who: a,
      others: [b],
    };
  },
  solve: solveSides,
};

function solveSides({ story, question, options }: Told): number {
  const at = new RegExp(
    `The side towards ${somebody} showed an? (\\w+), the side towards ${somebody} showed an? (\\w+)\\.`,
  ).exec(story);
  const wall = /A drawing of an? (\w+) hung/.exec(story)?.[1];
  const asked = new RegExp(`think that ${somebody} sees? now`).exec(question);
  if (!at || !asked || wall === undefined) return -1;
  if (/looks? at nothing but the drawing/.test(story)) return options.indexOf(article(wall));
  const turned = (story.match(/turned the \w+ around|flipped the \w+ over|gave the \w+ half a turn/g) ?? [])
    .length;
  const swapped = /changed seats/.test(story) ? 1 : 0;
  const own = same(asked[1]) === same(at[1]) ? at[2] : at[4];
  const other = own === at[2] ? at[4] : at[2];
  return options.indexOf(article(((turned + swapped) % 2 === 0 ? own : other) as string));
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
