// npx hone run examples/extend/restrictiveness.study.yaml
//
// A custom kind of task: ordered labels, scored by how many ranks the answer is away from the right
// one. Less is better, as the metric declares; the choice of the champion, intervals, report and gates follow it.

import { choice, type Extension, type LanguageTask, type Metric, rows, taskEntry } from "@honelab/hone";
import { z } from "zod";

const options = z.strictObject({
  kind: z.literal("ordinal").describe("Labels in order, scored by ranks from the right one"),
  question: z.string().optional().describe("A question asked about every sample alike"),
});

const metric: Metric = { name: "distance", better: "lower", unit: "ranks", least: 0, display: "number" };

type Labels = readonly { key: string; text: string }[];

export function ordinal(
  name: string,
  { question }: z.output<typeof options>,
  labels: Labels = [],
): LanguageTask {
  const plain = choice(name, { answerBy: "text", ...(question === undefined ? {} : { question }) }, labels);
  const rank = (key: string): number => labels.findIndex((label) => label.key === key);
  const most = labels.length - 1;
  return {
    ...plain,
    kind: "ordinal",
    metric: { ...metric, most },
    binary: false,
    id: `ordinal/${plain.id}`,
    async evaluate(subject, sample, context) {
      const grade = await plain.evaluate(subject, sample, context);
      if (grade.status === "unscored") return grade;
      // An answer that is no label has no rank: it gets the worst possible score.
      const given = rank(grade.prediction);
      return { ...grade, score: given < 0 ? most : Math.abs(given - rank(String(sample.gold))) };
    },
  };
}

export default { tasks: { ordinal: taskEntry({ options, data: rows, make: ordinal }) } } satisfies Extension;
