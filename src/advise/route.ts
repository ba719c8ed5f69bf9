// The type of a route of `hone advise`: what it needs, the arguments for and against it, and how it is written in a study;
// and the conditions that rules share. The routes themselves are in learnt.ts and asked.ts.

import type { Grant } from "../core/model.js";
import type { Leaf } from "../specializers/map.js";
import type { EvidenceName } from "./evidence.js";
import type { Cost, Situation } from "./situation.js";

/** A reason that moves a route up (points above 0) or down where its condition holds. */
export interface Rule {
  points: number;
  when: (has: Situation) => boolean;
  because: string;
}

export interface Route {
  /** In a study's notation, with options that fit the user's situation. */
  write: (has: Situation) => unknown;
  leaf: Leaf | null;
  needs: readonly Grant[];
  /** Fewest labels that it can learn from. */
  labels: number;
  /** A sentence if it does not apply for a reason specific to this route. */
  unfit?: (has: Situation) => string | undefined;
  cost: (has: Situation) => Cost;
  /** Their points add up to the route's rank; the user reads the reasons of those that hold. */
  rules: readonly Rule[];
  /** Published figures and own ones. A route without any is not recommended. */
  evidence: readonly EvidenceName[];
}

export const always = () => true;
export const small = ({ strength }: Situation) => strength === "small";
export const notLarge = ({ strength }: Situation) => strength === "small" || strength === null;
export const large = ({ strength }: Situation) => strength === "large";
export const reasons = ({ strength }: Situation) => strength === "reasoning";
export const labelsFrom = (least: number) => (has: Situation) => has.labels >= least;
export const labelsBelow = (most: number) => (has: Situation) => has.labels < most;
export const rule = (points: number, when: Rule["when"], because: string): Rule => ({
  points,
  when,
  because,
});
