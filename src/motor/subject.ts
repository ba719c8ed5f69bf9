// Bodies and the controllers that move them, as subjects of a study. Trials that are requested at the same time run through one
// program together.

import { Tensor } from "onnxruntime-node";
import { HoneError } from "../core/errors.js";
import { fingerprint } from "../core/json.js";
import type { MotorSubject } from "../core/kinds.js";
import type { Body, MotorTrial, Movement, Point } from "../core/motor.js";
import type { Parameters } from "../tensor/optimizer.js";
import { type ControllerShape, controllerShapes, initController } from "./controller.js";
import { observationRows } from "./episode.js";
import type { Lesion } from "./lesion.js";
import { arm26 } from "./plant/arm.js";
import type { Plant } from "./plant/plant.js";
import { pointMass } from "./plant/point-mass.js";
import { type History, makeRollout } from "./rollout.js";

/** Trials per run of the program; smaller groups are padded, so that one program serves all. */
const together = 64;

/** A body with its equations of motion. */
export interface PlantBody extends Body {
  readonly plant: Plant;
  /** The programs shared by all controllers of a shape. */
  rollout(shape: ControllerShape): ReturnType<typeof makeRollout>;
}

/** A controller as JSON: its shape, whether its callosum is open, and its weights as base64 of little-endian float32. */
export type SavedController = {
  shape: { [K in keyof ControllerShape]: ControllerShape[K] };
  callosum: boolean;
  weights: Record<string, string>;
};

/** A subject with access to its controller, which can be trained further or lesioned. */
export interface ControllerSubject extends MotorSubject {
  readonly model: PlantBody;
  readonly controller: SavedController;
  readonly lesions: readonly Lesion[];
}

const plants: Readonly<Record<string, (options: Record<string, number>) => Plant>> = {
  arm26: (options) => arm26(options),
  pointMass: () => pointMass(),
};
/**
 * The parameters of a body with their highest values: passive force divides by 1.66 less the slack, and explicit Euler at 10 ms diverges
 * from a viscosity of 6 N m s/rad on (twice the least inertia, 0.030 kg m², over the step).
 */
const parameters: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  arm26: { slack: 1.6, viscosity: 5 },
  pointMass: {},
};

/**
 * Opens a body from the part after `motor:`: `arm26`, `arm26?slack=1.4`, `pointMass`.
 * @throws HoneError for an unknown name or parameter, and for a value that the simulation cannot follow
 */
export function openBody(ref: string): PlantBody {
  const [name = "", query = ""] = ref.split("?", 2);
  const given = [...new URLSearchParams(query)];
  const most = parameters[name] ?? {};
  const allowed = Object.entries(most).map(([key, value]) => `${key} from 0 to ${value}`);
  const fits = ([key, value]: [string, string]) =>
    Object.hasOwn(most, key) && value !== "" && Number(value) >= 0 && Number(value) <= (most[key] as number);
  const wrong = !Object.hasOwn(plants, name)
    ? `a body is one of ${Object.keys(plants).join(", ")}`
    : given
        .filter((one) => !fits(one))
        .map(
          ([key, value]) =>
            `${key}=${value} is none of what ${name} takes: ${allowed.join(", ") || "nothing"}`,
        )[0];
  if (wrong !== undefined) {
    throw new HoneError({
      what: "There is no such body",
      where: `motor:${ref.slice(0, 80)}`,
      why: wrong,
      next: "Write motor:arm26, motor:arm26?slack=1.4 or motor:pointMass.",
      kind: "usage",
    });
  }
  const options = Object.fromEntries(given.map(([key, value]) => [key, Number(value)]));
  const plant = (plants[name] as (options: Record<string, number>) => Plant)(options);
  const rollouts = new Map<string, ReturnType<typeof makeRollout>>();
  const said = given.map(([key, value]) => `${key}=${Number(value)}`).sort();
  return {
    id: `motor:${[name, ...said].join(",")}`,
    name: [name, ...said].join(" "),
    grants: new Set(["gradients", "weights"]),
    concurrency: together,
    muscles: plant.muscles,
    plant,
    rollout(shape) {
      const key = JSON.stringify(shape);
      const known = rollouts.get(key) ?? makeRollout({ plant, shape, threads: 1 });
      rollouts.set(key, known);
      return known;
    },
    async close() {
      await Promise.all([...rollouts.values()].map((one) => one.release()));
      rollouts.clear();
    },
  };
}

/** The generalist: an untrained controller of one hemisphere with two layers of 32 units. */
export function untrained(body: PlantBody): ControllerSubject {
  const shape = shapeFor(body.plant, {
    hemispheres: 1,
    layers: 2,
    units: 32,
    callosum: "none",
    cell: "dense",
  });
  const [controller] = saveControllers(shape, initController(shape, [0]), [true]);
  return controllerSubject(body, controller as SavedController, `untrained controller of ${body.name}`);
}

/** A shape with the input and output sizes of a plant. */
export function shapeFor(plant: Plant, shape: Omit<ControllerShape, "inputs" | "muscles">): ControllerShape {
  return { ...shape, inputs: observationRows(plant), muscles: plant.muscles.length };
}

/** A controller in its body. Lesions change its id, but no weight. */
export function controllerSubject(
  model: PlantBody,
  controller: SavedController,
  name: string,
  lesions: readonly Lesion[] = [],
): ControllerSubject {
  const params = loadController(controller);
  const rollout = model.rollout(controller.shape);
  const move = gathered(async (trials) => {
    const first = trials[0] as MotorTrial;
    const history = await rollout.run(params, trials, {
      steps: first.steps,
      seeds: trials.map(({ seed = 0 }) => seed),
      delays: { proprioception: first.delay?.proprioception ?? 0, vision: first.delay?.vision ?? 0 },
      callosum: [controller.callosum],
      lesions,
      ...(first.noise ? { noise: first.noise } : {}),
    });
    return (trial) => movementOf(history, trial, model.plant.dt);
  });
  return {
    kind: "motor",
    name,
    id: fingerprint(["motor", 1, model.id, controller, [...lesions].sort()]),
    model,
    controller,
    lesions,
    respond: (trial, { signal }) => {
      signal.throwIfAborted();
      return move(trial);
    },
  };
}

/** Collects the trials requested within one turn of the event loop, groups those that one program can run, and runs each group. */
function gathered(run: (trials: readonly MotorTrial[]) => Promise<(trial: number) => Movement>) {
  type Asked = { trial: MotorTrial; resolve: (movement: Movement) => void; reject: (error: unknown) => void };
  const waiting = new Map<string, Asked[]>();
  const flush = async (key: string): Promise<void> => {
    const list = waiting.get(key) ?? [];
    waiting.delete(key);
    for (let from = 0; from < list.length; from += together) {
      const part = list.slice(from, from + together);
      const filled = Array.from({ length: together }, (_, i) => (part[i] ?? part[0])?.trial as MotorTrial);
      try {
        const movement = await run(filled);
        for (const [i, { resolve }] of part.entries()) resolve(movement(i));
      } catch (error) {
        for (const { reject } of part) reject(error);
      }
    }
  };
  return (trial: MotorTrial): Promise<Movement> =>
    new Promise((resolve, reject) => {
      const { steps, noise = null, delay = null, force, curl, target } = trial;
      const loaded = [force !== undefined, curl !== undefined, Array.isArray(target[0])];
      const key = JSON.stringify([steps, noise, delay, loaded]);
      const list = waiting.get(key);
      if (list) list.push({ trial, resolve, reject });
      else {
        waiting.set(key, [{ trial, resolve, reject }]);
        setImmediate(() => void flush(key));
      }
    });
}

function movementOf({ steps, muscles, ...history }: History, trial: number, dt: number): Movement {
  const rows = (from: Float32Array, width: number, count: number): number[][] =>
    Array.from({ length: count }, (_, t) => {
      const at = (trial * count + t) * width;
      return [...from.subarray(at, at + width)];
    });
  const points = (from: Float32Array): Point[] =>
    Array.from({ length: steps + 1 }, (_, t) => {
      const at = 2 * (trial * (steps + 1) + t);
      return [from[at] as number, from[at + 1] as number];
    });
  const still = Array.from({ length: muscles }, () => 0);
  return {
    dt,
    hand: points(history.hand),
    joints: points(history.joints),
    activation: rows(history.activation, muscles, steps + 1),
    excitation: [still, ...rows(history.excitation, muscles, steps)],
  };
}

/** Splits controllers that were trained side by side. @param callosum for each whether its callosum is open */
export function saveControllers(
  shape: ControllerShape,
  params: Parameters,
  callosum: readonly boolean[],
): SavedController[] {
  return callosum.map((open, s) => ({
    shape: { ...shape },
    callosum: open,
    weights: Object.fromEntries(
      Object.entries(params).map(([name, { data, dims }]) => {
        const size = (data as Float32Array).length / (dims[0] as number);
        const own = (data as Float32Array).slice(s * size, (s + 1) * size);
        return [name, Buffer.from(own.buffer).toString("base64")];
      }),
    ),
  }));
}

/** One controller's parameters, [1, ...] each. @throws HoneError if its weights do not have the shape's sizes */
function loadController({ shape, weights }: SavedController): Parameters {
  const made: Parameters = {};
  for (const [name, dims] of controllerShapes(shape)) {
    const size = dims.reduce((all, dim) => all * dim, 1);
    const bytes = Buffer.from(weights[name] ?? "", "base64");
    if (bytes.length !== 4 * size) {
      throw new HoneError({
        what: "A controller's weights do not fit its shape",
        where: name,
        why: `there are ${bytes.length} bytes, and ${dims.join(" x ")} numbers need ${4 * size}`,
        next: "Run its study again.",
      });
    }
    made[name] = new Tensor("float32", new Float32Array(Uint8Array.from(bytes).buffer), [1, ...dims]);
  }
  return made;
}
