// Choice by an encoder: the option whose vector is nearest to the text's, scored 1 or 0. The simplest encoder task, on the
// same data as `choice`: zero-shot classification by sentence vectors.

import { z } from "zod";
import { fingerprint } from "../core/json.js";
import type { EncoderSubject } from "../core/kinds.js";
import { share } from "../core/metric.js";
import type { Sample } from "../core/sample.js";
import type { Grade, Task, TaskContext } from "../core/task.js";
import { optionsIn } from "./choice.js";
import { type Labels, rows, taskEntry } from "./table.js";

const nearestSchema = z.strictObject({
  kind: z
    .literal("nearest")
    .describe("Classification by the option nearest to the text in an encoder's space"),
  option: z
    .string()
    .includes("{{option}}")
    .default("{{option}}")
    .describe('What is embedded for an option: "a licence of the category {{option}}"'),
});

/**
 * A task for encoders.
 * @param labels the options shared by all samples; omit if each sample has its own
 *
 * @example
 * const task = nearest("tone", { kind: "nearest" }, [{ key: "p", text: "polite" }, { key: "r", text: "rude" }]);
 */
export function nearest(
  name: string,
  options: z.input<typeof nearestSchema>,
  labels?: Labels,
): Task<"encoder"> {
  const spec = nearestSchema.parse(options);
  const choose = async (subject: EncoderSubject, sample: Sample, context: TaskContext) => {
    const choices = optionsIn(name, sample, labels);
    const texts = choices.map(({ text }) => spec.option.replaceAll("{{option}}", text));
    const [own = [], ...others] = await subject.respond([sample.input, ...texts], context);
    const cosines = others.map((other) => cosine(own, other));
    const best = cosines.reduce((top, value, i) => (value > (cosines[top] as number) ? i : top), 0);
    return { label: (choices[best] as Labels[number]).key, score: cosines[best] as number };
  };
  return {
    name,
    kind: "nearest",
    subjects: "encoder",
    metric: share("accuracy"),
    details: [share("macroF1"), share("cosine")],
    binary: true,
    id: fingerprint(["nearest", 1, name, spec, labels ?? null]),
    async evaluate(subject, sample, context): Promise<Grade> {
      const { label, score } = await choose(subject, sample, context);
      return {
        status: "scored",
        score: [sample.gold].flat().includes(label) ? 1 : 0,
        prediction: label,
        details: { cosine: score },
      };
    },
    predict: choose,
  };
}

export const nearestTask = taskEntry({ options: nearestSchema, data: rows, make: nearest });

function cosine(a: readonly number[], b: readonly number[]): number {
  const dot = a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
  return dot / (Math.hypot(...a) * Math.hypot(...b) || 1);
}
