// Language modelling on texts in domains: bits per byte of each document, weighted by its bytes, so that two models
// with different vocabularies can be compared on paired documents. A sample's gold is its domain, which no subject
// sees.

import { z } from "zod";
import { HoneError } from "../core/errors.js";
import { fingerprint } from "../core/json.js";
import { quantity } from "../core/metric.js";
import type { Sample } from "../core/sample.js";
import type { Grade, Task } from "../core/task.js";
import type { TextReply } from "../core/text.js";
import { hasNet } from "../models/net/types.js";
import { rows, taskEntry } from "./table.js";

const corpusSchema = z.strictObject({
  kind: z
    .literal("corpus")
    .describe("Language modelling on texts, scored in bits per byte; the data's `label` is a text's domain"),
  bytes: z
    .int()
    .min(16)
    .max(1 << 20)
    .default(1 << 20)
    .describe("Longer texts are cut to this many bytes"),
  subjects: z
    .enum(["text", "encoder"])
    .default("text")
    .describe("`encoder` measures an encoder built on a decoder: how well it still models language"),
});

type Spec = z.input<typeof corpusSchema>;

/**
 * A language-modelling task.
 *
 * @example
 * const task = corpus("texts", { kind: "corpus", bytes: 2048 });
 */
export function corpus(name: string, options: Spec & { subjects?: "text" }): Task<"text">;
export function corpus(name: string, options: Spec): Task<"text"> | Task<"encoder">;
export function corpus(name: string, options: Spec): Task<"text"> | Task<"encoder"> {
  const { subjects, ...spec } = corpusSchema.parse(options);
  const task = {
    name,
    kind: "corpus",
    metric: quantity("bits per byte"),
    details: [quantity("bits per token"), quantity("bytes per token"), quantity("bytes")],
    binary: false,
    id: fingerprint(["corpus", 1, name, spec, ...(subjects === "text" ? [] : [subjects])]),
  };
  const said = ({ input }: Sample) => firstBytes(input, spec.bytes);
  if (subjects === "text") {
    return {
      ...task,
      subjects,
      evaluate: async (subject, sample, context) =>
        gradeOf(await subject.respond({ text: said(sample) }, context)),
    };
  }
  return {
    ...task,
    subjects,
    async evaluate({ name, model }, sample, { signal }) {
      const [reply] = (hasNet(model) && (await model.say?.([said(sample)], signal))) || [];
      if (reply) return gradeOf(reply);
      throw new HoneError({
        what: `${name} cannot score a text`,
        where: `the task ${task.name}`,
        why: "it is not built on a decoder whose network Hone can run",
        next: "Take encoder:gemma3-270m, or leave the task out.",
        kind: "usage",
      });
    },
  };
}

function gradeOf({ nats, tokens, bytes }: TextReply): Grade {
  const bits = nats / Math.LN2;
  // Further digits are float32 rounding error.
  const score = Math.round((1e5 * bits) / bytes) / 1e5;
  return {
    status: "scored",
    score,
    weight: bytes,
    prediction: score.toFixed(3),
    details: { "bits per token": bits / tokens, "bytes per token": bytes / tokens, bytes },
  };
}

export const corpusTask = taskEntry({ options: corpusSchema, data: rows, make: corpus });

/** The longest beginning of a text that takes at most `most` bytes, in whole characters. */
export function firstBytes(text: string, most: number): string {
  const all = Buffer.from(text, "utf8");
  if (all.length <= most) return text;
  let end = most;
  while (end > 0 && ((all[end] as number) & 0xc0) === 0x80) end--;
  return all.subarray(0, end).toString("utf8");
}
