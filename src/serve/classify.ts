// POST /v1/classify: a specialist's answer with its probabilities and what stood behind it, for a text, a row of the study's fields,
// or a list of these.

import { z } from "zod";
import { addCost, type Cost, noCost } from "../core/call.js";
import { HoneError } from "../core/errors.js";
import type { Prediction } from "../deploy/predictor.js";
import { Problem } from "./problem.js";
import { meter, type Served } from "./served.js";
import { classify, newId, now, type Usage } from "./write.js";

const one = z.union([z.string(), z.record(z.string(), z.unknown())]);

export const classifySchema = z.looseObject({
  model: z.string().max(256),
  input: z.union([one, z.array(one).min(1).max(1_000)]),
  /** For the router. */
  task: z.string().max(256).nullish(),
  /** The right answers, where they are known: kept with shadow records. */
  gold: z.union([z.string(), z.array(z.string().nullable())]).nullish(),
});

export interface Classified {
  id: string;
  input: string;
  prediction: Omit<Prediction, "row" | "place" | "id">;
}

export async function classifyAll(
  served: Served,
  asked: z.infer<typeof classifySchema>,
  signal: AbortSignal,
): Promise<{ body: object; usage: Usage; answers: Classified[] }> {
  const inputs = Array.isArray(asked.input) ? asked.input : [asked.input];
  const id = newId("cls");
  let cost: Cost = noCost;
  const answers = await Promise.all(
    inputs.map(async (input, i): Promise<Classified> => {
      const answer = await answerOne(served, input, i, signal);
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

/** One text, or one row with the study's fields. */
export async function answerOne(
  served: Served,
  input: string | Record<string, unknown>,
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
    const sample = predictor.sample({ row: input, place: `input.${index}` }, index + 1);
    const prediction = await predictor.answer(sample, signal, cost.trace);
    return { input: sample.input, prediction, cost: cost.total() };
  } catch (error) {
    if (!(error instanceof HoneError)) throw error;
    const { what, why } = error.failure;
    throw new Problem(400, [what, why].filter(Boolean).join(" ").slice(0, 500), { param: `input.${index}` });
  }
}
