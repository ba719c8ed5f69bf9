// bilateral: a motor controller of one hemisphere or of two, trained through its body; with two, each may learn by a loss of
// its own (Rinaldo, Friedman, Kuhlmann and Kowadlo 2024, "Left/Right Brain, human motor control", arXiv 2401.14057).

import { z } from "zod";
import { HoneError } from "../../core/errors.js";
import { fingerprint } from "../../core/json.js";
import type { MotorSubject } from "../../core/kinds.js";
import type { MotorTrial } from "../../core/motor.js";
import { randomFor, shuffled } from "../../core/random.js";
import type { Given, Specializer } from "../../core/specializer.js";
import {
  type ControllerSubject,
  controllerSubject,
  type PlantBody,
  type SavedController,
  saveControllers,
  shapeFor,
} from "../../motor/subject.js";
import { motorTrainer, trainControllers } from "../../motor/training.js";
import { requireTrain } from "../parts/define.js";
import { readOptions } from "../parts/options.js";
import type { SpecializerEntry } from "../table.js";

const bilateralOptions = z.strictObject({
  hemispheres: z
    .union([z.literal(1), z.literal(2)])
    .default(2)
    .describe("hemispheres, 1 or 2"),
  losses: z
    .enum(["common", "dominant", "nonDominant", "specialized"])
    .optional()
    .describe(
      'what it learns by: the "common" loss, the "dominant" or "nonDominant" one alone, or "specialized": each hemisphere by its own; by default common with one hemisphere and specialized with two',
    ),
  callosum: z
    .enum(["none", "pooled", "learned"])
    .optional()
    .describe(
      'what hemispheres tell each other: nothing, their "pooled" states without weights (published), or a "learned" map of them; by default pooled with two hemispheres',
    ),
  dominantSide: z
    .enum(["left", "right"])
    .default("left")
    .describe("the hemisphere that learns by the dominant loss where they are specialized"),
  units: z.int().min(2).max(1024).default(32).describe("units per layer, over all hemispheres"),
  layers: z.int().min(1).max(8).default(2).describe("hidden layers"),
  cell: z
    .enum(["dense", "gru"])
    .default("dense")
    .describe('"dense" layers without memory (published) or "gru" ones with'),
  activity: z
    .enum(["asIntended", "asPublished"])
    .default("asIntended")
    .describe(
      'what the activity regularizer acts on: the hidden layers "asIntended", or the outputs that the published program paired it with, forces in N among them',
    ),
  updates: z.int().min(1).max(1_000_000).default(800).describe("updates of the weights"),
  batch: z.int().min(1).max(4096).default(64).describe("trials per update"),
  learningRate: z.number().positive().max(1).default(0.003).describe("Adam's step size"),
});
/** Options of `bilateral`. */
export type BilateralOptions = z.input<typeof bilateralOptions>;

type State = SavedController;
type MotorGiven = Given<"motor">;

/**
 * Trains through the body: the error flows back through muscles and limbs (Jordan and Rumelhart's distal teacher). Dominant
 * loss: mean distance and activity; non-dominant: squared distance and effort; common: the mean of both. What both
 * hemispheres share learns by half of each. Seeds are trained in parallel, each as if it were alone.
 *
 * @example
 * import { bilateral } from "@honelab/hone";
 * bilateral({ callosum: "pooled" }).label; // "bilateral(specialized, cc, 2x16)"
 */
export function bilateral(options: BilateralOptions = {}): Specializer<State, "motor"> {
  const read = readOptions(bilateralOptions, "bilateral", options);
  const { hemispheres, units, layers, cell } = read;
  const losses = read.losses ?? (hemispheres === 1 ? "common" : "specialized");
  const callosum = read.callosum ?? (hemispheres === 1 ? "none" : "pooled");
  const own = Math.floor(units / hemispheres);
  const chosen = { ...read, losses, callosum };
  const label = `${hemispheres === 1 ? "unilateral" : "bilateral"}(${[
    losses,
    ...(callosum === "none" ? [] : [callosum === "learned" ? "learned cc" : "cc"]),
    hemispheres === 1 ? `${own}` : `2x${own}`,
    ...(cell === "gru" ? ["gru"] : []),
    ...(read.dominantSide === "right" && losses === "specialized" ? ["right dominant"] : []),
    ...(read.activity === "asPublished" ? ["as published"] : []),
  ].join(", ")})`;
  const fitAll = async (
    subject: MotorSubject,
    given: MotorGiven,
    seeds: readonly number[],
  ): Promise<State[]> => {
    const body = bodyOf(subject);
    const { trials, delays, steps } = readTrials(given);
    const shape = shapeFor(body.plant, { hemispheres, layers, units: own, callosum, cell });
    const trainer = motorTrainer({ plant: body.plant, shape, steps, activity: read.activity, delays });
    try {
      const { params } = await trainControllers({
        trainer,
        shape,
        teachings: seeds.map(() => ({ losses, dominantSide: read.dominantSide })),
        seeds,
        trials: batchesOf(trials, read.batch),
        updates: read.updates,
        learningRate: read.learningRate,
        checkpoint: {
          folder: await given.artifacts.scratch("bilateral"),
          key: fingerprint([chosen, seeds, given.train.length]),
          seconds: 30,
        },
        signal: given.context.signal,
        onUpdate: ({ update, loss }) =>
          given.progress(update, read.updates, `loss ${(loss / seeds.length).toFixed(3)}`),
      });
      return saveControllers(
        shape,
        params,
        seeds.map(() => true),
      );
    } finally {
      await trainer.release();
    }
  };
  return {
    name: "bilateral",
    label,
    options: chosen,
    needs: ["gradients"],
    kinds: ["motor"],
    seeded: true,
    fit: async (subject, given) => (await fitAll(subject, given, [given.seed]))[0] as State,
    fitAll,
    apply: (subject, state) => {
      const body = bodyOf(subject);
      return controllerSubject(body, state, `${label} of ${body.name}`);
    },
  };
}

/** The body of a motor subject. */
export function bodyOf(subject: MotorSubject): PlantBody {
  return (subject as ControllerSubject).model;
}

/** Train's trials, with what has to be the same in all of them. @throws HoneError where they cannot be trained on together */
function readTrials(given: MotorGiven) {
  requireTrain(given, "bilateral");
  const trials = given.train.map(({ input }) => JSON.parse(input) as MotorTrial);
  const first = trials[0] as MotorTrial;
  if (trials.some(({ noise }) => noise !== undefined)) {
    throw new HoneError({
      what: `bilateral cannot be trained on ${given.task.name}`,
      why: "its trials are noisy, and gradients are taken through quiet ones",
      next: "Train on the task without noise, and name the noisy one under `elsewhere`.",
      kind: "usage",
    });
  }
  const { proprioception = 0, vision = 0 } = first.delay ?? {};
  return { trials, steps: first.steps, delays: { proprioception, vision } };
}

/** Every seed goes through all trials epoch by epoch, each epoch in an order of the seed's own. */
function batchesOf(trials: readonly MotorTrial[], size: number) {
  const perEpoch = Math.max(1, Math.floor(trials.length / size));
  const orders = new Map<string, readonly MotorTrial[]>();
  return (update: number, seed: number): readonly MotorTrial[] => {
    const epoch = Math.floor((update - 1) / perEpoch);
    const key = `${seed}/${epoch}`;
    let order = orders.get(key);
    if (!order) {
      order = shuffled(trials, randomFor(seed, "trials of an epoch", epoch));
      orders.set(key, order);
      orders.delete(`${seed}/${epoch - 1}`);
    }
    const from = ((update - 1) % perEpoch) * size;
    return Array.from({ length: size }, (_, i) => order[(from + i) % order.length] as MotorTrial);
  };
}

/** Its entry in the table of specializers. */
export const bilateralEntry = {
  make: bilateral,
  options: bilateralOptions,
  summary: "A motor controller of one or two hemispheres, each of which may learn by a loss of its own",
  paper: "Rinaldo et al. 2024, Left/Right Brain, human motor control (arXiv 2401.14057)",
  leaf: null,
} satisfies SpecializerEntry;
