// setfit: the sentence encoder trained on pairs from a few labels, then logistic regression on its vectors (Tunstall et al. 2022,
// SetFit, arXiv 2209.11055). The body is the study's encoder; no language model answers.

import { mkdir } from "node:fs/promises";
import { z } from "zod";
import { noCost } from "../../core/call.js";
import { fingerprint, type Json } from "../../core/json.js";
import { type Random, randomFor } from "../../core/random.js";
import type { Given, LanguageSpecializer } from "../../core/specializer.js";
import { questionsVary, readText } from "../../learn/text.js";
import type { NetEncoder } from "../../models/net/types.js";
import { defineSpecializer, requireTrain } from "../parts/define.js";
import { readOptions } from "../parts/options.js";
import { linear } from "../reference/linear.js";
import type { SpecializerEntry } from "../table.js";
import { keepTrained, openTrained, requireNet, requireWritable } from "./contrastive/kept.js";
import { type ContrastBatch, type ContrastMethod, trainContrast } from "./contrastive/train.js";

const setfitOptions = z.strictObject({
  steps: z.int().min(1).max(100_000).default(60).describe("updates of the body"),
  batch: z.int().min(2).max(1024).default(16).describe("texts in a step, 4 at least"),
  learningRate: z.number().positive().max(1).default(2e-5).describe("the peak rate"),
  temperature: z.number().positive().max(10).default(0.07).describe("similarities are divided by this"),
  method: z.enum(["full", "lora"]).default("full").describe("all weights, or LoRA"),
  rank: z.int().min(1).max(1024).default(16).describe("of LoRA"),
  write: z
    .boolean()
    .optional()
    .describe(
      "true to write the whole encoder for other libraries too; the default for BERT and XLM-R, where these compute the same vectors",
    ),
});
/** Options of `setfit`. */
export type SetfitOptions = z.input<typeof setfitOptions>;

type State = { artifact: string; head: Json; losses: number[] };

/**
 * Trains the study's encoder with labels as classes (supervised contrastive loss over drawn batches with two texts of a class where it
 * has them), then the head of `linear(vectors)` on its vectors.
 */
export function setfit(options: SetfitOptions = {}): LanguageSpecializer {
  const chosen = readOptions(setfitOptions, "setfit", options);
  const method: ContrastMethod =
    chosen.method === "full"
      ? { kind: "full" }
      : { kind: "lora", rank: chosen.rank, alpha: 2 * chosen.rank, first: 0 };
  const label = `setfit(${chosen.method})`;
  const head = linear({ features: "vectors" });
  return defineSpecializer<State>({
    name: "setfit",
    label,
    options: chosen,
    seeded: true,
    encodes: () => true,
    trains: true,
    // It uses the encoder alone: no language model answers.
    reference: true,
    fit: async (subject, given) => {
      requireTrain(given, "setfit");
      const encoder = requireNet(await given.encoder(), "setfit", "the study's `encoder`");
      requireWritable(encoder, { name: "setfit", write: chosen.write });
      const started = performance.now();
      const { params, losses, tokens } = await trainContrast({
        encoder,
        method,
        loss: { kind: "supcon", temperature: chosen.temperature, csls: 0 },
        batches: drawBatches(given, chosen),
        learningRate: chosen.learningRate,
        warmup: 0.1,
        shape: "linear",
        seed: given.seed,
        signal: given.context.signal,
        checkpoint: await given.artifacts.scratch("training"),
        onStep: ({ step, steps, loss }) => given.progress(step, steps, `loss ${loss.toFixed(3)}`),
      });
      given.context.trace?.({
        key: fingerprint(["setfit", chosen, given.seed]),
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
      const body = openTrained(encoder, given.artifacts.path(artifact), {
        id: artifact,
        name: label,
        method,
      });
      const state = await head.fit(subject, { ...given, encoder: async () => body });
      await body.close();
      return { artifact, head: state, losses: [...losses] };
    },
    behave: (state, subject, tools) => {
      const { artifact } = state;
      let opened: Promise<NetEncoder> | undefined;
      const body = () => {
        opened ??= tools.encoder().then((encoder) => {
          const net = requireNet(encoder, "setfit", "the study's `encoder`");
          const kept = { id: artifact, name: label, method };
          return openTrained(net, tools.artifacts.path(artifact), kept);
        });
        return opened;
      };
      const specialist = head.apply(subject, state.head, { ...tools, encoder: body });
      return { respond: (query, context) => specialist.respond(query, context) };
    },
  });
}

/**
 * Texts of each step: two of a class at a time, classes in turn, and of two classes at least. Where no class has two, each text is
 * its own partner, because a text without one gives no gradient.
 */
export function drawBatches(
  { task, train, seed }: Pick<Given, "task" | "train" | "seed">,
  { steps, batch }: { steps: number; batch: number },
): ContrastBatch[] {
  const queries = train.map((sample) => task.query(sample));
  const question = questionsVary(queries);
  const classes = new Map<string, string[]>();
  for (const [i, sample] of train.entries()) {
    const { answer } = task.demonstration(sample);
    const own = classes.get(answer) ?? [];
    classes.set(answer, own);
    own.push(readText(queries[i] as (typeof queries)[number], question));
  }
  const lists = [...classes.keys()].sort().map((name) => classes.get(name) as string[]);
  const paired = lists.some((own) => own.length > 1);
  const random = randomFor(seed, "setfit");
  return Array.from({ length: steps }, () => {
    const texts: string[] = [];
    const labels: number[] = [];
    const order = drawn(lists.length, lists.length, random);
    for (let i = 0; texts.length + 2 <= Math.max(batch, 4); i++) {
      const label = order[i % order.length] as number;
      const own = lists[label] as string[];
      for (const at of paired ? drawn(own.length, 2, random) : [0, 0]) {
        texts.push(own[at] as string);
        labels.push(label);
      }
    }
    return { texts, labels };
  });
}

/** `count` of the numbers below n, drawn without replacement. */
function drawn(n: number, count: number, random: Random): number[] {
  const all = Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i < Math.min(count, n); i++) {
    const j = i + Math.floor(random() * (n - i));
    [all[i], all[j]] = [all[j] as number, all[i] as number];
  }
  return all.slice(0, Math.min(count, n));
}

/** Its entry in the table of specializers. */
export const setfitEntry = {
  make: setfit,
  options: setfitOptions,
  summary: "The sentence encoder trained on pairs from a few labels, then logistic regression",
  paper: "Tunstall et al. 2022, Efficient Few-Shot Learning Without Prompts (arXiv 2209.11055)",
  leaf: null,
} satisfies SpecializerEntry;
