// Gathering, scattering and sorting views.
import { commonShape, elementwise, scalar } from "./pointwise.js";
import { cast } from "./types.js";
import { broadcastTo, expanded, inOrder, orderOf, still, typeOf, viewAlong, viewOf, whole } from "./view.js";
/**
 * Takes the elements that `indices` name along `axes`; the indices' common shape stands at `at` in the result.
 * Indices beyond the bounds are ONNX Runtime's error; negative ones count from the end.
 */
export function gather(graph, view, indices, axes, at) {
  const indexShape = commonShape(indices.map((index) => index.shape));
  const rest = view.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const shape = rest.map((axis) => view.shape[axis]);
  shape.splice(at, 0, ...indexShape);
  const placeOf = (axis) => {
    const place = rest.indexOf(axis);
    return place < at ? place : place + indexShape.length;
  };
  const type = typeOf(graph, view);
  const [axis, index] = [axes[0], indices[0]];
  if (axes.length === 1 && view.axes[axis] !== still) {
    const dim = view.axes[axis];
    const own = orderOf(index);
    const around = orderOf(view).map((one) => (one === axis ? own.map((i) => at + i) : [placeOf(one)]));
    const order = around.flat();
    const sizes = order.map((one) => shape[one]);
    const from = graph.reshape(view.name, view.core);
    const places = typeOf(graph, index) === "int32" ? index : cast(graph, index, "int64");
    const to = graph.reshape(places.name, index.core);
    const name = graph.node("Gather", [from, to], type, sizes, { attributes: { axis: dim } });
    return viewAlong(name, shape, order, sizes);
  }
  const full = expanded(graph, view, axes);
  const moving = rest.filter((one) => full.axes[one] !== still);
  const dims = [...axes, ...moving].map((one) => full.shape[one]);
  const order = [...axes.filter((one) => full.axes[one] !== still), ...moving];
  const from = graph.reshape(inOrder(graph, full, order), dims);
  const sizes = [...indexShape, ...moving.map((one) => full.shape[one])];
  const name = graph.node("GatherND", [from, indexRows(graph, indices, indexShape)], type, sizes);
  const places = [...indexShape.map((_, i) => at + i), ...moving.map(placeOf)];
  return viewAlong(name, shape, places, sizes);
}
/** Puts updates into zeros of `shape` where the indices say: the reverse of `gather`. Equal places add up, or one wins. */
export function scatter(graph, updates, indices, params) {
  const { shape, axis: axes, outDim } = params;
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
  const sizes = order.map((axis) => full.shape[axis]);
  const values = graph.reshape(
    inOrder(
      graph,
      full,
      order.filter((axis) => full.axes[axis] !== still),
    ),
    sizes,
  );
  const dims = [...axes, ...rest].map((axis) => shape[axis]);
  const type = typeOf(graph, updates);
  const zeros = graph.zeros(type, dims);
  const name = graph.node("ScatterND", [zeros, indexRows(graph, indices, indexShape), values], type, dims, {
    attributes: params.op === "add" ? { reduction: "add" } : {},
  });
  return viewAlong(name, shape, [...axes, ...rest], dims);
}
/** Indices side by side in a last dimension, as GatherND and ScatterND read them: [...shape, indices.length], int64. */
function indexRows(graph, indices, shape) {
  const columns = indices.map((index) => {
    const wide = cast(graph, broadcastTo(index, shape), "int64");
    return graph.reshape(whole(graph, wide), [...shape, 1]);
  });
  if (columns.length === 1) return columns[0];
  return graph.node("Concat", columns, "int64", [...shape, columns.length], {
    attributes: { axis: shape.length },
  });
}
/**
 * Sorts the last axis in ascending order; of equal elements the first stays first, NaN comes last. Gives the values and
 * where they were.
 */
export function sorted(graph, view) {
  const name = whole(graph, view);
  const dims = graph.dims(name);
  const last = dims.length - 1;
  const keys = whole(graph, sortable(graph, viewOf(graph, name)));
  const results = [
    { type: graph.type(keys), dims },
    { type: "int64", dims },
  ];
  const [, places] = graph.nodeOf("TopK", [keys, graph.integers([dims[last]])], results, {
    attributes: { axis: last, largest: 0, sorted: 1 },
  });
  const values = graph.node("GatherElements", [name, places], graph.type(name), dims, {
    attributes: { axis: last },
  });
  return [viewOf(graph, values), cast(graph, viewOf(graph, places), "int32")];
}
/** Keys that TopK orders as their values are to be ordered: it takes NaN for equal to everything. */
function sortable(graph, view) {
  if (!typeOf(graph, view).startsWith("float")) return cast(graph, view, "int64");
  const wide = cast(graph, view, "float64");
  const finite = elementwise(graph, "Min", [wide, scalar(graph, "float64", Number.MAX_VALUE)]);
  const nan = elementwise(graph, "IsNaN", [view], "bool");
  return elementwise(graph, "Where", [nan, scalar(graph, "float64", Infinity), finite], "float64");
}
