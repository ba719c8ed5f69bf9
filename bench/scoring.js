// Choice scoring with the shared prompt evaluated once, against one call per option, with the embedded model.
// Run by `npm run build && npm run bench:scoring`. Each prompt is measured both ways in turn, so that both meet the same
// machine; calls that follow each other have different prompts, so that one call per option never finds its prompt cached.

import { cpus } from "node:os";
import { openModel } from "../dist/models/registry.js";

const prompts = 20;
const promptTokens = 500;
const context = { signal: new AbortController().signal };
const texts = [
  " it was affirmed on appeal",
  " the case was sent back",
  " a new trial was ordered",
  " nothing of it was decided",
  " the parties settled early",
];
const labels = [" A", " B", " C", " D", " E"];

const words =
  "the court of appeals held that a party may rely on such terms where notice was given in time and form".split(
    " ",
  );
function draw(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

// One thread: the ratio is of work done, and llama.cpp's threads lose much time to each other on a machine with other work.
const shared = await openModel("llama:smollm2-135m-instruct?threads=1");
const apart = await openModel("llama:smollm2-135m-instruct?threads=1");
const score = (model, content, options) =>
  model.score({ messages: [{ role: "user", content }], format: "plain", options }, context);

// Prompts of about the wanted length: words until there are enough tokens.
async function makePrompts(count, seed) {
  const made = [];
  for (let i = 0; i < count; i++) {
    const random = draw(seed + i);
    const text = Array.from({ length: promptTokens }, () => words[Math.floor(random() * words.length)]);
    made.push(`${text.slice(0, promptTokens - 4).join(" ")}. Outcome:`);
  }
  return made;
}

async function timed(work) {
  const start = performance.now();
  const value = await work();
  return { ms: performance.now() - start, value };
}

/** Median ratio with its 95 % interval, by bootstrap over prompts (2,000 resamples, seeded). */
function summary(pairs) {
  const ratioOf = (sample) => {
    const sorted = sample.map(({ apart, shared }) => apart / shared).sort((a, b) => a - b);
    return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
  };
  const random = draw(1);
  const resampled = Array.from({ length: 2000 }, () =>
    ratioOf(pairs.map(() => pairs[Math.floor(random() * pairs.length)])),
  ).sort((a, b) => a - b);
  const mean = (key) => pairs.reduce((sum, pair) => sum + pair[key], 0) / pairs.length;
  return {
    ratio: ratioOf(pairs),
    low: resampled[49],
    high: resampled[1950],
    shared: mean("shared"),
    apart: mean("apart"),
  };
}

async function compare(options, count, seed) {
  const contents = await makePrompts(count, seed);
  const pairs = [];
  let tokens = 0;
  for (let at = 0; at < count; at += 2) {
    const two = contents.slice(at, at + 2).map((content) => ({ content, shared: 0, apart: 0, logprobs: [] }));
    for (const one of two) {
      const { ms, value } = await timed(() => score(shared, one.content, options));
      one.shared = ms;
      one.expected = value.options;
      tokens += value.cost.inputTokens;
    }
    for (const [i, option] of options.entries()) {
      for (const one of two) {
        const { ms, value } = await timed(() => score(apart, one.content, [option]));
        one.apart += ms;
        if (value.options[0].logprob !== one.expected[i].logprob) throw new Error("The two ways disagree.");
      }
    }
    pairs.push(...two);
  }
  return { ...summary(pairs), tokens: tokens / count };
}

await score(shared, "warm", labels);
await score(apart, "warm", labels);
const long = await compare(texts, prompts, 100);
const short = await compare(labels, 8, 900);
await shared.close();
await apart.close();

const say = (name, { ratio, low, high, shared, apart, tokens }) =>
  console.log(
    `${name}: ${shared.toFixed(0)} ms with the prompt shared, ${apart.toFixed(0)} ms with one call per option ` +
      `(${tokens.toFixed(0)} tokens a prompt with its options); median ratio ${ratio.toFixed(2)}, 95 % ${low.toFixed(2)} to ${high.toFixed(2)}`,
  );
console.log(`machine: ${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.version}`);
console.log(`model: ${shared.id}; same log-probabilities both ways, to the last digit`);
say(`5 options of several tokens, ${prompts} prompts`, long);
say("5 labels of one token, 8 prompts", short);
console.log(`scoring: ratio ${long.ratio.toFixed(2)} against one call per option`);
