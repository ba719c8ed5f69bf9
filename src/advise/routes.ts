// The routes from a generalist to a specialist that `hone advise` knows, each with its rules: what it needs, what speaks
// for it and against it, and how it is written in a study. It is a table to read; `advise.ts` goes through it.

import type { Grant } from "../core/language.js";
import type { Leaf } from "../specializers/map.js";
import type { EvidenceName } from "./evidence.js";
import { asking, type Cost, type Situation } from "./situation.js";

/** A reason that moves a route up (points above 0) or down where its condition holds. */
export interface Rule {
  points: number;
  when: (has: Situation) => boolean;
  because: string;
}

export interface Route {
  /** As a study names it, with options that fit what the user has. */
  write: (has: Situation) => unknown;
  leaf: Leaf | null;
  needs: readonly Grant[];
  /** Fewest labels that it can learn from. */
  labels: number;
  /** A sentence where it does not apply for a reason of its own. */
  unfit?: (has: Situation) => string | undefined;
  cost: (has: Situation) => Cost;
  /** Sum up to the place in the order; the reasons of those that hold are what the user reads. */
  rules: readonly Rule[];
  evidence: readonly EvidenceName[];
}

const always = () => true;
const small = ({ strength }: Situation) => strength === "small";
const notLarge = ({ strength }: Situation) => strength === "small" || strength === null;
const large = ({ strength }: Situation) => strength === "large";
const reasons = ({ strength }: Situation) => strength === "reasoning";
const labelsFrom = (least: number) => (has: Situation) => has.labels >= least;
const labelsBelow = (most: number) => (has: Situation) => has.labels < most;
const rule = (points: number, when: Rule["when"], because: string): Rule => ({ points, when, because });

const shots = ({ labels }: Situation) => Math.min(5, Math.max(1, labels));
const near = (has: Situation) => ({ knn: { k: shots(has) } });
/** Every option at every place equally often where five calls or so allow it. */
const members = ({ options }: Situation) => (options === undefined ? 5 : Math.min(5, Math.max(2, options)));

const sharedLabels = ({ task, ownOptions }: Situation) =>
  task === "answer"
    ? "the answers are open, and it chooses among labels"
    : ownOptions
      ? "every question brings its own options, and it learns labels that all share"
      : undefined;
const options = ({ task }: Situation) =>
  task === "answer" ? "there are no options to choose from" : undefined;
const noReasoner = (has: Situation) =>
  reasons(has)
    ? "the model reasons by itself: asking it for a chain of thought again is paid twice and examples lower it; measure examples with bestOf"
    : undefined;
const trained = (has: Situation): Cost => ({ ...asking(1), training: has.labels > 0 });
const free = (): Cost => ({ calls: 0, inputTokens: 0, outputTokens: 0, training: false });

const tuning: readonly Rule[] = [
  rule(40, always, "you hold the weights, so the model itself can learn the task"),
  rule(25, labelsFrom(200), "there are labels enough to train on"),
  rule(15, labelsFrom(1000), "with a thousand labels and more, tuning is what the published figures favour"),
  rule(
    -25,
    labelsBelow(200),
    "warning: so few labels mostly teach how often each answer occurs; keep it only if it beats linear",
  ),
];

export const routes: readonly Route[] = [
  {
    write: () => "zeroShot",
    leaf: "zero-shot prompt",
    needs: ["text"],
    labels: 0,
    cost: () => asking(1),
    rules: [
      rule(45, always, "it is where every other route starts: the task said in words, nothing to learn"),
      rule(50, labelsBelow(1), "without labels to learn from, the instruction is what you can improve"),
      rule(50, reasons, "a model that reasons by itself is best asked plainly"),
    ],
    evidence: ["zeroShotSmall", "reasoningModel"],
  },
  {
    write: () => ({ linear: { features: "tfidf" } }),
    leaf: null,
    needs: [],
    labels: 10,
    unfit: sharedLabels,
    cost: free,
    rules: [
      rule(50, always, "a reference that costs next to nothing: every dearer route has to beat it"),
      rule(42, labelsFrom(100), "with a hundred labels and more it is often hard to beat"),
    ],
    evidence: ["linear", "linearLicences"],
  },
  {
    write: () => ({ linear: { features: "vectors" } }),
    leaf: null,
    needs: [],
    labels: 50,
    unfit: sharedLabels,
    cost: free,
    rules: [
      rule(
        46,
        always,
        "the same reference on sentence vectors, for tasks where words vary; the encoder is part of Hone",
      ),
      rule(42, labelsFrom(100), "there are labels enough for it"),
    ],
    evidence: ["linearVectors"],
  },
  {
    write: (has) => ({ lora: { ...(has.labels < 1000 ? { layers: 10 } : {}), epochs: 2 } }),
    leaf: "low-rank adapter",
    needs: ["gradients", "weights"],
    labels: 50,
    cost: trained,
    rules: [
      ...tuning,
      rule(
        6,
        always,
        "of the ways to tune it is the one measured most; the adapter is small and loads anywhere",
      ),
    ],
    evidence: ["lora", "lawmaTuned", "lawmaLabels", "loraFew"],
  },
  {
    write: near,
    leaf: "few-shot prompt",
    needs: ["text"],
    labels: 20,
    cost: (has) => asking(1, { shots: shots(has) }),
    rules: [
      rule(
        62,
        always,
        "the labels that you have become examples, each query with those nearest to it, and nothing is trained",
      ),
      rule(8, labelsFrom(100), "there are enough of them for near ones to be near"),
      rule(-30, reasons, "warning: examples in the prompt lower a reasoning model"),
    ],
    evidence: ["nearestShots", "knnLicences", "lawmaShots"],
  },
  {
    write: (has) => ({
      fewShot: { k: shots(has), draw: has.task === "choice" && !has.ownOptions ? "balanced" : "random" },
    }),
    leaf: "few-shot prompt",
    needs: ["text"],
    labels: 1,
    cost: (has) => asking(1, { shots: shots(has) }),
    rules: [
      rule(58, always, "a few labels are enough for fixed examples, and a server can keep their prompt"),
      rule(-10, small, "small models gain little from fixed examples"),
      rule(-30, reasons, "warning: examples in the prompt lower a reasoning model"),
    ],
    evidence: ["randomShots", "fewShotSmall", "smallSpecialist"],
  },
  {
    write: (has) => ({
      bestOf: { of: ["zeroShot", { fewShot: { k: shots(has) } }, ...(has.labels >= 20 ? [near(has)] : [])] },
    }),
    leaf: null,
    needs: ["text"],
    labels: 5,
    cost: (has) => asking(1, { shots: shots(has) }),
    rules: [
      rule(40, always, "whether examples help this model is measured on dev, not assumed"),
      rule(
        40,
        reasons,
        "published results have few-shot lower a reasoning model, so examples must be a measured switch",
      ),
    ],
    evidence: ["reasoningModel", "smallSpecialist", "lawmaShots"],
  },
  {
    write: (has) => ({
      medprompt: { k: shots(has), members: members(has), pool: Math.min(1000, has.labels) },
    }),
    leaf: "few-shot prompt",
    needs: ["text"],
    labels: 100,
    unfit: (has) => options(has) ?? noReasoner(has),
    cost: (has) => asking(members(has), { shots: shots(has), reasoning: true }),
    rules: [
      rule(40, always, "your labels can carry chains of thought that the model wrote and the label verified"),
      rule(45, large, "on a model of GPT-4's class this is the strongest published way of prompting"),
      rule(
        -20,
        notLarge,
        "warning: the published gains are GPT-4's; on small models reasoning and examples can hurt",
      ),
    ],
    evidence: ["medpromptLadder", "smallSpecialist"],
  },
  {
    write: (has) => ({
      portfolio: {
        use: { medprompt: { k: shots(has), members: members(has), pool: Math.min(1000, has.labels) } },
        direct: [near(has), { ensemble: { members: members(has), vote: "probability" } }],
      },
    }),
    leaf: "few-shot prompt",
    needs: ["text", "logprobs"],
    labels: 100,
    unfit: (has) => options(has) ?? noReasoner(has),
    cost: (has) => {
      const [slow, fast] = [
        asking(members(has), { shots: shots(has), reasoning: true }),
        asking(members(has) + 1, { shots: shots(has) }),
      ];
      return {
        calls: slow.calls + fast.calls,
        inputTokens: slow.inputTokens + fast.inputTokens,
        outputTokens: slow.outputTokens + fast.outputTokens,
        training: false,
      };
    },
    rules: [
      rule(
        36,
        always,
        "reasoned and direct answers are weighed for each question; the last point for twice the calls",
      ),
      rule(38, large, "on a model of GPT-4's class it is ahead of Medprompt, a little"),
      rule(-20, notLarge, "warning: measured on GPT-4 only"),
    ],
    evidence: ["portfolio"],
  },
  {
    write: (has) => ({
      cot: { use: has.labels >= 20 ? near(has) : "zeroShot", pool: Math.min(200, Math.max(1, has.labels)) },
    }),
    leaf: "few-shot prompt",
    needs: ["text"],
    labels: 0,
    unfit: noReasoner,
    cost: (has) => asking(1, { shots: has.labels >= 20 ? shots(has) : 0, reasoning: true }),
    rules: [
      rule(55, always, "the model reasons before it answers, which asks for nothing but text"),
      rule(20, large, "on a model of GPT-4's class reasoning was the largest rung of Medprompt"),
      rule(
        -25,
        small,
        "warning: on small models a chain of thought can cost accuracy; measure it before you pay for it",
      ),
    ],
    evidence: ["selfReasoning", "smallSpecialist"],
  },
  {
    write: (has) => [...(has.labels >= 20 ? [near(has)] : []), { ensemble: { members: members(has) } }],
    leaf: "few-shot prompt",
    needs: ["text"],
    labels: 0,
    unfit: options,
    cost: (has) => asking(members(has), { shots: has.labels >= 20 ? shots(has) : 0 }),
    rules: [
      rule(
        38,
        always,
        "asking again with the options shuffled takes out the model's liking for a place, at a multiple of the calls",
      ),
      rule(8, small, "small models change many answers when options are shuffled"),
    ],
    evidence: ["shuffling", "smallSpecialist"],
  },
  {
    write: (has) => ({
      retrieve: { documents: has.documentsFrom ?? "file:documents.jsonl", text: "text", by: "bm25", k: 3 },
    }),
    leaf: "explicit knowledge",
    needs: ["text"],
    labels: 0,
    unfit: ({ documents }) => (documents > 0 ? undefined : "there are no documents to search"),
    cost: () => asking(1, { extra: 3 * 160 }),
    rules: [
      rule(72, always, "your documents can be searched for each query, without a single label"),
      rule(15, labelsBelow(20), "where labels are missing, documents are the knowledge that you have"),
    ],
    evidence: [],
  },
  {
    write: () => ({ tools: { offer: ["calculator"] } }),
    leaf: "tools called by the model",
    needs: ["text"],
    labels: 0,
    unfit: ({ calculates }) =>
      calculates ? undefined : "nothing has to be calculated or looked up; say --calculates where it has",
    cost: () => ({ ...asking(2, { extra: 200 }), outputTokens: 60 }),
    rules: [
      rule(86, always, "what must be calculated is calculated by a program and not guessed token by token"),
      rule(-20, small, "small models often fail to write a call; they then answer without"),
    ],
    evidence: [],
  },
  {
    write: () => "knnLm",
    leaf: "implicit knowledge",
    needs: ["logprobs"],
    labels: 200,
    unfit: ({ task }) =>
      task === "answer" ? "it mixes probabilities of options, and the answers are open" : undefined,
    cost: () => asking(1),
    rules: [
      rule(
        60,
        always,
        "a memory of your labels is mixed with the model's probabilities at the price of one call",
      ),
      rule(14, labelsFrom(1000), "there are labels enough for a memory to have near neighbours"),
    ],
    evidence: [],
  },
  {
    write: () => "calibrate",
    leaf: "zero-shot prompt",
    needs: ["logprobs"],
    labels: 0,
    unfit: options,
    cost: () => asking(1),
    rules: [
      rule(
        44,
        always,
        "it takes out what the model says before it has read anything, at no cost for each answer",
      ),
      rule(-15, notLarge, "warning: on a small model it cost 20 points on one task and gave 6 on another"),
    ],
    evidence: ["calibrateHarm", "calibrateHelp"],
  },
  {
    write: () => ({ adapter: { epochs: 2 } }),
    leaf: "neural adapter",
    needs: ["gradients", "weights"],
    labels: 200,
    cost: trained,
    rules: [...tuning, rule(-12, always, "worth trying after lora")],
    evidence: [],
  },
  {
    write: () => ({ softPrompt: { epochs: 2 } }),
    leaf: "task-dependent soft prompt",
    needs: ["gradients", "weights"],
    labels: 50,
    cost: trained,
    rules: [
      ...tuning,
      rule(
        -20,
        always,
        "it changes the model least; published results have it catch up with tuning in large models only",
      ),
    ],
    evidence: [],
  },
  {
    write: () => ({ bitfit: { epochs: 2 } }),
    leaf: "partial update",
    needs: ["gradients", "weights"],
    labels: 200,
    cost: trained,
    rules: [...tuning, rule(-16, always, "the fewest weights to keep; worth trying after lora")],
    evidence: [],
  },
  {
    write: () => ({ full: { epochs: 2 } }),
    leaf: "instruction-based update",
    needs: ["gradients", "weights"],
    labels: 1000,
    cost: trained,
    rules: [
      ...tuning,
      rule(
        -8,
        always,
        "every weight is trained, so it needs the most memory and the result is a whole model",
      ),
    ],
    evidence: ["lawmaTuned"],
  },
  {
    write: () => "majority",
    leaf: null,
    needs: [],
    labels: 1,
    cost: free,
    rules: [rule(1, always, "a reference, the floor: a route that does not beat it has learnt nothing")],
    evidence: ["majority"],
  },
];
