// POST /v1/embeddings: vectors of texts, as numbers or as base64 of little-endian 32-bit floats.

import type { z } from "zod";
import type { embeddingSchema } from "./asked.js";
import { Problem } from "./problem.js";
import type { Served } from "./served.js";
import type { Usage } from "./write.js";

export async function embeddings(
  { embeds, id }: Served,
  asked: z.infer<typeof embeddingSchema>,
  signal: AbortSignal,
): Promise<{ body: object; usage: Usage }> {
  if (!embeds) throw new Problem(400, `${id} gives no embeddings.`, { param: "model", code: "unsupported" });
  const texts = [asked.input].flat();
  if (!texts.every((text): text is string => typeof text === "string"))
    throw new Problem(400, "Send text: this server takes no token ids for embeddings.", {
      param: "input",
      code: "unsupported",
    });
  const empty = texts.indexOf("");
  if (empty >= 0) throw new Problem(400, `Text ${empty + 1} is empty.`, { param: "input" });
  const { vectors, cost } = await embeds.embed(texts, { signal });
  const length = vectors[0]?.length ?? 0;
  if (asked.dimensions != null && asked.dimensions !== length)
    throw new Problem(400, `The vectors of ${id} have ${length} numbers and cannot be cut.`, {
      param: "dimensions",
      code: "unsupported",
    });
  const written = (vector: readonly number[]) =>
    asked.encoding_format === "base64"
      ? Buffer.from(Float32Array.from(vector).buffer).toString("base64")
      : vector;
  const usage = { prompt_tokens: cost.inputTokens, completion_tokens: 0, total_tokens: cost.inputTokens };
  return {
    body: {
      object: "list",
      data: vectors.map((vector, index) => ({ object: "embedding", index, embedding: written(vector) })),
      model: asked.model,
      usage: { prompt_tokens: usage.prompt_tokens, total_tokens: usage.total_tokens },
    },
    usage,
  };
}
