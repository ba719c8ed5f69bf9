// Gathers, scatters and sorts views.

import type { Graph } from "./graph.js";
import { groupedOuter, known } from "./grouped.js";
import { commonShape, elementwise, scalar } from "./pointwise.js";
import { cast } from "./types.js";
import {
  broadcastTo,
  expanded,
  inOrder,
  orderOf,
  still,
  typeOf,
  type View,
  viewAlong,
  viewOf,
  whole,
} from "./view.js";

/**
 * Takes the elements at `indices` along `axes`; the indices' common shape is at axis `at` in the result.
 * Indices beyond the bounds are ONNX Runtime's error; negative ones count from the end.
 */
export function gather(
  graph: Graph,
  view: View,
  indices: readonly View[],
  axes: readonly number[],
  at: number,
): View {
  const indexShape = commonShape(indices.map((index) => index.shape));
  const rest = view.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const shape = rest.map((axis) => view.shape[axis] as number);
  shape.splice(at, 0, ...indexShape);
  const placeOf = (axis: number) => {
    const place = rest.indexOf(axis);
    return place < at ? place : place + indexShape.length;
  };
  const type = typeOf(graph, view);
  const [axis, index] = [axes[0] as number, indices[0] as View];
  if (axes.length === 1 && view.axes[axis] !== still) {
    const dim = view.axes[axis] as number;
    const own = orderOf(index);
    const around = orderOf(view).map((one) => (one === axis ? own.map((i) => at + i) : [placeOf(one)]));
    const order = around.flat();
    const sizes = order.map((one) => shape[one] as number);
    const from = graph.reshape(view.name, view.core);
    const places = typeOf(graph, index) === "int32" ? index : cast(graph, index, "int64");
    const to = graph.reshape(places.name, index.core);
    const name = graph.node("Gather", [from, to], type, sizes, { attributes: { axis: dim } });
    const plain =
      orderOf(view).every((one, i) => one === i) && view.core.length === 3 && axis === 0 && at === 0;
    if (plain && type === "float32" && known(graph).ascending.has(index.name)) {
      known(graph).gathered.set(name, { source: from, dims: view.core, ids: index.name });
    }
    return viewAlong(name, shape, order, sizes);
  }
  const full = expanded(graph, view, axes);
  const moving = rest.filter((one) => full.axes[one] !== still);
  const dims = [...axes, ...moving].map((one) => full.shape[one] as number);
  const order = [...axes.filter((one) => full.axes[one] !== still), ...moving];
  const from = graph.reshape(inOrder(graph, full, order), dims);
  const sizes = [...indexShape, ...moving.map((one) => full.shape[one] as number)];
  const name = graph.node("GatherND", [from, indexRows(graph, indices, indexShape)], type, sizes);
  const places = [...indexShape.map((_, i) => at + i), ...moving.map(placeOf)];
  return viewAlong(name, shape, places, sizes);
}

/** Scatters updates into zeros of `shape`: the reverse of `gather`. Updates with equal indices are added, or one wins. */
export function scatter(
  graph: Graph,
  updates: View,
  indices: readonly View[],
  params: { op: "add" | "update"; shape: readonly number[]; axis: readonly number[]; outDim: number },
): View {
  const { shape, axis: axes, outDim } = params;
  const [only] = indices as readonly [View];
  if (indices.length === 1 && axes.length === 1 && axes[0] === 0 && outDim === 0 && params.op === "add") {
    const grouped = groupedOuter(graph, updates, only, shape);
    if (grouped) return grouped;
    // Scattering rows by a permutation is gathering them by its inverse.
    if (known(graph).permutations.has(only.name) && updates.shape[0] === shape[0]) {
      const inverse = known(graph).permutations.get(only.name) ?? sorted(graph, only)[1];
      return gather(graph, updates, [inverse], [0], 0);
    }
  }
  const indexShape = commonShape(indices.map((index) => index.shape));
  const rest = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const indexAxes = indexShape.map((_, i) => outDim + i);
  const others = updates.shape.map((_, axis) => axis).filter((axis) => !indexAxes.includes(axis));
  const full = expanded(
    graph,
    updates,
    updates.shape.map((_, axis) => axis),
  );
  const order = [...indexAxes, ...others];
  const sizes = order.map((axis) => full.shape[axis] as number);
  const values = graph.reshape(
    inOrder(
      graph,
      full,
      order.filter((axis) => full.axes[axis] !== still),
    ),
    sizes,
  );
  const dims = [...axes, ...rest].map((axis) => shape[axis] as number);
  const type = typeOf(graph, updates);
  const zeros = graph.zeros(type, dims);
  const name = graph.node("ScatterND", [zeros, indexRows(graph, indices, indexShape), values], type, dims, {
    attributes: params.op === "add" ? { reduction: "add" } : {},
  });
  return viewAlong(name, shape, [...axes, ...rest], dims);
}

/** Indices side by side in a last dimension, as GatherND and ScatterND read them: [...shape, indices.length], int64. */
function indexRows(graph: Graph, indices: readonly View[], shape: readonly number[]): string {
  const columns = indices.map((index) => {
    const wide = cast(graph, broadcastTo(index, shape), "int64");
    return graph.reshape(whole(graph, wide), [...shape, 1]);
  });
  if (columns.length === 1) return columns[0] as string;
  return graph.node("Concat", columns, "int64", [...shape, columns.length], {
    attributes: { axis: shape.length },
  });
}

/**
 * Sorts the last axis in ascending order; the sort is stable, with NaN last. Returns the values and their
 * original indices.
 */
export function sorted(graph: Graph, view: View): [View, View] {
  const name = whole(graph, view);
  const dims = graph.dims(name);
  const last = dims.length - 1;
  const keys = whole(graph, sortable(graph, viewOf(graph, name)));
  const results = [
    { type: graph.type(keys), dims },
    { type: "int64" as const, dims },
  ];
  const [, places] = graph.nodeOf("TopK", [keys, graph.integers([dims[last] as number])], results, {
    attributes: { axis: last, largest: 0, sorted: 1 },
  });
  const values = graph.node("GatherElements", [name, places as string], graph.type(name), dims, {
    attributes: { axis: last },
  });
  const found = cast(graph, viewOf(graph, places as string), "int32");
  const { ascending, permutations, places: all } = known(graph);
  all.set(found.name, { keys, dims });
  if (dims.length === 1) {
    ascending.add(values);
    if (permutations.has(view.name)) {
      permutations.set(view.name, found);
      permutations.set(found.name, view);
    } else if (!permutations.has(found.name)) permutations.set(found.name, undefined);
  }
  return [viewOf(graph, values), found];
}

/** Keys that TopK sorts correctly: TopK itself treats NaN as equal to everything. */
function sortable(graph: Graph, view: View): View {
  if (!typeOf(graph, view).startsWith("float")) return cast(graph, view, "int64");
  const wide = cast(graph, view, "float64");
  const finite = elementwise(graph, "Min", [wide, scalar(graph, "float64", Number.MAX_VALUE)]);
  const nan = elementwise(graph, "IsNaN", [view], "bool");
  return elementwise(graph, "Where", [nan, scalar(graph, "float64", Infinity), finite], "float64");
}
