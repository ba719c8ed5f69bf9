// Training of controllers: the losses by hand, gradients against finite differences, who learns from which loss, and arms and
// seeds side by side against each of them alone.

import type { Array as JaxArray } from "@jax-js/jax";
import { Tensor } from "onnxruntime-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomFor } from "../../src/core/random.js";
import { type ControllerShape, controllerShapes, initController } from "../../src/motor/controller.js";
import { type Episode, type TrialArrays, unroll } from "../../src/motor/episode.js";
import {
  commonLoss,
  dominantLoss,
  type LossWeights,
  lossTerms,
  motorLoss,
  nonDominantLoss,
} from "../../src/motor/loss.js";
import { arm26 } from "../../src/motor/plant/arm.js";
import { pointMass } from "../../src/motor/plant/point-mass.js";
import { motorTrainer, type Teaching, teach, trainControllers } from "../../src/motor/training.js";
import { holdTrial, reachTrial, type Trial, trialTensors } from "../../src/motor/trials.js";
import { compile, type Tensors } from "../../src/tensor/compile.js";
import { readyJax } from "../../src/tensor/jax.js";
import { type Parameters, zeroMoments } from "../../src/tensor/optimizer.js";
import { toJax } from "../tensor/against.js";

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
const steps = 5;
const tensor = (data: ArrayLike<number>, dims: readonly number[]) =>
  new Tensor("float32", Float32Array.from(data), dims);
const values = ({ data }: Tensor) => Array.from(data as Float32Array);
const reaches = (count: number, seed: number, draw = reachTrial): Trial[] => {
  const random = randomFor(seed, "trials");
  return Array.from({ length: count }, () => draw(arm, random));
};

const trainer = motorTrainer({ plant: arm, shape, steps, threads: 1 });
afterAll(() => trainer.release());

/** Gradients of controllers under some teachings, on trials of their own seeds. */
async function gradients(teachings: readonly Teaching[], params: Parameters, seeds: readonly number[]) {
  const trials = trialTensors(seeds.map((seed) => reaches(3, seed)));
  const [loss, found] = await trainer.gradients(
    teach(teachings, shape) as Tensors,
    params,
    trials as Tensors,
  );
  return { loss: values(loss)[0] as number, found };
}

describe("the losses", () => {
  /** Two seeds, one trial each, two steps of a hand, two muscles, one layer of one hemisphere and one unit. */
  const episode = (): Episode => ({
    hands: toJax(tensor([0.1, 0.3, 0.2, 0, 0.4, 0.1, 0, 0], [2, 2, 2])),
    target: toJax(tensor([0, 0, 0, 0], [2, 2])),
    excitations: toJax(tensor([0.5, 0, 0.1, 0, 0.2, 0, 0.4, 1], [2, 2, 2])),
    hidden: [toJax(tensor([0.5, 0, 0.7, 1], [2, 2, 1, 1, 1]))],
  });
  const weigh = (weights: LossWeights, seeds = 2) =>
    Object.fromEntries(
      lossTerms.map((term) => [term, toJax(tensor(Array(seeds).fill(weights[term]), [seeds]))]),
    ) as Record<(typeof lossTerms)[number], JaxArray>;
  const only = (term: (typeof lossTerms)[number]) =>
    weigh({ excitation: 0, position: 0, square: 0, activity: 0, [term]: 1 });
  const of = (weights: Record<(typeof lossTerms)[number], JaxArray>) =>
    Array.from(motorLoss(episode(), weights, 2, 0.01, "asIntended").dataSync() as Float32Array);
  const near = (got: number[], wanted: number[]) => {
    for (const [i, value] of wanted.entries()) expect(got[i]).toBeCloseTo(value, 5);
  };

  it("are what the published code computes", () => {
    // Columns are seeds: hands (0.1, 0.2) then (0.4, 0) of the first, (0.3, 0) then (0.1, 0) of the second.
    near(of(only("position")), [(0.1 + 0.2 + 0.4) / 4, (0.3 + 0.1) / 4]);
    near(of(only("square")), [(10 * (0.01 + 0.04 + 0.16)) / 4, (10 * (0.09 + 0.01)) / 4]);
    near(of(only("excitation")), [(0.25 + 0.01 + 0.04 + 0.16) / 4, 1 / 4]);
    // mean(x²) + 0.05 mean((Δx / dt)²)
    near(of(only("activity")), [(0.25 + 0.49) / 2 + 0.05 * 20 ** 2, 0.5 + 0.05 * 100 ** 2]);
    near(of(weigh(dominantLoss)), [5 * 0.175 + 0.02 * (0.37 + 20), 5 * 0.1 + 0.02 * (0.5 + 500)]);
  });

  it("have the common one as their mean", () => {
    for (const term of lossTerms) {
      expect(commonLoss[term]).toBeCloseTo((dominantLoss[term] + nonDominantLoss[term]) / 2, 12);
    }
  });

  it("regularize what the published program did where that is asked for", async () => {
    const params = initController(shape, [1]);
    const trials = trialTensors([reaches(3, 1)]);
    const both = compile((given: Record<string, JaxArray>, at: TrialArrays) => {
      const happened = unroll(arm, shape, given, at, {}, { steps, body: true });
      const { joints, muscles, fibres } = happened.body as NonNullable<Episode["body"]>;
      const parts = [joints.ref, muscles.ref, fibres.ref, happened.hands.ref];
      const weights = weigh({ excitation: 0, position: 0, square: 0, activity: 1 }, 1);
      return [motorLoss(happened, weights, 1, 0.01, "asPublished"), ...parts];
    });
    const [loss, ...histories] = (await both(params, trials as Tensors)) as Tensor[];
    await both.release();
    expect(histories.map(({ dims }) => dims)).toEqual([
      [5, 4, 3],
      [5, 42, 3],
      [5, 12, 3],
      [5, 2, 3],
    ]);
    let wanted = 0;
    for (const history of histories) {
      const x = values(history);
      const row = x.length / steps;
      const change = x.slice(row).map((value, i) => (value - (x[i] as number)) / 0.01);
      const meanSquare = (list: number[]) => list.reduce((sum, one) => sum + one * one, 0) / list.length;
      wanted += meanSquare(x) + 0.05 * meanSquare(change);
    }
    expect(values(loss as Tensor)[0] as number).toBeGreaterThan(1000);
    expect((values(loss as Tensor)[0] as number) / wanted).toBeCloseTo(1, 4);
  });

  it("refuse to guess at a pairing that was never published", () => {
    const trained = motorTrainer({
      plant: arm,
      shape: { ...shape, layers: 1 },
      steps: 2,
      activity: "asPublished",
    });
    const params = initController({ ...shape, layers: 1 }, [1]);
    const given = [teach([{ losses: "common" }], shape), params, trialTensors([reaches(1, 1)])];
    return expect(trained.gradients(...(given as Parameters0))).rejects.toThrow(/known for 2 hidden layers/);
  });
});
type Parameters0 = [Tensors, Parameters, Tensors];

describe("specialization", () => {
  const seeds = [1];
  const params = initController(shape, seeds);
  const learn = (losses: Teaching["losses"], more: Partial<Teaching> = {}) =>
    gradients([{ losses, ...more }], params, seeds);
  const half = (x: Tensor, side: number) => values(x).slice((side * x.size) / 2, ((side + 1) * x.size) / 2);
  const expectNear = (got: number[], wanted: number[], what: string) => {
    const scale = Math.max(...wanted.map(Math.abs));
    expect(scale, what).toBeGreaterThan(1e-6);
    for (const [i, value] of wanted.entries()) {
      expect(Math.abs((got[i] as number) - value), `${what}[${i}]`).toBeLessThanOrEqual(2e-5 * scale);
    }
  };

  it("gives each hemisphere its own loss's gradient and half of each to what they share", async () => {
    const [spec, first, second] = await Promise.all([
      learn("specialized"),
      learn("dominant"),
      learn("nonDominant"),
    ]);
    for (const [name, found] of Object.entries(spec.found)) {
      const [a, b] = [first.found[name] as Tensor, second.found[name] as Tensor];
      if (name.startsWith("output") || name === "mix") {
        expectNear(
          values(found),
          values(a).map((x, i) => (x + (values(b)[i] as number)) / 2),
          name,
        );
        continue;
      }
      expectNear(half(found, 0), half(a, 0), `left ${name}`);
      expectNear(half(found, 1), half(b, 1), `right ${name}`);
      // The two losses do want different things.
      expect(half(a, 0)).not.toEqual(half(b, 0));
    }
    expect(spec.loss).toBeCloseTo(first.loss + second.loss, 4);
  });

  it("can make the right side the dominant one", async () => {
    const [spec, first] = await Promise.all([
      learn("specialized", { dominantSide: "right" }),
      learn("dominant"),
    ]);
    const name = "hidden1.kernel";
    expectNear(half(spec.found[name] as Tensor, 1), half(first.found[name] as Tensor, 1), name);
  });

  it("leaves a hemisphere alone where only the other's loss is there", async () => {
    const { routing } = teach([{ losses: "specialized" }], shape) as { routing: Record<string, Tensors> };
    const silent = { ...(routing.weights as Record<string, Tensor>) };
    for (const term of lossTerms) {
      const [dominant] = values(silent[term] as Tensor) as [number];
      silent[term] = tensor([dominant, 0], [2, 1]);
    }
    const [, found] = await trainer.gradients(
      { routing: { ...routing, weights: silent }, gains: {} } as Tensors,
      params,
      trialTensors([reaches(3, 1)]) as Tensors,
    );
    for (const [name, gradient] of Object.entries(found)) {
      if (!name.startsWith("hidden")) continue;
      expect(
        half(gradient, 1).every((x) => x === 0),
        name,
      ).toBe(true);
      expect(
        half(gradient, 0).some((x) => x !== 0),
        name,
      ).toBe(true);
    }
  });

  it("needs two hemispheres", () => {
    const one: ControllerShape = { ...shape, hemispheres: 1, callosum: "none" };
    expect(() => teach([{ losses: "specialized" }], one)).toThrow(/no second hemisphere/);
  });
});

describe("gradients", () => {
  /** Along some directions against central differences of the loss; both in float32. */
  async function check(
    plant: typeof arm,
    of: ControllerShape,
    length: number,
    trials: Trial[],
    tolerance: number,
  ) {
    const own = motorTrainer({ plant, shape: of, steps: length, threads: 1 });
    const frozen = teach([{ losses: "common" }], of) as Tensors;
    const given = trialTensors([trials]) as Tensors;
    const params = initController(of, [4]);
    const [, found] = await own.gradients(frozen, params, given);
    for (const direction of [1, 2, 3]) {
      const random = randomFor(direction, "direction");
      const along = Object.fromEntries(
        Object.entries(params).map(([name, { size }]) => [
          name,
          Array.from({ length: size }, () => 2 * random() - 1),
        ]),
      );
      const slope = Object.entries(along).reduce(
        (sum, [name, by]) =>
          sum + by.reduce((all, x, i) => all + x * (values(found[name] as Tensor)[i] as number), 0),
        0,
      );
      const at = async (h: number) => {
        const moved = Object.fromEntries(
          Object.entries(params).map(([name, p]) => [
            name,
            tensor(
              values(p).map((x, i) => x + h * (along[name]?.[i] as number)),
              p.dims,
            ),
          ]),
        );
        const [loss] = await own.gradients(frozen, moved, given);
        return values(loss)[0] as number;
      };
      const h = 2e-3;
      const measured = ((await at(h)) - (await at(-h))) / (2 * h);
      expect(Math.abs(slope), "a slope worth measuring").toBeGreaterThan(0.01);
      expect(Math.abs(measured / slope - 1), `${measured} for ${slope}`).toBeLessThan(tolerance);
    }
    await own.release();
  }

  it("agree with finite differences through 50 steps of the arm", async () => {
    await check(
      arm,
      { ...shape, hemispheres: 1, callosum: "none", layers: 1 },
      50,
      reaches(4, 9, holdTrial),
      0.01,
    );
  }, 60_000);

  it("agree with finite differences through recurrent cells, a learned callosum and the point mass", async () => {
    const of: ControllerShape = { ...shape, cell: "gru", callosum: "learned", inputs: 12, muscles: 4 };
    const mass = pointMass();
    const random = randomFor(2, "mass");
    const trials = Array.from({ length: 4 }, () => reachTrial(mass, random));
    await check(mass, of, 8, trials, 0.01);
  }, 60_000);
});

describe("side by side", () => {
  const teachings: Teaching[] = [
    { losses: "specialized" },
    { losses: "common", callosum: false },
    { losses: "specialized", callosum: false, dominantSide: "right" },
  ];
  const seeds = [5, 6, 7];
  const options = {
    trainer,
    shape,
    updates: 4,
    trials: (update: number, seed: number) => reaches(2, 100 * seed + update),
  };
  const numbersOf = (params: Parameters, row: number, rows: number) =>
    Object.fromEntries(
      Object.entries(params).map(([name, p]) => [
        name,
        values(p).slice((row * p.size) / rows, ((row + 1) * p.size) / rows),
      ]),
    );

  it("arms and seeds learn what each learns alone", async () => {
    const together = await trainControllers({ ...options, teachings, seeds });
    const begin = initController(shape, seeds);
    for (const [row, seed] of seeds.entries()) {
      const alone = await trainControllers({
        ...options,
        teachings: [teachings[row] as Teaching],
        seeds: [seed],
      });
      const one = numbersOf(alone.params, 0, 1);
      for (const [name, got] of Object.entries(numbersOf(together.params, row, seeds.length))) {
        const start = numbersOf(begin, row, seeds.length)[name] as number[];
        expect(got, name).not.toEqual(start);
        for (const [i, value] of got.entries())
          expect(value, `${name} of seed ${seed}`).toBeCloseTo(one[name]?.[i] as number, 4);
      }
    }
    expect([...controllerShapes(shape).keys()].sort()).toEqual(Object.keys(together.params).sort());
  }, 60_000);

  it("the same seeds give the same bits", async () => {
    const once = await trainControllers({ ...options, teachings, seeds });
    const again = await trainControllers({ ...options, teachings, seeds });
    for (const [name, p] of Object.entries(once.params))
      expect(values(again.params[name] as Tensor), name).toEqual(values(p));
  }, 60_000);

  it("clips each variable of each seed by itself, and never lets a hemisphere count less than nothing", async () => {
    const params = initController(shape, [1, 2]);
    const steep = Object.fromEntries(
      Object.entries(params).map(([name, p]) => [
        name,
        tensor(
          values(p).map((_, i) => (i < p.size / 2 ? 1e-3 : 50)),
          p.dims,
        ),
      ]),
    );
    const { moments: state, params: next } = await trainer.update(params, zeroMoments(params), steep, 1, 0.7);
    // The first moment is a tenth of the clipped gradient.
    const bias = values(state.m["output.bias"] as Tensor);
    for (const x of bias.slice(0, 6)) expect(x).toBeCloseTo(1e-4, 7);
    for (const x of bias.slice(6)) expect(x).toBeCloseTo(0.1 / Math.sqrt(6), 6);
    const kernel = values(state.m["hidden0.kernel"] as Tensor).slice(128);
    for (const x of kernel) expect(x).toBeCloseTo(0.1 / Math.sqrt(64), 6);
    // 0.5 - 0.7 is held at 0.
    expect(values(next.mix as Tensor)).toEqual([0, 0, 0, 0]);
  });
});

it("learns: controllers of a point mass come nearer to their targets", async () => {
  const mass = pointMass();
  const small: ControllerShape = { ...shape, units: 8, inputs: 12, muscles: 4 };
  const quick = motorTrainer({ plant: mass, shape: small, steps: 15 });
  const losses: number[] = [];
  await trainControllers({
    trainer: quick,
    shape: small,
    teachings: [{ losses: "specialized" }, { losses: "common" }],
    seeds: [1, 2],
    updates: 40,
    learningRate: 1e-2,
    trials: (update, seed) => {
      const random = randomFor(seed, "learn", update);
      return Array.from({ length: 16 }, () => reachTrial(mass, random));
    },
    onUpdate: ({ loss }) => losses.push(loss),
  });
  await quick.release();
  const mean = (list: number[]) => list.reduce((sum, one) => sum + one, 0) / list.length;
  expect(mean(losses.slice(-5))).toBeLessThan(0.8 * mean(losses.slice(0, 5)));
}, 60_000);
