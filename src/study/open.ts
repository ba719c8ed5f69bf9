// A finished study, read back from the store: its record, its outcomes, and the calls behind them.

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Call } from "../core/call.js";
import { HoneError } from "../core/errors.js";
import type { Outcome } from "../core/outcome.js";
import type { StudyRecord } from "../core/record.js";
import type { SampleText } from "../report/gather.js";
import { writeReport } from "../report/index.js";
import { type Journal, openJournal, type StudyRow } from "../store/journal.js";

export interface OpenedStudy {
  record: StudyRecord;
  /** Every outcome on test splits, subject by subject. */
  outcomes: () => Iterable<Outcome>;
  call: (key: string) => Call | undefined;
  sample: (task: string, id: string) => SampleText | undefined;
  report: (folder: string) => Promise<{ html: string; markdown: string; json: string }>;
  close: () => void;
}

/** Opens an existing store. @throws HoneError where there is none */
export function openStore(store: string): Journal {
  const path = join(resolve(store), "journal.db");
  if (!existsSync(path)) {
    throw new HoneError({
      what: "There is no store here",
      where: path,
      why: "no study has been run in this folder",
      next: "Run `hone demo` or `hone run STUDY`, or name the store's folder with --store.",
      kind: "usage",
    });
  }
  return openJournal(path);
}

/** @throws HoneError where the store does not know the study, or has no result of it yet */
export function openStudy(store: string, name: string): OpenedStudy {
  const journal = openStore(store);
  const row = journal.study(name);
  if (!row?.record) {
    const known = journal.studies().map((study: StudyRow) => study.name);
    journal.close();
    throw new HoneError({
      what: row ? `The study ${name} has no result yet` : `There is no study ${name}`,
      where: resolve(store),
      why: row ? "its run was stopped before the end" : `the store knows ${known.join(", ") || "none"}`,
      next: row ? "Run it again with `hone run`: it continues where it stopped." : "See `hone ls`.",
      kind: "usage",
    });
  }
  const record = JSON.parse(row.record) as StudyRecord;
  const outcomes = function* (): Generator<Outcome> {
    for (const { key } of record.tasks) {
      for (const { ids } of record.subjects) {
        for (const subject of ids) yield* journal.outcomes({ subject, task: key, split: "test" });
      }
    }
  };
  const call = (key: string) => journal.call(key);
  const sample = (task: string, id: string): SampleText | undefined => {
    const key = record.tasks.find((card) => card.name === task || card.key === task)?.key;
    const text = key === undefined ? undefined : journal.sample(key, id);
    return text === undefined ? undefined : (JSON.parse(text) as SampleText);
  };
  return {
    record,
    outcomes,
    call,
    sample,
    report: (folder) => writeReport({ record, outcomes, call, samples: sample, folder }),
    close: () => journal.close(),
  };
}
