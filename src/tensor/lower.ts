// From a traced program to a graph: one entry for each of jax-js's primitives. What ONNX has no operator for is refused
// here with its name, before anything runs.

import type { Jaxpr } from "@jax-js/jax";
import { HoneError } from "../core/errors.js";
import { dot } from "./dot.js";
import type { Graph } from "./graph.js";
import { gather, scatter, sorted } from "./indexing.js";
import { concatenated, flipped, padded, shrunk, splitUp } from "./layout.js";
import { type ElementType, elementTypes } from "./onnx.js";
import { elementwise, type Reducer, reduced, scalar } from "./pointwise.js";
import { broadcastInto, reshaped, transposed, typeOf, type View } from "./view.js";

export interface LowerOptions {
  /** Whether the provider has FusedMatMul. */
  fused: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: jax-js types its parameters by primitive and does not export the table.
type Params = Record<string, any>;
type Rule = (graph: Graph, inputs: readonly View[], params: Params, options: LowerOptions) => View | View[];

const first = (views: readonly View[]): View => views[0] as View;

/** The same operator over floats and integers. */
const plain =
  (op: string): Rule =>
  (graph, inputs) =>
    elementwise(graph, op, inputs);

/** Booleans have operators of their own. */
const logical =
  (op: string, forBool: string): Rule =>
  (graph, inputs) =>
    elementwise(graph, typeOf(graph, first(inputs)) === "bool" ? forBool : op, inputs);

const cast = (graph: Graph, view: View, type: ElementType): View => {
  if (typeOf(graph, view) === type) return view;
  const name = graph.node("Cast", [view.name], type, graph.dims(view.name), {
    attributes: { to: elementTypes[type] },
  });
  return { ...view, name };
};

const comparisons: Record<string, { op: string; not: boolean }> = {
  less: { op: "Less", not: false },
  equal: { op: "Equal", not: false },
  not_equal: { op: "Equal", not: true },
  less_equal: { op: "LessOrEqual", not: false },
};

const reducers: Record<string, Reducer> = { Add: "sum", Mul: "product", Min: "min", Max: "max" };

const rules: Record<string, Rule> = {
  add: logical("Add", "Or"),
  mul: logical("Mul", "And"),
  min: logical("Min", "And"),
  max: logical("Max", "Or"),
  neg: plain("Neg"),
  reciprocal: plain("Reciprocal"),
  floor: plain("Floor"),
  ceil: plain("Ceil"),
  sin: plain("Sin"),
  cos: plain("Cos"),
  asin: plain("Asin"),
  atan: plain("Atan"),
  exp: plain("Exp"),
  log: plain("Log"),
  erf: plain("Erf"),
  sqrt: plain("Sqrt"),
  erfc: (graph, [x]) =>
    elementwise(graph, "Sub", [scalar(graph, "float32", 1), elementwise(graph, "Erf", [x as View])]),
  stop_gradient: (_graph, [x]) => x as View,
  idiv: (graph, inputs) => {
    // jax-js truncates towards zero; ONNX divides integers so.
    const quotient = elementwise(graph, "Div", inputs);
    if (!typeOf(graph, quotient).startsWith("float")) return quotient;
    const whole = elementwise(graph, "Floor", [elementwise(graph, "Abs", [quotient])]);
    return elementwise(graph, "Mul", [whole, elementwise(graph, "Sign", [quotient])]);
  },
  mod: (graph, inputs) => {
    // The sign is the dividend's. ONNX's Mod takes the divisor's unless it is asked for C's fmod.
    return elementwise(graph, "Mod", inputs, undefined, { fmod: 1 });
  },
  bit_combine: (graph, inputs, { op }) => {
    const names = { and: "And", or: "Or", xor: "Xor" } as Record<string, string>;
    const isBool = typeOf(graph, first(inputs)) === "bool";
    return elementwise(graph, `${isBool ? "" : "Bitwise"}${names[op as string]}`, inputs);
  },
  cast: (graph, [x], { dtype }) => cast(graph, x as View, dtype as ElementType),
  compare: (graph, inputs, { op }) => {
    const { op: name, not } = comparisons[op as string] as { op: string; not: boolean };
    const ordered = name === "Equal" ? inputs : inputs.map((view) => fromBool(graph, view));
    const result = elementwise(graph, name, ordered, "bool");
    return not ? elementwise(graph, "Not", [result]) : result;
  },
  where: (graph, [condition, x, y]) => {
    const type = typeOf(graph, x as View);
    const [a, b] = [fromBool(graph, x as View), fromBool(graph, y as View)];
    const chosen = elementwise(graph, "Where", [condition as View, a, b], typeOf(graph, a));
    return cast(graph, chosen, type);
  },
  reduce: (graph, [x], { op, axis }) => {
    const view = fromBool(graph, x as View);
    // No axes is the identity here; ONNX would reduce over all of them.
    if ((axis as number[]).length === 0) return x as View;
    const reducer = op === "Add" && typeOf(graph, x as View) === "bool" ? "max" : reducers[op as string];
    return cast(graph, reduced(graph, reducer as Reducer, view, axis as number[]), typeOf(graph, x as View));
  },
  dot: (graph, [x, y], _params, { fused }) => dot(graph, x as View, y as View, fused),
  transpose: (_graph, [x], { perm }) => transposed(x as View, perm as number[]),
  broadcast: (_graph, [x], { shape, axis }) =>
    broadcastInto(x as View, shape as number[], normalise(axis as number[], (shape as number[]).length)),
  reshape: (graph, [x], { shape }) => reshaped(graph, x as View, shape as number[]),
  concatenate: (graph, inputs, { axis }) => concatenated(graph, inputs, axis as number),
  split: (graph, [x], { axis, sizes }) => splitUp(graph, x as View, axis as number, sizes as number[]),
  shrink: (graph, [x], { slice }) => shrunk(graph, x as View, slice as [number, number][]),
  pad: (graph, [x], { width }) => padded(graph, x as View, width as [number, number][]),
  flip: (graph, [x], { axis }) => flipped(graph, x as View, axis as number[]),
  gather: (graph, [x, ...indices], { axis, outDim }) =>
    gather(graph, x as View, indices, axis as number[], outDim as number),
  scatter: (graph, [updates, ...indices], params) =>
    scatter(graph, updates as View, indices, params as Parameters<typeof scatter>[3]),
  sort: (graph, [x]) => sorted(graph, x as View)[0],
  argsort: (graph, [x]) => sorted(graph, x as View),
};

function fromBool(graph: Graph, view: View): View {
  return typeOf(graph, view) === "bool" ? cast(graph, view, "int32") : view;
}

function normalise(axes: readonly number[], rank: number): number[] {
  return axes.map((axis) => (axis < 0 ? axis + rank : axis));
}

/** The primitives that can be lowered, by jax-js's names. */
export const loweredPrimitives: readonly string[] = Object.keys(rules);

type Atom = Jaxpr["outs"][number];

/**
 * Lowers a flattened program.
 * @param inputs one view for each of the program's inputs, its constants first
 * @throws HoneError for a primitive that ONNX Runtime cannot run
 */
export function lower(graph: Graph, jaxpr: Jaxpr, inputs: readonly View[], options: LowerOptions): View[] {
  const values = new Map<Atom, View>();
  for (const [i, binder] of jaxpr.inBinders.entries()) values.set(binder, inputs[i] as View);
  const read = (atom: Atom): View =>
    "value" in atom ? scalar(graph, atom.dtype as ElementType, atom.value) : (values.get(atom) as View);
  for (const { primitive, inputs: atoms, params, outBinders } of jaxpr.eqns) {
    const rule = rules[primitive];
    if (!rule) throw notLowered(primitive, outBinders.map((out) => out.aval.toString()).join(", "));
    const results = [rule(graph, atoms.map(read), params, options)].flat();
    for (const [i, binder] of outBinders.entries()) values.set(binder, results[i] as View);
  }
  return jaxpr.outs.map(read);
}

function notLowered(primitive: string, result: string): HoneError {
  return new HoneError({
    what: `The primitive "${primitive}" cannot be run by ONNX Runtime`,
    where: `a compiled function, at the operation that gives ${result}`,
    why: primitive.startsWith("random")
      ? "random numbers are not drawn inside compiled functions, so that a step depends on its inputs alone"
      : "it has no ONNX operator, and no network of Hone needs it",
    next: "Compute it outside of the function and pass the result in, or run the function with jax-js itself.",
    kind: "usage",
  });
}
