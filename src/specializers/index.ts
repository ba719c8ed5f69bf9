// The table of specializers, by name. To add one, write a file that exports its entry and add a line here.

import { HoneError } from "../core/errors.js";
import type { Kind } from "../core/kinds.js";
import type { Specializer } from "../core/specializer.js";
import { averageEntry } from "./combine/average.js";
import { bestOfEntry } from "./combine/best-of.js";
import { chain } from "./combine/chain.js";
import { perStratumEntry } from "./combine/per-stratum.js";
import { searchEntry } from "./combine/search.js";
import { stackEntry } from "./combine/stack.js";
import { subsetEntry } from "./combine/subset.js";
import { selfSpecializeEntry } from "./data/self-specialize.js";
import { selfTrainEntry } from "./data/self-train.js";
import { layerEntry } from "./encoder/layer.js";
import { bilateralEntry } from "./motor/bilateral.js";
import { lesionEntry } from "./motor/lesion.js";
import { listKnown, nearest, readOptions } from "./parts/options.js";
import { calibrateEntry } from "./prompting/calibrate.js";
import { cotEntry } from "./prompting/cot.js";
import { ensembleEntry } from "./prompting/ensemble.js";
import { fewShotEntry } from "./prompting/few-shot.js";
import { knnEntry } from "./prompting/knn.js";
import { medpromptEntry } from "./prompting/medprompt.js";
import { optimizeEntry } from "./prompting/optimize.js";
import { portfolioEntry } from "./prompting/portfolio.js";
import { toolsEntry } from "./prompting/tools.js";
import { zeroShotEntry } from "./prompting/zero-shot.js";
import { linearEntry } from "./reference/linear.js";
import { majorityEntry } from "./reference/majority.js";
import { ngramsEntry } from "./reference/ngrams.js";
import { scriptedEntry } from "./reference/scripted.js";
import { wordVectorsEntry } from "./reference/word-vectors.js";
import { knnLmEntry } from "./retrieval/knn-lm.js";
import { retrieveEntry } from "./retrieval/retrieve.js";
import type { MakeInner, SpecializerTable } from "./table.js";
import { adapterEntry } from "./training/adapter.js";
import { bitfitEntry } from "./training/bitfit.js";
import { fullEntry } from "./training/full.js";
import { headEntry } from "./training/head.js";
import { lexicalEntry } from "./training/lexical.js";
import { loraEntry } from "./training/lora.js";
import { pretrainEntry, upcycleEntry } from "./training/pretrain/pretrain.js";
import { probeEntry } from "./training/probe.js";
import { setfitEntry } from "./training/setfit.js";
import { softPromptEntry } from "./training/soft-prompt.js";

/** Every specializer by name: factory, options schema, summary, paper, place on the survey's map. */
export const specializers = {
  zeroShot: zeroShotEntry,
  fewShot: fewShotEntry,
  knn: knnEntry,
  calibrate: calibrateEntry,
  cot: cotEntry,
  medprompt: medpromptEntry,
  portfolio: portfolioEntry,
  optimize: optimizeEntry,
  knnLm: knnLmEntry,
  ensemble: ensembleEntry,
  lora: loraEntry,
  head: headEntry,
  full: fullEntry,
  adapter: adapterEntry,
  bitfit: bitfitEntry,
  softPrompt: softPromptEntry,
  selfSpecialize: selfSpecializeEntry,
  selfTrain: selfTrainEntry,
  setfit: setfitEntry,
  lexical: lexicalEntry,
  layer: layerEntry,
  ngrams: ngramsEntry,
  wordVectors: wordVectorsEntry,
  probe: probeEntry,
  retrieve: retrieveEntry,
  tools: toolsEntry,
  majority: majorityEntry,
  linear: linearEntry,
  scripted: scriptedEntry,
  perStratum: perStratumEntry,
  subset: subsetEntry,
  bestOf: bestOfEntry,
  average: averageEntry,
  stack: stackEntry,
  search: searchEntry,
  bilateral: bilateralEntry,
  lesion: lesionEntry,
  pretrain: pretrainEntry,
  upcycle: upcycleEntry,
} satisfies SpecializerTable;

/**
 * Makes a specializer from its form in a study file: a name, a name with options, or a list of these to apply in order.
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
      why: `it takes specializers for ${kind} subjects, and this one is for ${made.kinds.join(" and ")} subjects`,
      next: `Name one that \`hone models\` lists.`,
      kind: "usage",
    });
  };
  // Only the entry itself knows the type of its options.
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

export { type AverageOptions, average } from "./combine/average.js";
export { type BestOfOptions, bestOf } from "./combine/best-of.js";
export { type Chain, chain } from "./combine/chain.js";
export { type PerStratumOptions, perStratum } from "./combine/per-stratum.js";
export type { Factor, Space } from "./combine/search/space.js";
export { type SearchOptions, search } from "./combine/search.js";
export { type StackOptions, stack } from "./combine/stack.js";
export { type SubsetOptions, subset } from "./combine/subset.js";
export { type SelfSpecializeOptions, selfSpecialize } from "./data/self-specialize.js";
export { type SelfTrainOptions, selfTrain } from "./data/self-train.js";
export { type LayerOptions, layer } from "./encoder/layer.js";
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
export { type NgramsOptions, ngrams } from "./reference/ngrams.js";
export { type ScriptedOptions, scripted } from "./reference/scripted.js";
export { type WordVectorsOptions, wordVectors } from "./reference/word-vectors.js";
export { type KnnLmOptions, knnLm } from "./retrieval/knn-lm.js";
export { type RetrieveOptions, retrieve } from "./retrieval/retrieve.js";
export type { MakeInner, SpecializerEntry, SpecializerTable } from "./table.js";
export { type AdapterOptions, adapter } from "./training/adapter.js";
export { type BitfitOptions, bitfit } from "./training/bitfit.js";
export { type FullOptions, full } from "./training/full.js";
export { type HeadOptions, head } from "./training/head.js";
export { type LexicalOptions, lexical } from "./training/lexical.js";
export { type LoraOptions, lora } from "./training/lora.js";
export type { PretrainOptions, UpcycleOptions } from "./training/pretrain/options.js";
export { pretrain, upcycle } from "./training/pretrain/pretrain.js";
export { type ProbeOptions, probe } from "./training/probe.js";
export { type SetfitOptions, setfit } from "./training/setfit.js";
export { type SoftPromptOptions, softPrompt } from "./training/soft-prompt.js";
