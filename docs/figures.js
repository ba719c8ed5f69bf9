// The figures in README and docs, made from their records: `npm run docs:figures` fills what stands between
// `<!-- figures: NAME -->` and `<!-- end -->`, and test/figures.test.ts holds the pages to it. A figure without a record has no row.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { markdownReproduction } from "../dist/cli/reproduction.js";
import { renderSummary } from "../dist/report/terminal.js";
import { wilson } from "../dist/statistics/index.js";
import { catalogue } from "./catalogue.js";

const root = resolve(import.meta.dirname, "..");
/** The normal quantile of a 95 % interval. */
const normal = 1.959964;

function read(path) {
  const file = join(root, path);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}
const bench = (name) => read(`bench/recorded/${name}.json`);
const study = (name) => bench(`studies/${name}`);
const paper = (name) => read(`papers/${name}/measured.json`);
const claim = (record, id) => {
  const found = record.claims.find((one) => one.id === id);
  if (!found) throw new Error(`The record of ${record.paper} has no claim ${id}.`);
  return found;
};

const percent = (value) => (100 * value).toFixed(1);
const signed = (value) => (value > 0 ? `+${percent(value)}` : percent(value).replace(/^-0\.0$/, "0.0"));
const points = ({ measured, low, high, n }) =>
  `${signed(measured)} points (${percent(low)} to ${percent(high)}, n = ${n})`;
const times = (value, of = "as fast") => `${Number(value.toFixed(2))} times ${of}`;
const duration = (ms) =>
  ms < 1 ? "< 1 ms" : ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
const minutes = (seconds) => (seconds < 90 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`);
const pValue = (p) => (p < 0.001 ? "< 0.001" : p.toFixed(3));

const accuracy = ({ mean, low, high, n }) =>
  `${percent(mean)} % (${percent(low)} to ${percent(high)}, n = ${n})`;

/** A study's results on its own task, best first. */
function resultsOf(record) {
  const [task] = record.tasks;
  return record.results.filter((result) => result.task === task.name).sort((a, b) => b.mean - a.mean);
}
const generalistOf = (record) => record.subjects.find(({ role }) => role === "generalist").name;

/** The table of a study on accuracy in docs/results.md. */
function studyTable(record) {
  const [task] = record.tasks;
  const generalist = generalistOf(record);
  const results = resultsOf(record);
  const against = ({ subject }) => {
    const pair = record.comparisons.find(
      ({ a, b, task: on }) =>
        on === task.name && [a, b].sort().join() === [subject, generalist].sort().join(),
    );
    if (!pair) return "– | –";
    const [delta, low, high] =
      pair.a === subject ? [pair.delta, pair.low, pair.high] : [-pair.delta, -pair.high, -pair.low];
    return `${signed(delta)} (${percent(low)} to ${percent(high)}) | ${pValue(pair.pAdjusted)}`;
  };
  const row = (result) => {
    const { subject, mean, low, high, n, dev, perAnswer } = result;
    const tokens = (perAnswer.inputTokens + perAnswer.outputTokens).toFixed(0);
    return (
      `| ${subject} | ${percent(mean)} | ${percent(low)} to ${percent(high)} | ${n} | ${percent(dev.mean)}${dev.optimistic ? "†" : ""} (${dev.n}) | ` +
      `${against(result)} | ${tokens} | ${duration(perAnswer.msMedian)} |`
    );
  };
  const { counts } = task;
  const [{ baseline, chance }] = results;
  const built = results.filter(({ build }) => build.seconds >= 1);
  return [
    `${counts.train} train, ${counts.dev} dev, ${counts.test} sealed test samples. Majority class: ${percent(baseline)} %; chance: ${percent(chance)} %. † optimistic: dev had chosen more than the champion.`,
    "",
    "| subject | accuracy, % | 95 % interval | n | dev, % (n) | against the generalist, points | Holm p | tokens an answer | median time an answer |",
    "|---|---|---|---|---|---|---|---|---|",
    ...results.map(row),
    "",
    `Built in: ${built.map(({ subject, build }) => `${subject} ${minutes(build.seconds)}`).join(", ")}. The whole study: ${minutes(record.seconds)} (${record.machine}).`,
  ];
}

/** The processor that a record names, without cores, versions and load. */
const processor = ({ machine }) =>
  machine.match(/^(?:AMD|Intel)[^,]*/)?.[0].replaceAll(/\(R\)| Processor/g, "") ?? "not kept";

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

function measured() {
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
      ["LoRA trained here", "lora(r=16, last 6)"],
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
      `Hone's decoder, which trains, gives llama.cpp's next token: ${model.replace("llama:", "")}`,
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
      "ToMi told in the first person against the third, SmolLM2-135M, not told from 0 (Claude 3.5 Sonnet: +9.5)",
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
      "… of two specialized hemispheres with a callosum, not told from the row above",
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
function demo() {
  const record = study("licences");
  if (!record) return undefined;
  const lines = renderSummary(record, { colour: false, width: 100 }).trim().split("\n");
  const end = lines.findIndex((line) => line.includes("chance"));
  return ["```", ...lines.slice(2, end + 1).map((line) => line.trimEnd()), "```"];
}

/** Lawma's stored predictions, best first. */
function predictions() {
  const { results, ranking } = bench("lawma-predictions");
  const [{ ranks }] = ranking;
  const rows = ranks.map(({ subject, letters }) => {
    const { mean, low, high, n, unscored } = results.find((one) => one.subject === subject);
    return `| ${subject} | ${percent(mean)} | ${percent(low)} to ${percent(high)} | ${n} | ${unscored} | ${letters} |`;
  });
  return [
    "| system | accuracy, % | 95 % interval | n | unscored | letters |",
    "|---|---|---|---|---|---|",
    ...rows,
  ];
}

/** Races of simulated prompts, by what the prompts are worth. */
function races() {
  const { settings } = bench("optimize");
  const rows = Object.entries(settings).map(
    ([name, { falseAccepts, withinOneError, callsOfAll, shrinkagePoints }]) =>
      `| ${name} | ${percent(falseAccepts)} | ${percent(withinOneError)} | ${percent(callsOfAll)} | ${shrinkagePoints.toFixed(1)} |`,
  );
  return [
    "| prompts | false accepts, % | within one standard error of the best, % | answers asked, % of scoring all on all | shrinkage, points |",
    "|---|---|---|---|---|",
    ...rows,
  ];
}

/** Searches over compositions with known effects. */
function searches() {
  const { runs, settings } = bench("search");
  const rows = Object.entries(settings).map(
    ([name, { falseAccepts, gainPoints, bestPoints, interactionShown, calls }]) =>
      `| ${name} | ${percent(falseAccepts)} | ${gainPoints.toFixed(1)} | ${bestPoints.toFixed(1)} | ${percent(interactionShown)} | ${calls} |`,
  );
  return [
    `| compositions, ${runs} searches each | false accepts, % | gain returned, points | gain of the best, points | interaction shown, % | calls |`,
    "|---|---|---|---|---|---|",
    ...rows,
  ];
}

/** `setfit` against `linear(vectors)` from few labels. */
function fewLabels() {
  const { results, rows } = bench("setfit");
  const beyond = ({ low, high }) => low > 0 || high < 0;
  const lines = results.map(({ task, shots, draws, n, setfit, gain, low, high, ...others }) => {
    const { pieces } = rows.find((row) => row.task === task);
    const interval = `${signed(gain)} (${percent(low)} to ${percent(high)})`;
    return `| ${task} (${pieces}) | ${shots} | ${percent(setfit)} | ${percent(others["linear(vectors)"])} | ${interval} | ${n} × ${draws} |`;
  });
  return [
    "| task (word pieces read) | labels a class | `setfit`, % | `linear(vectors)`, % | difference, points | n × draws |",
    "|---|---:|---:|---:|---|---|",
    ...lines,
    "",
    `Intervals that leave out zero: ${results.filter(beyond).length} of ${results.length}; at the level that Bonferroni gives each of them, ${results.filter(({ family }) => beyond(family)).length}.`,
  ];
}

/** Muon beside AdamW on a small net from nothing. */
function optimizers() {
  const found = bench("muon");
  if (!found) return undefined;
  const { results, difference, step, stepRatio, flopsRatio, tokens, seeds, total } = found;
  const of = ({ mean, low, high }, digits) =>
    `${mean.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`.replaceAll("-", "−");
  const rows = results.map(({ optimizer, rate, tried, bitsPerByte }) => {
    const told = `${rate} of ${tried.map((one) => one.rate).join(", ")}`;
    return `| ${optimizer} | ${told} | ${of(bitsPerByte, 2)} | ${Math.round(step[`${optimizer}Ms`])} |`;
  });
  return [
    "| optimizer | learning rate chosen on dev | bits per byte on test (95 %) | ms a step |",
    "|---|---|---|---:|",
    ...rows,
    "",
    `Muon less AdamW: ${of(difference, 3)} bits per byte, p ${pValue(difference.p)}; ${difference.n} documents and ${seeds.length} seeds are the units. Its step takes ${stepRatio.toFixed(2)} times as long, with ${flopsRatio.toFixed(2)} times the products. One dense net of ${(total / 1e6).toFixed(2)} million parameters, ${tokens.toLocaleString("en")} tokens, ${step.rows} rows of 128 a step (\`npm run bench:muon\`).`,
  ];
}

/** A training step of mixtures by batch: beside the dense net's, and beside PyTorch's. */
function experts() {
  const found = bench("moe");
  if (!found) return undefined;
  const { results, length, rounds, torch, machine } = found;
  const ratio = (value) => value?.toFixed(2) ?? "–";
  const [few, many] = ["16 experts top 2", "64 experts top 2"].map((net) =>
    results.filter((one) => one.net === net),
  );
  const steps = [...new Set(results.map((one) => one.steps))];
  const fewest = results.filter((one) => one.steps === Math.min(...steps));
  const counted =
    steps.length > 1
      ? `${Math.max(...steps)} steps (${fewest[0].steps} with ${[...new Set(fewest.map(({ batch }) => batch))].join(" and ")} rows)`
      : `${steps[0]} steps`;
  const growth = few.map((one, i) => `${ratio(many[i].ms / one.ms)} with ${one.batch} rows`).join(", ");
  return [
    "| net | parameters, M | activated, M | rows a step | ms a step | times the dense net's | PyTorch's time over ours | compiled |",
    "|---|---:|---:|---:|---:|---:|---:|---:|",
    ...results.map(
      ({ net, total, active, batch, ms, ratio: cost, torchRatio, torchCompiledRatio }) =>
        `| ${net} | ${(total / 1e6).toFixed(1)} | ${(active / 1e6).toFixed(1)} | ${batch} | ${ms.toLocaleString("en")} | ${ratio(cost)} | ${ratio(torchRatio)} | ${ratio(torchCompiledRatio)} |`,
    ),
    "",
    `A token costs with 64 experts, against 16: ${growth}. Rows have ${length} tokens; medians of ${counted} in ${rounds} rounds, ${machine.split(",")[0]}, two cores, PyTorch ${torch} with a loop over experts (\`npm run bench:moe\`).`,
  ];
}

/** What a command prints, under the command. */
function printed(command) {
  const [, ...args] = command.split(" ");
  const run = spawnSync(process.execPath, [join(root, "bin/hone.js"), ...args], {
    encoding: "utf8",
    env: { ...process.env, COLUMNS: "400", NO_COLOR: "1" },
  });
  if (run.status !== 0) throw new Error(run.stderr);
  const [text] = run.stdout.split("\nThe study");
  return ["```", `$ ${command}`, text.trimEnd(), "```"];
}

const won = ({ mean, low, high }) => `${mean.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;

/** The trained opponents of Limit Hold'em. */
function holdem() {
  const { styles, hands, trainingSeconds, responseHands } = bench("holdem");
  const { styles: locals } = bench("holdem-local");
  const rows = Object.entries(styles).map(([name, { habits, bestResponse, against }]) => {
    const pair = ["equilibrium", "rule", "caller", "random"].map((other) =>
      against[other] ? won(against[other]) : "–",
    );
    const { entered, aggression } = habits;
    return `| ${name} | ${percent(entered)} | ${aggression.toFixed(2)} | ${pair.join(" | ")} | ${won(bestResponse)} | ${won(locals[name])}, ${locals[name].deals} deals |`;
  });
  return [
    `Big blinds a hand with 95 % intervals, ${hands / 2} deals in both seats; trained in ${trainingSeconds} s, best responses on ${responseHands} hands; a local best response by \`npm run bench:holdem-local\`.`,
    "",
    "| player | hands entered, % | raises per call | against equilibrium | rule | caller | random | a trained best response wins | a local best response wins |",
    "|---|---|---|---|---|---|---|---|---|",
    ...rows,
  ];
}

/** What the engines were checked against. */
function games() {
  const { games: peers, rlcard, openSpiel } = bench("games-parity");
  const versions = { rlcard: `RLCard ${rlcard}`, open_spiel: `OpenSpiel ${openSpiel}` };
  const { ruleHandsPerSecond, rounds } = bench("games");
  const { hands } = bench("hands");
  return [
    "| what | figure | command |",
    "|---|---|---|",
    ...Object.entries(peers).map(([name, { peer, deals, decisions, equalPayoffs, equalLegalMoves }]) => {
      // Blackjack's two moves are always legal: there is nothing to compare.
      const [also, moves] =
        equalLegalMoves === undefined
          ? ["", ""]
          : [", and with equal legal moves,", ` and ${equalLegalMoves}`];
      return `| ${name}: deals with equal pay-offs${also} against ${versions[peer]} | ${equalPayoffs}${moves} of ${deals} (${decisions} decisions) | \`npm run bench:games-parity\` |`;
    }),
    `| seven-card hands whose categories count as known | ${hands} of 133784560 | \`npm run bench:hands\` |`,
    `| Limit Hold'em between rule players, hands a second | ${ruleHandsPerSecond} (median of ${rounds} rounds) | \`npm run bench:games\` |`,
  ];
}

const cell = (text) => text.replaceAll("|", "\\|").replaceAll(/\s+/g, " ");

/** Names of checks with the first line of why they failed. */
const failures = (failed) =>
  failed
    .map(({ name, why }) => `${cell(name)}: \`${cell(why).replaceAll("`", "'").slice(0, 120)}\``)
    .join("; ");

/** Unchanged clients against `hone serve`, and lm-evaluation-harness. */
function clients() {
  const found = bench("clients")?.clients;
  if (!found) return undefined;
  const { harness, n, sameChoice } = bench("lm-eval");
  return [
    "| client | version | run | checks | passed | failed, and why |",
    "|---|---|---|---:|---:|---|",
    ...Object.values(found).map(
      ({ client, version, date, checks, passed, failed, files }) =>
        `| ${client} | ${version} | ${date} | ${checks} | ${passed} | ${files ? `${failed.length}, see below` : failures(failed)} |`,
    ),
    `| lm-evaluation-harness, \`local-completions\` | ${harness.replace(/^lm_eval /, "")} | | ${n} choices compared | ${sameChoice} | see below |`,
  ];
}

/** llama-server's own unit tests by file. */
function llamaServer() {
  const found = bench("clients")?.clients["llama-server"];
  if (!found) return undefined;
  const { files, failed } = found;
  /** One entry a test function, for a test has many cases. */
  const failedIn = (file) => {
    const own = failed.filter(({ name }) => name.startsWith(`${file}::`));
    const named = own.map(({ name, why }) => ({ name: name.split("::")[1].split("[")[0], why }));
    return failures(named.filter(({ name }, i) => named.findIndex((one) => one.name === name) === i));
  };
  const left = (reasons) =>
    Object.entries(reasons)
      .map(([why, n]) => `${n} ${why}`)
      .join("; ");
  return [
    "| file | run | passed | failed, and the first case's why | left out, and why |",
    "|---|---:|---:|---|---|",
    ...Object.entries(files)
      .sort(([, a], [, b]) => b.run - a.run)
      .map(
        ([file, one]) => `| ${file} | ${one.run} | ${one.passed} | ${failedIn(file)} | ${left(one.left)} |`,
      ),
  ];
}

const tables = {
  clients,
  "llama-server": llamaServer,
  holdem,
  games,
  advise: () => printed("hone advise --access text,logprobs --labels 300 --latency 500 --strength small"),
  "lawma-predictions": predictions,
  measured,
  demo,
  optimize: races,
  search: searches,
  setfit: fewLabels,
  muon: optimizers,
  moe: experts,
  specializers: catalogue,
  licences: () => study("licences") && studyTable(study("licences")),
  "scotus-issue-area": () => study("scotus-issue-area") && studyTable(study("scotus-issue-area")),
  pubmedqa: () => study("pubmedqa") && studyTable(study("pubmedqa")),
};

const papers = readdirSync(join(root, "papers"));

/** A paper's claims and its other tables (NAME-table-1 is the first), as `hone reproduce --out measured.md` writes them. */
for (const name of papers) {
  const record = paper(name);
  const sections = record ? markdownReproduction(record).split(/^## /m).slice(1) : [];
  for (const [i, section] of sections.slice(0, -1).entries())
    tables[i === 0 ? `${name}-claims` : `${name}-table-${i}`] = () => section.match(/^\|.*$/gm);
}

/** The page with every block as its record has it; a block without a record stays as it is and is told to `missing`. */
export function filled(page, missing = () => {}) {
  return page.replace(/(<!-- figures: ([\w-]+) -->\n)[\s\S]*?(<!-- end -->)/g, (whole, begin, name, end) => {
    if (!Object.hasOwn(tables, name)) throw new Error(`docs/figures.js makes no table "${name}".`);
    const lines = tables[name]();
    if (lines) return `${begin}\n${lines.join("\n")}\n\n${end}`;
    missing(name);
    return whole;
  });
}

/** Pages that may have figures. */
export const pages = [
  "README.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
  ...papers.map((name) => `papers/${name}/README.md`),
];

/** Pages that are made of a record whole, by path. */
export const made = Object.fromEntries(
  papers.flatMap((name) => {
    const record = paper(name);
    return record ? [[`papers/${name}/measured.md`, `${markdownReproduction(record)}\n`]] : [];
  }),
);

if (process.argv[1] === import.meta.filename) {
  for (const name of pages) {
    const path = join(root, name);
    const page = readFileSync(path, "utf8");
    const now = filled(page, (table) => console.log(`${name}: no record for ${table}, left as it is`));
    if (now === page) continue;
    writeFileSync(path, now);
    console.log(`${name}: figures filled in`);
  }
  for (const [path, text] of Object.entries(made)) writeFileSync(join(root, path), text);
}
