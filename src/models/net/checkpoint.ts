// `net:file:FOLDER`: a published mixture of experts, in the layout of deepseek-moe-16b, as a subject that scores texts.

import { readFile, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { HoneError, messageOf } from "../../core/errors.js";
import { fingerprint } from "../../core/json.js";
import { usableMemory } from "../../core/memory.js";
import { tensorShapes } from "../../nets/config.js";
import { deepseekFiles, loadDeepseek, readDeepseekConfig } from "../../nets/deepseek.js";
import type { SayingNet } from "../../nets/text/saying.js";
import { type NetModel, netModel, sayer } from "../../nets/text/subject.js";
import { sha256Of } from "../llama/hash.js";

/** Tokens read together; a longer text is read in pieces of this length, each without its preceding context. */
const longest = 512;

/**
 * Opens a checkpoint's folder: config.json, safetensors, tokenizer.json and tokenizer_config.json. Its weights become float32 and are
 * read with the first text.
 *
 * @throws HoneError for a folder of another layout, and if the weights are larger than the machine's memory
 */
export async function openCheckpoint(folder: string): Promise<NetModel> {
  const whole = await readDeepseekConfig(folder);
  const config = { ...whole, context: Math.min(whole.context, longest) };
  let numbers = 0;
  for (const shape of tensorShapes(config).values()) numbers += shape.reduce((a, b) => a * b, 1);
  if (4 * numbers > usableMemory()) {
    throw new HoneError({
      what: "The checkpoint does not fit this machine",
      where: folder,
      why: `its ${(numbers / 1e9).toFixed(1)} billion weights take ${gigabytes(4 * numbers)} as float32, and there are ${gigabytes(usableMemory())}`,
      next: "Serve it elsewhere and name it `openai:`, or take a smaller one.",
      kind: "usage",
    });
  }
  const files = await deepseekFiles(folder);
  const tokenizerFile = join(folder, "tokenizer.json");
  const hashes = [];
  for (const file of [join(folder, "config.json"), tokenizerFile, ...files]) {
    await stat(file).catch((error) => {
      throw unreadable(file, messageOf(error));
    });
    hashes.push(await sha256Of(file));
  }
  const id = `net:${fingerprint(hashes)}`;
  const load = async (): Promise<SayingNet> => ({
    config,
    tokenizer: await readTokenizer(folder),
    weights: await loadDeepseek(folder, config),
  });
  const { layers, width, heads, hidden, context } = config;
  const name = basename(resolve(folder));
  return netModel({
    id,
    name,
    // No gradients: training starts from nets that Hone makes.
    grants: new Set(["weights"]),
    sizes: { layers, width, heads, hidden, context },
    begin: (model) => {
      let net: Promise<SayingNet> | undefined;
      return sayer(model, name, id, () => {
        net ??= load();
        return net;
      });
    },
  });
}

async function readTokenizer(folder: string): Promise<SayingNet["tokenizer"]> {
  const { Tokenizer } = await import("@huggingface/tokenizers");
  const read = async (name: string): Promise<Record<string, unknown>> => {
    try {
      return JSON.parse(await readFile(join(folder, name), "utf8"));
    } catch (error) {
      throw unreadable(join(folder, name), messageOf(error));
    }
  };
  const { bos_token_id: begin } = await read("config.json");
  if (typeof begin !== "number") throw unreadable(join(folder, "config.json"), "it names no bos_token_id");
  const tokenizer = new Tokenizer(await read("tokenizer.json"), await read("tokenizer_config.json"));
  return { begin, encode: (text) => tokenizer.encode(text, { add_special_tokens: false }).ids };
}

const gigabytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

function unreadable(where: string, why: string): HoneError {
  return new HoneError({
    what: "Cannot read a file of the checkpoint",
    where,
    why,
    next: "Name a folder with config.json, safetensors files, tokenizer.json and tokenizer_config.json.",
    kind: "usage",
  });
}
