// What a benchmark leaves behind: bench/recorded/NAME.json, which README and docs quote and test/figures.test.ts holds them to.

import { writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { machineName } from "../dist/core/cores.js";

/** The machine in words; the load tells how much other work it had. */
export const machine = () => `${machineName()}, load ${loadavg()[0].toFixed(1)}`;

/** Three significant digits: more would not be the same in the next run. */
const short = (value) => (Number.isInteger(value) ? value : Number(value.toPrecision(3)));

/**
 * Writes the record and says where it is.
 *
 * @param name of the benchmark, as in `npm run bench:NAME`
 * @param found its figures, with their unit in the name; numbers are rounded to three significant digits
 */
export function record(name, found, place = machine()) {
  const path = join(import.meta.dirname, `recorded/${name}.json`);
  const all = { bench: name, command: `npm run bench:${name}`, machine: place, ...found };
  const rounded = (_, value) => (typeof value === "number" ? short(value) : value);
  writeFileSync(path, `${JSON.stringify(all, rounded, 2)}\n`);
  console.log(`recorded in bench/recorded/${name}.json`);
}
