// POST /v1/classify: a specialist's answer with its probabilities and evidence, for a text, a row of the study's fields, or a list
// of these.

import { z } from "zod";
import { addCost, type Cost, noCost } from "../core/call.js";
import { HoneError } from "../core/errors.js";
import type { Sample } from "../core/sample.js";
import type { Prediction } from "../deploy/predictor.js";
import { modelName } from "./asked.js";
import { Problem } from "./problem.js";
import { meter, type Served } from "./served.js";
import { classify, newId, now, type Usage } from "./write.js";

const one = z.union([z.string(), z.record(z.string(), z.unknown())]);

/** A sample as a study has it, with its templates filled. */
const sampleSchema = z.object({
  input: z.string(),
  question: z.string().optional(),
  instruction: z.string().optional(),
  stratum: z.string().optional(),
  options: z
    .array(z.object({ key: z.string(), text: z.string() }))
    .min(2)
    .max(1_000)
    .optional(),
});

export const classifySchema = z
  .looseObject({
    model: modelName,
    input: z.union([one, z.array(one).min(1).max(1_000)]).optional(),
    /** Instead of `input`. */
    samples: z.array(sampleSchema).min(1).max(1_000).optional(),
    /** For the router. */
    task: z.string().max(256).nullish(),
    /** The right answers, if known: kept with shadow records. */
    gold: z.union([z.string(), z.array(z.string().nullable())]).nullish(),
  })
  .refine(({ input, samples }) => (input === undefined) !== (samples === undefined), {
    message: "give either `input` or `samples`",
    path: ["input"],
  });

type Asked = z.infer<typeof classifySchema>;
/** One item to be answered: a text, a row, or a sample. */
export type ToAnswer = string | Record<string, unknown> | { sample: z.infer<typeof sampleSchema> };

/** The items of a request. */
export function inputsOf({ input, samples }: Asked): ToAnswer[] {
  if (samples) return samples.map((sample) => ({ sample }));
  return (Array.isArray(input) ? input : [input]) as ToAnswer[];
}

const isSample = (
  input: ToAnswer,
  asked: Pick<Asked, "samples">,
): input is { sample: z.infer<typeof sampleSchema> } =>
  asked.samples !== undefined && typeof input === "object";

export interface Classified {
  id: string;
  input: string;
  prediction: Omit<Prediction, "row" | "place" | "id">;
}

export async function classifyAll(
  served: Served,
  asked: Asked,
  signal: AbortSignal,
): Promise<{ body: object; usage: Usage; answers: Classified[] }> {
  const inputs = inputsOf(asked);
  const id = newId("cls-");
  let cost: Cost = noCost;
  const answers = await Promise.all(
    inputs.map(async (input, i): Promise<Classified> => {
      const answer = await answerOne(served, asked, input, i, signal);
      cost = addCost(cost, answer.cost);
      return {
        id: inputs.length === 1 ? id : `${id}-${i}`,
        input: answer.input,
        prediction: answer.prediction,
      };
    }),
  );
  const usage = {
    prompt_tokens: cost.inputTokens,
    completion_tokens: cost.outputTokens,
    total_tokens: cost.inputTokens + cost.outputTokens,
  };
  const data = answers.map(({ id: own, prediction }, index) => ({ index, id: own, ...prediction }));
  return {
    body: { id, object: "classification", created: now(), model: served.id, data, usage },
    usage,
    answers,
  };
}

/** Answers one text, one row with the study's fields, or one sample. */
export async function answerOne(
  served: Served,
  asked: Pick<Asked, "samples">,
  input: ToAnswer,
  index: number,
  signal: AbortSignal,
): Promise<{ input: string; prediction: Classified["prediction"]; cost: Cost }> {
  const { predictor } = served;
  if (typeof input === "string" || !predictor) {
    const text = typeof input === "string" ? input : "";
    return { input: text, ...(await classify(served, text, signal)) };
  }
  const cost = meter();
  try {
    const sample = isSample(input, asked)
      ? sampleOf(input.sample)
      : predictor.sample({ row: input as Record<string, unknown>, place: `input.${index}` }, index + 1);
    const prediction = await predictor.answer(sample, signal, cost.trace);
    return { input: sample.input, prediction, cost: cost.total() };
  } catch (error) {
    if (!(error instanceof HoneError)) throw error;
    const { what, why } = error.failure;
    throw new Problem(400, [what, why].filter(Boolean).join(" ").slice(0, 500), { param: `input.${index}` });
  }
}

function sampleOf({ question, instruction, stratum, options, input }: z.infer<typeof sampleSchema>): Sample {
  return {
    id: "",
    input,
    gold: "",
    ...(question === undefined ? {} : { question }),
    ...(instruction === undefined ? {} : { instruction }),
    ...(stratum === undefined ? {} : { stratum }),
    ...(options === undefined ? {} : { options }),
  };
}
