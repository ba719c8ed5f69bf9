// Runs in a process of its own: flips bits in a journal, one in each copy, and says how reading each copy ended.
// node read-damaged.js DIST JOURNAL FOLDER SEED FROM TO

import { appendFileSync, copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [dist, original, folder, seed, from, to] = process.argv.slice(2);
const { openJournal } = await import(`${dist}/store/journal.js`);
const { resultOf } = await import(`${dist}/store/studies.js`);
const { examine } = await import(`${dist}/store/examine.js`);
const { randomFor } = await import(`${dist}/core/random.js`);
const { HoneError } = await import(`${dist}/core/errors.js`);

const path = join(folder, "journal.db");
const bytes = readFileSync(original);

/** Everything that the journal tells of its studies, and what it says is damaged. */
function readAll() {
  const told = [];
  const damaged = (error) => told.push(error.message);
  const read = [];
  const journal = openJournal(path, { existing: true });
  try {
    for (const { name } of journal.studies(damaged)) {
      try {
        const record = resultOf(journal.study(name), path);
        read.push(record);
        for (const { key } of record.tasks) {
          for (const subject of record.subjects.flatMap(({ ids }) => ids)) {
            for (const outcome of journal.outcomes({ subject, task: key, split: "test" }, damaged)) {
              read.push(outcome, journal.sample(key, outcome.sample));
              for (const call of outcome.calls.map((each) => journal.call(each))) {
                if (call === undefined) told.push("a call");
                else read.push(call.response);
              }
            }
          }
        }
      } catch (error) {
        if (!(error instanceof HoneError)) throw error;
        damaged(error);
      }
    }
  } finally {
    journal.close();
  }
  return { text: JSON.stringify(read), told };
}

function use(damaged) {
  for (const end of ["", "-wal", "-shm"]) rmSync(path + end, { force: true });
  if (damaged) writeFileSync(path, damaged);
  else copyFileSync(original, path);
}

use();
const whole = readAll();
const random = randomFor(Number(seed), "flips");
for (let i = 0; i < Number(to); i++) {
  const at = Math.floor(random() * bytes.length);
  const bit = 1 << Math.floor(random() * 8);
  if (i < Number(from)) continue;
  const copy = Buffer.from(bytes);
  copy[at] ^= bit;
  use(copy);
  writeFileSync(join(folder, "now"), JSON.stringify({ i, at, bit }));
  let result;
  try {
    const { text, told } = readAll();
    result = told.length > 0 ? "told" : text === whole.text ? "same" : "silent";
  } catch (error) {
    result = error instanceof HoneError ? "refused" : `bug: ${error.stack}`;
  }
  const { damaged } = examine(path);
  appendFileSync(join(folder, "results"), `${JSON.stringify({ i, at, bit, result, damaged })}\n`);
}
