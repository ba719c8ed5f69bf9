// AdamW's update in one pass through memory: a kernel of 128-bit vectors in WebAssembly, assembled below, on slices of the
// tensors that fit the processor's cache. As operators of ONNX Runtime it is a pass through memory for each of them.

import type { Tensor } from "onnxruntime-node";
import type { AdamWOptions, AdamWState, Parameters } from "./optimizer.js";

/** What Node has of it; TypeScript knows it as a browser's alone. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: unknown };
};

/** Numbers in a slice: four of them (parameters, both moments, gradients) are 128 KiB. */
const slice = 8192;

interface Kernel {
  memory: { readonly buffer: ArrayBuffer };
  /** On so many bytes from the start of each slice, a multiple of 16. */
  step: (
    bytes: number,
    gain1: number,
    gain2: number,
    floor: number,
    rate: number,
    decay: number,
    beta1: number,
    beta2: number,
  ) => void;
}

let kernel: Kernel | undefined;

/**
 * One step of AdamW (Loshchilov and Hutter 2019, algorithm 2) with clipping by global norm (Pascanu et al. 2013). It writes
 * over `params` and `state`; where the norm is not finite they stay as they are. Every number is rounded to float32 after
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
    inSlices(
      [numbersOf(params, key), numbersOf(state.m, key), numbersOf(state.v, key), numbersOf(gradients, key)],
      (run, bytes) => run(bytes, ...factors),
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

/** Copies four arrays of one length through the kernel's memory, slice by slice; the first three come back changed. */
function inSlices(
  arrays: readonly [Float32Array, Float32Array, Float32Array, Float32Array],
  run: (step: Kernel["step"], bytes: number) => void,
): void {
  kernel ??= instantiate();
  const { memory, step } = kernel;
  const places = arrays.map((_, k) => new Float32Array(memory.buffer, k * slice * 4, slice));
  const { length } = arrays[0];
  for (let from = 0; from < length; from += slice) {
    const count = Math.min(slice, length - from);
    for (const [k, array] of arrays.entries()) places[k]?.set(array.subarray(from, from + count));
    run(step, Math.ceil(count / 4) * 16);
    for (const k of [0, 1, 2]) arrays[k]?.set((places[k] as Float32Array).subarray(0, count), from);
  }
}

/** The sum of squares in doubles, in four parts, which the processor adds side by side. */
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

// The kernel. Its parameters are locals 0 to 7, then the place i, then vectors.
const [i32, f32, v128] = [0x7f, 0x7d, 0x7b];
const [bytes, gain1, gain2, floor, rate, decay, beta1, beta2, i] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
/** The vector that has a parameter in all four lanes. */
const lanes = (parameter: number) => 8 + parameter;
const [p, m, v, g] = [16, 17, 18, 19];

const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const vector = (operator: number, ...operands: number[][]) => [...operands.flat(), 0xfd, ...leb(operator)];
const add = (a: number[], b: number[]) => vector(0xe4, a, b);
const sub = (a: number[], b: number[]) => vector(0xe5, a, b);
const mul = (a: number[], b: number[]) => vector(0xe6, a, b);
const div = (a: number[], b: number[]) => vector(0xe7, a, b);
const sqrt = (a: number[]) => vector(0xe3, a);
/** Of the k-th slice, at i. */
const load = (k: number) => [...get(i), 0xfd, 0x00, 4, ...leb(k * slice * 4)];
const store = (k: number, value: number[]) => [...get(i), ...value, 0xfd, 0x0b, 4, ...leb(k * slice * 4)];

function instantiate(): Kernel {
  const all = [gain1, gain2, floor, rate, decay, beta1, beta2];
  const body = [
    ...all.flatMap((parameter) => [...vector(0x13, get(parameter)), ...set(lanes(parameter))]),
    ...[0x03, 0x40],
    ...[...load(3), ...set(g)],
    ...[...add(mul(load(1), get(lanes(beta1))), mul(get(g), get(lanes(gain1)))), ...set(m)],
    ...[...add(mul(load(2), get(lanes(beta2))), mul(mul(get(g), get(g)), get(lanes(gain2)))), ...set(v)],
    ...[...load(0), ...set(p)],
    ...store(
      0,
      sub(
        sub(get(p), mul(get(p), get(lanes(decay)))),
        mul(div(get(m), add(sqrt(get(v)), get(lanes(floor)))), get(lanes(rate))),
      ),
    ),
    ...[...store(1, get(m)), ...store(2, get(v))],
    // i += 16, and again while it is below `bytes`.
    ...[...get(i), 0x41, 16, 0x6a, 0x22, i, ...get(bytes), 0x49, 0x0d, 0, 0x0b],
    0x0b,
  ];
  const locals = [2, 1, i32, 11, v128];
  const code = [...locals, ...body];
  const section = (id: number, content: number[]) => [id, ...leb(content.length), ...content];
  const name = (text: string) => [text.length, ...Buffer.from(text)];
  const module = new WebAssembly.Module(
    Uint8Array.from([
      ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      ...section(1, [1, 0x60, 8, i32, ...all.map(() => f32), 0]),
      ...section(3, [1, 0]),
      ...section(5, [1, 0x00, (4 * slice * 4) / 65_536]),
      ...section(7, [2, ...name("memory"), 0x02, 0, ...name("step"), 0x00, 0]),
      ...section(10, [1, ...leb(code.length), ...code]),
    ]),
  );
  return new WebAssembly.Instance(module).exports as Kernel;
}

/** LEB128, unsigned. */
function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)];
}
