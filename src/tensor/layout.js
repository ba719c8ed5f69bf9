// Cutting, joining, padding and reversing views.
import { scalar } from "./pointwise.js";
import { alongside, expanded, orderOf, still, typeOf, viewAlong } from "./view.js";
/** Joins along an axis. */
export function concatenated(graph, views, axis) {
  const rank = views[0].shape.length;
  const shape = views[0].shape.map((size, i) =>
    i === axis ? views.reduce((sum, view) => sum + view.shape[axis], 0) : size,
  );
  const all = Array.from({ length: rank }, (_, i) => i);
  const moving = all.filter((i) => i === axis || views.some((view) => view.axes[i] !== still));
  const names = views.map((view) => {
    const full = expanded(graph, view, moving);
    const dims = moving.map((i) => full.shape[i]);
    return graph.reshape(alongside(graph, full, moving), dims);
  });
  const sizes = moving.map((i) => shape[i]);
  const type = typeOf(graph, views[0]);
  const name = graph.node("Concat", names, type, sizes, { attributes: { axis: moving.indexOf(axis) } });
  return viewAlong(name, shape, moving, sizes);
}
/** Cuts an axis into pieces. */
export function splitUp(graph, view, axis, sizes) {
  const resized = (size) => view.shape.map((old, i) => (i === axis ? size : old));
  if (view.axes[axis] === still) return sizes.map((size) => ({ ...view, shape: resized(size) }));
  const order = orderOf(view);
  const dim = view.axes[axis];
  const results = sizes.map((size) => ({
    type: typeOf(graph, view),
    dims: view.core.map((old, i) => (i === dim ? size : old)),
  }));
  const names = graph.nodeOf("Split", [graph.reshape(view.name, view.core), graph.integers(sizes)], results, {
    attributes: { axis: dim },
  });
  return names.map((name, i) => viewAlong(name, resized(sizes[i]), order, results[i]?.dims));
}
/** Keeps of each axis the elements from start to end. */
export function shrunk(graph, view, slice) {
  const shape = slice.map(([start, end]) => end - start);
  const cut = shape
    .map((_, axis) => axis)
    .filter((axis) => view.axes[axis] !== still && shape[axis] !== view.shape[axis]);
  const order = orderOf(view);
  const sizes = order.map((axis) => shape[axis]);
  if (cut.length === 0) return viewAlong(graph.reshape(view.name, view.core), shape, order, sizes);
  const name = graph.node(
    "Slice",
    [
      graph.reshape(view.name, view.core),
      graph.integers(cut.map((axis) => slice[axis]?.[0])),
      graph.integers(cut.map((axis) => slice[axis]?.[1])),
      graph.integers(cut.map((axis) => view.axes[axis])),
    ],
    typeOf(graph, view),
    sizes,
  );
  return viewAlong(name, shape, order, sizes);
}
/** Puts zeros around. */
export function padded(graph, given, width) {
  const wider = width.map((_, axis) => axis).filter((axis) => width[axis]?.some((count) => count > 0));
  const view = expanded(graph, given, wider);
  const shape = view.shape.map((size, axis) => size + width[axis]?.[0] + width[axis]?.[1]);
  // An axis of size 1 that grows gets a dimension of its own, in front.
  const order = [...wider.filter((axis) => view.axes[axis] === still), ...orderOf(view)];
  const dims = order.map((axis) => view.shape[axis]);
  const sizes = order.map((axis) => shape[axis]);
  const pads = [0, 1].flatMap((side) => order.map((axis) => width[axis]?.[side]));
  const type = typeOf(graph, view);
  const from = graph.reshape(view.name, dims);
  const zero = scalar(graph, type, 0).name;
  const name = graph.node("Pad", [from, graph.integers(pads), zero], type, sizes);
  return viewAlong(name, shape, order, sizes);
}
/** Reverses axes. */
export function flipped(graph, view, axes) {
  const dims = axes.map((axis) => view.axes[axis]).filter((dim) => dim !== still);
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
