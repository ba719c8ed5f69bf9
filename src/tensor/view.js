// A view: a value of the graph seen in another shape without moving it. Broadcasts, transposes and most reshapes only
// change the view; what must really move is moved once, where an operator wants it so. Expanding broadcasts and
// transposing eagerly cost a factor of six and more (docs/log.md).
import { equal, product } from "./graph.js";

const still = -1;
/** A value just made, with its dimensions as they are in the graph. */
export function viewOf(graph, name) {
  const shape = graph.dims(name);
  let next = 0;
  return {
    name,
    core: shape.filter((dim) => dim !== 1),
    axes: shape.map((dim) => (dim === 1 ? still : next++)),
    shape,
  };
}
/** A value whose dimensions, read as `sizes`, are the axes `order` of the result; the other axes stand still. */
export function viewAlong(name, shape, order, sizes = order.map((axis) => shape[axis])) {
  const kept = order.filter((_, i) => sizes[i] !== 1);
  return {
    name,
    core: sizes.filter((size) => size !== 1),
    axes: shape.map((_, axis) => kept.indexOf(axis)),
    shape,
  };
}
export function typeOf(graph, view) {
  return graph.type(view.name);
}
/** The axes that move, in the order in which they lie in memory. */
export function orderOf(view) {
  return view.core.map((_, dim) => view.axes.indexOf(dim));
}
export function transposed(view, perm) {
  return {
    ...view,
    axes: perm.map((axis) => view.axes[axis]),
    shape: perm.map((axis) => view.shape[axis]),
  };
}
/** numpy's broadcasting to a shape of at least the same rank: new axes come first. */
export function broadcastTo(view, shape) {
  const missing = shape.length - view.shape.length;
  return {
    ...view,
    axes: shape.map((_, i) => (i < missing ? still : view.axes[i - missing])),
    shape,
  };
}
/** jax-js's broadcast: the axes named are new. */
export function broadcastInto(view, shape, added) {
  let next = 0;
  const axes = shape.map((_, i) => (added.includes(i) ? still : view.axes[next++]));
  return { ...view, axes, shape };
}
/** The value with the moving axes lying in the order given, as a name whose dimensions are those of `order`. */
export function inOrder(graph, view, order) {
  const perm = order.map((axis) => view.axes[axis]);
  const sizes = perm.map((dim) => view.core[dim]);
  if (perm.every((dim, i) => dim === i)) return graph.reshape(view.name, sizes);
  return graph.reshape(graph.transpose(view.name, view.core, perm), sizes);
}
/** The value as ONNX wants it beside others: one dimension for each axis of `order`, 1 where this one stands still. */
export function alongside(graph, view, order) {
  const own = order.filter((axis) => view.axes[axis] !== still);
  const name = inOrder(graph, view, own);
  const dims = order.map((axis) => (view.axes[axis] === still ? 1 : view.shape[axis]));
  while (dims[0] === 1) dims.shift();
  return graph.reshape(name, dims);
}
/** The axes named really repeat afterwards. */
export function expanded(graph, view, axes) {
  const spread = axes.filter((axis) => view.axes[axis] === still && view.shape[axis] !== 1);
  if (spread.length === 0) return view;
  const order = view.shape
    .map((_, axis) => axis)
    .filter((axis) => view.axes[axis] !== still || spread.includes(axis));
  const sizes = order.map((axis) => view.shape[axis]);
  const name = graph.node(
    "Expand",
    [alongside(graph, view, order), graph.integers(sizes)],
    typeOf(graph, view),
    sizes,
  );
  return viewAlong(name, view.shape, order);
}
/** The value in full: every axis in its place, every broadcast carried out. */
export function whole(graph, view) {
  const all = view.shape.map((_, axis) => axis);
  const full = expanded(graph, view, all);
  const name = inOrder(
    graph,
    full,
    all.filter((axis) => full.axes[axis] !== still),
  );
  return graph.reshape(name, view.shape);
}
/** The same elements in another shape. Moves data only where axes that do not lie together have to be joined. */
export function reshaped(graph, view, shape) {
  if (product(shape) === 0) return viewOf(graph, graph.reshape(whole(graph, view), shape));
  const groups = pair(view.shape, shape);
  // An axis that repeats cannot be joined with one that does not.
  const mixed = groups.flatMap(({ from }) => {
    const stuck = from.filter((axis) => view.axes[axis] === still);
    return from.length > stuck.length ? stuck : [];
  });
  if (mixed.length > 0) return reshaped(graph, expanded(graph, view, mixed), shape);
  const apart = groups.some(({ from }) => from.some((axis, i) => i > 0 && gap(view, from[i - 1], axis)));
  if (apart) {
    const order = view.shape.map((_, axis) => axis).filter((axis) => view.axes[axis] !== still);
    return reshaped(graph, viewAlong(inOrder(graph, view, order), view.shape, order), shape);
  }
  const order = [];
  const inMemory = groups
    .filter(({ from }) => view.axes[from[0]] !== still)
    .sort((a, b) => view.axes[a.from[0]] - view.axes[b.from[0]]);
  for (const { to } of inMemory) order.push(...to);
  return viewAlong(view.name, shape, order);
}
/** Whether two axes that are to be joined do not follow each other in memory. */
function gap(view, first, second) {
  return view.axes[first] !== still && view.axes[second] !== view.axes[first] + 1;
}
/** Pairs runs of old axes with runs of new axes that hold as many elements; axes of size 1 belong to none. */
function pair(from, to) {
  const olds = from.map((_, axis) => axis).filter((axis) => from[axis] !== 1);
  const news = to.map((_, axis) => axis).filter((axis) => to[axis] !== 1);
  const groups = [];
  while (olds.length > 0 || news.length > 0) {
    const group = { from: [], to: [] };
    let left = 1;
    let right = 1;
    do {
      if (left <= right) {
        const axis = olds.shift();
        group.from.push(axis);
        left *= from[axis];
      } else {
        const axis = news.shift();
        group.to.push(axis);
        right *= to[axis];
      }
    } while (left !== right);
    groups.push(group);
  }
  return groups;
}

export { equal, still };
