// What a study will take, estimated before any of it is measured: the relative effort of each subject's answers, and about
// how long a training lasts. For progress and dry runs only; no figure of a study depends on them.

import { statSync } from "node:fs";
import { noCost } from "../core/call.js";
import { usableCores } from "../core/cores.js";
import type { Json } from "../core/json.js";
import type { Encoder, LanguageModel } from "../core/model.js";
import type { Ceiling, Specializer } from "../core/specializer.js";
import { taskContext } from "../core/task.js";
import { generalist } from "../models/generalist.js";
import { hasNet } from "../models/net/types.js";
import { isChain } from "../specializers/combine/chain.js";
import { samplesSeen } from "../specializers/training/finetune/recipe.js";
import type { Journal } from "../store/journal.js";
import { counting } from "./counting.js";
import { isBuilt } from "./fit.js";
import type { PreparedStudy } from "./prepare.js";

/**
 * Whether making a specialist means training, or reading a language model's states: that makes no calls, and takes too long for
 * an estimate to do it.
 */
export function needsTraining({
  needs,
  kinds,
  trains,
}: Pick<Specializer, "needs" | "kinds" | "trains">): boolean {
  return (
    trains === true ||
    needs.includes("gradients") ||
    (kinds.includes("language") && needs.includes("weights"))
  );
}

/**
 * Whether making a specialist that has to be trained may make calls as well: to write or label its data, or for the specializers
 * that it is made of.
 */
export function asksWhileTrained(specializer: Specializer): boolean {
  const { screened, options } = specializer;
  const parts = isChain(specializer) ? specializer.steps.length : 1;
  // Also inside others: `of` lists what is pooled or chosen from.
  const composed = parts > 1 || JSON.stringify(options).includes('"of":');
  return needsTraining(specializer) && (screened === true || composed);
}

/** Fewest bytes per token; English has about 4.5, so this overestimates. */
export const bytesPerToken = 3;
/** What one written token takes, in tokens read: a model reads many at once and writes one at a time. */
const readPerWritten = 8;
/** Overhead of any call, in tokens read. */
const readPerCall = 10;

/** Parameters times tokens per second that two cores train: SmolLM2-135M's LoRA steps take 3.8 s for 1,024 tokens. */
const trainedPerSecond = 36e9;
/** The same for reading prompts. */
const readPerSecond = 90e9;

/**
 * What an answer takes, in tokens that have to be read: the second of two samples, minus the prefix that its prompt shares with
 * the first one's, which a model need not read again. Undefined if it cannot be told; 0 if no model is used.
 */
export async function answerEffort(
  study: PreparedStudy,
  specializer: Specializer,
  state: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { generalist: subject, domain } = study;
  if (subject.kind !== "language" || !subject.model) return undefined;
  if (specializer.reference) return 0;
  let calls: { text: string; output: number }[] = [];
  const model = counting(subject.model, ({ text, output }) => {
    calls.push({ text, output });
    return noCost;
  });
  const counted = { ...generalist(model), model };
  try {
    // A trained specialist is prompted as the generalist is, and a probe reads about the same prompt; so does what a dry run skipped.
    const untried = needsTraining(specializer) || (specializer.ceiling && state === "null");
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
    // Some layers fail on a model that writes nothing.
    return undefined;
  }
}

function sharedLength(a: string, b: string): number {
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  return same;
}

/** Seconds that a local model takes to read that many tokens; null for an endpoint, whose speed is unknown. */
export function readingSeconds(model: Pick<LanguageModel, "weights">, tokens: number): number | null {
  const parameters = parametersOf(model);
  return parameters === null ? null : (tokens * parameters) / (readPerSecond * cores());
}

/** Most seconds that limits of seconds and of tokens allow; null if neither tells. */
export function ceilingSeconds(
  { seconds, tokens }: Ceiling,
  model: Pick<LanguageModel, "weights">,
): number | null {
  const reading = tokens === undefined ? null : readingSeconds(model, tokens);
  return seconds === undefined ? reading : Math.min(seconds, reading ?? seconds);
}

/** About how long training takes to make a specialist in this study: 0 if it is made already or nothing is trained. */
export async function fitSeconds(
  study: PreparedStudy,
  specializer: Specializer,
  seed: number,
  journal: Journal,
): Promise<number | null> {
  const { generalist: subject, domain } = study;
  const { train } = domain.dataset;
  if (!needsTraining(specializer) || (await isBuilt(study, specializer, seed, journal))) return 0;
  const looked = train.slice(0, 100);
  const bytes = looked.reduce((sum, { input }) => sum + Buffer.byteLength(input), 0);
  const tokens = bytes / Math.max(1, looked.length) / bytesPerToken;
  const { needs, options } = specializer;
  if (!needs.includes("gradients") && !needs.includes("weights"))
    return encoderSeconds(study.encoder, options, tokens);
  if (subject.kind !== "language" || !subject.model) return null;
  if (!needs.includes("gradients")) return readingSeconds(subject.model, tokens * train.length);
  return trainingSeconds(subject.model, specializer, train.length, tokens);
}

/** About how long one training lasts, with the short ones that choose its rate; null if unknown. */
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

/** About how long training an encoder lasts; null if its weights or the number of steps are unknown. */
async function encoderSeconds(
  open: () => Promise<Encoder>,
  options: Json,
  tokensPerText: number,
): Promise<number | null> {
  const [steps, batch] = ["steps", "batch"].map((name) => numberIn(options, name));
  if (!steps || !batch) return null;
  const encoder = await open();
  if (!hasNet(encoder)) return null;
  const parameters = [...encoder.net.shapes.values()].reduce(
    (sum, shape) => sum + shape.reduce((size, n) => size * n, 1),
    0,
  );
  return (steps * batch * tokensPerText * parameters) / (trainedPerSecond * cores());
}

/** Pairs of cores, the unit of the speeds above. */
const cores = (): number => Math.max(1, usableCores() / 2);

/** About one byte per parameter, as models are served here; null if there is no file. */
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
