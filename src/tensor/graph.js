// The graph under construction: nodes, constants, and the two movements (reshape, transpose) done as cheaply as ONNX
// Runtime can. Equal nodes are made once.
import { elementTypes, encodeModel } from "./onnx.js";
export class Graph {
  nodes = [];
  constants = new Map();
  known = new Map();
  made = new Map();
  inputs = [];
  outputs = [];
  count = 0;
  /** Bytes of all values that nodes give, were they all there at once. */
  get bytes() {
    return this.nodes.reduce(
      (sum, { outputs }) =>
        sum + outputs.reduce((all, name) => all + 4 * product(this.known.get(name)?.dims ?? []), 0),
      0,
    );
  }
  /** How many nodes were made. */
  get size() {
    return this.nodes.length;
  }
  /** Declares an input of the program. */
  input(name, type, dims) {
    this.inputs.push({ name, type, dims });
    this.known.set(name, { type, dims, root: name });
    return name;
  }
  /** Declares an output; the value is renamed through Identity, so that inputs and repeated outputs may be outputs. */
  output(name, value) {
    const { type, dims } = this.of(value);
    this.nodes.push({ op: "Identity", domain: "", inputs: [value], outputs: [name], attributes: {} });
    this.outputs.push({ name, type, dims });
  }
  /** A node with one output. An equal node that is there already is taken instead. */
  node(op, inputs, type, dims, options = {}) {
    return this.nodeOf(op, inputs, [{ type, dims }], options)[0];
  }
  /** A node with several outputs. */
  nodeOf(op, inputs, results, { attributes = {}, domain = "" } = {}) {
    const key = JSON.stringify([op, inputs, attributes, results]);
    const first = this.made.get(key);
    if (first !== undefined) return results.map((_, i) => `${first}.${i}`);
    const base = `v${this.count++}`;
    this.made.set(key, base);
    const outputs = results.map((_, i) => `${base}.${i}`);
    this.nodes.push({ op, domain, inputs, outputs, attributes });
    for (const [i, { type, dims }] of results.entries()) {
      const name = outputs[i];
      this.known.set(name, { type, dims, root: name });
    }
    return outputs;
  }
  /** A constant; small ones with the same contents are one. */
  constant(type, dims, data) {
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
  /** Zeros that take no room in the file. */
  zeros(type, dims) {
    if (type === "float32") return this.node("ConstantOfShape", [this.integers(dims)], type, dims);
    const shaped = this.node("ConstantOfShape", [this.integers(dims)], "float32", dims);
    return this.node("Cast", [shaped], type, dims, { attributes: { to: elementTypes[type] } });
  }
  /** A list of 64-bit integers, as shapes and axes are given. */
  integers(values) {
    return this.constant("int64", [values.length], BigInt64Array.from(values, BigInt));
  }
  dims(name) {
    return this.of(name).dims;
  }
  type(name) {
    return this.of(name).type;
  }
  /** The same elements with other dimensions. */
  reshape(name, dims) {
    const known = this.of(name);
    if (equal(known.dims, dims)) return name;
    const root = this.of(known.root);
    if (equal(root.dims, dims)) return known.root;
    // ONNX reads 0 as "as before" unless it is told not to.
    const attributes = dims.includes(0) ? { allowzero: 1 } : {};
    const made = this.node("Reshape", [known.root, this.integers(dims)], known.type, dims, { attributes });
    this.known.get(made).root = known.root;
    return made;
  }
  /**
   * Transposes a value that is read as having `dims`, none of them 1. Axes that stay together are moved as one: ONNX
   * Runtime's transposition is slow in many dimensions and fast in two.
   */
  transpose(name, dims, perm) {
    const runs = [];
    for (const axis of perm) {
      const run = runs.at(-1);
      if (run && run.at(-1) === axis - 1) run.push(axis);
      else runs.push([axis]);
    }
    const order = [...runs.keys()].sort((a, b) => runs[a]?.[0] - runs[b]?.[0]);
    const size = (run) => product(run.map((axis) => dims[axis]));
    const moved = runs.map((_, i) => order.indexOf(i));
    const from = this.reshape(
      name,
      order.map((i) => size(runs[i])),
    );
    if (runs.length === 1) return from;
    return this.node("Transpose", [from], this.type(name), runs.map(size), { attributes: { perm: moved } });
  }
  /** The model as bytes, with the nodes that an output needs and no others. */
  encode() {
    const needed = new Set(this.outputs.map(({ name }) => name));
    const live = [];
    for (let i = this.nodes.length - 1; i >= 0; i--) {
      const node = this.nodes[i];
      if (!node.outputs.some((name) => needed.has(name))) continue;
      live.push(node);
      for (const name of node.inputs) needed.add(name);
    }
    return encodeModel({
      nodes: live.reverse(),
      inputs: this.inputs,
      outputs: this.outputs,
      initializers: [...this.constants]
        .filter(([name]) => needed.has(name))
        .map(([name, constant]) => ({ name, ...constant })),
    });
  }
  of(name) {
    return this.known.get(name);
  }
}
export function product(dims) {
  return dims.reduce((all, dim) => all * dim, 1);
}
export function equal(a, b) {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}
