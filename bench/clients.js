// Unchanged clients against `hone serve`: the embedded model, the sentence encoder and a small specialist behind the command itself, and
// each client's checks (bench/clients/) in a process of its own. Run by
//   npm run bench:clients
// npm packages go into a temporary folder, or lie in HONE_CLIENTS_NODE (a folder that has them). Python clients are found by
// HONE_CLIENTS_VENV (a virtual environment), openai-node's own tests by HONE_OPENAI_NODE (its source, which is not on npm); what is not
// there is skipped by name, and keeps its row of the record before. Writes bench/recorded/clients.json.

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
import { runStudy } from "../dist/index.js";
import { parseStudy } from "../dist/study/spec.js";
import { study, writeTones } from "./attack/lib/tones.js";
import { urlOf } from "./listening.js";
import { machine, record } from "./record.js";

const root = join(import.meta.dirname, "..");
const scripts = join(import.meta.dirname, "clients");
const place = machine();
const folder = mkdtempSync(join(tmpdir(), "hone-clients-"));
/** Versions as they were when the checks were written; npm takes the newest that fit. */
const packages = {
  openai: "^6.49.0",
  ai: "^6.0.326",
  "@ai-sdk/openai": "^3.0.141",
  "@ai-sdk/openai-compatible": "^2.0.92",
  "@langchain/core": "^1.4.0",
  "@langchain/openai": "^1.5.8",
};
const { HONE_CLIENTS_NODE: nodeFolder, HONE_CLIENTS_VENV: venv, HONE_OPENAI_NODE: source } = process.env;
/** As openai-node's tests send it. */
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

/** The server, with the names that openai-node's tests ask for. */
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

/** Files of openai-node's tests whose routes exist, with the tests of each that ask for one. */
const openaiTests = {
  "completions.test.ts": /create/,
  "chat/completions/completions.test.ts": /create/,
  "embeddings.test.ts": /create/,
  "models.test.ts": /retrieve|list/,
  "responses/responses.test.ts": /create/,
};

/** Mocks under the names of models that those tests ask for. */
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

/** One JSON line a check. */
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
  const rows = existsSync(before) ? JSON.parse(readFileSync(before, "utf8")).clients : {};
  const base = await start();
  const env = { BASE: base, TOKEN: token };
  const put = (id, client, version, found) => {
    const failed = found.filter(({ ok }) => !ok).map(({ name, why }) => ({ name, why }));
    rows[id] = {
      client,
      version,
      date: new Date().toISOString().slice(0, 10),
      checks: found.length,
      passed: found.length - failed.length,
      failed,
    };
    console.log(`${client} ${version}: ${rows[id].passed} of ${found.length}`);
    for (const { name, why } of failed) console.log(`  ${name}: ${why}`);
    // After each client: what comes later may take long.
    record("clients", { clients: rows }, place);
  };
  const own = await nodeClients();
  for (const [script, client, name] of [
    ["openai-node", "openai-node", "openai"],
    ["ai-sdk", "Vercel AI SDK, `openai-compatible` and `openai`", "ai"],
    ["langchain", "LangChain JS", "@langchain/openai"],
  ])
    put(
      script,
      client,
      versionOf(own, name),
      await checks(process.execPath, [join(own, `${script}.mjs`)], env),
    );
  if (source) {
    const { version } = JSON.parse(readFileSync(join(source, "package.json"), "utf8"));
    put(
      "openai-node-tests",
      "openai-node's own `tests/api-resources`, of the routes that exist",
      version,
      await openaiNode(base),
    );
  } else console.log("openai-node's own tests: skipped, HONE_OPENAI_NODE is not set");
  if (venv)
    for (const [id, client, name] of [
      ["litellm", "LiteLLM", "litellm"],
      ["openai", "openai (Python)", "openai"],
      ["inspect", "Inspect AI", "inspect-ai"],
    ]) {
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
} finally {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}
