// Motor tasks: trials drawn from a seed, and what a movement's metrics are by hand.

import { describe, expect, it } from "vitest";
import type { MotorSubject } from "../../src/core/kinds.js";
import type { MotorTrial, Movement, Point } from "../../src/core/motor.js";
import { taskContext } from "../../src/core/task.js";
import { openBody, untrained } from "../../src/motor/subject.js";
import { motor, motorSchema } from "../../src/tasks/motor/index.js";
import { metricsOf } from "../../src/tasks/motor/metrics.js";
import { drawTrials, motorDataSchema, trialOf } from "../../src/tasks/motor/trials.js";

const context = taskContext(new AbortController().signal);

/** A hand on these places with a step of 0.1 s; muscles are excited by 0.5. */
function along(hand: Point[]): Movement {
  const muscles = hand.map((_, t) => (t === 0 ? [0, 0] : [0.5, 0.5]));
  return { dt: 0.1, hand, joints: hand, activation: muscles, excitation: muscles };
}

function drawn(options: object, data: object = {}) {
  return drawTrials(motorSchema.parse({ kind: "motor", ...options }), motorDataSchema.parse(data));
}

describe("a movement's metrics", () => {
  it("of a straight movement at one speed are known", () => {
    const hand = Array.from({ length: 6 }, (_, t): Point => [0.1 * t, 0]);
    const metrics = metricsOf({ target: [0.5, 0] }, along(hand));
    expect(metrics.finalError).toBeCloseTo(0);
    expect(metrics.meanError).toBeCloseTo((0.4 + 0.3 + 0.2 + 0.1) / 5);
    expect(metrics.pathRatio).toBeCloseTo(1);
    expect(metrics.peakSpeed).toBeCloseTo(1);
    expect(metrics.jerk).toBeCloseTo(0);
    expect(metrics.effort).toBeCloseTo(0.25);
    // Outside at 0.4 s for the last time.
    expect(metrics.settling).toBeCloseTo(0.4);
  });

  it("tell a detour, and a hand that never arrives or never leaves", () => {
    const detour = metricsOf(
      { target: [0.2, 0] },
      along([
        [0, 0],
        [0, 0.1],
        [0.2, 0.1],
        [0.2, 0],
      ]),
    );
    expect(detour.pathRatio).toBeCloseTo(2);
    const still: Point[] = Array.from({ length: 4 }, () => [0, 0]);
    const held = metricsOf({ target: [0, 0] }, along(still));
    expect(held).toMatchObject({ finalError: 0, pathRatio: 0, settling: 0, spread: 0 });
    expect(metricsOf({ target: [1, 0] }, along(still)).settling).toBeCloseTo(0.3);
  });

  it("follow a target that moves", () => {
    const target: Point[] = [
      [0, 0],
      [0, 0],
      [0.1, 0],
    ];
    const metrics = metricsOf(
      { target },
      along([
        [0, 0],
        [0, 0],
        [0, 0],
        [0.1, 0],
      ]),
    );
    expect(metrics).toMatchObject({ finalError: 0, meanError: 0, settling: 0 });
  });
});

describe("drawn trials", () => {
  it("are the same for a seed, others for another, and in no two splits", () => {
    const sizes = { train: 20, dev: 5, test: 20 };
    const one = drawn({}, sizes);
    expect(drawn({}, sizes)).toEqual(one);
    expect(drawn({}, { ...sizes, seed: 1 }).test).not.toEqual(one.test);
    const inputs = [one.train, one.dev, one.test].flatMap((split) => split.map(({ input }) => input));
    expect(new Set(inputs).size).toBe(45);
  });

  it("hold still under a force, reach elsewhere, and have what the options say", () => {
    const sizes = { train: 1, dev: 0, test: 30 };
    const { plant } = openBody("arm26");
    for (const sample of drawn({ movement: "hold", load: 20 }, sizes).test) {
      const { joints, target, force } = trialOf(sample);
      expect(plant.place(joints as [number, number])).toEqual(target);
      expect(Math.max(...(force as Point).map(Math.abs))).toBeLessThanOrEqual(20);
    }
    const forces = drawn({ movement: "hold", load: 20 }, sizes).test.map(
      (one) => trialOf(one).force as Point,
    );
    expect(Math.max(...forces.flat().map(Math.abs))).toBeGreaterThan(15);
    const [reach] = drawn(
      { curl: 10, delay: { vision: 5 }, noise: { vision: 0.1 }, shownAfter: 3, steps: 9 },
      sizes,
    ).test;
    const trial = trialOf(reach as { input: string });
    expect(trial).toMatchObject({ curl: 10, delay: { vision: 5 }, noise: { vision: 0.1 }, steps: 9 });
    expect(trial.force).toBeUndefined();
    const path = trial.target as Point[];
    expect(path[2]).toEqual(plant.place(trial.joints as [number, number]));
    expect(path[3]).not.toEqual(path[2]);
  });
});

describe("the task", () => {
  const task = motor("reach", { kind: "motor", steps: 6 });
  const { test } = drawn({ steps: 6 }, { train: 1, dev: 0, test: 8 });

  it("scores by the last distance, keeps the first movements, and the same alone as together", async () => {
    const body = openBody("arm26");
    const subject = untrained(body);
    const together = await Promise.all(test.map((sample) => task.evaluate(subject, sample, context)));
    for (const [i, grade] of together.entries()) {
      if (grade.status !== "scored") throw new Error(grade.cause);
      expect(grade.score).toBeCloseTo(grade.details?.finalError as number, 4);
      expect(grade.trail?.length ?? 0).toBe(i < 6 ? 1 : 0);
    }
    const alone = await task.evaluate(subject, test[3] as (typeof test)[number], context);
    expect(alone).toEqual(together[3]);
    await body.close();
  });

  it("scores holding by the mean distance", async () => {
    const subject = {
      kind: "motor",
      name: "still",
      id: "still",
      model: { id: "motor:arm26" },
      respond: async (trial: MotorTrial) =>
        along(Array.from({ length: trial.steps + 1 }, (_, t): Point => [t / 10, 0])),
    } as unknown as MotorSubject;
    const hold = motor("hold", { kind: "motor", movement: "hold" });
    const input = JSON.stringify({ joints: [1, 1], target: [0, 0], steps: 3 });
    const grade = await hold.evaluate(subject, { id: "test-9", input, gold: "" }, context);
    expect(grade).toMatchObject({ score: 0.2, prediction: "20.0 cm" });
  });

  it("refuses another body", async () => {
    const body = openBody("pointMass");
    const given = task.evaluate(untrained(body), test[0] as (typeof test)[number], context);
    await expect(given).rejects.toThrow(/is for another body[\s\S]*motor:arm26/);
    await body.close();
  });
});

describe("a body", () => {
  it.each([
    ...["leg", "arm26?slack=x", "arm26?mass=1", "arm26?constructor=1", "pointMass?slack=1", ""],
    ...["arm26?viscosity=6", "arm26?slack=1.66", "arm26?viscosity=Infinity"],
  ])("is not %j", (ref) => {
    expect(() => openBody(ref)).toThrow(/There is no such body/);
  });

  it("is the same however its parameters are written", () => {
    expect(openBody("arm26?slack=1.0&viscosity=0").id).toBe(openBody("arm26?viscosity=0.0&slack=1").id);
    expect(openBody("arm26?slack=1.4").id).not.toBe(openBody("arm26").id);
  });
});
