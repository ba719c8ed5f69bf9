// Batched against sequential text generation by the embedded model: self-instruct-like prompts with a common beginning.
// `npm run build && npm run bench:generation -- [--rounds 3] [--texts 64] [--tokens 48]`; writes bench/recorded/generation.json.
//
// Both ways write the same texts, which is checked. One lane per core, as in a study; the two ways take turns in each round.

import { parseArgs } from "node:util";
import { openModel } from "../dist/index.js";
import { record } from "./record.js";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    texts: { type: "string", default: "64" },
    tokens: { type: "string", default: "48" },
    model: { type: "string", default: "llama:smollm2-135m-instruct" },
  },
});
const [rounds, texts, maxTokens] = [values.rounds, values.texts, values.tokens].map(Number);
const context = { signal: new AbortController().signal };
const examples = [
  "Does low-dose aspirin lower the risk of pre-eclampsia in women with chronic hypertension?",
  "Which enzyme deficiency explains jaundice that appears in a healthy student during fasting?",
  "Summarize what is known of vitamin D in the prevention of falls in people over seventy.",
  "What does a raised troponin mean in a patient with chronic kidney disease and no chest pain?",
];
const head = `You write new questions for a medical examination. Here are some.\n\n${examples.map((one, i) => `${i + 1}. ${one}`).join("\n")}\n`;
const requests = (round) =>
  Array.from({ length: texts }, (_, i) => ({
    messages: [{ role: "user", content: `${head}${examples.length + 1}. (topic ${round * texts + i})` }],
    ...{ format: "plain", maxTokens, temperature: 1, topP: 0.98, seed: round * texts + i },
  }));

const model = await openModel(values.model);
/** Texts with tokens per second over all of them. */
async function timed(write) {
  const start = performance.now();
  const written = await write();
  const seconds = (performance.now() - start) / 1000;
  return { written, speed: written.reduce((sum, { cost }) => sum + cost.outputTokens, 0) / seconds };
}
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

await model.generate({ ...requests(0)[0], maxTokens: 1 }, context);
const [alone, together, ratios] = [[], [], []];
for (let round = 1; round <= rounds; round++) {
  const all = requests(round);
  const many = await timed(() => Promise.all(all.map((request) => model.generate(request, context))));
  // A quarter of them: the speed does not depend on how many follow.
  const some = all.slice(0, Math.ceil(texts / 4));
  const single = await timed(async () => {
    const written = [];
    for (const request of some) written.push(await model.generate(request, context));
    return written;
  });
  const same = some.every((_, i) => single.written[i].text === many.written[i].text);
  if (!same) throw new Error("A text differs from the one written alone.");
  together.push(many.speed);
  alone.push(single.speed);
  ratios.push(many.speed / single.speed);
  console.log(`round ${round}: ${many.speed.toFixed(0)} tokens/s at once, ${single.speed.toFixed(0)} alone`);
}
await model.close();
const ratio = median(ratios);
record("generation", {
  ...{ model: values.model, rounds, texts, maxTokens, ratio, ratios },
  ...{ tokensPerSecond: { together: median(together), alone: median(alone) } },
});
console.log(`generation: ratio ${ratio.toFixed(2)} against one sequence at a time`);
