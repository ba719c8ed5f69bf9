// MotorNet's planar arm with two joints and six rigid-tendon Hill muscles (Codol et al. 2024, "Arm26"), implemented from its
// equations. Sums over muscles and joints are products with small constant matrices, so there are few operators for any N.

import { type Array as JaxArray, numpy as np } from "@jax-js/jax";
import { type Activation, activate, thelen } from "./activation.js";
import { hillForces } from "./hill.js";
import { advance, type Load, matrix, type Plant, type PlantState } from "./plant.js";

/** Two links: masses in kg, lengths and centres of mass in m, inertias in kg m². */
const body = { m1: 1.82, m2: 1.43, g1: 0.135, g2: 0.165, i1: 0.051, i2: 0.057, l1: 0.309, l2: 0.333 };

const degrees = Math.PI / 180;

/**
 * Six muscles. `path` has the constant term a0 of the length of muscle and tendon, then its linear and square coefficients for
 * the shoulder and the elbow (Nijhof and Kouwenhoven 2000), with angles relative to `origin`.
 */
const muscles = [
  { name: "pectoralis", force: 838, tendon: 0.039, optimal: 0.134, path: [0.151, -0.03, 0, 0, 0] },
  { name: "deltoid", force: 1207, tendon: 0.066, optimal: 0.14, path: [0.2322, 0.03, 0, 0, 0] },
  {
    name: "brachioradialis",
    force: 1422,
    tendon: 0.172,
    optimal: 0.092,
    path: [0.2859, 0, 0, -0.014, -4e-3],
  },
  { name: "tricepslat", force: 1549, tendon: 0.187, optimal: 0.093, path: [0.2355, 0, 0, 0.025, -2.2e-3] },
  { name: "biceps", force: 414, tendon: 0.204, optimal: 0.137, path: [0.3329, -0.03, 0, -0.016, -5.7e-3] },
  { name: "tricepslong", force: 603, tendon: 0.217, optimal: 0.127, path: [0.2989, 0.03, 0, 0.03, -3.2e-3] },
] as const;
const origin = [Math.PI / 2, 0] as const;
const away = origin.map((angle) => -angle);
/** Maximum shortening velocity in optimal lengths per second. */
const speed = 10;

export interface ArmOptions {
  /** Seconds per step; 0.01 by default. */
  dt?: number;
  /** Fibre length, over the optimal one, above which muscles pull passively: 1 (as in MotorNet's TensorFlow edition) by default. */
  slack?: number;
  /** Damping of the joints' velocities in the equation of motion, N m s/rad; 0 by default. */
  viscosity?: number;
  activation?: Activation;
  /** Bound on the joints' velocities in rad/s; 1000 by default. */
  maxVelocity?: number;
}

/** Constants of the inertia matrix: M11 = a + 2 k cos q2, M12 = b + k cos q2, M22 = b. */
const b = body.m2 * body.g2 ** 2 + body.i2;
const a = body.m1 * body.g1 ** 2 + body.i1 + body.m2 * body.l1 ** 2 + b;
const k = body.m2 * body.l1 * body.g2;

/** Fibre lengths and velocities as a linear map of (p, p², q̇, p q̇), [12, 8], and an offset, [12]. */
const geometry = (() => {
  const lengths = muscles.map(({ path: [, s1, s2, e1, e2], optimal: l }) => [s1 / l, e1 / l, s2 / l, e2 / l]);
  const map = [
    ...lengths.map((row) => [...row, 0, 0, 0, 0]),
    ...lengths.map(([s1, e1, s2, e2]) =>
      [0, 0, 0, 0, s1, e1, 2 * (s2 as number), 2 * (e2 as number)].map((x) => (x as number) / speed),
    ),
  ];
  const offset = [
    ...muscles.map(({ path, tendon, optimal }) => (path[0] - tendon) / optimal),
    ...muscles.map(() => 0),
  ];
  /** Torques: two constant rows, and two to be multiplied by p; the torque acts against the moment arm. */
  const pull = [
    muscles.map(({ path, force }) => -path[1] * force),
    muscles.map(({ path, force }) => -path[3] * force),
    muscles.map(({ path, force }) => -2 * path[2] * force),
    muscles.map(({ path, force }) => -2 * path[4] * force),
  ];
  return { map, offset, pull };
})();

/** The least fibre length of a muscle within joint limits, over the optimal one: published lengths are clipped at 0. */
function minLength(m: number, { lower, upper }: Plant["limits"]): number {
  const row = geometry.map[m] as number[];
  const least = ([0, 1] as const).map((joint) => {
    const [linear, square] = [row[joint], row[joint + 2]] as [number, number];
    const ends = [lower[joint] - origin[joint], upper[joint] - origin[joint]] as const;
    const turn = square === 0 ? ends[0] : Math.min(Math.max(-linear / (2 * square), ends[0]), ends[1]);
    return Math.min(...[...ends, turn].map((p) => linear * p + square * p * p));
  });
  return (geometry.offset[m] as number) + (least[0] as number) + (least[1] as number);
}

/** (q1, q1 + q2, q2), whose cosines and sines make the pose: hand, forearm, k cos q2, k sin q2. */
const angles = [
  [1, 0],
  [1, 1],
  [0, 1],
];
const pose = [
  [body.l1, body.l2, 0, 0, 0, 0],
  [0, 0, 0, body.l1, body.l2, 0],
  [0, body.l2, 0, 0, 0, 0],
  [0, 0, 0, 0, body.l2, 0],
  [0, 0, k, 0, 0, 0],
  [0, 0, 0, 0, 0, k],
];

function poseOf(joints: JaxArray): JaxArray {
  const turned = np.matmul(matrix(angles), joints);
  return np.matmul(matrix(pose), np.concatenate([np.cos(turned.ref), np.sin(turned)], 0));
}

function fibresOf(joints: JaxArray, velocities: JaxArray): JaxArray {
  const p = joints.add(matrix(away));
  const terms = [p.ref, np.square(p.ref), velocities.ref, p.mul(velocities)];
  return np.matmul(matrix(geometry.map), np.concatenate(terms, 0)).add(matrix(geometry.offset));
}

/**
 * Joint accelerations [2, N] in rad/s² under joint torques [2, N] in N m, with the load's torque Jᵀ F added. Consumes all inputs.
 */
export function accelerations(
  velocities: JaxArray,
  posed: JaxArray,
  torque: JaxArray,
  load: Load = {},
  viscosity = 0,
): JaxArray {
  const [v1, v2] = np.split(velocities.ref, 2, 0) as [JaxArray, JaxArray];
  const [x, y, fx, fy, kc, ks] = np.split(posed, 6, 0) as JaxArray[] as [
    JaxArray,
    JaxArray,
    JaxArray,
    JaxArray,
    JaxArray,
    JaxArray,
  ];
  const pushed = torque.add(loadTorque({ x, y, fx, fy, v1, v2 }, load));
  const damped = viscosity === 0 ? pushed : pushed.sub(velocities.ref.mul(viscosity));
  velocities.dispose();
  const [t1, t2] = np.split(damped, 2, 0) as [JaxArray, JaxArray];
  const r1 = t1.add(ks.ref.mul(v1.ref.mul(2).add(v2.ref)).mul(v2));
  const r2 = t2.sub(ks.mul(np.square(v1)));
  // M⁻¹ written out: its determinant is a b - b² - (k cos q2)².
  const m12 = kc.ref.add(b);
  const w = r1.sub(r2.ref);
  const q1 = w.ref.mul(b).sub(kc.ref.mul(r2.ref));
  const q2 = r2.mul(kc.ref.add(a - b)).sub(w.mul(m12));
  const determinant = np
    .square(kc)
    .mul(-1)
    .add(a * b - b * b);
  return np.concatenate([q1, q2], 0).div(determinant);
}

type Rows = Record<"x" | "y" | "fx" | "fy" | "v1" | "v2", JaxArray>;

/** Jᵀ F of the load on the hand, [2, N] or 0. Consumes x, y, fx and fy. */
function loadTorque({ x, y, fx, fy, v1, v2 }: Rows, { force, curl }: Load): JaxArray | number {
  if (!force && !curl) {
    for (const row of [x, y, fx, fy]) row.dispose();
    return 0;
  }
  const parts: [JaxArray, JaxArray][] = [];
  if (force) parts.push(np.split(force, 2, 0) as [JaxArray, JaxArray]);
  if (curl) {
    const handX = y.ref.mul(v1.ref).add(fy.ref.mul(v2.ref)).mul(-1);
    const handY = x.ref.mul(v1.ref).add(fx.ref.mul(v2.ref));
    parts.push([handY.mul(curl.ref), handX.mul(curl).mul(-1)]);
  }
  const [pushX, pushY] = parts.reduce(([a1, a2], [b1, b2]) => [a1.add(b1), a2.add(b2)]);
  const shoulder = x.mul(pushY.ref).sub(y.mul(pushX.ref));
  return np.concatenate([shoulder, fx.mul(pushY).sub(fy.mul(pushX))], 0);
}

/** The arm. A state's pose has six rows: hand x, y; the forearm's part of them; k cos q2 and k sin q2. */
export function arm26(options: ArmOptions = {}): Plant {
  const { dt = 0.01, slack = 1, viscosity = 0, activation = thelen(0.001), maxVelocity = 1000 } = options;
  const count = muscles.length;
  const limits = { lower: [0, 0], upper: [135 * degrees, 155 * degrees] } as const;
  const optimal = muscles.map((muscle) => muscle.optimal);
  const neverShort = muscles.every((_, m) => minLength(m, limits) > 0);
  const tense = (fibres: JaxArray, active: JaxArray) => {
    const [length, velocity] = np.split(fibres, 2, 0) as [JaxArray, JaxArray];
    return hillForces({ slack }, neverShort ? length : np.maximum(length, 0), velocity, active);
  };
  const forces = ({ active, flpe }: PlantState) =>
    (active as JaxArray).ref.add((flpe as JaxArray).ref).mul(matrix(muscles.map(({ force }) => force)));
  return {
    name: `arm26(slack=${slack})`,
    dt,
    muscles: muscles.map(({ name }) => name),
    maxForce: muscles.map(({ force }) => force),
    fibreScale: { length: optimal, velocity: optimal.map((length) => length * speed) },
    limits,
    start(joints) {
      const velocities = np.zerosLike(joints.ref);
      const relaxed = np.full([count, joints.shape[1] as number], activation.least);
      const fibres = fibresOf(joints.ref, velocities.ref);
      return {
        ...tense(fibres.ref, relaxed.ref),
        velocities,
        activation: relaxed,
        fibres,
        pose: poseOf(joints.ref),
        joints,
      };
    },
    step(
      { joints, velocities, activation: before, active, flpe, flce, fibres: old, pose: posed },
      excitation,
      load,
    ) {
      // Everything is read from the previous state: forces act on the geometry one step late, as published.
      for (const unread of [flce, old]) unread?.dispose();
      const now = activate(activation, dt, before, excitation);
      const tension = (active as JaxArray).add(flpe as JaxArray);
      const [plain, bent] = np.split(np.matmul(matrix(geometry.pull), tension), 2, 0) as [JaxArray, JaxArray];
      const torque = plain.add(bent.mul(joints.ref.add(matrix(away))));
      const acceleration = accelerations(velocities.ref, posed, torque, load, viscosity);
      const fibres = fibresOf(joints.ref, velocities.ref);
      const moved = advance({ dt, limits, maxVelocity }, joints, velocities, acceleration);
      return {
        ...moved,
        ...tense(fibres.ref, now.ref),
        activation: now,
        fibres,
        pose: poseOf(moved.joints.ref),
      };
    },
    hand: ({ pose: posed }) => posed.ref.slice([0, 2]),
    forces,
    muscleState(state) {
      const {
        activation: level,
        fibres,
        flpe,
        flce,
        active,
      } = state as Record<string, JaxArray> as {
        [key: string]: JaxArray;
      } & Record<"activation" | "fibres" | "flpe" | "flce" | "active", JaxArray>;
      const scale = matrix([...optimal, ...optimal.map((length) => length * speed)]);
      const own = [level.ref, fibres.ref.mul(scale), flpe.ref, flce.ref, active.ref];
      return np.concatenate([...own, forces(state)], 0);
    },
    place([shoulder, elbow]) {
      const { l1, l2 } = body;
      return [
        l1 * Math.cos(shoulder) + l2 * Math.cos(shoulder + elbow),
        l1 * Math.sin(shoulder) + l2 * Math.sin(shoulder + elbow),
      ];
    },
  };
}
