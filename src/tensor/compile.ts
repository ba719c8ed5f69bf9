// Compiles functions written in jax-js: traced once per set of input shapes, lowered to ONNX, run by ONNX Runtime. Values are
// ONNX Runtime's own tensors, so a step's results are fed to the next one unchanged.

import { type Array as JaxArray, type JsTree, makeJaxpr, numpy as np, tree } from "@jax-js/jax";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { HoneError, messageOf } from "../core/errors.js";
import { Graph } from "./graph.js";
import { readyJax } from "./jax.js";
import { lower } from "./lower.js";
import type { ElementType } from "./onnx.js";
import { scalar } from "./pointwise.js";
import { threadOptions } from "./threads.js";
import { typeOf, viewOf, whole } from "./view.js";

/** A tree of tensors: arrays and records of them, nested. */
export type Tensors = JsTree<Tensor>;

export type Provider = "cpu" | "webgpu";

export interface CompileOptions {
  /** `cpu` by default. `webgpu` keeps results on the device. */
  provider?: Provider;
  /** Threads of one step; ONNX Runtime's choice (one per core) by default. */
  threads?: number;
  /** Shown in errors. */
  name?: string;
}

/** A function compiled for one set of shapes. */
export interface Program {
  /** @param into tensors of the results' shapes to write the results to; on the CPU only */
  run(inputs: readonly Tensor[], into?: readonly Tensor[]): Promise<Tensor[]>;
  /** Operators in the graph, and bytes of the model file. */
  readonly nodes: number;
  readonly bytes: number;
  /** Floating-point operations of the program's matrix products, a multiplication and an addition each counted as one. */
  readonly flops: number;
  /** Seconds spent on tracing and lowering, and on creating ONNX Runtime's session. */
  readonly seconds: { lower: number; session: number };
  release(): Promise<void>;
}

export interface Compiled<Arguments extends readonly Tensors[], Result extends Tensors> {
  (...inputs: Arguments): Promise<Result>;
  /**
   * The same, but writes into an existing result and returns it, for steps that no longer need the previous one. Allocating
   * gradients as large as the weights costs more than writing them. On the CPU only.
   */
  into(result: Result, ...inputs: Arguments): Promise<Result>;
  /** The program for inputs of these shapes, compiled if needed. */
  prepare(...inputs: Arguments): Promise<Program>;
  release(): Promise<void>;
}

/**
 * Turns a function over trees of jax-js arrays into one over trees of tensors, which runs in ONNX Runtime. The function
 * is traced for each new combination of shapes and types: it must be pure. Numbers of arguments are floats, integers
 * (int32, uint32) or booleans.
 *
 * @throws HoneError for a primitive without an ONNX operator, and if ONNX Runtime refuses the program
 * @example
 * const step = compile((w, x) => valueAndGrad(loss)(w, x));
 * const [value, gradient] = await step(weights, batch);
 */
export function compile<Arguments extends readonly Tensors[], Result extends Tensors>(
  // biome-ignore lint/suspicious/noExplicitAny: the function's own argument types are its business.
  fn: (...args: any[]) => JsTree<JaxArray>,
  options: CompileOptions = {},
): Compiled<Arguments, Result> {
  const made = new Map<string, Promise<{ program: Program; rebuild: (outputs: Tensor[]) => Result }>>();
  const find = (inputs: Arguments) => {
    const [leaves, shape] = tree.flatten<Tensor>([...inputs]);
    for (const [i, leaf] of leaves.entries()) checkInput(leaf, i, options.name ?? (fn.name || unnamed));
    const key = `${shape}|${leaves.map(({ type, dims }) => `${type}[${dims}]`).join()}`;
    let entry = made.get(key);
    if (!entry) {
      entry = build<Result>(fn, inputs, options);
      made.set(key, entry);
      entry.catch(() => made.delete(key));
    }
    return { leaves, entry };
  };
  const call = async (...inputs: Arguments): Promise<Result> => {
    const { leaves, entry } = find(inputs);
    const { program, rebuild } = await entry;
    return rebuild(await program.run(leaves));
  };
  return Object.assign(call, {
    into: async (result: Result, ...inputs: Arguments): Promise<Result> => {
      const { leaves, entry } = find(inputs);
      const { program } = await entry;
      await program.run(leaves, tree.flatten<Tensor>(result)[0]);
      return result;
    },
    prepare: async (...inputs: Arguments) => (await find(inputs).entry).program,
    release: async () => {
      const entries = await Promise.allSettled(made.values());
      made.clear();
      for (const entry of entries) if (entry.status === "fulfilled") await entry.value.program.release();
    },
  });
}

const unnamed = "a function";

/** Most bytes of values for which ONNX Runtime plans a program's memory. */
const planned = 2 ** 30;

/** jax-js's types. */
const known: readonly string[] = ["float32", "int32", "uint32", "bool", "float16", "float64"];

function checkInput(leaf: unknown, place: number, name: string): void {
  if (leaf instanceof Tensor && known.includes(leaf.type)) return;
  const isTensor = leaf instanceof Tensor;
  throw new HoneError({
    what: `${name} was called with ${isTensor ? `a tensor of type ${leaf.type}` : `a value that is not a tensor (${leaf === null ? "null" : typeof leaf})`}`,
    where: `value ${place + 1} of its inputs, counted through their trees`,
    why: `a compiled function takes tensors of ${known.join(", ")}`,
    next: 'Give it as new Tensor("float32", data, dims), or close the function over it where it is a constant.',
    kind: "usage",
  });
}

async function build<Result>(
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  fn: (...args: any[]) => JsTree<JaxArray>,
  inputs: readonly Tensors[],
  { provider = "cpu", threads, name = fn.name || unnamed }: CompileOptions,
): Promise<{ program: Program; rebuild: (outputs: Tensor[]) => Result }> {
  await readyJax();
  const start = performance.now();
  // jax-js traces on abstract shapes, like its own jit, but does not export their class.
  const probe = makeJaxpr((x: JaxArray) => x)(np.zeros([])).jaxpr.jaxpr;
  const Shaped = probe.inBinders[0]?.aval.constructor as new (
    dims: number[],
    type: string,
    weak: boolean,
  ) => JaxArray;
  const stand = (leaf: Tensor) => new Shaped([...leaf.dims], leaf.type, false);
  const args = inputs.map((input) => tree.map(stand, input));
  const traced = makeJaxpr(fn as (...args: JaxArray[]) => JaxArray)(...(args as JaxArray[]));
  const jaxpr = traced.jaxpr.jaxpr.flatten().simplify();
  const graph = new Graph();
  const constants = traced.jaxpr.consts as JaxArray[];
  const used = new Set([...jaxpr.eqns.flatMap((equation) => equation.inputs), ...jaxpr.outs]);
  const views = jaxpr.inBinders.map((binder, i) => {
    const { aval } = binder;
    const type = aval.dtype as ElementType;
    const constant = constants[i];
    // Differentiation leaves unused zeros as large as the weights.
    if (constant && !used.has(binder)) return scalar(graph, type, 0);
    if (!constant) return viewOf(graph, graph.input(`in${i - constants.length}`, type, aval.shape));
    const data = constant.ref.dataSync();
    return viewOf(graph, graph.constant(type, aval.shape, type === "bool" ? Uint8Array.from(data) : data));
  });
  if (jaxpr.outs.length === 0) {
    throw new HoneError({
      what: `${name} returns no tensors`,
      why: "there is nothing to compile",
      next: "Let it return a tensor, or an array or a record of them.",
      kind: "usage",
    });
  }
  const results = lower(graph, jaxpr, views, { fused: provider === "cpu" });
  const outputs = results.map((result, i): Output => {
    const [name, value] = [`out${i}`, whole(graph, result)];
    if (provider === "cpu" && typeOf(graph, result) === "float32")
      return { name, dims: result.shape, parts: graph.outputParts(name, value) };
    graph.output(name, value);
    return { name, dims: result.shape, parts: [] };
  });
  traced.jaxpr.dispose();
  const fed = graph.feeds(Array.from({ length: views.length - constants.length }, (_, i) => `in${i}`));
  const model = graph.encode();
  const lowered = performance.now();
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(model, {
      executionProviders: [provider],
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
      // Planning the whole step's memory makes small programs a sixth faster. Large ones then allocate a second block (5.3 GB
      // instead of 3.7) and are no faster.
      enableMemPattern: graph.bytes < planned && !graph.dynamic,
      ...threadOptions(threads),
      ...(provider === "cpu" ? {} : { preferredOutputLocation: "gpu-buffer" as const }),
      extra: { session: { set_denormal_as_zero: "1" } },
    });
  } catch (error) {
    throw new HoneError({
      what: "ONNX Runtime cannot prepare a compiled function",
      where: `${name}, provider ${provider}`,
      why: messageOf(error),
      next: provider === "cpu" ? "This is a fault of Hone: please report it." : "Use the provider `cpu`.",
    });
  }
  const ready = performance.now();
  const running = new Set<Promise<unknown>>();
  const program: Program = {
    nodes: graph.needed,
    flops: graph.flops,
    bytes: model.length,
    seconds: { lower: (lowered - start) / 1000, session: (ready - lowered) / 1000 },
    run: async (tensors, into = []) => {
      const feeds: Record<string, Tensor> = {};
      for (const [i, { name: own, whole, parts }] of fed.entries()) {
        const tensor = tensors[i] as Tensor;
        if (whole) feeds[own] = tensor;
        Object.assign(feeds, inParts(tensor, parts));
      }
      const fetches: Record<string, Tensor | null> = {};
      const places = outputs.map(({ name: own, dims, parts }, i) => {
        const place = into[i] ?? (parts.length > 0 ? zerosOf(dims) : undefined);
        Object.assign(fetches, parts.length > 0 ? inParts(place as Tensor, parts) : { [own]: place ?? null });
        return place;
      });
      const run = session.run(feeds, fetches);
      running.add(run);
      try {
        const found = await run;
        return outputs.map(({ name: own }, i) => places[i] ?? (found[own] as Tensor));
      } catch (error) {
        throw new HoneError({
          what: "A compiled function failed while it ran",
          where: `${name}, provider ${provider}`,
          why: messageOf(error),
          next: "Look for indices out of bounds and integer divisions by zero, and for calls after its release.",
          cause: error,
        });
      } finally {
        running.delete(run);
      }
    },
    release: async () => {
      // A session must not be released while it runs.
      await Promise.allSettled(running);
      await session.release();
    },
  };
  const rebuild = (found: Tensor[]) => tree.unflatten(traced.treedef, found) as Result;
  return { program, rebuild };
}

interface Output {
  name: string;
  dims: readonly number[];
  /** Names of its parts in memory order; none if it is one value. */
  parts: readonly string[];
}

function zerosOf(dims: readonly number[]): Tensor {
  return new Tensor("float32", new Float32Array(dims.reduce((all, dim) => all * dim, 1)), [...dims]);
}

/** Splits a tensor [count, ...] into equal parts [...] by name, which share its memory. */
function inParts(tensor: Tensor, names: readonly string[]): Record<string, Tensor> {
  const data = tensor.data as Float32Array;
  const size = data.length / names.length;
  const dims = tensor.dims.slice(1);
  const part = (i: number) => new Tensor("float32", data.subarray(i * size, (i + 1) * size), dims);
  return Object.fromEntries(names.map((name, i) => [name, part(i)]));
}
