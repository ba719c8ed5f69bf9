// A view: a value of the graph in another shape without moving its data. Broadcasts, transposes and most reshapes only
// change the view; data that must move is moved once, where an operator needs it. Expanding broadcasts and transposing
// eagerly cost a factor of six and more (docs/log.md).

import { equal, type Graph, product } from "./graph.js";
import type { ElementType } from "./onnx.js";

export interface View {
  readonly name: string;
  /** The value's dimensions in memory, without those of size 1. */
  readonly core: readonly number[];
  /** For each axis of `shape` the dimension of `core` that it follows; -1 if it has none (size 1 or broadcast). */
  readonly axes: readonly number[];
  /** The shape that the program sees. */
  readonly shape: readonly number[];
}

const still = -1;

/** The view of a value with its own dimensions. */
export function viewOf(graph: Graph, name: string): View {
  const shape = graph.dims(name);
  let next = 0;
  return {
    name,
    core: shape.filter((dim) => dim !== 1),
    axes: shape.map((dim) => (dim === 1 ? still : next++)),
    shape,
  };
}

/** A value whose dimensions, read as `sizes`, are the axes `order` of the result; the other axes are -1. */
export function viewAlong(
  name: string,
  shape: readonly number[],
  order: readonly number[],
  sizes: readonly number[] = order.map((axis) => shape[axis] as number),
): View {
  const kept = order.filter((_, i) => sizes[i] !== 1);
  return {
    name,
    core: sizes.filter((size) => size !== 1),
    axes: shape.map((_, axis) => kept.indexOf(axis)),
    shape,
  };
}

export function typeOf(graph: Graph, view: View): ElementType {
  return graph.type(view.name);
}

/** The axes with a dimension in memory, in memory order. */
export function orderOf(view: View): number[] {
  return view.core.map((_, dim) => view.axes.indexOf(dim));
}

export function transposed(view: View, perm: readonly number[]): View {
  return {
    ...view,
    axes: perm.map((axis) => view.axes[axis] as number),
    shape: perm.map((axis) => view.shape[axis] as number),
  };
}

/** numpy's broadcasting to a shape of at least the same rank: new axes come first. */
export function broadcastTo(view: View, shape: readonly number[]): View {
  const missing = shape.length - view.shape.length;
  return {
    ...view,
    axes: shape.map((_, i) => (i < missing ? still : (view.axes[i - missing] as number))),
    shape,
  };
}

/** jax-js's broadcast: the named axes are new. */
export function broadcastInto(view: View, shape: readonly number[], added: readonly number[]): View {
  let next = 0;
  const axes = shape.map((_, i) => (added.includes(i) ? still : (view.axes[next++] as number)));
  return { ...view, axes, shape };
}

/** The value with its axes moved into the given memory order, as a name whose dimensions are those of `order`. */
export function inOrder(graph: Graph, view: View, order: readonly number[]): string {
  const perm = order.map((axis) => view.axes[axis] as number);
  const sizes = perm.map((dim) => view.core[dim] as number);
  if (perm.every((dim, i) => dim === i)) return graph.reshape(view.name, sizes);
  return graph.reshape(graph.transpose(view.name, view.core, perm), sizes);
}

/** The value shaped so that ONNX can broadcast it: one dimension for each axis of `order`, 1 where it is size 1 or broadcast. */
export function alongside(graph: Graph, view: View, order: readonly number[]): string {
  const own = order.filter((axis) => view.axes[axis] !== still);
  const name = inOrder(graph, view, own);
  const dims = order.map((axis) => (view.axes[axis] === still ? 1 : (view.shape[axis] as number)));
  while (dims[0] === 1) dims.shift();
  return graph.reshape(name, dims);
}

/** Materializes the broadcast along the named axes. */
export function expanded(graph: Graph, view: View, axes: readonly number[]): View {
  const spread = axes.filter((axis) => view.axes[axis] === still && view.shape[axis] !== 1);
  if (spread.length === 0) return view;
  const order = view.shape
    .map((_, axis) => axis)
    .filter((axis) => view.axes[axis] !== still || spread.includes(axis));
  const sizes = order.map((axis) => view.shape[axis] as number);
  const name = graph.node(
    "Expand",
    [alongside(graph, view, order), graph.integers(sizes)],
    typeOf(graph, view),
    sizes,
  );
  return viewAlong(name, view.shape, order);
}

/** The value in full: axes in order, all broadcasts materialized. */
export function whole(graph: Graph, view: View): string {
  const all = view.shape.map((_, axis) => axis);
  const full = expanded(graph, view, all);
  const name = inOrder(
    graph,
    full,
    all.filter((axis) => full.axes[axis] !== still),
  );
  return graph.reshape(name, view.shape);
}

/** The same elements in another shape. Moves data only if axes that are not adjacent in memory have to be merged. */
export function reshaped(graph: Graph, view: View, shape: readonly number[]): View {
  if (product(shape) === 0) return viewOf(graph, graph.reshape(whole(graph, view), shape));
  const groups = pair(view.shape, shape);
  // A broadcast axis cannot be merged with one that is not.
  const mixed = groups.flatMap(({ from }) => {
    const stuck = from.filter((axis) => view.axes[axis] === still);
    return from.length > stuck.length ? stuck : [];
  });
  if (mixed.length > 0) return reshaped(graph, expanded(graph, view, mixed), shape);
  const apart = groups.some(({ from }) =>
    from.some((axis, i) => i > 0 && gap(view, from[i - 1] as number, axis)),
  );
  if (apart) {
    const order = view.shape.map((_, axis) => axis).filter((axis) => view.axes[axis] !== still);
    return reshaped(graph, viewAlong(inOrder(graph, view, order), view.shape, order), shape);
  }
  const order: number[] = [];
  const inMemory = groups
    .filter(({ from }) => view.axes[from[0] as number] !== still)
    .sort((a, b) => (view.axes[a.from[0] as number] as number) - (view.axes[b.from[0] as number] as number));
  for (const { to } of inMemory) order.push(...to);
  return viewAlong(view.name, shape, order);
}

/** Whether two axes to be merged are not adjacent in memory. */
function gap(view: View, first: number, second: number): boolean {
  return (view.axes[first] as number) !== still && view.axes[second] !== (view.axes[first] as number) + 1;
}

/** Pairs runs of old axes with runs of new axes with the same number of elements; axes of size 1 belong to none. */
function pair(from: readonly number[], to: readonly number[]): { from: number[]; to: number[] }[] {
  const olds = from.map((_, axis) => axis).filter((axis) => from[axis] !== 1);
  const news = to.map((_, axis) => axis).filter((axis) => to[axis] !== 1);
  const groups: { from: number[]; to: number[] }[] = [];
  while (olds.length > 0 || news.length > 0) {
    const group = { from: [] as number[], to: [] as number[] };
    let left = 1;
    let right = 1;
    do {
      if (left <= right) {
        const axis = olds.shift() as number;
        group.from.push(axis);
        left *= from[axis] as number;
      } else {
        const axis = news.shift() as number;
        group.to.push(axis);
        right *= to[axis] as number;
      }
    } while (left !== right);
    groups.push(group);
  }
  return groups;
}

export { equal, still };
