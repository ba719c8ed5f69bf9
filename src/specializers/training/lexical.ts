// lexical: trains an encoder to give word vectors, by pulling synonyms of all languages together (Green et al. 2023, Massively
// Multilingual Lexical Specialization, arXiv 2208.01018).

import { mkdir } from "node:fs/promises";
import { z } from "zod";
import { noCost } from "../../core/call.js";
import { HoneError } from "../../core/errors.js";
import { fingerprint, type Json } from "../../core/json.js";
import { randomFor } from "../../core/random.js";
import type { Given, Specializer } from "../../core/specializer.js";
import {
  type Constraint,
  cleanPairs,
  constraintStatistics,
  drawPairs,
  pairsOf,
  readOmw,
  readPairs,
} from "../../data/constraints.js";
import { resolveSource } from "../../data/sources.js";
import { encoderSubject } from "../../models/encoder.js";
import type { NetEncoder } from "../../models/net/types.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";
import { keepTrained, openTrained, requireNet, requireWritable } from "./contrastive/kept.js";
import {
  type ContrastBatch,
  type ContrastMethod,
  type ContrastText,
  trainContrast,
} from "./contrastive/train.js";

const lexicalOptions = z.strictObject({
  source: z
    .string()
    .min(1)
    .describe(
      "the constraints: OMW tab files (*.tab, *.omw.tsv), or CSV or TSV of pairs with synsetID, lang1, word1, sent1, lang2, word2, sent2",
    ),
  languages: z.array(z.string()).min(1).optional().describe("only pairs of these languages; all if omitted"),
  pairs: z
    .int()
    .min(2)
    .optional()
    .describe("learn from this many of the pairs, drawn at random; all if omitted"),
  alpha: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe("pairs of languages are drawn in proportion to their share to this power"),
  perSynset: z.int().min(1).max(100).default(4).describe("maximum pairs per synset and pair of languages"),
  gloss: z
    .enum(["none", "word", "own"])
    .default("none")
    .describe(
      '"word" reads each word together with its gloss where there is one; "own" pulls glosses, as texts of their own, to the words',
    ),
  loss: z.enum(["ntxent", "supcon"]).default("ntxent").describe("NT-Xent, or SupCon"),
  csls: z
    .int()
    .min(0)
    .max(50)
    .default(0)
    .describe("CSLS-adjusted similarity with this many neighbours; 0 is plain cosine"),
  hardNegatives: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe("share of each batch that are near neighbours, in the generalist, of its other words"),
  temperature: z.number().positive().max(10).default(0.07).describe("similarities are divided by this"),
  batch: z.int().min(2).max(4096).default(256).describe("pairs in a step"),
  steps: z.int().min(1).max(1_000_000).default(100).describe("updates"),
  learningRate: z.number().positive().max(1).default(0.001).describe("the peak rate"),
  warmup: z.number().min(0).max(1).default(0.1).describe("share of the steps in which the rate rises"),
  schedule: z.enum(["constant", "linear", "cosine"]).default("cosine").describe("schedule of the rate"),
  method: z
    .enum(["lora", "full", "adapter"])
    .default("lora")
    .describe("LoRA, all weights, or a bottleneck adapter behind each feed-forward"),
  rank: z.int().min(1).max(1024).default(16).describe("rank of LoRA"),
  reduction: z
    .number()
    .min(1)
    .max(1024)
    .default(16)
    .describe("an adapter's width is the network's divided by this"),
  first: z.int().min(0).default(0).describe("the first layer that LoRA or an adapter changes"),
  write: z
    .boolean()
    .optional()
    .describe(
      "true to write the whole encoder for other libraries too; the default for BERT and XLM-R, where these compute the same vectors",
    ),
});
/** Options of `lexical`. */
export type LexicalOptions = z.input<typeof lexicalOptions>;
type Chosen = z.output<typeof lexicalOptions>;

type State = {
  artifact: string;
  report: {
    pairs: number;
    steps: number;
    tokens: number;
    firstLoss: number;
    lastLoss: number;
    statistics: Json;
  };
};

/**
 * Trains an encoder with an open network on the synonyms of a wordnet. The specialist's folder has the trained arrays, and
 * `encoder/` for sentence-transformers and transformers.js.
 *
 * Words of dev and test must not be among the constraints. The constraint files are the study's own, so its author must exclude
 * them (`withoutWords`).
 */
export function lexical(options: LexicalOptions): Specializer<State, "encoder"> {
  const chosen = readOptions(lexicalOptions, "lexical", options);
  const label = `lexical(${chosen.method}${chosen.languages ? `, ${chosen.languages.length} languages` : ""}${chosen.pairs ? `, ${chosen.pairs} pairs` : ""})`;
  const { rank, reduction, first } = chosen;
  const method: ContrastMethod = {
    full: { kind: "full" } as const,
    lora: { kind: "lora", rank, alpha: 2 * rank, first } as const,
    adapter: { kind: "adapter", reduction, first } as const,
  }[chosen.method];
  if (chosen.write && chosen.method === "adapter") {
    throw new HoneError({
      what: "lexical cannot write this encoder for transformers",
      where: "lexical: write",
      why: "adapters have no place in the encoder's own layout",
      next: "Use `method: lora`, whose matrices are merged, or leave `write` out.",
      kind: "usage",
    });
  }
  return {
    name: "lexical",
    label,
    options: JSON.parse(JSON.stringify(chosen)) as Json,
    needs: ["weights", "gradients"],
    kinds: ["encoder"],
    seeded: true,
    fit: async (subject, given) => {
      const encoder = requireNet(subject.model, "lexical", subject.name);
      requireWritable(encoder, { name: "lexical", write: chosen.write });
      const started = performance.now();
      const pairs = await constraintsOf(chosen, given);
      const batches = await draw(pairs, chosen, given, encoder);
      const { params, losses, tokens } = await trainContrast({
        encoder,
        method,
        loss: { kind: chosen.loss, temperature: chosen.temperature, csls: chosen.csls },
        batches,
        learningRate: chosen.learningRate,
        warmup: chosen.warmup,
        shape: chosen.schedule,
        seed: given.seed,
        signal: given.context.signal,
        checkpoint: await given.artifacts.scratch("training"),
        onStep: (at) =>
          given.progress(
            at.step,
            at.steps,
            `loss ${at.loss.toFixed(3)}, ${(chosen.batch / at.seconds).toFixed(1)} pairs/s`,
          ),
      });
      given.context.trace?.({
        key: fingerprint(["lexical", JSON.parse(JSON.stringify(chosen)), given.seed]),
        model: encoder.id,
        operation: "train",
        request: null,
        response: null,
        cost: { ...noCost, inputTokens: tokens, ms: performance.now() - started },
      });
      const folder = await given.artifacts.scratch("result");
      await mkdir(folder, { recursive: true });
      await keepTrained(folder, encoder, method, params, chosen.write);
      const artifact = await given.artifacts.keep(folder);
      return {
        artifact,
        report: {
          pairs: pairs.length,
          steps: batches.length,
          tokens,
          firstLoss: losses[0] ?? 0,
          lastLoss: losses.at(-1) ?? 0,
          statistics: constraintStatistics(pairs),
        },
      };
    },
    apply: (subject, { artifact }, { artifacts }) => {
      const encoder = requireNet(subject.model, "lexical", subject.name);
      const kept = { id: artifact, name: label, method };
      return {
        ...encoderSubject(openTrained(encoder, artifacts.path(artifact), kept)),
        name: `${subject.name} + ${label}`,
        id: fingerprint([subject.id, label, artifact]),
      };
    },
  };
}

async function constraintsOf(options: Chosen, given: Given<"encoder">): Promise<Constraint[]> {
  const { files } = await resolveSource(options.source, { base: given.base, signal: given.context.signal });
  let pairs: Constraint[] = [];
  for (const file of files) {
    const wordnet = /\.tab$|\.omw\.tsv$/.test(file);
    const { perSynset } = options;
    pairs = pairs.concat(
      wordnet
        ? pairsOf(await readOmw(file), { perSynset, seed: given.seed })
        : cleanPairs(await readPairs(file)),
    );
  }
  if (options.languages) {
    const allowed = new Set(options.languages);
    pairs = pairs.filter(({ lang1, lang2 }) => allowed.has(lang1) && allowed.has(lang2));
  }
  if (options.pairs !== undefined && options.pairs < pairs.length) {
    const next = drawPairs(pairs, options.alpha, randomFor(given.seed, "subset"));
    const kept = new Set<number>();
    for (let tries = 0; kept.size < options.pairs && tries < options.pairs * 50; tries++) kept.add(next());
    pairs = [...kept].sort((a, b) => a - b).map((i) => pairs[i] as Constraint);
  }
  if (pairs.length >= 2) return pairs;
  throw new HoneError({
    what: "lexical has no constraints to learn from",
    where: options.source,
    why: `${pairs.length} pairs are left${options.languages ? ` of the languages ${options.languages.join(", ")}` : ""}`,
    next: "Name other files or languages.",
    kind: "usage",
  });
}

/** The texts of all steps. */
async function draw(
  pairs: readonly Constraint[],
  options: Chosen,
  given: Given<"encoder">,
  encoder: NetEncoder,
): Promise<ContrastBatch[]> {
  const next = drawPairs(pairs, options.alpha, randomFor(given.seed, "draw"));
  const synsets = new Map<string, number>();
  const label = ({ synset }: Constraint) => {
    if (!synsets.has(synset)) synsets.set(synset, synsets.size);
    return synsets.get(synset) as number;
  };
  const text = (word: string, gloss: string): ContrastText =>
    options.gloss === "word" && gloss !== "" ? [word, gloss] : word;
  const near = options.hardNegatives > 0 ? await neighbours(pairs, next, options, given, encoder) : undefined;
  return Array.from({ length: options.steps }, () => {
    const own: number[] = [];
    const easy = Math.max(1, Math.round(options.batch * (1 - (near ? options.hardNegatives : 0))));
    while (own.length < easy) own.push(next());
    for (let i = 0; near && own.length < options.batch; i++) {
      const found = near(own[i % easy] as number, Math.floor(i / easy));
      own.push(found ?? next());
    }
    const members = own.map((i) => pairs[i] as Constraint);
    const texts = members.map((one) => {
      const glosses = options.gloss === "own" ? [...new Set([one.gloss1, one.gloss2])] : [];
      return [
        text(one.word1, one.gloss1),
        text(one.word2, one.gloss2),
        ...glosses.filter((each) => each !== ""),
      ];
    });
    return {
      texts: texts.flat(),
      labels: members.flatMap((one, i) => (texts[i] as string[]).map(() => label(one))),
    };
  });
}

/** Maximum number of pairs searched for hard negatives. */
const mined = 2000;

/** For a pair, the pairs of other synsets whose first words are most similar to its own in the generalist, nearest first. */
async function neighbours(
  pairs: readonly Constraint[],
  next: () => number,
  options: Chosen,
  given: Given<"encoder">,
  encoder: NetEncoder,
): Promise<(index: number, rank: number) => number | undefined> {
  const pool = [...new Set(Array.from({ length: Math.min(mined, options.steps * options.batch) }, next))];
  const { width } = encoder.net;
  const vectors = await encoder.vectors(
    pool.map((i) => (pairs[i] as Constraint).word1),
    given.context.signal,
  );
  const places = new Map(pool.map((i, at) => [i, at]));
  const known = new Map<number, number[]>();
  return (index, rank) => {
    const at = places.get(index);
    if (at === undefined) return undefined;
    let list = known.get(at);
    if (!list) {
      const { synset } = pairs[index] as Constraint;
      const scored = pool.flatMap((other, j) => {
        if ((pairs[other] as Constraint).synset === synset) return [];
        let dot = 0;
        for (let k = 0; k < width; k++)
          dot += (vectors[at * width + k] as number) * (vectors[j * width + k] as number);
        return [[other, dot] as const];
      });
      list = scored
        .sort((a, b) => b[1] - a[1])
        .slice(0, 8)
        .map(([other]) => other);
      known.set(at, list);
    }
    return list[rank];
  };
}

/** Its entry in the table of specializers. */
export const lexicalEntry = {
  make: lexical,
  options: lexicalOptions,
  summary: "An encoder's words as word vectors: synonyms of all languages pulled together",
  paper: "Green et al. 2023, Massively Multilingual Lexical Specialization (arXiv 2208.01018)",
  leaf: null,
} satisfies SpecializerEntry;
