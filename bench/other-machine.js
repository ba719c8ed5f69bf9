// Runs the tests that compare figures as other machines would run them: with one core (hence other thread counts), and with AVX-512 masked
// (qemu-user as a Haswell processor, whose kernels ONNX Runtime then chooses; llama.cpp's tests run with one core only). Run by `npm run
// build && npm run bench:machine -- [CONDITION …]`; writes counts of passed and failed to bench/recorded/machine.json. Missing tools are
// skipped by name.

import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { machine, record } from "./record.js";

const root = resolve(import.meta.dirname, "..");
/** Features of a Haswell that qemu does not emulate and warns about. */
const unsupported = ["pcid", "x2apic", "tsc-deadline", "hle", "invpcid", "rtm"];
const conditions = {
  "one-core": {
    masked: "all cores but one: every engine has one thread",
    tool: ["taskset", "--version"],
    prefix: ["taskset", "-c", "0"],
    tests: [
      "test/tensor/lower",
      "test/tensor/train",
      "test/nets",
      "test/motor/plant",
      "test/models/llama.test",
      "test/specializers/training",
    ],
  },
  // Emulation is some 20 times slower, hence small models only.
  haswell: {
    masked: "AVX-512, AVX-VNNI and BF16 instructions",
    tool: ["qemu-x86_64", "--version"],
    prefix: ["qemu-x86_64", "-cpu", `Haswell,${unsupported.map((one) => `-${one}`).join()}`],
    tests: [
      "test/tensor/train",
      "test/nets/answer",
      "test/nets/decoder",
      "test/nets/gradient",
      "test/motor/plant",
    ],
    emulated: true,
  },
};
const minutes = 20;

const wanted = process.argv.slice(2);
const path = join(import.meta.dirname, "recorded/machine.json");
const runs = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).runs : {};
const place = machine();
const instructions = /avx512f/.test(existsSync("/proc/cpuinfo") ? readFileSync("/proc/cpuinfo", "utf8") : "")
  ? "with AVX-512"
  : "without AVX-512";
const folder = mkdtempSync(join(tmpdir(), "hone-machine-"));
try {
  for (const [name, { masked, tool, prefix, tests, emulated }] of Object.entries(conditions)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    if (spawnSync(tool[0], tool.slice(1)).error) {
      console.log(`machine: ${tool[0]} is not installed, ${name} skipped`);
      continue;
    }
    const out = join(folder, `${name}.json`);
    // The figures are tested, not the time. Threads, because a separate process would leave the emulator.
    const slow = [
      "--maxWorkers=1",
      "--testTimeout=600000",
      "--hookTimeout=600000",
      ...(emulated ? ["--pool=threads"] : []),
    ];
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    const report = ["--reporter=default", "--reporter=json", `--outputFile.json=${out}`];
    const [program, ...before] = prefix;
    const started = performance.now();
    const run = spawnSync(
      program,
      [...before, process.execPath, vitest, "run", ...tests, ...slow, ...report],
      {
        cwd: root,
        stdio: "inherit",
        timeout: minutes * 60_000,
      },
    );
    if (!existsSync(out)) {
      console.log(`machine: ${name} did not end within ${minutes} minutes (${run.signal ?? run.status})`);
      process.exitCode = 1;
      continue;
    }
    const { testResults, numPassedTests, numFailedTests, numPendingTests } = JSON.parse(
      readFileSync(out, "utf8"),
    );
    const failed = testResults.flatMap(({ name: file, assertionResults }) =>
      assertionResults
        .filter(({ status }) => status === "failed")
        .map(({ fullName }) => `${relative(root, file)}: ${fullName}`),
    );
    const seconds = Math.round((performance.now() - started) / 1000);
    runs[name] = {
      masked,
      passed: numPassedTests,
      failed: numFailedTests,
      skipped: numPendingTests,
      seconds,
      tests,
    };
    if (failed.length > 0) runs[name].failures = failed;
    console.log(`machine: ${name}: ${numPassedTests} passed, ${numFailedTests} failed`);
    if (numFailedTests > 0) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
record("machine", { instructions: `${cpus()[0]?.model.trim()} ${instructions}`, runs }, place);
