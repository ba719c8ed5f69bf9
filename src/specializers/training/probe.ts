// probe: logistic regression on the frozen model's hidden states of the prompt that the model would otherwise answer.
// Depth, pooling and penalty are chosen by cross-validation on train; the model itself is not changed.
//
// The states come from ONNX Runtime over the weights that are served (frozen/extract.ts), in fitting and in answering.

import { z } from "zod";
import { noCost } from "../../core/call.js";
import { HoneError } from "../../core/errors.js";
import { fingerprint } from "../../core/json.js";
import type { Query } from "../../core/language.js";
import { freeMemory } from "../../core/memory.js";
import type { Given, LanguageSpecializer } from "../../core/specializer.js";
import {
  append,
  denseFeatures,
  denseRow,
  joined,
  type KeptTerms,
  textBlocks,
  textReader,
} from "../../learn/blocks.js";
import { foldsOf } from "../../learn/folds.js";
import { type LogisticModel, logProbabilities } from "../../learn/logistic.js";
import { type ChosenPenalty, choosePenalty, type Features } from "../../learn/penalty.js";
import { questionsVary, readText } from "../../learn/text.js";
import type { Row } from "../../learn/tfidf.js";
import { packFloats, unpackFloats } from "../../learn/vectors.js";
import { netConfig } from "../../nets/config.js";
import { readGguf } from "../../tensor/gguf.js";
import { chooseClass, classesOf, knownChoices } from "../parts/classes.js";
import { defineSpecializer } from "../parts/define.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";
import { askedPrompt, promptOf, requireWeights, type TrainableSubject } from "./finetune/examples.js";
import { statesFile } from "./finetune/states-file.js";
import { pools, sharedReader } from "./frozen/extract.js";
import { scaled, scaling } from "./frozen/scale.js";

const probeOptions = z.strictObject({
  depths: z
    .array(z.number().gt(0).max(1))
    .min(1)
    .max(8)
    .default([0.25, 0.5, 0.75])
    .describe(
      "where states are read, as shares of the model's layers; cross-validation on train chooses one",
    ),
  text: z
    .boolean()
    .default(false)
    .describe("whether TF-IDF of words and characters may be added to the states, where train prefers it"),
  folds: z.int().min(2).max(20).default(5).describe("parts of train in the cross-validation, 2 to 20"),
});
/** Options of `probe`. */
export type ProbeOptions = z.input<typeof probeOptions>;

/** Which of a depth's states are features: one pooling or both. */
type Pooling = "mean" | "last" | "both";

type State = {
  classes: string[];
  labels: string[];
  /** Tokens that all train prompts begin with; the mean leaves them out. */
  head: number[];
  /** The layer before which states are read. */
  layer: number;
  pooling: Pooling;
  /** A column's mean on train, and what its difference from that is multiplied by. */
  centre: string;
  scale: string;
  columns: number;
  question: boolean;
  words: KeptTerms;
  characters: KeptTerms;
  weights: string;
  chosen: ChosenPenalty;
};

/** Classifies by the hidden states of the prompt. For tasks whose samples share their labels. */
export function probe(options: ProbeOptions = {}): LanguageSpecializer {
  const { depths, text, folds } = readOptions(probeOptions, "probe", options);
  return defineSpecializer<State>({
    name: "probe",
    label: text ? "probe(states + text)" : "probe",
    options: { depths, text, folds },
    needs: ["weights"],
    fit: (subject, given) => fitProbe(requireWeights(subject, "probe"), given, { depths, text, folds }),
    behave: (state, subject) => {
      const target = requireWeights(subject, "probe");
      const { classes, columns } = state;
      const centre = unpackFloats(state.centre, columns, "the states' means");
      const scale = unpackFloats(state.scale, columns, "the states' scales");
      const words = textReader(state.words, state.characters);
      const all = columns + state.words.terms.length + state.characters.terms.length;
      const model: LogisticModel = {
        classes: classes.length,
        columns: all,
        weights: unpackFloats(state.weights, (all + 1) * classes.length, "the weights"),
      };
      return {
        respond: async (query, context) => {
          const choices = knownChoices(query, state);
          if (choices.length === 0) return { unscored: "other-labels" };
          const prompt = await askedPrompt(target, query, context);
          context.signal.throwIfAborted();
          const started = performance.now();
          const reader = await sharedReader(target.model, target.weights, [state.layer]);
          const head = sharedBeginning(prompt, state.head);
          // A prompt that leaves the beginning early is read as a whole.
          const states = await reader.one(prompt, head, head === state.head.length);
          context.trace?.({
            key: fingerprint(["probe", state.layer, prompt]),
            model: target.model.id,
            operation: "embed",
            request: null,
            response: null,
            cost: { ...noCost, calls: 1, inputTokens: prompt.length, ms: performance.now() - started },
          });
          const own = pooled(states, 0, reader.width, state.pooling);
          const row = append(
            denseRow(scaled(own, centre, scale)),
            columns,
            words(readText(query, state.question)),
          );
          return chooseClass(choices, classes, logProbabilities(model, row.columns, row.values));
        },
      };
    },
  });
}

async function fitProbe(
  target: TrainableSubject,
  given: Given,
  { depths, text, folds }: { depths: number[]; text: boolean; folds: number },
): Promise<State> {
  const { classes, labels, queries, targets, groups } = classesOf(given, "probe");
  const { context, train } = given;
  const { layers } = netConfig(readGguf(target.weights.path));
  const wanted = [...new Set(depths.map((share) => Math.max(1, Math.round(share * layers))))].sort(
    (a, b) => a - b,
  );
  const prompts = await promptsOf(target, queries, given);
  const head = commonBeginning(prompts);
  const states = await statesOf(target, wanted, prompts, head.length, given);

  const { width } = await sharedReader(target.model, target.weights, wanted);
  const blocks = wanted.flatMap((layer, depth) =>
    (["mean", "last", "both"] as const).map((pooling) => {
      const rows = states.map((one) => pooled(one, depth, width, pooling));
      const columns = pooling === "both" ? 2 * width : width;
      const { centre, scale } = scaling(rows, columns);
      const flat = new Float32Array(rows.length * columns);
      for (const [i, row] of rows.entries()) flat.set(scaled(row, centre, scale), i * columns);
      return {
        layer,
        pooling,
        columns,
        centre,
        scale,
        features: denseFeatures(`layer ${layer}, ${pooling}`, flat, columns),
      };
    }),
  );
  const choose = (candidates: readonly Features[], of = [...targets.keys()]) =>
    choosePenalty(
      {
        candidates:
          of.length === targets.length
            ? candidates
            : candidates.map(({ name, rows, columns }) => ({
                name,
                rows: of.map((i) => rows[i] as Row),
                columns,
              })),
        targets: Int32Array.from(of, (i) => targets[i] as number),
        classes: classes.length,
        groups: of.map((i) => groups[i]),
        folds,
      },
      { signal: context.signal, progress: given.progress },
    );
  const all = blocks.map(({ features }) => features);
  const some = screened(targets, groups);
  const first = await choose(all, some);
  const block = blocks.find(
    ({ features }) => features.name === first.chosen.features,
  ) as (typeof blocks)[number];
  const question = questionsVary(queries);
  const found = text ? textBlocks(queries.map((query) => readText(query, question))) : undefined;
  const candidates = found
    ? [
        block.features,
        joined([block.features, found.words]),
        joined([block.features, found.words, found.characters]),
      ]
    : [block.features];
  const again = found !== undefined || some.length < train.length;
  const { chosen, model } = again ? await choose(candidates) : first;
  const none: KeptTerms = { terms: [], idf: packFloats([]) };
  return {
    classes,
    labels,
    head,
    layer: block.layer,
    pooling: block.pooling,
    centre: packFloats(block.centre),
    scale: packFloats(block.scale),
    columns: block.columns,
    question,
    ...(found?.kept(chosen.features) ?? { words: none, characters: none }),
    weights: packFloats(model.weights),
    chosen: again ? { ...chosen, grid: [...first.chosen.grid, ...chosen.grid] } : chosen,
  };
}

/** Approximate number of train samples on which depth and pooling are compared: a fit's time grows with its square. */
const enoughToCompare = 600;

/** All samples if they are few, else a part that roughly keeps each class's share. */
function screened(targets: Int32Array, groups: readonly string[]): number[] {
  const everyone = [...targets.keys()];
  const parts = Math.floor(targets.length / enoughToCompare);
  if (parts < 2) return everyone;
  const foldOf = foldsOf(targets, groups, parts);
  return everyone.filter((i) => foldOf[i] === 0);
}

/** States of the train prompts, kept on disk while the build is unfinished. */
async function statesOf(
  { model, weights }: TrainableSubject,
  depths: readonly number[],
  prompts: readonly (readonly number[])[],
  head: number,
  given: Given,
): Promise<Float32Array[]> {
  const { context } = given;
  const started = performance.now();
  const reader = await sharedReader(model, weights, depths);
  const file = statesFile(await given.artifacts.scratch(`states/${model.id}`));
  const keys = prompts.map((prompt) => `${depths}:${head}:${prompt.join()}`);
  const saved = await file.read(keys);
  const known = new Map<number, Float32Array>();
  for (const [i, key] of keys.entries()) {
    const states = reader.kept.get(key) ?? saved.get(key);
    if (states?.length === reader.size) known.set(i, states);
  }
  const states = await reader.all(prompts, head, {
    signal: context.signal,
    progress: (done, total) => given.progress(done, total, "hidden states"),
    known,
    fresh: (read) => file.add([...read].map(([index, found]) => [keys[index] as string, found] as const)),
  });
  if (4 * reader.size * (reader.kept.size + keys.length) > freeMemory() / 4) reader.kept.clear();
  for (const [i, found] of states.entries()) reader.kept.set(keys[i] as string, found);
  const tokens = prompts.reduce((sum, prompt) => sum + prompt.length - head, head);
  context.trace?.({
    key: fingerprint(["probe", [...depths], prompts.map((prompt) => [...prompt])]),
    model: model.id,
    operation: "embed",
    request: null,
    response: null,
    cost: { ...noCost, inputTokens: tokens, ms: performance.now() - started },
  });
  return states;
}

async function promptsOf(
  target: TrainableSubject,
  queries: readonly Query[],
  { train, task, context }: Given,
): Promise<number[][]> {
  const room = target.model.contextTokens ?? Number.POSITIVE_INFINITY;
  const prompts: number[][] = [];
  for (const [i, query] of queries.entries()) {
    context.signal.throwIfAborted();
    const prompt = await promptOf(target, query, context);
    if (prompt.length > room) {
      throw new HoneError({
        what: "A sample is longer than the model's context",
        where: `task ${task.name}, sample ${train[i]?.id}`,
        why: `it takes ${prompt.length} tokens, and the context holds ${room}`,
        next: "Cut the input in the task's template ({{field|1200}}), or raise ?context= in the model's reference.",
        kind: "usage",
      });
    }
    prompts.push(prompt);
  }
  return prompts;
}

function pooled(states: Float32Array, depth: number, width: number, pooling: Pooling): Float32Array {
  const from = pools.length * depth * width;
  if (pooling === "both") return states.subarray(from, from + 2 * width);
  const at = from + pools.indexOf(pooling) * width;
  return states.subarray(at, at + width);
}

/** The tokens that all prompts begin with; the last token of a prompt never counts as shared. */
function commonBeginning(prompts: readonly (readonly number[])[]): number[] {
  const [first = []] = prompts;
  let same = Math.max(0, first.length - 1);
  for (const prompt of prompts) same = Math.min(same, sharedBeginning(prompt, first));
  return first.slice(0, same);
}

function sharedBeginning(prompt: readonly number[], head: readonly number[]): number {
  let same = 0;
  while (same < head.length && same < prompt.length - 1 && prompt[same] === head[same]) same++;
  return same;
}

/** Its entry in the table of specializers. */
export const probeEntry = {
  make: probe,
  options: probeOptions,
  summary: "Logistic regression on the frozen model's hidden states of the prompt",
  paper:
    "Alain and Bengio 2017, Understanding Intermediate Layers Using Linear Classifier Probes (arXiv 1610.01644)",
  leaf: "partial update",
} satisfies SpecializerEntry;
