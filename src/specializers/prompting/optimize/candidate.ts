// A candidate prompt: words around the task's own instruction, and worked examples. It is data; the state keeps the one
// that won.

import type { Demonstration, Option, Query } from "../../../core/language.js";
import type { LanguageTask } from "../../../core/task.js";
import type { JsonOf } from "../../parts/define.js";
import { keepDemonstrations, prepend } from "../../parts/demonstrations.js";

/** What a candidate changes in a query. */
export type Candidate = {
  /** The proposals that it is made of, for display: `glossary + 6 examples (draw 2)`. */
  name: string;
  /** Replaces the instruction of the task that it was found for. */
  instruction?: string;
  before?: string;
  after?: string;
  shots?: JsonOf<Demonstration>[];
};

/** What its task's queries have in common, so that a query of another task is left as it is. */
export type Home = {
  /** The instruction that all queries share; null where they differ or have none. */
  instruction: string | null;
  labels: JsonOf<Option>[] | null;
};

export function homeOf(task: LanguageTask, queries: readonly Query[]): Home {
  const [first] = queries;
  const shared = queries.every(({ instruction }) => instruction === first?.instruction);
  return {
    instruction: (shared && first?.instruction) || null,
    labels: keepDemonstrations([], task).labels,
  };
}

/** The query with the candidate's changes. */
export function ask(candidate: Candidate, home: Home, query: Query): Query {
  const { instruction, before, after, shots } = candidate;
  const same = (query.instruction ?? null) === home.instruction;
  const said = same && instruction !== undefined ? instruction : query.instruction;
  // Without a shared instruction nothing tells whose a query is.
  const around = same || home.instruction === null;
  const words = (around ? [before, said, after] : [said]).filter((part) => part).join("\n");
  const asked = words ? { ...query, instruction: words } : query;
  return shots ? prepend(shots, home.labels, asked) : asked;
}

/** What the candidate adds to every prompt, in characters. */
export function lengthOf({ instruction, before, after, shots = [] }: Candidate, home: Home): number {
  const words = [before, instruction ?? home.instruction, after];
  const examples = shots.map(
    ({ input, question = "", answer }) => input.length + question.length + answer.length,
  );
  return [...words.map((part) => part?.length ?? 0), ...examples].reduce((sum, length) => sum + length, 0);
}
