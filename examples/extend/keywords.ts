// npx hone run examples/extend/restrictiveness.study.yaml
//
// A custom specializer: it adds the words most typical of each label to the instruction. It learns from train alone
// and only changes the query, so it composes with fewShot, knn and calibrate like a built-in one.

import { defineSpecializer, type Extension } from "@honelab/hone";
import { z } from "zod";

const options = z.strictObject({ count: z.int().min(1).default(5).describe("words for each label") });

export function keywords(given: z.input<typeof options> = {}) {
  const { count } = options.parse(given);
  return defineSpecializer<{ hint: string }>({
    name: "keywords",
    label: `keywords(${count})`,
    options: { count },
    fit: (_subject, { task, train }) => {
      const typical = (label: string): string => {
        const weights = new Map<string, number>();
        for (const { input, answer } of train.map((sample) => task.demonstration(sample))) {
          for (const word of new Set(input.toLowerCase().match(/\p{L}{4,}/gu))) {
            weights.set(word, (weights.get(word) ?? 0) + (answer === label ? 1 : -1));
          }
        }
        const ranked = [...weights].sort(([a, x], [b, y]) => y - x || a.localeCompare(b, "en"));
        return ranked
          .map(([word]) => word)
          .slice(0, count)
          .join(", ");
      };
      return { hint: (task.labels ?? []).map(({ key, text }) => `${text}: ${typical(key)}`).join("\n") };
    },
    behave: ({ hint }) => ({
      prepare: (query) => ({
        ...query,
        instruction: `${query.instruction ?? ""}\n\nTypical words.\n${hint}`.trim(),
      }),
    }),
  });
}

const entry = { make: keywords, options, summary: "Typical words of each label", paper: "none", leaf: null };

export default { specializers: { keywords: entry } } satisfies Extension;
