// Every primitive of jax-js: lowered to what its own wasm backend computes, or refused by name.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { grad, type Array as JaxArray, jit, lax, nn, numpy as np, random } from "@jax-js/jax";
import type { Tensor } from "onnxruntime-node";
import { beforeAll, describe, expect, test } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import { compile, type Tensors } from "../../src/tensor/compile.js";
import { readyJax } from "../../src/tensor/jax.js";
import { loweredPrimitives } from "../../src/tensor/lower.js";
import { type AnyFunction, expectSame, floats, type Kind, onOnnx, tensor } from "./against.js";

beforeAll(() => readyJax());

type Inputs = readonly Tensors[];
/** For each primitive, functions that need it, and what they are given. */
const cases: Record<string, [what: string, fn: AnyFunction, inputs: Inputs][]> = {};
const add = (primitive: string, what: string, fn: AnyFunction, ...inputs: Inputs) => {
  cases[primitive] ??= [];
  cases[primitive].push([what, fn, inputs]);
};

const nan = Number.NaN;
const inf = Number.POSITIVE_INFINITY;
const kinds: Kind[] = ["float32", "int32", "uint32", "bool"];
const bitPatterns = [0, 1, 4294967295, 7, 2147483648, 5, 2147483647, 16777217, 16777216, 2147483649, 3, 2];
const edges = [-2147483648, 2147483647, -1, 0, 1, -16777217, 16777217, 16777216, 9, -9, 5, -2147483647];

/** Twelve numbers of a kind, its difficult ones among them. */
function dozen(kind: Kind, dims: readonly number[] = [3, 4]) {
  if (kind === "float32") return floats(dims, 3);
  if (kind === "int32") return tensor(kind, edges, dims);
  if (kind === "uint32") return tensor(kind, bitPatterns, dims);
  return tensor(kind, [1, 0, 1, 1, 0, 0, 0, 1, 0, 1, 1, 0], dims);
}

/** A second operand that broadcasts. */
function four(kind: Kind) {
  if (kind === "float32") return floats([4], 11);
  if (kind === "int32") return tensor(kind, [3, -3, 7, -2]);
  if (kind === "uint32") return tensor(kind, [3, 4294967290, 2, 2147483648]);
  return tensor(kind, [1, 1, 0, 0]);
}

const pairs: [string, readonly number[], readonly number[]][] = [
  ["numbers", [], []],
  ["a number and a matrix", [], [2, 3]],
  ["sizes of one against each other", [4, 1], [1, 3]],
  ["unequal ranks", [2, 1, 3], [5, 1]],
  ["rank four", [2, 1, 3, 1], [1, 4, 1, 2]],
];

for (const kind of kinds) {
  const [x, y] = [dozen(kind), four(kind)];
  add("add", kind, (a, b) => a.add(b), x, y);
  add("mul", kind, (a, b) => a.mul(b), x, y);
  add("min", kind, (a, b) => np.minimum(a, b), x, y);
  add("max", kind, (a, b) => np.maximum(a, b), x, y);
  for (const op of ["equal", "notEqual"] as const) add("compare", `${kind} ${op}`, (a, b) => a[op](b), x, y);
  add("where", kind, (c, a, b) => np.where(c, a, b), dozen("bool"), x, y);
  for (const to of kinds) add("cast", `${kind} to ${to}`, (a) => a.astype(to), x);
  for (const op of ["sum", "prod", "min", "max"] as const) {
    const over: [string, number | number[] | null][] = [
      ["all", null],
      ["first", 0],
      ["last", -1],
      ["both", [0, 1]],
      ["none", []],
    ];
    // jax-js's own sums and maxima of booleans are wrong.
    if (kind === "bool" && (op === "sum" || op === "max")) continue;
    const given = op === "prod" && kind.endsWith("int32") ? tensor(kind, [70000, 50000, 7, 2]) : x;
    for (const [name, axis] of over)
      if (given === x || name !== "both")
        add("reduce", `${kind} ${op} ${name}`, (a) => np[op](a, axis), given);
  }
  add("dot", `${kind} of vectors`, (a) => np.dot(a.ref, a), four(kind));
  add("dot", `${kind} of a matrix and a vector`, (a, b) => np.matmul(a, b), x, y);
  add("dot", `${kind} of matrices`, (a) => np.matmul(a.ref, a.transpose()), x);
  add("transpose", kind, (a) => a.transpose([2, 0, 1]), dozen(kind, [2, 3, 2]));
  add("broadcast", kind, (a) => np.broadcastTo(a, [2, 3, 4]), x);
  add("reshape", kind, (a) => a.transpose().reshape([2, 6]), x);
  add("concatenate", kind, (a, b) => np.concatenate([a, b.reshape([1, 4])], 0), x, y);
  add("split", kind, (a) => np.split(a, [1, 1, 3], 1), x);
  add("shrink", kind, (a) => a.slice([1, 3], [0, 2]), x);
  add(
    "pad",
    kind,
    (a) =>
      np.pad(a, [
        [1, 0],
        [0, 2],
      ]),
    x,
  );
  add("flip", kind, (a) => np.flip(a, [0, 1]), x);
  add("gather", `${kind} of one axis`, (a, i) => np.take(a, i, 1), x, tensor("int32", [3, 0, 3, 2], [2, 2]));
  add("gather", `${kind} by uint32`, (a, i) => np.take(a, i, 0), x, tensor("uint32", [2, 0, 2]));
  const [i, j] = [tensor("int32", [1, 0, 2, 1]), tensor("int32", [3, 0, 3, 1])];
  add("gather", `${kind} of two axes`, (a, b, c) => a.slice(b, c), x, i, j);
  if (kind !== "bool") add("sort", kind, (a) => np.sort(a, 0), x);
  add("argsort", kind, (a) => np.argsort(a, -1), x);
  add("stop_gradient", kind, (a) => lax.stopGradient(a), x);
  if (kind === "bool") continue;
  add("neg", kind, (a) => a.neg(), x);
  add("mod", kind, (a, b) => a.mod(b), x, y);
  for (const op of ["less", "lessEqual", "greater", "greaterEqual"] as const) {
    add("compare", `${kind} ${op}`, (a, b) => a[op](b), x, y);
  }
  // Plain numbers follow the other operand's type.
  add("add", `${kind} and plain numbers`, (a) => a.mul(3).add(2).sub(1.5), x);
  add("where", `${kind} and a plain number`, (c, a) => np.where(c, a, 7), dozen("bool"), x);
  add("compare", `${kind} and a plain number`, (a) => a.less(3), x);
}
add("where", "a rank zero condition", (c, a) => np.where(c, a, 0), tensor("bool", [1], []), floats([2, 3]));
add("add", "kinds that differ", (a, b) => a.add(b), dozen("int32"), floats([4]));
add("mul", "kinds that differ", (a, b) => a.mul(b), dozen("bool"), four("int32"));
add("concatenate", "kinds that differ", (a, b) => np.concatenate([a, b]), four("int32"), four("float32"));
for (const [what, left, right] of pairs) {
  add("add", what, (a, b) => a.add(b), floats(left, 1), floats(right, 2));
  add(
    "mul",
    `${what}, turned before and after`,
    (a, b) => a.transpose().mul(b.transpose()).transpose(),
    floats([...left].reverse(), 1),
    floats([...right].reverse(), 2),
  );
}

const odd = tensor("float32", [-3, -1, -0.5, -0, 0, 0.3, 0.9999, 1, 2.5, 5, nan, inf, -inf, 1e-30, 1e30]);
const functions: Record<string, AnyFunction> = {
  sin: np.sin,
  cos: np.cos,
  asin: np.asin,
  atan: np.atan,
  exp: np.exp,
  log: np.log,
  erf: lax.erf,
  erfc: lax.erfc,
  sqrt: np.sqrt,
  floor: np.floor,
  ceil: np.ceil,
  reciprocal: np.reciprocal,
};
for (const [name, fn] of Object.entries(functions)) {
  // The sine of 1e30 is whatever one makes of it.
  const given = name === "sin" || name === "cos" ? odd.data.slice(0, 10) : odd.data;
  add(name, "numbers and what is none", (a) => fn(a), tensor("float32", given as Float32Array));
  add(name, "a turned matrix", (a) => fn(np.abs(a.transpose()).mul(0.4)), floats([3, 2]));
}

add(
  "idiv",
  "int32 of every sign",
  (a, b) => a.div(b),
  tensor("int32", [5, -5, 5, -5, 0, 7]),
  tensor("int32", [3, 3, -3, -3, 2, 7]),
);
add("idiv", "uint32", (a, b) => a.div(b), dozen("uint32"), four("uint32"));
add("idiv", "floats", (a) => np.trunc(a), tensor("float32", [-3.5, 3.5, -0.2, 1e10, nan, -inf]));
add(
  "mod",
  "int32 of every sign",
  (a, b) => a.mod(b),
  tensor("int32", [5, -5, 5, -5, 0, -2147483648]),
  tensor("int32", [3, 3, -3, -3, 2, -1]),
);
add(
  "mod",
  "floats of every sign",
  (a, b) => a.mod(b),
  tensor("float32", [5, -5, 5, -5, 0, 5.5, 1]),
  tensor("float32", [3, 3, -3, -3, 2, 0, nan]),
);
const outside = [1e10, -1e10, nan, inf, -inf, 2.9, -2.9, 4e9, -1, 2147483520];
for (const to of ["int32", "uint32", "bool"] as const) {
  add("cast", `floats out of range to ${to}`, (a) => a.astype(to), tensor("float32", outside));
}
const unordered = tensor("float32", [3, nan, 1, inf, -inf, 1, nan, 2]);
add("min", "NaN", (a) => np.minimum(a.ref, np.flip(a)), unordered);
add("max", "NaN", (a) => np.maximum(a.ref, np.flip(a)), unordered);
add(
  "compare",
  "NaN",
  (a) => [a.ref.less(2), a.ref.equal(a.ref), a.ref.notEqual(a.ref), a.lessEqual(inf)],
  unordered,
);
add("sort", "NaN", (a) => np.sort(a), unordered);
add("argsort", "NaN", (a) => np.argsort(a), unordered);
add("argsort", "ties", (a) => np.argsort(a), tensor("float32", [1, 0, 1, 0, 1, 0, -0, 0, 1, 2, 2, 2, 1]));
add("sort", "rank four", (a) => np.sort(a, 1), floats([2, 3, 2, 2]));
add("reduce", "rank four, turned", (a) => np.sum(a.transpose([3, 1, 0, 2]), [0, 2]), floats([2, 3, 4, 5]));
add(
  "reduce",
  "an axis that repeats",
  (a) => [
    np.sum(np.broadcastTo(a.ref, [5, 3]), 0),
    np.prod(np.broadcastTo(a.ref, [5, 3]), 0),
    np.max(np.broadcastTo(a, [5, 3]), 0),
  ],
  floats([3]),
);
add(
  "reduce",
  "running sums",
  (a) => [np.cumsum(a.ref, 0), np.cumprod(a.ref, 1), np.cumsum(a.astype("int32"))],
  floats([3, 4]),
);
add("reduce", "long running sums", (a) => np.cumsum(a.mul(0.01)), floats([600]));
const products: [string, readonly number[], readonly number[], AnyFunction][] = [
  ["batches", [2, 3, 4], [2, 4, 5], (a, b) => np.matmul(a, b)],
  ["batches that broadcast", [2, 1, 3, 4], [5, 4, 2], (a, b) => np.matmul(a, b)],
  ["a left side turned", [2, 4, 3], [2, 4, 5], (a, b) => np.matmul(a.transpose([0, 2, 1]), b)],
  ["a right side turned", [2, 3, 4], [2, 5, 4], (a, b) => np.matmul(a, b.transpose([0, 2, 1]))],
  [
    "heads",
    [2, 3, 2, 4],
    [2, 3, 2, 4],
    (a, b) => np.matmul(a.transpose([0, 2, 1, 3]), b.transpose([0, 2, 3, 1])),
  ],
  ["a turned result", [3, 4], [4, 5], (a, b) => np.matmul(a, b).transpose().add(1)],
  ["one row", [1, 4], [4, 5], (a, b) => np.matmul(a, b)],
  ["one common element", [3, 1], [1, 5], (a, b) => np.matmul(a, b)],
  ["nothing free", [3, 4], [3, 4], (a, b) => lax.dot(a.reshape([12]), b.reshape([12]))],
  ["an operand that repeats", [3, 1], [4, 5], (a, b) => np.matmul(np.broadcastTo(a, [3, 4]), b)],
  ["several common axes", [2, 3, 4], [3, 4, 5], (a, b) => np.tensordot(a, b, 2)],
];
for (const [what, left, right, fn] of products) add("dot", what, fn, floats(left, 1), floats(right, 2));
add("broadcast", "sizes of one", (a) => np.broadcastTo(a, [2, 2, 3, 4]).add(1), floats([2, 1, 4]));
add(
  "reshape",
  "repeated axes joined",
  (a) => np.broadcastTo(a, [2, 3, 4]).reshape([6, 4]).add(1),
  floats([3, 1]),
);
add(
  "reshape",
  "turned axes joined",
  (a) => a.transpose([1, 0, 2]).reshape([3, 8]).transpose(),
  floats([2, 3, 4]),
);
add("reshape", "to a number", (a) => a.reshape([]), floats([1, 1]));
add(
  "transpose",
  "before and after a sum",
  (a) => np.sum(a.transpose([2, 0, 1]), 1).transpose(),
  floats([2, 3, 4]),
);
add(
  "pad",
  "a size of one",
  (a) =>
    np.pad(np.broadcastTo(a, [3, 4]), [
      [1, 2],
      [1, 0],
    ]),
  floats([1, 4]),
);
add("flip", "an axis that repeats", (a) => np.flip(np.broadcastTo(a, [3, 4])), floats([4]));
add("shrink", "an axis that repeats", (a) => np.broadcastTo(a, [3, 4]).slice([1, 3], [2]), floats([4]));
add("split", "an axis that repeats", (a) => np.split(np.broadcastTo(a, [4, 3]), 2, 0), floats([3]));
add(
  "concatenate",
  "turned and repeated pieces",
  (a, b) => np.concatenate([a.transpose(), np.broadcastTo(b, [3, 2]), np.zeros([3, 1])], 1),
  floats([2, 3]),
  floats([2]),
);
add(
  "gather",
  "an axis that repeats",
  (a, i) => np.take(np.broadcastTo(a, [3, 4]), i, 0),
  floats([4]),
  tensor("int32", [2, 0]),
);
add(
  "gather",
  "axes apart",
  (a, i, j) => a.slice(i, [], j),
  floats([3, 2, 4]),
  tensor("int32", [2, 0], [2, 1]),
  tensor("int32", [3, 1, 0]),
);
add("gather", "one place", (a, i) => np.take(a, i, 1), floats([2, 3]), tensor("int32", [2], []));
add(
  "gather",
  "a turned table",
  (a, i) => np.take(a.transpose(), i, 0),
  floats([2, 3]),
  tensor("int32", [2, 2, 1]),
);
// jax-js scatters nowhere but in gradients.
const spread = (fn: AnyFunction): AnyFunction =>
  grad((...args: JaxArray[]) => np.sum(np.square(fn(...args)))) as AnyFunction;
add(
  "scatter",
  "rows, some twice",
  spread((x, i) => np.take(x, i, 0)),
  floats([4, 3], 5),
  tensor("int32", [2, 0, 2, 3]),
);
add(
  "scatter",
  "columns by a matrix",
  spread((x, i) => np.take(x, i, 1)),
  floats([2, 5]),
  tensor("uint32", [4, 0, 4, 4], [2, 2]),
);
add(
  "scatter",
  "one place",
  spread((x, i) => np.take(x, i, 0)),
  floats([3, 2]),
  tensor("int32", [1], []),
);
add(
  "scatter",
  "two axes apart",
  spread((x, i, k) => x.slice(i, [], k)),
  floats([3, 2, 4]),
  tensor("int32", [2, 0, 2]),
  tensor("int32", [3, 3, 3]),
);
add(
  "scatter",
  "what lies turned",
  spread((x, i) => np.take(x.transpose(), i, 0)),
  floats([2, 4]),
  tensor("int32", [3, 1, 3]),
);
for (const [op, to] of [
  ["bitwiseAnd", np.bitwiseAnd],
  ["bitwiseOr", np.bitwiseOr],
  ["bitwiseXor", np.bitwiseXor],
] as [string, AnyFunction][]) {
  for (const kind of ["int32", "uint32", "bool"] as const)
    add("bit_combine", `${kind} ${op}`, (a, b) => to(a, b), dozen(kind), four(kind));
}
const counts = tensor("int32", [0, 1, 31, 5]);
for (const kind of ["int32", "uint32"] as const) {
  add("bit_shift", kind, (a, c) => [np.leftShift(a.ref, c.ref), np.rightShift(a, c)], dozen(kind), counts);
}
add("jit", "a function inside", (a) => jit((x: JaxArray) => nn.silu(x.mul(2)))(a).add(1), floats([3]));

/** What is refused, and functions that need it. */
const key = () => random.key(1);
const square = floats([3, 3]);
const refused: Record<string, [fn: AnyFunction, input: Tensor]> = {
  bitcast: [(x) => lax.bitcastConvertType(x, np.int32), square],
  bit_count: [(x) => np.bitwiseCount(x), dozen("int32")],
  conv: [(x) => lax.conv(x.ref, x, [1], "SAME"), floats([3, 3, 3])],
  pool: [(x) => lax.reduceWindow(x, np.max, [2, 2], [1, 1]), square],
  pool_transpose: [
    grad((x: JaxArray) => np.sum(lax.reduceWindow(x, np.sum, [2, 2], [1, 1]))) as AnyFunction,
    square,
  ],
  random_bits: [(x) => x.add(random.uniform(key(), [3, 3])), square],
  triangular_solve: [(x) => lax.linalg.triangularSolve(x.ref, x), square],
  cholesky: [(x) => lax.linalg.cholesky(x), square],
  lu: [(x) => lax.linalg.lu(x), square],
  jacobi_eigh: [(x) => np.linalg.eigh(x), square],
  fft: [(x) => np.fft.fft({ real: x.ref, imag: x }), floats([8])],
};

const declarations = readFileSync(
  fileURLToPath(import.meta.resolve("@jax-js/jax")).replace(/index\.js$/, "index.d.ts"),
  "utf8",
);
const listed = declarations.match(/declare enum Primitive \{([^}]+)\}/)?.[1] ?? "";
const primitives = [...listed.matchAll(/ = "(\w+)"/g)].map(([, name]) => name as string);

describe("every primitive of jax-js", () => {
  test("is lowered and compared here, or refused here", () => {
    expect(primitives.length).toBeGreaterThan(45);
    expect([...primitives].sort()).toEqual([...Object.keys(cases), ...Object.keys(refused)].sort());
    expect([...loweredPrimitives, "jit"].sort()).toEqual(Object.keys(cases).sort());
  });

  for (const [primitive, list] of Object.entries(cases)) {
    test.each(list)(`${primitive}: %s`, async (_what, fn, inputs) => expectSame(fn, inputs));
  }

  test.each(Object.entries(refused))("%s is refused", async (primitive, [fn, input]) => {
    const failure = await compile(fn)(input).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(HoneError);
    expect((failure as HoneError).failure.what).toBe(
      `The primitive "${primitive}" cannot be run by ONNX Runtime`,
    );
    expect((failure as HoneError).failure.kind).toBe("usage");
  });
});

describe("what jax-js cannot do on this backend", () => {
  test("booleans are ordered", async () => {
    const [no, yes] = [tensor("bool", [0, 0, 1, 1]), tensor("bool", [0, 1, 0, 1])];
    const [result] = await onOnnx((a, b) => a.less(b), [no, yes]);
    expect(result).toEqual({ type: "bool", dims: [4], data: [0, 1, 0, 0] });
  });

  test("booleans are added up, and any is told from none", async () => {
    const given = tensor("bool", [1, 0, 0, 0, 1, 0], [2, 3]);
    const wanted = { type: "bool", dims: [3], data: [1, 1, 0] };
    expect(await onOnnx((a) => [np.sum(a.ref, 0), np.max(a, 0)], [given])).toEqual([wanted, wanted]);
  });

  test("an int32 divided beyond its range ends nothing", async () => {
    const [result] = await onOnnx(
      (a, b) => a.div(b),
      [tensor("int32", [-2147483648]), tensor("int32", [-1])],
    );
    expect(result?.data).toEqual([-2147483648]);
  });

  test("negative indices count from the end, as numpy's do", async () => {
    const [result] = await onOnnx(
      (a, i) => np.take(a, i, 0),
      [tensor("int32", [5, 6, 7]), tensor("int32", [-1, 0])],
    );
    expect(result?.data).toEqual([7, 5]);
  });
});

describe("arrays without elements", () => {
  const none = floats([0, 3]);
  const list: [what: string, fn: AnyFunction, inputs: Inputs, dims: number[], data: number[]][] = [
    ["themselves", (a) => a.add(1), [none], [0, 3], []],
    ["a sum over them", (a) => np.sum(a, 0), [none], [3], [0, 0, 0]],
    ["a product over them", (a) => np.prod(a, 0), [none], [3], [1, 1, 1]],
    ["a largest element beside them", (a) => np.max(a, 1), [none], [0], []],
    [
      "a matrix product without common elements",
      (a) => np.matmul(a.ref.transpose(), a),
      [none],
      [3, 3],
      new Array(9).fill(0),
    ],
    ["a matrix product without rows", (a, b) => np.matmul(a, b), [none, floats([3, 2])], [0, 2], []],
    [
      "joined",
      (a, b) => np.concatenate([a, b], 0),
      [none, tensor("float32", [1, 2, 3], [1, 3])],
      [1, 3],
      [1, 2, 3],
    ],
    [
      "padded",
      (a) =>
        np.pad(a, [
          [1, 0],
          [0, 0],
        ]),
      [none],
      [1, 3],
      [0, 0, 0],
    ],
    ["reshaped", (a) => a.reshape([3, 0, 2]), [none], [3, 0, 2], []],
    ["sorted", (a) => np.sort(a.transpose(), -1), [none], [3, 0], []],
    ["taken", (a, i) => np.take(a, i, 0), [floats([2, 3]), tensor("int32", [], [0])], [0, 3], []],
    ["cut out", (a) => a.slice([1, 1]), [floats([2, 3])], [0, 3], []],
    ["flipped", (a) => np.flip(a, 0), [none], [0, 3], []],
  ];
  test.each(list)("%s", async (_what, fn, inputs, dims, data) => {
    expect(await onOnnx(fn, inputs)).toEqual([{ type: "float32", dims, data }]);
  });
});
