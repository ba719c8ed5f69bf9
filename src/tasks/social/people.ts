// Finds the people mentioned in a text, and whether a pronoun means the person who becomes "you". A pronoun that could mean
// two people is reported as ambiguous and never guessed.

import { type Gender, isAdverb, readPronoun, type Word, wordsOf } from "./grammar.js";
import { unquoted } from "./quotes.js";
import { animateVerbs, isRole, roles } from "./roles.js";
import type { Tags } from "./tagger.js";

/** A pattern for a name in any spacing ("Xiao Ming", "Xiaoming"), as a whole word. */
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

/** Used with `matchAll` and `search`, which do not change a pattern's state. */
const patterns = new Map<string, RegExp>();

const notNames = new Set(
  "I Mr Mrs Ms Miss Dr Everyone Everybody Someone Somebody Nobody Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June July August September October November December Chinese English Christmas Spring New Year Red Blue TV".split(
    " ",
  ),
);

export interface Mention extends Word {
  who: string;
  gender: Gender | "either";
  /** Mentioned by role, not by name. */
  role: boolean;
}

/** Every mention of a person by name or by role outside quoted speech, except those that match `except`. */
export function othersIn(text: string, tags: Tags, except: RegExp): Mention[] {
  const own = [...text.matchAll(except)].map(({ index, 0: found }) => [index, index + found.length] as const);
  const inside = ({ start }: Word) => own.some(([from, to]) => start >= from && start < to);
  const words = wordsOf(unquoted(text));
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
    const next = words[i + 1];
    const animate = !capital(word) && animateVerbs.has(next?.text ?? "") && tags.isNoun(word.start);
    const role =
      roles[plain.toLowerCase()] ??
      (isRole(plain) || tags.isActor(word.start) || animate ? "either" : undefined);
    if (role !== undefined) {
      if (!predicated(words, i)) found.push({ ...word, who: plain.toLowerCase(), gender: role, role: true });
      continue;
    }
    if (!capital(word) || notNames.has(plain)) continue;
    const gender = tags.gender(word.start);
    // In "Li Hua's kitchen", the owner is mentioned.
    const owner = /['’]s?$/.test(word.text) || (capital(next) && /['’]s?$/.test(next?.text ?? ""));
    if (!mid.has(plain) && gender === undefined && !owner && !(tags.isNominal(word.start) && capital(next)))
      if (!(next && tags.isVerb(next.start) && tags.isNominal(word.start))) continue;
    const last = found.at(-1);
    if (last && !last.role && last.end + 1 === word.start && text[last.end] === " ") {
      found.splice(-1, 1, {
        ...last,
        end: word.end,
        who: `${last.who} ${plain}`,
        gender: joined(last.gender, gender),
      });
    } else found.push({ ...word, who: plain, gender: gender ?? "either", role: false });
  }
  return found;
}

/** A two-word name has the gender of whichever part has one. */
function joined(one: Gender | "either", other: Gender | undefined): Gender | "either" {
  return one === "either" ? (other ?? "either") : one;
}

/**
 * Whether a role is a predicate: "is a student who loves music" describes somebody; "a student", "the student", "his
 * mother" mention somebody.
 */
function predicated(words: readonly Word[], at: number): boolean {
  const text = (i: number) => words[i]?.text.toLowerCase() ?? "";
  const determined = /^(?:a|an|another|any|the|his|her|their|my|your)$/;
  const one = [at - 1, at - 2].find((i) => determined.test(text(i)));
  if (one === undefined) return false;
  const before = isAdverb(text(one - 1)) ? one - 2 : one - 1;
  return /^(?:is|are|was|were|becomes|become|be|as|or)$/.test(text(before));
}

function bare({ text }: Word): string {
  return text.replace(/['’]s?$/, "");
}

export interface Resolution {
  /** Positions of pronouns that mean the person who becomes "you". */
  own: ReadonlySet<number>;
  /** The protagonist's gender, if the text shows it. */
  gender?: Gender;
  /** The first pronoun that could mean two people, with its context. */
  ambiguous?: string;
}

/**
 * Which pronouns mean the protagonist. If nobody else is mentioned, all of them do; otherwise gender decides, and then which
 * person alone has been mentioned in the sentence, or in the one before.
 */
export function resolvePronouns(text: string, tags: Tags, who: RegExp, known?: Gender): Resolution {
  const plain = unquoted(text);
  const others = othersIn(text, tags, who);
  const mentions = [...plain.matchAll(who)].map(({ index }) => index);
  const pronouns = wordsOf(plain).flatMap((word) => {
    const read = readPronoun(word.text);
    return read ? [{ ...word, ...read }] : [];
  });
  const own = new Set<number>();
  const around = (start: number) => text.slice(Math.max(0, start - 40), start + 20).trim();
  let gender = known ?? genderOf(text, pronouns, mentions, others);
  if (gender === "both") return { own, ambiguous: "the text calls somebody he and she" };
  // Other people mentioned so far: by name, by role, or by a pronoun that was resolved to them.
  const seen: Mention[] = [...others];
  const theirGender = new Map<string, Gender>();
  for (const { start, end, gender: said, form } of pronouns) {
    const unlike = gender !== undefined && said !== gender;
    // A "her" that stays unchanged may be either case; one that is changed may not.
    if (form === "her" && !unlike && herCase(plain, end, tags) === undefined)
      return { own, ambiguous: around(start) };
    const ambiguous = { own, ambiguous: around(start) };
    const fits = (other: Mention) =>
      [said, "either"].includes(theirGender.get(other.who) ?? other.gender) &&
      !(other.gender !== "either" && other.gender !== said);
    const theirs = seen.filter(fits);
    if (!unlike && theirs.length === 0 && (gender !== undefined || others.length === 0)) {
      own.add(start);
      gender ??= said;
      continue;
    }
    const before = theirs.filter((other) => other.start < start);
    const verdict = nearest(
      text,
      start,
      mentions,
      theirs.map((other) => other.start),
      own,
    );
    if (verdict === "own" && !unlike) {
      const whose = form === "possessive" || (form === "her" && possesses(text, end, tags));
      if (
        form !== "subject" &&
        form !== "reflexive" &&
        backwards(plain, { start, end }, whose, theirs, mentions)
      )
        return ambiguous;
      own.add(start);
      gender ??= said;
      continue;
    }
    // A pronoun that stays unchanged must mean somebody else: texts switch a person's gender, the object in "asks him"
    // is not the subject, and a hairdresser who may be a woman does not make "she" the hairdresser.
    const sure = unlike && before.some((other) => other.gender === said);
    const vague =
      form === "subject" &&
      said === gender &&
      before.every((other) => other.role && other.gender === "either");
    const objectOfOnly =
      (form === "object" || (form === "her" && !possesses(text, end, tags))) &&
      new Set(before.map((other) => other.who)).size < 2 &&
      before.some((other) => other.start >= sentenceStart(text, start));
    if ((verdict !== "other" && !sure) || before.length === 0 || vague || objectOfOnly) return ambiguous;
    if (isObjectOf(text, { start, end, form }, theirs, tags) || asksWhether(plain, start, mentions))
      return ambiguous;
    const last = before.at(-1) as Mention;
    theirGender.set(last.who, said);
    seen.push({ text: last.text, start, end, who: last.who, gender: said, role: last.role });
    seen.sort((a, b) => a.start - b.start);
  }
  return gender === undefined ? { own } : { own, gender };
}

/**
 * "Karl is late. Ben sees his face and goes to him": a possessive after the subject may refer to the previous sentence
 * (except in "shakes his head"), and an object must.
 */
function backwards(
  plain: string,
  { start, end }: Pick<Word, "start" | "end">,
  whose: boolean,
  theirs: readonly Mention[],
  mentions: readonly number[],
): boolean {
  if (whose && /^\s(?:own|head|hands?|eyes|mind|breath|shoulders?|composure|best)\b/.test(plain.slice(end)))
    return false;
  const from = sentenceStart(plain, start);
  const last = sentenceStart(plain, Math.max(0, from - 1));
  const subject = mentions.filter((at) => at >= from && at < start).at(-1);
  if (subject === undefined) return false;
  if (whose) return theirs.some((other) => other.start >= last && other.start < from);
  return (
    theirs.some((other) => other.start < from) &&
    !/\b(?:that|because|when|while|if|as|who|which|but)\b|\p{Lu}/u.test(
      plain
        .slice(subject, start)
        .slice(1)
        .replace(/^\S+(?:\s\p{Lu}\S*)*/u, ""),
    )
  );
}

/** Whether "her" is a possessive: "her book", not "sees her". */
function possesses(text: string, end: number, tags: Tags): boolean {
  return herCase(text, end, tags) === "possessive";
}

/** Whether "her" is an object or a possessive, from its context; undefined for "makes her happy", "sees her dance". */
export function herCase(text: string, end: number, tags: Tags): "object" | "possessive" | undefined {
  const [next] = wordsOf(text.slice(end, end + 40));
  if (next === undefined || !/^\p{L}/u.test(next.text) || after.test(next.text)) return "object";
  const verb = /(\p{L}+)\s\p{L}+$/u.exec(text.slice(0, end))?.[1] ?? "";
  if (
    /^(?:mak|let|help|see|watch|hear|keep|find|giv|tell|ask|show|offer|lend|hand|send|bring|buy)(?:e|s|es|ing)?$/.test(
      verb,
    )
  ) {
    // "tells her friend", "gives her mother": a possessive if a person follows.
    if (!isRole(next.text)) return undefined;
  }
  return tags.isNominal(end + next.start) ? "possessive" : undefined;
}

/** Words that begin a new phrase after the object "her": "tells her to come". */
const after =
  /^(?:to|that|about|for|with|and|or|but|in|on|at|by|from|of|into|out|up|down|off|over|because|if|so|when|while|as|than|what|how|why|where|who|it|a|an|the|not|too|also|again|very|is|are|has|does|will|can)$/;

/** "Mom asks Ben if he wants": a pronoun right after "Ben if" means Ben, even where the text says "she". */
function asksWhether(text: string, at: number, mentions: readonly number[]): boolean {
  const from = sentenceStart(text, at);
  return mentions.some(
    (mention) => mention >= from && mention < at && /\b(?:if|whether)\s$/.test(text.slice(mention, at)),
  );
}

/** "The teacher asks him": an object does not mean the subject of the verb right before it. */
function isObjectOf(
  text: string,
  { start, end, form }: Pick<Word, "start" | "end"> & { form: string },
  people: readonly Mention[],
  tags: Tags,
): boolean {
  if (form !== "object" && (form !== "her" || possesses(text, end, tags))) return false;
  const [subject, verb] = wordsOf(text.slice(0, start)).slice(-2);
  return verb !== undefined && tags.isVerb(verb.start) && people.some((one) => one.end === subject?.end);
}

/** Gender from the pronouns in sentences that mention the protagonist and nobody else. */
function genderOf(
  text: string,
  pronouns: readonly { start: number; gender: Gender }[],
  mentions: readonly number[],
  others: readonly Mention[],
): Gender | "both" | undefined {
  const found = new Set<Gender>();
  for (const { start, gender } of pronouns) {
    const from = sentenceStart(text, start);
    const within = (at: number) => at >= from && at < start;
    if (others.length === 0 || (mentions.some(within) && !others.some((other) => within(other.start))))
      found.add(gender);
  }
  return found.size > 1 ? "both" : [...found][0];
}

/** Who was mentioned last before the pronoun: in its own sentence, else in one of the two sentences before it. */
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

/** Where the sentence at a position begins; quoted speech ends a sentence only if the surrounding sentence ends with it. */
export function sentenceStart(text: string, at: number): number {
  const before = unquoted(text).slice(0, at);
  const ends = [...before.matchAll(/(?<!\b(?:Mr|Mrs|Ms|Dr))[.!?]["”'’]?(?=\s)/g)];
  const last = ends.at(-1);
  return last === undefined ? 0 : last.index + last[0].length;
}
