// Frozen hidden states for `probe` against llama.cpp evaluating the same prompts, on the embedded model: both on all cores, the
// states at probe's default depths. Run by `npm run build && npm run bench:probe`; writes bench/recorded/probe.json. Prompts
// share a beginning (instruction and options), as a study's do, and each side evaluates it as seldom as it can. The ways are
// interleaved over three rounds, each with its own prompts.

import { openModel } from "../dist/models/registry.js";
import { netConfig } from "../dist/nets/config.js";
import { sharedReader } from "../dist/specializers/training/frozen/extract.js";
import { readGguf } from "../dist/tensor/gguf.js";
import { machine, record } from "./record.js";

const rounds = 3;
const count = Number(process.env.PROBE_PROMPTS ?? 96);
const { signal } = new AbortController();
const words =
  "the court of appeals held that a party may rely on such terms where notice was given in time and form".split(
    " ",
  );
const instruction = `Sort each passage by what it says.\n\n${[
  "affirmed",
  "reversed",
  "remanded",
  "vacated",
  "settled",
  "dismissed",
]
  .map((text, i) => `${"ABCDEF"[i]}. the judgment of the court below was ${text}`)
  .join("\n")}`;

function draw(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

const place = machine();
const model = await openModel("llama:smollm2-135m-instruct");
const { layers } = netConfig(readGguf(model.weights.path));
const depths = [0.25, 0.5, 0.75].map((share) => Math.round(share * layers));
const reader = await sharedReader(model, model.weights, depths);

async function prompts(seed) {
  const random = draw(seed);
  const made = [];
  for (let i = 0; i < count; i++) {
    const text = Array.from(
      { length: 60 + Math.floor(random() * 60) },
      () => words[Math.floor(random() * words.length)],
    );
    const content = `${instruction}\n\n${text.join(" ")}.\nAnswer:`;
    const request = { messages: [{ role: "user", content }], format: "plain", options: [" A"] };
    made.push({ request, tokens: (await model.weights.tokenize(request)).prompt });
  }
  return made;
}
function beginning(lists) {
  let same = lists[0].length - 1;
  for (const list of lists) while (list.slice(0, same).join() !== lists[0].slice(0, same).join()) same--;
  return same;
}
async function timed(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
const read = (made, head) =>
  reader.all(
    made.map(({ tokens }) => tokens),
    head,
    { signal, progress: () => {} },
  );
const score = (made) => Promise.all(made.map(({ request }) => model.score(request, { signal })));

try {
  const warm = await prompts(1);
  const head = beginning(warm.map(({ tokens }) => tokens));
  await read(warm, head);
  await score(warm.slice(0, 2));
  const found = [];
  for (let round = 0; round < rounds; round++) {
    const made = await prompts(100 + round);
    const tokens = made.reduce((sum, one) => sum + one.tokens.length, 0);
    const before = model.work().evaluated;
    const llamaMs = await timed(() => score(made));
    const llamaTokens = model.work().evaluated - before;
    const statesMs = await timed(() => read(made, head));
    found.push({ tokens, llamaTokens, llamaMs, statesMs, ratio: llamaMs / statesMs });
  }
  const ratio = median(found.map((one) => one.ratio));
  const rate = (key) => median(found.map((one) => (1000 * one.tokens) / one[key]));
  const result = {
    model: model.id,
    n: count,
    ratio,
    rounds: found.map((one) => one.ratio),
    depths,
    tokensAPrompt: Math.round(found[0].tokens / count),
    sharedTokens: head,
    statesTokensASecond: rate("statesMs"),
    llamaTokensASecond: rate("llamaMs"),
    llamaEvaluated: Math.round(found[0].llamaTokens / count),
    minutesFor2000: (median(found.map((one) => one.statesMs)) * 2000) / count / 60_000,
  };
  console.log(place);
  console.log(result);
  record("probe", result, place);
  console.log(`probe: ratio ${ratio.toFixed(2)} against llama.cpp's prompts`);
} finally {
  await model.close();
}
