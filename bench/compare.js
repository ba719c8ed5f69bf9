// Time and memory of `hone compare --predictions` at its limits: 100 systems, and a million rows. Medians of three
// rounds; each round runs the whole command in its own process. Writes bench/recorded/compare.json.
//
//     npm run build && node bench/compare.js
//
// Rule: it fails (exit 1) if a case takes more processor time or memory than its limit.

import { spawnSync } from "node:child_process";
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const self = fileURLToPath(import.meta.url);
const rounds = 3;
const cases = [
  { name: "100 systems, 1,500 samples", rows: 1500, systems: 100, tasks: 1, seconds: 10, megabytes: 400 },
  { name: "1,000,000 rows, 2 systems", rows: 1_000_000, systems: 2, tasks: 1, seconds: 15, megabytes: 400 },
  {
    name: "1,000,000 rows, 4 systems, 4 tasks",
    rows: 1_000_000,
    systems: 4,
    tasks: 4,
    seconds: 15,
    megabytes: 400,
  },
];

/** Writes answers A to E, drawn by a fixed linear congruential generator; systems differ slightly, samples differ in difficulty. */
async function written(path, { rows, systems, tasks }) {
  let state = 12345;
  const draw = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
  const letter = () => "ABCDE"[Math.floor(5 * draw())];
  const out = createWriteStream(path);
  let text = "";
  const each = rows / tasks;
  for (let i = 0; i < rows; i++) {
    const gold = letter();
    const ease = draw();
    const answers = {};
    for (let k = 0; k < systems; k++)
      answers[`system-${k}`] = draw() < 0.3 + 0.5 * ease + 0.01 * (k % 7) ? gold : letter();
    const task = tasks > 1 ? { task: `task-${Math.floor(i / each)}` } : {};
    text += `${JSON.stringify({ id: `case-${i % each}`, ...task, gold, answers })}\n`;
    if (text.length < 1 << 18) continue;
    if (!out.write(text)) await new Promise((go) => out.once("drain", go));
    text = "";
  }
  await new Promise((go) => out.end(text, go));
}

async function main() {
  const folder = mkdtempSync(join(tmpdir(), "hone-bench-compare-"));
  const record = { command: "node bench/compare.js", machine: "", rounds, cases: [] };
  const load = loadavg()[0];
  record.machine = `${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.version}, load ${load.toFixed(1)}`;
  try {
    for (const one of cases) {
      const path = join(folder, "predictions.jsonl");
      await written(path, one);
      const measured = Array.from({ length: rounds }, () => {
        const args = [self, "--one", "compare", "--predictions", path, "--json"];
        const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", maxBuffer: 1e9 });
        if (status !== 0) throw new Error(stderr);
        return JSON.parse(stderr.trim().split("\n").at(-1));
      });
      const median = (pick) => measured.map(pick).sort((a, b) => a - b)[rounds >> 1];
      const found = {
        name: one.name,
        seconds: Number(median(({ seconds }) => seconds).toFixed(1)),
        processorSeconds: Number(median(({ processor }) => processor).toFixed(1)),
        peakMegabytes: Math.round(median(({ peak }) => peak)),
      };
      record.cases.push(found);
      console.log(
        `${found.name}: ${found.seconds} s, ${found.processorSeconds} s of processor, ${found.peakMegabytes} MB`,
      );
      if (found.processorSeconds > one.seconds || found.peakMegabytes > one.megabytes) process.exitCode = 1;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(record.machine);
  const at = join(import.meta.dirname, "recorded/compare.json");
  writeFileSync(at, `${JSON.stringify(record, null, 2)}\n`);
}

/** Runs the command itself, which reports its resource use last. */
async function one() {
  const started = performance.now();
  process.argv.splice(2, 1);
  process.on("exit", () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
    const seconds = (performance.now() - started) / 1000;
    const processor = (userCPUTime + systemCPUTime) / 1e6;
    process.stderr.write(`\n${JSON.stringify({ seconds, processor, peak: (maxRSS * 1024) / 1e6 })}\n`);
  });
  await import("../bin/hone.js");
}

await (process.argv[2] === "--one" ? one() : main());
