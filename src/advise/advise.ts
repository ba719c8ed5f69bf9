// From a user's situation to the routes that apply, in the order to try them, and those that do not, each with its
// reasons. Deterministic: the rules are in the table of routes.ts. A route without a figure is never recommended.

import type { Grant } from "../core/model.js";
import { specializers } from "../specializers/index.js";
import type { Leaf } from "../specializers/map.js";
import { type Evidence, evidence } from "./evidence.js";
import type { Route } from "./route.js";
import { routes } from "./routes.js";
import { type Cost, dollarsOf, latencyOf, type Situation, trainingHours, withOptions } from "./situation.js";

/** A route that applies. */
export interface Advised {
  /** As a study writes it. */
  specializer: unknown;
  leaf: Leaf | null;
  needs: readonly Grant[];
  /** The arguments for it, and warnings, from the user's situation. */
  why: string;
  evidence: Evidence[];
  /** Of one answer; `latencyMs` and `usd` (of all answers) are rough. */
  cost: Cost & { latencyMs: number; usd: number };
  /** The sum of its rules' points, by which routes are ordered. */
  points: number;
}

export interface RuledOut {
  specializer: unknown;
  why: string;
}

export interface Advice {
  routes: Advised[];
  ruledOut: RuledOut[];
}

/**
 * The routes for a situation: by points, then by tokens per answer, then in the table's order.
 * @param table names of the available specializers; a route that names another is left out altogether
 */
export function advise(
  has: Situation,
  table: ReadonlySet<string> = new Set(Object.keys(specializers)),
): Advice {
  const advice: Advice = { routes: [], ruledOut: [] };
  for (const route of routes) {
    const specializer = route.write(has);
    if (!namesIn(specializer).every((name) => table.has(name))) continue;
    const against = objections(route, has);
    if (against.length > 0) {
      advice.ruledOut.push({ specializer, why: sentences(against) });
      continue;
    }
    const holding = route.rules.filter(({ when }) => when(has));
    const cost = withOptions(route.cost(has), has);
    advice.routes.push({
      specializer,
      leaf: route.leaf,
      needs: route.needs,
      why: sentences(holding.map(({ because }) => because)),
      // `own` tells a test where to find our own figures; it is not part of the output.
      evidence: route.evidence.map((name) => {
        const { own: _, ...shown } = evidence[name] as Evidence;
        return shown;
      }),
      cost: { ...cost, latencyMs: latencyOf(cost), usd: dollarsOf(cost, has) },
      points: holding.reduce((sum, { points }) => sum + points, 0),
    });
  }
  const tokens = ({ cost }: Advised) => cost.inputTokens + cost.outputTokens;
  advice.routes.sort((a, b) => b.points - a.points || tokens(a) - tokens(b));
  return advice;
}

/** Everything that rules a route out; none where it applies. */
function objections(route: Route, has: Situation): string[] {
  const cost = withOptions(route.cost(has), has);
  const missing = route.needs.filter((grant) => !has.access.has(grant));
  const ms = latencyOf(cost);
  const usd = dollarsOf(cost, has);
  const calls = `${cost.calls} ${cost.calls === 1 ? "call" : "calls"}`;
  const unfit = route.unfit?.(has);
  const found: (string | undefined | false)[] = [
    missing.length > 0 && `it needs ${missing.join(" and ")}, which you do not have`,
    has.labels < route.labels &&
      `it needs at least ${route.labels} ${route.labels === 1 ? "label" : "labels"}, you have ${has.labels}`,
    unfit,
    unfit === undefined &&
      route.evidence.length === 0 &&
      "it was not measured here on real samples; a study can try it beside the others",
    has.latencyMs !== undefined &&
      ms > has.latencyMs &&
      `an answer takes ${calls} and about ${ms} ms, more than ${has.latencyMs}`,
    has.budgetUsd !== undefined &&
      usd > has.budgetUsd &&
      `${has.answers.toLocaleString("en")} answers of ${calls} and ${cost.inputTokens + cost.outputTokens} tokens cost about $${usd.toFixed(2)}, more than $${has.budgetUsd}`,
    route.needs.includes("gradients") &&
      has.memory !== undefined &&
      `training this model takes about ${has.memory.needed.toFixed(1)} GB of memory, and this machine has ${has.memory.usable.toFixed(1)}`,
    cost.training &&
      route.needs.includes("gradients") &&
      has.hours !== undefined &&
      trainingHours(has) > has.hours &&
      `training takes about ${trainingHours(has).toFixed(1)} hours on two cores, more than ${has.hours}`,
  ];
  return found.filter((text): text is string => typeof text === "string");
}

function sentences(parts: readonly string[]): string {
  return parts.map((text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`).join(" ");
}

/**
 * The specializers that a study's entry names, those inside combinators too.
 * @example
 * namesIn([{ knn: { k: 5 } }, { ensemble: {} }]); // ["knn", "ensemble"]
 */
export function namesIn(written: unknown): string[] {
  if (typeof written === "string") return [written];
  if (Array.isArray(written)) return written.flatMap(namesIn);
  return Object.entries(written as Record<string, Record<string, unknown>>).flatMap(([name, options]) => [
    name,
    ...["use", "direct"].flatMap((field) => (options[field] === undefined ? [] : namesIn(options[field]))),
    ...(Array.isArray(options.of) ? options.of.flatMap(namesIn) : []),
  ]);
}
