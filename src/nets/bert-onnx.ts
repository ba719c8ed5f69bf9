// Writes BERT and XLM-R as one ONNX file with the weights inside, for any number of texts and tokens: `onnx/model.onnx` of
// transformers.js and of sentence-transformers' ONNX backend. It computes the same as bertHidden. Operators: ONNX, opset 17; linear
// layers are MatMul and Add, and GELU is spelled out, because quantizers and ONNX Runtime's fusions look for these patterns.

import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Tensor } from "onnxruntime-node";
import {
  type Attribute,
  elementTypes,
  modelPieces,
  type OnnxInitializer,
  type OnnxNode,
} from "../tensor/onnx.js";
import { type BertConfig, bertShapes, unseen } from "./bert.js";

const operators = { "": 17 };

/** Most bytes of weights in the model's file: protobuf is limited to 2 GiB, of which the graph takes under 1 MiB. */
const mostInside = 2 ** 31 - 2 ** 20;

/** Alignment of weights in a file of their own, so that they can be mapped into memory. */
const page = 4096;

type Weights = Readonly<Record<string, Tensor>>;

/** One of the model's arrays, produced when it is written. */
interface Stored {
  name: string;
  dims: readonly number[];
  data: () => Float32Array;
}

/**
 * Writes `model.onnx` into a folder, and `model.onnx_data` if the weights do not fit into one protobuf file.
 *
 * Inputs are int64 [batch, sequence]: `input_ids`, `attention_mask` (1 for a token, 0 for padding), and `token_type_ids` if
 * the model has several types. The output is `last_hidden_state`, float32 [batch, sequence, width]. XLM-R counts positions
 * over non-padding tokens, as in transformers.
 *
 * @param inside most bytes of weights in the model's file
 * @returns whether the weights have a file of their own
 */
export async function writeBertOnnx(
  folder: string,
  config: BertConfig,
  weights: Weights,
  inside = mostInside,
): Promise<boolean> {
  const { nodes, small } = bertNodes(config);
  const stored = storedArrays(config, weights);
  const sizes = stored.map(({ dims }) => 4 * dims.reduce((all, dim) => all * dim, 1));
  const beside = sizes.reduce((sum, size) => sum + size, 0) > inside;
  const file = "model.onnx_data";
  let offset = 0;
  const initializers = stored.map(({ name, dims, data }, i): OnnxInitializer => {
    const length = sizes[i] as number;
    const bytes = beside ? { file, offset, length } : bytesOf(data());
    offset += Math.ceil(length / page) * page;
    return { name, type: "float32", dims, bytes };
  });
  const given = ["input_ids", "attention_mask", ...(config.types > 1 ? ["token_type_ids"] : [])];
  const sizesOf = ["batch", "sequence"];
  const pieces = modelPieces(
    {
      nodes,
      inputs: given.map((name) => ({ name, type: "int64", dims: sizesOf })),
      outputs: [{ name: "last_hidden_state", type: "float32", dims: [...sizesOf, config.width] }],
      initializers: [...small, ...initializers],
    },
    operators,
  );
  await mkdir(folder, { recursive: true });
  await pipeline(pieces, createWriteStream(join(folder, "model.onnx")));
  if (beside) await pipeline(paged(stored), createWriteStream(join(folder, file)));
  return beside;
}

/** The arrays in order, each starting on a page boundary. */
function* paged(stored: readonly Stored[]): Generator<Uint8Array> {
  for (const { data } of stored) {
    const bytes = bytesOf(data());
    yield bytes;
    const over = bytes.length % page;
    if (over > 0) yield new Uint8Array(page - over);
  }
}

/** All weights by their own names; matrices of layers as [in, out], for x · W. */
function storedArrays(config: BertConfig, weights: Weights): Stored[] {
  return [...bertShapes(config)].map(([name, shape]) => {
    const data = () => (weights[name] as Tensor).data as Float32Array;
    if (shape.length < 2 || name.startsWith("embeddings.")) return { name, dims: shape, data };
    const [out, inner] = shape as [number, number];
    return { name, dims: [inner, out], data: () => turned(data(), out, inner) };
  });
}

function turned(data: Float32Array, rows: number, columns: number): Float32Array {
  const made = new Float32Array(data.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      made[column * rows + row] = data[row * columns + column] as number;
  return made;
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The graph, and the small constants that it needs in addition to the weights. */
function bertNodes(config: BertConfig): { nodes: OnnxNode[]; small: OnnxInitializer[] } {
  const { width, heads } = config;
  const headWidth = width / heads;
  const nodes: OnnxNode[] = [];
  const small: OnnxInitializer[] = [];
  const node = (
    op: string,
    inputs: string[],
    attributes: Record<string, Attribute> = {},
    output?: string,
  ) => {
    const name = output ?? `${op}_${nodes.length}`;
    nodes.push({ op, domain: "", inputs, outputs: [name], attributes });
    return name;
  };
  const constant = (name: string, type: "int64" | "float32", dims: number[], values: number[]) => {
    const data = type === "int64" ? BigInt64Array.from(values, BigInt) : Float32Array.from(values);
    small.push({ name, type, dims, bytes: bytesOf(data) });
    return name;
  };
  const cast = (value: string, type: "int64" | "float32") =>
    node("Cast", [value], { to: elementTypes[type] });
  const norm = (name: string, x: string, output?: string) =>
    node(
      "LayerNormalization",
      [x, `${name}.weight`, `${name}.bias`],
      { axis: -1, epsilon: { float: config.normEps } },
      output,
    );
  const dense = (name: string, x: string) =>
    node("Add", [node("MatMul", [x, `${name}.weight`]), `${name}.bias`]);

  const one = constant("one", "float32", [], [1]);
  const half = constant("half", "float32", [], [0.5]);
  const rootHalf = constant("root_half", "float32", [], [Math.SQRT1_2]);
  const scale = constant("scale", "float32", [], [1 / Math.sqrt(headWidth)]);
  // 0 copies the input's dimension.
  const split = constant("split_heads", "int64", [4], [0, 0, heads, headWidth]);
  const joined = constant("join_heads", "int64", [3], [0, 0, width]);

  const words = node("Gather", ["embeddings.word_embeddings.weight", "input_ids"]);
  const x0 = node("Add", [node("Add", [words, places()]), types()]);
  const padding = node("Sub", [one, cast("attention_mask", "float32")]);
  const amount = node("Mul", [padding, constant("unseen", "float32", [], [unseen])]);
  const mask = node("Unsqueeze", [amount, constant("mask_axes", "int64", [2], [1, 2])]);
  const headsOf = (value: string, perm: number[]) =>
    node("Transpose", [node("Reshape", [value, split])], { perm });
  const gelu = (value: string) => {
    const share = node("Add", [node("Erf", [node("Mul", [value, rootHalf])]), one]);
    return node("Mul", [node("Mul", [value, share]), half]);
  };

  let x = norm("embeddings.LayerNorm", x0);
  for (let layer = 0; layer < config.layers; layer++) {
    const at = `encoder.layer.${layer}`;
    const q = headsOf(dense(`${at}.attention.self.query`, x), [0, 2, 1, 3]);
    const k = headsOf(dense(`${at}.attention.self.key`, x), [0, 2, 3, 1]);
    const v = headsOf(dense(`${at}.attention.self.value`, x), [0, 2, 1, 3]);
    const scores = node("Add", [node("Mul", [node("MatMul", [q, k]), scale]), mask]);
    const seen = node("MatMul", [node("Softmax", [scores], { axis: -1 }), v]);
    const all = node("Reshape", [node("Transpose", [seen], { perm: [0, 2, 1, 3] }), joined]);
    x = norm(
      `${at}.attention.output.LayerNorm`,
      node("Add", [dense(`${at}.attention.output.dense`, all), x]),
    );
    const neurons = gelu(dense(`${at}.intermediate.dense`, x));
    const output = layer === config.layers - 1 ? "last_hidden_state" : undefined;
    x = norm(`${at}.output.LayerNorm`, node("Add", [dense(`${at}.output.dense`, neurons), x]), output);
  }
  return { nodes, small };

  /** Rows of the position table. */
  function places(): string {
    const table = "embeddings.position_embeddings.weight";
    if (config.architecture === "bert") {
      const length = node("Shape", ["input_ids"], { start: 1, end: 2 });
      const zero = constant("first", "int64", [1], [0]);
      return node("Slice", [table, zero, length, zero]);
    }
    const pad = constant("pad", "int64", [], [config.firstPlace - 1]);
    const real = cast(node("Not", [node("Equal", ["input_ids", pad])]), "int64");
    const counted = node("CumSum", [real, constant("along", "int64", [], [1])]);
    return node("Gather", [table, node("Add", [node("Mul", [counted, real]), pad])]);
  }

  /** Rows of the table of token types; Hone itself gives every token the first type. */
  function types(): string {
    const table = "embeddings.token_type_embeddings.weight";
    return node("Gather", [table, config.types > 1 ? "token_type_ids" : constant("type", "int64", [], [0])]);
  }
}
