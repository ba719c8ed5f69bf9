// Element types: promotion of operands to a common type, conversions with jax-js's semantics, and detours through types for
// which ONNX Runtime has kernels.

import type { Jaxpr } from "@jax-js/jax";
import type { Graph } from "./graph.js";
import { type ElementType, elementTypes } from "./onnx.js";
import { elementwise, limits, scalar } from "./pointwise.js";
import { typeOf, type View } from "./view.js";

export type Atom = Jaxpr["outs"][number];

/** jax-js's types from the narrowest to the widest. */
const widths: readonly ElementType[] = ["bool", "uint32", "int32", "float16", "float32", "float64"];

/**
 * The type to which operands are promoted: the widest. Weak ones (plain numbers) follow the others, but promote booleans to
 * an integer type.
 */
export function commonType(atoms: readonly Atom[]): ElementType {
  const strong = atoms.filter(({ aval }) => !aval.weakType);
  const mixed = strong.length > 0 && strong.length < atoms.length;
  const types = (mixed ? strong : atoms).map(({ aval }) => widths.indexOf(aval.dtype as ElementType));
  return widths[Math.max(...types, mixed ? widths.indexOf("uint32") : 0)] as ElementType;
}

/**
 * Converts to another type. Floats are truncated to integers; those out of range become the nearest limit, and NaN
 * becomes 0. Conversions between integer types wrap.
 */
export function cast(graph: Graph, view: View, type: ElementType): View {
  const from = typeOf(graph, view);
  if (from === type) return view;
  const range = from.startsWith("float") ? limits[type] : undefined;
  if (!range) return converted(graph, view, type);
  const nan = elementwise(graph, "IsNaN", [view], "bool");
  const number = elementwise(graph, "Where", [nan, scalar(graph, from, 0), view], from);
  const bounds = range.map((bound) => scalar(graph, from, bound));
  const clipped = elementwise(graph, "Clip", [number, ...bounds]);
  // As a float the upper bound may be rounded up. (Min of int64 would avoid that, but it is wrong from 2^31 on.)
  const below = elementwise(graph, "Less", [number, bounds[1] as View], "bool");
  const integers = [converted(graph, clipped, "int64"), scalar(graph, "int64", range[1])];
  return converted(graph, elementwise(graph, "Where", [below, ...integers], "int64"), type);
}

function converted(graph: Graph, view: View, type: ElementType): View {
  const name = graph.node("Cast", [view.name], type, graph.dims(view.name), {
    attributes: { to: elementTypes[type] },
  });
  return { ...view, name };
}

/** Computes in another type if ONNX Runtime has no kernel for the operands' own, and converts back. */
export function through(
  graph: Graph,
  views: readonly View[],
  detours: Partial<Record<ElementType, ElementType>>,
  compute: (views: readonly View[]) => View,
): View {
  const type = typeOf(graph, views[0] as View);
  const other = detours[type];
  if (!other) return compute(views);
  const there = views.map((view) => cast(graph, view, other));
  return cast(graph, compute(there), type);
}
