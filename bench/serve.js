// Latency that `hone serve` adds to the engine's own: the mock model at a fixed rate of requests behind a bare hono handler and behind
// `hone serve`, interleaved; and, at a rate that it sustains, LiteLLM's proxy before the same handler. Then 32 clients at once on the
// embedded model, compared with node-llama-cpp's own batched generation. Run by
//   npm run bench:serve -- [--rate 1000] [--seconds 5] [--rounds 3] [--no-model]
// LiteLLM is found by HONE_LITELLM (the path of its `litellm` program), otherwise skipped by name. Writes
// bench/recorded/serve.json.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { urlOf } from "./listening.js";
import { machine, record } from "./record.js";

/** The engine of `batched`, once it is open. */
let engine;
const prompts = Array.from({ length: 32 }, (_, i) => `Write a sentence about the number ${i}.`);
const writtenTokens = 16;

const { values } = parseArgs({
  options: {
    rate: { type: "string", default: "1000" },
    seconds: { type: "string", default: "5" },
    rounds: { type: "string", default: "9" },
    "no-model": { type: "boolean", default: false },
  },
});
const [rate, seconds, rounds] = [Number(values.rate), Number(values.seconds), Number(values.rounds)];
/** Rounds of slow measurements. The tail of the quick ones varies by a millisecond and more from round to round. */
const fewRounds = 3;
/** Requests per second that LiteLLM's proxy sustains on one core. */
const slowRate = 20;
const token = "bench-token-0123456789";
const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "hone-bench-serve-"));
const children = [];
const place = machine();
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const quantile = (list, q) =>
  list.toSorted((a, b) => a - b)[Math.min(list.length - 1, Math.floor(q * list.length))];

const bare = `
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { openModel } from "./dist/index.js";
const model = await openModel("mock:?skill=0.7");
const app = new Hono();
app.post("/v1/chat/completions", async (c) => {
  const { messages, max_tokens: maxTokens } = await c.req.json();
  const { text, finish } = await model.generate({ messages, format: "chat", maxTokens, temperature: 0, seed: 0 }, { signal: new AbortController().signal });
  return c.json({ id: "x", object: "chat.completion", created: 1, model: "m", choices: [{ index: 0, message: { role: "assistant", content: text }, finish_reason: finish }], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } });
});
serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => console.log(JSON.stringify({ url: "http://127.0.0.1:" + port })));
`;

try {
  const hono = await started("hono", process.execPath, ["--input-type=module", "-e", bare]);
  const refs = ["m=mock:?skill=0.7", ...(values["no-model"] ? [] : ["small=llama:smollm2-135m-instruct"])];
  const hone = await started("hone", process.execPath, [
    join(root, "bin/hone.js"),
    "serve",
    ...refs,
    "--port",
    "0",
    "--token",
    token,
    "--json",
  ]);
  const found = { hono: [], hone: [] };
  for (const url of [hono, hone]) await load(url, rate / 4, 1);
  for (let round = 0; round < rounds; round++) {
    for (const [name, url] of round % 2
      ? [
          ["hone", hone],
          ["hono", hono],
        ]
      : [
          ["hono", hono],
          ["hone", hone],
        ]) {
      const before = cpuMs(name);
      const times = await load(url, rate, seconds);
      const cpu = (cpuMs(name) - before) / Math.max(1, times.ms.length);
      found[name].push({
        p50: quantile(times.ms, 0.5),
        p99: quantile(times.ms, 0.99),
        failed: times.failed,
        cpu,
      });
    }
  }
  const added = found.hone.map(({ p99 }, i) => p99 - found.hono[i].p99);
  const addedP50 = found.hone.map(({ p50 }, i) => p50 - found.hono[i].p50);
  const result = {
    requestsPerSecond: rate,
    secondsARound: seconds,
    rounds,
    honoP50Ms: median(found.hono.map(({ p50 }) => p50)),
    honoP99Ms: median(found.hono.map(({ p99 }) => p99)),
    honeP50Ms: median(found.hone.map(({ p50 }) => p50)),
    honeP99Ms: median(found.hone.map(({ p99 }) => p99)),
    addedP50Ms: median(addedP50),
    addedP99Ms: median(added),
    honoCpuMs: median(found.hono.map(({ cpu }) => cpu)),
    honeCpuMs: median(found.hone.map(({ cpu }) => cpu)),
    failed: [...found.hone, ...found.hono].reduce((sum, one) => sum + one.failed, 0),
  };
  console.log(`${place}; ${rate} requests/s, ${rounds} rounds of ${seconds} s`);
  console.log(
    `hono p50 ${result.honoP50Ms.toFixed(2)}, p99 ${result.honoP99Ms.toFixed(2)} ms; hone p50 ${result.honeP50Ms.toFixed(2)}, p99 ${result.honeP99Ms.toFixed(2)} ms`,
  );
  console.log(`added: p50 ${result.addedP50Ms.toFixed(2)} ms, p99 ${result.addedP99Ms.toFixed(2)} ms`);
  console.log(
    `processor time a request: hono ${result.honoCpuMs.toFixed(2)} ms, hone ${result.honeCpuMs.toFixed(2)} ms`,
  );
  const proxy = await litellm(hono);
  if (proxy) {
    const slow = { hone: [], litellm: [] };
    for (let round = 0; round < fewRounds; round++)
      for (const [name, url] of [
        ["hone", hone],
        ["litellm", proxy],
      ])
        slow[name].push(quantile((await load(url, slowRate, seconds)).ms, 0.99));
    result.slowRate = slowRate;
    result.slowHoneP99Ms = median(slow.hone);
    result.slowLitellmP99Ms = median(slow.litellm);
    console.log(
      `at ${slowRate} requests/s: hone p99 ${result.slowHoneP99Ms.toFixed(2)} ms, litellm p99 ${result.slowLitellmP99Ms.toFixed(2)} ms`,
    );
  }
  if (!values["no-model"]) {
    const speeds = { hone: [], llama: [] };
    for (let round = 0; round < fewRounds; round++) {
      speeds.hone.push(await clients(hone));
      speeds.llama.push(await batched());
    }
    result.clients = 32;
    result.honeTokensPerSecond = median(speeds.hone);
    result.nodeLlamaCppTokensPerSecond = median(speeds.llama);
    result.tokensRatio = median(speeds.hone.map((one, i) => one / speeds.llama[i]));
    console.log(
      `32 clients: hone ${result.honeTokensPerSecond.toFixed(1)} tokens/s, node-llama-cpp batched ${result.nodeLlamaCppTokensPerSecond.toFixed(1)}`,
    );
  }
  record("serve", result, place);
  console.log(`serve: ratio ${(result.honeP50Ms / result.honoP50Ms).toFixed(2)} against bare hono (p50)`);
} finally {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}

/** Starts a server that reports its URL in its first line of JSON. */
async function started(name, program, args) {
  const child = spawn(program, args, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  child.named = name;
  children.push(child);
  return urlOf(child);
}

/** Processor time that a server has used, in milliseconds, which other work on the machine does not change. */
function cpuMs(name) {
  const { pid } = children.find((child) => child.named === name);
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  // Fields 14 and 15 of proc(5), in ticks of 10 ms.
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

/** Sends requests at fixed moments, whether or not earlier ones were answered: each is timed from the moment it was due. */
async function load(url, perSecond, duration) {
  const { hostname, port } = new URL(url);
  const agent = new Agent({ keepAlive: true, maxSockets: 128 });
  const body = JSON.stringify({
    model: "m",
    messages: [{ role: "user", content: "Which team?\nA. red\nB. blue" }],
    max_tokens: 4,
  });
  const headers = {
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
    "content-length": body.length,
  };
  const ms = [];
  let failed = 0;
  const one = (due) =>
    new Promise((resolve) => {
      const sent = request(
        { hostname, port, path: "/v1/chat/completions", method: "POST", headers, agent },
        (response) => {
          response.resume();
          response.on("end", () => {
            if (response.statusCode === 200) ms.push(performance.now() - due);
            else failed++;
            resolve();
          });
        },
      );
      sent.on("error", () => {
        failed++;
        resolve();
      });
      sent.end(body);
    });
  const all = [];
  const begin = performance.now();
  const total = Math.round(perSecond * duration);
  for (let i = 0; i < total; ) {
    const due = begin + (1000 * i) / perSecond;
    if (performance.now() < due) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      continue;
    }
    all.push(one(due));
    i++;
  }
  await Promise.all(all);
  agent.destroy();
  return { ms, failed };
}

/** LiteLLM's proxy before the bare handler; undefined if it is not installed. */
async function litellm(upstream) {
  const program = process.env.HONE_LITELLM;
  if (!program) {
    console.log("litellm: no program (HONE_LITELLM), skipped");
    return undefined;
  }
  const port = 4000 + Math.floor(Math.random() * 1000);
  const config = join(folder, "litellm.yaml");
  writeFileSync(
    config,
    JSON.stringify({
      model_list: [
        { model_name: "m", litellm_params: { model: "openai/m", api_base: `${upstream}/v1`, api_key: "x" } },
      ],
      general_settings: { master_key: token },
    }),
  );
  const child = spawn(program, ["--config", config, "--port", String(port), "--host", "127.0.0.1"], {
    stdio: "ignore",
    env: { ...process.env, LITELLM_LOCAL_MODEL_COST_MAP: "True" },
  });
  children.push(child);
  const url = `http://127.0.0.1:${port}`;
  for (let i = 0; i < 240; i++) {
    const up = await fetch(`${url}/health/liveliness`).then(
      (one) => one.ok,
      () => false,
    );
    if (up) return url;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  console.log("litellm: it did not start within two minutes, skipped");
  return undefined;
}

/** Tokens per second for 32 concurrent clients. */
async function clients(url) {
  const begin = performance.now();
  const written = await Promise.all(
    prompts.map(async (content) => {
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        body: JSON.stringify({
          model: "small",
          messages: [{ role: "user", content }],
          max_tokens: writtenTokens,
        }),
      });
      return (await response.json()).usage.completion_tokens;
    }),
  );
  return written.reduce((sum, one) => sum + one, 0) / ((performance.now() - begin) / 1000);
}

/** The same with node-llama-cpp alone: one context, one sequence per prompt, with its own batching. */
async function batched() {
  const { getLlama } = await import("node-llama-cpp");
  const { openModel } = await import("../dist/index.js");
  if (!engine) {
    const model = await openModel("llama:smollm2-135m-instruct");
    const { path } = model.weights;
    const tokens = [];
    for (const content of prompts)
      tokens.push(
        (
          await model.weights.tokenize({
            messages: [{ role: "user", content }],
            format: "chat",
            options: ["x"],
          })
        ).prompt,
      );
    // Two engines in one process would wait for each other's threads.
    await model.close();
    const threads = cpus().length;
    const llama = await getLlama({
      ...{ gpu: false, build: "never", skipDownload: true, progressLogs: false },
      maxThreads: threads,
    });
    const weights = await llama.loadModel({ modelPath: path });
    engine = {
      weights,
      tokens,
      context: await weights.createContext({
        sequences: 32,
        contextSize: 256,
        batchSize: 512,
        flashAttention: true,
        threads,
      }),
    };
  }
  const { context, tokens } = engine;
  const begin = performance.now();
  const written = await Promise.all(
    tokens.map(async (prompt) => {
      const sequence = context.getSequence();
      let n = 0;
      for await (const _ of sequence.evaluate([...prompt], { temperature: 0 }))
        if (++n >= writtenTokens) break;
      sequence.dispose();
      return n;
    }),
  );
  return written.reduce((sum, one) => sum + one, 0) / ((performance.now() - begin) / 1000);
}
