// node bench/startup.js — how long `hone --help` takes, against the 150 ms that a person does not notice, and against
// Node alone. Exits with 1 over the limit.

import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";

const limitMs = 150;
const runs = 31;
const bin = fileURLToPath(new URL("../bin/hone.js", import.meta.url));

function time(args) {
  const started = performance.now();
  const { status } = spawnSync(process.execPath, args, { stdio: "ignore" });
  if (status !== 0) throw new Error(`node ${args.join(" ")} exited with ${status}`);
  return performance.now() - started;
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

time([bin, "--help"]);
const help = [];
const bare = [];
for (let i = 0; i < runs; i++) {
  help.push(time([bin, "--help"]));
  bare.push(time(["-e", "0"]));
}
const sorted = help.toSorted((a, b) => a - b);
console.log(
  `${cpus()[0].model}, ${cpus().length} cores, Node ${process.version}, ${runs} runs each, interleaved`,
);
console.log(
  `hone --help: median ${median(help).toFixed(0)} ms (${sorted[1].toFixed(0)} to ${sorted.at(-2).toFixed(0)} ms without the two extremes)`,
);
console.log(`node -e 0:   median ${median(bare).toFixed(0)} ms`);
console.log(`startup: ratio ${(limitMs / median(help)).toFixed(2)} against ${limitMs} ms`);
if (median(help) > limitMs) process.exitCode = 1;
