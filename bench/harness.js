// Samples per second against the mock HTTP endpoint (20 ms, concurrency 64): Hone's client alone, Hone's whole study,
// and promptfoo on the same endpoint if PROMPTFOO_DIR names a folder that has it, in three interleaved rounds; writes
// bench/recorded/harness.json. Run by `npm run bench:harness`.
// Client and server share the machine's cores, so every figure is a lower bound for the client.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseStudy, runStudy } from "../dist/index.js";
import { openOpenAI } from "../dist/models/openai.js";
import { machine, record } from "./record.js";

const latencyMs = 20;
const concurrency = 64;
const rounds = 3;
const count = Number(process.env.HONE_BENCH_SAMPLES ?? 8000);
const labels = ["contract", "tort", "property", "crime"];

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Distinct questions of about 60 tokens; the words are drawn by a fixed linear congruential generator. */
function questions(n, from = 0) {
  let state = 12345 + from;
  const draw = (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * below);
  };
  const word = () => "bdfklmnprst"[draw(11)] + "aeiou"[draw(5)] + "lmnrstv"[draw(7)] + "aeiou"[draw(5)];
  return Array.from({ length: n }, (_, i) => {
    const text = Array.from({ length: 30 }, word).join(" ");
    return { id: `q${from + i}`, input: `Case ${from + i}: ${text}.`, gold: labels[draw(4)] };
  });
}

async function startServer() {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "harness/server.js"), "--latency", String(latencyMs)],
    {
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  const [line] = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the mock server ended with ${code}`)));
    child.stdout.once("data", (data) => resolve(data.toString().split("\n")));
  });
  return { url: JSON.parse(line).url, stop: () => child.stdin.end() };
}

/** Runs `call` for every item, `concurrency` at once; returns items per second and milliseconds of CPU per item. */
async function rate(items, call) {
  const cpu = process.cpuUsage();
  const started = performance.now();
  let next = 0;
  const worker = async () => {
    while (next < items.length) await call(items[next++]);
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: items.length / seconds, cpuMs: (user + system) / 1000 / items.length };
}

/** (a) The client alone: one call per sample, generated or scored, streamed or not. */
async function clientRates(url) {
  const context = { signal: new AbortController().signal };
  const ways = [
    ["score, top_logprobs", "", "score"],
    ["generate, stream=0", "&stream=0", "generate"],
    ["generate, streamed", "", "generate"],
  ];
  const items = questions(count);
  for (const [name, more, operation] of ways) {
    const model = await openOpenAI(`mock?base=${url}&concurrency=${concurrency}${more}`, { env: {} });
    const request = ({ input }) => {
      const list = labels.map((label, i) => `${"ABCD"[i]}. ${label}`).join("\n");
      const messages = [{ role: "user", content: `${input}\nWhich field of law?\n${list}` }];
      return operation === "score"
        ? { messages, format: "chat", options: ["A", "B", "C", "D"] }
        : { messages, format: "chat", maxTokens: 8, temperature: 0, seed: 0 };
    };
    await rate(items.slice(0, 500), (item) => model[operation](request(item), context));
    const { perSecond, cpuMs } = await rate(items, (item) => model[operation](request(item), context));
    console.log(`client, ${name}: ${perSecond.toFixed(0)} calls/s, ${cpuMs.toFixed(3)} ms of CPU each`);
    await model.close();
  }
}

/** (b) The whole harness: data, splits, leakage check, prompts, journal, statistics and verdict, in wall-clock time. */
async function studyRate(url, folder) {
  mkdirSync(folder);
  const rows = { train: questions(40), dev: questions(40, 100), test: questions(count, 1000) };
  for (const [name, list] of Object.entries(rows))
    writeFileSync(join(folder, `${name}.jsonl`), list.map((row) => JSON.stringify(row)).join("\n"));
  const spec = parseStudy(
    {
      study: "harness",
      model: `openai:mock?base=${url}&concurrency=${concurrency}`,
      task: {
        name: "field",
        kind: "choice",
        question: "Which field of law?",
        data: {
          splits: { train: "train.jsonl", dev: "dev.jsonl", test: "test.jsonl" },
          input: "input",
          label: "gold",
          options: Object.fromEntries(labels.map((label) => [label, label])),
        },
      },
      specialists: ["majority"],
    },
    "bench/harness.js",
  );
  const before = await stats(url);
  const cpu = process.cpuUsage();
  const started = performance.now();
  const { results } = await runStudy(spec, { store: join(folder, "store"), base: folder });
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const answered = (await stats(url)).answered - before.answered;
  const unscored = results.reduce((sum, result) => sum + result.unscored, 0);
  if (unscored > 0 || answered < count)
    throw new Error(`${unscored} unscored, ${answered} answered of ${count}`);
  console.log(
    `Hone, whole study: ${answered} answers in ${seconds.toFixed(2)} s, ${((user + system) / 1000 / answered).toFixed(3)} ms of CPU each`,
  );
  return answered / seconds;
}

async function stats(url) {
  return (await fetch(new URL("/stats", url))).json();
}

/** (c) promptfoo's own command on the same endpoint and questions. Its start-up time is measured and subtracted. */
function promptfooRate(url, folder) {
  const home = process.env.PROMPTFOO_DIR;
  const manifest = home && join(home, "node_modules/promptfoo/package.json");
  if (!manifest || !existsSync(manifest)) return undefined;
  const { version, bin } = JSON.parse(readFileSync(manifest, "utf8"));
  const program = join(home, "node_modules/promptfoo", typeof bin === "string" ? bin : bin.promptfoo);
  const list = labels.map((label, i) => `${"ABCD"[i]}. ${label}`).join("\n");
  const seconds = (n) => {
    const config = {
      prompts: [`{{input}}\nWhich field of law?\n${list}`],
      providers: [
        {
          id: "openai:chat:mock",
          config: { apiBaseUrl: url, apiKey: "unused", temperature: 0, max_tokens: 8 },
        },
      ],
      tests: questions(n, 50_000).map(({ input, gold }) => ({
        vars: { input },
        assert: [{ type: "equals", value: "ABCD"[labels.indexOf(gold)] }],
      })),
    };
    const path = join(folder, `promptfoo-${n}.json`);
    writeFileSync(path, JSON.stringify(config));
    const started = performance.now();
    const args = ["eval", "-c", path, "--no-cache", "--no-table", "--no-progress-bar", "--no-write"];
    const run = spawnSync(process.execPath, [program, ...args, "-j", String(concurrency)], {
      encoding: "utf8",
      cwd: folder,
      env: {
        ...process.env,
        PROMPTFOO_CONFIG_DIR: join(folder, "promptfoo"),
        PROMPTFOO_DISABLE_TELEMETRY: "1",
        PROMPTFOO_DISABLE_UPDATE: "1",
        PROMPTFOO_SELF_HOSTED: "1",
        PROMPTFOO_DISABLE_REMOTE_GENERATION: "1",
        OPENAI_API_KEY: "unused",
      },
    });
    // 100 is its exit code for failed assertions, which are expected from a mock with a skill of 0.7.
    if (run.error || ![0, 100].includes(run.status)) {
      throw new Error(
        `promptfoo ended with ${run.status}: ${run.stderr?.slice(-500)} ${run.stdout?.slice(-500)}`,
      );
    }
    return (performance.now() - started) / 1000;
  };
  const [few, many] = [64, 64 + Math.min(2000, count)];
  const start = seconds(few);
  const perSecond = (many - few) / (seconds(many) - start);
  console.log(
    `promptfoo ${version}: ${perSecond.toFixed(0)} samples/s (its start, ${start.toFixed(1)} s, taken out)`,
  );
  return { version, perSecond };
}

const folder = mkdtempSync(join(tmpdir(), "hone-harness-"));
mkdirSync(join(folder, "promptfoo"));
const server = await startServer();
try {
  const place = machine();
  console.log(
    `${place}; endpoint: ${latencyMs} ms, concurrency ${concurrency}, ${count} samples, ${rounds} rounds`,
  );
  await clientRates(server.url);
  const [ours, theirs] = [[], []];
  let version;
  for (let round = 0; round < rounds; round++) {
    ours.push(await studyRate(server.url, join(folder, `${round}`)));
    const peer = promptfooRate(server.url, folder);
    if (!peer) continue;
    theirs.push(peer.perSecond);
    version = peer.version;
  }
  const hone = median(ours);
  console.log(`${hone.toFixed(0)} samples/s`);
  if (theirs.length < rounds) console.log("harness: promptfoo is not installed (PROMPTFOO_DIR), skipped");
  else {
    const ratio = median(ours.map((each, round) => each / theirs[round]));
    const peer = { name: "promptfoo", version, perSecond: median(theirs) };
    record(
      "harness",
      { ratio, rounds, latencyMs, concurrency, samples: count, perSecond: hone, peer },
      place,
    );
    console.log(`harness: ratio ${ratio.toFixed(2)} against promptfoo`);
  }
} finally {
  server.stop();
  rmSync(folder, { recursive: true, force: true });
}
