// Attacks by interruption: runs that are killed, stopped, cut off from their reader or out of space at random moments, and
// then continued. The result must equal that of an undisturbed run, and no call is paid for twice except those in flight.

import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { startMockServer } from "../../dist/models/mock-server.js";
import { lastRecord, runCases } from "./lib/cases.js";
import { bin, deathOf, inProcess } from "./lib/cli.js";
import { study, writeTones } from "./lib/tones.js";

const file = "attacked.study.yaml";
const concurrency = 4;
/** Milliseconds after which a run counts as hung: several run at once, on a machine that may be busy. */
const limit = 120_000;
const own = { own: true, limit, env: { OPENAI_API_KEY: "sk-test" } };
/** Milliseconds that a stopped run may take to end, with a margin for a busy machine; five seconds are promised. */
const endsWithin = 10_000;

/** The parts of a record that must be equal however often a run was disturbed. */
function essence(record) {
  const results = record.results.map(({ subject, task, n, unscored, mean, low, high, dev }) => ({
    ...{ subject, task, n, unscored, mean, low, high, dev },
  }));
  return JSON.stringify({
    results,
    comparisons: record.comparisons,
    verdict: record.verdict?.champion,
    openings: record.openings,
  });
}

async function prepare(attack) {
  const server = await startMockServer({ latencyMs: 15, model: "?skill=0.8&seed=5" });
  writeTones(attack.path("tones.jsonl"), 200);
  const spec = study({
    model: `openai:m?base=${server.url}&concurrency=${concurrency}&score=top`,
    specialists: [{ fewShot: { k: 2 } }, "calibrate", "majority"],
    dev: 15,
    test: 40,
    handOver: 0,
  });
  writeFileSync(attack.path(file), JSON.stringify(spec));
  return server;
}

let undisturbed;
/** The essence of an undisturbed run; computed once. */
function reference(attack) {
  undisturbed ??= (async () => {
    const server = await prepare(attack);
    try {
      const result = await attack.hone(["run", file, "--json", "--store", "reference"], own);
      attack.expect(result.code === 0, `an undisturbed run failed: ${result.stderr.slice(-500)}`);
      return essence(lastRecord(result));
    } finally {
      await server.close();
    }
  })();
  return undisturbed;
}

/** Prepares, disturbs, continues, and compares. `disturb` returns the number of interruptions that may each have cost calls in flight. */
async function disturbed(attack, disturb) {
  const expected = await reference(attack);
  const server = await prepare(attack);
  try {
    const times = await disturb(server);
    const result = await attack.hone(["run", file, "--json"], own);
    attack.expect(result.code === 0, `the run that continues failed: ${result.stderr.slice(-500)}`);
    attack.expect(essence(lastRecord(result)) === expected, "continued, it gives other figures");
    const { repeated } = server.stats();
    attack.expect(
      repeated <= times * concurrency,
      `${repeated} calls were paid for twice, after ${times} interruptions`,
    );
    return result;
  } finally {
    await server.close();
  }
}

/** Starts the run, does something to it at a random moment, and waits for its end. */
async function interrupt(attack, server, act, { args = ["--json"] } = {}) {
  // Mostly at a request, so that a slow machine is disturbed at the same points; otherwise during start-up.
  const starting = attack.chance(0.2);
  const moment = starting ? attack.int(20, 600) : server.stats().requests + attack.int(1, 80);
  const due = () => !starting && server.stats().requests >= moment;
  const when = starting ? `after ${moment} ms` : `at request ${moment}`;
  attack.last = `hone run ${file} ${args.join(" ")}, disturbed ${when}`;
  const child = spawn(process.execPath, [bin, "run", file, ...args], {
    cwd: attack.folder,
    env: { ...process.env, ...own.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const out = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"])
    child[name]?.setEncoding("utf8").on("data", (text) => {
      out[name] += text;
    });
  const ended = new Promise((resolve) => child.on("exit", (code, signal) => resolve({ code, signal })));
  const over = () => child.exitCode !== null || child.signalCode !== null;
  const began = performance.now();
  while (!over() && !due() && !(starting && performance.now() - began > moment))
    await new Promise((tick) => setTimeout(tick, 2));
  const alive = !over();
  const from = performance.now();
  if (alive) act(child);
  const timer = setTimeout(() => child.kill("SIGKILL"), limit);
  const end = await ended;
  clearTimeout(timer);
  return { ...end, ...out, alive, took: performance.now() - from, hung: false };
}

const signalled = (signal, again) => (attack) =>
  disturbed(attack, async (server) => {
    const times = attack.int(1, 3);
    for (let i = 0; i < times; i++) {
      const result = await interrupt(attack, server, (child) => {
        child.kill(signal);
        if (again) setTimeout(() => child.kill(signal), attack.int(1, 200));
      });
      const death = deathOf(result, [signal]);
      attack.expect(death === undefined, `after ${signal} ${death}`);
      if (result.alive && signal !== "SIGKILL")
        attack.expect(
          result.took < endsWithin,
          `after ${signal} it ran on for ${Math.round(result.took)} ms`,
        );
    }
    return times;
  });

const cutOff = (name) => (attack) =>
  disturbed(attack, async (server) => {
    const args = attack.pick([["--json"], [], ["--json", "--quiet"]]);
    const result = await interrupt(attack, server, (child) => child[name].destroy(), { args });
    const death = deathOf(result);
    attack.expect(death === undefined || result.stderr === "", `without a reader of ${name} ${death}`);
    // If the verdict could not be written, the run must not report success; messages alone may be lost.
    if (result.alive && name === "stdout" && result.stdout.includes('"done"') === false)
      attack.expect(result.code !== 0, `its ${name} was closed, and it ended with 0`);
    return 1;
  });

const canMount = (() => {
  try {
    execFileSync("unshare", ["-rm", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

/** `hone run` in a mount namespace where `mount` has changed the folder `place`; its contents are then copied to `.hone`. */
function within(attack, mount, rest) {
  const script = `${mount} && { ${JSON.stringify(process.execPath)} ${JSON.stringify(bin)} run ${file} ${rest}; code=$?; }; cp -r place .hone 2>/dev/null; exit $code`;
  attack.last = script;
  return inProcess(["-rm", "sh", "-c", script], {
    cwd: attack.folder,
    env: own.env,
    limit,
    command: ["unshare"],
  });
}

const classes = {
  "kill -9": signalled("SIGKILL"),
  SIGTERM: signalled("SIGTERM"),
  SIGINT: signalled("SIGINT"),
  "SIGINT twice": signalled("SIGINT", true),
  SIGHUP: signalled("SIGHUP"),
  "stdout closes": cutOff("stdout"),
  "stderr closes": cutOff("stderr"),

  "output to a full device": (attack) =>
    disturbed(attack, async () => {
      const to = attack.pick(["> /dev/full", "2> /dev/full", "> /dev/full 2>&1"]);
      const script = `${JSON.stringify(process.execPath)} ${JSON.stringify(bin)} run ${file} ${to}`;
      attack.last = script;
      const result = await inProcess(["-c", script], {
        cwd: attack.folder,
        env: own.env,
        limit,
        command: ["sh"],
      });
      const death = deathOf(result);
      attack.expect(death === undefined || result.stderr === "", `${to}: ${death}`);
      attack.expect(!result.hung && result.signal === null, `${to}: ${death}`);
      if (to !== "2> /dev/full")
        attack.expect(result.code !== 0, `${to}: nothing was printed, and it ended with 0`);
      return 1;
    }),

  "a full disk": (attack) =>
    disturbed(attack, async () => {
      if (!canMount) return 0;
      mkdirSync(attack.path("place"));
      const size = attack.int(20, 400);
      const result = await within(attack, `mount -t tmpfs -o size=${size}k none place`, "--store place");
      const death = deathOf(result);
      attack.expect(death === undefined, `on a disk of ${size} KiB ${death}`);
      attack.expect(result.code !== 0, `on a disk of ${size} KiB it ended with 0`);
      return 1;
    }),

  async "a place that is read-only"(attack) {
    const server = await prepare(attack);
    try {
      mkdirSync(attack.path("place"));
      const mount = "mount --bind place place && mount -o remount,ro,bind place";
      chmodSync(attack.path("place"), 0o555);
      const mayWrite = process.getuid?.() === 0 && !canMount;
      if (mayWrite) return { refused: true };
      const result = canMount
        ? await within(attack, mount, "--store place/store")
        : await attack.hone(["run", file, "--store", "place/store"], own);
      const death = deathOf(result);
      attack.expect(death === undefined, `in a read-only place ${death}`);
      attack.expect(result.code !== 0, "it ended with 0 in a read-only place");
      attack.expect(server.stats().requests === 0, "it asked the model before it knew that it cannot write");
      return { refused: true };
    } finally {
      await server.close();
    }
  },

  "two at once": (attack) =>
    disturbed(attack, async () => {
      const both = await Promise.all(
        [0, 1].map(() => inProcess(["run", file, "--json"], { cwd: attack.folder, env: own.env, limit })),
      );
      for (const result of both)
        attack.expect(
          deathOf(result) === undefined && result.code === 0,
          `beside another ${deathOf(result) ?? result.stderr}`,
        );
      attack.expect(
        essence(lastRecord(both[0])) === essence(lastRecord(both[1])),
        "two at once give two results",
      );
      return 0;
    }),
};

export default {
  name: "processes",
  count: 55,
  run: (given) => runCases({ name: "processes", classes, ...given }),
};
