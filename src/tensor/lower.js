// From a traced program to a graph: one entry for each of jax-js's primitives. What ONNX has no operator for is refused
// here with its name, before anything runs. Results are jax-js's, but for three things: a least or greatest element may
// pass over NaN, erfc errs by 1e-7 absolutely (its far tail is 0), and products of integers stop at 2^63.
import { HoneError } from "../core/errors.js";
import { dot } from "./dot.js";
import { gather, scatter, sorted } from "./indexing.js";
import { concatenated, flipped, padded, shrunk, splitUp } from "./layout.js";
import { elementwise, reduced, scalar } from "./pointwise.js";
import { cast, commonType, through } from "./types.js";
import { broadcastInto, reshaped, transposed, typeOf, viewOf } from "./view.js";

const first = (views) => views[0];
/** The same operator over floats and integers. */
const plain = (op) => (graph, inputs) => elementwise(graph, op, inputs);
/** Booleans have operators of their own. */
const logical = (op, forBool) => (graph, inputs) =>
  elementwise(graph, typeOf(graph, first(inputs)) === "bool" ? forBool : op, inputs);
const comparisons = {
  less: { op: "Less", not: false },
  equal: { op: "Equal", not: false },
  not_equal: { op: "Equal", not: true },
  less_equal: { op: "LessOrEqual", not: false },
};
const reducers = { Add: "sum", Mul: "product", Min: "min", Max: "max" };
const rules = {
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
    elementwise(graph, "Sub", [scalar(graph, "float32", 1), elementwise(graph, "Erf", [x])]),
  stop_gradient: (_graph, [x]) => x,
  idiv: (graph, inputs) => {
    // jax-js truncates towards zero; ONNX divides integers so. The least int32 by -1 would end the process.
    const quotient = through(graph, inputs, { int32: "int64" }, (views) => elementwise(graph, "Div", views));
    if (!typeOf(graph, quotient).startsWith("float")) return quotient;
    const whole = elementwise(graph, "Floor", [elementwise(graph, "Abs", [quotient])]);
    return elementwise(graph, "Mul", [whole, elementwise(graph, "Sign", [quotient])]);
  },
  mod: (graph, inputs) => {
    // The sign is the dividend's. ONNX's Mod takes the divisor's unless it is asked for C's fmod.
    return elementwise(graph, "Mod", inputs, undefined, { fmod: 1 });
  },
  bit_combine: (graph, inputs, { op }) => {
    const names = { and: "And", or: "Or", xor: "Xor" };
    const isBool = typeOf(graph, first(inputs)) === "bool";
    return elementwise(graph, `${isBool ? "" : "Bitwise"}${names[op]}`, inputs);
  },
  bit_shift: (graph, [x, y], { op }) =>
    // Bits move without regard to a sign, and counts wrap at 32, as in wasm.
    through(graph, [x], { int32: "uint32" }, ([bits]) => {
      const count = elementwise(graph, "BitwiseAnd", [cast(graph, y, "uint32"), scalar(graph, "uint32", 31)]);
      const direction = op === "shl" ? "LEFT" : "RIGHT";
      return elementwise(graph, "BitShift", [bits, count], undefined, { direction });
    }),
  cast: (graph, [x], { dtype }) => cast(graph, x, dtype),
  compare: (graph, inputs, { op }) => {
    const { op: name, not } = comparisons[op];
    const isBool = name !== "Equal" && typeOf(graph, first(inputs)) === "bool";
    const ordered = isBool ? inputs.map((view) => cast(graph, view, "int32")) : inputs;
    const result = elementwise(graph, name, ordered, "bool");
    return not ? elementwise(graph, "Not", [result]) : result;
  },
  where: (graph, [condition, ...choices]) =>
    through(graph, choices, { bool: "int32", uint32: "int32" }, (views) =>
      elementwise(graph, "Where", [condition, ...views], typeOf(graph, first(views))),
    ),
  reduce: (graph, inputs, { op, axis }) => {
    // No axes is the identity here; ONNX would reduce over all of them.
    if (axis.length === 0) return first(inputs);
    const reducer = reducers[op];
    if (reducer === "sum" || reducer === "product") return accumulated(graph, reducer, first(inputs), axis);
    // Of a uint32 the top bit is turned round, so that int32 orders it. (int64 does not: ONNX Runtime's least of int64
    // is wrong from 2^31 on.)
    const turns = typeOf(graph, first(inputs)) === "uint32";
    const turned = (view) =>
      turns ? elementwise(graph, "Add", [view, scalar(graph, "int32", -(2 ** 31))]) : view;
    return through(graph, inputs, { bool: "int32", uint32: "int32" }, ([view]) =>
      turned(reduced(graph, reducer, turned(view), axis)),
    );
  },
  dot: (graph, inputs, _params, { fused }) => {
    const [x, y] = inputs;
    if (typeOf(graph, x).startsWith("float")) return dot(graph, x, y, fused);
    return through(graph, inputs, { bool: "int32", uint32: "int32" }, (views) => {
      const products = elementwise(graph, "Mul", views);
      return accumulated(graph, "sum", products, [products.shape.length - 1]);
    });
  },
  transpose: (_graph, [x], { perm }) => transposed(x, perm),
  broadcast: (_graph, [x], { shape, axis }) => broadcastInto(x, shape, normalise(axis, shape.length)),
  reshape: (graph, [x], { shape }) => reshaped(graph, x, shape),
  concatenate: (graph, inputs, { axis }) => concatenated(graph, inputs, axis),
  split: (graph, [x], { axis, sizes }) => splitUp(graph, x, axis, sizes),
  shrink: (graph, [x], { slice }) => shrunk(graph, x, slice),
  pad: (graph, [x], { width }) => padded(graph, x, width),
  flip: (graph, [x], { axis }) => flipped(graph, x, axis),
  gather: (graph, [x, ...indices], { axis, outDim }) => gather(graph, x, indices, axis, outDim),
  scatter: (graph, [updates, ...indices], params) => scatter(graph, updates, indices, params),
  sort: (graph, [x]) => sorted(graph, x)[0],
  argsort: (graph, [x]) => sorted(graph, x),
};
/**
 * Sums and products. Those of int32 ONNX Runtime stops at the type's limits where jax-js goes round; 64 bits have room
 * for all sums, and for products up to 2^63, where these stop.
 */
function accumulated(graph, reducer, view, axes) {
  return through(graph, [view], { bool: "int32", int32: "int64", uint32: "int64" }, ([wide]) =>
    reduced(graph, reducer, wide, axes),
  );
}
function normalise(axes, rank) {
  return axes.map((axis) => (axis < 0 ? axis + rank : axis));
}
/** The primitives that can be lowered, by jax-js's names. */
export const loweredPrimitives = Object.keys(rules);
/** Primitives whose operands are first brought to one type; `where` leaves its condition as it is. */
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
export function lower(graph, jaxpr, inputs, options) {
  const values = new Map();
  for (const [i, binder] of jaxpr.inBinders.entries()) values.set(binder, inputs[i]);
  // What jax-js simplified away may have left a value of another type than its reader was promised.
  const read = (atom, type = atom.aval.dtype) =>
    "value" in atom ? scalar(graph, type, atom.value) : cast(graph, values.get(atom), type);
  for (const { primitive, inputs: atoms, params, outBinders } of jaxpr.eqns) {
    const rule = rules[primitive];
    if (!rule) throw notLowered(primitive, outBinders.map((out) => out.aval.toString()).join(", "));
    const own = primitive === "where" ? 1 : promoting.has(primitive) ? 0 : atoms.length;
    const type = own < atoms.length ? commonType(atoms.slice(own)) : undefined;
    const operands = atoms.map((atom, i) => (i < own ? read(atom) : read(atom, type)));
    // Some of ONNX Runtime's kernels fail on nothing at all, or end the process.
    const empty = outBinders.every(({ aval }) => aval.size === 0);
    const results = empty
      ? outBinders.map(({ aval }) => viewOf(graph, graph.zeros(aval.dtype, aval.shape)))
      : [rule(graph, operands, params, options)].flat();
    for (const [i, binder] of outBinders.entries()) values.set(binder, results[i]);
  }
  return jaxpr.outs.map((atom) => read(atom));
}
function notLowered(primitive, result) {
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
