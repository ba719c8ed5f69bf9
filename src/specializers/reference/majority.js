// majority: always the most frequent answer of the train samples. A reference without a model: what costs more must
// beat it.
import { z } from "zod";
import { defineSpecializer, requireTrain } from "../parts/define.js";
import { readOptions } from "../parts/options.js";
export const majorityOptions = z.strictObject({});
/** Ties go to the label that the task lists first, then to the alphabet. */
export function majority(options = {}) {
  readOptions(majorityOptions, "majority", options);
  return defineSpecializer({
    name: "majority",
    reference: true,
    fit: (_subject, given) => ({ answers: byFrequency(given) }),
    behave: ({ answers }) => ({
      respond: async (query) => {
        if (!query.options) return { text: answers[0] };
        const offered = new Set(query.options.map((option) => option.key));
        const choice = answers.find((answer) => offered.has(answer));
        return choice === undefined ? { unscored: "other-labels" } : { choice };
      },
    }),
  });
}
function byFrequency(given) {
  requireTrain(given, "majority");
  const counts = new Map();
  for (const sample of given.train) {
    const { answer } = given.task.demonstration(sample);
    counts.set(answer, (counts.get(answer) ?? 0) + 1);
  }
  const order = new Map(given.task.labels?.map((label, i) => [label.key, i]));
  const place = (key) => order.get(key) ?? Number.MAX_SAFE_INTEGER;
  const ranked = [...counts].sort(
    ([a, countA], [b, countB]) => countB - countA || place(a) - place(b) || (a < b ? -1 : 1),
  );
  // A free text has one answer only; the rest would fill the state with the train data.
  return ranked
    .slice(0, given.task.labels || given.task.query(given.train[0]).options ? ranked.length : 1)
    .map(([a]) => a);
}
