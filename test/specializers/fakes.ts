// Small stand-ins for the specializers' tests: a subject that keeps what it was asked, an encoder of word counts.

import { noCost } from "../../src/core/call.js";
import type { LanguageSubject } from "../../src/core/kinds.js";
import type { Answer, Query } from "../../src/core/language.js";
import type { Encoder } from "../../src/core/model.js";
import type { Sample } from "../../src/core/sample.js";
import type { Given, LanguageSpecializer, Specializer } from "../../src/core/specializer.js";
import type { LanguageTask } from "../../src/core/task.js";
import { taskContext } from "../../src/core/task.js";
import { openArtifacts } from "../../src/store/artifacts.js";
import { choice } from "../../src/tasks/choice.js";

export const context = taskContext(new AbortController().signal);

export const labels = [
  { key: "s", text: "sea" },
  { key: "f", text: "field" },
  { key: "i", text: "iron" },
];

export const task = choice("places", { instruction: "Name the place." }, labels);

/** Twelve train samples: six of the sea, four of the field, two of iron. */
export const train: Sample[] = [
  ["s1", "the ship left the harbour", "s"],
  ["f1", "wheat and barley in the rain", "f"],
  ["s2", "a sail in the storm", "s"],
  ["i1", "hammer and anvil", "i"],
  ["s3", "the tide and the wave", "s"],
  ["f2", "the plough cuts a furrow", "f"],
  ["s4", "anchor and rope of the ship", "s"],
  ["s5", "the captain saw an island", "s"],
  ["f3", "an ox draws the plough", "f"],
  ["i2", "coal for the furnace", "i"],
  ["s6", "storm and wave and ship", "s"],
  ["f4", "seed in the furrow", "f"],
].map(([id, input, gold]) => ({ id: id as string, input: input as string, gold: gold as string }));

export interface Listener extends LanguageSubject {
  /** Every query it was asked, in order. */
  readonly heard: Query[];
}

/** A subject that answers by the given rule and remembers what it was asked. */
export function listener(respond: (query: Query) => Answer = () => ({ choice: "s" })): Listener {
  const heard: Query[] = [];
  return {
    kind: "language",
    name: "listener",
    id: "listener",
    heard,
    respond: async (query) => {
      heard.push(query);
      return respond(query);
    },
  };
}

const alphabet = "abcdefghijklmnopqrstuvwxyz";

/** An encoder whose vectors count letters: equal texts are equal, like texts are near. Keeps the texts it was given. */
export function letterEncoder(id = "letters"): Encoder & { texts: string[] } {
  const texts: string[] = [];
  return {
    id,
    name: id,
    texts,
    grants: new Set(["embeddings"]),
    concurrency: 1,
    embed: async (batch) => {
      texts.push(...batch);
      const vectors = batch.map((text) => {
        const counts = [...alphabet].map((letter) => text.toLowerCase().split(letter).length - 1 + 0.01);
        const length = Math.hypot(...counts);
        return counts.map((count) => count / length);
      });
      return { vectors, cost: noCost };
    },
    close: async () => {},
  };
}

export function given(change: Partial<Given> = {}): Given {
  const encoder = letterEncoder();
  return {
    task,
    train,
    dev: [],
    seed: 1,
    encoder: async () => encoder,
    artifacts: openArtifacts(),
    base: process.cwd(),
    context,
    progress: () => {},
    ...change,
  };
}

/** Fits, sends the state through JSON as a saved specialist's is, and applies. */
export async function make(
  specializer: Specializer,
  subject: LanguageSubject = listener(),
  change: Partial<Given> = {},
): Promise<LanguageSubject> {
  const all = given(change);
  const state = await specializer.fit(subject, all);
  return (specializer as LanguageSpecializer).apply(subject, JSON.parse(JSON.stringify(state)), {
    encoder: all.encoder,
    artifacts: all.artifacts,
  });
}

export function queryOf(input: string, from: LanguageTask = task, more: Partial<Sample> = {}): Query {
  return from.query({ id: "q", input, gold: "s", ...more });
}
