// Changed social rules: a place where what is done on an occasion follows rules of its own, most of them the reverse of ours.
// Used for the counterfactual scenario, where rules are drawn anew for every item, and for the new worlds, where they stay.

import type { Random } from "../../core/random.js";
import { shuffled } from "../../core/random.js";
import { type Generator, names, pick, some } from "./generator.js";
import { agreeing, wordsOf } from "./grammar.js";

/** Three cases of an occasion, three things that one may do, and a situation of each case. */
export interface Custom {
  /** "one who …" */
  cases: readonly [string, string, string];
  actions: readonly [string, string, string];
  /** Situations, a list for each case; WHO is the one who acts, OTHER another. */
  told: readonly [readonly string[], readonly string[], readonly string[]];
  /** What is asked. */
  ask: string;
}

export const customsList: readonly Custom[] = [
  {
    cases: ["agrees", "refuses", "is in doubt"],
    actions: ["shakes the head", "nods", "claps twice"],
    told: [
      ["OTHER asks for help with the harvest, and WHO is glad to help.", "OTHER proposes soup for supper, and WHO thinks that soup is just right."],
      ["OTHER wants to borrow the boat, and WHO will not lend it.", "OTHER asks for the last piece of cake, and WHO wants to keep it."],
      ["OTHER asks whether it will rain, and WHO has no idea.", "OTHER asks for the shorter way, and WHO is not sure of it."],
    ],
    ask: "What does WHO do to answer by the custom?",
  },
  {
    cases: ["meets somebody older", "meets somebody younger", "meets somebody of the same age"],
    actions: ["looks away", "bows deeply", "hums a note"],
    told: [
      ["WHO is thirty and comes upon OTHER, who is eighty.", "On the bridge WHO, a child of nine, comes upon OTHER, a grandparent."],
      ["WHO is sixty and comes upon OTHER, who is twelve.", "At the gate WHO, a grandparent, comes upon OTHER, a child of six."],
      ["WHO and OTHER were born on one day and come upon each other.", "WHO is forty and comes upon OTHER, who is forty as well."],
    ],
    ask: "What does WHO do to be polite?",
  },
  {
    cases: ["gets a gift from kin", "gets a gift from a friend", "gets a gift from a stranger"],
    actions: ["hands it back", "hides it", "breaks it in two"],
    told: [
      ["OTHER, a cousin, gives a cup to WHO.", "OTHER, an aunt, gives a comb to WHO."],
      ["OTHER, a friend of many years, gives a cup to WHO.", "OTHER, the best friend of all, gives a comb to WHO."],
      ["OTHER, whom nobody there has ever met, gives a cup to WHO.", "OTHER, an unknown traveller, gives a comb to WHO."],
    ],
    ask: "What does WHO do with it, as is proper?",
  },
  {
    cases: ["is glad", "is sad", "is angry"],
    actions: ["weeps", "laughs", "whistles"],
    told: [
      ["WHO has found the lost cat, and all is well.", "WHO has passed the hardest test of the year."],
      ["WHO has lost the ring that was a keepsake.", "WHO says farewell to OTHER, who leaves for years."],
      ["OTHER has torn the new coat on purpose, and WHO boils with rage.", "OTHER has told lies about WHO, who is furious."],
    ],
    ask: "How does WHO show this feeling there?",
  },
  {
    cases: ["is invited by a superior", "is invited by a friend", "is invited by family"],
    actions: ["comes an hour late", "comes an hour early", "comes on the minute"],
    told: [
      ["OTHER, the head of the office, asks WHO to dinner.", "OTHER, who commands the ship on which WHO serves, asks WHO to tea."],
      ["OTHER, an old friend, asks WHO to dinner.", "OTHER, a playmate since childhood, asks WHO to tea."],
      ["OTHER, a brother, asks WHO to dinner.", "OTHER, a grandmother, asks WHO to tea."],
    ],
    ask: "When does WHO come, so as to be polite?",
  },
  {
    cases: ["has broken something", "has come late", "has forgotten a name"],
    actions: ["asks for a present", "sits down on the floor", "sings a song"],
    told: [
      ["WHO has dropped the vase of OTHER.", "The cup of OTHER has gone to pieces in WHO's hands."],
      ["OTHER has waited half an hour for WHO.", "The meal at OTHER's table was over when WHO came."],
      ["WHO cannot call to mind what OTHER is called.", "WHO stands before OTHER and no longer knows how to address OTHER."],
    ],
    ask: "How does WHO apologize?",
  },
  {
    cases: ["is in a hurry", "has plenty of time", "is ill"],
    actions: ["goes to the end of the queue", "goes to the front of the queue", "stands in the middle of the queue"],
    told: [
      ["WHO's train leaves in two minutes, and there is a queue.", "WHO must be at work at once, and people are queueing."],
      ["WHO has the whole day off, and there is a queue.", "WHO waits for OTHER, who comes in three hours, and people are queueing."],
      ["WHO has a fever, and there is a queue.", "WHO has a bad cough, and people are queueing."],
    ],
    ask: "What does WHO do, as the custom has it?",
  },
  {
    cases: ["sees good work", "sees poor work", "sees unfinished work"],
    actions: ["scolds", "gives praise", "shrugs"],
    told: [
      ["OTHER shows a chair without a flaw to WHO.", "OTHER has painted a wall most evenly, and WHO looks at it."],
      ["OTHER shows a chair that wobbles to WHO.", "OTHER has painted a wall full of streaks, and WHO looks at it."],
      ["OTHER shows a chair with one leg still missing to WHO.", "OTHER has painted a wall by half so far, and WHO looks at it."],
    ],
    ask: "What does WHO do to be polite?",
  },
  {
    cases: ["leaves for a short while", "leaves for long", "leaves for ever"],
    actions: ["says good morning", "says nothing at all", "counts to ten"],
    told: [
      ["WHO goes to fetch bread and is back in five minutes.", "WHO steps out of the room to open the door."],
      ["WHO goes to sea for three years.", "WHO moves abroad to study and is back after the degree."],
      ["WHO boards the ship that never comes back.", "WHO sets out for a land from which none returns."],
    ],
    ask: "How does WHO take leave?",
  },
  {
    cases: ["goes to a wedding", "goes to a funeral", "goes to the market"],
    actions: ["wears black", "wears bright red", "wears a paper hat"],
    told: [
      ["Two cousins of WHO marry today, and WHO is a guest.", "WHO is asked to be the witness at the marriage of OTHER."],
      ["WHO's great-uncle is buried today.", "WHO goes to pay the last respects to an old teacher."],
      ["WHO goes to buy fish and eggs from the stalls.", "WHO takes two hens along, to sell them at a stall."],
    ],
    ask: "How does WHO dress, as it should be?",
  },
  {
    cases: ["speaks to a teacher", "speaks to a child", "speaks to a neighbour"],
    actions: ["whispers", "sings", "shouts"],
    told: [
      ["OTHER has taught WHO for years, and WHO asks a question.", "In class WHO has something to say to OTHER, who gives the lesson."],
      ["OTHER is five, and WHO tells a story.", "WHO tells OTHER, who is four, to put on a coat."],
      ["OTHER lives next door, and WHO asks for salt.", "Over the garden fence WHO talks to OTHER about the hedge."],
    ],
    ask: "How does WHO speak, to be polite?",
  },
  {
    cases: ["hears a joke", "hears bad news", "hears a secret"],
    actions: ["closes both eyes", "applauds", "stands on one leg"],
    told: [
      ["OTHER tells WHO the one about the parrot and the priest.", "OTHER tells a funny tale, and WHO listens."],
      ["OTHER tells WHO that the mill has burned down.", "WHO learns from OTHER that the harvest is ruined."],
      ["OTHER tells WHO, under seal of silence, where the key is hidden.", "In strict confidence OTHER tells WHO of a planned surprise."],
    ],
    ask: "What does WHO do then, as is proper?",
  },
]; // biome-ignore format: a list

/** The rule of a custom, its actions in the order of its cases. */
export function ruleOf({ cases }: Custom, actions: readonly string[]): string {
  const parts = cases.map((one, i) => `one who ${one} ${actions[i]}`);
  return `${parts[0]}, ${parts[1]}, and ${parts[2]}`.replace(/^o/, "O");
}

/** A situation of a custom's case, with the actor's and another's names. */
export function tellCase(random: Random, { told }: Custom, at: number, who: string, other: string): string {
  return fill(pick(random, told[at] as readonly string[]), who, other);
}

export function fill(text: string, who: string, other: string): string {
  return text.replaceAll("WHO", who).replaceAll("OTHER", other);
}

/** Which case of which custom a text tells, in either person. */
export function caseIn(text: string): { custom: Custom; at: number } | undefined {
  const said = plain(text);
  for (const custom of customsList) {
    for (const [at, list] of custom.told.entries()) {
      if (list.some((one) => said.includes(plain(one)))) return { custom, at };
    }
  }
  return undefined;
}

/** Without who is who: people are one sign, and verbs stand as they agree with "you". */
function plain(text: string): string {
  return wordsOf(text)
    .map((word, i, all) => {
      const person =
        /^(?:WHO|OTHER|[Yy]ou|[Yy]our)(?:'s)?$/.test(word.text) ||
        names.includes(word.text.replace(/'s$/, ""));
      // "the boat of OTHER", "to OTHER": the same in every case.
      if (person) return "#";
      return all[i - 1] === undefined ? word.text.toLowerCase() : (agreeing(word.text, "you") ?? word.text);
    })
    .join(" ");
}

/** The place of an action among options, which say it in the third person or in the plain form. */
export function placeOf(options: readonly string[], action: string | undefined): number {
  if (action === undefined) return -1;
  const [verb = "", ...rest] = action.split(" ");
  const bare = [agreeing(verb, "you") ?? verb, ...rest].join(" ");
  return options.findIndex((option) => option === action || option === bare);
}

/** The action that a rule lays down for a case, as the rule's words have it. */
export function actionFor({ cases }: Custom, at: number, rules: string): string | undefined {
  const next = cases[at + 1];
  const from = `ne who ${cases[at]} `;
  const start = rules.indexOf(from);
  if (start < 0) return undefined;
  const rest = rules.slice(start + from.length);
  const end =
    next === undefined ? rest.search(/[.;]/) : rest.indexOf(at === 1 ? ", and one who" : ", one who");
  return end < 0 ? undefined : rest.slice(0, end);
}

const towns =
  "Ovria, Belmar, Quintle, Ostrum, Tavela, Morwen, Pellin, Zarith, Ondo, Lumar, Kestel, Virrow".split(", ");

export const customs: Generator = {
  name: "counterfactual/customs",
  scenario: "counterfactual",
  draw(random) {
    const [who, other] = some(random, names, 2) as [string, string];
    const [asked, ...more] = some(random, customsList, 3) as [Custom, Custom, Custom];
    const actions = shuffled(asked.actions, random);
    const at = Math.floor(random() * 3);
    const rules = shuffled(
      [ruleOf(asked, actions), ...more.map((one) => ruleOf(one, shuffled(one.actions, random)))],
      random,
    );
    const options = shuffled(asked.actions, random);
    return {
      story: `In ${pick(random, towns)} these are the customs. ${rules.map((rule) => `${rule}.`).join(" ")} ${other} was born there, and everybody keeps to them. ${tellCase(random, asked, at, who, other)}`,
      question: fill(asked.ask, who, other),
      options,
      answer: options.indexOf(actions[at] as (typeof options)[number]),
      who,
      others: [other],
    };
  },
  solve({ story, options }) {
    const end = "everybody keeps to them.";
    const found = caseIn(story.slice(story.indexOf(end) + end.length));
    return found ? placeOf(options, actionFor(found.custom, found.at, story)) : -1;
  },
};
