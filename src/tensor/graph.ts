// The ONNX graph under construction: nodes, constants, and the two data movements (reshape, transpose) done as cheaply as
// ONNX Runtime can. Equal nodes are created once.

import {
  type Attribute,
  type ElementType,
  elementTypes,
  encodeModel,
  type OnnxNode,
  type OnnxValue,
} from "./onnx.js";

interface Known {
  type: ElementType;
  dims: readonly number[];
  /** The value that it is a reshape of: reshapes never chain. */
  root: string;
}

export interface NodeOptions {
  attributes?: Readonly<Record<string, Attribute>>;
  domain?: string;
  /** Multiplications and additions of a matrix product that the node represents; counted from its operands if omitted. */
  flops?: number;
  /** Whether its results' sizes are known only at run time. */
  dynamic?: boolean;
}

export class Graph {
  private readonly nodes: OnnxNode[] = [];
  private readonly constants = new Map<
    string,
    { type: ElementType; dims: readonly number[]; bytes: Uint8Array }
  >();
  private readonly known = new Map<string, Known>();
  private readonly made = new Map<string, string>();
  private readonly inputs: OnnxValue[] = [];
  private readonly outputs: OnnxValue[] = [];
  private readonly work = new Map<OnnxNode, number>();
  private readonly makers = new Map<string, OnnxNode>();
  private readonly cut = new Map<string, string[]>();
  private count = 0;
  /** Whether some values' sizes are known only at run time. */
  dynamic = false;

  /** Bytes of all needed values, if all were in memory at once. */
  get bytes(): number {
    return this.live().reduce(
      (sum, { outputs }) =>
        sum + outputs.reduce((all, name) => all + 4 * product(this.known.get(name)?.dims ?? []), 0),
      0,
    );
  }

  /** Number of nodes created. */
  get size(): number {
    return this.nodes.length;
  }

  /** Number of nodes that an output needs. */
  get needed(): number {
    return this.live().length;
  }

  /** Multiplications and additions of all matrix products that are needed. */
  get flops(): number {
    return this.live().reduce((sum, node) => sum + (this.work.get(node) ?? 0), 0);
  }

  /** Declares an input of the program. */
  input(name: string, type: ElementType, dims: readonly number[]): string {
    this.inputs.push({ name, type, dims });
    this.known.set(name, { type, dims, root: name });
    return name;
  }

  /**
   * An input that is fed in equal parts along its first axis, each a value of `dims`, because splitting it at run time would copy
   * it. Undefined if the value is not an input.
   */
  inputParts(value: string, count: number, dims: readonly number[]): readonly string[] | undefined {
    const { root, type } = this.of(value);
    if (!this.inputs.some(({ name }) => name === root)) return undefined;
    const known = this.cut.get(root);
    if (known) return known.length === count ? known : undefined;
    const parts = Array.from({ length: count }, (_, i) => this.input(`${root}.${i}`, type, dims));
    this.cut.set(root, parts);
    return parts;
  }

  /** For each input, whether an output needs it whole, and the names of its parts if an output needs them. */
  feeds(names: readonly string[]): { name: string; whole: boolean; parts: readonly string[] }[] {
    const needed = this.reads();
    return names.map((name) => {
      const parts = this.cut.get(name) ?? [];
      return { name, whole: needed.has(name), parts: parts.some((part) => needed.has(part)) ? parts : [] };
    });
  }

  /** Declares an output; the value is renamed through Identity, so that inputs and repeated outputs may be outputs. */
  output(name: string, value: string): void {
    const { type, dims } = this.of(value);
    this.nodes.push({ op: "Identity", domain: "", inputs: [value], outputs: [name], attributes: {} });
    this.outputs.push({ name, type, dims });
  }

  /**
   * Declares an output [n, ...] in parts if the value is a concatenation of n values [...]: the caller provides adjacent memory for
   * them, and nothing is copied. Returns the parts' names; none if the value is not such a concatenation and is output whole.
   */
  outputParts(name: string, value: string): readonly string[] {
    const maker = this.makers.get(this.of(value).root);
    const parts = maker?.op === "Concat" && maker.attributes.axis === 0 ? maker.inputs : [];
    const [count, ...own] = this.dims(value);
    if (parts.length < 2 || parts.length !== count || !parts.every((part) => equal(this.dims(part), own))) {
      this.output(name, value);
      return [];
    }
    return parts.map((part, i) => {
      this.output(`${name}.${i}`, part);
      return `${name}.${i}`;
    });
  }

  /** Adds a node with one output, or reuses an equal node. */
  node(
    op: string,
    inputs: readonly string[],
    type: ElementType,
    dims: readonly number[],
    options: NodeOptions = {},
  ): string {
    return this.nodeOf(op, inputs, [{ type, dims }], options)[0] as string;
  }

  /** Adds a node with several outputs. */
  nodeOf(
    op: string,
    inputs: readonly string[],
    results: readonly { type: ElementType; dims: readonly number[] }[],
    { attributes = {}, domain = "", flops, dynamic = false }: NodeOptions = {},
  ): string[] {
    const key = JSON.stringify([op, inputs, attributes, results]);
    const first = this.made.get(key);
    if (first !== undefined) return results.map((_, i) => `${first}.${i}`);
    const base = `v${this.count++}`;
    this.made.set(key, base);
    const outputs = results.map((_, i) => `${base}.${i}`);
    const node = { op, domain, inputs, outputs, attributes };
    this.nodes.push(node);
    this.dynamic ||= dynamic;
    if (flops !== undefined) this.work.set(node, flops);
    else if (op === "MatMul" || op === "FusedMatMul") {
      const [left] = inputs.map((name) => this.dims(name)) as [readonly number[]];
      const inner = left.at(attributes.transA === 1 ? -2 : -1) as number;
      this.work.set(node, 2 * inner * product(results[0]?.dims ?? []));
    }
    for (const [i, { type, dims }] of results.entries()) {
      const name = outputs[i] as string;
      this.known.set(name, { type, dims, root: name });
      this.makers.set(name, node);
    }
    return outputs;
  }

  /** A constant; small ones with the same contents are shared. */
  constant(type: ElementType, dims: readonly number[], data: ArrayBufferView): string {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const key = `const:${type}:${dims}:${bytes.length > 256 ? `#${this.count++}` : Buffer.from(bytes).toString("base64")}`;
    const known = this.made.get(key);
    if (known !== undefined) return known;
    const name = `c${this.count++}`;
    this.made.set(key, name);
    this.constants.set(name, { type, dims, bytes });
    this.known.set(name, { type, dims, root: name });
    return name;
  }

  /** Zeros that take no space in the file. */
  zeros(type: ElementType, dims: readonly number[]): string {
    if (type === "float32") return this.node("ConstantOfShape", [this.integers(dims)], type, dims);
    const shaped = this.node("ConstantOfShape", [this.integers(dims)], "float32", dims);
    return this.node("Cast", [shaped], type, dims, { attributes: { to: elementTypes[type] } });
  }

  /** A list of 64-bit integers, as shapes and axes are given. */
  integers(values: readonly number[]): string {
    return this.constant("int64", [values.length], BigInt64Array.from(values, BigInt));
  }

  dims(name: string): readonly number[] {
    return this.of(name).dims;
  }

  type(name: string): ElementType {
    return this.of(name).type;
  }

  /** The same elements with other dimensions. */
  reshape(name: string, dims: readonly number[]): string {
    const known = this.of(name);
    if (equal(known.dims, dims)) return name;
    const root = this.of(known.root);
    if (equal(root.dims, dims)) return known.root;
    // ONNX reads 0 as "copy the input's dimension" unless `allowzero` is set.
    const attributes = dims.includes(0) ? { allowzero: 1 } : {};
    const made = this.node("Reshape", [known.root, this.integers(dims)], known.type, dims, { attributes });
    (this.known.get(made) as Known).root = known.root;
    return made;
  }

  /**
   * Transposes a value that is read as having `dims`, none of them 1. Axes that stay together are moved as one: ONNX
   * Runtime's Transpose is slow in many dimensions and fast in two.
   */
  transpose(name: string, dims: readonly number[], perm: readonly number[]): string {
    const runs: number[][] = [];
    for (const axis of perm) {
      const run = runs.at(-1);
      if (run && run.at(-1) === axis - 1) run.push(axis);
      else runs.push([axis]);
    }
    const order = [...runs.keys()].sort((a, b) => (runs[a]?.[0] as number) - (runs[b]?.[0] as number));
    const size = (run: readonly number[]) => product(run.map((axis) => dims[axis] as number));
    const moved = runs.map((_, i) => order.indexOf(i));
    const from = this.reshape(
      name,
      order.map((i) => size(runs[i] as number[])),
    );
    if (runs.length === 1) return from;
    return this.node("Transpose", [from], this.type(name), runs.map(size), { attributes: { perm: moved } });
  }

  /** The nodes that an output needs. */
  private live(needed = new Set(this.outputs.map(({ name }) => name))): OnnxNode[] {
    const live: OnnxNode[] = [];
    for (let i = this.nodes.length - 1; i >= 0; i--) {
      const node = this.nodes[i] as OnnxNode;
      if (!node.outputs.some((name) => needed.has(name))) continue;
      live.push(node);
      for (const name of node.inputs) needed.add(name);
    }
    return live.reverse();
  }

  /** Names that an output needs. */
  private reads(): Set<string> {
    const needed = new Set(this.outputs.map(({ name }) => name));
    this.live(needed);
    return needed;
  }

  /** The model as bytes, with only the inputs and nodes that an output needs. */
  encode(): Uint8Array {
    const needed = this.reads();
    return encodeModel({
      nodes: this.live(),
      inputs: this.inputs.filter(({ name }) => needed.has(name)),
      outputs: this.outputs,
      initializers: [...this.constants]
        .filter(([name]) => needed.has(name))
        .map(([name, constant]) => ({ name, ...constant })),
    });
  }

  private of(name: string): Known {
    return this.known.get(name) as Known;
  }
}

export function product(dims: readonly number[]): number {
  return dims.reduce((all, dim) => all * dim, 1);
}

export function equal(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
