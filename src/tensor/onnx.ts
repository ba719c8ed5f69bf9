// Writes ONNX models: the few messages of onnx.proto3 that a lowered program needs, in protobuf's wire format.
// Format: onnx/onnx.proto, IR version 9.

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
  /** Numbers are written as integers; `{ float }` if the operator expects a float. */
  attributes: Readonly<Record<string, Attribute>>;
}

export interface OnnxValue {
  name: string;
  type: ElementType;
  /** For an input or output, a name is any size, and sizes with the same name are equal. */
  dims: readonly (number | string)[];
}

export interface OnnxInitializer extends OnnxValue {
  dims: readonly number[];
  /** Little endian, as ONNX stores raw data; or their place in a file beside the model. */
  bytes: Uint8Array | { file: string; offset: number; length: number };
}

export interface OnnxGraph {
  nodes: readonly OnnxNode[];
  inputs: readonly OnnxValue[];
  outputs: readonly OnnxValue[];
  initializers: readonly OnnxInitializer[];
}

/** Versions of the operator domains: opset 20, and ONNX Runtime's own operators. */
const opsets: Readonly<Record<string, number>> = { "": 20, "com.microsoft": 1 };

/** Serializes a graph as a ModelProto. */
export function encodeModel(graph: OnnxGraph): Uint8Array {
  const pieces = modelPieces(graph);
  const out = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

/** The same bytes in pieces, to be written one after the other: constants are not copied. */
export function modelPieces(graph: OnnxGraph, versions = opsets): readonly Uint8Array[] {
  const opset = ([domain, version]: [string, number]) => message([bytes(1, text(domain)), int(2, version)]);
  return message([
    int(1, 9),
    bytes(2, text("hone")),
    bytes(7, encodeGraph(graph)),
    ...Object.entries(versions).map((one) => bytes(8, opset(one))),
  ]);
}

type Part = readonly Uint8Array[];

function encodeGraph({ nodes, inputs, outputs, initializers }: OnnxGraph): Part {
  return message([
    ...nodes.map((node) => bytes(1, encodeNode(node))),
    bytes(2, text("program")),
    ...initializers.map((one) => bytes(5, encodeTensor(one))),
    ...inputs.map((value) => bytes(11, encodeValue(value))),
    ...outputs.map((value) => bytes(12, encodeValue(value))),
  ]);
}

function encodeNode({ op, domain, inputs, outputs, attributes }: OnnxNode): Part {
  return message([
    ...inputs.map((name) => bytes(1, text(name))),
    ...outputs.map((name) => bytes(2, text(name))),
    bytes(4, text(op)),
    ...Object.entries(attributes).map(([name, value]) => bytes(5, encodeAttribute(name, value))),
    ...(domain === "" ? [] : [bytes(7, text(domain))]),
  ]);
}

function encodeAttribute(name: string, value: Attribute): Part {
  const named = bytes(1, text(name));
  if (typeof value === "number") return message([named, int(3, value), int(20, 2)]);
  if (typeof value === "string") return message([named, bytes(4, text(value)), int(20, 3)]);
  if ("float" in value) {
    const raw = new Uint8Array(Float32Array.of(value.float).buffer);
    return message([named, [varint((2 << 3) | 5), raw], int(20, 1)]);
  }
  return message([named, ...value.map((one) => int(8, one)), int(20, 7)]);
}

function encodeTensor({ name, type, dims, bytes: raw }: OnnxInitializer): Part {
  const entry = (key: string, value: string) =>
    bytes(13, message([bytes(1, text(key)), bytes(2, text(value))]));
  const data =
    raw instanceof Uint8Array
      ? [bytes(9, raw)]
      : [
          entry("location", raw.file),
          entry("offset", String(raw.offset)),
          entry("length", String(raw.length)),
          int(14, 1),
        ];
  return message([
    ...dims.map((dim) => int(1, dim)),
    int(2, elementTypes[type]),
    bytes(8, text(name)),
    ...data,
  ]);
}

function encodeValue({ name, type, dims }: OnnxValue): Part {
  const size = (dim: number | string) => (typeof dim === "number" ? int(1, dim) : bytes(2, text(dim)));
  const shape = message(dims.map((dim) => bytes(1, size(dim))));
  const tensor = message([int(1, elementTypes[type]), bytes(2, shape)]);
  return message([bytes(1, text(name)), bytes(2, message([bytes(1, tensor)]))]);
}

function message(parts: readonly Part[]): Part {
  return parts.flat();
}

function int(field: number, value: number): Part {
  return [varint(field << 3), varint(value)];
}

function bytes(field: number, value: Uint8Array | Part): Part {
  const pieces = value instanceof Uint8Array ? [value] : value;
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return [varint((field << 3) | 2), varint(length), ...pieces];
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
