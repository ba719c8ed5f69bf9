// Who is mentioned in a text, and whether a pronoun means the one who becomes "you". A pronoun that could mean two people is
// said to be ambiguous and never guessed.

import { type Gender, readPronoun, type Word, wordsOf } from "./grammar.js";
import type { Tags } from "./tagger.js";

/** A pattern for a name however it is spaced ("Xiao Ming", "Xiaoming"), as a whole word. */
export function namePattern(who: string): RegExp {
  const known = patterns.get(who);
  if (known) return known;
  const letters = [...who.replace(/\s+/g, "")].map((letter, i) => {
    const plain = letter.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    return i === 0 || !/\p{L}/u.test(letter) ? plain : `[${plain.toLowerCase()}${plain.toUpperCase()}]`;
  });
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}_])${letters.join("\\s?")}(?![\\p{L}\\p{N}_])`, "gu");
  if (patterns.size < 10_000) patterns.set(who, pattern);
  return pattern;
}

/** For `matchAll` and `search`, which leave a pattern as it was. */
const patterns = new Map<string, RegExp>();

const roles: Readonly<Record<string, Gender | "either">> = {
  mother: "she", mom: "she", mum: "she", mommy: "she", grandmother: "she", grandma: "she", aunt: "she", sister: "she",
  daughter: "she", granddaughter: "she", niece: "she", girl: "she", woman: "she", wife: "she", girlfriend: "she", lady: "she", queen: "she", hostess: "she",
  father: "he", dad: "he", daddy: "he", grandfather: "he", grandpa: "he", uncle: "he", brother: "he", son: "he", grandson: "he", nephew: "he", boy: "he",
  man: "he", husband: "he", boyfriend: "he", gentleman: "he", king: "he",
  friend: "either", teacher: "either", boss: "either", colleague: "either", classmate: "either", roommate: "either",
  neighbor: "either", neighbour: "either", doctor: "either", manager: "either", owner: "either", assistant: "either",
  student: "either", coach: "either", child: "either", baby: "either", customer: "either", clerk: "either", guest: "either",
  nurse: "either", patient: "either", leader: "either", director: "either", partner: "either", cousin: "either",
  stranger: "either", someone: "either", host: "either", chef: "either", waiter: "either", driver: "either",
  policeman: "he", parent: "either", companion: "either", player: "either", captain: "either", expert: "either",
  employee: "either", judge: "either", seller: "either", artist: "either", supervisor: "either", professor: "either",
  tutor: "either", author: "either", actor: "either", librarian: "either", administrator: "either", guide: "either",
}; // biome-ignore format: a list

const notNames = new Set(
  "I Mr Mrs Ms Miss Dr Everyone Everybody Someone Somebody Nobody Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June July August September October November December Chinese English Christmas Spring New Year Red Blue TV".split(
    " ",
  ),
);

export interface Mention extends Word {
  who: string;
  gender: Gender | "either";
  /** Mentioned by what they are, not by name. */
  role: boolean;
}

/** A word for a person by what they are to somebody, or by what they do. */
export function isRole(word: string): boolean {
  return (
    roles[word.toLowerCase()] !== undefined ||
    /^[a-z]{3,}(?:person|man|woman|ist|ian|seller|keeper|worker)$/.test(word) ||
    /^(?:passenger|reporter|researcher|manager|engineer|officer|ranger|trainer|designer|writer|singer|painter|dancer|farmer|worker|soldier|lawyer|dealer|sailor|mayor|chairman|secretary|intern|pupil|volunteer|chairperson|fan|vet|waitress|consultant|janitor|president|suitor)$/.test(
      word,
    )
  );
}

/** Every mention of a person by name or by role, but for those of `except`. */
export function othersIn(text: string, tags: Tags, except: RegExp): Mention[] {
  const own = [...text.matchAll(except)].map(({ index, 0: found }) => [index, index + found.length] as const);
  const inside = ({ start }: Word) => own.some(([from, to]) => start >= from && start < to);
  const words = wordsOf(text);
  const capital = (word: Word | undefined) => word !== undefined && /^\p{Lu}\p{Ll}/u.test(word.text);
  const mid = new Set(
    words
      .filter((word, i) => capital(word) && i > 0 && /[\p{L}\p{N},]$/u.test(words[i - 1]?.text ?? ""))
      .map(bare),
  );
  const found: Mention[] = [];
  for (const [i, word] of words.entries()) {
    if (inside(word)) continue;
    const plain = bare(word);
    const role =
      roles[plain.toLowerCase()] ?? (isRole(plain) || tags.isActor(word.start) ? "either" : undefined);
    // "a student who loves music" says what somebody is; "the student", "his mother" mention somebody.
    const before = words[i - 1]?.text.toLowerCase();
    if (
      role !== undefined &&
      !/^(?:a|an|another|any|or)$/.test(before ?? "") &&
      !/^is$/.test(words[i - 2]?.text ?? "")
    ) {
      found.push({ ...word, who: plain.toLowerCase(), gender: role, role: true });
      continue;
    }
    if (!capital(word) || notNames.has(plain)) continue;
    const gender = tags.gender(word.start);
    if (!mid.has(plain) && gender === undefined && !(tags.isNominal(word.start) && capital(words[i + 1]))) {
      const next = words[i + 1];
      if (!(next && tags.isVerb(next.start) && tags.isNominal(word.start))) continue;
    }
    found.push({ ...word, who: plain, gender: gender ?? "either", role: false });
  }
  return found;
}

function bare({ text }: Word): string {
  return text.replace(/['’]s?$/, "");
}

export interface Resolution {
  /** Places of pronouns that mean the one who becomes "you". */
  own: ReadonlySet<number>;
  /** The protagonist's, where the text tells. */
  gender?: Gender;
  /** The first pronoun that could mean two people, with what stands around it. */
  ambiguous?: string;
}

/**
 * Which pronouns mean the protagonist. With nobody else about all of them do; otherwise gender decides, and then who alone
 * has been mentioned in the sentence, or in the one before.
 */
export function resolvePronouns(text: string, tags: Tags, who: RegExp, known?: Gender): Resolution {
  const others = othersIn(text, tags, who);
  const mentions = [...text.matchAll(who)].map(({ index }) => index);
  const pronouns = wordsOf(text).flatMap((word) => {
    const read = readPronoun(word.text);
    return read && !quoted(text, word.start) ? [{ ...word, ...read }] : [];
  });
  const own = new Set<number>();
  if (others.length === 0) {
    for (const { start } of pronouns) own.add(start);
    const gender = known ?? pronouns[0]?.gender;
    return gender === undefined ? { own } : { own, gender };
  }
  const gender = known ?? genderOf(text, pronouns, mentions, others);
  const rivals = (of: Gender) => others.filter((other) => other.gender === of || other.gender === "either");
  for (const { start, end, gender: said, form } of pronouns) {
    const unlike = gender !== undefined && said !== gender;
    if (unlike && others.some((other) => other.gender === said && other.start < start)) continue;
    if (!unlike && gender !== undefined && rivals(said).length === 0) {
      own.add(start);
      continue;
    }
    const theirs = rivals(said);
    const verdict = nearest(
      text,
      start,
      mentions,
      theirs.map((other) => other.start),
      own,
    );
    // What is left as it is must be somebody else's: texts change a person's gender, nobody asks himself as "him", and a
    // hairdresser who may be a woman does not make "she" the hairdresser.
    const before = theirs.filter((other) => other.start < start);
    const vague =
      form === "subject" &&
      said === gender &&
      before.every((other) => other.role && other.gender === "either");
    if (verdict === "own" && !unlike) own.add(start);
    else if (verdict !== "other" || vague || isObjectOf(text, { start, end, form }, theirs, tags))
      return { own, ambiguous: text.slice(Math.max(0, start - 40), start + 20).trim() };
  }
  return gender === undefined ? { own } : { own, gender };
}

/** "The teacher asks him": whom the verb right before an object has for its subject, the object does not mean. */
function isObjectOf(
  text: string,
  { start, end, form }: Pick<Word, "start" | "end"> & { form: string },
  people: readonly Mention[],
  tags: Tags,
): boolean {
  const [next] = wordsOf(text.slice(end, end + 40));
  if (form !== "object" && (form !== "her" || (next && tags.isNominal(end + next.start)))) return false;
  const [subject, verb] = wordsOf(text.slice(0, start)).slice(-2);
  return verb !== undefined && tags.isVerb(verb.start) && people.some((one) => one.start === subject?.start);
}

/** Gender by the pronouns of sentences that mention the protagonist and nobody else. */
export function genderOf(
  text: string,
  pronouns: readonly { start: number; gender: Gender }[],
  mentions: readonly number[],
  others: readonly Mention[],
): Gender | undefined {
  for (const { start, gender } of pronouns) {
    const from = sentenceStart(text, start);
    const within = (at: number) => at >= from && at < start;
    if (mentions.some(within) && !others.some((other) => within(other.start))) return gender;
  }
  return undefined;
}

/** Who was mentioned in the sentence before the pronoun, or else in the sentence before that. */
function nearest(
  text: string,
  at: number,
  mentions: readonly number[],
  rivals: readonly number[],
  own: ReadonlySet<number>,
): "own" | "other" | "unclear" {
  let to = at;
  for (let back = 0; back < 3; back++) {
    const from = sentenceStart(text, to);
    const within = (place: number) => place >= from && place < to;
    const mine = mentions.some(within) || [...own].some(within);
    const theirs = rivals.some(within);
    if (mine && theirs) return "unclear";
    if (mine) return "own";
    if (theirs) return "other";
    to = Math.max(0, from - 1);
    if (to === 0) break;
  }
  return "unclear";
}

/** Where the sentence of a place begins. */
export function sentenceStart(text: string, at: number): number {
  const before = text.slice(0, at);
  const ends = [...before.matchAll(/(?<!\b(?:Mr|Mrs|Ms|Dr))[.!?]["”']?(?=\s)/g)];
  const last = ends.at(-1);
  return last === undefined ? 0 : last.index + last[0].length;
}

/** Within quotation marks: what is said is left as it was said. */
export function quoted(text: string, at: number): boolean {
  const before = text.slice(0, at);
  const straight = (before.match(/"/g) ?? []).length % 2 === 1;
  return straight || (before.match(/“/g) ?? []).length > (before.match(/”/g) ?? []).length;
}
