// Lowers a traced program to a graph: one entry for each of jax-js's primitives. A primitive without an ONNX operator is refused
// here by name, before anything runs. Results equal jax-js's with three exceptions: a minimum or maximum may ignore NaN, erfc has
// an absolute error of 1e-7 (its far tail is 0), and products of integers saturate at 2^63.

import type { Jaxpr } from "@jax-js/jax";
import { HoneError } from "../core/errors.js";
import { dot } from "./dot.js";
import type { Graph } from "./graph.js";
import { gather, scatter, sorted } from "./indexing.js";
import { concatenated, flipped, padded, shrunk, splitUp } from "./layout.js";
import type { ElementType } from "./onnx.js";
import { elementwise, type Reducer, reduced, scalar } from "./pointwise.js";
import { type Atom, cast, commonType, through } from "./types.js";
import { broadcastInto, reshaped, transposed, typeOf, type View, viewOf } from "./view.js";

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

/** Booleans have separate operators. */
const logical =
  (op: string, forBool: string): Rule =>
  (graph, inputs) =>
    elementwise(graph, typeOf(graph, first(inputs)) === "bool" ? forBool : op, inputs);

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
  neg: (graph, inputs) =>
    through(graph, inputs, { uint32: "int32" }, (views) => elementwise(graph, "Neg", views)),
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
    // jax-js truncates towards zero, as ONNX does for integers. Dividing the least int32 by -1 would crash the process.
    const quotient = through(graph, inputs, { int32: "int64" }, (views) => elementwise(graph, "Div", views));
    if (!typeOf(graph, quotient).startsWith("float")) return quotient;
    const whole = elementwise(graph, "Floor", [elementwise(graph, "Abs", [quotient])]);
    return elementwise(graph, "Mul", [whole, elementwise(graph, "Sign", [quotient])]);
  },
  mod: (graph, inputs) => {
    // The result has the dividend's sign. ONNX's Mod uses the divisor's unless `fmod` is set.
    return elementwise(graph, "Mod", inputs, undefined, { fmod: 1 });
  },
  bit_combine: (graph, inputs, { op }) => {
    const names = { and: "And", or: "Or", xor: "Xor" } as Record<string, string>;
    const isBool = typeOf(graph, first(inputs)) === "bool";
    return elementwise(graph, `${isBool ? "" : "Bitwise"}${names[op as string]}`, inputs);
  },
  bit_shift: (graph, [x, y], { op }) =>
    // Shifts are logical, and counts wrap at 32, as in wasm.
    through(graph, [x as View], { int32: "uint32" }, ([bits]) => {
      const count = elementwise(graph, "BitwiseAnd", [
        cast(graph, y as View, "uint32"),
        scalar(graph, "uint32", 31),
      ]);
      const direction = op === "shl" ? "LEFT" : "RIGHT";
      return elementwise(graph, "BitShift", [bits as View, count], undefined, { direction });
    }),
  cast: (graph, [x], { dtype }) => cast(graph, x as View, dtype as ElementType),
  compare: (graph, inputs, { op }) => {
    const { op: name, not } = comparisons[op as string] as { op: string; not: boolean };
    const isBool = name !== "Equal" && typeOf(graph, first(inputs)) === "bool";
    const ordered = isBool ? inputs.map((view) => cast(graph, view, "int32")) : inputs;
    const result = elementwise(graph, name, ordered, "bool");
    return not ? elementwise(graph, "Not", [result]) : result;
  },
  where: (graph, [condition, ...choices]) =>
    through(graph, choices, { bool: "int32", uint32: "int32" }, (views) =>
      elementwise(graph, "Where", [condition as View, ...views], typeOf(graph, first(views))),
    ),
  reduce: (graph, inputs, { op, axis }) => {
    // Without axes this is the identity; ONNX would reduce over all axes.
    if ((axis as number[]).length === 0) return first(inputs);
    const reducer = reducers[op as string] as Reducer;
    if (reducer === "sum" || reducer === "product") return accumulated(graph, reducer, first(inputs), axis);
    // The top bit of a uint32 is flipped, so that int32 orders it. (int64 would not: ONNX Runtime's minimum of int64 is wrong
    // from 2^31 on.)
    const turns = typeOf(graph, first(inputs)) === "uint32";
    const turned = (view: View) =>
      turns ? elementwise(graph, "Add", [view, scalar(graph, "int32", -(2 ** 31))]) : view;
    return through(graph, inputs, { bool: "int32", uint32: "int32" }, ([view]) =>
      turned(reduced(graph, reducer, turned(view as View), axis as number[])),
    );
  },
  dot: (graph, inputs, _params, { fused }) => {
    const [x, y] = inputs as [View, View];
    if (typeOf(graph, x).startsWith("float")) return dot(graph, x, y, fused);
    return through(graph, inputs, { bool: "int32", uint32: "int32" }, (views) => {
      const products = elementwise(graph, "Mul", views);
      return accumulated(graph, "sum", products, [products.shape.length - 1]);
    });
  },
  transpose: (_graph, [x], { perm }) => transposed(x as View, perm as number[]),
  broadcast: (_graph, [x], { shape, axis }) =>
    broadcastInto(x as View, shape as number[], normalize(axis as number[], (shape as number[]).length)),
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

/**
 * Sums and products. For int32 ONNX Runtime saturates at the type's limits, whereas jax-js wraps around; 64 bits have room for
 * all sums, and for products up to 2^63, where they saturate.
 */
function accumulated(graph: Graph, reducer: "sum" | "product", view: View, axes: readonly number[]): View {
  return through(graph, [view], { bool: "int32", int32: "int64", uint32: "int64" }, ([wide]) =>
    reduced(graph, reducer, wide as View, axes),
  );
}

function normalize(axes: readonly number[], rank: number): number[] {
  return axes.map((axis) => (axis < 0 ? axis + rank : axis));
}

/** The primitives that can be lowered, by jax-js's names. */
export const loweredPrimitives: readonly string[] = Object.keys(rules);

/** Primitives whose operands are first promoted to one type; `where` leaves its condition unchanged. */
const promoting = new Set([
  "add",
  "mul",
  "idiv",
  "mod",
  "min",
  "max",
  "bit_combine",
  "compare",
  "where",
  "dot",
  "concatenate",
]);

/**
 * Lowers a flattened program.
 * @param inputs one view for each of the program's inputs, its constants first
 * @throws HoneError for a primitive that ONNX Runtime cannot run
 */
export function lower(graph: Graph, jaxpr: Jaxpr, inputs: readonly View[], options: LowerOptions): View[] {
  const values = new Map<Atom, View>();
  for (const [i, binder] of jaxpr.inBinders.entries()) values.set(binder, inputs[i] as View);
  // jax-js's simplification may have left a value of another type than its reader expects.
  const read = (atom: Atom, type = atom.aval.dtype as ElementType): View =>
    "value" in atom ? scalar(graph, type, atom.value) : cast(graph, values.get(atom) as View, type);
  for (const { primitive, inputs: atoms, params, outBinders } of jaxpr.eqns) {
    const rule = rules[primitive];
    if (!rule) throw notLowered(primitive, outBinders.map((out) => out.aval.toString()).join(", "));
    const own = primitive === "where" ? 1 : promoting.has(primitive) ? 0 : atoms.length;
    const type = own < atoms.length ? commonType(atoms.slice(own)) : undefined;
    const operands = atoms.map((atom, i) => (i < own ? read(atom) : read(atom, type)));
    // Some of ONNX Runtime's kernels fail on empty tensors, or crash the process.
    const empty = outBinders.every(({ aval }) => aval.size === 0);
    const results = empty
      ? outBinders.map(({ aval }) => viewOf(graph, graph.zeros(aval.dtype as ElementType, aval.shape)))
      : [rule(graph, operands, params, options)].flat();
    for (const [i, binder] of outBinders.entries()) values.set(binder, results[i] as View);
  }
  return jaxpr.outs.map((atom) => read(atom));
}

function notLowered(primitive: string, result: string): HoneError {
  return new HoneError({
    what: `The primitive "${primitive}" cannot be run by ONNX Runtime`,
    where: `a compiled function, at the operation that gives ${result}`,
    why: primitive.startsWith("random")
      ? "compiled functions draw no random numbers, so that a step depends on its inputs alone"
      : "it has no ONNX operator, and no network of Hone needs it",
    next: "Compute it outside of the function and pass the result in, or run the function with jax-js itself.",
    kind: "usage",
  });
}
