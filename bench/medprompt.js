// Cost of a Medprompt question (k = 5, 5 members, chains of thought) compared with five direct 5-shot calls that share
// nothing, with the embedded model on MedQA. Run by `npm run build && HONE_TEST_DATA=… npm run bench:medprompt [--
// --questions N]`.
// Both ways get the same examples and the same five orders of the options, and each question is measured both ways, in
// alternating order. The direct calls have no reasoning, neither requested nor in their examples, and each prompt begins with
// a number of its own, so that nothing of the call before can be reused; the bench fails if anything was. Fitting the pool is
// not timed. Finding the nearest examples is, on Medprompt's side.

import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { choice, generalist, medprompt, openModel, randomFor, shuffled } from "../dist/index.js";

const folder = process.env.HONE_TEST_DATA;
if (!folder) {
  console.error("bench/medprompt.js needs HONE_TEST_DATA, the folder of real data.");
  process.exit(1);
}
const wanted = process.argv.indexOf("--questions");
const count = wanted < 0 ? 20 : Number(process.argv[wanted + 1]);
const recipe = { k: 5, members: 5, maxTokens: 64, pool: 20, shuffles: 2 };
const instruction = "Answer the medical question.";
const context = { signal: new AbortController().signal };

const read = (name) =>
  shuffled(
    readFileSync(join(folder, "med", name), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
      .map(({ id, question, options, answer }) => ({
        id,
        input: question,
        options: Object.entries(options).map(([key, text]) => ({ key, text })),
        gold: answer,
      })),
    randomFor(1, "bench", name),
  );
const task = choice("medqa", { instruction });
const encoder = await openModel("encoder:minilm");
const tools = { encoder: async () => encoder };

// One thread and one lane: the ratio is of work done, independent of the machine's other load.
const model = await openModel("llama:smollm2-135m-instruct?lanes=1&threads=1");
let calls = 0;
const counted = (method) => (request, context) => {
  calls++;
  return model[method](request, context);
};
const direct = generalist({ ...model, generate: counted("generate"), score: counted("score") });
const specializer = medprompt({ ...recipe, examples: "always" });
const state = await specializer.fit(direct, {
  task,
  train: read("medqa_train1030.jsonl"),
  dev: [],
  seed: 1,
  ...tools,
  context,
  progress: () => {},
});
const { verified } = state.inner[0].counts;
if (verified < recipe.k) throw new Error(`Only ${verified} chains of thought were verified.`);
const specialist = specializer.apply(direct, state, tools);

/** The members' queries as they reach the model; no call is made. */
async function membersOf(query) {
  const seen = [];
  const silent = {
    ...direct,
    respond: async (member) => {
      seen.push(member);
      return { choice: member.options[0].key };
    },
  };
  await specializer.apply(silent, state, tools).respond(query, context);
  return seen;
}

let numbered = 0;
function alone({ reason: _reason, ...member }) {
  const demonstrations = member.demonstrations.map(({ rationale: _rationale, ...shot }) => shot);
  return { ...member, demonstrations, instruction: `${++numbered} ${instruction}` };
}

/** Time (ms), calls and tokens of some work. */
async function measured(work) {
  const before = { ...model.work(), calls };
  const start = performance.now();
  await work();
  const ms = performance.now() - start;
  const after = { ...model.work(), calls };
  return { ms, ...Object.fromEntries(Object.keys(after).map((key) => [key, after[key] - before[key]])) };
}

const pairs = [];
for (const [i, sample] of read("medqa_dev.jsonl").slice(0, count).entries()) {
  const query = task.query(sample);
  const members = await membersOf(query);
  const ours = () => specialist.respond(query, context);
  const theirs = async () => {
    for (const member of members) await direct.respond(alone(member), context);
  };
  const pair = {};
  for (const way of i % 2 === 0 ? ["ours", "theirs"] : ["theirs", "ours"]) {
    pair[way] = await measured(way === "ours" ? ours : theirs);
  }
  if (pair.theirs.reused > 0) throw new Error("The direct calls shared something.");
  pairs.push(pair);
}
await model.close();
await encoder.close();

const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};
const ratioOf = (some) => median(some.map(({ ours, theirs }) => ours.ms / theirs.ms));
const random = randomFor(1, "resample");
const resampled = Array.from({ length: 2000 }, () =>
  ratioOf(pairs.map(() => pairs[Math.floor(random() * pairs.length)])),
).sort((a, b) => a - b);
const ratios = pairs.map(({ ours, theirs }) => ours.ms / theirs.ms);
const ratio = ratioOf(pairs);

function say(name, way) {
  const mean = (key) => pairs.reduce((sum, pair) => sum + pair[way][key], 0) / pairs.length;
  const whole = (key) => mean(key).toFixed(0);
  console.log(
    `${name}: ${(mean("ms") / 1000).toFixed(2)} s a question, ${mean("calls").toFixed(1)} calls, ` +
      `${whole("evaluated")} tokens evaluated, ${whole("reused")} saved, ${whole("written")} written`,
  );
}
console.log(`machine: ${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.version}`);
console.log(`model: ${model.id}; ${verified} verified examples, ${pairs.length} questions of MedQA`);
say(specializer.label, "ours");
say("five direct 5-shot calls", "theirs");
console.log(
  `median ratio ${ratio.toFixed(2)}, 95 % ${resampled[49].toFixed(2)} to ${resampled[1950].toFixed(2)}; ` +
    `questions from ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}; at most 2.5 is wanted`,
);
console.log(`medprompt: ratio ${ratio.toFixed(2)} against five direct calls that share nothing`);
