// A finished study, read back from the store: its record, its outcomes, and the calls behind them.
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { HoneError } from "../core/errors.js";
import { writeReport } from "../report/index.js";
import { openJournal, resultOf } from "../store/journal.js";
import { makePrivate, privateFolder } from "../store/private.js";
import { fromText } from "../store/records.js";
/** Opens an existing store. @throws HoneError where there is none */
export function openStore(store) {
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
/** @throws HoneError where the store does not know the study, has no result of it yet, or is damaged */
export function openStudy(store, name) {
  const journal = openStore(store);
  try {
    return openedStudy(journal, store, name);
  } catch (error) {
    journal.close();
    throw error;
  }
}
function openedStudy(journal, store, name) {
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
  const outcomes = function* (onDamaged) {
    for (const { key } of record.tasks) {
      for (const { ids } of record.subjects) {
        for (const subject of ids) yield* journal.outcomes({ subject, task: key, split: "test" }, onDamaged);
      }
    }
  };
  const call = (key) => journal.call(key);
  const sample = (task, id) => {
    const key = record.tasks.find((card) => card.name === task || card.key === task)?.key;
    const text = key === undefined ? undefined : journal.sample(key, id);
    return text === undefined ? undefined : fromText(text, `the text of sample ${id}`, journal.path);
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
        folder,
      });
      if (ours) await makePrivate(resolve(folder));
      return written;
    },
    close: () => journal.close(),
  };
}
