// Builds small safetensors files byte by byte, right or wrong on purpose.

/** A header, as an object or as the text itself, and the tensors' bytes. */
export function safetensorsBytes(header: object | string, data: Buffer): Buffer {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data]);
}
