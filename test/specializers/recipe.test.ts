// What a training is when the user says nothing: steps, epochs, rate, and the loss that guessing has.

import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Sample } from "../../src/core/sample.js";
import { guessingLoss, learntBelow } from "../../src/specializers/training/finetune/guessing.js";
import { type TrainingOptions, trainingShape } from "../../src/specializers/training/finetune/options.js";
import { chooseRecipe, enoughEpochs, samplesSeen } from "../../src/specializers/training/finetune/recipe.js";
import { type Course, drawSteps, type Rig } from "../../src/specializers/training/finetune/rig.js";
import { choice } from "../../src/tasks/choice.js";
import { Diverged } from "../../src/tensor/train.js";

const optionsWith = (over: Partial<TrainingOptions> = {}): TrainingOptions =>
  z.object(trainingShape).parse({ ...over });
const all = (count: number) => Array.from({ length: count }, (_, i) => i);

describe("the steps of a course", () => {
  const steps = drawSteps({ train: all(22), epochs: 2.5 }, 4, 1);

  it("take every sample once an epoch, a batch a step", () => {
    expect(steps.map((one) => one.length)).toEqual([4, 4, 4, 4, 4, 2, 4, 4, 4, 4, 4, 2, 4, 4, 3]);
    for (const from of [0, 6]) {
      const epoch = steps.slice(from, from + 6).flat();
      expect(epoch.sort((a, b) => a - b)).toEqual(all(22));
    }
  });

  it("draw anew in every epoch who is in a step with whom", () => {
    const partners = (from: number) => steps.slice(from, from + 6).map((one) => [...one].sort().join());
    expect(partners(6)).not.toEqual(partners(0));
    expect(drawSteps({ train: all(22), epochs: 2.5 }, 4, 1)).toEqual(steps);
    expect(drawSteps({ train: all(22), epochs: 2.5 }, 4, 2)).not.toEqual(steps);
  });
});

describe("enough epochs", () => {
  it("are many on few labels and one or two on many", () => {
    const found = [20, 100, 200, 480, 2000, 5000].map((labels) => enoughEpochs(labels, 4));
    expect(found).toEqual([12, 10, 5, 2, 2, 1]);
    for (const labels of [100, 200, 480, 2000, 5000])
      expect(enoughEpochs(labels, 4) * Math.ceil(labels / 4)).toBeGreaterThanOrEqual(240);
  });
});

describe("samples seen", () => {
  it("are those of the training and of its trials", () => {
    expect(samplesSeen(480, { epochs: 2, learningRate: 0.001 })).toBe(960);
    expect(samplesSeen(30, {})).toBe(360);
    // Three trials of 80 steps, and where all of train is tried the whole length once more.
    expect(samplesSeen(480, {})).toBeCloseTo(960 + 3 * 320, 6);
    expect(samplesSeen(200, {})).toBeCloseTo(1000 + 3 * (1000 / 3) + 800, 6);
  });
});

describe("the recipe", () => {
  /** A rig whose held-out loss after a course is what `lossOf` says; it counts what was trained. */
  const fake = (lossOf: (course: Course, steps: number) => number) => {
    const courses: Course[] = [];
    const rig: Rig = {
      base: undefined as never,
      examples: [],
      stepsIn: (course) => drawSteps(course, 4, 1).length,
      tokensIn: (_course, made) => made * 10,
      train: async (course) => {
        courses.push(course);
        const steps = drawSteps(course, 4, 1).length;
        return {
          params: {},
          bestStep: steps,
          steps,
          losses: [],
          heldOut: [{ step: steps, loss: lossOf(course, steps) }],
        };
      },
    };
    const choose = (
      of: number,
      over: Partial<TrainingOptions> = {},
      groupOf: (i: number) => string = String,
    ) => {
      const groups = Array.from({ length: of }, (_, i) => groupOf(i));
      const known = { usualRate: 0.01, seed: 1, learnt: 1, options: optionsWith(over), groups };
      return chooseRecipe(rig, of, known, (course) => rig.train(course, () => {}));
    };
    return { courses, choose };
  };

  it("has the rate of the best trial, each on the same part of train, none on what it is held against", async () => {
    const { courses, choose } = fake(({ learningRate }) => Math.abs(learningRate - 0.02));
    const { recipe, sweep, tokens } = await choose(200);
    expect(recipe.learningRate).toBe(0.02);
    expect(sweep.map((trial) => trial.learningRate)).toEqual([0.01, 0.02, 0.02]);
    for (const { train, held } of courses) {
      expect([train, held]).toEqual([courses[0]?.train, courses[0]?.held]);
      expect(held.length).toBe(40);
      expect(new Set([...train, ...held]).size).toBe(200);
    }
    expect(new Set(courses.map(({ name }) => name)).size).toBe(3);
    const grouped = fake(({ learningRate }) => learningRate);
    const groupOf = (i: number) => (i < 100 ? "large" : `four ${i >> 2}`);
    await grouped.choose(200, {}, groupOf);
    const [{ train, held }] = grouped.courses as [Course];
    const trained = new Set(train.map(groupOf));
    expect(held.length).toBeGreaterThanOrEqual(40);
    expect(held.filter((at) => trained.has(groupOf(at)))).toEqual([]);
    expect(tokens).toBe(10 * sweep.reduce((sum, { steps }) => sum + steps, 0));
  });

  it("tries half the rate where twice is no better", async () => {
    const { recipe, sweep } = await fake(({ learningRate }) => learningRate).choose(200);
    expect(sweep.map((trial) => trial.learningRate)).toEqual([0.01, 0.02, 0.005, 0.005]);
    expect(recipe.learningRate).toBe(0.005);
  });

  it("takes a trial that diverges for one that lost", async () => {
    const diverging = (from: number) =>
      fake(({ learningRate }) => {
        if (learningRate < from) return 0.5;
        throw new Diverged({ what: "The loss is no longer a number" });
      });
    const twice = await diverging(0.02).choose(480);
    expect(twice.sweep.map(({ loss }) => loss)).toEqual([0.5, null, 0.5]);
    expect(twice.recipe.learningRate).toBe(0.01);
    const usual = await diverging(0.01).choose(480);
    expect(usual.sweep.map(({ loss }) => loss)).toEqual([null, null, 0.5]);
    expect(usual.recipe.learningRate).toBe(0.005);
  });

  it("has the epochs that a trial on all of train was best with", async () => {
    const long = await fake((_course, steps) => (steps > 100 ? 0.3 : 0.5)).choose(200);
    expect([long.recipe.epochs, long.sweep.at(-1)?.epochs]).toEqual([5, 5]);
    const short = await fake((_course, steps) => (steps > 100 ? 0.7 : 0.5)).choose(200);
    expect(short.recipe.epochs).toBe(short.sweep[0]?.epochs);
    // Of a part of train no trial can tell it.
    expect((await fake((_course, steps) => (steps > 100 ? 0.7 : 0.5)).choose(480)).recipe.epochs).toBe(2);
  });

  it("goes on for longer where nothing has begun to learn", async () => {
    const slow = fake((_course, steps) => (steps < 300 ? 1.5 : 0.5));
    const { recipe, sweep } = await slow.choose(480);
    expect(sweep.length).toBe(5);
    expect(sweep.at(-1)?.loss).toBe(0.5);
    expect((recipe.epochs * 480) / 4).toBeGreaterThanOrEqual(2 * (sweep.at(-1)?.steps ?? 0) - 4);
    const never = await fake(() => 1.5).choose(480);
    expect(never.recipe.epochs).toBeLessThanOrEqual(12);
    expect(never.sweep.every(({ loss }) => loss === 1.5)).toBe(true);
  });

  it("tries nothing where the user has said both, or labels are too few to tell", async () => {
    const { courses, choose } = fake(() => 0.5);
    expect((await choose(200, { learningRate: 0.3, epochs: 3 })).recipe).toEqual({
      learningRate: 0.3,
      epochs: 3,
    });
    expect((await choose(30)).recipe).toEqual({ learningRate: 0.01, epochs: 12 });
    expect(courses).toEqual([]);
    expect((await choose(200, { epochs: 3 })).recipe.epochs).toBe(3);
    expect((await choose(200, { learningRate: 0.3 })).sweep.map((trial) => trial.learningRate)).toEqual([
      0.3, 0.3,
    ]);
  });
});

describe("guessing", () => {
  const options = ["x", "y"].map((key) => ({ key, text: key }));
  const samples = (counts: Record<string, number>): Sample[] =>
    Object.entries(counts).flatMap(([gold, count]) =>
      all(count).map((i) => ({ id: `${gold}${i}`, input: "?", gold })),
    );

  it("costs the cross-entropy of dev's labels under train's", () => {
    const task = choice("t", {}, options);
    const found = guessingLoss({ task, train: samples({ x: 29, y: 9 }), dev: samples({ x: 3, y: 1 }) });
    expect(found).toBeCloseTo(-(3 * Math.log(0.75) + Math.log(0.25)) / 4, 10);
    expect(learntBelow(found as number)).toBeLessThan(found as number);
    expect(guessingLoss({ task, train: samples({ x: 1 }), dev: [] })).toBeUndefined();
  });
});
