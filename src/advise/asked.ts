// Routes that leave the weights unchanged: examples, reasoning, votes, documents, tools, memory. Each rule and its
// points are justified in place; advise.ts evaluates them.

import {
  always,
  labelsBelow,
  labelsFrom,
  large,
  notLarge,
  type Route,
  reasons,
  rule,
  small,
} from "./route.js";
import { asking, manyOptions, type Situation } from "./situation.js";

const shots = ({ labels }: Situation) => Math.min(5, Math.max(1, labels));
const near = (has: Situation) => ({ knn: { k: shots(has) } });
/** Every option at every position equally often, as far as about five calls allow. */
const members = ({ options }: Situation) => (options === undefined ? 5 : Math.min(5, Math.max(2, options)));

/** Local models and endpoints with log-probabilities have the options scored after the reasoning. */
const reasoned = ({ access }: Situation) => (access.has("logprobs") ? "scored" : "parsed");

const options = ({ task }: Situation) =>
  task === "answer" ? "there are no options to choose from" : undefined;
const noReasoner = (has: Situation) =>
  reasons(has)
    ? "the model reasons by itself: asking it for a chain of thought pays for reasoning twice, and examples lower its accuracy; measure examples with bestOf"
    : undefined;

export const asked: readonly Route[] = [
  {
    write: () => "zeroShot",
    leaf: "zero-shot prompt",
    needs: ["text"],
    labels: 0,
    cost: () => asking(1),
    rules: [
      rule(45, always, "it is where every other route starts: the task stated in words, nothing to train"),
      rule(50, labelsBelow(1), "without labels to learn from, the instruction is all that you can improve"),
      rule(50, reasons, "a model that reasons by itself is best asked plainly"),
    ],
    evidence: ["zeroShotSmall", "reasoningModel"],
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
      rule(8, labelsFrom(100), "there are enough of them that the nearest are similar"),
      rule(-30, reasons, "warning: examples in the prompt lower a reasoning model's accuracy"),
    ],
    evidence: ["nearestShots", "knnRoutes", "knnLicences", "lawmaShots"],
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
      rule(58, always, "a few labels are enough for fixed examples, and a server can cache their prompt"),
      rule(
        -20,
        small,
        "warning: on a small model three fixed examples scored below zero-shot on three tasks of four; the nearest ones did better",
      ),
      rule(0, manyOptions, "warning: a few fixed examples show few of so many labels"),
      rule(-30, reasons, "warning: examples in the prompt lower a reasoning model's accuracy"),
    ],
    evidence: ["randomShots", "fewShotRoutes", "fewShotPubmedqa", "smallSpecialist"],
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
        "in published results few-shot prompting lowers a reasoning model's accuracy, so dev must decide on examples",
      ),
    ],
    evidence: ["reasoningModel", "smallSpecialist", "lawmaShots"],
  },
  {
    write: (has) => ({
      medprompt: { k: shots(has), members: members(has), pool: Math.min(1000, Math.max(1, has.labels)) },
    }),
    leaf: "few-shot prompt",
    needs: ["text"],
    labels: 100,
    unfit: (has) => options(has) ?? noReasoner(has),
    cost: (has) => asking(members(has), { shots: shots(has), reasoning: reasoned(has) }),
    rules: [
      rule(40, always, "your labels can carry chains of thought that the model wrote and the label verified"),
      rule(45, large, "on a GPT-4-class model this is the strongest published way of prompting"),
      rule(
        -20,
        notLarge,
        "warning: the published gains are GPT-4's; on small models reasoning and examples can hurt",
      ),
    ],
    evidence: ["medpromptLadder", "smallSpecialist", "ladderSmall"],
  },
  {
    write: (has) => ({
      portfolio: {
        use: {
          medprompt: { k: shots(has), members: members(has), pool: Math.min(1000, Math.max(1, has.labels)) },
        },
        direct: [near(has), { ensemble: { members: members(has), vote: "probability" } }],
      },
    }),
    leaf: "few-shot prompt",
    needs: ["text", "logprobs"],
    labels: 100,
    unfit: (has) => options(has) ?? noReasoner(has),
    cost: (has) => {
      const [slow, fast] = [
        asking(members(has), { shots: shots(has), reasoning: reasoned(has) }),
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
        "reasoned and direct answers are weighed for each question: the last point of accuracy, for twice the calls",
      ),
      rule(38, large, "on a GPT-4-class model it is slightly ahead of Medprompt"),
      rule(-20, notLarge, "warning: measured on GPT-4 only"),
    ],
    evidence: ["portfolio"],
  },
  {
    write: (has) => (has.labels >= 20 ? { cot: { use: near(has), pool: Math.min(200, has.labels) } } : "cot"),
    leaf: "few-shot prompt",
    needs: ["text"],
    labels: 0,
    unfit: noReasoner,
    cost: (has) => asking(1, { shots: has.labels >= 20 ? shots(has) : 0, reasoning: reasoned(has) }),
    rules: [
      rule(55, always, "the model reasons before it answers, which needs nothing but text"),
      rule(20, large, "on a GPT-4-class model reasoning was Medprompt's largest gain"),
      rule(
        -25,
        small,
        "warning: on small models a chain of thought can cost accuracy; measure it before you pay for it",
      ),
    ],
    evidence: ["selfReasoning", "smallSpecialist"],
  },
  {
    write: (has) => {
      const votes = { ensemble: { members: members(has) } };
      return has.labels >= 20 ? [near(has), votes] : votes;
    },
    leaf: "few-shot prompt",
    needs: ["text"],
    labels: 0,
    unfit: options,
    cost: (has) => asking(members(has), { shots: has.labels >= 20 ? shots(has) : 0 }),
    rules: [
      rule(
        38,
        always,
        "asking again with the options shuffled averages out position bias, at a multiple of the calls",
      ),
      rule(
        -12,
        small,
        "small models answer by an option's position, and averaging that out left one with little",
      ),
    ],
    evidence: ["shuffling", "smallSpecialist", "shufflingSmall"],
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
    evidence: ["retrieveHelps", "retrieveUnused"],
  },
  {
    write: () => "calibrate",
    leaf: "zero-shot prompt",
    needs: ["logprobs"],
    labels: 0,
    unfit: (has) =>
      options(has) ??
      (small(has)
        ? "on a small model it scored below zero-shot on each of six tasks, by 1 to 18 points (docs/results.md)"
        : undefined),
    cost: () => asking(1),
    rules: [
      rule(
        44,
        always,
        "it removes the bias that the model has before reading anything, at no cost per answer",
      ),
      rule(-15, notLarge, "warning: on a small model it cost 1 to 18 points on each of six tasks"),
    ],
    evidence: ["calibrateGpt", "calibrateRoutes", "calibrateHarm", "calibratePubmedqa"],
  },
];
