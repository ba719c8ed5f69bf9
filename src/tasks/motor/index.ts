// Movement tasks: reaching and holding with a body, scored by the distance of the hand from its target. Lower is
// better.

import { z } from "zod";
import { HoneError } from "../../core/errors.js";
import { fingerprint } from "../../core/json.js";
import type { MotorSubject } from "../../core/kinds.js";
import { quantity } from "../../core/metric.js";
import type { Movement } from "../../core/motor.js";
import type { Sample } from "../../core/sample.js";
import type { Grade, Task } from "../../core/task.js";
import { openBody } from "../../motor/subject.js";
import { taskEntry } from "../table.js";
import { metricsOf, movementMetrics } from "./metrics.js";
import { drawTrials, motorDataSchema, motorTrialOptions, trialOf } from "./trials.js";

export const motorSchema = motorTrialOptions.extend({
  kind: z
    .literal("motor")
    .describe("A movement of a body, scored by the hand's distance from its target in m"),
  score: z
    .enum(["final", "mean"])
    .optional()
    .describe('The distance at the "final" step (reach), or its "mean" over all steps (hold)'),
});

export type MotorOptions = z.input<typeof motorSchema>;

/** The movements of this many first trials of a split are kept with their outcomes, for the report. */
const keptMovements = 6;

/** Scores are rounded to 10 micrometres: smaller differences are float32 rounding error. */
const grain = 1e5;

export interface MotorTask extends Task<"motor"> {
  /** The sensory delay in steps, and whether there is noise: what training needs to know besides the trials. */
  readonly senses: Pick<z.output<typeof motorTrialOptions>, "noise" | "delay">;
}

export function motor(name: string, options: MotorOptions): MotorTask {
  const spec = motorSchema.parse(options);
  const by = spec.score ?? (spec.movement === "hold" ? "mean" : "final");
  const { id: body } = openBody(spec.body);
  return {
    name,
    kind: "motor",
    subjects: "motor",
    metric: quantity("error", "m"),
    details: movementMetrics,
    binary: false,
    id: fingerprint(["motor", 1, name, spec]),
    senses: { noise: spec.noise, delay: spec.delay },
    async evaluate(subject, sample, context): Promise<Grade> {
      if (subject.model?.id !== body) throw otherBody(subject, body, name);
      const trial = trialOf(sample);
      const movement = await subject.respond(trial, context);
      const { finalError, meanError, ...rest } = metricsOf(trial, movement);
      const score = Math.round((by === "final" ? finalError : meanError) * grain) / grain;
      return {
        status: "scored",
        score,
        prediction: `${(100 * score).toFixed(1)} cm`,
        details: { finalError, meanError, ...rest },
        ...(isKept(sample)
          ? { trail: [{ kind: "movement", target: trial.target, movement: rounded(movement) }] }
          : {}),
      };
    },
  };
}

export const motorTask = taskEntry({
  options: motorSchema,
  data: motorDataSchema.prefault({}).describe("How many trials are drawn"),
  make: motor,
  draw: drawTrials,
});

/** Rounds to a tenth of a millimetre, which is less than a pixel of any drawing. */
function rounded({ dt, ...histories }: Movement): Movement {
  const shorter = (rows: readonly (readonly number[])[]) =>
    rows.map((row) => row.map((value) => Math.round(value * 1e4) / 1e4));
  const kept = Object.entries(histories).map(([name, rows]) => [name, shorter(rows)]);
  return { dt, ...Object.fromEntries(kept) } as Movement;
}

function isKept({ id }: Sample): boolean {
  return Number(id.slice(id.lastIndexOf("-") + 1)) < keptMovements;
}

function otherBody(subject: MotorSubject, body: string, task: string): HoneError {
  return new HoneError({
    what: `The task ${task} is for another body`,
    why: `its trials are for ${body}, and ${subject.name} moves ${subject.model?.id}`,
    next: "Write the same body as the study's model and as the task's `body`.",
    kind: "usage",
  });
}
