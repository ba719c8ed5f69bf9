// The specializers, by name. A new one is one file and one line here.

import type { z } from "zod";
import { HoneError } from "../core/errors.js";
import type { Json } from "../core/json.js";
import type { Kind } from "../core/kinds.js";
import type { Specializer } from "../core/specializer.js";
import { type BestOfOptions, bestOf, bestOfOptions } from "./combine/best-of.js";
import { chain } from "./combine/chain.js";
import { type PerStratumOptions, perStratum, perStratumOptions } from "./combine/per-stratum.js";
import { levelOf, type SearchOptions, search, searchOptions, usualSpace } from "./combine/search.js";
import { type StackOptions, stack, stackOptions } from "./combine/stack.js";
import { type SubsetOptions, subset, subsetOptions } from "./combine/subset.js";
import { type SelfSpecializeOptions, selfSpecialize, selfSpecializeOptions } from "./data/self-specialize.js";
import { type SelfTrainOptions, selfTrain, selfTrainOptions } from "./data/self-train.js";
import { layer, layerOptions } from "./encoder/layer.js";
import type { Leaf } from "./map.js";
import { bilateral, bilateralOptions } from "./motor/bilateral.js";
import { lesion, lesionOptions } from "./motor/lesion.js";
import { listKnown, nearest, readOptions } from "./parts/options.js";
import { calibrate, calibrateOptions } from "./prompting/calibrate.js";
import { type CotOptions, cot, cotOptions } from "./prompting/cot.js";
import { ensemble, ensembleOptions } from "./prompting/ensemble.js";
import { fewShot, fewShotOptions } from "./prompting/few-shot.js";
import { knn, knnOptions } from "./prompting/knn.js";
import { medprompt, medpromptOptions } from "./prompting/medprompt.js";
import { optimize, optimizeOptions } from "./prompting/optimize.js";
import { directly, type PortfolioOptions, portfolio, portfolioOptions } from "./prompting/portfolio.js";
import { type ToolsOptions, tools, toolsOptions } from "./prompting/tools.js";
import { zeroShot, zeroShotOptions } from "./prompting/zero-shot.js";
import { linear, linearOptions } from "./reference/linear.js";
import { majority, majorityOptions } from "./reference/majority.js";
import { ngrams, ngramsOptions } from "./reference/ngrams.js";
import { type ScriptedOptions, scripted, scriptedOptions } from "./reference/scripted.js";
import { wordVectors, wordVectorsOptions } from "./reference/word-vectors.js";
import { knnLm, knnLmOptions } from "./retrieval/knn-lm.js";
import { retrieve, retrieveOptions } from "./retrieval/retrieve.js";
import { adapter, adapterOptions } from "./training/adapter.js";
import { bitfit, bitfitOptions } from "./training/bitfit.js";
import { full, fullOptions } from "./training/full.js";
import { head, headOptions } from "./training/head.js";
import { lexical, lexicalOptions } from "./training/lexical.js";
import { lora, loraOptions } from "./training/lora.js";
import { pretrainOptions, upcycleOptions } from "./training/pretrain/options.js";
import { pretrain, upcycle } from "./training/pretrain/pretrain.js";
import { probe, probeOptions } from "./training/probe.js";
import { setfit, setfitOptions } from "./training/setfit.js";
import { softPrompt, softPromptOptions } from "./training/soft-prompt.js";

/** Makes the specializer that stands in a combinator's field, from the same table and with the place for errors. */
export interface MakeInner {
  (written: unknown, field: string): Specializer;
  /** @throws HoneError where it is not for subjects of this kind */
  <K extends Kind>(written: unknown, field: string, kind: K): Specializer<Json, K>;
}

/** A line in the table of specializers. */
export interface SpecializerEntry {
  /** The factory; takes what `options` describes. Combinators make the specializer that they apply with `inner`. */
  make: (options: never, inner: MakeInner) => Specializer;
  options: z.ZodObject;
  /** One line. */
  summary: string;
  paper: string;
  /**
   * Its place on the survey's map; null for references, for combinators, which stand where what they apply stands, and for
   * what is no route of language models.
   */
  leaf: Leaf | null;
}

/** Every specializer by name: factory, options schema, summary, paper, place on the survey's map. */
export const specializers = {
  zeroShot: {
    make: zeroShot,
    options: zeroShotOptions,
    summary: "The generalist as it is: the instruction and the options, no examples",
    paper: "Brown et al. 2020, Language Models are Few-Shot Learners (arXiv 2005.14165)",
    leaf: "zero-shot prompt",
  },
  fewShot: {
    make: fewShot,
    options: fewShotOptions,
    summary: "The same drawn train examples before every query",
    paper: "Brown et al. 2020, Language Models are Few-Shot Learners (arXiv 2005.14165)",
    leaf: "few-shot prompt",
  },
  knn: {
    make: knn,
    options: knnOptions,
    summary: "The train examples nearest to each query before it, the nearest last",
    paper:
      "Liu et al. 2022, What Makes Good In-Context Examples for GPT-3? (arXiv 2101.06804); Nori et al. 2023 (2311.16452)",
    leaf: "few-shot prompt",
  },
  calibrate: {
    make: calibrate,
    options: calibrateOptions,
    summary: "Option scores less what the model would say if there were nothing to judge",
    paper: "Zhao et al. 2021, Calibrate Before Use (arXiv 2102.09690), eq. 1 and 2",
    leaf: "zero-shot prompt",
  },
  cot: {
    make: (options: CotOptions, inner) => cot(options, inner(options.use, "use", "language")),
    options: cotOptions,
    summary: "Examples with the model's own reasoning, kept where it reached the right answer",
    paper:
      "Nori et al. 2023, Can Generalist Foundation Models Outcompete Special-Purpose Tuning? (2311.16452), §4.2",
    leaf: "few-shot prompt",
  },
  medprompt: {
    make: medprompt,
    options: medpromptOptions,
    summary: "Nearest examples with verified reasoning, asked in several orders, and a vote",
    paper:
      "Nori et al. 2023, Can Generalist Foundation Models Outcompete Special-Purpose Tuning? (2311.16452), §4",
    leaf: "few-shot prompt",
  },
  portfolio: {
    make: (options: PortfolioOptions, inner) =>
      portfolio(
        options,
        inner(options.use ?? "medprompt", "use", "language"),
        inner(options.direct ?? directly, "direct", "language"),
      ),
    options: portfolioOptions,
    summary: "Reasoned votes and direct probabilities together, weighed by whether a query needs reasoning",
    paper: "Microsoft promptbase 2023, Medprompt+, which extends Nori et al. 2023 (2311.16452)",
    leaf: "few-shot prompt",
  },
  optimize: {
    make: optimize,
    options: optimizeOptions,
    summary: "Instruction and examples searched, and kept only where fresh samples confirm them",
    paper:
      "Agrawal et al. 2025, GEPA (arXiv 2507.19457) and Opsahl-Ong et al. 2024, MIPRO (2406.11695) for reflection and bank; the tests are ours",
    leaf: "few-shot prompt",
  },
  knnLm: {
    make: knnLm,
    options: knnLmOptions,
    summary: "The model's probabilities mixed with those of the nearest train examples' answers",
    paper:
      "Khandelwal et al. 2020, Generalization through Memorization: Nearest Neighbor Language Models (arXiv 1911.00172)",
    leaf: "implicit knowledge",
  },
  ensemble: {
    make: ensemble,
    options: ensembleOptions,
    summary: "What stands before it, asked several times with the options in other orders, and a vote",
    paper: "Nori et al. 2023, Medprompt (arXiv 2311.16452), section 4.3; Wang et al. 2022 (2203.11171)",
    leaf: "zero-shot prompt",
  },
  lora: {
    make: lora,
    options: loraOptions,
    summary: "Low-rank matrices beside the model's own, trained on the task's answers",
    paper: "Hu et al. 2021, LoRA (arXiv 2106.09685); Dettmers et al. 2023, QLoRA (arXiv 2305.14314)",
    leaf: "low-rank adapter",
  },
  head: {
    make: head,
    options: headOptions,
    summary: "LoRA with a classification head on the prompt's last state, in place of the vocabulary",
    paper:
      "Howard and Ruder 2018, ULMFiT (arXiv 1801.06146); Devlin et al. 2019, BERT (arXiv 1810.04805): the classifier on top",
    leaf: "low-rank adapter",
  },
  full: {
    make: full,
    options: fullOptions,
    summary: "Every weight of the model, trained on the task's answers",
    paper: "Dominguez-Olmedo et al. 2024, Lawma (arXiv 2407.16615)",
    leaf: "instruction-based update",
  },
  adapter: {
    make: adapter,
    options: adapterOptions,
    summary: "A few more neurons in every layer, trained on the task's answers",
    paper:
      "He et al. 2022, Towards a Unified View of Parameter-Efficient Transfer Learning (arXiv 2110.04366)",
    leaf: "neural adapter",
  },
  bitfit: {
    make: bitfit,
    options: bitfitOptions,
    summary: "Biases and the norms' gains alone, trained on the task's answers",
    paper: "Ben Zaken et al. 2022, BitFit (arXiv 2106.10199)",
    leaf: "partial update",
  },
  softPrompt: {
    make: softPrompt,
    options: softPromptOptions,
    summary: "A few vectors before every prompt, trained on the task's answers",
    paper: "Lester et al. 2021, The Power of Scale for Parameter-Efficient Prompt Tuning (arXiv 2104.08691)",
    leaf: "task-dependent soft prompt",
  },
  selfSpecialize: {
    make: (options: SelfSpecializeOptions) => selfSpecialize(options),
    options: selfSpecializeOptions,
    summary: "Trained on instructions, inputs and answers that the model wrote itself from a few seeds",
    paper: "Kang et al. 2023, Self-Specialization (arXiv 2310.00160)",
    leaf: "instruction-based update",
  },
  selfTrain: {
    make: (options: SelfTrainOptions, inner) =>
      selfTrain(options, options.use === undefined ? undefined : inner(options.use, "use", "language")),
    options: selfTrainOptions,
    summary: "Unlabelled rows labelled by the model or a specialist of it, the sure ones added to train",
    paper: "Lee 2013, Pseudo-Label; Scudder 1965, adaptive pattern recognition",
    leaf: "instruction-based update",
  },
  setfit: {
    make: setfit,
    options: setfitOptions,
    summary: "The sentence encoder trained on pairs from a few labels, then logistic regression",
    paper: "Tunstall et al. 2022, Efficient Few-Shot Learning Without Prompts (arXiv 2209.11055)",
    leaf: null,
  },
  lexical: {
    make: lexical,
    options: lexicalOptions,
    summary: "An encoder's words as word vectors: synonyms of all languages pulled together",
    paper: "Green et al. 2023, Massively Multilingual Lexical Specialization (arXiv 2208.01018)",
    leaf: null,
  },
  layer: {
    make: layer,
    options: layerOptions,
    summary: "The same encoder, read at another layer; 0 is its input embeddings",
    paper: "Vulić et al. 2020, Probing Pretrained Language Models for Lexical Semantics (arXiv 2010.05731)",
    leaf: null,
  },
  ngrams: {
    make: ngrams,
    options: ngramsOptions,
    summary: "Overlap of spelling: hashed character n-grams; needs no model",
    paper: "A reference, not a method",
    leaf: null,
  },
  wordVectors: {
    make: wordVectors,
    options: wordVectorsOptions,
    summary:
      "Skip-gram vectors with subwords, turned into one space by Procrustes on dictionaries; needs no model",
    paper:
      "A reference: Bojanowski et al. 2017 (arXiv 1607.04606); Smith et al. 2017, Offline Bilingual Word Vectors (1702.03859)",
    leaf: null,
  },
  probe: {
    make: probe,
    options: probeOptions,
    summary: "Logistic regression on the frozen model's hidden states of the prompt",
    paper:
      "Alain and Bengio 2017, Understanding Intermediate Layers Using Linear Classifier Probes (arXiv 1610.01644)",
    leaf: "partial update",
  },
  retrieve: {
    make: retrieve,
    options: retrieveOptions,
    summary: "Passages of documents that are most like each query, put into its context",
    paper:
      "Lewis et al. 2020, Retrieval-Augmented Generation (arXiv 2005.11401); Robertson and Zaragoza 2009 (BM25)",
    leaf: "explicit knowledge",
  },
  tools: {
    make: (options: ToolsOptions) => tools(options),
    options: toolsOptions,
    summary: "Functions that the model may call before it answers: a calculator, tables, codes",
    paper:
      "Schick et al. 2023, Toolformer (arXiv 2302.04761); Yao et al. 2023, ReAct (arXiv 2210.03629): the idea, not their training",
    leaf: "tools called by the model",
  },
  majority: {
    make: majority,
    options: majorityOptions,
    summary: "Always the most frequent train answer; needs no model",
    paper: "A reference, not a method",
    leaf: null,
  },
  linear: {
    make: linear,
    options: linearOptions,
    summary: "Logistic regression on words or sentence vectors; needs no language model",
    paper:
      "A reference: Hastie, Tibshirani and Friedman 2009, The Elements of Statistical Learning, section 4.4",
    leaf: null,
  },
  scripted: {
    make: (options: ScriptedOptions) => scripted(options),
    options: scriptedOptions,
    summary: "A scripted player of an arena's game: random, by rule, optimal; needs no model",
    paper: "A reference: Hou et al. 2024, EgoSocialArena (arXiv 2410.06195), whose opponents are scripted",
    leaf: null,
  },
  perStratum: {
    make: (options: PerStratumOptions, inner) => perStratum(inner(options.use, "use", "language")),
    options: perStratumOptions,
    summary: "One specialist for each of several tasks put into one, and each query to its own",
    paper:
      "Dominguez-Olmedo et al. 2024, Lawma (arXiv 2407.16615): one model for all tasks against one for each",
    leaf: null,
  },
  subset: {
    make: (options: SubsetOptions, inner) => subset(options, inner(options.use, "use")),
    options: subsetOptions,
    summary: "Another specializer on less training data: what a label is worth",
    paper: "Dominguez-Olmedo et al. 2024, Lawma (arXiv 2407.16615): sample efficiency",
    leaf: null,
  },
  bestOf: {
    make: (options: BestOfOptions, inner) => bestOf(options.of.map((one, i) => inner(one, `of.${i}`))),
    options: bestOfOptions,
    summary: "Several specializers, of which the one that does best on dev is kept",
    paper: "Nori et al. 2023, Medprompt (arXiv 2311.16452): what each rung adds is measured, not assumed",
    leaf: null,
  },
  stack: {
    make: ({ of, ...rest }: StackOptions, inner) =>
      stack(
        of.map((one, i) => inner(one, `of.${i}`, "language")),
        rest,
      ),
    options: stackOptions,
    summary: "A log-linear pool of several specialists' probabilities, without those that do not help",
    paper:
      "Genest and Zidek 1986, Combining Probability Distributions; Wolpert 1992, Stacked Generalization; Caruana et al. 2004, Ensemble Selection",
    leaf: null,
  },
  search: {
    make: ({ factors = usualSpace.factors, alone = usualSpace.alone, ...rest }: SearchOptions, inner) =>
      search(
        {
          factors: Object.entries(factors).map(([name, levels]) => ({
            name,
            levels: levels.map((one: unknown, l: number) =>
              levelOf(one, (written) => inner(written, `factors.${name}.${l}`, "language")),
            ),
          })),
          alone: alone.map((one, i) => inner(one, `alone.${i}`, "language")),
        },
        rest,
      ),
    options: searchOptions,
    summary: "The others composed under one budget: a factorial, successive halving, a stack or a single",
    paper:
      "Box, Hunter and Hunter 2005, Statistics for Experimenters; Karnin, Koren and Somekh 2013 and Jamieson and Talwalkar 2016 (arXiv 1502.07943), successive halving",
    leaf: null,
  },
  bilateral: {
    make: bilateral,
    options: bilateralOptions,
    summary: "A motor controller of one or two hemispheres, each of which may learn by a loss of its own",
    paper: "Rinaldo et al. 2024, Left/Right Brain, human motor control (arXiv 2401.14057)",
    leaf: null,
  },
  lesion: {
    make: lesion,
    options: lesionOptions,
    summary: "A trained controller with a hemisphere's input or output, or the callosum, cut at test time",
    paper: "Rinaldo et al. 2024, Left/Right Brain, human motor control (arXiv 2401.14057)",
    leaf: null,
  },
  pretrain: {
    make: pretrain,
    options: pretrainOptions,
    summary: "A net trained from nothing on texts: dense, or of experts of which each token activates a few",
    paper:
      "Dai et al. 2024, DeepSeekMoE: Towards Ultimate Expert Specialization in Mixture-of-Experts Language Models (arXiv 2401.06066)",
    leaf: null,
  },
  upcycle: {
    make: upcycle,
    options: upcycleOptions,
    summary: "A trained dense net made into one of experts, and trained on",
    paper: "Komatsuzaki et al. 2023, Sparse Upcycling (arXiv 2212.05055); He et al. 2024 (arXiv 2410.07524)",
    leaf: null,
  },
} satisfies Record<string, SpecializerEntry>;

/** A name in the table of specializers. */
export type SpecializerName = keyof typeof specializers;

/** Entries by name: `{ ...specializers, mine: { make, options, … } }` adds one's own without touching this file. */
export type SpecializerTable = Readonly<Record<string, SpecializerEntry>>;

/**
 * Makes a specializer from what a study file says: a name, a name with options, or a list of these to be applied one
 * after the other.
 *
 * @param where the place in the study file, for errors
 * @param table the specializers that may be named
 * @throws HoneError for unknown names and options, with the nearest known ones
 * @example
 * import { makeSpecializer } from "@honelab/hone";
 * makeSpecializer({ fewShot: { k: 6, draw: "balanced" } }, "specialists.1").label; // "fewShot(k=6, balanced)"
 * makeSpecializer([{ fewShot: { k: 6 } }, "calibrate"], "specialists.2").label; // "fewShot(k=6) + calibrate"
 */
export function makeSpecializer(
  spec: unknown,
  where: string,
  table: SpecializerTable = specializers,
): Specializer {
  if (Array.isArray(spec)) {
    const steps = spec.map((step, i) => makeStep(step, `${where}.${i}`, table));
    if (steps.length === 0) throw unreadable(where, "the list is empty");
    return steps.length === 1 ? (steps[0] as Specializer) : chain(steps);
  }
  return makeStep(spec, where, table);
}

function makeStep(spec: unknown, where: string, table: SpecializerTable): Specializer {
  const [name, options] = nameAndOptions(spec, where);
  const known = Object.keys(table);
  const entry = Object.hasOwn(table, name) ? table[name] : undefined;
  if (!entry) {
    const near = nearest(name, known);
    throw new HoneError({
      what: `There is no specializer "${name.slice(0, 64)}"`,
      where,
      why: listKnown("Known", known),
      next: near ? `Write "${near}".` : "Write one of the known names.",
      kind: "usage",
    });
  }
  const inner: MakeInner = (written: unknown, field: string, kind?: Kind): Specializer => {
    const place = `${where}.${name}.${field}`;
    const made = makeSpecializer(written, place, table);
    if (kind === undefined || made.kinds.includes(kind)) return made;
    throw new HoneError({
      what: `${name} cannot use ${made.label}`,
      where: place,
      why: `it takes specializers of ${kind} subjects, and this one is for ${made.kinds.join(" and ")} subjects`,
      next: `Name one that \`hone models\` lists.`,
      kind: "usage",
    });
  };
  return entry.make(readOptions(entry.options, name, options, where) as never, inner);
}

function nameAndOptions(spec: unknown, where: string): [name: string, options: unknown] {
  if (typeof spec === "string") return [spec, {}];
  if (spec === null || typeof spec !== "object" || Array.isArray(spec)) {
    throw unreadable(
      where,
      `${Array.isArray(spec) ? "a list inside a list" : spec === null ? "nothing" : typeof spec} stands there`,
    );
  }
  const entries = Object.entries(spec);
  const [first] = entries;
  if (!first || entries.length > 1) {
    throw unreadable(
      where,
      first
        ? `${entries.length} names stand there: ${entries
            .map(([key]) => key)
            .slice(0, 5)
            .join(", ")}`
        : "no name stands there",
    );
  }
  return first;
}

function unreadable(where: string, why: string): HoneError {
  return new HoneError({
    what: "This is not a specializer",
    where,
    why,
    next: 'Write a name ("zeroShot"), a name with options ({ fewShot: { k: 6 } }), or a list of these.',
    kind: "usage",
  });
}

export { type BestOfOptions, bestOf } from "./combine/best-of.js";
export { type Chain, chain } from "./combine/chain.js";
export { type PerStratumOptions, perStratum } from "./combine/per-stratum.js";
export type { Factor, Space } from "./combine/search/space.js";
export { type SearchOptions, search } from "./combine/search.js";
export { type StackOptions, stack } from "./combine/stack.js";
export { type SubsetOptions, subset } from "./combine/subset.js";
export { type SelfSpecializeOptions, selfSpecialize } from "./data/self-specialize.js";
export { type SelfTrainOptions, selfTrain } from "./data/self-train.js";
export { type BilateralOptions, bilateral } from "./motor/bilateral.js";
export { type LesionOptions, lesion } from "./motor/lesion.js";
export {
  type Behaviour,
  type Definition,
  type DerivedSubject,
  defineSpecializer,
  derive,
  prepared,
} from "./parts/define.js";
export { type CalibrateOptions, calibrate } from "./prompting/calibrate.js";
export { type CotOptions, cot } from "./prompting/cot.js";
export { type EnsembleOptions, ensemble } from "./prompting/ensemble.js";
export { type FewShotOptions, fewShot } from "./prompting/few-shot.js";
export { type KnnOptions, knn } from "./prompting/knn.js";
export {
  coalitions,
  ladder,
  type MedpromptOptions,
  type MedpromptSpec,
  medprompt,
  type Rung,
  rungs,
} from "./prompting/medprompt.js";
export { type OptimizeOptions, optimize } from "./prompting/optimize.js";
export { type PortfolioOptions, portfolio } from "./prompting/portfolio.js";
export { defineTool, type Tool, type ToolDefinition } from "./prompting/tools/define.js";
export { type Offered, type ToolsOptions, tools } from "./prompting/tools.js";
export { type ZeroShotOptions, zeroShot } from "./prompting/zero-shot.js";
export { type LinearOptions, linear } from "./reference/linear.js";
export { type MajorityOptions, majority } from "./reference/majority.js";
export { type ScriptedOptions, scripted } from "./reference/scripted.js";
export { type KnnLmOptions, knnLm } from "./retrieval/knn-lm.js";
export { type RetrieveOptions, retrieve } from "./retrieval/retrieve.js";
export { type AdapterOptions, adapter } from "./training/adapter.js";
export { type BitfitOptions, bitfit } from "./training/bitfit.js";
export { type FullOptions, full } from "./training/full.js";
export { type HeadOptions, head } from "./training/head.js";
export { type LoraOptions, lora } from "./training/lora.js";
export type { PretrainOptions, UpcycleOptions } from "./training/pretrain/options.js";
export { pretrain, upcycle } from "./training/pretrain/pretrain.js";
export { type ProbeOptions, probe } from "./training/probe.js";
export { type SoftPromptOptions, softPrompt } from "./training/soft-prompt.js";
