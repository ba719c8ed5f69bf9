// Lowers every product of arrays to one MatMul. jax-js expresses it as sum(x * y, last axis) over broadcast operands; here each
// axis is classified as batch (both vary along it), left (x only) or right (y only), and the operands are brought into the
// form that ONNX Runtime multiplies. An operand is transposed only if its memory order fits neither form.

import { type Graph, product } from "./graph.js";
import { groupedDot } from "./grouped.js";
import { elementwise, reduced } from "./pointwise.js";
import { broadcastTo, inOrder, orderOf, still, typeOf, type View, viewAlong } from "./view.js";

/** @param fused whether the provider has FusedMatMul, which reads an operand transposed at no cost */
export function dot(graph: Graph, a: View, b: View, fused: boolean): View {
  const rank = Math.max(a.shape.length, b.shape.length);
  const shape = Array.from({ length: rank }, (_, i) =>
    Math.max(a.shape[i - rank + a.shape.length] ?? 1, b.shape[i - rank + b.shape.length] ?? 1),
  );
  const x = broadcastTo(a, shape);
  const y = broadcastTo(b, shape);
  const last = rank - 1;
  const outer = shape.slice(0, last);
  const walks = (view: View, axis: number) => view.axes[axis] !== still;
  const axes = outer.map((_, axis) => axis);
  const batch = axes.filter((axis) => walks(x, axis) && walks(y, axis));
  const left = orderOf(x).filter((axis) => axis !== last && !walks(y, axis));
  const right = orderOf(y).filter((axis) => axis !== last && !walks(x, axis));
  const contracted = walks(x, last) && walks(y, last);
  if (typeOf(graph, x) !== "float32" || !contracted || (left.length === 0 && right.length === 0)) {
    return reduced(graph, "sum", elementwise(graph, "Mul", [x, y]), [last]);
  }
  const grouped = fused ? groupedDot(graph, x, y, batch, last) : undefined;
  if (grouped) return grouped;
  const longer = product(x.core) >= product(y.core) ? x : y;
  const batches = orderOf(longer).filter((axis) => batch.includes(axis));
  const one = operand(graph, x, batches, left, last, false, fused);
  const two = operand(graph, y, batches, right, last, true, fused);
  const sizes = (list: readonly number[]) => list.map((axis) => shape[axis] as number);
  const head = batches.length > 0 ? [product(sizes(batches))] : [];
  const dims = [...head, product(sizes(left)), product(sizes(right))];
  const order = [...batches, ...left, ...right];
  const transposes = one.transposed || two.transposed;
  const name = graph.node(
    transposes ? "FusedMatMul" : "MatMul",
    [one.name, two.name],
    "float32",
    dims,
    transposes
      ? {
          domain: "com.microsoft",
          attributes: { transA: one.transposed ? 1 : 0, transB: two.transposed ? 1 : 0, alpha: { float: 1 } },
        }
      : {},
  );
  return viewAlong(name, outer, order, sizes(order));
}

/**
 * An operand as [batch, free, K] (the left one) or [batch, K, free] (the right one); or with free and K swapped, which
 * must then be read transposed.
 */
function operand(
  graph: Graph,
  view: View,
  batches: readonly number[],
  free: readonly number[],
  contracted: number,
  right: boolean,
  fused: boolean,
): { name: string; transposed: boolean } {
  const size = (list: readonly number[]) => product(list.map((axis) => view.shape[axis] as number));
  const head = batches.length > 0 ? [size(batches)] : [];
  const freeFirst = [...batches, ...free, contracted];
  const freeLast = [...batches, contracted, ...free];
  const lies = orderOf(view).join();
  const straight = right ? freeLast : freeFirst;
  const turned = right ? freeFirst : freeLast;
  const transposed = fused && free.length > 0 && lies === turned.join() && lies !== straight.join();
  const order = transposed ? turned : straight;
  const k = view.shape[contracted] as number;
  const tail = transposed === right ? [size(free), k] : [k, size(free)];
  return { name: graph.reshape(inOrder(graph, view, order), [...head, ...tail]), transposed };
}
