// Memory for a million-row data set: generates a JSONL of about 200 bytes per row, counts it, splits it in the three ways,
// reads the same rows from a packed file, one JSON object, CSV and SQLite, and fails if the process's peak resident memory
// exceeds 300 MB. Run by `npm run build && npm run bench:memory`; writes bench/recorded/memory.json.

import { createWriteStream } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import Database from "libsql";
import { countRows, readRows, splitFile } from "../dist/data/index.js";
import { machine, record } from "./record.js";

const rows = Number(process.env.HONE_BENCH_ROWS ?? 1_000_000);
const limitMb = 300;
const megabytes = (bytes) => bytes / 1e6;
/** The kernel's own high-water mark, so that no peak between two samples is missed. */
const peakMb = () => megabytes(process.resourceUsage().maxRSS * 1024);

function* generated() {
  const words =
    "court held that the statute applies to vessels seized on the high seas without a warrant".split(" ");
  let state = 12345;
  const next = (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % n;
  };
  let chunk = "";
  for (let i = 0; i < rows; i++) {
    const text = Array.from({ length: 22 }, () => words[next(words.length)]).join(" ");
    chunk += `${JSON.stringify({ id: `row-${i}`, label: `area ${next(14)}`, group: `case-${next(rows >> 2)}`, text })}\n`;
    if (chunk.length > 256 * 1024) {
      yield chunk;
      chunk = "";
    }
  }
  yield chunk;
}

/** The rows in the other layouts, by file name. */
async function writeOthers(path, folder) {
  const rewritten = (name, write, ...more) =>
    pipeline(Readable.from(write(readRows(path))), ...more, createWriteStream(join(folder, name)));
  await rewritten("rows.jsonl.gz", lines, createGzip({ level: 1 }));
  await rewritten("rows.json", wrapped);
  await rewritten("rows.csv", semicolons);
  const database = new Database(join(folder, "rows.sqlite"));
  database.exec("CREATE TABLE rows (id TEXT, label TEXT, grp TEXT, text TEXT); BEGIN");
  const insert = database.prepare("INSERT INTO rows VALUES (?, ?, ?, ?)");
  for await (const { row } of readRows(path)) insert.run(row.id, row.label, row.group, row.text);
  database.exec("COMMIT");
  database.close();
  return ["rows.jsonl.gz", "rows.json", "rows.csv", "rows.sqlite"];
}

async function* lines(read) {
  for await (const { row } of read) yield `${JSON.stringify(row)}\n`;
}

async function* wrapped(read) {
  let before = '{"version": 1, "data": [';
  for await (const { row } of read) {
    yield `${before}\n${JSON.stringify(row)}`;
    before = ",";
  }
  yield "]}\n";
}

async function* semicolons(read) {
  yield "id;label;group;text\n";
  for await (const { row } of read) yield `${Object.values(row).join(";")}\n`;
}

const folder = await mkdtemp(join(tmpdir(), "hone-memory-"));
let failed = false;
try {
  const path = join(folder, "rows.jsonl");
  await pipeline(Readable.from(generated()), createWriteStream(path));
  const { size } = await stat(path);
  console.log(machine());
  console.log(
    `${rows} rows, ${megabytes(size).toFixed(0)} MB; peak after writing them: ${peakMb().toFixed(0)} MB`,
  );
  const timed = async (name, run) => {
    const start = performance.now();
    const result = await run();
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`${name}: ${JSON.stringify(result)} in ${seconds} s, peak so far ${peakMb().toFixed(0)} MB`);
    return result;
  };
  const fractions = { train: 0.8, dev: 0.1, test: 0.1 };
  const counted = await timed("count", () => countRows(path));
  const plans = {
    plain: { fractions },
    stratified: { fractions, stratify: "label" },
    grouped: { fractions, group: "group" },
  };
  for (const [name, plan] of Object.entries(plans)) {
    const result = await timed(name, async () => {
      const { train, dev, test } = await splitFile(path, join(folder, name), { ...plan, seed: 1 });
      return { train, dev, test };
    });
    failed ||= result.train + result.dev + result.test !== rows;
  }
  failed ||= counted !== rows;
  for (const name of await writeOthers(path, folder)) {
    const read = await timed(name, async () => {
      let n = 0;
      for await (const _ of readRows(join(folder, name))) n++;
      return n;
    });
    failed ||= read !== rows;
  }
  if (failed) console.error("the rows do not add up");
} finally {
  await rm(folder, { recursive: true, force: true });
}
const peak = peakMb();
if (failed || peak > limitMb) process.exitCode = 1;
console.log(`peak resident memory ${peak.toFixed(0)} MB, limit ${limitMb} MB`);
if (!failed)
  record("memory", { ratio: limitMb / peak, rows, peakMegabytes: Math.round(peak), limitMegabytes: limitMb });
console.log(`memory: ratio ${(limitMb / peak).toFixed(2)} against 300 MB`);
