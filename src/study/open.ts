// A finished study, read back from the store: its record, its outcomes, and the calls behind them.

import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import type { Call } from "../core/call.js";
import { HoneError } from "../core/errors.js";
import type { Outcome } from "../core/outcome.js";
import type { StudyRecord } from "../core/record.js";
import type { SampleText } from "../report/gather.js";
import { writeReport } from "../report/index.js";
import { dataFiles } from "../specializers/data/parts/make.js";
import type { OnDamaged } from "../store/damage.js";
import { type Journal, openJournal } from "../store/journal.js";
import { makePrivate, privateFolder } from "../store/private.js";
import { fromText } from "../store/records.js";
import { resultOf } from "../store/studies.js";

export interface OpenedStudy {
  record: StudyRecord;
  /**
   * Every outcome on test splits, subject by subject.
   * @param onDamaged receives those that cannot be read, which are then skipped; without it the first one is thrown
   */
  outcomes: (onDamaged?: OnDamaged) => Iterable<Outcome>;
  call: (key: string) => Call | undefined;
  sample: (task: string, id: string) => SampleText | undefined;
  report: (folder: string) => Promise<{ html: string; markdown: string; json: string }>;
  close: () => void;
}

/** Opens an existing store. @throws HoneError if there is none */
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
  return openJournal(path, {
    existing: true,
    onWait: (text) => process.stderr.write(`! ${text}\n`),
  });
}

/** @throws HoneError if the store does not know the study, has no result of it yet, or is damaged */
export function openStudy(store: string, name: string): OpenedStudy {
  const journal = openStore(store);
  try {
    return openedStudy(journal, store, name);
  } catch (error) {
    journal.close();
    throw error;
  }
}

function openedStudy(journal: Journal, store: string, name: string): OpenedStudy {
  const row = journal.study(name);
  const record = row && resultOf(row, journal.path);
  if (!record) {
    const known = journal.studies(() => {}).map((study) => study.name);
    throw new HoneError({
      what: row ? `The study ${name} has no result yet` : `There is no study ${name}`,
      where: resolve(store),
      why: row ? "its run was stopped before the end" : `the store knows ${known.join(", ") || "none"}`,
      next: row ? "Run it again with `hone run`: it continues where it stopped." : "See `hone ls`.",
      kind: "usage",
    });
  }
  // A store may have outcomes under other seeds than the record's, and identical specialists share theirs: each is returned once.
  const seeds = new Map<string, Set<number>>();
  for (const card of record.subjects)
    for (const [i, id] of card.ids.entries())
      seeds.set(id, (seeds.get(id) ?? new Set()).add(card.seeds[i] as number));
  const outcomes = function* (onDamaged?: OnDamaged): Generator<Outcome> {
    for (const { key } of record.tasks)
      for (const [subject, measured] of seeds)
        for (const outcome of journal.outcomes({ subject, task: key, split: "test" }, onDamaged))
          if (measured.has(outcome.seed)) yield outcome;
  };
  const call = (key: string) => journal.call(key);
  const sample = (task: string, id: string): SampleText | undefined => {
    const key = record.tasks.find((card) => card.name === task || card.key === task)?.key;
    const text = key === undefined ? undefined : journal.sample(key, id);
    return text === undefined
      ? undefined
      : fromText<SampleText>(text, `the text of sample ${id}`, journal.path);
  };
  return {
    record,
    outcomes,
    call,
    sample,
    async report(folder) {
      const within = relative(resolve(store), resolve(folder));
      const ours = within !== "" && !within.startsWith("..");
      if (ours) await mkdir(dirname(resolve(folder)), privateFolder);
      const written = await writeReport({
        record,
        outcomes: () => outcomes(),
        call,
        samples: sample,
        pairs: (artifact) => {
          const path = join(resolve(store), "artifacts", artifact, dataFiles.pairs);
          return /^[0-9a-f]{64}$/.test(artifact) && existsSync(path) ? path : undefined;
        },
        folder,
      });
      if (ours) await makePrivate(resolve(folder));
      return written;
    },
    close: () => journal.close(),
  };
}
