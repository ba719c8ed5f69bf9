// Number Guessing as single situations: which number will the other player name next? The other plays one of the three levels
// that EgoSocialArena publishes (constant; a fixed step down; 0.8 times the mean of both players' last numbers, rounded down).

import { type Random, shuffled } from "../../core/random.js";
import { between, type Generator, names, pick, same, some, somebody } from "./generator.js";

const rules =
  "In every round two players each name a whole number from 1 to 100. One of them plays by one of three rules: the same number every time; the number before less a fixed step; or 0.8 times the mean of both players' numbers of the round before, rounded down.";

/** What each rule predicts for the next round; undefined if the history contradicts it. */
function nexts(own: readonly number[], other: readonly number[]): (number | undefined)[] {
  const last = other.length - 1;
  const step = (other[0] as number) - (other[1] as number);
  const blend = (i: number) => Math.floor((8 * ((own[i] as number) + (other[i] as number))) / 20);
  const all = (holds: (i: number) => boolean) => other.every((_, i) => i === 0 || holds(i));
  return [
    all((i) => other[i] === other[i - 1]) ? other[last] : undefined,
    step > 0 && all((i) => (other[i - 1] as number) - (other[i] as number) === step)
      ? (other[last] as number) - step
      : undefined,
    all((i) => other[i] === blend(i - 1)) ? blend(last) : undefined,
  ];
}

export const guessing: Generator = {
  name: "number-guessing/next",
  scenario: "number-guessing",
  draw(random: Random) {
    // The options are equally spaced, and each is equally often right, both by value and by rank. Redrawing below must not change
    // that.
    const apart = pick(random, [1, 2, 3, 5, 8]);
    const start = between(random, 12, 52 - 3 * apart);
    const numbers = [0, 1, 2, 3].map((rank) => start + rank * apart);
    const target = pick(random, numbers);
    const wrong = numbers.filter((number) => number !== target);
    // The constant player is drawn less often, since it names the right number in every round.
    const level = pick(random, [0, 0, 1, 1, 1, 2, 2, 2]);
    const rounds = between(random, 6, 7);
    for (;;) {
      const [who, other] = some(random, names, 2) as [string, string];
      // The guesser names all of the options, and a wrong one twice, so that having been named carries no information.
      const twice = pick(random, wrong);
      const named = level === 0 ? wrong : [...numbers, twice];
      const fill = Array.from({ length: rounds - 5 - Number(level > 0) }, () => between(random, 5, 95));
      const mixed = shuffled([...named, ...fill], random);
      const own = level === 0 ? [twice, ...mixed, pick(random, wrong)] : [...mixed, between(random, 5, 95)];
      const step = pick(random, [2, 3, 4, 5, 6]);
      const theirs = [level === 0 ? target : level === 1 ? target + rounds * step : between(random, 40, 90)];
      for (let i = 1; i < rounds; i++) {
        const before = theirs[i - 1] as number;
        const mean = ((own[i - 1] as number) + before) / 2;
        theirs.push(level === 0 ? before : level === 1 ? before - step : Math.floor((mean * 4) / 5));
      }
      if (level === 2) own[rounds - 1] = Math.ceil((target * 5) / 2) - (theirs[rounds - 1] as number);
      const fitting = nexts(own, theirs);
      const last = own[rounds - 1] as number;
      const several = fitting.filter((one) => one !== undefined).length > 1;
      if (fitting[level] !== target || several || last < 1 || last > 100) continue;
      const order = random() < 0.5;
      const lines = own.map((mine, i) =>
        order
          ? `Round ${i + 1}: ${who} named ${mine} and ${other} named ${theirs[i]}.`
          : `Round ${i + 1}: ${other} named ${theirs[i]} and ${who} named ${mine}.`,
      );
      return {
        rules,
        about: `${own.join(" ")}, ${theirs.join(" ")}`,
        story: `${other} is the one who plays by a rule. ${lines.join(" ")}`,
        question: `Which number does ${who} expect ${other} to name in round ${rounds + 1}?`,
        options: numbers.map(String),
        answer: numbers.indexOf(target),
        who,
        others: [other],
      };
    }
  },
  solve({ story, options }) {
    const rounds = [
      ...story.matchAll(
        new RegExp(`Round \\d+: ${somebody} named (\\d+) and ${somebody} named (\\d+)\\.`, "g"),
      ),
    ];
    const ruled = same(new RegExp(`^${somebody} (?:is|are) the one who plays`).exec(story)?.[1]);
    const first = same(rounds[0]?.[1]) === ruled;
    const mine = rounds.map((found) => Number(first ? found[4] : found[2]));
    const theirs = rounds.map((found) => Number(first ? found[2] : found[4]));
    const found = nexts(mine, theirs).find((one) => one !== undefined);
    return options.indexOf(String(found));
  },
};
