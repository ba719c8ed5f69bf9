// Retells a text with a character as "you" or "I": names and pronouns are replaced, and the character's verbs are made to
// agree, through coordinated verbs and past insertions between commas. If a verb's subject cannot be determined, `doubt` says
// so.

import { agreeing, auxiliaries, isAdverb, pronoun } from "./grammar.js";
import { sentenceStart } from "./people.js";
import {
  apply,
  type Change,
  clauses,
  coordinators,
  isPerson,
  isQuestion,
  joins,
  type Piece,
  piecesOf,
  prepositions,
  subordinators,
  type Work,
} from "./pieces.js";
import { unquoted } from "./quotes.js";
import type { Edit } from "./told.js";

export interface Retold {
  text: string;
  edits: Edit[];
  /** Why the text must not be used. */
  doubt?: string;
}

/** Replacements for "they" and "their" where the protagonist is one of two. */
const plural: Readonly<Record<string, string>> = { they: "you both", their: "your" };

const interrupted = "an interrupted subject: you, …";
const unclear = "a verb that may be yours or another's";

export function retell(text: string, work: Work): Retold {
  return new Teller(text, work).tell();
}

/** Goes through the words once; its fields hold the state at the current word. */
class Teller {
  private readonly plain: string;
  private readonly pieces: readonly Piece[];
  private readonly changes = new Map<number, Change>();
  private doubt: string | undefined;
  /** The verbs that follow belong to the protagonist. */
  private chain = false;
  /** Since the last verb of the chain, another's verb has occurred in a clause within it. */
  private mixed = false;
  /** In "the ship on which you serve, asks", a comma ends the protagonist's chain of verbs. */
  private relative = false;
  /** Somebody else's verb has occurred in this sentence. */
  private another = false;
  /** "you" is in a clause of somebody else's sentence. */
  private nested = false;
  /** Another's verb is in a "that" clause, right after its subject. */
  private within = false;
  /** The comma after "you" that opens an insertion between subject and verb. */
  private opened: number | undefined;
  /** The last sentence in which "they" are the protagonist and one other. */
  private joint = Number.NaN;
  private sentence = 0;
  private together = false;

  constructor(
    private readonly text: string,
    private readonly work: Work,
  ) {
    this.plain = unquoted(text);
    this.pieces = piecesOf(text, this.plain, work);
  }

  tell(): Retold {
    let lastSentence = -1;
    for (const [i, piece] of this.pieces.entries()) {
      const from = sentenceStart(this.text, piece.start);
      if (from !== lastSentence) {
        lastSentence = from;
        this.begin();
      }
      const first = /^["“'‘\s]*$/.test(this.plain.slice(from, piece.start));
      if (piece.as === undefined) this.word(i, first);
      else if (piece.as === "name" || piece.as === "subject") this.person(i, first);
      else this.change(i, pronoun(this.work.voice, piece.as, first));
    }
    if (this.opened !== undefined) this.doubt ??= interrupted;
    const { text, edits } = apply(this.text, [...this.changes.values()]);
    return this.doubt === undefined ? { text, edits } : { text, edits, doubt: this.doubt };
  }

  private begin(): void {
    if (this.opened !== undefined) this.doubt ??= interrupted;
    this.opened = undefined;
    this.chain = this.mixed = this.relative = this.another = false;
    this.together = this.sentence === this.joint || this.sentence === this.joint + 1;
    this.sentence++;
  }

  private at(i: number): string {
    return this.pieces[i]?.text.toLowerCase() ?? "";
  }

  private change(i: number, now: string): void {
    const { start, end } = this.pieces[i] as Piece;
    this.changes.set(i, { start, end, now });
  }

  private form(i: number): string | undefined {
    const piece = this.pieces[i];
    return piece && piece.as === undefined ? agreeing(piece.text, this.work.voice) : undefined;
  }

  private agree(i: number): boolean {
    const form = this.form(i);
    if (form === undefined) return false;
    this.change(i, form);
    return true;
  }

  private isVerb(i: number): boolean {
    const piece = this.pieces[i];
    return piece !== undefined && piece.as === undefined && this.work.tags.isVerb(piece.start);
  }

  /** The index of the next word that is not an adverb, forwards or backwards. */
  private beyond(from: number, step: 1 | -1): number {
    let at = from + step;
    for (;;) {
      const longer = this.at(at) === "longer" && this.at(at - 1) === "no";
      const no = this.at(at) === "no" && this.at(at + 1) === "longer";
      const quantity = step < 0 && /^(?:all|both|much|now|too)$/.test(this.at(at));
      if (!this.pieces[at] || !(longer || no || (isAdverb(this.at(at)) && !quantity))) return at;
      at += step;
    }
  }

  private word(i: number, first: boolean): void {
    const lower = this.at(i);
    if (this.closes(i)) return;
    if (this.work.bareVerb && this.beyond(-1, 1) === i && this.isVerb(i) && !impersonal.test(this.plain)) {
      this.chain = this.agree(i);
      return;
    }
    if (this.together && this.plurals(i, first)) return;
    if (lower === "," && this.relative) this.chain = false;
    if (this.changes.has(i) || this.form(i) === undefined) return;
    // "…, is this true?"
    if (/^(?:is|was|does|has)$/.test(lower) && /^(?:this|that|it|there)$/.test(this.at(i + 1))) return;
    const before = this.beyond(i, -1);
    const coordinated =
      coordinators.has(this.at(before)) &&
      !/^(?:especially|particularly|mainly|mostly)$/.test(this.at(i - 1));
    // "…, picks it up", "and happily says": verbs, whatever their tags.
    const taken =
      /^(?:it|him|her|them|me|himself|herself)$/.test(this.at(i + 1)) || this.pieces[i + 1]?.as === "object";
    const led =
      coordinated &&
      before < i - 1 &&
      /^(?:then|still|just|again|(?!especially|particularly|mainly|mostly|only)\w+ly)$/.test(this.at(i - 1));
    const verb =
      this.isVerb(i) || (this.chain && coordinated && (taken || led)) || (this.at(i - 1) === "then" && taken);
    const parted = this.at(before) !== "and" && this.at(before) !== "or" ? true : this.at(before - 1) === ",";
    if (this.chain && coordinated && verb) {
      const safe = this.work.tags.whole || (!parted && before === i - 1 && this.within);
      if (this.mixed ? !safe : this.another && parted && this.nested) this.doubt ??= unclear;
      else if (!this.mixed) this.agree(i);
    } else if (
      this.chain &&
      coordinated &&
      !this.work.tags.whole &&
      !/^[,.;:!?]$|^(?:and|or)$|^$/.test(this.at(i + 1))
    )
      this.doubt ??= unclear;
    else if (verb) this.others(i);
    else if (/^an?$/.test(this.at(i - 2)) && this.work.tags.isNoun(this.pieces[i - 1]?.start ?? 0))
      this.mixed = true;
  }

  /** Handles another's verb: within the protagonist's clause, or at the beginning of another one. */
  private others(i: number): void {
    const subject = this.beyond(i, -1);
    const piece = this.pieces[subject];
    // A noun that is tagged as a verb, such as "actions", has no subject before it.
    if (piece === undefined || !(subjects.test(piece.text) || this.work.tags.isNominal(piece.start))) return;
    this.another = true;
    if (!this.chain) return;
    for (let at = this.beyond(i, -1); at >= 0; at--) {
      const word = this.at(at);
      if (coordinators.has(word)) {
        this.chain = this.mixed = false;
        return;
      }
      if (subordinators.has(word) || this.changes.has(at) || this.isVerb(at)) break;
    }
    this.mixed = true;
    // "you know that Carla likes tea and hates milk": the second verb is also Carla's.
    this.within = this.at(subject - 1) === "that" && !/^(?:is|was|has|does)$/.test(this.at(i));
  }

  /** Handles the comma that ends an insertion: the verb follows "you, …,". */
  private closes(i: number): boolean {
    if (this.opened === undefined || i <= this.opened || this.at(i) !== ",") return false;
    const at = this.beyond(i, 1);
    if (this.form(at) !== undefined && !/^(?:and|or)$/.test(this.at(at))) this.agree(at);
    else if (!past.test(this.at(at))) this.doubt ??= interrupted;
    this.opened = undefined;
    this.chain = true;
    this.mixed = false;
    return true;
  }

  /** Replaces "they" and "their" that mean the protagonist and one other. */
  private plurals(i: number, first: boolean): boolean {
    const lower = this.at(i);
    if (!/^(?:they|them|their|themselves)$/.test(lower)) return false;
    const of = /^(?:of|between)$/.test(this.at(i - 1));
    if (lower === "them" && of) this.change(i, "you");
    else if (!(lower in plural)) this.doubt ??= "a plural is left that may mean you";
    else {
      const form = this.at(i + 1) === "both" ? "you" : (plural[lower] as string);
      this.change(i, first ? form.charAt(0).toUpperCase() + form.slice(1) : form);
      this.joint = this.sentence;
    }
    return true;
  }

  private person(i: number, first: boolean): void {
    const { voice } = this.work;
    const piece = this.pieces[i] as Piece;
    const before = this.at(i - 1);
    const verb = this.beyond(i, 1);
    const singular = this.form(verb) !== undefined;
    // ", and you, …, say" begins a clause; "Anna and you" is a pair.
    const clause =
      this.at(i - 2) === "," && this.at(verb) === "," && !/^\p{Lu}/u.test(this.pieces[i - 3]?.text ?? "");
    const paired = joins.has(before) && i > 1 && !singular && !clause;
    const leads = this.at(i + 1) === "and" && isPerson(this.pieces[i + 2], this.work.tags, this.text);
    const listed = /^,(?:\s\p{Lu}\p{Ll}+)+(?:,(?:\s\p{Lu}\p{Ll}+)+)*,? and\b/u.test(
      this.plain.slice(piece.end),
    );
    const inverted = auxiliaries.has(before) && isQuestion(this.text, piece.start);
    const afterPreposition = prepositions.has(before) && !(clauses.has(before) && singular);
    const object = i > 0 && (afterPreposition || (piece.as === "name" && this.isVerb(i - 1)));
    this.opened = undefined;
    if (this.possessed(i)) return;
    let subject = piece.as === "subject" || inverted || first;
    const who = this.at(verb) === "," ? verb + 1 : verb;
    const says = this.at(who) === "who" ? this.beyond(who, 1) : -1;
    if (inverted) this.start(this.agree(i - 1), before);
    else if (leads || listed || (paired && !first)) {
      this.chain = false;
      // "Anna, Carl, and Ben" are three people.
      this.together =
        voice === "you" &&
        !listed &&
        !this.several(i) &&
        !(before === "and" && this.at(i - 2) === ",") &&
        !/^,/.test(this.at(i - 3));
      this.joint = this.together ? this.sentence : Number.NaN;
    } else if (!afterPreposition && this.finite(verb) && this.agree(verb)) {
      subject = true;
      this.start(true, before);
    } else if (says >= 0 && this.agree(says)) {
      this.start(true, before);
      if (!object && this.at(verb) === ",") this.opened = verb;
    } else if (object) this.chain = false;
    else if (
      subject ||
      this.at(verb) === "," ||
      /^(?:,|that|when|if|because|while|but|and|whether)$/.test(before)
    ) {
      this.start(true, before);
      if (this.at(verb) === ",") this.opened = verb;
      else if (
        /^[(—–]$/.test(this.at(verb)) ||
        (voice === "you" && prepositions.has(this.at(verb)) && piece.as === "name")
      )
        this.doubt ??= interrupted;
    }
    if (!subject && i > 0 && !prepositions.has(before) && !this.isVerb(i - 1)) subject = true;
    this.change(i, pronoun(voice, subject || voice === "you" ? "subject" : "object", first));
  }

  /** Whether more than two people are meant: "Ben and his friends", "the boys and Ben". */
  private several(i: number): boolean {
    const { start, end } = this.pieces[i] as Piece;
    const plural = "\\p{Ll}+(?:[^s]s|children|people|men)";
    return (
      new RegExp(`^ and (?:\\p{Ll}+ ){0,2}${plural}\\b`, "u").test(this.plain.slice(end)) ||
      new RegExp(`${plural},? and $`, "u").test(this.plain.slice(0, start))
    );
  }

  /** The protagonist's chain of verbs begins. */
  private start(chain: boolean, before: string): void {
    this.chain = chain;
    this.mixed = false;
    this.relative = before === "which" || before === "whom";
    this.nested = subordinators.has(before);
  }

  /** After a subject, a word in -s is its verb, unless it is capitalized. */
  private finite(i: number): boolean {
    return this.isVerb(i) || (this.form(i) !== undefined && !/^\p{Lu}/u.test(this.pieces[i]?.text ?? ""));
  }

  /** "the hands of Ben" → "your hands", "two cousins of Ben" → "two cousins of yours". */
  private possessed(i: number): boolean {
    if (this.at(i - 1) !== "of" || !/^\p{Ll}+$/u.test(this.at(i - 2))) return false;
    const { voice } = this.work;
    const noun = this.pieces[i - 2] as Piece;
    const the = [i - 3, i - 4].find((at) =>
      /^(?:the|an?|some|two|three|four|many|several)$/.test(this.at(at)),
    );
    if (the === undefined || (the === i - 4 && !/^\p{Ll}+$/u.test(this.at(i - 3)))) return false;
    if (
      /^(?:sight|thought|rest|front|middle|news|story|picture|photo|top|side|presence|all|most)$/.test(
        noun.text,
      )
    )
      return false;
    // "the desks of Ben and Carl" are not yours alone.
    if (joins.has(this.at(i + 1))) this.doubt ??= "what is yours and another's";
    this.chain = false;
    const word = this.pieces[the] as Piece;
    if (word.text.toLowerCase() !== "the") {
      this.change(i, pronoun(voice, "mine", false));
      return true;
    }
    this.change(the, pronoun(voice, "possessive", /^\p{Lu}/u.test(word.text)));
    this.changes.set(i, { start: noun.end, end: (this.pieces[i] as Piece).end, now: "" });
    return true;
  }
}

/** "Does not matter" has no person as its subject. */
const impersonal = /\b(?:matter|mention|depend|specify)/;

/** A word in "-s" after one of these is a verb. */
const subjects = /^\p{Lu}|^(?:he|she|it|who|which|that|everyone|everybody|someone|nobody|one)$/u;

/** Words that may follow "you, …," and agree with every person. */
const past =
  /^(?:can|could|will|would|must|may|might|should|did|had|went|came|said|saw|took|gave|made|felt|found|\p{Ll}+ed)$/u;
