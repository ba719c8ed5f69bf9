// Runs the attack suite: npm run attack [-- --only data,studies] [--count N] [--seed N] [--case N]. Hostile files, studies,
// endpoints, signals and command lines against the built `hone`, from every module in bench/attack/. Prints how many were
// refused, passed and killed Hone; writes bench/recorded/attack.json (with --only, its part of it); exits with 1 if
// anything was killed.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    count: { type: "string" },
    seed: { type: "string", default: "1" },
    case: { type: "string" },
  },
});
const whole = (name) => {
  const value = values[name];
  if (value === undefined) return undefined;
  if (!/^\d{1,9}$/.test(value)) usage(`--${name} ${value}: give a whole number`);
  return Number(value);
};
const [count, seed, only] = [whole("count"), whole("seed"), whole("case")];

const folder = join(import.meta.dirname, "attack");
const names = readdirSync(folder)
  .filter((name) => name.endsWith(".js"))
  .sort();
const modules = [];
for (const name of names) modules.push((await import(join(folder, name))).default);
const wanted = values.only?.split(",") ?? modules.map(({ name }) => name);
for (const name of wanted)
  if (!modules.some((module) => module.name === name))
    usage(`--only ${name}: there is ${modules.map((module) => module.name).join(", ")}`);
if (only !== undefined && wanted.length !== 1) usage("--case goes with --only and one module");

const machine = `${cpus()[0]?.model.trim()}, ${cpus().length} cores`;
console.log(`${machine}, Node ${process.version}, seed ${seed}\n`);
const workdir = mkdtempSync(join(tmpdir(), "hone-attack-"));
const row = (cells) => cells.map((cell, i) => (i === 0 ? cell.padEnd(44) : cell.padStart(9))).join("");
const results = {};
try {
  for (const { name, count: usual, run } of modules) {
    if (!wanted.includes(name)) continue;
    const started = performance.now();
    const log = (text) => console.error(`  ${text}`);
    const asked = count ?? usual;
    const given = { seed, workdir, log, ...(asked === undefined ? {} : { count: asked }) };
    const result = await run({ ...given, ...(only === undefined ? {} : { only }) });
    const { tried, refused, passed, killed, notes = [], classes } = result;
    if (!(tried > 0) || tried !== refused + passed + killed)
      throw new Error(
        `${name} counts ${tried} cases: ${refused} refused, ${passed} passed, ${killed} killed`,
      );
    const seconds = Math.round((performance.now() - started) / 100) / 10;
    results[name] = { tried, refused, passed, killed, seconds, notes, ...(classes && { classes }) };
    console.error(`  ${name}: ${tried} cases in ${seconds} s, ${killed} killed`);
  }
} finally {
  if (only === undefined) rmSync(workdir, { recursive: true, force: true });
}

const total = (field) => Object.values(results).reduce((sum, result) => sum + result[field], 0);
const cells = (result) => [
  ...["tried", "refused", "passed", "killed"].map((field) => result[field].toLocaleString("en")),
  ...("seconds" in result ? [`${result.seconds.toFixed(0)} s`] : []),
];
console.log(row(["attack", "tried", "refused", "passed", "killed", "time"]));
for (const [name, result] of Object.entries(results)) {
  console.log(row([name, ...cells(result)]));
  for (const [kind, counts] of Object.entries(result.classes ?? {}).sort())
    console.log(row([`  ${kind}`, ...cells(counts)]));
}
const fields = ["tried", "refused", "passed", "killed", "seconds"];
console.log(row(["all", ...cells(Object.fromEntries(fields.map((field) => [field, total(field)])))]));
// A run of only some cases is not recorded; a run of only some modules updates their entries in the existing record.
if (count === undefined && only === undefined) {
  const recorded = Object.entries(results).map(([name, { classes, notes, ...counts }]) => [
    name,
    {
      ...counts,
      ...(classes && { classes: Object.keys(classes).length }),
      ...(notes.length > 0 && { notes: notes.join("\n") }),
    },
  ]);
  const path = join(import.meta.dirname, "recorded", "attack.json");
  const before = values.only !== undefined && existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
  const attacks = { ...before.modules, ...Object.fromEntries(recorded) };
  const seconds = Math.round(Object.values(attacks).reduce((sum, one) => sum + one.seconds, 0));
  const record = { machine, node: process.version, seed, seconds, modules: attacks };
  writeFileSync(path, `${JSON.stringify(record, null, 2)}\n`);
}
if (total("killed") > 0) {
  console.log("\nEach case again: npm run attack -- --only MODULE --case NUMBER --seed SEED");
  process.exitCode = 1;
}

function usage(text) {
  console.error(text);
  process.exit(2);
}
