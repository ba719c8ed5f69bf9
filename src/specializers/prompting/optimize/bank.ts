// Proposals that need no other model: phrasings, a glossary of the words that tell labels apart, sets and orders of examples.

import type { Query } from "../../../core/language.js";
import { randomFor, shuffled } from "../../../core/random.js";
import type { Sample } from "../../../core/sample.js";
import type { LanguageTask } from "../../../core/task.js";
import { words } from "../../../learn/text.js";
import { inTurn } from "../../parts/demonstrations.js";
import type { Candidate } from "./candidate.js";

/** Words around an instruction. */
const phrasings: readonly Omit<Candidate, "shots">[] = [
  { name: "read first", before: "Read the whole text before you answer." },
  { name: "options only", after: "Answer with exactly one of the options." },
  { name: "expert", before: "You are an expert in this field." },
];

/** Changes without content: how many are accepted measures the confirmation, not a prompt. */
const idle: readonly Omit<Candidate, "shots">[] = [
  { name: "no-op 1", before: "Please do the following." },
  { name: "no-op 2", after: "That is the task." },
  { name: "no-op 3", before: "Here is a task." },
  { name: "no-op 4", after: "Thank you." },
  { name: "no-op 5", before: "The task is this." },
  { name: "no-op 6", after: "Go ahead." },
];

/** Most words per label in the glossary, the fewest samples that a word must be in, and the most characters of a word and of all. */
const [perLabel, leastSamples, longestWord, longestGlossary] = [5, 3, 40, 3000];

/**
 * Candidates by the seed: every phrasing, the glossary, sets of examples in two sizes and their best-known combinations.
 * @param samples the part of train that proposals may be made from
 * @param draws sets of examples of each size
 */
export function bankOf(
  task: LanguageTask,
  samples: readonly Sample[],
  { seed, draws }: { seed: number; draws: number },
): Candidate[] {
  const glossary = glossaryOf(task, samples);
  const shots = samples.map(
    (sample) => task.demonstration(sample) as NonNullable<Candidate["shots"]>[number],
  );
  const sizes = sizesOf(shots);
  const sets = sizes.flatMap((k) => Array.from({ length: draws }, (_, draw) => setOf(shots, k, seed, draw)));
  const reversed = sets.slice(0, 1).map(({ name, shots = [] }) => ({
    name: `${name}, reversed`,
    shots: [...shots].reverse(),
  }));
  const together = glossary
    ? sets.slice(0, draws).map(({ name, shots = [] }) => ({ ...glossary, name: `glossary + ${name}`, shots }))
    : [];
  return [...phrasings, ...(glossary ? [glossary] : []), ...sets, ...reversed, ...together];
}

/**
 * Control for what the bank adds to examples: as many sets of examples as the bank has candidates, so that both cost the
 * same.
 */
export function exampleBank(...given: Parameters<typeof bankOf>): Candidate[] {
  const [task, samples, { seed }] = given;
  const shots = samples.map(
    (sample) => task.demonstration(sample) as NonNullable<Candidate["shots"]>[number],
  );
  const sizes = sizesOf(shots);
  return bankOf(...given).map((_, i) =>
    setOf(shots, sizes[i % sizes.length] as number, seed, Math.floor(i / sizes.length)),
  );
}

type Shots = NonNullable<Candidate["shots"]>;

/** One example of each answer, and two of each, up to what a prompt should hold. */
function sizesOf(shots: Shots): number[] {
  const answers = new Set(shots.map(({ answer }) => answer)).size;
  return [...new Set([Math.min(answers, 8), Math.min(2 * answers, 12)])];
}

function setOf(shots: Shots, k: number, seed: number, draw: number): Candidate {
  const random = randomFor(seed, "optimize", "examples", k, draw);
  return {
    name: `${k} examples (draw ${draw + 1})`,
    shots: inTurn(shuffled(shots, random), k, random) as Shots,
  };
}

/** The control: rewordings that add no information. */
export function idleBank(): Candidate[] {
  return [...idle];
}

/**
 * For each shared label the words whose odds in its texts, against all others, are highest (smoothed log odds), as a
 * sentence after the instruction: as many for each label as there is room for. Undefined without shared labels, telling words or room.
 */
function glossaryOf(task: LanguageTask, samples: readonly Sample[]): Candidate | undefined {
  const { labels } = task;
  if (!labels) return undefined;
  /** Samples with each word, in all and by their label. */
  const everywhere = new Map<string, number>();
  const byLabel = new Map<string, { size: number; counts: Map<string, number> }>();
  const count = (counts: Map<string, number>, term: string) => counts.set(term, (counts.get(term) ?? 0) + 1);
  for (const sample of samples) {
    const key = String([sample.gold].flat()[0]);
    const own = byLabel.get(key) ?? { size: 0, counts: new Map<string, number>() };
    byLabel.set(key, own);
    own.size++;
    for (const term of new Set(words(readable(task.query(sample))))) {
      if (term.length > longestWord) continue;
      count(everywhere, term);
      count(own.counts, term);
    }
  }
  const telling = labels.flatMap(({ key, text }) => {
    const { size, counts: inside } = byLabel.get(key) ?? { size: 0, counts: new Map<string, number>() };
    const odds = (count: number, of: number) => Math.log((count + 0.5) / (of - count + 0.5));
    const found = [...inside]
      .filter(([, count]) => count >= leastSamples)
      .map(([term, count]) => ({
        term,
        worth: odds(count, size) - odds((everywhere.get(term) as number) - count, samples.length - size),
      }))
      .filter(({ worth }) => worth > 0)
      .sort((a, b) => b.worth - a.worth || (a.term < b.term ? -1 : 1))
      .slice(0, perLabel);
    return found.length > 0 ? [{ text, terms: found.map(({ term }) => term) }] : [];
  });
  for (let most = perLabel; most > 0 && telling.length > 0; most--) {
    const lines = telling.map(({ text, terms }) => `${text}: ${terms.slice(0, most).join(", ")}`);
    const after = `Words that are typical of each:\n${lines.join("\n")}`;
    if (after.length <= longestGlossary) return { name: "glossary", after };
  }
  return undefined;
}

function readable({ input, question }: Query): string {
  return question ? `${question}\n${input}` : input;
}
