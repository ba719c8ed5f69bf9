// Encoders written for other libraries: these read as much of a text as Hone does, and nothing is written from which they would
// compute other vectors.

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";
import { type NetChoice, openBertFolder } from "../../src/models/net/open.js";
import { keepTrained, requireWritable } from "../../src/specializers/training/contrastive/kept.js";

const folder = mkdtempSync(join(tmpdir(), "hone-kept-"));
afterAll(() => rmSync(folder, { recursive: true }));
const fixture = fileURLToPath(new URL("../nets/fixtures/xlmr", import.meta.url));
const opened = (choice: Partial<NetChoice>) =>
  openBertFolder(fixture, { name: "tiny", threads: 1, ...choice });

it("reads as many pieces elsewhere as here", async () => {
  const encoder = await opened({ maxPieces: 12 });
  const kept = join(folder, "pieces");
  await keepTrained(kept, encoder, { kind: "full" }, {});
  const written = (name: string) => JSON.parse(readFileSync(join(kept, "encoder", name), "utf8"));
  expect(written("sentence_bert_config.json").max_seq_length).toBe(12);
  expect(written("tokenizer_config.json").model_max_length).toBe(12);
  await encoder.close();
});

it("is not written where others would compute other vectors, and refused where that is asked for", async () => {
  const asked = { name: "lexical", write: true };
  for (const [at, choice, why] of [
    ["own", { pool: "own" }, /leave out markers/],
    ["embeddings", { layer: 0 }, /of the embeddings/],
  ] as const) {
    const encoder = await opened(choice);
    await keepTrained(join(folder, at), encoder, { kind: "full" }, {});
    expect(existsSync(join(folder, at, "trained.json"))).toBe(true);
    expect(existsSync(join(folder, at, "encoder"))).toBe(false);
    expect(() => requireWritable(encoder, asked)).toThrow(why);
    expect(() => requireWritable(encoder, { ...asked, write: undefined })).not.toThrow();
    // A decoder's states below its last layer, which transformers would normalize.
    const decoder = {
      ...encoder,
      pool: "all",
      layer: 1,
      net: { ...encoder.net, family: "decoder" },
    } as const;
    expect(() => requireWritable(decoder, asked)).toThrow(/normalizes the states/);
    expect(() => requireWritable({ ...decoder, layer: encoder.net.layers }, asked)).not.toThrow();
    await encoder.close();
  }
});
