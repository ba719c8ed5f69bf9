// selfSpecialize: a generalist writes its own training data from a handful of seeds, answers it, filters it and is trained on
// it (Kang et al. 2023, Self-Specialization, arXiv 2310.00160; hyper-parameters of its successor Self-MoE, appendix A).

import { z } from "zod";
import { HoneError } from "../../core/errors.js";
import type { LanguageSubject } from "../../core/kinds.js";
import { randomFor, shuffled } from "../../core/random.js";
import type { Given, LanguageSpecializer } from "../../core/specializer.js";
import type { SyntheticCard as Card } from "../../core/synthetic.js";
import { chain } from "../combine/chain.js";
import { defineSpecializer, isDerived } from "../parts/define.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";
import type { TrainedState } from "../training/finetune/define.js";
import { lora, loraOptions } from "../training/lora.js";
import { makeData, makeShape } from "./parts/make.js";
import { askingOf, asSamples, formOf, type Pair, pairTask } from "./parts/pair.js";

/** Hyper-parameters of Self-MoE (appendix A); the user's options replace these one by one. */
const published = { rank: 8, alpha: 16, learningRate: 3e-4, epochs: 3, batch: 32 };

const trainShape = {
  train: z
    .enum(["pairs", "seeds and pairs"])
    .default("seeds and pairs")
    .describe("what it is trained on: the pairs alone, or the seeds too"),
  lora: loraOptions
    .partial()
    .optional()
    .describe("options of `lora`; rank 8, alpha 16, rate 3e-4, 3 epochs and batches of 32 if omitted"),
};

const selfSpecializeOptions = z.strictObject({
  ...makeShape,
  by: z
    .enum(["instructions", "inputs"])
    .default("instructions")
    .describe(
      '"instructions": new instructions and inputs; "inputs": new inputs for given answers (back-labelling)',
    ),
  rounds: z
    .int()
    .min(1)
    .max(5)
    .default(1)
    .describe(
      "number of rounds; after the first, the specialist rewrites the responses and the generalist is trained again",
    ),
  responses: z
    .enum(["own", "shuffled"])
    .default("own")
    .describe(
      '"shuffled" gives each pair another one\'s response: a control that leaves form and topic as they are',
    ),
  ...trainShape,
});
/** Options of `selfSpecialize`. */
export type SelfSpecializeOptions = z.input<typeof selfSpecializeOptions>;
type Chosen = z.output<typeof selfSpecializeOptions>;

/** A specialist's state: what it was trained on, and the training. */
export type SyntheticState = {
  data: { artifact: string };
  card: Card;
  trained: TrainedState;
};

/**
 * Trains a model on instructions, inputs and responses that it wrote itself from seeds; what repeats dev or test is refused.
 * With `generator` another model writes them, and the label says so. Each round is a separate step, so that studies share
 * the first ones.
 *
 * @example
 * import { selfSpecialize } from "@honelab/hone";
 * selfSpecialize({ domain: "medicine", pairs: 500 }).label; // "selfSpecialize(500 pairs, medicine)"
 */
export function selfSpecialize(options: SelfSpecializeOptions = {}): LanguageSpecializer {
  const { rounds, ...chosen } = readOptions(selfSpecializeOptions, "selfSpecialize", options);
  const steps = Array.from({ length: rounds }, (_, i) => round(chosen, i + 1));
  return steps.length === 1 ? (steps[0] as LanguageSpecializer) : (chain(steps) as LanguageSpecializer);
}

function round(options: Omit<Chosen, "rounds">, number: number): LanguageSpecializer {
  const { generator, pairs, responses, by, corpus } = options;
  const words = [
    pairs === 0 ? "seeds alone" : `${pairs} pairs`,
    by === "inputs" && "inputs for answers",
    corpus && "retrieval",
    responses === "shuffled" && "responses shuffled",
    options.domain !== "" && options.domain,
    number > 1 && `round ${number}`,
  ].filter(Boolean);
  const label =
    generator === undefined
      ? `selfSpecialize(${words.join(", ")})`
      : `distil(from ${generator.replace(/\?.*$/s, "")}, ${words.join(", ")})`;
  const training = lora({ ...published, ...options.lora } as never);
  return defineSpecializer<SyntheticState>({
    name: "selfSpecialize",
    label,
    options: JSON.parse(JSON.stringify({ ...options, ...(number > 1 ? { round: number } : {}) })),
    needs: ["text", "weights", "gradients"],
    seeded: true,
    screened: true,
    fit: async (subject, given) => {
      const base = before(subject, number - 1);
      const folder = await given.artifacts.scratch("data");
      const made = await makeData(folder, {
        options,
        by,
        base,
        given,
        ...(number > 1 ? { responder: subject } : {}),
      });
      const own = responses === "shuffled" ? shuffleResponses(made.pairs, given.seed) : made.pairs;
      const samples = options.train === "pairs" || pairs === 0 ? own : [...made.seeds, ...own];
      const trained = await trainOn(pairs === 0 ? made.seeds : samples, base, training, given);
      return { data: { artifact: await given.artifacts.keep(folder) }, card: made.card, trained };
    },
    behave: ({ trained }, subject, tools) => {
      const specialist = training.apply(before(subject, number - 1), trained, tools) as LanguageSubject;
      return {
        respond: (query, context) => specialist.respond(query, context),
        ...(specialist.model ? { model: specialist.model } : {}),
      };
    },
  });
}

/** Trains the LoRA on all pairs for the given number of epochs, because there are no labelled data to choose a step by. */
async function trainOn(
  pairs: readonly Pair[],
  base: LanguageSubject,
  training: LanguageSpecializer,
  given: Given,
): Promise<TrainedState> {
  const part: Given = {
    ...given,
    task: pairTask(given.task, askingOf(given)),
    train: asSamples(pairs),
    dev: [],
  };
  return (await training.fit(base, part)) as TrainedState;
}

/** The subject `steps` specializers further in: rounds train the generalist, not each other. */
function before(subject: LanguageSubject, steps: number): LanguageSubject {
  let at = subject;
  for (let i = 0; i < steps; i++) {
    if (!isDerived(at) || !at.inner) {
      throw new HoneError({
        what: "A further round has no specialist to begin with",
        where: subject.name,
        next: "Set `rounds` in a single selfSpecialize.",
        kind: "usage",
      });
    }
    at = at.inner;
  }
  return at;
}

/** Shifts responses by one among pairs of the same form and number of options, in a drawn order. */
export function shuffleResponses(pairs: readonly Pair[], seed: number): Pair[] {
  const groups = new Map<string, Pair[]>();
  for (const pair of pairs) {
    const key = `${formOf(pair)} ${pair.options?.length ?? 0}`;
    groups.set(key, [...(groups.get(key) ?? []), pair]);
  }
  const moved = new Map<string, string>();
  for (const [key, group] of groups) {
    const order = shuffled(group, randomFor(seed, "shuffled responses", key));
    for (const [i, { id, options }] of order.entries()) {
      const other = order[(i + 1) % order.length] as Pair;
      const place = other.options?.findIndex((one) => one.key === other.response) ?? -1;
      moved.set(id, options?.[place]?.key ?? other.response);
    }
  }
  return pairs.map((pair) => ({ ...pair, response: moved.get(pair.id) ?? pair.response }));
}

/** Its entry in the table of specializers. */
export const selfSpecializeEntry = {
  make: (options: SelfSpecializeOptions) => selfSpecialize(options),
  options: selfSpecializeOptions,
  summary: "Trained on instructions, inputs and answers that the model wrote itself from a few seeds",
  paper: "Kang et al. 2023, Self-Specialization (arXiv 2310.00160)",
  leaf: "instruction-based update",
} satisfies SpecializerEntry;
