// Reads items in ToMBench's format (Chen et al. 2024), and finds the character that the question is about.

import { namePattern } from "./people.js";
import type { Told } from "./told.js";

export interface TombenchItem extends Told {
  id: string;
  /** The file that it comes from, without its extension. */
  task: string;
  /** Such as "Belief: Location false beliefs". */
  ability: string;
  /** Index of the right option. */
  answer: number;
}

const columns = ["OPTION-A", "OPTION-B", "OPTION-C", "OPTION-D"] as const;

/**
 * The English side of a row. Its keys have line breaks in them (`能力\nABILITY`), and two options may be empty.
 * @returns undefined if the row lacks a story, a question, two options or an answer among them
 */
export function readTombench(
  row: Readonly<Record<string, unknown>>,
  task: string,
  index: number,
): TombenchItem | undefined {
  const field = (name: string): string => {
    const key = Object.keys(row).find((one) => one === name || one.endsWith(`\n${name}`));
    const value = key === undefined ? undefined : row[key];
    return typeof value === "string"
      ? value.trim()
      : typeof value === "number" && Number.isFinite(value)
        ? String(value)
        : "";
  };
  const options = columns.map(field).filter((text) => text !== "" && text !== "NaN");
  const answer = "ABCD".indexOf(field("ANSWER").charAt(0) || "?");
  const [story, question] = [field("STORY"), field("QUESTION")];
  if (story === "" || question === "" || options.length < 2 || answer < 0 || answer >= options.length)
    return undefined;
  if (new Set(options).size < options.length) return undefined;
  return { id: `${task}-${index + 1}`, task, ability: field("ABILITY"), story, question, options, answer };
}

/**
 * The character whose mind the question is about: the first one named in it who is also in the story; if one character
 * thinks about another, the thinker.
 */
export function protagonistOf({ story, question }: Told): string | undefined {
  const main =
    /\b(?:[Dd]oes|[Dd]o|[Dd]id|[Ii]s|[Ww]as|[Ww]ill|[Ww]ould|[Cc]an|[Cc]ould|[Ss]hould|[Hh]as)\s+(?=\p{Lu}|he\b|she\b|the\b)/u.exec(
      question,
    );
  const asked = main === null ? undefined : named(story, question.slice(main.index + main[0].length), true);
  if (main === null || asked !== undefined) return asked ?? named(story, question, false);
  // "What emotion does she feel?" is about the story's only character.
  if (!/^(?:he|she)\b/.test(question.slice(main.index + main[0].length))) return undefined;
  const names = new Set(
    [...story.matchAll(/(?<=^|[.!?]\s)\p{Lu}\p{Ll}+(?:\s\p{Lu}\p{Ll}+)?(?=\s\p{Ll})/gu)].map(
      ([name]) => name,
    ),
  );
  const [only, ...more] = [...names].filter((name) => !openers.has(name.split(" ")[0] as string));
  return more.length === 0 ? only : undefined;
}

/** The first name in a text that is also in the story. @param atOnce it must be at the beginning */
function named(story: string, text: string, atOnce: boolean): string | undefined {
  for (const found of text.matchAll(/\p{Lu}\p{Ll}+(?:\s\p{Lu}\p{Ll}+)*(['’]s\s\p{Ll}+)?/gu)) {
    if (atOnce && found.index > 0) return undefined;
    const whole = found[0].replace(/['’]s.*$/, "");
    // The first word of a question is capitalized too.
    const parts = whole.split(" ");
    for (const name of [whole, parts.slice(1).join(" ")].filter((one) => one !== "" && !openers.has(one))) {
      if (story.search(namePattern(name)) < 0) continue;
      return relative.test(found[1] ?? "") ? undefined : name;
    }
  }
  return undefined;
}

const openers = new Set(
  "What Where Why How Who When Which Does Do Is Was After Before If In On At The A An Mr Mrs Ms Miss Dr Did Will Facing He She It They His Her Their One There This That Today Every Suddenly At Later".split(
    " ",
  ),
);

/** "Anna's mother" means the mother. */
const relative =
  /^['’]s\s(?:mother|father|mom|mum|dad|sister|brother|friend|wife|husband|son|daughter|teacher|boss|classmate|colleague|roommate|neighbou?r|parent|uncle|aunt|grand)/;
