// npm run bench:synthetic -- FOLDER
//
// Measures the filter of synthetic data: precision and recall on planted duplicates, leaks and malformed pairs, and the
// time and memory of 50,000 pairs. FOLDER has med/ in it (BioASQ's quotes, MedMCQA). Writes
// bench/recorded/synthetic.json.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { randomFor, shuffled } from "../dist/core/random.js";
import { screenOf } from "../dist/data/screen.js";
import { makeFilter } from "../dist/specializers/data/parts/filter.js";
import { readTask } from "../dist/specializers/data/parts/write.js";
import { wilson } from "../dist/statistics/index.js";
import { record } from "./record.js";

const folder = process.argv[2] ?? process.env.HONE_TEST_DATA;
if (!folder) {
  console.error("Name the folder that has med/ in it.");
  process.exit(2);
}
const options = { novelty: 0.7, words: { least: 4, most: 400, response: 200 } };

/** Questions with options, each different from the others. */
const questions = shuffled(
  readFileSync(join(folder, "med/medmcqa_dev.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line))
    .filter(({ question }) => question.split(/\s+/).length >= 8),
  randomFor(1, "bench"),
);
const asTask = ({ question, options: texts }) => ({
  instruction: "Choose the right answer to the question of medical knowledge.",
  input: question,
  options: Object.entries(texts).map(([key, text]) => ({ key, text })),
});
const words = (text) => text.split(/\s+/);

// Every case has a kind, and whether a careful person would reject it.
const take = (from, n) => questions.slice(from, from + n).map(asTask);
const fresh = take(0, 600);
const held = take(1000, 600);
const known = take(2000, 600);
const train = take(3000, 300);
const random = randomFor(2, "planted");
const pick = (list) => list[Math.floor(random() * list.length)];
const change = (task, input) => ({ ...task, input });
const duplicates = fresh.slice(0, 300).flatMap((task, i) => {
  const own = words(task.input);
  const at = Math.floor(random() * own.length);
  return [
    [
      task,
      change(task, task.input.toUpperCase()),
      change(task, `${task.input} `),
      change(task, own.toSpliced(at, 1, "therefore").join(" ")),
      change(task, own.toSpliced(at, 1).join(" ")),
      { ...task, options: shuffled(task.options, random) },
    ][i % 6],
  ];
});
const leaks = held.slice(0, 300).map((task, i) => {
  const own = words(task.input);
  const frames = [
    (text) => text,
    (text) => `A student asks the following. ${text}`,
    (text) => text.toLowerCase().replace(/[.,:;?]/g, ""),
    (text) => `${text} Give a reason.`,
    () =>
      `In a clinic one hears that ${own.slice(0, Math.max(8, Math.ceil(own.length * 0.8))).join(" ")} and more`,
  ];
  return change(pick(fresh), frames[i % frames.length](task.input));
});
const render = ({ instruction, input, options: texts }) =>
  `Instruction: ${instruction}\nInput: ${input}\nOptions:\n${texts.map(({ text }, i) => `${"ABCDEFGH"[i]}. ${text}`).join("\n")}`;
const malformed = known.slice(0, 300).map((task, i) => {
  const whole = render(task);
  const [first, second] = task.options;
  return [
    whole.replace(/\nInput: .*/, "\nInput: "),
    whole.replace("\nB. ", "\nC. "),
    whole.replace(/\nB\. [\s\S]*/, ""),
    whole.replace(`B. ${second.text}`, `B. ${first.text}`),
    `${whole}\nInput: another input\nOptions:\nA. one\nB. two`,
    whole.replace(/\nInput: .*/, `\nInput: ${"the patient has a fever and ".repeat(12)}`),
    whole.replace(/\nInput: .*/, "\nInput: [insert a question here]"),
    whole.replace(/^Instruction: .*/, "Instruction: "),
    whole.replace(/\nInput: .*/, (line) => `${line} Answer: ${first.text}`),
  ][i % 9];
});

const screen = screenOf(() => ({
  train: train.map(({ input }) => input),
  dev: [],
  test: held.map(({ input }) => input),
}))();

/** The reason that a task was rejected for: one of the three kinds, or nothing. */
function judge(filter, text) {
  const read = readTask(text.replace(/^Instruction:/, ""), "stop");
  if ("why" in read) return "malformed";
  const refused = filter.asked(read.task).find(({ passed }) => !passed);
  if (!refused) return "kept";
  return refused.rule === "novelty" ? "duplicate" : refused.rule === "leak" ? "leak" : "malformed";
}

// The pool has the originals; planted cases follow in random order, among an equal number of valid ones.
const filter = makeFilter(options, screen);
const originals = fresh.slice(0, 300).map((task) => judge(filter, render(task)));
const cases = shuffled(
  [
    ...duplicates.map((task) => ["duplicate", render(task)]),
    ...leaks.map((task) => ["leak", render(task)]),
    ...malformed.map((text) => ["malformed", text]),
    ...fresh.slice(300).map((task) => ["kept", render(task)]),
    ...known.slice(300).map((task) => ["kept", render(task)]),
  ],
  randomFor(3, "order"),
);
const found = cases.map(([kind, text]) => [kind, judge(filter, text)]);
const share = (right, n) => {
  const [low, high] = wilson(right / n, n, 1.96);
  return { right, n, share: right / n, low, high };
};
const kinds = Object.fromEntries(
  ["duplicate", "leak", "malformed"].map((kind) => {
    const planted = found.filter(([is]) => is === kind);
    const said = found.filter(([, told]) => told === kind);
    return [
      kind,
      {
        precision: share(said.filter(([is]) => is === kind).length, said.length),
        recall: share(planted.filter(([, told]) => told === kind).length, planted.length),
      },
    ];
  }),
);
const clean = found.filter(([is]) => is === "kept");
const passed = share(clean.filter(([, told]) => told === "kept").length, clean.length);

// 50,000 pairs: windows of quoted sentences, a tenth of them changed copies of earlier ones.
const sentences = [];
for (const name of readdirSync(join(folder, "med/bioasq")).sort()) {
  if (!name.endsWith(".json")) continue;
  for (const { snippets = [] } of JSON.parse(readFileSync(join(folder, "med/bioasq", name), "utf8"))
    .questions)
    for (const { text } of snippets)
      sentences.push(...text.split(/(?<=[.?!])\s+/).filter((one) => one.length > 30));
}
const total = 50_000;
const speed = (() => {
  const drawn = randomFor(4, "speed");
  const one = () => sentences[Math.floor(drawn() * sentences.length)];
  const large = makeFilter(options, screen);
  const marks = [];
  const started = performance.now();
  const cpu = process.cpuUsage();
  let kept = 0;
  let written = 0;
  let last = [];
  for (let i = 0; i < total; i++) {
    const copied = i > 0 && drawn() < 0.1;
    const input = copied ? pick(last).replace(/\w+/, "Indeed") : `${one()} ${one()}`;
    if (!copied) {
      last.push(input);
      if (last.length > 200) last = last.slice(100);
    }
    written += input.length;
    const decisions = large.asked({
      instruction: "Answer the question from the text.",
      input,
      question: `What does it say of number ${i}?`,
    });
    if (decisions.every((decision) => decision.passed)) {
      large.response({ input, response: one() });
      kept++;
    }
    if ((i + 1) % 10_000 === 0) {
      globalThis.gc?.();
      marks.push({
        pairs: i + 1,
        seconds: (performance.now() - started) / 1000,
        rssMb: process.memoryUsage().rss / 2 ** 20,
      });
      console.log(JSON.stringify(marks.at(-1)));
    }
  }
  const { user, system } = process.cpuUsage(cpu);
  return {
    total,
    kept,
    characters: written,
    seconds: (performance.now() - started) / 1000,
    cpuSeconds: (user + system) / 1e6,
    marks,
  };
})();
const growth = speed.marks.at(-1).rssMb - speed.marks[0].rssMb;

record("synthetic", {
  planted: { ...kinds, passed, originals: originals.filter((one) => one === "kept").length },
  speed,
  bytesPerPair: (growth * 2 ** 20) / (total - 10_000),
});
for (const [kind, { precision, recall }] of Object.entries(kinds))
  console.log(
    `${kind}: precision ${precision.share.toFixed(3)} (${precision.n}), recall ${recall.share.toFixed(3)} (${recall.n})`,
  );
console.log(`clean pairs kept: ${passed.right} of ${passed.n}`);
if (process.argv.includes("--errors"))
  for (const [i, [is, told]] of found.entries())
    if (is !== told) console.log(is, "->", told, cases[i][1].slice(0, 300));
console.log(
  `synthetic: ${total} pairs in ${speed.seconds.toFixed(1)} s, ${Math.round(growth)} MB more from 10,000 to 50,000`,
);
