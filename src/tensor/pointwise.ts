// Elementwise operators and reductions over views. They keep their operands' memory order, so that a transposed value is not
// actually transposed.

import { type Graph, product } from "./graph.js";
import { noteProduct } from "./grouped.js";
import { type Attribute, type ElementType, elementTypes } from "./onnx.js";
import { alongside, broadcastTo, expanded, orderOf, still, typeOf, type View, viewAlong } from "./view.js";

/** The common shape of several under numpy's broadcasting. */
export function commonShape(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, i) => {
    const sizes = shapes.map((shape) => shape[i - rank + shape.length] ?? 1);
    return sizes.find((size) => size !== 1) ?? 1;
  });
}

/**
 * One ONNX operator over operands that broadcast against each other.
 * @param type of the result; the first operand's by default
 */
export function elementwise(
  graph: Graph,
  op: string,
  operands: readonly View[],
  type?: ElementType,
  attributes: Readonly<Record<string, Attribute>> = {},
): View {
  const shape = commonShape(operands.map((view) => view.shape));
  const views = operands.map((view) => broadcastTo(view, shape));
  const moving = shape
    .map((_, axis) => axis)
    .filter((axis) => views.some((view) => view.axes[axis] !== still));
  const largest = views.reduce((most, view) => (product(view.core) > product(most.core) ? view : most));
  const order = largest.core.length === moving.length ? orderOf(largest) : moving;
  const sizes = order.map((axis) => shape[axis] as number);
  const names = views.map((view) => alongside(graph, view, order));
  const name = graph.node(op, names, type ?? typeOf(graph, operands[0] as View), sizes, { attributes });
  if (op === "Mul") noteProduct(graph, name, views, shape, order);
  return viewAlong(name, shape, order, sizes);
}

const reducers = { sum: "ReduceSum", product: "ReduceProd", min: "ReduceMin", max: "ReduceMax" } as const;
export type Reducer = keyof typeof reducers;

/** Reduces over axes, which are removed. A broadcast axis becomes a factor in a sum and is ignored in a minimum or maximum. */
export function reduced(graph: Graph, reducer: Reducer, given: View, axes: readonly number[]): View {
  const repeats = axes.filter((axis) => given.axes[axis] === still && given.shape[axis] !== 1);
  const view = reducer === "product" ? expanded(graph, given, repeats) : given;
  const type = typeOf(graph, view);
  const shape = view.shape.filter((_, axis) => !axes.includes(axis));
  const rest = view.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const dims = axes.map((axis) => view.axes[axis] as number).filter((dim) => dim !== still);
  const order = orderOf(view)
    .filter((axis) => !axes.includes(axis))
    .map((axis) => rest.indexOf(axis));
  const sizes = order.map((axis) => shape[axis] as number);
  let name = graph.reshape(view.name, view.core);
  if (dims.length > 0) {
    name = graph.node(
      reducers[reducer],
      [name, graph.integers([...dims].sort((a, b) => a - b))],
      type,
      sizes,
      {
        attributes: { keepdims: 0 },
      },
    );
  }
  const result = viewAlong(name, shape, order, sizes);
  if (reducer !== "sum" || repeats.length === 0) return result;
  const times = product(repeats.map((axis) => given.shape[axis] as number));
  return elementwise(graph, "Mul", [result, scalar(graph, type, times)]);
}

const arrays = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  uint32: Uint32Array,
  bool: Uint8Array,
} as const;

/** The least and the greatest value of the integer types. */
export const limits: Partial<Record<ElementType, readonly [number, number]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
};

/** A constant of rank 0. For an integer type it is truncated and clamped to the type's limits. */
export function scalar(graph: Graph, type: ElementType, value: number): View {
  const made = (name: string): View => ({ name, core: [], axes: [], shape: [] });
  if (type === "int64") return made(graph.constant(type, [], BigInt64Array.of(BigInt(value))));
  if (type === "float16") {
    const wide = scalar(graph, "float32", value).name;
    return made(graph.node("Cast", [wide], type, [], { attributes: { to: elementTypes[type] } }));
  }
  const [least, greatest] = limits[type] ?? [value, value];
  return made(graph.constant(type, [], arrays[type].of(Math.min(Math.max(value, least), greatest))));
}
