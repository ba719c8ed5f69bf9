import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import { openLlama } from "../../src/models/llama.js";
import { readGguf } from "../../src/tensor/gguf.js";
import { ggufBytes, type Made, tinyLlama, withValue } from "./llama-make.js";

const folder = mkdtempSync(join(tmpdir(), "hone-gguf-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const context = { signal: new AbortController().signal };

let written = 0;
function file(bytes: Buffer | Made): string {
  const path = join(folder, `${written++}.gguf`);
  writeFileSync(path, Buffer.isBuffer(bytes) ? bytes : ggufBytes(bytes));
  return path;
}

async function failure(path: string): Promise<string> {
  const error = await openLlama(path, { threads: 1 })
    .then(async (model) => {
      await model.generate(
        {
          messages: [{ role: "user", content: "ab" }],
          format: "plain",
          maxTokens: 2,
          temperature: 0,
          seed: 1,
        },
        context,
      );
      await model.close();
    })
    .catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(HoneError);
  expect((error as HoneError).failure.where).toContain(path);
  expect((error as HoneError).failure.next).toBeTruthy();
  return (error as HoneError).message;
}

describe("a small valid file", () => {
  it("loads, scores and agrees with itself", async () => {
    const model = await openLlama(file(tinyLlama()), { threads: 1 });
    expect(model.contextTokens).toBe(256);
    const request = {
      messages: [{ role: "user", content: "abcd and more" }],
      format: "plain",
      options: ["ab", "abx", "cd!?", "z"],
    } as const;
    const all = await model.score(request, context);
    // BOS, ab, cd, then one token a byte; ab, then ab+x, cd+!+?, z.
    expect(all.cost.inputTokens).toBe(3 + 9 + 1 + 2 + 3 + 1);
    expect(all.options.map((option) => option.tokens)).toEqual([1, 2, 3, 1]);
    for (const [i, option] of request.options.entries()) {
      const alone = await model.score({ ...request, options: [option] }, context);
      expect(alone.options[0]).toEqual(all.options[i]);
    }
    await model.close();
  });

  it("gives probabilities that sum to one over the vocabulary", async () => {
    const model = await openLlama(file(tinyLlama()), { threads: 1 });
    const printable = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i));
    const scored = await model.score(
      { messages: [{ role: "user", content: "x" }], format: "plain", options: [...printable, "ab", "cd"] },
      context,
    );
    const mass = scored.options.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0);
    expect(mass).toBeGreaterThan(0.2);
    expect(mass).toBeLessThan(1);
    await model.close();
  });
});

describe("broken files are one error that names the place", () => {
  const tiny = tinyLlama();
  const whole = ggufBytes(tiny);
  const tensor = (change: Partial<Made["tensors"][number]>): Made => ({
    ...tiny,
    tensors: tiny.tensors.map((one, i) => (i === 3 ? { ...one, ...change } : one)),
  });
  const u32 = (value: number) => ({ type: "u32", value }) as const;
  const cases: [name: string, bytes: Buffer | Made, why: RegExp][] = [
    ["an empty file", Buffer.alloc(0), /ends inside the magic/],
    ["text", Buffer.from("not a model at all, only words"), /starts with "not "/],
    ["safetensors", Buffer.from('\x10\0\0\0\0\0\0\0{"a":1}', "latin1"), /where a GGUF file has "GGUF"/],
    ["cut in the header", whole.subarray(0, 500), /ends inside/],
    ["cut in the weights", whole.subarray(0, whole.length - 500), /cut short/],
    ["version 1", { ...tiny, version: 1 }, /version is 1/],
    ["big-endian", { ...tiny, version: 0x03000000 }, /big-endian/],
    ["more tensors than bytes", { ...tiny, tensorCount: 2n ** 40n }, /claims 1099511627776 tensors/],
    ["a negative count", { ...tiny, tensorCount: 2n ** 64n - 1n }, /no file can hold/],
    ["more entries than bytes", { ...tiny, entryCount: 10n ** 9n }, /claims 1000000000 metadata/],
    ["one entry too many", { ...tiny, entryCount: BigInt(tiny.metadata.length + 1) }, /byte \d+/],
    [
      "a key twice",
      { ...tiny, metadata: [...tiny.metadata, tiny.metadata[0] as Made["metadata"][0]] },
      /twice/,
    ],
    ["no architecture", withValue(tiny, "general.architecture", undefined), /general\.architecture/],
    [
      "an unknown architecture",
      {
        ...tiny,
        metadata: tiny.metadata.map(([k, v]) => [
          k.replace("llama.", "abacus."),
          k === "general.architecture" ? { type: "string", value: "abacus" } : v,
        ]),
      },
      /abacus/,
    ],
    [
      "the first of several parts",
      withValue(withValue(tiny, "split.count", u32(3)), "llama.block_count", u32(2)),
      /part 1 of 3[\s\S]*llama-gguf-split --merge/,
    ],
    [
      "a later part",
      {
        ...tiny,
        metadata: [
          ["split.no", u32(1)],
          ["split.count", u32(3)],
        ],
      },
      /part 2 of 3/,
    ],
    ["a crooked alignment", withValue(tiny, "general.alignment", u32(33)), /alignment is 33/],
    ["a tensor of unknown type", tensor({ type: 99 }), /unknown type 99/],
    ["a tensor beyond the end", tensor({ offset: 2 ** 40 }), /should end at byte/],
    ["a tensor off the alignment", tensor({ offset: 7 }), /off the alignment/],
    ["a tensor of impossible shape", tensor({ shape: [2 ** 40, 2 ** 40] }), /impossible shape/],
    ["a tensor of no length", tensor({ shape: [0] }), /impossible shape/],
    [
      "a tensor that does not fill its blocks",
      tensor({ shape: [33, 4], type: 8 }),
      /do not fill blocks of Q8_0/,
    ],
    ["a tensor of five dimensions", tensor({ shape: [1, 1, 1, 1, 1] }), /5 dimensions/],
    ["a tensor twice", tensor({ name: "output_norm.weight" }), /occurs twice/],
    ["a tensor missing", { ...tiny, tensors: tiny.tensors.filter((_, i) => i !== 3) }, /attn_q|missing|load/],
    ["a tensor of the wrong shape", tensor({ shape: [16, 64] }), /shape|load/],
    ["no layers", withValue(tiny, "llama.block_count", u32(0)), /0 layers/],
    ["a layer too many", withValue(tiny, "llama.block_count", u32(2)), /no tensor of layer 1/],
    ["no heads", withValue(tiny, "llama.attention.head_count", u32(0)), /no attention heads/],
    ["heads that do not divide", withValue(tiny, "llama.attention.head_count", u32(5)), /do not divide/],
    ["another width", withValue(tiny, "llama.embedding_length", u32(64)), /32 wide/],
    ["no vocabulary", withValue(tiny, "tokenizer.ggml.tokens", undefined), /no vocabulary/],
    [
      "a short vocabulary",
      withValue(tiny, "tokenizer.ggml.tokens", { type: "strings", value: ["a"] }),
      /has 1 tokens/,
    ],
    [
      "token types cut",
      withValue(tiny, "tokenizer.ggml.token_type", { type: "i32s", value: [1] }),
      /one entry a token/,
    ],
    [
      "an end token outside",
      withValue(tiny, "tokenizer.ggml.eos_token_id", u32(5000)),
      /outside a vocabulary/,
    ],
    [
      "weights that are not numbers",
      tensor({ data: Buffer.from(new Float32Array(32 * 32).fill(Number.NaN).buffer) }),
      /load/,
    ],
  ];
  it.each(cases)("%s", async (_name, bytes, why) => {
    expect(await failure(file(bytes))).toMatch(why);
  });

  it("a folder, and a file that is not there", async () => {
    expect(await failure(folder)).toMatch(/not a regular file/);
    expect(await failure(join(folder, "absent.gguf"))).toMatch(/ENOENT/);
  });

  it("any single byte changed in the header is an error or a readable file, quickly", () => {
    const header = whole.length - tiny.tensors.reduce((sum, { data }) => sum + data.length, 0);
    for (let at = 0; at < header; at += 7) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] as number) ^ 0xff;
      const path = file(bytes);
      try {
        readGguf(path);
      } catch (error) {
        expect(error).toBeInstanceOf(HoneError);
      }
      rmSync(path);
    }
  });
});
