// pretrain: a net trained from scratch on the train split's texts, dense or a mixture of experts (Dai et al. 2024,
// DeepSeekMoE, arXiv 2401.06066). upcycle: a trained dense net turned into a mixture of experts and trained further.

import { createHash } from "node:crypto";
import type { Json } from "../../../core/json.js";
import type { Given, Specializer } from "../../../core/specializer.js";
import { type Bpe, bpe, trainBpe } from "../../../learn/bpe.js";
import { buildNet, initWeights } from "../../../nets/build.js";
import { loadNet, type TrainedNet } from "../../../nets/text/checkpoint.js";
import { type NetSubject, netSubject } from "../../../nets/text/subject.js";
import { upcycled } from "../../../nets/upcycle.js";
import { readOptions } from "../../parts/options.js";
import type { SpecializerEntry } from "../../table.js";
import { fitNet, type PretrainState } from "./fit.js";
import {
  balanceOf,
  feedForwardOf,
  type Learning,
  type NetOptions,
  netLabel,
  type PretrainOptions,
  pretrainOptions,
  type UpcycleOptions,
  upcycleOptions,
} from "./options.js";

type NetSpecializer = Specializer<PretrainState, "text">;

/**
 * Trains a net of the study's sizes from random weights: next-token prediction on the train split, AdamW or Muon with a warm-up and a
 * decay. The step of the least loss on dev is kept. The folder holds the net, and a file for llama.cpp if it can run such a
 * net.
 *
 * @example
 * import { pretrain } from "@honelab/hone";
 * pretrain({ net: { kind: "deepseekmoe", experts: 8 } }).label; // "pretrain(deepseekmoe 1+31 top 7)"
 */
export function pretrain(options: PretrainOptions = {}): NetSpecializer {
  const read = readOptions(pretrainOptions, "pretrain", options);
  const label = `pretrain(${netLabel(read.net)}${byMuon(read)})`;
  return define("pretrain", label, read, async (subject, given) => {
    const tokenizer = tokenizerOf(given, read.vocab);
    const skeleton = { ...subject.model.sizes, vocab: tokenizer.size };
    const config = buildNet(skeleton, feedForwardOf(read.net));
    return { config, tokenizer, weights: initWeights(config, given.seed, read.std) };
  });
}

/**
 * Turns a trained dense net into a mixture of experts, each a copy of a part of its feed-forward, and trains it
 * further.
 *
 * @example
 * import { upcycle } from "@honelab/hone";
 * upcycle({ net: { kind: "gshard", experts: 8 }, reinit: 0.5 }).label; // "upcycle(gshard 8 top 2, 50 % anew)"
 */
export function upcycle(options: UpcycleOptions = {}): NetSpecializer {
  const read = readOptions(upcycleOptions, "upcycle", options);
  const anew = read.reinit > 0 ? `, ${Math.round(100 * read.reinit)} % anew` : "";
  const label = `upcycle(${netLabel(read.net)}${anew}${byMuon(read)})`;
  return define("upcycle", label, read, async (subject, given) => {
    const dense = await subject.net();
    const skeleton = { ...subject.model.sizes, vocab: dense.tokenizer.size };
    const config = buildNet(skeleton, feedForwardOf(read.net));
    const from = { seed: given.seed, reinit: read.reinit };
    return { ...dense, config, weights: upcycled(dense.config, dense.weights, config, from) };
  });
}

const byMuon = ({ optimizer }: Learning) => (optimizer === "muon" ? ", Muon" : "");

function define(
  name: string,
  label: string,
  options: Learning & { net: NetOptions },
  begin: (subject: NetSubject, given: Given<"text">) => Promise<TrainedNet>,
): NetSpecializer {
  return {
    name,
    label,
    options: JSON.parse(JSON.stringify(options)) as Json,
    needs: ["gradients"],
    kinds: ["text"],
    seeded: true,
    choosesOnDev: true,
    fit: async (given, from) => {
      const subject = given as NetSubject;
      const net = await begin(subject, from);
      const { net: kind } = options;
      const key = JSON.parse(JSON.stringify([name, options, subject.id])) as Json;
      return fitNet(
        {
          net,
          learning: options,
          ...balanceOf(kind),
          saying: subject.model.saying(net.config),
          key,
        },
        from,
      );
    },
    apply: (subject, { artifact }, tools) => {
      const { model } = subject as NetSubject;
      return netSubject(model, label, artifact, () => loadNet(tools.artifacts.path(artifact)));
    },
  };
}

/** The tokenizer learnt last, by what it was learnt on, so that the arms of a study share it. */
const learnt = new Map<string, Bpe>();

function tokenizerOf({ train }: Pick<Given<"text">, "train">, vocab: number): Bpe {
  if (vocab === 257) return bpe({ merges: [] });
  const hash = createHash("sha256").update(String(vocab));
  for (const { input } of train) hash.update(input).update("\0");
  const key = hash.digest("hex");
  const texts = train.map(({ input }) => input);
  const found = learnt.get(key) ?? bpe(trainBpe(texts, vocab));
  learnt.clear();
  learnt.set(key, found);
  return found;
}

/** Its entry in the table of specializers. */
export const pretrainEntry = {
  make: pretrain,
  options: pretrainOptions,
  summary: "A net trained from scratch on texts: dense, or of experts of which each token activates a few",
  paper:
    "Dai et al. 2024, DeepSeekMoE: Towards Ultimate Expert Specialization in Mixture-of-Experts Language Models (arXiv 2401.06066)",
  leaf: null,
} satisfies SpecializerEntry;

/** Its entry in the table of specializers. */
export const upcycleEntry = {
  make: upcycle,
  options: upcycleOptions,
  summary: "A trained dense net turned into one of experts, and trained further",
  paper: "Komatsuzaki et al. 2023, Sparse Upcycling (arXiv 2212.05055); He et al. 2024 (arXiv 2410.07524)",
  leaf: null,
} satisfies SpecializerEntry;
