// Element types: which one operands of several types meet in, conversions that mean what jax-js means by them, and
// detours through types that ONNX Runtime has kernels for.
import { elementTypes } from "./onnx.js";
import { elementwise, limits, scalar } from "./pointwise.js";
import { typeOf } from "./view.js";

/** jax-js's types from the narrowest to the widest. */
const widths = ["bool", "uint32", "int32", "float16", "float32", "float64"];
/**
 * The type in which operands meet: the widest. Weak ones (plain numbers) follow the others, which they make integers
 * at least.
 */
export function commonType(atoms) {
  const strong = atoms.filter(({ aval }) => !aval.weakType);
  const mixed = strong.length > 0 && strong.length < atoms.length;
  const types = (mixed ? strong : atoms).map(({ aval }) => widths.indexOf(aval.dtype));
  return widths[Math.max(...types, mixed ? widths.indexOf("uint32") : 0)];
}
/**
 * Converts to another type. Floats become integers by truncation; those out of range the nearest integer there is, and
 * NaN 0. Integers wrap into each other.
 */
export function cast(graph, view, type) {
  const from = typeOf(graph, view);
  if (from === type) return view;
  const range = from.startsWith("float") ? limits[type] : undefined;
  if (!range) return converted(graph, view, type);
  const nan = elementwise(graph, "IsNaN", [view], "bool");
  const number = elementwise(graph, "Where", [nan, scalar(graph, from, 0), view], from);
  const bounds = range.map((bound) => scalar(graph, from, bound));
  const clipped = elementwise(graph, "Clip", [number, ...bounds]);
  // As a float the upper bound may be rounded up. (Min of int64 would do, but is wrong from 2^31 on.)
  const below = elementwise(graph, "Less", [number, bounds[1]], "bool");
  const integers = [converted(graph, clipped, "int64"), scalar(graph, "int64", range[1])];
  return converted(graph, elementwise(graph, "Where", [below, ...integers], "int64"), type);
}
function converted(graph, view, type) {
  const name = graph.node("Cast", [view.name], type, graph.dims(view.name), {
    attributes: { to: elementTypes[type] },
  });
  return { ...view, name };
}
/** Computes in another type where ONNX Runtime has no kernel for the operands' own, and comes back. */
export function through(graph, views, detours, compute) {
  const type = typeOf(graph, views[0]);
  const other = detours[type];
  if (!other) return compute(views);
  const there = views.map((view) => cast(graph, view, other));
  return cast(graph, compute(there), type);
}
