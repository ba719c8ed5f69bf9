// The filter of synthetic data: a pool of what was kept, and rules that are applied in order, the cheap ones first. A pair
// is refused by the first rule that it fails; every decision is recorded.

import type { Screen } from "../../../core/specializer.js";
import { rougeIndex } from "../../../learn/rouge.js";
import { askedText, type Decision, type Pair, type Prompted, type Rule, responseText } from "./pair.js";
import { repeats } from "./write.js";

export interface FilterOptions {
  /** A pair is not new if its ROUGE-L to anything in the pool is at least this (Self-Instruct: 0.7). */
  novelty: number;
  /** Words of input and question together, least and most, and most of a response. */
  words: { least: number; most: number; response: number };
}

/** The filter for rows written by people: they are refused if they repeat dev, test or an earlier row, not for their content. */
export function givenFilter(options: FilterOptions, screen?: Screen): Filter {
  const seen = new Set<string>();
  const { response } = makeFilter(options, screen);
  return {
    get size() {
      return seen.size;
    },
    know: (prompted) => {
      seen.add(askedText(prompted));
    },
    asked(prompted) {
      const text = askedText(prompted);
      const decisions = ask([
        ["leak", () => leak(screen, [prompted.input, prompted.question])],
        ["novelty", () => (seen.has(text) ? "the same text as a row before" : undefined)],
      ]);
      seen.add(text);
      return decisions;
    },
    response,
  };
}

export interface Filter {
  /** Judges what is asked, and adds it to the pool if it passes. */
  asked(prompted: Prompted): Decision[];
  /** Judges a response to what passed. */
  response(pair: Pick<Pair, "input" | "question" | "options" | "response">): Decision[];
  /** Puts texts into the pool that pairs must differ from: the seeds. */
  know(prompted: Prompted): void;
  readonly size: number;
}

/** What a person, or a model that declines, says in place of an answer. */
const refusals =
  /^\W*(?:i(?:['’]m| am) (?:sorry|afraid|unable|not able)|sorry[,.]? |i (?:can(?:no|['’])?t|cannot|do(?:n['’]| no)t (?:know|have))\b|as an? (?:ai|language model|artificial)|unfortunately,? i\b)|\bas an? (?:ai|large) (?:language )?(?:model|assistant)\b/i;

const count = (text: string) => text.split(/\s+/).filter(Boolean).length;

/** @param screen finds what repeats dev or test; without one nothing is screened */
export function makeFilter({ novelty, words }: FilterOptions, screen?: Screen): Filter {
  const pool = rougeIndex(novelty);
  return {
    get size() {
      return pool.size;
    },
    know: (prompted) => pool.add(askedText(prompted)),
    asked(prompted) {
      const text = askedText(prompted);
      const decisions = ask([
        [
          "length",
          () => {
            const n = count(`${prompted.input} ${prompted.question ?? ""}`);
            return n < words.least || n > words.most ? `${n} words` : undefined;
          },
        ],
        [
          "refusal",
          () =>
            refusals.test(prompted.instruction) || refusals.test(prompted.input) ? "declines" : undefined,
        ],
        ["leak", () => leak(screen, [prompted.input, prompted.question, prompted.instruction])],
        [
          "novelty",
          () => {
            const near = pool.nearest(text);
            return near
              ? `ROUGE-L ${near.score.toFixed(2)} to number ${near.index + 1} of the pool`
              : undefined;
          },
        ],
      ]);
      if (decisions.every(({ passed }) => passed)) pool.add(text);
      return decisions;
    },
    response({ input, question, options, response }) {
      const text = responseText({ ...(options ? { options } : {}), response });
      return ask([
        [
          "response format",
          () => {
            if (response.trim() === "") return "empty";
            if (options && !options.some(({ key }) => key === response)) return "none of the options";
            if (options) return undefined;
            if (/^(?:Instruction|Input|Question|Task \d+)\b.*:/im.test(text))
              return "goes on with another task";
            if (repeats(text)) return "repeats itself";
            const same = (other: string | undefined) =>
              other?.trim().toLowerCase() === text.trim().toLowerCase();
            return same(input) || same(question) ? "repeats the input" : undefined;
          },
        ],
        ["response length", () => (count(text) > words.response ? `${count(text)} words` : undefined)],
        ["response refusal", () => (!options && refusals.test(text) ? "declines" : undefined)],
        ["response leak", () => leak(screen, [options ? undefined : text])],
      ]);
    },
  };
}

/** Applies rules in order, up to the first that refuses. */
function ask(checks: readonly [Rule, () => string | undefined][]): Decision[] {
  const decisions: Decision[] = [];
  for (const [rule, check] of checks) {
    const why = check();
    decisions.push({ rule, passed: why === undefined, ...(why === undefined ? {} : { why }) });
    if (why !== undefined) break;
  }
  return decisions;
}

function leak(screen: Screen | undefined, texts: readonly (string | undefined)[]): string | undefined {
  for (const text of texts) {
    const found = text && screen?.overlap(text);
    if (found) return `${found.words} words of ${found.split}`;
  }
  return undefined;
}
