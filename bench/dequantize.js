// Times the conversion of a GGUF file's weights to float32. `node bench/dequantize.js MODEL.gguf …` prints weights per
// second; with --hash it prints a SHA-256 of each tensor's weights instead, to be compared with
// dequantize_reference.py's.

import { createHash } from "node:crypto";
import { ggmlTypes, readGguf } from "../dist/tensor/gguf.js";
import { readTensor } from "../dist/tensor/gguf-tensors.js";

const [first, ...rest] = process.argv.slice(2);
const hashing = first === "--hash";
for (const path of hashing ? rest : [first, ...rest]) {
  const gguf = readGguf(path);
  const started = performance.now();
  const byType = new Map();
  let count = 0;
  for (const { name, type } of gguf.tensors) {
    const before = performance.now();
    const { shape, data } = await readTensor(gguf, name);
    const typeName = ggmlTypes[type][0];
    if (hashing) {
      const digest = createHash("sha256").update(new Uint8Array(data.buffer)).digest("hex");
      console.log(digest, name, typeName, `[${shape.join(", ")}]`);
    }
    const entry = byType.get(typeName) ?? { weights: 0, ms: 0 };
    byType.set(typeName, {
      weights: entry.weights + data.length,
      ms: entry.ms + performance.now() - before,
    });
    count += data.length;
  }
  if (hashing) continue;
  const seconds = (performance.now() - started) / 1000;
  console.log(
    `${(count / 1e6).toFixed(1)} million weights in ${seconds.toFixed(2)} s, file cached by the system`,
  );
  for (const [type, { weights, ms }] of byType) {
    console.log(
      `  ${type}: ${(weights / 1e6).toFixed(1)} million, ${(weights / 1e6 / (ms / 1000)).toFixed(0)} million/s`,
    );
  }
}
