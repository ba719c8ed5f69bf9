// What a compiled function does around its graph: trees, shapes, caching, errors, release, and what the graph is made of.

import { type Array as JaxArray, nn, numpy as np, valueAndGrad } from "@jax-js/jax";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import { compile, type Tensors } from "../../src/tensor/compile.js";
import { Graph, product } from "../../src/tensor/graph.js";
import { readyJax } from "../../src/tensor/jax.js";
import { type AnyFunction, floats, integers, tensor } from "./against.js";

beforeAll(() => readyJax());
afterEach(() => vi.restoreAllMocks());

const data = (found: Tensors) => Array.from((found as Tensor).data as Float32Array);

async function failure(run: Promise<unknown>): Promise<HoneError> {
  const error = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(HoneError);
  return error as HoneError;
}

describe("trees", () => {
  test("go in and come out as they are nested", async () => {
    const fn = compile<[Tensors, Tensors], Tensors>((x, [y, { z }]) => ({
      sum: x.a.add(y),
      rest: [z, { twice: x["b c"].mul(2) }, []],
    }));
    const one = (value: number) => tensor("float32", [value]);
    const found = await fn({ a: one(1), "b c": one(2) }, [one(3), { z: one(4) }]);
    const { sum, rest } = found as { sum: Tensor; rest: [Tensor, { twice: Tensor }, never[]] };
    expect([data(sum), data(rest[0]), data(rest[1].twice), rest[2]]).toEqual([[4], [4], [4], []]);
    await fn.release();
  });

  test("may hold inputs as they are, the same value twice, constants and plain numbers", async () => {
    const fn = compile<[Tensor], Tensor[]>((x) => {
      const y = x.ref.mul(2);
      return [x, y.ref, y, np.array([7, 8]), np.ones([2]), 3 as never];
    });
    const found = await fn(tensor("float32", [1, 2]));
    expect(found.map(data)).toEqual([[1, 2], [2, 4], [2, 4], [7, 8], [1, 1], [3]]);
    await fn.release();
  });

  test("may hold inputs that nothing reads, or none", async () => {
    const unread = compile<[Tensor, Tensor], Tensor>((_x, y) => y.add(1));
    expect(data(await unread(floats([2, 2]), tensor("float32", [1])))).toEqual([2]);
    const none = compile<[], Tensor>(() => np.arange(3));
    expect(data(await none())).toEqual([0, 1, 2]);
    await Promise.all([unread.release(), none.release()]);
  });
});

describe("programs", () => {
  test("are made once for each combination of shapes, types and trees", async () => {
    let traces = 0;
    const fn = compile<[Tensors], Tensor>((x) => {
      traces++;
      return (Array.isArray(x) ? x[0] : (x.b ?? x.a ?? x)).add(1);
    });
    await fn(floats([2]));
    await fn(floats([2], 9));
    expect(traces).toBe(1);
    await fn(floats([3]));
    await fn(tensor("int32", [1, 2]));
    await fn([floats([2])]);
    await fn({ a: floats([2]) });
    await fn({ b: floats([2]) });
    expect(traces).toBe(6);
    await fn(floats([3], 4));
    expect(traces).toBe(6);
    await fn.release();
  });

  test("are made once when first calls come together", async () => {
    let traces = 0;
    const fn = compile<[Tensor], Tensor>((x) => {
      traces++;
      return np.square(x);
    });
    const found = await Promise.all([1, 2, 3, 4].map((value) => fn(tensor("float32", [value]))));
    expect(found.map(data)).toEqual([[1], [4], [9], [16]]);
    expect(traces).toBe(1);
    await fn.release();
  });

  test("tell what they are", async () => {
    const fn = compile<[Tensor], Tensor>((x) => np.exp(x.mul(2)));
    const program = await fn.prepare(floats([2]));
    expect(program.nodes).toBe(3);
    expect(program.bytes).toBeGreaterThan(100);
    expect(Math.min(program.seconds.lower, program.seconds.session)).toBeGreaterThan(0);
    await fn.release();
  });

  test("are released, and made again for a later call", async () => {
    let traces = 0;
    const fn = compile<[Tensor], Tensor>((x) => {
      traces++;
      return x.add(1);
    });
    const program = await fn.prepare(tensor("float32", [1]));
    await fn.release();
    const { failure: why } = await failure(program.run([tensor("float32", [1])]));
    expect(why.what).toBe("A compiled function failed while it ran");
    expect(data(await fn(tensor("float32", [1])))).toEqual([2]);
    expect(traces).toBe(2);
    await fn.release();
    await fn.release();
  });

  test("are released only once they no longer run", async () => {
    const fn = compile<[Tensor], Tensor>((x) => np.sum(np.matmul(x.ref, x)));
    const given = floats([600, 600]);
    await fn.prepare(given);
    const running = fn(given);
    await fn.release();
    expect((await running).dims).toEqual([]);
  });

  test("that cannot be made are tried anew", async () => {
    let broken = true;
    const fn = compile<[Tensor], Tensor>((x) => {
      if (broken) throw new Error("not yet");
      return x;
    });
    await expect(fn(floats([1]))).rejects.toThrow("not yet");
    broken = false;
    expect((await fn(floats([1]))).dims).toEqual([1]);
    await fn.release();
  });
});

describe("errors", () => {
  const double = compile<[Tensors], Tensor>((x) => x.mul(2), { name: "double" });
  test.each([
    ["nothing", null, "null"],
    ["a number", 3, "number"],
    ["an array of numbers", new Float32Array(2), "object"],
  ])("for %s as an input", async (_what, given, named) => {
    const { failure: why } = await failure(double([floats([1]), given as unknown as Tensor]));
    expect(why.what).toBe(`double was called with a value that is not a tensor (${named})`);
    expect(why.where).toContain("value 2");
    expect(why.kind).toBe("usage");
  });

  test("for a type that jax-js does not have", async () => {
    const { failure: why } = await failure(double(new Tensor("int64", BigInt64Array.of(1n), [1])));
    expect(why.what).toBe("double was called with a tensor of type int64");
    expect(why.kind).toBe("usage");
  });

  test("for shapes that do not fit come from jax-js as they are", async () => {
    const fn = compile<[Tensor, Tensor], Tensor>((x, y) => np.matmul(x, y));
    await expect(fn(floats([2, 3]), floats([2, 3]))).rejects.toThrow(/shapes not aligned/);
  });

  test("for a function that gives nothing", async () => {
    const { failure: why } = await failure(
      compile<[Tensor], never[]>(() => [], { name: "mute" })(floats([1])),
    );
    expect(why.what).toBe("mute returns no tensors");
    expect(why.kind).toBe("usage");
  });

  test("for indices out of bounds", async () => {
    const look = compile<[Tensor, Tensor], Tensor>((x, i) => np.take(x, i, 0), { name: "look" });
    const { failure: why } = await failure(look(floats([2]), tensor("int32", [7])));
    expect(why.where).toBe("look, provider cpu");
    expect(why.why).toContain("idx=7");
    // The session is not spoilt by it.
    expect((await look(floats([2]), tensor("int32", [1]))).dims).toEqual([1]);
    await look.release();
  });

  test("for a program that ONNX Runtime refuses", async () => {
    vi.spyOn(InferenceSession, "create").mockRejectedValue(new Error("no such thing"));
    for (const [provider, next] of [
      ["cpu", "report it"],
      ["webgpu", "`cpu`"],
    ] as const) {
      const fn = compile<[Tensor], Tensor>((x) => x.add(1), { name: "next", provider });
      const { failure: why } = await failure(fn(floats([1])));
      expect(why).toMatchObject({ where: `next, provider ${provider}`, why: "no such thing" });
      expect(why.next).toContain(next);
    }
  });
});

const width = 32;
const heads = 4;
const [batch, length, vocabulary, depth] = [2, 8, 50, 4];

interface Layer {
  q: JaxArray;
  k: JaxArray;
  v: JaxArray;
  o: JaxArray;
  up: JaxArray;
  down: JaxArray;
  first: JaxArray;
  second: JaxArray;
}

const norm = (x: JaxArray, gain: JaxArray) => {
  const square = np.mean(np.square(x.ref), -1, { keepdims: true });
  return x.mul(np.reciprocal(np.sqrt(square.add(1e-5)))).mul(gain);
};

/** A small decoder's loss: four layers, tied embedding. */
function loss(weights: { table: JaxArray; layers: Layer[] }, tokens: JaxArray, targets: JaxArray): JaxArray {
  let x = np.take(weights.table.ref, tokens, 0);
  const places = np.arange(length);
  const seen = places.ref.reshape([length, 1]).greaterEqual(places.reshape([1, length]));
  for (const layer of weights.layers) {
    const h = norm(x.ref, layer.first);
    const split = (w: JaxArray) => {
      const product = np.matmul(h.ref, w).reshape([batch, length, heads, width / heads]);
      return product.transpose([0, 2, 1, 3]);
    };
    const [q, k, v] = [split(layer.q), split(layer.k), split(layer.v)];
    const scores = np.matmul(q, k.transpose([0, 1, 3, 2])).mul(1 / Math.sqrt(width / heads));
    const mixed = np.matmul(nn.softmax(np.where(seen.ref, scores, -1e9), -1), v);
    x = x.add(np.matmul(mixed.transpose([0, 2, 1, 3]).reshape([batch, length, width]), layer.o));
    x = x.add(np.matmul(nn.silu(np.matmul(norm(x.ref, layer.second), layer.up)), layer.down));
  }
  const logits = np.matmul(x.reshape([batch * length, width]), weights.table.transpose());
  const wanted = np
    .arange(vocabulary)
    .reshape([1, vocabulary])
    .equal(targets.reshape([batch * length, 1]));
  return np.sum(np.where(wanted, nn.logSoftmax(logits, -1), 0)).mul(-1 / (batch * length));
}

test("a decoder's step is as many products as jax-js says, repeats nothing large and turns little", async () => {
  const made: { op: string; dims: readonly number[]; inputs: readonly string[] }[] = [];
  const nodeOf = Graph.prototype.nodeOf;
  vi.spyOn(Graph.prototype, "nodeOf").mockImplementation(function (this: Graph, ...args) {
    const before = this.size;
    const names = nodeOf.apply(this, args);
    if (this.size > before) {
      made.push({ op: args[0], dims: args[2][0]?.dims ?? [], inputs: args[1] });
    }
    return names;
  });
  const layer = () => ({
    q: floats([width, width]),
    k: floats([width, width]),
    v: floats([width, width]),
    o: floats([width, width]),
    up: floats([width, 4 * width]),
    down: floats([4 * width, width]),
    first: floats([width]),
    second: floats([width]),
  });
  const weights = { table: floats([vocabulary, width]), layers: Array.from({ length: depth }, layer) };
  const step = compile<Tensors[], Tensors>((w, x, y) =>
    (valueAndGrad(loss as AnyFunction) as AnyFunction)(w, x, y),
  );
  const tokens = integers([batch, length], 0, vocabulary);
  const program = await step.prepare(weights, tokens, tokens);
  const count = (op: string) => made.filter((node) => node.op === op).length;
  // A layer has eight products (q, k, v, scores, mixture, o, up, down), and the head one; each has two more backwards.
  expect(count("MatMul") + count("FusedMatMul")).toBe(3 * (8 * depth + 1));
  const large = batch * length * width;
  expect(made.filter(({ op, dims }) => op === "Expand" && product(dims) >= large)).toEqual([]);
  const turns = made.filter(({ op }) => op === "Transpose");
  expect(turns.every(({ dims }) => dims.length <= 4)).toBe(true);
  expect(turns.length).toBeLessThanOrEqual(18 * depth);
  const numbers = [...Object.values(weights.layers), [weights.table]].flatMap((one) =>
    Object.values(one),
  ) as Tensor[];
  const stored = numbers.reduce((sum, { size }) => sum + 4 * size, 0);
  expect(program.bytes).toBeLessThan(stored);
  expect(program.nodes).toBeLessThan(220 * depth);
  await step.release();
});
