// Detects texts that the rules cannot handle, before and after the conversion: each cause is named, so that it can be
// counted.

import { wordsOf } from "./grammar.js";
import { namePattern, sentenceStart } from "./people.js";
import { quoted, unquoted } from "./quotes.js";
import { isPeople, isRole } from "./roles.js";
import type { Tags } from "./tagger.js";
import type { Told } from "./told.js";

/** Why a name cannot become "you" where it stands: a title or a noun before it, or an apposition. */
export function unlikeYou(text: string, who: string, tags: Tags): string | undefined {
  const plain = unquoted(text);
  for (const { index, 0: name } of plain.matchAll(namePattern(who))) {
    const before = plain.slice(0, index);
    const after = plain.slice(index + name.length);
    const owner = /(\p{L}+['’]s?)\s$/u.exec(before)?.[1];
    if (owner !== undefined) return `a title before the name: ${owner} ${who}`;
    const [, word = ""] = /(?<![\p{L}'’])((?:Mr|Mrs|Ms|Dr)\.|\p{L}+)\s$/u.exec(before) ?? [];
    const at = index - word.length - 1;
    if (word !== "" && (isTitle(word) || (tags.isNoun(at) && !times.has(word) && !tags.isVerb(at))))
      return `a title before the name: ${word} ${who}`;
    if (/^\p{Lu}\p{Ll}+$/u.test(word) && sentenceStart(plain, index) < at - 1)
      return `a title before the name: ${word} ${who}`;
    const [, several = ""] = /(\p{Ll}+)s (?:\p{Lu}\p{Ll}+ )+and $/u.exec(before) ?? [];
    if (isRole(several)) return `a title before the name: … and ${who}`;
    // "his boss, Ben, calls", "says to his son, Ben"
    const [, noun = ""] = /(\p{L}+),\s$/u.exec(before) ?? [];
    if (noun !== "" && isRole(noun) && !/^\s(?:\p{Ll}+ly\s)?(?:\p{Ll}+s|and)\b/u.test(after))
      return "an apposition: … you";
    if (noun !== "" && isRole(noun) && apposed.test(before)) return "an apposition: … you";
    if (noun !== "" && /^\s?,/.test(after) && !/^\s?,(?:\s\p{Lu}\p{Ll}+)+,? and\b/u.test(after))
      return "an apposition: … you";
    if (/^\s?\(/.test(after)) return "an apposition: you (…)";
    // The speaker follows the speech: "says you".
    if (
      /\b(?:says|asks|replies|answers|whispers|shouts|adds)\s$/.test(before) &&
      /["”]\s?\p{L}+\s$/u.test(before)
    )
      return "a verb before its subject: says you";
    // '"…?" Ben asks softly.' continues the sentence, though a capital follows the speech.
    const speaks =
      /^\s(?:\p{Ll}+ly\s)?(?:says|asks|replies|answers|whispers|shouts|adds|continues)\b([^.!?]*)/u.exec(
        after,
      );
    if (/["”]\s$/.test(before) && speaks && !/["“]/.test(speaks[1] as string))
      return "a sentence that goes on after what is said";
  }
  return undefined;
}

/** "His grandson, Ben, …", "one day, his boss, Ben": the noun phrase before the comma is the whole subject. */
const apposed =
  /(?:^|[.!?,]\s|\bto\s|\btells\s)(?:his|her|their|the|an?|\p{Lu}\p{Ll}+['’]s)\s(?:\p{Ll}+\s){0,2}\p{Ll}+,\s$/iu;

const times = new Set(
  "day morning afternoon evening night today tonight yesterday tomorrow time moment week weekend month year once lunch dinner breakfast home way past".split(
    " ",
  ),
);

function isTitle(word: string): boolean {
  const lower = word.toLowerCase();
  return (
    /^(?:(?:mr|mrs|ms|dr)\.?|miss|named|called|old|little|young)$/.test(lower) ||
    isRole(lower) ||
    isRole(lower.replace(/s$/, ""))
  );
}

/** Errors that no conversion may leave, whoever made it: a verb or a word before "you" that cannot stand there. */
export function slipIn({ story, question, options }: Told): string | undefined {
  const texts = [story, question, ...options];
  const has = (pattern: RegExp, of: readonly string[] = texts) =>
    of.some((text) => [...text.matchAll(pattern)].some(({ index }) => !quoted(text, index)));
  if (
    has(/\b(?:does|doesn['’]t|has|hasn['’]t) you\b/gi) ||
    has(/\b(?:is|was|isn['’]t|wasn['’]t) you\b/gi, [question]) ||
    has(
      /(?<!\b(?:of|to|for|with|from|at|by|in|on|about|before|behind|between|and|than|beside|facing|near|towards?|past|over|around|without|against|like) )\byou (?:is|was|has|does|am|isn['’]t|wasn['’]t|hasn['’]t|doesn['’]t)\b/gi,
    )
  )
    return "a verb that does not agree with you";
  if (has(/\b(?:the|an?|my|your|his|her|its|our|their) you\b/gi)) return "a title before the name: … you";
  if (has(/\byou (\w+) (?:that )?you \1\b/gi, [question]))
    return "the question asks what you think you think";
  return undefined;
}

/** Leftovers that still mean "you": "your sister … her sister", "Little Red" for a Xiao Red, "their plans" for you and another. */
export function leftIn(first: Told, who: string, third: Told): string | undefined {
  const { story, question, options } = first;
  const texts = [story, question, ...options];
  const all = texts.map(unquoted).join("\n");
  const [, given] = /\s(\p{L}+)$/u.exec(who) ?? [];
  if (given !== undefined && new RegExp(`\\b(?:Little|Old|Brother|Sister|Young) ${given}\\b`).test(all))
    return "another name is left of somebody";
  for (const { 1: whose } of all.matchAll(/\b(?:his|her) (\p{Ll}+)/giu))
    if (isTitle(whose as string) && new RegExp(`\\byour ${whose}\\b`, "i").test(all))
      return "a pronoun is left of somebody";
  if (/\byou you\b|\byou(?:r|rself)? (?:you|your)\b/i.test(all)) return "a word is missing beside you";
  // "he nods he head"
  if (/\b(?:nods?|shakes?|turns?|raises?|lowers?) (?:you|I|s?he) (?:head|hand|face|eyes)\b/.test(all))
    return "a word is missing beside you";
  // "You are a small robot. It lives on a moon."
  if (/\bYou are an? [^.]*\. It \p{Ll}+s\b/u.test(all)) return "a pronoun is left of somebody";
  // You say "does not go out".
  if (
    texts.some((text) => /\byou [^"“.]{2,30}["“](?:does|doesn['’]t|is|has|will not|goes|wants)\b/i.test(text))
  )
    return "what you say is told in the third person";
  const joint = jointly(unquoted(third.story), who);
  for (const text of texts) {
    if (pluralLeft(unquoted(text), joint || jointly(unquoted(story), "you")))
      return "a plural is left that may mean you";
    if (farRelative(unquoted(text))) return "a relative clause far from you";
  }
  return undefined;
}

/** Whether the protagonist and another may be "they": "Anna and Ben", "Ben and his friend", "takes his friend". */
function jointly(plain: string, who: string): boolean {
  const name = namePattern(who).source;
  return new RegExp(
    `(?:\\p{Ll}|\\p{Lu}\\p{Ll}+) and ${name}|${name}(?:,? and | both |,? with )|\\byou both\\b`,
    "iu",
  ).test(plain);
}

/** Whether a "they", "them" or "their" may mean "you and …", because no other people or things are named in the plural. */
function pluralLeft(plain: string, joint: boolean): boolean {
  for (const { index, 0: word } of plain.matchAll(/\b(?:they|them|their|theirs|themselves)\b/gi)) {
    // "none of them" usually means things; where people could be meant, the conversion writes "of you".
    if (/\b(?:both|two|neither|either) of $/i.test(plain.slice(0, index))) return true;
    if (/\bof $/.test(plain.slice(0, index))) continue;
    const from = sentenceStart(plain, index);
    const here = plain.slice(from, index);
    const last = plain.slice(sentenceStart(plain, Math.max(0, from - 1)), from);
    const people = (text: string) =>
      wordsOf(text).some(({ text: one }) => isPeople(one)) ||
      /\p{Lu}\p{Ll}+ and (?:\p{Lu}|his\b|her\b)/u.test(text);
    if (people(here) && !/\byou both\b|\band you\b|\byou and\b/i.test(here)) continue;
    const things =
      /\b(?:the|some|these|those|two|three|many|several|other|all|of) (?:\p{Ll}+ ){0,2}\p{Ll}{2,}[^s\W]s\b/u.test(
        here,
      );
    if (/^them$/i.test(word) && things) continue;
    if (joint || !(people(last) || (things && /^they$/i.test(word)))) return true;
  }
  return false;
}

/** "runs into you in the office, who just gets promoted" */
function farRelative(plain: string): boolean {
  return [...plain.matchAll(/\b(?:you|me) (?:in|at|on|near|outside|by|from)\b[^,.]*, who\b/gi)].length > 0;
}
