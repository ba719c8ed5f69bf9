// knnLm: the model's probabilities of the options, mixed with a memory's (Khandelwal et al. 2020, kNN-LM, eq. 2 and 3). The
// memory is the train examples' answers, weighted by nearness; the prompt stays as it is, unlike with knn.
//
// The paper mixes next-word distributions over keys from inside the model; here the words are the task's options and the
// keys are sentence vectors, so that any model that scores options will do.

import { z } from "zod";
import type { CallContext } from "../../core/call.js";
import { HoneError } from "../../core/errors.js";
import { fingerprint } from "../../core/json.js";
import type { LanguageSubject } from "../../core/kinds.js";
import type { Answer, Demonstration, Option, Query } from "../../core/language.js";
import { randomFor, shuffled } from "../../core/random.js";
import type { Given, LanguageSpecializer } from "../../core/specializer.js";
import type { LanguageTask } from "../../core/task.js";
import { type KeptVectors, keepVectors, likenessByVectors } from "../../learn/neighbours.js";
import { questionsVary, readText, sameTextKey } from "../../learn/text.js";
import { defineSpecializer, requireTrain } from "../parts/define.js";
import { readOptions } from "../parts/options.js";
import { logSoftmax } from "../prompting/calibrate.js";
import type { SpecializerEntry } from "../table.js";

const knnLmOptions = z.strictObject({
  k: z.int().min(1).max(1024).default(16).describe("how many neighbours count, 1 to 1024"),
  lambda: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe("the memory's weight against the model, 0 to 1; by default tuned"),
  temperature: z
    .number()
    .positive()
    .max(1000)
    .optional()
    .describe("how slowly a neighbour's weight decays with its squared distance; by default tuned"),
  tuneOn: z
    .enum(["train", "dev"])
    .default("train")
    .describe(
      'where lambda and temperature are chosen: on "train", each sample without itself, or on "dev", for subjects trained on train',
    ),
});
/** Options of `knnLm`. */
export type KnnLmOptions = z.input<typeof knnLmOptions>;

/** The grid. Squared distances of unit vectors lie in [0, 4]. */
const lambdas = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
const temperatures = [0.01, 0.03, 0.1, 0.3, 1];
/** Used with too few samples to tune on: the paper's weight for a memory of the model's own domain, and the grid's middle. */
const usual = { lambda: 0.25, temperature: 0.1 };
/** Fewest samples to tune on, and most samples of train, each of which costs the subject one answer. */
const [fewest, enough] = [20, 200];

type Mix = { lambda: number; temperature: number };

type Memory = {
  /** The right answer of each example: the option's key and text. */
  answers: { key: string; text: string }[];
  /** Fingerprints of the examples' texts: a query is never its own neighbour. */
  texts: string[];
  question: boolean;
  vectors: KeptVectors;
};

type State = Memory & Mix;

/** A neighbour: its answer, and the squared distance between its vector and the query's. */
interface Neighbour {
  answer: Option;
  distance: number;
}

/** A query's k nearest examples, the nearest first, of those that are not left out. */
type Find = (query: Query, context: CallContext, out?: ReadonlySet<number>) => Promise<Neighbour[]>;

/**
 * p(y|x) = lambda p_kNN(y|x) + (1 - lambda) p_LM(y|x), with p_kNN(y|x) proportional to the sum of exp(-d / temperature)
 * over the neighbours that answer y. A neighbour counts for the option whose text is its answer's; if none counts, the
 * model decides alone. A model without scores gives its choice probability 1.
 *
 * Weight and temperature are those with the best accuracy, then the best likelihood, then the smaller weight: on train by
 * leave-one-out, where a sample's own group is left out too, or on dev (`tuneOn`). With fewer than 20 samples they are 0.25
 * and 0.1. A subject that was trained on train is more confident there than elsewhere: after `lora` and similar
 * specializers, tune on dev.
 *
 * @throws HoneError at fit where the task asks to write
 */
export function knnLm(options: KnnLmOptions = {}): LanguageSpecializer {
  const chosen = readOptions(knnLmOptions, "knnLm", options);
  const { k, lambda, temperature, tuneOn } = chosen;
  const grid = {
    lambdas: lambda === undefined ? lambdas : [lambda],
    temperatures: temperature === undefined ? temperatures : [temperature],
  };
  const tuned = lambda === undefined || temperature === undefined;
  const said = [
    `k=${k}`,
    ...(lambda === undefined ? [] : [`lambda=${lambda}`]),
    ...(temperature === undefined ? [] : [`T=${temperature}`]),
    ...(tuned && tuneOn === "dev" ? ["tuned on dev"] : []),
  ];
  return defineSpecializer<State>({
    name: "knnLm",
    label: `knnLm(${said.join(", ")})`,
    options: JSON.parse(JSON.stringify(chosen)),
    needs: ["logprobs"],
    encodes: () => true,
    choosesOnDev: tuned && tuneOn === "dev",
    fit: async (subject, given) => {
      const memory = await fitMemory(given);
      return { ...memory, ...(await chooseMix(grid, tuneOn, finder(memory, k, given), subject, given)) };
    },
    behave: (state, inner, tools) => {
      const find = finder(state, k, tools);
      return {
        respond: async (query, context) => {
          const answer = await inner.respond(query, context);
          if (!query.options?.length || state.lambda === 0) return answer;
          const model = modelVoice(answer, query.options);
          const memory = memoryVoice(await find(query, context), query.options, state.temperature);
          return answered(answer, query.options, mixed(memory, model, state.lambda));
        },
      };
    },
  });
}

async function fitMemory(given: Given): Promise<Memory> {
  const { task, train } = given;
  requireTrain(given, "knnLm");
  const shots = train.map((sample) => task.demonstration(sample));
  const question = questionsVary(shots);
  const answers = shots.map((shot, i) => goldOption(shot, train[i] && task.query(train[i]).options, task));
  return {
    answers,
    texts: shots.map((shot) => textId(shot)),
    question,
    vectors: await keepVectors(
      shots.map((shot) => readText(shot, question)),
      given,
    ),
  };
}

function goldOption(shot: Demonstration, options: readonly Option[] | undefined, task: LanguageTask): Option {
  const gold = options?.find(({ key }) => key === shot.answer);
  if (gold) return { key: gold.key, text: gold.text };
  throw new HoneError({
    what: "knnLm cannot be used here",
    where: `task ${task.name}`,
    why: options?.length
      ? `"${shot.answer}" is not one of its sample's options`
      : "the task asks the model to write, not to choose",
    next: "Use knn, whose examples stand in the prompt, or take knnLm out of this task's study.",
    kind: "usage",
  });
}

function textId(item: Pick<Query, "input" | "question">): string {
  return fingerprint(sameTextKey(item as Query));
}

function finder(memory: Memory, k: number, tools: Pick<Given, "encoder">): Find {
  const { answers, texts } = memory;
  const likeness = likenessByVectors(memory.vectors, answers.length, memory.question, tools);
  return async (query, context, out) => {
    const own = textId(query);
    const cosines = await likeness(query, context);
    return answers
      .map((answer, i) => ({ answer, distance: 2 - 2 * (cosines[i] as number) }))
      .filter((_, i) => texts[i] !== own && !out?.has(i))
      .sort((a, b) => a.distance - b.distance)
      .slice(0, k);
  };
}

/** Tries every pair of the grid; each sample costs the subject one answer and the encoder one text. */
async function chooseMix(
  grid: { lambdas: readonly number[]; temperatures: readonly number[] },
  tuneOn: "train" | "dev",
  find: Find,
  subject: LanguageSubject,
  { task, train, dev, context, progress }: Given,
): Promise<Mix> {
  const mixes = grid.lambdas.flatMap((lambda) =>
    grid.temperatures.map((temperature) => ({ lambda, temperature })),
  );
  if (mixes.length === 1) return mixes[0] as Mix;
  // The same draw for every seed, because nothing else here depends on the seed.
  const tried = tuneOn === "dev" ? dev : shuffled(train, randomFor(0, "knnLm")).slice(0, enough);
  if (tried.length < fewest) {
    return {
      lambda: grid.lambdas.length === 1 ? (grid.lambdas[0] as number) : usual.lambda,
      temperature: grid.temperatures.length === 1 ? (grid.temperatures[0] as number) : usual.temperature,
    };
  }
  const ofGroup = new Map<string, Set<number>>();
  for (const [i, { group }] of train.entries())
    if (group !== undefined) ofGroup.set(group, (ofGroup.get(group) ?? new Set()).add(i));
  const seen = [];
  // One after the other: the order of calls is part of what the journal keeps.
  for (const [i, sample] of tried.entries()) {
    const query = task.query(sample);
    const options = query.options ?? [];
    const model = modelVoice(await subject.respond(query, context), options);
    const neighbours = await find(query, context, ofGroup.get(sample.group ?? ""));
    const gold = options.map(({ key }) => [sample.gold].flat().includes(key));
    seen.push({ options, model, neighbours, gold });
    progress(i + 1, tried.length, `${tuneOn} samples`);
  }
  let best: { mix: Mix; right: number; likelihood: number } | undefined;
  for (const mix of mixes) {
    let right = 0;
    let likelihood = 0;
    for (const { options, model, neighbours, gold } of seen) {
      const voice = mixed(memoryVoice(neighbours, options, mix.temperature), model, mix.lambda);
      if (gold[voice.indexOf(Math.max(...voice))]) right++;
      likelihood += logOf(voice.reduce((sum, p, i) => sum + (gold[i] ? p : 0), 0));
    }
    // The grid begins with the smaller weights, and ties go to the first.
    const better =
      !best || right > best.right || (right === best.right && likelihood > best.likelihood + 1e-9);
    if (better) best = { mix, right, likelihood };
  }
  return (best as { mix: Mix }).mix;
}

/** p_LM, one entry per option; uniform if the model said nothing usable. */
function modelVoice({ scores, choice }: Answer, options: readonly Option[]): number[] {
  const known = new Map(Object.entries(scores ?? {}).filter(([, score]) => Number.isFinite(score)));
  const usable = new Map(
    options.flatMap(({ key }) => (known.has(key) ? [[key, known.get(key) as number]] : [])),
  );
  if (usable.size > 0) {
    const logs = logSoftmax(usable);
    return options.map(({ key }) => Math.exp(logs.get(key) ?? -Infinity));
  }
  if (choice !== undefined) return options.map(({ key }) => (key === choice ? 1 : 0));
  return options.map(() => 1 / options.length);
}

/** p_kNN, one entry per option; undefined where no neighbour's answer is among them. */
function memoryVoice(
  neighbours: readonly Neighbour[],
  options: readonly Option[],
  temperature: number,
): number[] | undefined {
  const voices = options.map(() => 0);
  let nearest: number | undefined;
  for (const { answer, distance } of neighbours) {
    const at = optionOf(answer, options);
    if (at < 0) continue;
    // Subtracting the least distance leaves the shares the same, and the nearest one's weight never vanishes.
    nearest ??= distance;
    voices[at] = (voices[at] as number) + Math.exp((nearest - distance) / temperature);
  }
  const total = voices.reduce((sum, voice) => sum + voice, 0);
  return nearest === undefined ? undefined : voices.map((voice) => voice / total);
}

/** The answer's index among the options: by its text, and by its key if several have that text; -1 if absent. */
function optionOf(answer: Option, options: readonly Option[]): number {
  const wanted = sameTextKey({ input: answer.text });
  const alike = options.filter(({ text }) => sameTextKey({ input: text }) === wanted);
  const option = alike.find(({ key }) => key === answer.key) ?? alike[0];
  return option ? options.indexOf(option) : -1;
}

function mixed(memory: readonly number[] | undefined, model: readonly number[], lambda: number): number[] {
  if (!memory) return [...model];
  return model.map((p, i) => lambda * (memory[i] as number) + (1 - lambda) * p);
}

/** The answer with the mixture's choice (ties go to the first) and its log-probabilities as scores. */
function answered(answer: Answer, options: readonly Option[], voice: readonly number[]): Answer {
  const { unscored: _unscored, ...rest } = answer;
  const best = options[voice.indexOf(Math.max(...voice))] as Option;
  return {
    ...rest,
    choice: best.key,
    scores: Object.fromEntries(options.map(({ key }, i) => [key, logOf(voice[i] as number)])),
  };
}

/** ln p, finite at 0, because scores are stored as JSON. */
function logOf(p: number): number {
  return Math.log(Math.max(p, 1e-300));
}

/** Its entry in the table of specializers. */
export const knnLmEntry = {
  make: knnLm,
  options: knnLmOptions,
  summary: "The model's probabilities mixed with those of the nearest train examples' answers",
  paper:
    "Khandelwal et al. 2020, Generalization through Memorization: Nearest Neighbor Language Models (arXiv 1911.00172)",
  leaf: "implicit knowledge",
} satisfies SpecializerEntry;
