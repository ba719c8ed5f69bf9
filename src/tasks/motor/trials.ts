// The trials of a motor task as samples: drawn from a seed, one as JSON in each sample's input. Train, dev and test are
// separate draws, so that they share no trial.

import { z } from "zod";
import type { MotorTrial, Point } from "../../core/motor.js";
import { randomFor } from "../../core/random.js";
import type { Sample, SplitName } from "../../core/sample.js";
import { openBody } from "../../motor/subject.js";
import { delayed, holdTrial, reachTrial } from "../../motor/trials.js";

const count = z.int().min(0).max(1_000_000);
const lag = z.int().min(0).max(100).default(0);
const deviation = z.number().min(0).max(10).default(0);

export const motorTrialOptions = z.strictObject({
  body: z.string().min(1).default("arm26").describe('The body: "arm26", "arm26?slack=1.4", "pointMass"'),
  movement: z
    .enum(["reach", "hold"])
    .default("reach")
    .describe(
      '"reach" a random target from a random posture, or "hold" a random posture against a constant force',
    ),
  steps: z.int().min(2).max(1000).default(50).describe("Length of a trial in steps of 0.01 s"),
  load: z
    .number()
    .min(0)
    .max(1000)
    .optional()
    .describe(
      "Each component of the force on the hand is uniform within ± this, in N; 0 for reach and 10 for hold by default",
    ),
  curl: z.number().min(-100).max(100).default(0).describe("Strength of a curl force field in N s/m"),
  shownAfter: z.int().min(0).max(1000).default(0).describe("Steps until the target is shown"),
  noise: z
    .strictObject({ proprioception: deviation, vision: deviation, excitation: deviation })
    .prefault({})
    .describe("Standard deviations of the noise on proprioception, vision (m) and excitation"),
  delay: z
    .strictObject({ proprioception: lag, vision: lag })
    .prefault({})
    .describe("Delays of proprioception and vision, in steps"),
});

/** The number of trials, and the seed that draws them. */
export const motorDataSchema = z.strictObject({
  train: count.default(6400).describe("Trials for training (published: 100 batches of 64)"),
  dev: count.default(64).describe("Trials on which specialists are chosen"),
  test: count.min(1).default(256).describe("Sealed trials"),
  seed: z.int().default(0).describe("Another seed draws other trials"),
});

export type TrialOptions = z.output<typeof motorTrialOptions>;

export function drawTrials(
  options: TrialOptions,
  data: z.output<typeof motorDataSchema>,
): Record<SplitName, Sample[]> & { source: string } {
  const { plant } = openBody(options.body);
  const { movement, steps, load, curl, shownAfter, noise, delay } = options;
  const force = load ?? (movement === "hold" ? 10 : 0);
  const draw = (split: SplitName, i: number): Sample => {
    const random = randomFor(data.seed, "trials", movement, split, i);
    const drawn = movement === "hold" ? holdTrial(plant, random, force) : reachTrial(plant, random);
    const push = (): Point => [(2 * random() - 1) * force, (2 * random() - 1) * force];
    const { target, ...rest } = shownAfter > 0 ? delayed(plant, drawn, shownAfter, steps) : drawn;
    const trial: MotorTrial = {
      ...rest,
      target,
      steps,
      ...(movement === "reach" && force > 0 ? { force: push() } : {}),
      ...(curl === 0 ? {} : { curl }),
      ...(Object.values(noise).some((one) => one > 0) ? { noise, seed: i } : {}),
      ...(Object.values(delay).some((one) => one > 0) ? { delay } : {}),
    };
    return { id: `${split}-${i}`, input: JSON.stringify(trial), gold: "" };
  };
  const many = (split: SplitName) => Array.from({ length: data[split] }, (_, i) => draw(split, i));
  return {
    train: many("train"),
    dev: many("dev"),
    test: many("test"),
    source: `drawn with seed ${data.seed}`,
  };
}

/** The trial in a sample's input. */
export function trialOf({ input }: Pick<Sample, "input">): MotorTrial {
  return JSON.parse(input) as MotorTrial;
}
