// hone data show | count | split | check | export

import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import {
  countRows,
  type Encoding,
  loadDataset,
  type Reading,
  readingOf,
  readRows,
  resolveSource,
  sensibleShares,
  splitFile,
} from "../data/index.js";
import { oneLine, plainText } from "../report/escape.js";
import { formatWhole } from "../report/format.js";
import { requireFile, requireFolder, writeOut } from "../store/place.js";
import { openStore } from "../study/open.js";
import { readStudy } from "../study/spec.js";
import { requireOptions } from "../tasks/choice.js";
import { makeOutput } from "./output.js";
import { filesOf } from "./study-file.js";

interface Flags {
  json?: boolean;
}

export async function showRows(source: string, flags: Flags & Reading & { rows: number }): Promise<void> {
  const output = makeOutput(flags);
  const { files, pinned } = await resolveSource(source);
  const rows: { place: string; row: Record<string, unknown> }[] = [];
  for (const file of files) {
    for await (const { row, place } of readRows(file, readingOf(flags))) {
      rows.push({ place, row });
      if (rows.length >= flags.rows) break;
    }
    if (rows.length >= flags.rows) break;
  }
  output.record({ type: "done", source: pinned, files: files.length, rows });
  if (flags.json) return;
  output.say(plainText(`${pinned}: ${files.length} ${files.length === 1 ? "file" : "files"}`));
  for (const { place, row } of rows) {
    output.say(plainText(`\n${place}`));
    for (const [field, value] of Object.entries(row)) {
      output.say(
        `  ${plainText(field)}: ${oneLine(typeof value === "string" ? value : JSON.stringify(value), 160)}`,
      );
    }
  }
}

export async function count(source: string, flags: Flags & Reading): Promise<void> {
  const output = makeOutput(flags);
  const { files, pinned } = await resolveSource(source);
  let rows = 0;
  for (const file of files) rows += await countRows(file, readingOf(flags));
  output.record({ type: "done", source: pinned, files: files.length, rows });
  if (!flags.json)
    output.say(
      `${formatWhole(rows)} ${rows === 1 ? "row" : "rows"} in ${files.length} ${files.length === 1 ? "file" : "files"}`,
    );
}

export async function split(
  file: string,
  flags: Flags & {
    encoding?: Encoding;
    out: string;
    dev: number;
    test: number;
    stratify?: string;
    group?: string;
    id?: string;
    seed: number;
  },
): Promise<void> {
  const output = makeOutput(flags);
  const shares = { train: 1 - flags.dev - flags.test, dev: flags.dev, test: flags.test };
  const fractions = sensibleShares(shares, file);
  requireFolder(flags.out, "--out");
  const result = await splitFile(file, resolve(flags.out), {
    fractions,
    ...(flags.id === undefined ? {} : { id: flags.id }),
    seed: flags.seed,
    ...(flags.encoding === undefined ? {} : { encoding: flags.encoding }),
    ...(flags.stratify === undefined ? {} : { stratify: flags.stratify }),
    ...(flags.group === undefined ? {} : { group: flags.group }),
  });
  output.record({ type: "done", ...result });
  if (flags.json) return;
  for (const name of ["train", "dev", "test"] as const) {
    output.say(`${name.padEnd(6)} ${formatWhole(result[name]).padStart(12)}  ${result.files[name]}`);
  }
}

export async function check(file: string, flags: Flags & { data?: string }): Promise<void> {
  const output = makeOutput(flags);
  const spec = await readStudy(file);
  const tasks = [];
  for (const task of [spec.task, ...spec.elsewhere]) {
    const dataset = await loadDataset(task.data, {
      base: flags.data ?? dirname(file),
      name: `${task.name}: data`,
    });
    requireOptions(task, dataset);
    const { counts, leakage, warnings, source, labels } = dataset;
    tasks.push({
      task: task.name,
      source,
      counts,
      leakage,
      warnings,
      labels,
      test: dataset.test.fingerprint,
    });
  }
  output.record({ type: "done", study: spec.study, tasks });
  if (flags.json) return;
  for (const { task, source, counts, leakage, warnings, labels, test } of tasks) {
    output.say(plainText(`${task}, from ${source}`));
    output.say(`  train ${counts.train}, dev ${counts.dev}, test ${counts.test} (sealed, ${test})`);
    if (labels)
      output.say(plainText(`  ${labels.length} labels: ${labels.map(({ text }) => text).join(", ")}`));
    output.say(
      leakage.checked
        ? `  leaks between train and test: ${leakage.exact} exact, ${leakage.near} near`
        : "  leaks between train and test: not checked",
    );
    for (const text of warnings) output.say(plainText(`  ! ${text}`));
  }
}

export async function exportSamples(
  file: string,
  flags: Flags & {
    as: "sft" | "dpo";
    split: "train" | "dev";
    out: string;
    data?: string;
    store: string;
    seed: number;
  },
): Promise<void> {
  const output = makeOutput(flags);
  const spec = await readStudy(file);
  requireFile(flags.out, "--out", await filesOf(spec, flags.data ?? dirname(file), file));
  const hasStore = flags.as === "dpo" && existsSync(join(resolve(flags.store), "journal.db"));
  const journal = hasStore ? openStore(flags.store) : undefined;
  try {
    const { trainingRows } = await import("../deploy/samples.js");
    const { rows, left, known } = await trainingRows(spec, {
      ...{ as: flags.as, split: flags.split, seed: flags.seed, journal },
      base: flags.data ?? dirname(file),
      signal: new AbortController().signal,
    });
    await writeOut(flags.out, rows.map((row) => `${JSON.stringify(row)}\n`).join(""), 0o600);
    output.record({ type: "done", out: flags.out, rows: rows.length, left, known });
    if (flags.json) return;
    const told = [
      `${formatWhole(rows.length)} ${flags.split} samples of ${spec.study} in ${flags.out}`,
      known > 0 && `${formatWhole(known)} with a subject's wrong answer as the rejected one`,
      left > 0 && `${formatWhole(left)} left out: no wrong answer is known`,
    ];
    output.prose(plainText(`${told.filter(Boolean).join("; ")}.`));
  } finally {
    journal?.close();
  }
}
