// Unmodified clients against `hone serve`: the embedded model, the sentence encoder and a small specialist behind the command itself,
// and each client's checks (bench/clients/) in a process of its own. Run by
//   npm run bench:clients
// npm packages go into a temporary folder, or are taken from HONE_CLIENTS_NODE (a folder that has them). Python clients are found by
// HONE_CLIENTS_VENV (a virtual environment), openai-node's own tests by HONE_OPENAI_NODE (its source, which is not on npm),
// llama-server's by HONE_LLAMA_CPP_PYTHON (the unpacked source distribution of llama-cpp-python, which includes llama.cpp's; the
// virtual environment then needs pytest, requests, aiohttp, filelock, numpy, openai, wget). Missing clients are skipped by name and
// keep their rows of the previous record; `-- --only NAME` runs the clients of one row. Writes bench/recorded/clients.json.

import { spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runStudy } from "../dist/index.js";
import { parseStudy } from "../dist/study/spec.js";
import { study, writeTones } from "./attack/lib/tones.js";
import { urlOf } from "./listening.js";
import { machine, record } from "./record.js";

const root = join(import.meta.dirname, "..");
const scripts = join(import.meta.dirname, "clients");
const place = machine();
const folder = mkdtempSync(join(tmpdir(), "hone-clients-"));
/** Versions at the time the checks were written; npm takes the newest compatible ones. */
const packages = {
  openai: "^6.49.0",
  ai: "^6.0.326",
  "@ai-sdk/openai": "^3.0.141",
  "@ai-sdk/openai-compatible": "^2.0.92",
  "@langchain/core": "^1.4.0",
  "@langchain/openai": "^1.5.8",
};
const {
  HONE_CLIENTS_NODE: nodeFolder,
  HONE_CLIENTS_VENV: venv,
  HONE_OPENAI_NODE: source,
  HONE_LLAMA_CPP_PYTHON: llamaCpp,
} = process.env;
const { only } = parseArgs({ options: { only: { type: "string" } } }).values;
const wanted = (id) => only === undefined || only === id;
/** The token that openai-node's tests send. */
const token = "My API Key";
const children = [];

/** Runs a program to its end. */
function run(command, args, { env = {}, cwd = folder, ms = 600_000 } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      timeout: ms,
      killSignal: "SIGKILL",
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (data) => {
      stdout += data;
    });
    child.stderr.on("data", (data) => {
      stderr += data;
    });
    child.on("error", (error) => resolve({ code: -1, stdout, stderr: String(error) }));
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

/** Starts the server, with the model names that openai-node's tests use. */
async function start() {
  writeTones(join(folder, "tones.jsonl"), 200);
  const store = join(folder, ".hone");
  const spec = study({ model: "mock:?skill=0.5&seed=1", dev: 20, test: 40, specialists: ["linear"] });
  await runStudy(parseStudy({ ...spec, study: "tones" }, "clients"), { store, base: folder });
  const refs = [
    "tones",
    "small=llama:smollm2-135m-instruct?context=2048",
    "enc=encoder:minilm",
    ...openaiNames(),
  ];
  const args = [
    join(root, "bin/hone.js"),
    "serve",
    ...refs,
    "--port",
    "0",
    "--token",
    token,
    "--json",
    "--store",
    store,
  ];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  return `${await urlOf(child)}/v1`;
}

/** Files of openai-node's tests whose routes exist, and the tests in each that use such a route. */
const openaiTests = {
  "completions.test.ts": /create/,
  "chat/completions/completions.test.ts": /create/,
  "embeddings.test.ts": /create/,
  "models.test.ts": /retrieve|list/,
  "responses/responses.test.ts": /create/,
};

/** Mocks under the model names that those tests use. */
function openaiNames() {
  if (!source) return [];
  const text = Object.keys(openaiTests)
    .map((file) => readFileSync(join(source, "tests/api-resources", file), "utf8"))
    .join("\n");
  const names = [...text.matchAll(/(?:model: |retrieve\()'([\w.-]+)'/g)].map(([, name]) => name);
  return [...new Set(names)].map((name) => `${name}=mock:?seed=1`);
}

async function openaiNode(base) {
  const config = join(folder, "openai-node.config.mjs");
  const alias = (find, replacement) => `{ find: ${find}, replacement: ${JSON.stringify(replacement)} }`;
  writeFileSync(
    config,
    `export default { root: ${JSON.stringify(source)}, resolve: { alias: [${alias("/^openai$/", join(source, "src/index.ts"))}, ${alias("/^openai\\/(.*)$/", `${source}/src/$1`)}] },
  test: { environment: "node", globals: true, testTimeout: 60000, include: ["tests/api-resources/**/*.test.ts"], maxWorkers: 1 } };`,
  );
  const out = join(folder, "openai-node.json");
  const files = Object.keys(openaiTests).map((file) => join("tests/api-resources", file));
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const how = ["run", "--config", config, "--reporter=json", `--outputFile=${out}`, ...files];
  const done = await run(process.execPath, [vitest, ...how], {
    cwd: source,
    env: { TEST_API_BASE_URL: base },
  });
  if (!existsSync(out)) throw new Error(done.stderr.slice(-500));
  return JSON.parse(readFileSync(out, "utf8")).testResults.flatMap(({ name, assertionResults }) => {
    const file = Object.keys(openaiTests).find((one) => name.endsWith(`api-resources/${one}`));
    return assertionResults
      .filter(({ title, status }) => status !== "pending" && openaiTests[file]?.test(title))
      .map(({ fullName, status, failureMessages }) => ({
        name: `${file.replace(/\.test\.ts$/, "")}: ${fullName}`,
        ok: status === "passed",
        ...(status === "passed" ? {} : { why: (failureMessages[0] ?? "").split("\n")[0].slice(0, 200) }),
      }));
  });
}

/** llama-server's own tests: the results per file, and the tests left out, by reason. */
async function llamaServer() {
  const tests = join(llamaCpp, "vendor/llama.cpp/tools/server/tests");
  const out = join(folder, "llama-server.jsonl");
  const args = ["-m", "pytest", "-p", "llama_server", "-q", "-p", "no:cacheprovider", "unit"];
  const env = {
    HONE: join(root, "bin/hone.js"),
    NODE: process.execPath,
    HONE_STORE: join(folder, "llama-server"),
    PYTHONPATH: `${tests}:${scripts}`,
    PYTHONDONTWRITEBYTECODE: "1",
    TESTS_SAY: out,
  };
  const done = await run(join(venv, "bin/python"), args, { cwd: tests, env, ms: 3_600_000 });
  if (!existsSync(out)) throw new Error((done.stderr || done.stdout).slice(-500));
  const lines = readFileSync(out, "utf8").trim().split("\n");
  const found = lines.map((line) => JSON.parse(line));
  const files = {};
  for (const { name, ok, left } of found) {
    const [file] = name.split("::");
    files[file] ??= { run: 0, passed: 0, left: {} };
    const at = files[file];
    if (left !== undefined) at.left[left] = (at.left[left] ?? 0) + 1;
    else at.run++;
    if (ok) at.passed++;
  }
  return { found: found.filter(({ left }) => left === undefined), files };
}

/** Runs checks that print one JSON line each. */
async function checks(command, args, env) {
  const { stdout, stderr } = await run(command, args, { env });
  const found = stdout
    .split("\n")
    .filter((line) => line.startsWith('{"name"'))
    .map((line) => JSON.parse(line));
  return found.length > 0 ? found : [{ name: "start", ok: false, why: stderr.slice(-300) }];
}

/** The folder with the npm clients and the scripts beside them. */
async function nodeClients() {
  const own = join(folder, "node");
  mkdirSync(own);
  for (const name of readdirSync(scripts).filter((one) => one.endsWith(".mjs")))
    cpSync(join(scripts, name), join(own, name));
  if (nodeFolder) {
    const { symlinkSync } = await import("node:fs");
    symlinkSync(join(nodeFolder, "node_modules"), join(own, "node_modules"));
    return own;
  }
  writeFileSync(
    join(own, "package.json"),
    JSON.stringify({ type: "module", private: true, dependencies: packages }),
  );
  const { code, stderr } = await run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"], {
    cwd: own,
  });
  if (code !== 0) throw new Error(`npm install: ${stderr.slice(-500)}`);
  return own;
}

const versionOf = (own, name) =>
  JSON.parse(readFileSync(join(own, "node_modules", name, "package.json"), "utf8")).version;

async function pythonVersion(name) {
  const code = `import importlib.metadata as m; print(m.version(${JSON.stringify(name)}))`;
  return (await run(join(venv, "bin/python"), ["-c", code])).stdout.trim();
}

try {
  const before = join(import.meta.dirname, "recorded/clients.json");
  const { clients: rows, machine: earlier } = existsSync(before)
    ? JSON.parse(readFileSync(before, "utf8"))
    : { clients: {} };
  for (const row of Object.values(rows)) row.machine ??= earlier;
  // llama-server's tests start their own server.
  const base = only === "llama-server" ? "" : await start();
  const env = { BASE: base, TOKEN: token };
  const put = (id, client, version, found, more = {}) => {
    const failed = found.filter(({ ok }) => !ok).map(({ name, why }) => ({ name, why }));
    rows[id] = {
      client,
      version,
      date: new Date().toISOString().slice(0, 10),
      machine: place,
      checks: found.length,
      passed: found.length - failed.length,
      failed,
      ...more,
    };
    console.log(`${client} ${version}: ${rows[id].passed} of ${found.length}`);
    for (const { name, why } of failed) console.log(`  ${name}: ${why}`);
    // After each client, since later ones may take long.
    record("clients", { clients: rows }, place);
  };
  const inNode = [
    ["openai-node", "openai-node", "openai"],
    ["ai-sdk", "Vercel AI SDK, `openai-compatible` and `openai`", "ai"],
    ["langchain", "LangChain JS", "@langchain/openai"],
  ].filter(([script]) => wanted(script));
  const own = inNode.length > 0 ? await nodeClients() : "";
  for (const [script, client, name] of inNode)
    put(
      script,
      client,
      versionOf(own, name),
      await checks(process.execPath, [join(own, `${script}.mjs`)], env),
    );
  if (source && wanted("openai-node-tests")) {
    const { version } = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
    put(
      "openai-node-tests",
      "openai-node's own `tests/api-resources`, of the routes that exist",
      version,
      await openaiNode(base),
    );
  } else if (!source) console.log("openai-node's own tests: skipped, HONE_OPENAI_NODE is not set");
  if (venv)
    for (const [id, client, name] of [
      ["litellm", "LiteLLM", "litellm"],
      ["openai", "openai (Python)", "openai"],
      ["inspect", "Inspect AI", "inspect-ai"],
    ].filter(([id]) => wanted(id))) {
      const version = await pythonVersion(name);
      if (version === "") console.log(`${client}: skipped, not in HONE_CLIENTS_VENV`);
      else
        put(
          id,
          client,
          version,
          await checks(
            join(venv, "bin/python"),
            [join(scripts, "python_clients.py"), id, join(folder, "logs")],
            env,
          ),
        );
    }
  else console.log("LiteLLM, openai (Python), Inspect AI: skipped, HONE_CLIENTS_VENV is not set");
  if (venv && llamaCpp && wanted("llama-server")) {
    const [, version] = /^Version: (.+)$/m.exec(readFileSync(join(llamaCpp, "PKG-INFO"), "utf8"));
    const { found, files } = await llamaServer();
    const name = "llama-server's own unit tests, of what does not depend on its model or routes of its own";
    put("llama-server", name, `llama-cpp-python ${version}`, found, { files });
  } else if (!(venv && llamaCpp))
    console.log("llama-server's own tests: skipped, HONE_LLAMA_CPP_PYTHON or HONE_CLIENTS_VENV is not set");
} finally {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
