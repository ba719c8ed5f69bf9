// Converts third person to first person by rules: one character becomes "you" in story and question, and "I" in the
// options, as in EgoSocialArena (arXiv 2410.06195, fig. 2). All changes are recorded, so that the original can be
// restored exactly; a text whose pronouns could mean two people is refused rather than guessed at.

import { type Gender, wordsOf } from "./grammar.js";
import { namePattern, othersIn, resolvePronouns } from "./people.js";
import { unpaired } from "./quotes.js";
import { leftIn, slipIn, unlikeYou } from "./refusals.js";
import { retell } from "./retell.js";
import type { Tagger, Tags } from "./tagger.js";
import type { Conversion, Edit, Lineage, Told } from "./told.js";

const plainVerbs = new Set(
  "is was has does wants thinks knows likes prefers sees feels wins chooses hopes fears looks believes holds claps nods shakes bows hums hands hides breaks weeps laughs whistles comes asks sits sings goes stands scolds gives shrugs says counts wears whispers shouts closes applauds buys folds checks calls raises takes tells stamps hears".split(
    " ",
  ),
);

/** Tags for a controlled language: of words in -s only these are verbs, except right after a subject. */
const plainTagger: Tagger = (text) => {
  const words = new Map(wordsOf(text).map((word) => [word.start, word.text]));
  return {
    whole: true,
    isVerb: (start) => {
      const word = words.get(start);
      return word !== undefined && plainVerbs.has(word.toLowerCase());
    },
    isNominal: (start) => /^[\p{L}]/u.test(words.get(start) ?? ""),
    isNoun: () => false,
    isActor: () => false,
    gender: () => undefined,
  };
};

/**
 * Makes one character "you".
 *
 * @param who the character's name as in the story; spacing may differ
 * @param tagger parts of speech, for free text; without one the text must name people and use no pronouns for them
 * @returns the item and its lineage, or why the rules do not apply
 */
export function toFirstPerson(told: Told, who: string, tagger: Tagger = plainTagger): Conversion {
  if (told.story.search(namePattern(who)) < 0) return { refused: `${who} is not in the story` };
  // Tagged once; the steps below use shifted views of the tags.
  const parts = [told.story, told.question, ...told.options];
  if (parts.some(unpaired)) return { refused: "a quotation mark without its pair" };
  const starts = parts.map((_, i) => parts.slice(0, i).reduce((sum, part) => sum + part.length + 1, 0));
  const tags = tagger(parts.join("\n"));
  const from = (i: number): Tags => shifted(tags, starts[i] as number);
  for (const [i, part] of parts.entries()) {
    const unlike = unlikeYou(part, who, from(i));
    if (unlike !== undefined) return { refused: unlike };
  }
  const before = told.story.length + 1;
  const found = resolvePronouns(`${told.story}\n${told.question}`, tags, namePattern(who));
  if (found.ambiguous !== undefined) return { refused: `ambiguous pronoun: ${found.ambiguous}` };
  const inStory = new Set([...found.own].filter((at) => at < before));
  const inQuestion = new Set([...found.own].filter((at) => at >= before).map((at) => at - before));
  const story = retell(told.story, { who, voice: "you", own: inStory, tags: from(0) });
  const question = retell(told.question, { who, voice: "you", own: inQuestion, tags: from(1) });
  // An option's pronoun has its antecedent in the question: it means the protagonist if the question is about nobody else.
  const asked = question.edits.length > 0;
  const bareVerb = asked && /\bdo(?:es)?\b/i.test(told.question);
  // If somebody else in the story could be meant, only pronouns that clearly refer back to the subject are converted.
  const rivals = othersIn(told.story, from(0), namePattern(who)).some(
    ({ gender }) => gender === "either" || found.gender === undefined || gender === found.gender,
  );
  const options: ReturnType<typeof retell>[] = [];
  for (const [i, option] of told.options.entries()) {
    const own = resolveInOption(told.question, option, from(1), from(i + 2), who, found.gender, rivals);
    if (own === undefined) return { refused: "ambiguous pronoun in an option" };
    options.push(
      retell(option, { who, voice: "I", own: asked ? own : new Set(), tags: from(i + 2), bareVerb }),
    );
  }
  const doubt = [story, question, ...options].find((one) => one.doubt !== undefined)?.doubt;
  if (doubt !== undefined) return { refused: doubt };
  const first = { story: story.text, question: question.text, options: options.map(({ text }) => text) };
  const slip = slipIn(first) ?? leftIn(first, who, told);
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

/** The positions of an option's pronouns that mean the protagonist; their antecedents are in the question. */
function resolveInOption(
  question: string,
  option: string,
  inQuestion: Tags,
  inOption: Tags,
  who: string,
  gender: Gender | undefined,
  rivals: boolean,
): Set<number> | undefined {
  const shift = question.length + 1;
  const at =
    <T>(read: (tags: Tags, start: number) => T) =>
    (start: number) =>
      start < shift ? read(inQuestion, start) : read(inOption, start - shift);
  const tags: Tags = {
    ...(inQuestion.whole ? { whole: true } : {}),
    isVerb: at((of, start) => of.isVerb(start)),
    isNominal: at((of, start) => of.isNominal(start)),
    isNoun: at((of, start) => of.isNoun(start)),
    isActor: at((of, start) => of.isActor(start)),
    gender: at((of, start) => of.gender(start)),
  };
  const found = resolvePronouns(`${question} ${option}`, tags, namePattern(who), gender);
  if (found.ambiguous !== undefined) return undefined;
  const own = new Set([...found.own].filter((start) => start >= shift).map((start) => start - shift));
  return rivals && vague(option, own) ? undefined : own;
}

/** Detects "He promises to treat him", "She knows that she …", where the second pronoun could mean somebody else in the story. */
function vague(option: string, own: ReadonlySet<number>): boolean {
  const words = wordsOf(option);
  return words.some(({ text, start }, i) => {
    if (!own.has(start)) return false;
    const next = words[i + 1]?.text ?? "";
    const subject = /^s?he$/i.test(text);
    const possessive = /^(?:his|her)$/i.test(text) && /^\p{Ll}/u.test(next) && !closes.test(next);
    if (subject)
      return (
        i > 0 && /^(?:that|if|whether|thinks|knows|hopes|believes|and|but)$/.test(words[i - 1]?.text ?? "")
      );
    return !possessive && !/self$/i.test(text);
  });
}

/** Words that begin a new phrase after "her": "tells her to come". */
const closes =
  /^(?:to|that|about|for|with|and|or|in|on|at|by|from|because|if|so|when|what|how|why|it|a|an|the|not|too)$/;

/** Tags of a part that begins at an offset of the whole text. */
function shifted(tags: Tags, by: number): Tags {
  return {
    ...(tags.whole ? { whole: true } : {}),
    isVerb: (start) => tags.isVerb(start + by),
    isNominal: (start) => tags.isNominal(start + by),
    isNoun: (start) => tags.isNoun(start + by),
    isActor: (start) => tags.isActor(start + by),
    gender: (start) => tags.gender(start + by),
  };
}

/** The original of a converted item, exactly. */
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
