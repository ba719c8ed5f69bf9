// What the tables of figures share: the records, and how figures are written.

import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

function read(path) {
  const file = join(root, path);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}
export const bench = (name) => read(`bench/recorded/${name}.json`);
export const study = (name) => bench(`studies/${name}`);
export const paper = (name) => read(`papers/${name}/measured.json`);
export const claim = (record, id) => {
  const found = record.claims.find((one) => one.id === id);
  if (!found) throw new Error(`The record of ${record.paper} has no claim ${id}.`);
  return found;
};

export const percent = (value) => (100 * value).toFixed(1);
export const signed = (value) =>
  value > 0 ? `+${percent(value)}` : percent(value).replace(/^-0\.0$/, "0.0");
export const points = ({ measured, low, high, n }) =>
  `${signed(measured)} points (${percent(low)} to ${percent(high)}, n = ${n})`;
export const times = (value, of = "as fast") => `${Number(value.toFixed(2))} times ${of}`;
export const duration = (ms) =>
  ms < 1 ? "< 1 ms" : ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
export const minutes = (seconds) =>
  seconds < 90 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`;
export const pValue = (p) => (p < 0.001 ? "< 0.001" : p.toFixed(3));

export const accuracy = ({ mean, low, high, n }) =>
  `${percent(mean)} % (${percent(low)} to ${percent(high)}, n = ${n})`;

/** A study's results on its own task, best first. */
export function resultsOf(record) {
  const [task] = record.tasks;
  return record.results.filter((result) => result.task === task.name).sort((a, b) => b.mean - a.mean);
}
export const generalistOf = (record) => record.subjects.find(({ role }) => role === "generalist").name;

/** The processor that a record names, without cores, versions and load. */
export const processor = ({ machine }) =>
  machine.match(/^(?:AMD|Intel)[^,]*/)?.[0].replaceAll(/\(R\)| Processor/g, "") ?? "not kept";

/** Text as a cell of a Markdown table. */
export const cell = (text) => text.replaceAll("|", "\\|").replaceAll(/\s+/g, " ");
