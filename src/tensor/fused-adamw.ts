// AdamW's update in one pass over memory: a WebAssembly kernel with 128-bit vectors, assembled below. With ONNX Runtime's
// operators, each operator would be a pass over memory. Tensors in the kernel's own memory are updated in place; others go
// through it in slices that fit the processor's cache.

import { Tensor } from "onnxruntime-node";
import {
  type AdamWOptions,
  type AdamWState,
  copyOf,
  type Parameters,
  zeroMoments,
  zerosLike,
} from "./optimizer.js";

interface Memory {
  readonly buffer: ArrayBuffer;
}

/** The parts that Node supports; TypeScript declares WebAssembly only for browsers. */
declare const WebAssembly: {
  Memory: new (pages: { initial: number; maximum: number }) => Memory;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: { hone: { memory: Memory } }) => { exports: unknown };
};

/** Numbers in a slice: four slices (parameters, both moments, gradients) are 128 KiB. */
const slice = 8192;
const pageBytes = 65_536;
/** Most pages of a 32-bit memory. */
const mostPages = 65_536;
/** Tensors begin at multiples of this many numbers, a cache line. */
const line = 16;

/** Updates `bytes` bytes, a multiple of 16, from each of four places in its memory: parameters, both moments, gradients. */
type Kernel = (
  parameters: number,
  m: number,
  v: number,
  gradients: number,
  bytes: number,
  gain1: number,
  gain2: number,
  floor: number,
  rate: number,
  decay: number,
  beta1: number,
  beta2: number,
) => void;

/** Kernels by the memory that they work in. */
const kernels = new WeakMap<ArrayBuffer, Kernel>();
let module: object | undefined;
let staging: { buffer: ArrayBuffer; step: Kernel } | undefined;

/** The arrays of a training: the parameters, AdamW's moments and a step's gradients. */
export interface TrainingArrays {
  params: Parameters;
  moments: AdamWState;
  gradients: Parameters;
}

/**
 * Copies of parameters with zero moments and gradients, in one memory of the kernel, so that a step copies nothing. If 4 GiB
 * are too few, the arrays lie outside, and a step copies them through the kernel's memory in slices.
 */
export function trainingArrays(params: Parameters): TrainingArrays {
  const room = (size: number) => line * Math.ceil(size / line);
  const each = Object.values(params).reduce((sum, { size }) => sum + room(size), 0);
  const pages = Math.ceil((4 * each * 4) / pageBytes);
  const memory = pages > 0 && pages <= mostPages ? memoryOf(pages) : undefined;
  if (!memory) return { params: copyOf(params), moments: zeroMoments(params), gradients: zerosLike(params) };
  kernels.set(memory.buffer, instantiate(memory));
  let at = 0;
  const laid = (): Parameters =>
    Object.fromEntries(
      Object.entries(params).map(([key, { size, dims }]) => {
        const data = new Float32Array(memory.buffer, at, size);
        at += 4 * room(size);
        return [key, new Tensor("float32", data, [...dims])];
      }),
    );
  const arrays = { params: laid(), moments: { m: laid(), v: laid() }, gradients: laid() };
  for (const key of Object.keys(params)) numbersOf(arrays.params, key).set(numbersOf(params, key));
  return arrays;
}

/** Allocates a memory; undefined if the system cannot provide it in one piece. */
function memoryOf(pages: number): Memory | undefined {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/**
 * One step of AdamW (Loshchilov and Hutter 2019, algorithm 2) with clipping by global norm (Pascanu et al. 2013). It
 * overwrites `params` and `state`, unless the norm is not finite. Every number is rounded to float32 after
 * each operation; other tensors affect a tensor's result only through the norm.
 *
 * @param gradients of the same shapes; only read
 * @param step counted from 1
 * @returns the norm of the gradients before clipping
 */
export function adamWStep(
  { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0, clipNorm = 1, signed }: AdamWOptions,
  params: Parameters,
  state: AdamWState,
  gradients: Parameters,
  step: number,
  learningRate: number,
): number {
  const isSigned = (key: string) => signed !== undefined && key.endsWith(signed.ending);
  const usual = Object.keys(gradients).filter((key) => !isSigned(key));
  const norm = Math.sqrt(usual.reduce((sum, key) => sum + squares(numbersOf(gradients, key)), 0));
  if (!Number.isFinite(norm)) return norm;
  const scale = clipNorm > 0 ? Math.min(1, clipNorm / (norm + 1e-6)) : 1;
  const unbias1 = 1 / (1 - beta1 ** step);
  const root = Math.sqrt(1 / (1 - beta2 ** step));
  const factors = [
    scale * (1 - beta1),
    scale * scale * (1 - beta2),
    epsilon / root,
    (learningRate * unbias1) / root,
    learningRate * weightDecay,
    beta1,
    beta2,
  ] as const;
  for (const key of usual)
    onEach(
      [numbersOf(params, key), numbersOf(state.m, key), numbersOf(state.v, key), numbersOf(gradients, key)],
      factors,
    );
  for (const key of Object.keys(gradients).filter(isSigned)) {
    const own = numbersOf(params, key);
    const found = numbersOf(gradients, key);
    const rate = signed?.rate ?? 0;
    for (let i = 0; i < own.length; i++) own[i] = (own[i] as number) - rate * Math.sign(found[i] as number);
  }
  return norm;
}

const numbersOf = (list: Parameters, key: string) => (list[key] as Tensor).data as Float32Array;

type Factors = readonly [number, number, number, number, number, number, number];

/** Runs the kernel on four arrays of one length, of which it changes the first three. */
function onEach(
  arrays: readonly [Float32Array, Float32Array, Float32Array, Float32Array],
  factors: Factors,
): void {
  const { buffer, length } = arrays[0];
  const own = kernels.get(buffer as ArrayBuffer);
  if (own && arrays.every((one) => one.buffer === buffer)) {
    const [p, m, v, g] = arrays.map(({ byteOffset }) => byteOffset) as [number, number, number, number];
    own(p, m, v, g, 16 * Math.ceil(length / 4), ...factors);
    return;
  }
  staging ??= stagingOf();
  const { buffer: stage, step } = staging;
  const places = arrays.map((_, k) => new Float32Array(stage, 4 * k * slice, slice));
  for (let from = 0; from < length; from += slice) {
    const count = Math.min(slice, length - from);
    for (const [k, array] of arrays.entries()) places[k]?.set(array.subarray(from, from + count));
    step(0, 4 * slice, 8 * slice, 12 * slice, 16 * Math.ceil(count / 4), ...factors);
    for (const k of [0, 1, 2]) arrays[k]?.set((places[k] as Float32Array).subarray(0, count), from);
  }
}

function stagingOf(): { buffer: ArrayBuffer; step: Kernel } {
  const pages = Math.ceil((16 * slice) / pageBytes);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  return { buffer: memory.buffer, step: instantiate(memory) };
}

/** The sum of squares in doubles, in four partial sums, which the processor adds in parallel. */
function squares(numbers: Float32Array): number {
  const sums = [0, 0, 0, 0] as [number, number, number, number];
  let [a, b, c, d] = sums;
  const whole = numbers.length - (numbers.length % 4);
  for (let i = 0; i < whole; i += 4) {
    a += (numbers[i] as number) ** 2;
    b += (numbers[i + 1] as number) ** 2;
    c += (numbers[i + 2] as number) ** 2;
    d += (numbers[i + 3] as number) ** 2;
  }
  for (let i = whole; i < numbers.length; i++) a += (numbers[i] as number) ** 2;
  return a + b + c + d;
}

// The kernel. Its parameters are locals 0 to 11, then the offset i, then vectors.
const [i32, f32, v128] = [0x7f, 0x7d, 0x7b];
const [baseP, baseM, baseV, baseG, bytes] = [0, 1, 2, 3, 4];
const [gain1, gain2, floor, rate, decay, beta1, beta2, i] = [5, 6, 7, 8, 9, 10, 11, 12];
/** The local of the vector that has a parameter in all four lanes. */
const lanes = (parameter: number) => 8 + parameter;
const [p, m, v, g] = [20, 21, 22, 23];

const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const vector = (operator: number, ...operands: number[][]) => [...operands.flat(), 0xfd, ...leb(operator)];
const add = (a: number[], b: number[]) => vector(0xe4, a, b);
const sub = (a: number[], b: number[]) => vector(0xe5, a, b);
const mul = (a: number[], b: number[]) => vector(0xe6, a, b);
const div = (a: number[], b: number[]) => vector(0xe7, a, b);
const sqrt = (a: number[]) => vector(0xe3, a);
/** The address i bytes after a base. */
const place = (base: number) => [...get(base), ...get(i), 0x6a];
const load = (base: number) => [...place(base), 0xfd, 0x00, 4, 0];
const store = (base: number, value: number[]) => [...place(base), ...value, 0xfd, 0x0b, 4, 0];

function instantiate(memory: Memory): Kernel {
  module ??= assemble();
  return (new WebAssembly.Instance(module, { hone: { memory } }).exports as { step: Kernel }).step;
}

function assemble(): object {
  const all = [gain1, gain2, floor, rate, decay, beta1, beta2];
  const body = [
    ...all.flatMap((parameter) => [...vector(0x13, get(parameter)), ...set(lanes(parameter))]),
    ...[0x03, 0x40],
    ...[...load(baseG), ...set(g)],
    ...[...add(mul(load(baseM), get(lanes(beta1))), mul(get(g), get(lanes(gain1)))), ...set(m)],
    ...[...add(mul(load(baseV), get(lanes(beta2))), mul(mul(get(g), get(g)), get(lanes(gain2)))), ...set(v)],
    ...[...load(baseP), ...set(p)],
    ...store(
      baseP,
      sub(
        sub(get(p), mul(get(p), get(lanes(decay)))),
        mul(div(get(m), add(sqrt(get(v)), get(lanes(floor)))), get(lanes(rate))),
      ),
    ),
    ...[...store(baseM, get(m)), ...store(baseV, get(v))],
    // i += 16, and loop while it is below `bytes`.
    ...[...get(i), 0x41, 16, 0x6a, 0x22, i, ...get(bytes), 0x49, 0x0d, 0, 0x0b],
    0x0b,
  ];
  const locals = [2, 1, i32, 11, v128];
  const code = [...locals, ...body];
  const section = (id: number, content: number[]) => [id, ...leb(content.length), ...content];
  const name = (text: string) => [text.length, ...Buffer.from(text)];
  const parameters = [i32, i32, i32, i32, i32, ...all.map(() => f32)];
  return new WebAssembly.Module(
    Uint8Array.from([
      ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      ...section(1, [1, 0x60, parameters.length, ...parameters, 0]),
      // The memory may have any number of pages.
      ...section(2, [1, ...name("hone"), ...name("memory"), 0x02, 0x00, 0]),
      ...section(3, [1, 0]),
      ...section(7, [1, ...name("step"), 0x00, 0]),
      ...section(10, [1, ...leb(code.length), ...code]),
    ]),
  );
}

/** LEB128, unsigned. */
function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)];
}
