// Grammar for turning a person into "you" or "I": verb forms that agree, pronouns, and tokenization into words with
// positions.

/** Who speaks: stories and questions say "you", a chosen option says "I". */
export type Voice = "you" | "I";

export interface Word {
  text: string;
  start: number;
  end: number;
}

/** Words with their positions; punctuation marks are words of their own, white space is not. */
export function wordsOf(text: string): Word[] {
  return [...text.matchAll(/[\p{L}\p{N}_]+(?:['’-][\p{L}]+)*['’]?|[^\s\p{L}\p{N}_]/gu)].map((found) => {
    const [whole] = found;
    // A trailing quotation mark is not a possessive apostrophe, except after an s.
    const word = /[^sS]['’]$/.test(whole) && whole.length > 1 ? whole.slice(0, -1) : whole;
    return { text: word, start: found.index, end: found.index + word.length };
  });
}

const irregular: Readonly<Record<string, string>> = {
  is: "are",
  was: "were",
  has: "have",
  does: "do",
  goes: "go",
  undergoes: "undergo",
  "isn't": "aren't",
  "wasn't": "weren't",
  "hasn't": "haven't",
  "doesn't": "don't",
  lies: "lie",
  dies: "die",
  ties: "tie",
  aches: "ache",
  unties: "untie",
};

const forI: Readonly<Record<string, string>> = {
  is: "am",
  was: "was",
  "isn't": "am not",
  "wasn't": "wasn't",
};

/**
 * A verb in the third person singular, as it agrees with "you" or "I": sees → see, was → were (you) or was (I).
 * Undefined if the word has no such form: past tenses and modals agree with every person.
 */
export function agreeing(word: string, voice: Voice): string | undefined {
  const lower = word.toLowerCase().replace("’", "'");
  const found = voice === "I" ? (forI[lower] ?? irregular[lower]) : irregular[lower];
  const base = found ?? regular(lower);
  if (base === undefined) return undefined;
  return word.charAt(0) === lower.charAt(0) ? base : base.charAt(0).toUpperCase() + base.slice(1);
}

/** The plain form of a regular third person singular verb. */
function regular(lower: string): string | undefined {
  if (!/^[a-z-]{2,}s$/.test(lower) || /(?:ss|us|is)$/.test(lower) || notVerbs.has(lower)) return undefined;
  if (/[^aeiou]ies$/.test(lower)) return `${lower.slice(0, -3)}y`;
  if (/(?:ss|sh|ch|x|zz|o)es$/.test(lower)) return lower.slice(0, -2);
  return lower.slice(0, -1);
}

/** Words in -s that may follow a subject and are not verbs. */
const notVerbs = new Set(
  "always sometimes perhaps towards afterwards besides upwards downwards backwards forwards across its his hers ours yours theirs as thus yes plus nowadays indoors outdoors downstairs upstairs overseas news series means".split(
    " ",
  ),
);

/** Whether the word may stand between a subject and its verb. */
export function isAdverb(word: string): boolean {
  const lower = word.toLowerCase();
  return (
    betweens.has(lower) ||
    (/[a-z]{3,}ly$/.test(lower) &&
      !["family", "reply", "apply", "rely", "supply", "fly", "only child"].includes(lower))
  );
}

const betweens = new Set(
  "also always often never just still then soon even ever again now already first finally really actually suddenly not therefore only once sometimes usually both all too however instead immediately secretly perhaps probably possibly later thus indeed almost much very maybe".split(
    " ",
  ),
);

/** Auxiliaries that precede the subject of a question. */
export const auxiliaries = new Set(["does", "is", "was", "has", "doesn't", "isn't", "wasn't", "hasn't"]);

export type PronounCase = "subject" | "object" | "possessive" | "reflexive" | "mine";

const forms: Record<Voice, Record<PronounCase, string>> = {
  you: { subject: "you", object: "you", possessive: "your", reflexive: "yourself", mine: "yours" },
  I: { subject: "I", object: "me", possessive: "my", reflexive: "myself", mine: "mine" },
};

/** The pronoun for a voice and a case, capitalized at the beginning of a sentence. */
export function pronoun(voice: Voice, form: PronounCase, capital: boolean): string {
  const word = forms[voice][form];
  return capital ? word.charAt(0).toUpperCase() + word.slice(1) : word;
}

export type Gender = "he" | "she";

/** Third-person singular pronouns; the case of "her" depends on what follows. */
export function readPronoun(word: string): { gender: Gender; form: PronounCase | "her" } | undefined {
  return thirds[word.toLowerCase()];
}

const thirds: Readonly<Record<string, { gender: Gender; form: PronounCase | "her" }>> = {
  he: { gender: "he", form: "subject" },
  she: { gender: "she", form: "subject" },
  him: { gender: "he", form: "object" },
  her: { gender: "she", form: "her" },
  his: { gender: "he", form: "possessive" },
  hers: { gender: "she", form: "mine" },
  himself: { gender: "he", form: "reflexive" },
  herself: { gender: "she", form: "reflexive" },
};
