// Runs transformers.js on a folder with an encoder: token ids of each text, and vectors in batches of several lengths.
// Usage:
//   node transformersjs.mjs PACKAGES FOLDER TEXTS.json ANSWER.json    (PACKAGES has node_modules/@huggingface/transformers)

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

const [packages, folder, path, answer] = process.argv.slice(2);
const entry = createRequire(join(packages, "from-here.js")).resolve("@huggingface/transformers");
const { env, pipeline } = await import(pathToFileURL(entry).href);
env.allowRemoteModels = false;
env.localModelPath = dirname(folder);

const texts = JSON.parse(readFileSync(path, "utf8"));
const embed = await pipeline("feature-extraction", basename(folder), {
  dtype: "fp32",
  session_options: { intraOpNumThreads: 1 },
});
const tokens = texts.map((text) => Array.from(embed.tokenizer(text).input_ids.data, Number));
const vectors = [];
for (let start = 0; start < texts.length; start += 7) {
  const found = await embed(texts.slice(start, start + 7), { pooling: "mean", normalize: true });
  vectors.push(...found.tolist());
}
writeFileSync(answer, JSON.stringify({ tokens, vectors }));
await embed.dispose();
