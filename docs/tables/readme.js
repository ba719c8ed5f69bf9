// README's figures, one a row, each with its command, and what the demo prints.

import { renderSummary } from "../../dist/report/terminal.js";
import { wilson } from "../../dist/statistics/index.js";
import {
  accuracy,
  bench,
  claim,
  generalistOf,
  paper,
  percent,
  points,
  processor,
  resultsOf,
  study,
  times,
} from "./parts.js";

/** The normal quantile of a 95 % interval. */
const normal = 1.959964;

/** README's rows of a study: one subject, one figure a row, and its record. */
function studyRows(name, title, command, wanted) {
  const record = study(name);
  if (!record) return [];
  const results = resultsOf(record);
  const generalist = generalistOf(record);
  return wanted.flatMap(([label, subject]) => {
    const result = results.find((one) => one.subject === (subject ?? generalist));
    if (!result) throw new Error(`The record of ${name} has no subject ${subject}.`);
    return [[`${title}: ${label}`, accuracy(result), command, record]];
  });
}

export function measured() {
  const [train, motor, scoring, harness, startup, memory, parity, peft] = [
    ...["train", "motor", "scoring", "harness", "startup", "memory", "parity", "peft-scotus"],
  ].map(bench);
  const [medprompt, lexical, egosocial, bilateral] = [
    ...["medprompt", "lexical", "egosocialarena", "bilateral"],
  ].map(paper);
  const { reach } = bilateral.errors;
  const centimetres = ({ mean, low, high, n }) =>
    `${(100 * mean).toFixed(1)} cm (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)}, ${n} seeds)`;
  const rows = [
    ...studyRows("licences", "Licence category, SmolLM2-135M", "`npx hone demo`", [
      ["probe on its hidden states, joined with TF-IDF", "probe(states + text)"],
      ["TF-IDF with logistic regression", "linear(tfidf)"],
      ["LoRA trained here", "lora(r=16, last 4)"],
      ["kNN few-shot", "knn(k=2)"],
      ["zero-shot"],
      ["majority class", "majority"],
    ]),
    ...studyRows(
      "scotus-issue-area",
      "Issue area of Supreme Court cases, SmolLM2-135M",
      "`npx hone run examples/scotus.study.yaml --data FOLDER`",
      [
        ["probe on its hidden states, joined with TF-IDF", "probe(states + text)"],
        ["LoRA trained here", "lora(r=16, last 10)"],
        ["TF-IDF with logistic regression", "linear(tfidf)"],
        ["zero-shot"],
      ],
    ),
  ];
  if (peft) {
    const [{ agreement }] = peft.comparisons;
    const [low, high] = wilson(agreement, peft.n, normal);
    rows.push([
      "The same choice by llama.cpp as by the decoder that trained it, a LoRA on Supreme Court issue areas",
      `${percent(agreement)} % (${percent(low)} to ${percent(high)}, n = ${peft.n})`,
      "`node bench/peft.js FOLDER STUDY.yaml`",
      peft,
    ]);
  }
  for (const { model, prompts, top1Agreement, meanAbsoluteDifference } of parity?.models ?? []) {
    const [low, high] = wilson(top1Agreement, prompts, normal);
    rows.push([
      `Hone's training decoder predicts llama.cpp's next token: ${model.replace("llama:", "")}`,
      `${percent(top1Agreement)} % (${percent(low)} to ${percent(high)}, n = ${prompts}); log-probabilities ${meanAbsoluteDifference} nats apart on average`,
      "`npm run bench:parity`",
      parity,
    ]);
  }
  rows.push(
    [
      `Medprompt's whole ladder against zero-shot, SmolLM2-135M, four tasks (not shown after Holm over ${medprompt.claims.length} claims; GPT-4 on MedQA: +8.5)`,
      points(claim(medprompt, "m5.1")),
      "`npx hone reproduce medprompt --data FOLDER`",
      medprompt,
    ],
    [
      "Three retrieved passages, BioASQ factoid questions, token F1",
      points(claim(medprompt, "r.bioasq factoid.1")),
      "`npx hone reproduce medprompt --data FOLDER`",
      medprompt,
    ],
    [
      "Lexical specialization of Gemma 3 270M: translations found (MRR), languages without constraints",
      points(claim(lexical, "bli.unseen")),
      "`npx hone reproduce lexical --data FOLDER`",
      lexical,
    ],
    [
      "… translated sentences found",
      points(claim(lexical, "retrieval")),
      "`npx hone reproduce lexical --data FOLDER`",
      lexical,
    ],
    [
      "ToMi told in the first person against the third, SmolLM2-135M, no difference shown (Claude 3.5 Sonnet: +9.5)",
      points(claim(egosocial, "a1")),
      "`npx hone reproduce egosocialarena --data FOLDER`",
      egosocial,
    ],
    [
      "Reaching with a six-muscle arm: error of one hemisphere, trained on the mean of both losses",
      centimetres(reach["unilateral common"]),
      "`npx hone reproduce bilateral`",
      bilateral,
    ],
    [
      "… on the dominant one's loss",
      centimetres(reach["unilateral dominant"]),
      "`npx hone reproduce bilateral`",
      bilateral,
    ],
    [
      "… of two specialized hemispheres with a callosum, not shown to differ from the row above",
      centimetres(reach["bilateral specialized, cc"]),
      "`npx hone reproduce bilateral`",
      bilateral,
    ],
    [
      "… of two with a callosum that learn by the mean of both losses",
      centimetres(reach["bilateral common, cc"]),
      "`npx hone reproduce bilateral`",
      bilateral,
    ],
  );
  if (train) {
    const { small, lora } = train.problems;
    const run = "`npm run bench:train`";
    rows.push(
      [
        "AdamW step of a 4-layer transformer, against jax-js on WebAssembly",
        times(small["jax-js wasm"].ratio),
        run,
        train,
      ],
      ["… against PyTorch eager", times(small.PyTorch.ratio), run, train],
      ["… against PyTorch compiled", times(small["PyTorch compiled"].ratio), run, train],
      ["LoRA step on SmolLM2-135M's shapes, against PyTorch eager", times(lora.PyTorch.ratio), run, train],
      ["… against PyTorch compiled", times(lora["PyTorch compiled"].ratio), run, train],
    );
  }
  if (motor) {
    const { one, unilateral } = motor.problems;
    const run = "`npm run bench:motor`";
    rows.push(
      ["Update of a motor controller through the arm, against PyTorch", times(one.ratio), run, motor],
      ["… ten seeds at once", times(unilateral.ratio), run, motor],
    );
  }
  if (scoring) {
    rows.push([
      "Choice scoring with the prompt evaluated once, against one call per option without any reuse",
      times(scoring.ratio),
      "`npm run bench:scoring`",
      scoring,
    ]);
  }
  if (harness) {
    rows.push([
      `Samples a second at ${harness.concurrency} in flight, against ${harness.peer.name} ${harness.peer.version}`,
      times(harness.ratio),
      "`npm run bench:harness`",
      harness,
    ]);
  }
  if (startup)
    rows.push([
      "Time of `hone --help` over `node -e 0`",
      times(startup.ratio, "as long"),
      "`npm run bench:startup`",
      startup,
    ]);
  if (memory) {
    rows.push([
      `Peak memory over ${memory.rows.toLocaleString("en")} rows: count, split, read five formats`,
      `${memory.peakMegabytes} MB`,
      "`npm run bench:memory`",
      memory,
    ]);
  }
  return [
    "| what | figure | command | processor |",
    "|---|---|---|---|",
    ...rows.map(
      ([what, figure, command, record]) => `| ${what} | ${figure} | ${command} | ${processor(record)} |`,
    ),
  ];
}

/** What the demo prints last, down to its table. */
export function demo() {
  const record = study("licences");
  if (!record) return undefined;
  const lines = renderSummary(record, { colour: false, width: 100 }).trim().split("\n");
  const end = lines.findIndex((line) => line.includes("chance"));
  return ["```", ...lines.slice(2, end + 1).map((line) => line.trimEnd()), "```"];
}
