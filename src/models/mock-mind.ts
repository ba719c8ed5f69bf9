// The mock's answers: a pure function of its seed and the prompt. The same request gets the same answer, in any order
// and at any concurrency. Latency and failures are added by mock.ts and mock-server.ts.
//
// The mock has a real skill on real prompts. With an oracle it knows the right option; without one, the right option is the
// one that shares most words with the text. It prefers the right option with probability `skill` and otherwise a wrong one,
// by a margin drawn uniformly from 0 to 1. A position's `bias` is added, so a bias of 0.2 captures a fifth of the answers
// that belong elsewhere, and an empty input shows the bias alone, which calibration and shuffling are meant to remove.

import { type Random, randomFor } from "../core/random.js";

/** Returns the right answer to a prompt (an option's label or text, or a free text); undefined if unknown. */
export type Oracle = (prompt: string, options: readonly string[]) => string | undefined;

export interface MindOptions {
  /** Probability of preferring the right answer. */
  skill: number;
  /** Extra weight by position, from 0. */
  bias: ReadonlyMap<number, number>;
  seed: number;
  oracle?: Oracle | undefined;
}

export interface Mind {
  /** Natural-log probability of each option after the prompt; the probabilities sum to 1. `write` would choose the likeliest. */
  weigh(prompt: string, options: readonly string[]): number[];
  write(
    prompt: string,
    how: { maxTokens: number; temperature: number; seed: number; topP?: number; stop?: readonly string[] },
  ): { text: string; finish: "stop" | "length" };
  /** A unit vector of hashed words: texts that share words are close. */
  embed(text: string): number[];
}

const dimensions = 256;
/** Turns margins into probabilities: the largest margin means near certainty. */
const sharpness = 8;

export function createMind(options: MindOptions): Mind {
  const { skill, bias, seed, oracle } = options;

  /** A score for each option: its bias, plus the margin for the option held to be right, if any is. */
  function logits(
    prompt: string,
    texts: readonly string[],
    names: readonly string[],
    random: Random,
  ): number[] {
    const right = oracle
      ? matchAnswer(oracle(prompt, names), names, texts)
      : maxOverlap(prompt, texts, randomFor(seed, "tie", ...texts));
    const knows = random() < skill;
    const other = Math.floor(random() * (texts.length - 1));
    const margin = 0.01 + 0.99 * random();
    const believed =
      right === undefined || knows || texts.length < 2 ? right : other + (other >= right ? 1 : 0);
    return texts.map((_, i) => (bias.get(i) ?? 0) + (i === believed ? margin : 0) + random() * 1e-3);
  }

  function weigh(prompt: string, given: readonly string[]): number[] {
    const names = given.map((option) => option.trim());
    const list = listedOptions(prompt);
    const labelled = list.length === names.length && list.every(({ label }, i) => label === names[i]);
    const texts = labelled ? list.map(({ text }) => text) : names;
    return logSoftmax(logits(prompt, texts, names, randomFor(seed, "mind", prompt)));
  }

  return {
    weigh,
    write(prompt, { maxTokens, temperature, seed: drawn, topP = 1, stop = [] }) {
      const list = listedOptions(prompt);
      const names = list.map(({ label, text }) => label ?? text);
      const random = randomFor(seed, "write", prompt, temperature > 0 ? drawn : -1);
      let text: string;
      if (names.length > 0) {
        const scores = weigh(prompt, names);
        text = names[temperature > 0 ? draw(scores, temperature, topP, random) : argmax(scores)] as string;
      } else {
        const right = oracle?.(prompt, []);
        text = right === undefined ? someWords(prompt, random) : random() < skill ? right : `not ${right}`;
      }
      for (const mark of stop) if (mark && text.includes(mark)) text = text.slice(0, text.indexOf(mark));
      const tokens = tokenize(text);
      if (tokens.length <= maxTokens) return { text, finish: "stop" };
      return { text: tokens.slice(0, maxTokens).join(""), finish: "length" };
    },
    embed(text) {
      const vector = new Array<number>(dimensions).fill(0);
      for (const word of wordsOf(text)) {
        const hash = fnv(word);
        const index = hash % dimensions;
        vector[index] = (vector[index] as number) + (hash & 0x10000 ? 1 : -1);
      }
      const norm = Math.sqrt(vector.reduce((sum, one) => sum + one * one, 0));
      if (norm === 0) return vector.map((_, i) => (i === 0 ? 1 : 0));
      return vector.map((one) => one / norm);
    },
  };
}

/** The mock's tokens: up to six characters of a word with the space before it. Joined, they are the text again. */
export function tokenize(text: string): string[] {
  return text.match(/\s*\S{1,6}|\s+$/gu) ?? [];
}

/** The last list of options in a prompt: lines `A. text`, `01) text` or `- text`; empty if there is none. */
export function listedOptions(prompt: string): { label?: string; text: string }[] {
  let last: { label?: string; text: string }[] = [];
  let run: { label?: string; text: string }[] = [];
  for (const line of prompt.split("\n")) {
    const match = /^(?:\(?([A-Z]|\d{1,4})[.):]|-) +(\S.*)$/.exec(line);
    const [, label, text = ""] = match ?? [];
    const follows = run.length > 0 && (run[0]?.label === undefined) === (label === undefined);
    if (!match) run = [];
    else if (label === undefined) run = follows ? run : [];
    else if (positionOf(label) === 0) run = [];
    else if (!follows || positionOf(label) !== run.length) {
      run = [];
      continue;
    }
    if (!match) continue;
    run.push(label === undefined ? { text } : { label, text });
    if (run.length >= 2) last = run;
  }
  return last;
}

/** 0 for `A` and for `1`; undefined if the label is not a position. */
export function positionOf(label: string): number | undefined {
  if (/^[A-Z]$/.test(label)) return label.charCodeAt(0) - 65;
  return /^\d+$/.test(label) && Number(label) > 0 ? Number(label) - 1 : undefined;
}

function matchAnswer(
  answer: string | undefined,
  names: readonly string[],
  texts: readonly string[],
): number | undefined {
  if (answer === undefined) return undefined;
  const trimmed = answer.trim();
  const byName = names.indexOf(trimmed);
  if (byName >= 0) return byName;
  const byText = texts.indexOf(trimmed);
  if (byText >= 0) return byText;
  const position = positionOf(trimmed);
  return position !== undefined && position < texts.length ? position : undefined;
}

/** The option with the largest share of its words in the text, excluding the list itself and worked examples. */
function maxOverlap(prompt: string, texts: readonly string[], random: Random): number | undefined {
  const shots = [...prompt.matchAll(/^Answer: *\S.*$/gm)].at(-1);
  const body = (shots ? prompt.slice(shots.index + shots[0].length) : prompt).replace(
    /^(?:\(?(?:[A-Z]|\d{1,4})[.):]|-) +\S.*$/gm,
    "",
  );
  const words = new Set(wordsOf(body));
  let best: number | undefined;
  let most = 0;
  for (const [i, text] of texts.entries()) {
    const own = wordsOf(text);
    // Ties in the share go to the option with more words, then to a random draw, never to a position.
    const share = own.filter((word) => words.has(word)).length / Math.max(1, own.length);
    const value = share === 0 ? 0 : share + own.length * 1e-3 + random() * 1e-6;
    if (value > most) {
      most = value;
      best = i;
    }
  }
  return best;
}

function someWords(prompt: string, random: Random): string {
  const words = wordsOf(prompt);
  const start = Math.floor(random() * Math.max(1, words.length - 8));
  return words.slice(start, start + 8).join(" ") || "nothing";
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]{2,}/gu) ?? [];
}

function logSoftmax(values: readonly number[]): number[] {
  const scaled = values.map((value) => value * sharpness);
  const top = Math.max(...scaled);
  const total = top + Math.log(scaled.reduce((sum, value) => sum + Math.exp(value - top), 0));
  return scaled.map((value) => value - total);
}

function argmax(values: readonly number[]): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
}

/** Samples from the likeliest options that together have probability `topP`. */
function draw(logprobs: readonly number[], temperature: number, topP: number, random: Random): number {
  const top = Math.max(...logprobs);
  const weights = logprobs.map((value) => Math.exp((value - top) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let mass = 0;
  for (const i of [...weights.keys()].sort((a, b) => (weights[b] as number) - (weights[a] as number))) {
    const weight = weights[i] as number;
    if (mass >= topP * total) weights[i] = 0;
    mass += weight;
  }
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [i, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return i;
  }
  return argmax(weights);
}

/** FNV-1a, 32 bits. */
function fnv(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
