// Rollouts against the unrolled program that training uses; noise, delays, targets that come late, loads and lesions.

import type { Array as JaxArray } from "@jax-js/jax";
import type { Tensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomFor } from "../../src/core/random.js";
import { type ControllerShape, initController } from "../../src/motor/controller.js";
import { type TrialArrays, unroll } from "../../src/motor/episode.js";
import { arm26 } from "../../src/motor/plant/arm.js";
import { type History, makeRollout, type RolloutOptions } from "../../src/motor/rollout.js";
import { delayed, holdTrial, reachTrial, type Trial, trialTensors } from "../../src/motor/trials.js";
import { compile, type Tensors } from "../../src/tensor/compile.js";
import { readyJax } from "../../src/tensor/jax.js";

beforeAll(() => readyJax());

const arm = arm26();
const shape: ControllerShape = {
  hemispheres: 2,
  layers: 2,
  units: 4,
  callosum: "pooled",
  cell: "dense",
  inputs: 16,
  muscles: 6,
};
const recurrent: ControllerShape = { ...shape, cell: "gru" };
const steps = 6;
const seeds = [1, 2];
const params = initController(shape, seeds);
const random = randomFor(3, "trials");
const trials: Trial[] = [reachTrial(arm, random), holdTrial(arm, random), reachTrial(arm, random)];
const rollouts = {
  dense: makeRollout({ plant: arm, shape, threads: 1 }),
  gru: makeRollout({ plant: arm, shape: recurrent, threads: 1 }),
};
afterAll(async () => {
  await rollouts.dense.release();
  await rollouts.gru.release();
});
const run = (options: Partial<RolloutOptions> = {}, of = trials) =>
  rollouts.dense.run(params, of, { steps, ...options });

/** The hand of a controller and trial at a step. */
const hand = (
  { hand: all, trials: count, steps: length }: History,
  s: number,
  b: number,
  t: number,
): [number, number] => {
  const at = ((s * count + b) * (length + 1) + t) * 2;
  return [all[at] as number, all[at + 1] as number];
};

describe("a rollout", () => {
  for (const of of [shape, recurrent]) {
    for (const delays of [undefined, { proprioception: 2, vision: 3 }]) {
      it(`is what training unrolls (${of.cell}${delays ? ", delayed" : ""})`, async () => {
        const own = initController(of, seeds);
        const options = { steps, ...(delays ? { delays } : {}) };
        const given = trialTensors(seeds.map(() => trials));
        const program = compile((p: Record<string, JaxArray>, at: TrialArrays) => {
          const { hands, excitations } = unroll(arm, of, p, at, {}, options);
          return [hands, excitations];
        });
        const [hands, excitations] = (await program(own, given as Tensors)) as [Tensor, Tensor];
        await program.release();
        const history = await rollouts[of.cell].run(own, trials, options);
        const columns = seeds.length * trials.length;
        const compare = (got: Float32Array, wanted: Tensor, width: number, first: number) => {
          expect(wanted.size).toBe(steps * width * columns);
          for (let t = 0; t < steps; t++) {
            for (let i = 0; i < width; i++) {
              for (let n = 0; n < columns; n++) {
                const value = (wanted.data as Float32Array)[(t * width + i) * columns + n] as number;
                expect(got[(n * (steps + first) + t + first) * width + i]).toBeCloseTo(value, 5);
              }
            }
          }
        };
        compare(history.hand, hands, 2, 1);
        compare(history.excitation, excitations, 6, 0);
      });
    }
  }

  it("begins at the trial's start, and goes on", async () => {
    const history = await run();
    for (const [b, trial] of trials.entries()) {
      const [x, y] = arm.place(trial.joints);
      expect(hand(history, 1, b, 0)[0]).toBeCloseTo(x, 5);
      expect(hand(history, 1, b, 0)[1]).toBeCloseTo(y, 5);
      expect(history.joints[((3 + b) * (steps + 1) + 0) * 2]).toBeCloseTo(trial.joints[0], 5);
      expect(hand(history, 1, b, steps)).not.toEqual(hand(history, 1, b, 0));
    }
    expect(history.force.every((x) => x >= 0 && Number.isFinite(x))).toBe(true);
  });

  it("changes with noise, which the seed fixes and all controllers share", async () => {
    const noise = { excitation: 0.1, proprioception: 0.05, vision: 0.02 };
    const quiet = await run();
    const once = await run({ noise, seeds: trials.map((_, b) => b + 1) });
    expect((await run({ noise, seeds: trials.map((_, b) => b + 1) })).hand).toEqual(once.hand);
    expect((await run({ noise, seeds: trials.map((_, b) => b + 2) })).hand).not.toEqual(once.hand);
    expect(once.hand).not.toEqual(quiet.hand);
    const twin = initController(shape, [1, 1]);
    const both = await rollouts.dense.run(twin, trials, { steps, noise, seeds: trials.map((_, b) => b + 1) });
    const half = both.hand.length / 2;
    expect(both.hand.slice(half)).toEqual(both.hand.slice(0, half));
    // Noise of the excitation alone leaves the first command as it was.
    const shaken = await run({ noise: { excitation: 0.1 } });
    expect(shaken.excitation.slice(0, 6)).toEqual(quiet.excitation.slice(0, 6));
    expect(shaken.hand).not.toEqual(quiet.hand);
  });

  it("shows a late target late", async () => {
    const reach = trials[0] as Trial;
    const late = await run({}, [delayed(arm, reach, 3, steps)]);
    const stay = await run({}, [{ ...reach, target: arm.place(reach.joints) }]);
    const width = 6;
    const command = ({ excitation }: History, t: number) =>
      Array.from(excitation.slice(t * width, (t + 1) * width));
    expect(command(late, 2)).toEqual(command(stay, 2));
    expect(command(late, 3)).not.toEqual(command(stay, 3));
  });

  it("is pushed by loads", async () => {
    const reach = trials[0] as Trial;
    const [free, forced, field] = await Promise.all(
      [reach, { ...reach, force: [8, 0] as const }, { ...reach, curl: 20 }].map((trial) => run({}, [trial])),
    );
    expect(forced?.hand).not.toEqual(free?.hand);
    expect(field?.hand).not.toEqual(free?.hand);
  });

  it("can be lesioned, whole or for controllers that had no callosum", async () => {
    const intact = await run();
    const cut = await run({ lesions: ["callosum"] });
    expect(cut.hand).not.toEqual(intact.hand);
    const second = await run({ callosum: [true, false] });
    const half = intact.hand.length / 2;
    expect(second.hand.slice(0, half)).toEqual(intact.hand.slice(0, half));
    expect(second.hand.slice(half)).toEqual(cut.hand.slice(half));
    for (const lesion of ["leftInput", "rightInput", "leftOutput", "rightOutput"] as const) {
      expect((await run({ lesions: [lesion] })).hand, lesion).not.toEqual(intact.hand);
    }
    const one: ControllerShape = { ...shape, hemispheres: 1, callosum: "none" };
    const single = makeRollout({ plant: arm, shape: one });
    await expect(
      single.run(initController(one, [1]), trials, { steps, lesions: ["leftInput"] }),
    ).rejects.toThrow(/one hemisphere/);
  });

  it("stays finite and within the joints' limits, whatever untrained controllers do", async () => {
    const draw = randomFor(11, "many");
    const many = Array.from({ length: 300 }, (_, i) =>
      i % 2 ? holdTrial(arm, draw, 40) : reachTrial(arm, draw),
    );
    const noise = { excitation: 1, proprioception: 1, vision: 1 };
    const history = await rollouts.dense.run(initController(shape, [1, 2, 3, 4]), many, { steps: 60, noise });
    const { lower, upper } = arm.limits;
    for (let i = 0; i < history.joints.length; i++) {
      const joint = (i % 2) as 0 | 1;
      const angle = history.joints[i] as number;
      if (!(angle >= lower[joint] && angle <= upper[joint] + 1e-6))
        expect(angle, `joints ${i}`).toBe("within limits");
    }
    for (const key of ["hand", "velocities", "activation", "force", "excitation"] as const) {
      expect(
        history[key].findIndex((x) => !Number.isFinite(x)),
        key,
      ).toBe(-1);
    }
  });
});
