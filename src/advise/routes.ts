// All routes that `hone advise` knows, in one list, whose order breaks ties. Defined here are those that it never recommends,
// each with its reason: no figure, no better than a cheaper route, or no way to specialize a language model.

import type { Leaf } from "../specializers/map.js";
import { asked } from "./asked.js";
import { type Evidence, type EvidenceName, evidence } from "./evidence.js";
import { learnt } from "./learnt.js";
import type { Route } from "./route.js";

/** The fields of a route that is never recommended: it has no rules. */
const silent = {
  labels: 0,
  cost: () => ({ calls: 0, inputTokens: 0, outputTokens: 0, training: false }),
  rules: [],
};

/** Without evidence, which advise.ts treats as a reason against it. */
function unmeasured(
  written: unknown,
  leaf: Leaf | null,
  needs: Route["needs"] = [],
  unfit: NonNullable<Route["unfit"]> = () => undefined,
): Route {
  return { ...silent, write: () => written, leaf, needs, unfit, evidence: [] };
}

/** Measured, and not shown to be better than a cheaper route. */
function outdone(written: unknown, leaf: Leaf | null, name: EvidenceName): Route {
  const { figure, n, interval, source }: Evidence = evidence[name];
  const counts = [`n = ${n}`, ...(interval ? [`${interval[0]} to ${interval[1]}`] : [])].join(", ");
  const unfit = () => `it is not shown to be better than cheaper routes: ${figure} (${counts}; ${source})`;
  return { ...silent, write: () => written, leaf, needs: [], unfit, evidence: [name] };
}

/** Not a way to make a language model better at a task. */
function aside(written: unknown, why: string): Route {
  return { ...silent, write: () => written, leaf: null, needs: [], unfit: () => why, evidence: [] };
}

const tuned = ["gradients", "weights"] as const;
const forEncoders = "it is for text encoders (docs/words.md), and this is advice on language models";
const forBodies = "it is for movements (docs/motor.md), and this is advice on language models";
const forNets = "it trains nets from scratch (docs/nets.md), and this is advice on existing language models";

export const routes: readonly Route[] = [
  ...learnt,
  ...asked,
  unmeasured("adapter", "neural adapter", tuned),
  unmeasured("softPrompt", "task-dependent soft prompt", tuned),
  unmeasured("bitfit", "partial update", tuned),
  unmeasured("knnLm", "implicit knowledge", ["logprobs"], ({ task }) =>
    task === "answer" ? "it mixes probabilities of options, and the answers are open" : undefined,
  ),
  unmeasured({ tools: { offer: ["calculator"] } }, "tools called by the model", ["text"], ({ calculates }) =>
    calculates ? undefined : "nothing has to be calculated or looked up; say --calculates if it does",
  ),
  unmeasured({ selfTrain: { source: "file:unlabelled.jsonl" } }, "instruction-based update", [
    ...tuned,
    "logprobs",
  ]),
  unmeasured({ average: { use: { lora: { layers: 10 } } } }, null, tuned),
  outdone("head", "low-rank adapter", "headQuestions"),
  outdone("optimize", "few-shot prompt", "optimizeQuestions"),
  outdone({ stack: { of: ["linear", "probe"] } }, null, "stackQuestions"),
  outdone("search", null, "searchQuestions"),
  outdone("selfSpecialize", "instruction-based update", "ownPairs"),
  aside(
    { perStratum: { use: "linear" } },
    "it fits another specializer separately for each of several tasks in one file",
  ),
  aside({ subset: { n: 100, use: "linear" } }, "it withholds labels, to measure what they are worth"),
  aside("scripted", "it plays a game by a rule, as a baseline for models (docs/games.md)"),
  aside({ layer: { at: 6 } }, forEncoders),
  aside({ lexical: { source: "file:synonyms.tab" } }, forEncoders),
  aside("ngrams", forEncoders),
  aside({ wordVectors: { corpora: "corpora/*", dictionaries: "dictionaries/*" } }, forEncoders),
  aside("bilateral", forBodies),
  aside({ lesion: { cut: ["callosum"] } }, forBodies),
  aside("pretrain", forNets),
  aside("upcycle", forNets),
];
