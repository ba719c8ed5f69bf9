// The plants against trajectories that MotorNet itself made (float32, printed with 4 to 8 digits), compiled and in jax-js;
// and their gradients through 50 steps against finite differences.

import type { Array as JaxArray } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { beforeAll, describe, expect, it } from "vitest";
import { accelerations, arm26 } from "../../src/motor/plant/arm.js";
import type { Plant, PlantState } from "../../src/motor/plant/plant.js";
import { pointMass } from "../../src/motor/plant/point-mass.js";
import { compile } from "../../src/tensor/compile.js";
import { readyJax } from "../../src/tensor/jax.js";
import { toJax } from "../tensor/against.js";

beforeAll(() => readyJax());

const column = (values: readonly number[]) =>
  new Tensor("float32", Float32Array.from(values), [values.length, 1]);

/** States of a plant, one after the other from its start on: what they hold, in plain numbers. */
type Step = Record<string, number[]>;
const seen = (plant: Plant, state: PlantState) => ({
  ...state,
  forces: plant.forces(state),
  muscleState: plant.muscleState(state),
  hand: plant.hand(state),
});

async function play(
  plant: Plant,
  start: readonly number[],
  excitation: readonly number[],
  steps: number,
  force?: readonly number[],
): Promise<Step[]> {
  const plain = (state: Record<string, Tensor>) =>
    Object.fromEntries(
      Object.entries(state).map(([key, { data }]) => [key, Array.from(data as Float32Array)]),
    );
  const begin = compile((joints: JaxArray) => seen(plant, plant.start(joints)));
  const next = compile((state: PlantState, u: JaxArray, load: { force?: JaxArray }) =>
    seen(plant, plant.step(state, u, load)),
  );
  const only = ({ forces: _f, muscleState: _m, hand: _h, ...state }: Record<string, Tensor>) => state;
  const found: Step[] = [];
  let now = (await begin(column(start))) as Record<string, Tensor>;
  found.push(plain(now));
  for (let i = 0; i < steps; i++) {
    now = (await next(only(now), column(excitation), force ? { force: column(force) } : {})) as Record<
      string,
      Tensor
    >;
    found.push(plain(now));
  }
  await begin.release();
  await next.release();
  return found;
}

/** The same in jax-js's own backend, every step's state from the last. */
function playEager(
  plant: Plant,
  start: readonly number[],
  excitation: readonly number[],
  steps: number,
): Step[] {
  let state = plant.start(toJax(column(start)));
  const found: Step[] = [];
  const note = () =>
    found.push(
      Object.fromEntries(
        Object.entries(state).map(([key, value]) => [key, Array.from(value.ref.dataSync() as Float32Array)]),
      ),
    );
  note();
  for (let i = 0; i < steps; i++) {
    state = plant.step(state, toJax(column(excitation)));
    note();
  }
  return found;
}

/** Within 1e-4 relative to the golden number, or half of its last printed digit. */
function expectClose(
  got: readonly number[] | undefined,
  wanted: readonly number[],
  what: string,
  digit = 1e-7,
): void {
  expect(got?.length, what).toBe(wanted.length);
  for (const [i, value] of wanted.entries()) {
    const apart = Math.abs((got?.[i] as number) - value);
    expect(apart, `${what}[${i}]: ${got?.[i]} for ${value}`).toBeLessThanOrEqual(
      Math.max(1e-4 * Math.abs(value), digit / 2),
    );
  }
}

const posture = [Math.PI / 4, Math.PI / 2];
const excitation = [0.5, 0.1, 0.3, 0.05, 0.2, 0.02];

const golden = {
  1.4: {
    1: [0.7853982, 1.5707964, -0.001244, 0.0025065],
    2: [0.7853857, 1.5708214, -0.0688349, 1.7426167],
    5: [0.7816053, 1.6709955, -0.1349207, 6.2290745],
    10: [0.7946269, 2.0947249, 1.3630736, 11.3507967],
    25: [1.6510487, 2.7052603, 8.9229889, 0],
  },
  1: {
    1: [0.7853982, 1.5707964, -0.002226, 0.0034886],
    2: [0.785376, 1.5708313, -0.0707989, 1.7445806],
    5: [0.7815083, 1.6710916, -0.1396408, 6.2336569],
    10: [0.7942226, 2.0951138, 1.3549893, 11.3584099],
    25: [1.6364971, 2.7052603, 8.3773098, 0],
  },
};
const goldenForces = {
  0: [0.8377, 1.206, 1.3837, 1.5023, 0.3855, 0.5286],
  1: [556.546, 159.924, 551.3821, 99.3586, 102.3585, 13.8809],
  2: [515.3467, 154.4225, 521.4565, 96.4858, 97.8183, 13.5269],
  5: [456.4304, 141.6245, 446.3172, 116.8912, 83.3015, 17.7048],
  10: [424.9293, 137.8733, 352.2176, 117.7682, 60.6103, 18.1708],
  25: [373.373, 144.1778, 190.043, 77.6916, 0, 17.6437],
};
const goldenActivation = {
  1: [0.664343, 0.132605, 0.398474, 0.066138, 0.26554, 0.026258],
  2: [0.615155, 0.128048, 0.376855, 0.064204, 0.253765, 0.025583],
  5: [0.543745, 0.118008, 0.338104, 0.05972, 0.230358, 0.023969],
  10: [0.509849, 0.108765, 0.312667, 0.055209, 0.212211, 0.022254],
};

describe("the arm", () => {
  for (const slack of [1.4, 1] as const) {
    it(`makes MotorNet's steps with slack ${slack}`, async () => {
      const steps = await play(arm26({ slack }), posture, excitation, 25);
      for (const [at, wanted] of Object.entries(golden[slack])) {
        const { joints, velocities } = steps[Number(at)] as Step;
        // That step is printed with fewer digits.
        const digit = at === "1" ? 1e-6 : 1e-7;
        expectClose(joints, wanted.slice(0, 2), `joints after ${at}`);
        expectClose(velocities, wanted.slice(2), `velocities after ${at}`, digit);
      }
      for (const [at, wanted] of Object.entries(goldenActivation)) {
        expectClose(steps[Number(at)]?.activation, wanted, `activation after ${at}`, 1e-6);
      }
      expectClose(steps[0]?.hand, [-0.0169706, 0.4539625], "the hand");
      if (slack === 1) {
        expectClose(steps[0]?.forces, [1.0991, 2.1899, 1.3837, 1.5023, 0.3855, 0.5286], "forces", 1e-4);
        return;
      }
      for (const [at, wanted] of Object.entries(goldenForces)) {
        expectClose(steps[Number(at)]?.forces, wanted, `forces after ${at}`, 1e-4);
      }
    });

    it(`is moved by a load on the hand as MotorNet's with slack ${slack}`, async () => {
      const steps = await play(arm26({ slack }), posture, [0, 0, 0, 0, 0, 0], 10, [5, -3]);
      const [first, tenth] = {
        1.4: [
          [-0.0804424, 0.0326146],
          [0.7494822, 1.5846092, -0.7923893, 0.2835428],
        ],
        1: [
          [-0.0814245, 0.0335966],
          [0.7490881, 1.5849911, -0.7991351, 0.289761],
        ],
      }[slack] as [number[], number[]];
      expectClose(steps[1]?.velocities, first, "velocities after 1");
      expectClose(steps[10]?.joints, tenth.slice(0, 2), "joints after 10");
      expectClose(steps[10]?.velocities, tenth.slice(2), "velocities after 10");
    });
  }

  it("overshoots where a relaxed muscle is excited, as explicit Euler at this step does", async () => {
    const [, first] = await play(arm26(), posture, [0.5, 0.5, 0.5, 0.5, 0.5, 0.5], 1);
    for (const level of first?.activation ?? []) expect(level).toBeCloseTo(0.664343, 5);
  });

  it("accelerates as MotorNet's at a given state", async () => {
    const state = compile((joints: JaxArray, velocities: JaxArray, torque: JaxArray, force: JaxArray) => [
      accelerations(velocities, arm26().start(joints).pose, torque, { force }),
    ]);
    const given = [
      [0.6, 1.2],
      [0.7, -0.4],
      [1, -0.5],
      [2, -1],
    ].map(column) as [Tensor, Tensor, Tensor, Tensor];
    const [found] = (await state(...given)) as Tensor[];
    await state.release();
    expectClose(Array.from(found?.data as Float32Array), [5.6541944, -18.7426605], "accelerations");
  });

  it("has MotorNet's lengths of muscles, and gives its state in MotorNet's order", async () => {
    const [start] = await play(arm26({ slack: 1.4 }), posture, excitation, 0);
    const tendon = [0.039, 0.066, 0.172, 0.187, 0.204, 0.217];
    const whole = [0.174562, 0.208638, 0.254039, 0.269342, 0.317265, 0.314566];
    const state = start?.muscleState as number[];
    expect(state).toHaveLength(42);
    expectClose(state.slice(0, 6), [0.001, 0.001, 0.001, 0.001, 0.001, 0.001], "activation");
    expectClose(
      state.slice(6, 12),
      whole.map((length, i) => length - (tendon[i] as number)),
      "lengths",
      1e-6,
    );
    expectClose(state.slice(36), start?.forces as number[], "forces");
    // The force is its parts, passive and active, in units of the greatest one.
    const share = state.slice(18, 24).map((passive, i) => passive + (state[30 + i] as number));
    expectClose(
      share.map((x, i) => x * (arm26().maxForce[i] as number)),
      start?.forces as number[],
      "parts",
    );
  });

  it("says the same in jax-js", () => {
    const steps = playEager(arm26({ slack: 1.4 }), posture, excitation, 10);
    for (const at of [1, 2, 5, 10] as const) {
      const wanted = golden[1.4][at];
      expectClose(steps[at]?.joints, wanted.slice(0, 2), `joints after ${at}`);
      expectClose(steps[at]?.velocities, wanted.slice(2), `velocities after ${at}`, at === 1 ? 1e-6 : 1e-7);
    }
  });

  it("is pushed sideways by a curl field, in proportion to the hand's speed", async () => {
    const pull = ([x, y]: readonly number[]) =>
      accelerations(
        toJax(column([0.7, -0.4])),
        arm26().start(toJax(column([0.6, 1.2]))).pose,
        toJax(column([0, 0])),
        x === undefined ? { curl: toJax(column([13])) } : { force: toJax(column([x, y as number])) },
      );
    // J q̇ by hand at this state.
    const [s1, c1, s12, c12] = [Math.sin(0.6), Math.cos(0.6), Math.sin(1.8), Math.cos(1.8)];
    const vx = (-0.309 * s1 - 0.333 * s12) * 0.7 + -0.333 * s12 * -0.4;
    const vy = (0.309 * c1 + 0.333 * c12) * 0.7 + 0.333 * c12 * -0.4;
    const wanted = Array.from((await pull([13 * vy, -13 * vx]).data()) as Float32Array);
    expectClose(Array.from((await pull([]).data()) as Float32Array), wanted, "accelerations", 1e-4);
  });
});

describe("the point mass", () => {
  const u = [0.5, 0.1, 0.3, 0.05];
  const check = (steps: Step[]) => {
    expectClose(steps[1]?.activation, [2 / 3, 2 / 15, 0.4, 1 / 15], "activation after 1", 1e-6);
    expectClose(steps[2]?.velocities, [3.0641296, 1.1785111], "velocities after 2");
    expectClose(steps[5]?.joints, [0.1750644, 0.0667186], "position after 5");
    expectClose(steps[5]?.velocities, [11.0295506, 4.1854506], "velocities after 5");
    expectClose(steps[10]?.joints, [0.9428145, 0.3623165], "position after 10");
    expectClose(steps[10]?.velocities, [20.9207134, 8.3800774], "velocities after 10");
    expectClose(steps[20]?.joints, [1, 1], "position after 20");
    expectClose(steps[20]?.velocities, [0, 0], "velocities after 20");
  };
  it("makes MotorNet's steps", async () => check(await play(pointMass(), [0, 0], u, 20)));
  it("makes them in jax-js", () => check(playEager(pointMass(), [0, 0], u, 20)));
});
