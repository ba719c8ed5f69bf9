// Writes synthetic data to a folder: pairs and refused attempts as they come, one per line, and their card at the end. All
// paid calls are in the journal, so a rerun of a killed run writes the same folder again and continues from there.

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { HoneError } from "../../../core/errors.js";
import type { LanguageSubject } from "../../../core/kinds.js";
import type { Query } from "../../../core/language.js";
import type { LanguageModel } from "../../../core/model.js";
import type { Given } from "../../../core/specializer.js";
import type { SyntheticCard as Card } from "../../../core/synthetic.js";
import { makeCard } from "./card.js";
import { corpusOptions, openCorpus } from "./corpus.js";
import { givenFilter, makeFilter } from "./filter.js";
import { askingOf, type Pair, type Prompted, type Seed } from "./pair.js";
import { readSeeds, seedsOptions } from "./seeds.js";
import { synthesize } from "./synthesis.js";
import { takeRows, type Way, type Writer, writeInputs, writeInstructions } from "./ways.js";

/** Options that all ways of making data have in common. */
export const makeShape = {
  seeds: seedsOptions.prefault({}).describe("the worked examples that data are made from (count, source)"),
  domain: z.string().max(200).default("").describe("the domain in a few words, told to the writer: medicine"),
  pairs: z.int().min(0).max(1_000_000).default(1000).describe("pairs to keep; 0 for the seeds alone"),
  attempts: z
    .int()
    .min(1)
    .max(10_000_000)
    .optional()
    .describe("maximum attempts; ten times the pairs if omitted"),
  generator: z
    .string()
    .min(1)
    .optional()
    .describe("another model that writes the data: this is then distillation, not self-specialization"),
  corpus: corpusOptions
    .optional()
    .describe("documents looked up before a response is written (documents, text, k)"),
  shots: z
    .strictObject({
      write: z.int().min(1).max(20).default(3),
      answer: z.int().min(0).max(20).default(5),
    })
    .prefault({})
    .describe("seeds in the prompt for an instruction (write) and for a response (answer)"),
  temperature: z
    .number()
    .min(0)
    .max(2)
    .default(1)
    .describe("temperature for instructions and inputs; responses are greedy"),
  topP: z.number().gt(0).max(1).default(0.98).describe("top-p (nucleus) of that sampling"),
  maxTokens: z
    .strictObject({
      write: z.int().min(8).max(4096).default(256),
      answer: z.int().min(1).max(4096).default(64),
    })
    .prefault({})
    .describe("maximum tokens of an instruction with its input (write), and of a response (answer)"),
  novelty: z
    .number()
    .gt(0)
    .max(1)
    .default(0.7)
    .describe("a pair whose ROUGE-L to anything kept before reaches this is not new (Self-Instruct: 0.7)"),
  words: z
    .strictObject({
      least: z.int().min(0).default(4),
      most: z.int().min(1).default(400),
      response: z.int().min(1).default(200),
    })
    .prefault({})
    .describe("words of what is asked (least to most), and maximum words of a response (response)"),
};
const makeOptions = z.strictObject(makeShape);
export type MakeOptions = z.output<typeof makeOptions>;

/** Names of a folder's files. */
export const dataFiles = { pairs: "pairs.jsonl", refused: "refused.jsonl", card: "card.json" } as const;

export interface Making {
  options: MakeOptions;
  by: Way["name"];
  /** The subject to be trained: its model writes, unless the options name a generator. */
  base: LanguageSubject;
  /** The subject that writes the responses, if it is not the writer. */
  responder?: LanguageSubject;
  /** What the responder is asked, if not what a pair asks. */
  query?: (prompted: Prompted) => Query;
  given: Given;
  /** Rows to be labelled. */
  rows?: readonly (Prompted & { id: string })[];
}

export interface Made {
  seeds: Seed[];
  pairs: Pair[];
  card: Card;
}

/**
 * Makes data in a folder.
 * @throws HoneError where there is no writer, no seeds, or nothing passes the filter
 */
export async function makeData(
  folder: string,
  { options, by, base, responder, query, given, rows }: Making,
): Promise<Made> {
  const { context, seed } = given;
  await mkdir(folder, { recursive: true });
  const other = options.generator === undefined ? undefined : await given.context.open(options.generator);
  const author = (other?.subject ?? base) as LanguageSubject;
  const model = requireWriter(author, options.generator);
  const asked = other?.context ?? context;
  const answering = responder ?? author;
  const seeds =
    by === "labels" && options.seeds.source === undefined && given.train.length < 2
      ? []
      : await readSeeds(options.seeds, given);
  const corpus = options.corpus && (await openCorpus(options.corpus, folder, given));
  const filter = (by === "labels" ? givenFilter : makeFilter)(options, given.screen?.());
  if (by !== "labels") for (const one of seeds) filter.know(one);
  const tokens = { read: 0, written: 0 };
  // Counted by attempt, because what is still in flight at the end differs from run to run.
  const costs = new Map<string, [read: number, written: number]>();
  const traced: typeof context = {
    ...asked,
    seed,
    open: context.open,
    trace: (call) => {
      costs.set(call.key, [call.cost.inputTokens, call.cost.outputTokens]);
      asked.trace?.(call);
    },
  };
  const writer: Writer = {
    model,
    context: traced,
    seeds,
    seed,
    domain: options.domain,
    shots: options.shots.write,
    temperature: options.temperature,
    topP: options.topP,
    maxTokens: options.maxTokens.write,
  };
  const way =
    by === "labels"
      ? takeRows(rows ?? [])
      : by === "inputs"
        ? writeInputs(writer)
        : writeInstructions(writer);
  const attempts = by === "labels" ? (rows?.length ?? 0) : (options.attempts ?? 10 * options.pairs);
  const { domain, temperature, topP } = options;
  const counting = makeCard({
    way: way.name,
    domain,
    sampling: { temperature, topP, seed },
    seeds: seeds.length,
    // A specialist of the model that is trained counts as that model.
    self: options.generator === undefined,
  });
  const kept = lines(join(folder, dataFiles.pairs));
  const refused = lines(join(folder, dataFiles.refused));
  const pairs: Pair[] = [];
  const started = performance.now();
  let attempt = 0;
  try {
    const made = synthesize({
      way,
      filter,
      responder: {
        subject: answering,
        context: traced,
        seeds,
        shots: options.shots.answer,
        seed,
        maxTokens: options.maxTokens.answer,
        asking: askingOf(given),
        ...(query ? { query } : {}),
        ...(corpus ? { find: corpus.find } : {}),
      },
      pairs: options.pairs,
      attempts,
      width: Math.max(1, Math.min(64, model.batch ?? model.concurrency)),
      signal: context.signal,
    });
    for await (const judged of made) {
      attempt++;
      counting.add(judged);
      for (const key of judged.lineage.calls) {
        const [read, written] = costs.get(key) ?? [0, 0];
        costs.delete(key);
        tokens.read += read;
        tokens.written += written;
      }
      const { raw, ...rest } = judged;
      if (judged.kept) {
        pairs.push(judged.pair as Pair);
        await kept.put(rest);
      } else await refused.put(raw === undefined ? rest : judged);
      const seconds = (performance.now() - started) / 1000;
      const speed = `${Math.round(tokens.written / seconds)} tokens/s written, ${Math.round(tokens.read / seconds)} read`;
      given.progress(pairs.length, options.pairs, `${pairs.length} pairs of ${attempt} attempts, ${speed}`);
    }
  } finally {
    await kept.end();
    await refused.end();
    corpus?.close();
  }
  counting.cost(tokens.read, tokens.written);
  const card = counting.card();
  await writeFile(join(folder, dataFiles.card), `${JSON.stringify(card, null, 2)}\n`);
  if (options.pairs > 0 && pairs.length === 0) throw nothingKept(card);
  return { seeds, pairs, card };
}

/** A file that takes a line at a time; `put` resolves when the line was taken. */
function lines(path: string): { put: (value: unknown) => Promise<void>; end: () => Promise<void> } {
  const stream = createWriteStream(path, { mode: 0o600 });
  let failure: Error | undefined;
  stream.on("error", (error) => {
    failure = error;
  });
  return {
    put: async (value) => {
      if (failure) throw failure;
      if (!stream.write(`${JSON.stringify(value)}\n`)) await once(stream, "drain");
    },
    end: async () => {
      await new Promise<void>((resolve) => stream.end(() => resolve()));
      if (failure) throw failure;
    },
  };
}

function requireWriter(subject: LanguageSubject, generator: string | undefined): LanguageModel {
  const { model } = subject;
  if (subject.kind === "language" && model?.grants.has("text")) return model;
  throw new HoneError({
    what: "No model can write the data",
    where: generator ?? subject.name,
    why: "it is not a model that writes text",
    next: "Name one that does as `generator`, for instance openai:gpt-4o-mini.",
    kind: "usage",
  });
}

function nothingKept({ funnel, attempts }: Card): HoneError {
  const worst = funnel.toSorted((a, b) => b.refused - a.refused)[0];
  return new HoneError({
    what: "No synthetic pair passed the filter",
    where: `${attempts} attempts`,
    why: worst
      ? `most were refused by "${worst.rule}": ${worst.reasons.map(([why, n]) => `${why} (${n})`).join(", ")}`
      : "nothing was written",
    next: "Look at the seeds first: what is written has their form. Then raise `attempts`, or loosen `novelty` or `words`.",
  });
}
