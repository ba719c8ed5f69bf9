// Third person to first person by rule: one character becomes "you" in story and question, and "I" in the options, as
// EgoSocialArena has it (arXiv 2410.06195, fig. 2). What was changed is kept, so that the original can be restored to the
// letter; a text whose pronouns could mean two people is refused, never guessed at.

import {
  agreeing,
  auxiliaries,
  type Gender,
  isAdverb,
  type PronounCase,
  pronoun,
  readPronoun,
  type Voice,
  type Word,
  wordsOf,
} from "./grammar.js";
import { isRole, namePattern, quoted, resolvePronouns, sentenceStart } from "./people.js";
import type { Tagger, Tags } from "./tagger.js";

/** What is converted: a story, a question about it, and the texts of its options. */
export interface Told {
  story: string;
  question: string;
  options: readonly string[];
}

/** One change: at a place of the converted text stands `now` for what `was` there. */
export type Edit = readonly [at: number, now: string, was: string];

/** Where a converted item comes from: who became "you", and every change. */
export interface Lineage {
  who: string;
  story: readonly Edit[];
  question: readonly Edit[];
  options: readonly (readonly Edit[])[];
}

export type Conversion = { told: Told; lineage: Lineage } | { refused: string };

const plainVerbs = new Set(
  "is was has does wants thinks knows likes prefers sees feels wins chooses hopes fears looks believes holds claps nods shakes bows hums hands hides breaks weeps laughs whistles comes asks sits sings goes stands scolds gives shrugs says counts wears whispers shouts closes applauds buys folds checks calls raises takes".split(
    " ",
  ),
);

/** Tags for a controlled language: of words in -s only these are verbs, save right after a subject. */
const plainTagger: Tagger = (text) => {
  const words = new Map(wordsOf(text).map((word) => [word.start, word.text]));
  return {
    isVerb: (start) => {
      const word = words.get(start);
      return word !== undefined && plainVerbs.has(word.toLowerCase());
    },
    isNominal: (start) => /^[\p{L}]/u.test(words.get(start) ?? ""),
    isActor: () => false,
    gender: () => undefined,
  };
};

/**
 * Makes one character "you".
 *
 * @param who the character's name as the story has it; spacing may differ
 * @param tagger parts of speech, for free text; without one the text must name people and use no pronouns for them
 * @returns the item and its lineage, or why the rules do not reach
 */
export function toFirstPerson(told: Told, who: string, tagger: Tagger = plainTagger): Conversion {
  if (told.story.search(namePattern(who)) < 0) return { refused: `${who} is not in the story` };
  const titled = titleBefore(told.story, who);
  if (titled !== undefined) return { refused: `a title before the name: ${titled} ${who}` };
  // Tagged once: what follows looks at its own part.
  const parts = [told.story, told.question, ...told.options];
  const starts = parts.map((_, i) => parts.slice(0, i).reduce((sum, part) => sum + part.length + 1, 0));
  const tags = tagger(parts.join("\n"));
  const from = (i: number): Tags => shifted(tags, starts[i] as number);
  const before = told.story.length + 1;
  const found = resolvePronouns(`${told.story}\n${told.question}`, tags, namePattern(who));
  if (found.ambiguous !== undefined) return { refused: `ambiguous pronoun: ${found.ambiguous}` };
  const inStory = new Set([...found.own].filter((at) => at < before));
  const inQuestion = new Set([...found.own].filter((at) => at >= before).map((at) => at - before));
  const story = convert(told.story, { who, voice: "you", own: inStory, tags: from(0) });
  const question = convert(told.question, { who, voice: "you", own: inQuestion, tags: from(1) });
  // An option's pronoun has its antecedent in the question: it is the protagonist's where the question asks about nobody else.
  const asked = question.edits.length > 0;
  const bareVerb = asked && /\bdo(?:es)?\b/i.test(told.question);
  const options: { text: string; edits: Edit[] }[] = [];
  for (const [i, option] of told.options.entries()) {
    const own = resolveInOption(told.question, option, from(1), from(i + 2), who, found.gender);
    if (own === undefined) return { refused: "ambiguous pronoun in an option" };
    options.push(
      convert(option, { who, voice: "I", own: asked ? own : new Set(), tags: from(i + 2), bareVerb }),
    );
  }
  const first = { story: story.text, question: question.text, options: options.map(({ text }) => text) };
  const slip = slipIn(first) ?? leftIn(first, who);
  if (slip !== undefined) return { refused: slip };
  return {
    told: first,
    lineage: {
      who,
      story: story.edits,
      question: question.edits,
      options: options.map(({ edits }) => edits),
    },
  };
}

/** What no conversion may leave behind, whoever made it: a verb or a word before "you" that cannot stand there. */
export function slipIn({ story, question, options }: Told): string | undefined {
  const texts = [story, question, ...options];
  const has = (pattern: RegExp, of: readonly string[] = texts) =>
    of.some((text) => [...text.matchAll(pattern)].some(({ index }) => !quoted(text, index)));
  if (
    has(/\b(?:does|doesn['’]t|has|hasn['’]t) you\b/gi) ||
    has(/\b(?:is|was|isn['’]t|wasn['’]t) you\b/gi, [question])
  )
    return "a verb that does not agree with you";
  if (has(/\b(?:the|an?|my|your|his|her|its|our|their) you\b/gi)) return "a title before the name: … you";
  if (has(/\byou (\w+) (?:that )?you \1\b/gi, [question]))
    return "the question asks what you think you think";
  return undefined;
}

/** "your sister … her sister", "Little Red" of a Xiao Red: what still means the one who became "you". */
function leftIn({ story, question, options }: Told, who: string): string | undefined {
  const text = [story, question, ...options].join("\n");
  const [, given] = /\s(\p{L}+)$/u.exec(who) ?? [];
  if (given !== undefined && new RegExp(`\\bLittle ${given}\\b`).test(text))
    return "another name is left of somebody";
  for (const { index, 1: whose } of text.matchAll(/\b(?:his|her) (\p{Ll}+)/giu))
    if (isTitle(whose as string) && new RegExp(`\\byour ${whose}\\b`, "i").test(text) && !quoted(text, index))
      return "a pronoun is left of somebody";
  return undefined;
}

/** The places of an option's pronouns that mean the protagonist; its antecedents are in the question. */
function resolveInOption(
  question: string,
  option: string,
  inQuestion: Tags,
  inOption: Tags,
  who: string,
  gender: Gender | undefined,
): Set<number> | undefined {
  const shift = question.length + 1;
  const at =
    <T>(read: (tags: Tags, start: number) => T) =>
    (start: number) =>
      start < shift ? read(inQuestion, start) : read(inOption, start - shift);
  const tags: Tags = {
    isVerb: at((of, start) => of.isVerb(start)),
    isNominal: at((of, start) => of.isNominal(start)),
    isActor: at((of, start) => of.isActor(start)),
    gender: at((of, start) => of.gender(start)),
  };
  const found = resolvePronouns(`${question} ${option}`, tags, namePattern(who), gender);
  if (found.ambiguous !== undefined) return undefined;
  return new Set([...found.own].filter((start) => start >= shift).map((start) => start - shift));
}

/** Tags of a part that begins at a place of the whole. */
function shifted(tags: Tags, by: number): Tags {
  return {
    isVerb: (start) => tags.isVerb(start + by),
    isNominal: (start) => tags.isNominal(start + by),
    isActor: (start) => tags.isActor(start + by),
    gender: (start) => tags.gender(start + by),
  };
}

/** "his colleague Anna", "Mr. Lin", "a robot named Ada": what stands before a name and cannot stand before "you". */
function titleBefore(story: string, who: string): string | undefined {
  for (const { index } of story.matchAll(namePattern(who))) {
    const owner = /(\p{L}+['’]s?)\s$/u.exec(story.slice(0, index))?.[1];
    if (owner !== undefined) return owner;
    const before = /(?<=^|[\s"“])(\p{L}+\.?)\s$/u.exec(story.slice(0, index))?.[1];
    if (before !== undefined && isTitle(before)) return before;
  }
  return undefined;
}

function isTitle(word: string): boolean {
  const lower = word.toLowerCase();
  return (
    /^(?:(?:mr|mrs|ms|dr)\.?|miss|named|called)$/.test(lower) ||
    isRole(lower) ||
    isRole(lower.replace(/s$/, ""))
  );
}

/** The original of a converted item, to the letter. */
export function restore(told: Told, lineage: Lineage): Told {
  return {
    story: undo(told.story, lineage.story),
    question: undo(told.question, lineage.question),
    options: told.options.map((option, i) => undo(option, lineage.options[i] ?? [])),
  };
}

function undo(text: string, edits: readonly Edit[]): string {
  let out = text;
  for (const [at, now, was] of edits.toReversed()) out = out.slice(0, at) + was + out.slice(at + now.length);
  return out;
}

interface Work {
  who: string;
  voice: Voice;
  /** Places of pronouns that mean the protagonist. */
  own: ReadonlySet<number>;
  tags: Tags;
  /** An option without a subject ("Goes home") answers for the protagonist. */
  bareVerb?: boolean;
}

/** A word, or a whole name with its possessive ending. */
interface Piece extends Word {
  as?: PronounCase | "name";
}

const joins = new Set(["and", "or", "nor"]);
const coordinators = new Set(["and", "but", "or", "then", ",", "yet", "nor", ";"]);
const prepositions = new Set(
  "to of for with from at by in on about after before behind beside between without against towards toward near into onto than like off over under around".split(
    " ",
  ),
);

function convert(text: string, work: Work): { text: string; edits: Edit[] } {
  const { voice, tags, own } = work;
  const pieces = piecesOf(text, work.who, own, tags);
  const changes = new Map<number, string>();
  const agree = (at: number): boolean => {
    const piece = pieces[at];
    const form = piece && agreeing(piece.text, voice);
    if (!piece || form === undefined) return false;
    changes.set(at, form);
    return true;
  };
  /** The place of the next word that is no adverb, forwards or backwards. */
  const beyond = (from: number, step: 1 | -1): number => {
    let at = from + step;
    while (pieces[at] && isAdverb((pieces[at] as Piece).text)) at += step;
    return at;
  };
  /** The verbs that follow are the protagonist's. */
  let chain = false;
  /** Since then a subordinate clause has begun: its subject's verb does not end the chain unless it is somebody's. */
  let nested = false;
  /** The protagonist and somebody else are one subject. */
  let together = false;
  let sentence = 0;
  let joint = Number.NaN;
  let lastSentence = -1;
  for (const [i, piece] of pieces.entries()) {
    const from = sentenceStart(text, piece.start);
    if (from !== lastSentence) {
      chain = false;
      together = sentence === joint || sentence === joint + 1;
      sentence++;
      lastSentence = from;
    }
    const first = /^["“'\s]*$/.test(text.slice(from, piece.start));
    if (piece.as === undefined) {
      if (i === 0 && work.bareVerb && tags.isVerb(piece.start)) {
        chain = agree(0);
        continue;
      }
      const lower = piece.text.toLowerCase();
      if (together && lower in plural && !quoted(text, piece.start)) {
        const alone = pieces[i + 1]?.text === "both" || pieces[i - 1]?.text === "of";
        const form = alone && lower !== "their" ? "you" : (plural[lower] as string);
        changes.set(i, capitalise(form, first));
        continue;
      }
      if (subordinators.has(lower)) nested = true;
      // "…, picks it up": what has a pronoun for its object is a verb, whatever the tagger takes it for.
      const taken = chain && objects.has(pieces[i + 1]?.text ?? "");
      if (!(taken || tags.isVerb(piece.start)) || agreeing(piece.text, "you") === undefined || changes.has(i))
        continue;
      const before = pieces[beyond(i, -1)];
      if (chain && before && coordinators.has(before.text.toLowerCase())) agree(i);
      else if (!nested || (before && /^\p{Lu}|^(?:he|she|it|they)$/u.test(before.text))) chain = false;
      continue;
    }
    if (quoted(text, piece.start)) continue;
    if (piece.as !== "name" && piece.as !== "subject") {
      changes.set(i, pronoun(voice, piece.as, first));
      continue;
    }
    const [before, after] = [pieces[i - 1], pieces[i + 1]];
    const follows = pieces[beyond(i, 1)];
    const singular = follows !== undefined && agreeing(follows.text, "you") !== undefined;
    const paired = joins.has(before?.text.toLowerCase() ?? "") && i > 1 && !singular;
    const leads = after?.text === "and" && isPerson(pieces[i + 2], tags, text);
    const inverted = before && auxiliaries.has(before.text.toLowerCase()) && isQuestion(text, piece.start);
    const at = beyond(i, 1);
    let subject = piece.as === "subject" || inverted || first;
    nested = false;
    const afterPreposition =
      prepositions.has(before?.text.toLowerCase() ?? "") && !clauses.has(before?.text.toLowerCase() ?? "");
    if (inverted) chain = agree(i - 1);
    else if (afterPreposition) chain = false;
    else if (leads || (paired && !first)) {
      chain = false;
      together = voice === "you";
      joint = sentence;
    } else {
      const verb = pieces[at];
      // "you, who are", "you who see"
      const who = verb?.text === "," ? at + 1 : at;
      const relative = pieces[who]?.text === "who" ? beyond(who, 1) : -1;
      if (verb && verb.as === undefined && isFiniteVerb(verb, tags) && agree(at)) {
        subject = true;
        chain = true;
      } else if (relative >= 0 && agree(relative)) chain = true;
      else if (verb?.text === ",") chain = !afterPreposition;
    }
    if (!subject && before && !prepositions.has(before.text.toLowerCase()) && !tags.isVerb(before.start))
      subject = true;
    changes.set(i, pronoun(voice, subject || voice === "you" ? "subject" : "object", first));
  }
  return apply(text, pieces, changes);
}

/** Prepositions that begin a clause as well. */
const clauses = new Set(["after", "before", "than", "like", "about"]);

const objects = new Set(["it", "him", "her", "them", "himself", "herself"]);

const subordinators = new Set(
  "that because when while if although though after before since until where".split(" "),
);

/** What "they" becomes where "you" are one of them. */
const plural: Readonly<Record<string, string>> = { they: "you both", them: "you both", their: "your" };

function capitalise(word: string, yes: boolean): string {
  return yes ? word.charAt(0).toUpperCase() + word.slice(1) : word;
}

/** After a subject a word in -s is its verb, unless the tagger is sure that it is a noun. */
function isFiniteVerb(word: Word, tags: Tags): boolean {
  return tags.isVerb(word.start) || (agreeing(word.text, "you") !== undefined && !/^\p{Lu}/u.test(word.text));
}

function isPerson(word: Word | undefined, tags: Tags, text: string): boolean {
  if (word === undefined) return false;
  const capital = /^\p{Lu}/u.test(word.text);
  const role = /^(?:his|her|the|your|a|an|two|three)$/i.test(word.text);
  return (
    capital ||
    (role && tags.isNominal(word.end + 1)) ||
    (tags.isNominal(word.start) && /\bare\b/.test(text.slice(word.end, word.end + 20)))
  );
}

function isQuestion(text: string, at: number): boolean {
  return /^(?:[^.!?]|(?<=\b(?:Mr|Mrs|Ms|Dr))\.)*\?/.test(text.slice(at));
}

/** Words, with the protagonist's name and pronouns marked by their case. */
function piecesOf(text: string, who: string, own: ReadonlySet<number>, tags: Tags): Piece[] {
  const names = [...text.matchAll(namePattern(who))].map(({ index, 0: found }): Piece => {
    const end = index + found.length;
    const ending = /^(?:['’]s(?![\p{L}])|['’](?=\s))/u.exec(text.slice(end))?.[0];
    if (ending === undefined) return { text: found, start: index, end, as: "name" };
    return { text: found + ending, start: index, end: end + ending.length, as: "possessive" };
  });
  const covered = (word: Word) => names.some(({ start, end }) => word.start < end && word.end > start);
  const others = wordsOf(text)
    .filter((word) => !covered(word))
    .map((word): Piece => {
      const read = own.has(word.start) ? readPronoun(word.text) : undefined;
      if (!read) return word;
      const next = wordsOf(text.slice(word.end, word.end + 40))[0];
      const possessive = next !== undefined && tags.isNominal(word.end + next.start);
      return { ...word, as: read.form === "her" ? (possessive ? "possessive" : "object") : read.form };
    });
  return [...names, ...others].sort((a, b) => a.start - b.start);
}

function apply(
  text: string,
  pieces: readonly Piece[],
  changes: ReadonlyMap<number, string>,
): { text: string; edits: Edit[] } {
  let out = "";
  let done = 0;
  const edits: Edit[] = [];
  for (const [i, { start, end }] of pieces.entries()) {
    const now = changes.get(i);
    if (now === undefined) continue;
    out += text.slice(done, start);
    edits.push([out.length, now, text.slice(start, end)]);
    out += now;
    done = end;
  }
  return { text: out + text.slice(done), edits };
}
