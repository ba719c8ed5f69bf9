// What a study will take before any of it is measured: what an answer costs a subject beside the others, and about how long
// a training lasts. Estimates for progress and dry runs; no figure of a study rests on them.

import { statSync } from "node:fs";
import { noCost } from "../core/call.js";
import { usableCores } from "../core/cores.js";
import type { Json } from "../core/json.js";
import type { LanguageModel } from "../core/model.js";
import type { Specializer } from "../core/specializer.js";
import { taskContext } from "../core/task.js";
import { generalist } from "../models/generalist.js";
import { samplesSeen } from "../specializers/training/finetune/recipe.js";
import type { Journal } from "../store/journal.js";
import { counting } from "./counting.js";
import { isBuilt } from "./fit.js";
import type { PreparedStudy } from "./prepare.js";

/**
 * Whether a specialist is made of a language model's weights, by training or by reading its states: that is no call, and
 * takes too long for an estimate to do it.
 */
export function isMadeOfWeights({ needs, kinds }: Pick<Specializer, "needs" | "kinds">): boolean {
  return needs.includes("gradients") || (kinds.includes("language") && needs.includes("weights"));
}

/** Fewest bytes a token stands for; English has about 4.5, so this overestimates. */
export const bytesPerToken = 3;
/** What one written token takes, in tokens read: a model reads many at once and writes one after the other. */
const readPerWritten = 8;
/** What any call takes besides, in tokens read. */
const readPerCall = 10;

/** Parameters times tokens that two cores train on in a second: SmolLM2-135M's LoRA steps take 3.8 s for 1,024 tokens. */
const trainedPerSecond = 36e9;
/** The same for reading prompts. */
const readPerSecond = 90e9;

/**
 * What an answer takes, in tokens that have to be read: of the second of two samples, less what its prompt shares with the
 * first one's, which a model need not read again. Undefined where it cannot be told; 0 where no model is asked.
 */
export async function answerEffort(
  study: PreparedStudy,
  specializer: Specializer,
  state: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { generalist: subject, domain } = study;
  if (subject.kind !== "language" || !subject.model) return undefined;
  let calls: { text: string; output: number }[] = [];
  const model = counting(subject.model, ({ text, output }) => {
    calls.push({ text, output });
    return noCost;
  });
  const counted = { ...generalist(model), model };
  try {
    // What is trained is asked as the generalist is, and a probe reads about the same prompt; what a dry run did not try, too.
    const untried = isMadeOfWeights(specializer) || (specializer.ceiling && state === "null");
    const specialist = untried ? counted : specializer.apply(counted, JSON.parse(state) as Json, study);
    if (!specialist.model) return 0;
    const asked: (typeof calls)[] = [];
    for (const sample of domain.dataset.dev.slice(0, 2)) {
      calls = [];
      await domain.task.evaluate(specialist, sample, taskContext(signal));
      asked.push(calls);
    }
    const [first = [], second = first] = asked;
    return second.reduce((sum, { text, output }, i) => {
      const shared = asked.length < 2 ? 0 : sharedLength(text, first[i]?.text ?? "");
      return sum + (text.length - shared) / bytesPerToken + readPerWritten * output + readPerCall;
    }, 0);
  } catch {
    // Some layers cannot do with a model that says nothing.
    return undefined;
  }
}

function sharedLength(a: string, b: string): number {
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  return same;
}

/** Seconds that reading so many tokens takes a local model; null for an endpoint, whose speed nobody knows. */
export function readingSeconds(model: Pick<LanguageModel, "weights">, tokens: number): number | null {
  const parameters = parametersOf(model);
  return parameters === null ? null : (tokens * parameters) / (readPerSecond * cores());
}

/** About how long making a specialist trains in this study: 0 where it is made already or nothing is trained. */
export async function fitSeconds(
  study: PreparedStudy,
  specializer: Specializer,
  seed: number,
  journal: Journal,
): Promise<number | null> {
  const { generalist: subject, domain } = study;
  const { train } = domain.dataset;
  if (!isMadeOfWeights(specializer) || (await isBuilt(study, specializer, seed, journal))) return 0;
  if (subject.kind !== "language" || !subject.model) return null;
  const looked = train.slice(0, 100);
  const bytes = looked.reduce((sum, { input }) => sum + Buffer.byteLength(input), 0);
  const tokens = bytes / Math.max(1, looked.length) / bytesPerToken;
  if (!specializer.needs.includes("gradients")) return readingSeconds(subject.model, tokens * train.length);
  return trainingSeconds(subject.model, specializer, train.length, tokens);
}

/** About how long one training lasts, with the short ones that choose its rate; null where that is not known. */
export function trainingSeconds(
  model: Pick<LanguageModel, "weights">,
  specializer: Specializer,
  samples: number,
  tokensPerSample: number,
): number | null {
  if (!specializer.needs.includes("gradients")) return 0;
  const parameters = parametersOf(model);
  if (parameters === null) return null;
  const { options } = specializer;
  const given = (name: string) => {
    const value = numberIn(options, name);
    return value === undefined ? {} : { [name]: value };
  };
  const seen = samplesSeen(samples, { ...given("epochs"), ...given("learningRate"), ...given("batch") });
  return (seen * tokensPerSample * parameters) / (trainedPerSecond * cores());
}

/** Pairs of cores, which is what the speeds above are for. */
const cores = (): number => Math.max(1, usableCores() / 2);

/** A byte a parameter, about, as models are served here; null where there is no file. */
function parametersOf({ weights }: Pick<LanguageModel, "weights">): number | null {
  return (weights && statSync(weights.path, { throwIfNoEntry: false })?.size) ?? null;
}

/** The first number under a key in options, which may be nested. */
function numberIn(options: Json, key: string): number | undefined {
  if (options === null || typeof options !== "object") return undefined;
  for (const [name, value] of Object.entries(options)) {
    if (name === key && typeof value === "number") return value;
    const inner = value === undefined ? undefined : numberIn(value as Json, key);
    if (inner !== undefined) return inner;
  }
  return undefined;
}
