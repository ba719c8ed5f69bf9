// Changed social rules: a place where behaviour on an occasion follows its own rules, most of them the reverse of ours. Used
// for the counterfactual scenario, where rules are drawn for each item, and for the new worlds, where they are fixed.

import type { Random } from "../../core/random.js";
import { shuffled } from "../../core/random.js";
import { type Custom, customsList } from "./customs-list.js";
import { type Generator, names, pick, some } from "./generator.js";
import { agreeing, wordsOf } from "./grammar.js";

/** The rule of a custom, with its actions in the order of its cases. */
export function ruleOf({ cases }: Custom, actions: readonly string[]): string {
  const parts = cases.map((one, i) => `one who ${one} ${actions[i]}`);
  return `${parts[0]}, ${parts[1]}, and ${parts[2]}`.replace(/^o/, "O");
}

/** A situation of a custom's case, with WHO and OTHER not yet filled in. */
export function situationOf(random: Random, { told }: Custom, at: number): string {
  return pick(random, told[at] as readonly string[]);
}

export function fill(text: string, who: string, other: string): string {
  return text.replaceAll("WHO", who).replaceAll("OTHER", other);
}

/** Which case of which custom a text describes, in either person. */
export function caseIn(text: string): { custom: Custom; at: number } | undefined {
  const said = plain(text);
  for (const custom of customsList) {
    for (const [at, list] of custom.told.entries()) {
      if (list.some((one) => said.includes(plain(one)))) return { custom, at };
    }
  }
  return undefined;
}

/** The text without identities: all people become one sign, and verbs agree with "you". */
function plain(text: string): string {
  return wordsOf(text)
    .map((word, i, all) => {
      const person =
        /^(?:WHO|OTHER|[Yy]ou|[Yy]ours?)(?:'s)?$/.test(word.text) ||
        names.includes(word.text.replace(/'s$/, ""));
      if (person) return "#";
      return all[i - 1] === undefined ? word.text.toLowerCase() : (agreeing(word.text, "you") ?? word.text);
    })
    .join(" ")
    .replace(/\bthe (\w+) of #/gi, "# $1");
}

/** The index of an action among options, which give it in the third person or in the plain form. */
export function placeOf(options: readonly string[], action: string | undefined): number {
  if (action === undefined) return -1;
  const [verb = "", ...rest] = action.split(" ");
  const bare = [agreeing(verb, "you") ?? verb, ...rest].join(" ");
  return options.findIndex((option) => option === action || option === bare);
}

/** The action that a rule prescribes for a case, in the rule's words. */
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
    const options = [...asked.actions];
    const happens = situationOf(random, asked, at);
    return {
      about: `${happens} ${actions[at]}`,
      story: `In ${pick(random, towns)} these are the customs. ${rules.map((rule) => `${rule}.`).join(" ")} ${other} was born there, and everybody keeps to these customs. ${fill(happens, who, other)}`,
      question: fill(asked.ask, who, other),
      options,
      answer: options.indexOf(actions[at] as (typeof options)[number]),
      who,
      others: [other],
    };
  },
  solve({ story, options }) {
    const end = "everybody keeps to these customs.";
    const found = caseIn(story.slice(story.indexOf(end) + end.length));
    return found ? placeOf(options, actionFor(found.custom, found.at, story)) : -1;
  },
};
