// Predictions as CSV, JSON lines or Parquet. A file gets its final name once complete; on stdout each row is written once known.

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, extname } from "node:path";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { HoneError } from "../core/errors.js";
import { csvCell } from "../report/escape.js";
import { requireFile } from "../store/place.js";
import { privateFile } from "../store/private.js";
import type { Prediction } from "./predictor.js";

/** The formats that predictions are written in. */
const outputFormats = ["csv", "jsonl", "parquet"] as const;
export type OutputFormat = (typeof outputFormats)[number];

export interface PredictionSink {
  write: (prediction: Prediction) => Promise<void>;
  /** Writes the remaining rows and gives the file its final name. */
  finish: () => Promise<void>;
  /** Leaves no file. */
  abandon: () => Promise<void>;
}

/** The format by a file's extension. @throws HoneError where it names none */
function outputFormatOf(path: string): OutputFormat {
  const ending = extname(path).toLowerCase().slice(1);
  const format = ending === "ndjson" ? "jsonl" : ending;
  if ((outputFormats as readonly string[]).includes(format)) return format as OutputFormat;
  throw new HoneError({
    what: "Cannot tell the format of the predictions",
    where: `--out ${path}`,
    why: `the ending is none of ${outputFormats.map((one) => `.${one}`).join(", ")}`,
    next: "Give the file one of these endings.",
    kind: "usage",
  });
}

/** Where predictions are streamed: JSON lines or CSV, each row at once. */
export function streamSink(out: Writable, format: "csv" | "jsonl"): PredictionSink {
  const lines = linesOf(format);
  const put = async (text: string) => {
    if (out.errored) throw out.errored;
    // An error, such as a full disk, ends the wait, too.
    if (!out.write(text)) await once(out, "drain");
  };
  return {
    write: (prediction) => put(lines(prediction)),
    finish: async () => {},
    abandon: async () => {},
  };
}

/**
 * A file of predictions: `PATH.PID.part` until it is complete.
 * @param rows the file that rows are read from
 * @throws HoneError where it cannot be written
 */
export async function fileSink(path: string, rows: string): Promise<PredictionSink> {
  const format = outputFormatOf(path);
  requireFile(path, "--out", [rows]);
  await mkdir(dirname(path), { recursive: true });
  const part = `${path}.${process.pid}.part`;
  const abandon = () => rm(part, { force: true });
  if (format === "parquet") return parquetSink(path, part, abandon);
  const out = createWriteStream(part, privateFile);
  const ended = finished(out);
  // The error is thrown when the file is finished.
  ended.catch(() => {});
  const stream = streamSink(out, format);
  return {
    write: stream.write,
    async finish() {
      out.end();
      await ended;
      await rename(part, path);
    },
    async abandon() {
      out.destroy();
      await ended.catch(() => {});
      await abandon();
    },
  };
}

const columns = [
  "row",
  "id",
  "place",
  "label",
  "text",
  "probability",
  "score",
  "unscored",
  "detail",
  "behind",
] as const;

function cellsOf(one: Prediction): Partial<Record<(typeof columns)[number], string | number | undefined>> {
  return { ...one, behind: one.trail && JSON.stringify(one.trail) };
}

function linesOf(format: "csv" | "jsonl"): (prediction: Prediction) => string {
  if (format === "jsonl") return (prediction) => `${JSON.stringify(prediction)}\n`;
  let head = `${columns.join(",")}\r\n`;
  return (prediction) => {
    const cells = cellsOf(prediction);
    const line = `${head}${columns.map((name) => csvCell(cells[name])).join(",")}\r\n`;
    head = "";
    return line;
  };
}

/** Rows in one row group, and in memory. */
const groupSize = 10_000;

async function parquetSink(
  path: string,
  part: string,
  abandon: () => Promise<void>,
): Promise<PredictionSink> {
  const { ParquetWriter, fileWriter, schemaFromColumnData } = await import("hyparquet-writer");
  let rows: ReturnType<typeof cellsOf>[] = [];
  const columnsOf = () =>
    columns.map((name) => ({
      name,
      type:
        name === "row"
          ? ("INT32" as const)
          : name === "probability" || name === "score"
            ? ("DOUBLE" as const)
            : ("STRING" as const),
      nullable: name !== "row",
      data: rows.map((row) => row[name] ?? null),
    }));
  const writer = new ParquetWriter({
    writer: fileWriter(part),
    schema: schemaFromColumnData({ columnData: columnsOf() }),
  });
  const flush = () => {
    if (rows.length > 0) writer.write({ columnData: columnsOf() });
    rows = [];
  };
  return {
    async write(prediction) {
      rows.push(cellsOf(prediction));
      if (rows.length >= groupSize) flush();
    },
    async finish() {
      flush();
      await writer.finish();
      await rename(part, path);
    },
    abandon,
  };
}
