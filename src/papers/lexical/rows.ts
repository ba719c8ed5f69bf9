// Helpers shared by readers of the lexical data: rows of a study's file, lines, random draws, language codes.

import { readFile } from "node:fs/promises";
import { randomFor, shuffled } from "../../core/random.js";

/** A row of a study's file. */
export interface QueryRow {
  id: string;
  text: string;
  answer: string | string[];
  stratum: string;
  group: string;
  question?: string;
}

/** Non-empty lines of a file. */
export const lines = async (path: string): Promise<string[]> =>
  (await readFile(path, "utf8")).split(/\r?\n/).filter((line) => line !== "");

/** A random subset of the items, the same every time. */
export const drawn = <T>(items: readonly T[], count: number, ...purpose: string[]): T[] =>
  shuffled(items, randomFor(1, ...purpose)).slice(0, count);

/** ISO 639-1 codes of the three-letter ones that Multi-SimLex and Tatoeba have; `yue` has none. */
export const twoLetters: Readonly<Record<string, string>> = {
  cmn: "zh",
  cym: "cy",
  deu: "de",
  eng: "en",
  est: "et",
  fin: "fi",
  fra: "fr",
  heb: "he",
  hrv: "hr",
  ita: "it",
  kat: "ka",
  pol: "pl",
  rus: "ru",
  spa: "es",
  swa: "sw",
  tur: "tr",
  yue: "yue",
};
