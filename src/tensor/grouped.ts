// Grouped matrix products: y[m] = W[id[m]] x[m], where the ids are sorted. Written directly, this gathers a matrix for every
// row; here rows of one id are contiguous, so each matrix is multiplied once, by its own rows only: the work grows with the
// rows and not with the matrices, and no row is dropped or padded. Gradients are recognized as the same kind of product. The
// gathered matrices are never materialized unless something else reads them.

import { type Graph, product } from "./graph.js";
import { broadcastTo, inOrder, orderOf, still, type View, viewAlong } from "./view.js";

/** What is known about values in a graph besides their shapes, by name. */
interface Known {
  /** One-dimensional values in ascending order. */
  readonly ascending: Set<string>;
  /** Permutations of 0 … n-1, each with its inverse if that was computed too. */
  readonly permutations: Map<string, View | undefined>;
  /** Results of argsort over a last axis: what was sorted, so that fewer indices can be computed. */
  readonly places: Map<string, { keys: string; dims: readonly number[] }>;
  /** Rows of `source` [E, a, b] gathered by ascending ids: [M, a, b]. */
  readonly gathered: Map<string, { source: string; dims: readonly number[]; ids: string }>;
  /** Elementwise products: both operands in one shape, and its axis for each dimension of the result. */
  readonly products: Map<string, { operands: readonly [View, View]; axes: readonly number[] }>;
}

const notes = new WeakMap<Graph, Known>();

export function known(graph: Graph): Known {
  let found = notes.get(graph);
  if (!found) {
    found = {
      ascending: new Set(),
      permutations: new Map(),
      places: new Map(),
      gathered: new Map(),
      products: new Map(),
    };
    notes.set(graph, found);
  }
  return found;
}

/** Number of ascending ids [M] in each of `count` groups, as a name: [count] int64. */
function sizesOf(graph: Graph, ids: string, count: number): string {
  const [rows = 0] = graph.dims(ids);
  const range = graph.constant(
    "int32",
    [1, count],
    Int32Array.from({ length: count }, (_, i) => i),
  );
  const member = graph.node("Equal", [graph.reshape(ids, [rows, 1]), range], "bool", [rows, count]);
  const ones = graph.node("Cast", [member], "float32", [rows, count], { attributes: { to: 1 } });
  const sums = graph.node("ReduceSum", [ones, graph.integers([0])], "float32", [count], {
    attributes: { keepdims: 0 },
  });
  return graph.node("Cast", [sums], "int64", [count], { attributes: { to: 7 } });
}

/** Splits [M, n] where the id changes. The ids determine the pieces' numbers of rows at run time. */
function pieces(graph: Graph, rows: string, ids: string, count: number): string[] {
  const [, width = 1] = graph.dims(rows);
  const results = Array.from({ length: count }, () => ({ type: "float32" as const, dims: [0, width] }));
  if (count === 1) return [rows];
  return graph.nodeOf("Split", [rows, sizesOf(graph, ids, count)], results, {
    attributes: { axis: 0 },
    dynamic: true,
  });
}

/** Splits [count, a, b] into matrices [a, b]. */
function cutEvenly(graph: Graph, source: string, count: number, [a, b]: readonly [number, number]): string[] {
  const sizes = graph.integers(Array.from({ length: count }, () => a));
  const results = Array.from({ length: count }, () => ({ type: "float32" as const, dims: [a, b] }));
  return graph.nodeOf("Split", [graph.reshape(source, [count * a, b]), sizes], results, {
    attributes: { axis: 0 },
  });
}

/** Products of pieces with their matrices. @param flops of all of them, recorded with the first */
function products(
  graph: Graph,
  pairs: readonly (readonly [string, string])[],
  turn: { transA: 0 | 1; transB: 0 | 1 },
  dims: readonly [number, number],
  flops: number,
): string[] {
  return pairs.map((inputs, i) => {
    const noted = { flops: i === 0 ? flops : 0 };
    if (turn.transA + turn.transB === 0) return graph.node("MatMul", inputs, "float32", dims, noted);
    const attributes = { ...turn, alpha: { float: 1 } };
    return graph.node("FusedMatMul", inputs, "float32", dims, {
      domain: "com.microsoft",
      attributes,
      ...noted,
    });
  });
}

function joined(graph: Graph, parts: readonly string[], dims: readonly number[]): string {
  return graph.node("Concat", parts, "float32", dims, { attributes: { axis: 0 } });
}

/**
 * The product of rows with the matrices chosen by their ids; undefined if it is not such a product.
 * @param last the axis that is summed over
 */
export function groupedDot(
  graph: Graph,
  x: View,
  y: View,
  batch: readonly number[],
  last: number,
): View | undefined {
  for (const [own, other] of [
    [x, y],
    [y, x],
  ] as const) {
    const found = known(graph).gathered.get(own.name);
    if (!found || batch.length !== 1 || own.core.length !== 3 || other.core.length !== 2) continue;
    const [row] = batch as [number];
    const free = orderOf(own).find((axis) => axis !== row && axis !== last);
    if (own.axes[row] !== 0 || free === undefined || other.axes[free] !== still) continue;
    const [count, a, b] = found.dims as [number, number, number];
    const rows = inOrder(graph, other, [row, last]);
    const turned = own.axes[last] === 2;
    const [k, n] = turned ? [b, a] : [a, b];
    const matrices =
      graph.inputParts(found.source, count, [a, b]) ?? cutEvenly(graph, found.source, count, [a, b]);
    const size = own.shape[row] as number;
    const pairs = pieces(graph, rows, found.ids, count).map(
      (piece, i) => [piece, matrices[i] as string] as const,
    );
    const turn = { transA: 0, transB: turned ? 1 : 0 } as const;
    const name = joined(graph, products(graph, pairs, turn, [0, n], 2 * size * k * n), [size, n]);
    const outer = own.shape.slice(0, last);
    return viewAlong(name, outer, [row, free], [size, n]);
  }
  return undefined;
}

/**
 * Outer products of rows, summed by ascending ids into [E, a, b]: the gradient of the matrices. Undefined if the updates are
 * not outer products.
 */
export function groupedOuter(
  graph: Graph,
  updates: View,
  ids: View,
  shape: readonly number[],
): View | undefined {
  const found = known(graph).products.get(updates.name);
  if (!found || shape.length !== 3 || updates.core.length !== 3) return undefined;
  if (!known(graph).ascending.has(ids.name)) return undefined;
  const [row, first, second] = updates.axes.map((dim) => found.axes[dim]) as [number, number, number];
  const walks = (view: View, axis: number) => view.axes[axis] !== still;
  const left = found.operands.find((one) => walks(one, row) && walks(one, first) && !walks(one, second));
  const right = found.operands.find((one) => walks(one, row) && walks(one, second) && !walks(one, first));
  if (!left || !right) return undefined;
  const [count, a, b] = shape as [number, number, number];
  const lefts = pieces(graph, inOrder(graph, left, [row, first]), ids.name, count);
  const rights = pieces(graph, inOrder(graph, right, [row, second]), ids.name, count);
  const pairs = lefts.map((piece, i) => [piece, rights[i] as string] as const);
  const flops = 2 * (updates.shape[0] as number) * a * b;
  const parts = products(graph, pairs, { transA: 1, transB: 0 }, [a, b], flops);
  const name = joined(graph, parts, [count * a, b]);
  return viewAlong(graph.reshape(name, shape), shape, [0, 1, 2], shape);
}

/** Remembers an elementwise product, in case it turns out to be outer products of rows. */
export function noteProduct(
  graph: Graph,
  name: string,
  views: readonly View[],
  shape: readonly number[],
  order: readonly number[],
): void {
  const [left, right, more] = views;
  if (!left || !right || more || product(shape) === 0) return;
  const axes = order.filter((axis) => shape[axis] !== 1);
  known(graph).products.set(name, { operands: [broadcastTo(left, shape), broadcastTo(right, shape)], axes });
}
