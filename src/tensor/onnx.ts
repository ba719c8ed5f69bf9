// Writes ONNX models: the few messages of onnx.proto3 that a lowered program needs, in protobuf's wire format. Format: onnx/onnx.proto, IR version 9.

/** ONNX's element types by the names that jax-js and ONNX Runtime share, with their numbers in TensorProto. */
export const elementTypes = {
  float32: 1,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
} as const;
export type ElementType = keyof typeof elementTypes;

export type Attribute = number | string | readonly number[] | { float: number };

export interface OnnxNode {
  op: string;
  domain: string;
  inputs: readonly string[];
  outputs: readonly string[];
  /** Numbers are written as integers; `{ float }` where the operator wants a float. */
  attributes: Readonly<Record<string, Attribute>>;
}

export interface OnnxValue {
  name: string;
  type: ElementType;
  /** Of an input or output, -1 is any number of rows. */
  dims: readonly number[];
}

export interface OnnxInitializer extends OnnxValue {
  /** Little endian, as ONNX stores raw data. */
  bytes: Uint8Array;
}

export interface OnnxGraph {
  nodes: readonly OnnxNode[];
  inputs: readonly OnnxValue[];
  outputs: readonly OnnxValue[];
  initializers: readonly OnnxInitializer[];
}

/** Serialises a graph as a ModelProto with opset 20 and ONNX Runtime's own operators beside it. */
export function encodeModel(graph: OnnxGraph): Uint8Array {
  const opset = (domain: string, version: number) => message([bytes(1, text(domain)), int(2, version)]);
  return message([
    int(1, 9),
    bytes(2, text("hone")),
    bytes(7, encodeGraph(graph)),
    bytes(8, opset("", 20)),
    bytes(8, opset("com.microsoft", 1)),
  ]);
}

type Part = readonly Uint8Array[];

function encodeGraph({ nodes, inputs, outputs, initializers }: OnnxGraph): Uint8Array {
  return message([
    ...nodes.map((node) => bytes(1, encodeNode(node))),
    bytes(2, text("program")),
    ...initializers.map((one) => bytes(5, encodeTensor(one))),
    ...inputs.map((value) => bytes(11, encodeValue(value))),
    ...outputs.map((value) => bytes(12, encodeValue(value))),
  ]);
}

function encodeNode({ op, domain, inputs, outputs, attributes }: OnnxNode): Uint8Array {
  return message([
    ...inputs.map((name) => bytes(1, text(name))),
    ...outputs.map((name) => bytes(2, text(name))),
    bytes(4, text(op)),
    ...Object.entries(attributes).map(([name, value]) => bytes(5, encodeAttribute(name, value))),
    ...(domain === "" ? [] : [bytes(7, text(domain))]),
  ]);
}

function encodeAttribute(name: string, value: Attribute): Uint8Array {
  const named = bytes(1, text(name));
  if (typeof value === "number") return message([named, int(3, value), int(20, 2)]);
  if (typeof value === "string") return message([named, bytes(4, text(value)), int(20, 3)]);
  if ("float" in value) {
    const raw = new Uint8Array(Float32Array.of(value.float).buffer);
    return message([named, [varint((2 << 3) | 5), raw], int(20, 1)]);
  }
  return message([named, ...value.map((one) => int(8, one)), int(20, 7)]);
}

function encodeTensor({ name, type, dims, bytes: raw }: OnnxInitializer): Uint8Array {
  return message([
    ...dims.map((dim) => int(1, dim)),
    int(2, elementTypes[type]),
    bytes(8, text(name)),
    bytes(9, raw),
  ]);
}

function encodeValue({ name, type, dims }: OnnxValue): Uint8Array {
  const shape = message(
    dims.map((dim) => bytes(1, message([dim < 0 ? bytes(2, text("rows")) : int(1, dim)]))),
  );
  const tensor = message([int(1, elementTypes[type]), bytes(2, shape)]);
  return message([bytes(1, text(name)), bytes(2, message([bytes(1, tensor)]))]);
}

function message(parts: readonly Part[]): Uint8Array {
  let size = 0;
  for (const part of parts) for (const piece of part) size += piece.length;
  const out = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    for (const piece of part) {
      out.set(piece, at);
      at += piece.length;
    }
  }
  return out;
}

function int(field: number, value: number): Part {
  return [varint(field << 3), varint(value)];
}

function bytes(field: number, value: Uint8Array): Part {
  return [varint((field << 3) | 2), varint(value.length), value];
}

const encoder = new TextEncoder();
function text(value: string): Uint8Array {
  return encoder.encode(value);
}

function varint(value: number): Uint8Array {
  // Negative integers are 64-bit two's complement on the wire.
  let rest = value < 0 ? BigInt.asUintN(64, BigInt(value)) : BigInt(value);
  const out: number[] = [];
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    out.push(rest > 0n ? low | 128 : low);
  } while (rest > 0n);
  return Uint8Array.from(out);
}
