// Measures the time of `hone --help` against `node -e 0`, interleaved; writes bench/recorded/startup.json. Run by `npm run
// bench:startup`. Exits with 1 above 150 ms, a delay that a person does not notice.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { machine, record } from "./record.js";

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

const place = machine();
time([bin, "--help"]);
const help = [];
const bare = [];
for (let i = 0; i < runs; i++) {
  help.push(time([bin, "--help"]));
  bare.push(time(["-e", "0"]));
}
const sorted = help.toSorted((a, b) => a - b);
console.log(`${place}; ${runs} runs each, interleaved`);
console.log(
  `hone --help: median ${median(help).toFixed(0)} ms (${sorted[1].toFixed(0)} to ${sorted.at(-2).toFixed(0)} ms without the two extremes)`,
);
console.log(`node -e 0:   median ${median(bare).toFixed(0)} ms`);
const ratio = median(help) / median(bare);
record("startup", { ratio, runs, helpMs: median(help), nodeMs: median(bare) }, place);
console.log(`startup: ratio ${ratio.toFixed(2)} against node -e 0`);
if (median(help) > limitMs) process.exitCode = 1;
