// Defines a specializer that trains weights from a method and a function that saves its result. The specialist is the same
// model with changed weights, queried with the same prompts.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type CallContext, noCost } from "../../../core/call.js";
import { fingerprint, type Json } from "../../../core/json.js";
import type { LanguageSubject } from "../../../core/kinds.js";
import type { Query } from "../../../core/language.js";
import type { Change as ModelChange } from "../../../core/model.js";
import type { Given, LanguageSpecializer } from "../../../core/specializer.js";
import { generalist } from "../../../models/generalist.js";
import { defineSpecializer, prepared, requireTrain } from "../../parts/define.js";
import { requireWeights } from "./examples.js";
import { type Fitted, fitMethod, type Method, type TrainingReport } from "./fit.js";
import { labelWith, type TrainingOptions } from "./options.js";

/** What a method left in its folder, by file name. */
export type Kept = { lora?: string; weights?: string; prefix?: number[] };

export type TrainedState = {
  artifact: string;
  kept: Kept;
  report: TrainingReport;
};

export interface TrainedDefinition {
  name: string;
  label: string;
  options: Json;
  training: TrainingOptions;
  method: Method;
  /** Writes the result into an empty folder. */
  save: (folder: string, fitted: Fitted, given: Given, subject: LanguageSubject) => Promise<Kept>;
}

/** Makes the specializer. */
export function defineTrained(definition: TrainedDefinition): LanguageSpecializer<TrainedState> {
  const { name, label, options, method, training, save } = definition;
  return defineSpecializer<TrainedState>({
    name,
    label: labelWith(label, training),
    options,
    needs: ["weights", "gradients"],
    seeded: true,
    // The weights of the step that is best on dev are kept.
    choosesOnDev: true,
    fit: async (subject, given) => {
      requireTrain(given, name);
      const target = requireWeights(subject, name);
      const started = performance.now();
      const fitted = await fitMethod(method, target, given, training);
      // The report shows the tokens read in training beside the cost of calls.
      given.context.trace?.({
        key: fingerprint([name, options, given.seed]),
        model: target.model.id,
        operation: "train",
        request: null,
        response: null,
        cost: { ...noCost, inputTokens: fitted.report.tokens, ms: performance.now() - started },
      });
      const folder = await given.artifacts.scratch("result");
      await mkdir(folder, { recursive: true });
      const kept = await save(folder, fitted, given, subject);
      const artifact = await given.artifacts.keep(folder);
      return { artifact, kept, report: fitted.report };
    },
    behave: ({ artifact, kept }, subject, { artifacts }) => {
      const { model: base, weights } = requireWeights(subject, name);
      const folder = artifacts.path(artifact);
      const change: ModelChange = {
        id: artifact,
        name: label,
        ...(kept.lora === undefined ? {} : { lora: join(folder, kept.lora) }),
        ...(kept.weights === undefined ? {} : { weights: join(folder, kept.weights) }),
        ...(kept.prefix === undefined ? {} : { prefix: kept.prefix }),
      };
      const model = weights.specialize(change);
      const specialist = generalist(model, base.format);
      return {
        model,
        respond: async (query: Query, context: CallContext) => {
          // Specializers before this one still change queries; only the model is the trained one.
          const ready = await prepared(subject, query, context);
          // Training was on the plain likelihoods, so no prior is subtracted from them.
          const { scoring } = ready.query;
          const asked = scoring === "prior" ? { ...ready.query, scoring: "sum" as const } : ready.query;
          return specialist.respond(asked, context);
        },
      };
    },
  });
}
