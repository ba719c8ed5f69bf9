// The studies: one per model, with all biomedical sets in one task with an instruction each, written and out-of-domain tasks
// beside it, and named arms.

import type { DataFolder } from "../data.js";
import type { Given } from "../paper.js";
import { fileSplits, type Plan, splitFiles } from "../plans.js";
import { type DomainData, factoidInstruction, type Rows, readDomain } from "./read.js";
import type { ArmName, SelfSpecializationSettings } from "./settings.js";

export interface SelfPlan extends Plan {
  sizes: SelfSpecializationSettings;
}

export interface SelfData {
  byModel: readonly { model: string; sizes: SelfSpecializationSettings; data: DomainData }[];
}

export async function readData(
  folder: DataFolder,
  { settings, models }: { settings: SelfSpecializationSettings; models: readonly string[] },
): Promise<SelfData> {
  const byModel: SelfData["byModel"][number][] = [];
  for (const model of models.filter((one) => !isGenerator(one))) {
    const sizes = byModel.length === 0 ? settings : { ...settings, ...settings.later };
    byModel.push({ model, sizes, data: await readDomain(folder, sizes) });
  }
  if (byModel.every(({ data }) => data.domain.test.length === 0))
    throw folder.missing("it has none of the biomedical sets");
  return { byModel };
}

/** An endpoint among the models generates data for the others; its own weights cannot be trained. */
function isGenerator(model: string): boolean {
  return model.startsWith("openai:");
}

const task = (name: string, rows: Rows) => ({
  name,
  kind: "choice",
  // In models this small a label's probability is uninformative about the question; the paper's answers are texts, too.
  answerBy: "text",
  scoring: "mean",
  list: "each",
  data: {
    splits: fileSplits,
    id: "id",
    instruction: "{{instruction}}",
    input: "input",
    question: "{{question}}",
    stratum: "stratum",
    options: "options",
    label: "answer",
    leakage: rows.train.length > 0 ? "drop" : "off",
  },
});

/** The same task with files of its own. */
const elsewhere = (name: string, rows: Rows) => {
  const made = task(name, rows);
  const at = (split: string) => `file:${name}-${split}.jsonl`;
  return {
    ...made,
    data: { ...made.data, splits: { train: at("train"), dev: at("dev"), test: at("test") } },
  };
};

const named = (name: string, rows: Record<"train" | "dev" | "test", readonly unknown[]>) =>
  Object.fromEntries(Object.entries(rows).map(([split, of]) => [`${name}-${split}.jsonl`, of]));

export function selfPlans({
  models,
  data: { byModel },
}: Given<SelfSpecializationSettings, SelfData>): SelfPlan[] {
  const generator = models.find(isGenerator);
  return byModel.map(({ model, sizes, data }) => {
    const { domain, factoid, law, general, seeds, documents } = data;
    const written = {
      name: "bioasq_factoid",
      kind: "answer",
      metric: "f1",
      maxTokens: 16,
      instruction: factoidInstruction,
      data: {
        splits: {
          train: "file:bioasq_factoid-train.jsonl",
          dev: "file:bioasq_factoid-dev.jsonl",
          test: "file:bioasq_factoid-test.jsonl",
        },
        id: "id",
        input: "input",
        question: "{{question}}",
        label: "answers",
        leakage: "drop",
      },
    };
    return {
      part: "biomedicine",
      model,
      sizes,
      description: `Self-Specialization in biomedicine, ${model}`,
      files: {
        ...splitFiles(domain),
        "seeds.jsonl": seeds,
        "documents.jsonl": documents,
        ...(factoid.test.length > 0 ? named("bioasq_factoid", factoid) : {}),
        ...(law ? { ...named("law", law.rows), "law-seeds.jsonl": law.seeds } : {}),
        ...(general ? named("general", general) : {}),
      },
      study: {
        task: task("biomedicine", domain),
        elsewhere: [
          ...(factoid.test.length > 0 ? [written] : []),
          ...(law && sizes.outside > 0 ? [elsewhere("law", law.rows)] : []),
          ...(general ? [elsewhere("general", general)] : []),
        ],
      },
      arms: armsOf(sizes, {
        law: law !== null,
        documents: documents.length > 0,
        ...(generator ? { generator } : {}),
      }),
    };
  });
}

export function armsOf(
  sizes: SelfSpecializationSettings,
  has: { law: boolean; documents: boolean; generator?: string },
): Partial<Record<ArmName, unknown>> {
  const { seeds: perSet, pairs, attempts, maxTokens, lora, shots, without } = sizes;
  const common = {
    pairs,
    attempts,
    lora,
    maxTokens: { write: maxTokens, answer: 24 },
    words: { least: 4, most: 300, response: 40 },
  };
  const seeds = { source: "file:seeds.jsonl", count: perSet * 5 };
  const own = { domain: "medicine and biology", seeds, ...common };
  const corpus = { documents: "file:documents.jsonl", words: 80, k: 1 };
  const self = (more: object = {}) => ({ selfSpecialize: { ...own, ...more } });
  const few = { perStratum: { use: { fewShot: { k: shots } } } };
  const retrieve = {
    retrieve: {
      documents: "file:documents.jsonl",
      id: "id",
      by: "bm25",
      k: 1,
      passage: { words: 80, overlap: 0 },
    },
  };
  const arms: Partial<Record<ArmName, unknown>> = {
    base: "zeroShot",
    ...(shots > 0 ? { "base, few-shot": few } : {}),
    ...(has.documents ? { "base, retrieval": retrieve } : {}),
    self: self(),
    ...(shots > 0 ? { "self, few-shot": [self(), few] } : {}),
    ...(has.documents ? { "self, retrieval": self({ corpus }) } : {}),
    "two rounds": self({ rounds: 2 }),
    "seeds alone": self({ pairs: 0 }),
    ...(has.law
      ? {
          "unrelated domain": self({
            domain: "law and the Supreme Court",
            seeds: { ...seeds, source: "file:law-seeds.jsonl" },
          }),
        }
      : {}),
    "shuffled responses": self({ responses: "shuffled" }),
    ...(has.generator === undefined ? {} : { "stronger generator": self({ generator: has.generator }) }),
  };
  return Object.fromEntries(Object.entries(arms).filter(([name]) => !without.includes(name as ArmName)));
}
