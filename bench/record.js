// Writes a benchmark's record: bench/recorded/NAME.json, which README and docs quote; test/figures.test.ts checks the quotes.

import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { machineName } from "../dist/core/cores.js";

/** The machine in words; the load shows how much other work it had. */
export const machine = () => `${machineName()}, load ${loadavg()[0].toFixed(1)}`;

/** Three significant digits: more would not be reproducible in the next run. */
const short = (value) => (Number.isInteger(value) ? value : Number(value.toPrecision(3)));

/**
 * Writes the record and prints its path.
 *
 * @param name the benchmark's name, as in `npm run bench:NAME`
 * @param found its figures, with their unit in the name; numbers are rounded to three significant digits
 */
export function record(name, found, place = machine()) {
  const path = join(import.meta.dirname, `recorded/${name}.json`);
  const all = { bench: name, command: `npm run bench:${name}`, machine: place, ...found };
  const rounded = (_, value) => (typeof value === "number" ? short(value) : value);
  writeFileSync(path, `${JSON.stringify(all, rounded, 2)}\n`);
  console.log(`recorded in bench/recorded/${name}.json`);
}
