// MotorNet's planar point mass with four muscles that only pull ("ReluPointMass24"), implemented from its equations: force is
// activation times the maximum force. A small plant for quick experiments and tests.

import { type Array as JaxArray, numpy as np } from "@jax-js/jax";
import { type Activation, activate, thelen } from "./activation.js";
import { advance, matrix, type Plant } from "./plant.js";

/** The muscles' fixed points, in m: upper right, upper left, lower right, lower left. */
const anchors = [
  [2, 2],
  [-2, 2],
  [2, -2],
  [-2, -2],
] as const;

export interface PointMassOptions {
  /** Seconds per step; 0.01 by default. */
  dt?: number;
  /** Mass in kg; 1 by default. */
  mass?: number;
  /** Maximum force of each muscle in N; 500 by default. */
  maxForce?: number;
  activation?: Activation;
}

/** The mass; its `joints` are its position in m, within ±1. Fibre lengths and velocities are in m and m/s. */
export function pointMass(options: PointMassOptions = {}): Plant {
  const { dt = 0.01, mass = 1, maxForce = 500, activation = thelen(0) } = options;
  const limits = { lower: [-1, -1], upper: [1, 1] } as const;
  const count = anchors.length;
  /** The vector from each anchor to the mass: its two components and its length, each [4, N]. */
  const paths = (position: JaxArray) => {
    const [x, y] = np.split(position, 2, 0) as [JaxArray, JaxArray];
    const dx = x.sub(matrix(anchors.map(([ax]) => ax)));
    const dy = y.sub(matrix(anchors.map(([, ay]) => ay)));
    const length = np.sqrt(np.square(dx.ref).add(np.square(dy.ref)));
    return { dx, dy, length };
  };
  /** Lengths and velocities of the muscles, [8, N]. */
  const fibresOf = (position: JaxArray, velocities: JaxArray) => {
    const { dx, dy, length } = paths(position);
    const [vx, vy] = np.split(velocities, 2, 0) as [JaxArray, JaxArray];
    const along = dx.mul(vx).add(dy.mul(vy)).div(length.ref);
    return np.concatenate([length, along], 0);
  };
  return {
    name: "pointMass",
    dt,
    muscles: ["upper right", "upper left", "lower right", "lower left"],
    maxForce: anchors.map(() => maxForce),
    fibreScale: { length: anchors.map(() => 1), velocity: anchors.map(() => 1) },
    limits,
    start(joints) {
      const velocities = np.zerosLike(joints.ref);
      const none = () => np.zeros([count, joints.shape[1] as number]);
      return {
        activation: none(),
        active: none(),
        fibres: fibresOf(joints.ref, velocities.ref),
        pose: joints.ref,
        joints,
        velocities,
      };
    },
    step({ joints, velocities, activation: before, active, fibres: old, pose }, excitation, load) {
      for (const unread of [old, pose]) unread.dispose();
      const now = activate(activation, dt, before, excitation);
      const { dx, dy, length } = paths(joints.ref);
      const pull = active.mul(-maxForce).div(length);
      const own = [dx, dy].map((d) => d.mul(pull.ref).sum(0, { keepdims: true }));
      pull.dispose();
      let force = np.concatenate(own, 0);
      if (load?.force) force = force.add(load.force);
      if (load?.curl) {
        const [vx, vy] = np.split(velocities.ref, 2, 0) as [JaxArray, JaxArray];
        force = force.add(np.concatenate([vy, vx.mul(-1)], 0).mul(load.curl));
      }
      const fibres = fibresOf(joints.ref, velocities.ref);
      const limited = { dt, limits, maxVelocity: Number.POSITIVE_INFINITY };
      const moved = advance(limited, joints, velocities, force.div(mass));
      return { ...moved, activation: now, active: now.ref, fibres, pose: moved.joints.ref };
    },
    hand: ({ pose }) => pose.ref,
    forces: ({ active }) => active.ref.mul(maxForce),
    muscleState: ({ activation: level, fibres, active }) =>
      np.concatenate([level.ref, fibres.ref, active.ref.mul(maxForce)], 0),
    place: ([x, y]) => [x, y],
  };
}
