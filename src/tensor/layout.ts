// Splits, slices, concatenates, pads and reverses views.

import type { Graph } from "./graph.js";
import { known } from "./grouped.js";
import { scalar } from "./pointwise.js";
import { alongside, expanded, orderOf, still, typeOf, type View, viewAlong, viewOf } from "./view.js";

/** Concatenates along an axis. */
export function concatenated(graph: Graph, views: readonly View[], axis: number): View {
  const rank = (views[0] as View).shape.length;
  const shape = (views[0] as View).shape.map((size, i) =>
    i === axis ? views.reduce((sum, view) => sum + (view.shape[axis] as number), 0) : size,
  );
  const all = Array.from({ length: rank }, (_, i) => i);
  const moving = all.filter((i) => i === axis || views.some((view) => view.axes[i] !== still));
  const names = views.map((view) => {
    const full = expanded(graph, view, moving);
    const dims = moving.map((i) => full.shape[i] as number);
    return graph.reshape(alongside(graph, full, moving), dims);
  });
  const sizes = moving.map((i) => shape[i] as number);
  const type = typeOf(graph, views[0] as View);
  const name = graph.node("Concat", names, type, sizes, { attributes: { axis: moving.indexOf(axis) } });
  return viewAlong(name, shape, moving, sizes);
}

/** Splits an axis into pieces. */
export function splitUp(graph: Graph, view: View, axis: number, sizes: readonly number[]): View[] {
  const resized = (size: number) => view.shape.map((old, i) => (i === axis ? size : old));
  if (view.axes[axis] === still) return sizes.map((size) => ({ ...view, shape: resized(size) }));
  const order = orderOf(view);
  const dim = view.axes[axis] as number;
  const results = sizes.map((size) => ({
    type: typeOf(graph, view),
    dims: view.core.map((old, i) => (i === dim ? size : old)),
  }));
  const names = graph.nodeOf("Split", [graph.reshape(view.name, view.core), graph.integers(sizes)], results, {
    attributes: { axis: dim },
  });
  return names.map((name, i) => viewAlong(name, resized(sizes[i] as number), order, results[i]?.dims));
}

/** Slices each axis from start to end. */
export function shrunk(graph: Graph, view: View, slice: readonly (readonly [number, number])[]): View {
  const shape = slice.map(([start, end]) => end - start);
  const cut = shape
    .map((_, axis) => axis)
    .filter((axis) => view.axes[axis] !== still && shape[axis] !== view.shape[axis]);
  const order = orderOf(view);
  const sizes = order.map((axis) => shape[axis] as number);
  if (cut.length === 0) return viewAlong(graph.reshape(view.name, view.core), shape, order, sizes);
  const first = firstPlaces(graph, view, slice, cut);
  if (first) return first;
  const name = graph.node(
    "Slice",
    [
      graph.reshape(view.name, view.core),
      graph.integers(cut.map((axis) => slice[axis]?.[0] as number)),
      graph.integers(cut.map((axis) => slice[axis]?.[1] as number)),
      graph.integers(cut.map((axis) => view.axes[axis] as number)),
    ],
    typeOf(graph, view),
    sizes,
  );
  return viewAlong(name, shape, order, sizes);
}

/** The first few indices of an argsort, by a TopK of only that many. */
function firstPlaces(
  graph: Graph,
  view: View,
  slice: readonly (readonly [number, number])[],
  cut: readonly number[],
): View | undefined {
  const found = known(graph).places.get(view.name);
  const last = view.shape.length - 1;
  const [start, end] = slice[last] as readonly [number, number];
  if (!found || cut.length !== 1 || cut[0] !== last || start !== 0 || end === 0) return undefined;
  const plain = view.shape.length === found.dims.length && view.shape.every((n, i) => n === found.dims[i]);
  if (!plain || orderOf(view).some((axis, i, all) => i > 0 && axis < (all[i - 1] as number)))
    return undefined;
  const dims = [...found.dims.slice(0, -1), end];
  const results = [
    { type: graph.type(found.keys), dims },
    { type: "int64" as const, dims },
  ];
  const [, places] = graph.nodeOf("TopK", [found.keys, graph.integers([end])], results, {
    attributes: { axis: last, largest: 0, sorted: 1 },
  });
  const name = graph.node("Cast", [places as string], "int32", dims, { attributes: { to: 6 } });
  return viewOf(graph, name);
}

/** Pads with zeros. */
export function padded(graph: Graph, given: View, width: readonly (readonly [number, number])[]): View {
  const wider = width.map((_, axis) => axis).filter((axis) => width[axis]?.some((count) => count > 0));
  const view = expanded(graph, given, wider);
  const shape = view.shape.map(
    (size, axis) => size + (width[axis]?.[0] as number) + (width[axis]?.[1] as number),
  );
  // A padded axis of size 1 gets its own dimension, in front.
  const order = [...wider.filter((axis) => view.axes[axis] === still), ...orderOf(view)];
  const dims = order.map((axis) => view.shape[axis] as number);
  const sizes = order.map((axis) => shape[axis] as number);
  const pads = [0, 1].flatMap((side) => order.map((axis) => width[axis]?.[side] as number));
  const type = typeOf(graph, view);
  const from = graph.reshape(view.name, dims);
  const zero = scalar(graph, type, 0).name;
  const name = graph.node("Pad", [from, graph.integers(pads), zero], type, sizes);
  return viewAlong(name, shape, order, sizes);
}

/** Reverses axes. */
export function flipped(graph: Graph, view: View, axes: readonly number[]): View {
  const dims = axes.map((axis) => view.axes[axis] as number).filter((dim) => dim !== still);
  if (dims.length === 0) return view;
  const name = graph.node(
    "Slice",
    [
      graph.reshape(view.name, view.core),
      graph.integers(dims.map(() => -1)),
      graph.integers(dims.map(() => -(2 ** 31))),
      graph.integers(dims),
      graph.integers(dims.map(() => -1)),
    ],
    typeOf(graph, view),
    view.core,
  );
  return { ...view, name };
}
