// Choice scoring with the shared prompt evaluated once, against one call per option without any reuse, on the embedded model.
// Run by `npm run build && npm run bench:scoring`; writes bench/recorded/scoring.json. Both ways have one context and one
// thread, since the ratio is of work done. Two prompts take turns, so that each call per option finds the other prompt in its
// context: the engine's own count of reused tokens must stay 0. The ways are interleaved, and each of three rounds has its own
// prompts.

import { openModel } from "../dist/models/registry.js";
import { machine, record } from "./record.js";

const rounds = 3;
const promptWords = 500;
const cases = {
  texts: {
    title: "5 options of several tokens",
    prompts: 8,
    options: [
      " it was affirmed on appeal",
      " the case was sent back",
      " a new trial was ordered",
      " nothing of it was decided",
      " the parties settled early",
    ],
  },
  labels: { title: "5 labels of one token", prompts: 4, options: [" A", " B", " C", " D", " E"] },
};

const context = { signal: new AbortController().signal };
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

const place = machine();
const reference = "llama:smollm2-135m-instruct?lanes=1&threads=1";
const shared = await openModel(reference);
const apart = await openModel(reference);
const score = (model, content, options) =>
  model.score({ messages: [{ role: "user", content }], format: "plain", options }, context);

async function timed(work) {
  const start = performance.now();
  const value = await work();
  return { ms: performance.now() - start, value };
}

const median = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
};
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Runs two prompts in turn, each way: milliseconds and evaluated tokens. */
async function pair(contents, options) {
  const made = contents.map((content) => ({ content, shared: 0, apart: 0 }));
  for (const one of made) {
    const { ms, value } = await timed(() => score(shared, one.content, options));
    one.shared = ms;
    one.expected = value.options;
  }
  for (const [i, option] of options.entries()) {
    for (const one of made) {
      const { ms, value } = await timed(() => score(apart, one.content, [option]));
      one.apart += ms;
      // Equal to the last digit on one machine; the tolerance is for others.
      if (Math.abs(value.options[0].logprob - one.expected[i].logprob) > 1e-3)
        throw new Error("The two ways disagree.");
    }
  }
  return made;
}

async function measure({ title, prompts, options }, seed) {
  const before = { shared: shared.work(), apart: apart.work() };
  const found = [];
  for (let round = 0; round < rounds; round++) {
    const times = [];
    for (let at = 0; at < prompts; at += 2) {
      const contents = [at, at + 1].map((i) => {
        const random = draw(seed + 1000 * round + i);
        const text = Array.from({ length: promptWords }, () => words[Math.floor(random() * words.length)]);
        return `${text.join(" ")}. Outcome:`;
      });
      times.push(...(await pair(contents, options)));
    }
    found.push(times);
  }
  const since = (model, key) => model.work()[key] - before[model === shared ? "shared" : "apart"][key];
  if (since(apart, "reused") > 0)
    throw new Error(`The baseline reused ${since(apart, "reused")} tokens of its prompts.`);
  const ratios = found.map((times) => median(times.map((one) => one.apart / one.shared)));
  const all = found.flat();
  const result = {
    title,
    n: all.length,
    ratio: median(ratios),
    rounds: ratios,
    sharedMs: mean(all.map((one) => one.shared)),
    apartMs: mean(all.map((one) => one.apart)),
    sharedTokens: Math.round(since(shared, "evaluated") / all.length),
    apartTokens: Math.round(since(apart, "evaluated") / all.length),
  };
  console.log(
    `${title}, ${prompts} prompts in each of ${rounds} rounds: ${result.sharedMs.toFixed(0)} ms (${result.sharedTokens} tokens) with the ` +
      `prompt evaluated once, ${result.apartMs.toFixed(0)} ms (${result.apartTokens} tokens) with a call per option; ` +
      `ratio ${result.ratio.toFixed(2)} (rounds ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`,
  );
  return result;
}

console.log(place);
console.log(`model: ${shared.id}, one context, one thread`);
try {
  await score(shared, "warm", cases.labels.options);
  await score(apart, "warm", cases.labels.options);
  const texts = await measure(cases.texts, 100);
  const labels = await measure(cases.labels, 900);
  record("scoring", { model: shared.id, ratio: texts.ratio, texts, labels }, place);
  console.log(`scoring: ratio ${texts.ratio.toFixed(2)} against one call per option without any reuse`);
} finally {
  await shared.close();
  await apart.close();
}
