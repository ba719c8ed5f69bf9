// Checks by its first bytes whether a file is what its name says: the wrong reader would report an error that is true
// but useless.

import { HoneError } from "../core/errors.js";
import { isGzip } from "./encoding.js";
import { openFile } from "./files.js";
import type { Format } from "./reading.js";

interface Kind {
  called: string;
  fits: (head: Buffer) => boolean;
  format?: Format;
  next: string;
}

const begins =
  (...bytes: number[]) =>
  (head: Buffer): boolean =>
    head.subarray(0, bytes.length).equals(Buffer.from(bytes));

const kinds: readonly Kind[] = [
  { called: "gzip", fits: isGzip, next: "Let its name end in .gz, as in rows.csv.gz." },
  {
    called: "a zip archive, as Excel workbooks are",
    fits: begins(0x50, 0x4b, 3, 4),
    format: "xlsx",
    next: "If it is a workbook, name it .xlsx or set `format: xlsx`; else unpack it.",
  },
  {
    called: "an SQLite file",
    fits: (head) => head.subarray(0, 16).toString("latin1") === "SQLite format 3\0",
    format: "sqlite",
    next: "Name it .sqlite or set `format: sqlite`.",
  },
  {
    called: "Parquet",
    fits: (head) => head.subarray(0, 4).toString("latin1") === "PAR1" && head[4]! < 32 && head[4] !== 10,
    format: "parquet",
    next: "Name it .parquet or set `format: parquet`.",
  },
  {
    called: "an old Office file (.xls, .doc)",
    fits: begins(0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1),
    next: "Save it as .xlsx or CSV.",
  },
  { called: "a PDF", fits: begins(0x25, 0x50, 0x44, 0x46, 0x2d), next: "Save its text as .txt files." },
  { called: "Zstandard", fits: begins(0x28, 0xb5, 0x2f, 0xfd), next: "Unpack it, or pack it with gzip." },
  { called: "xz", fits: begins(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), next: "Unpack it, or pack it with gzip." },
];

/** @throws HoneError if the file begins as another format than the one to be read */
export async function checkContents(path: string, format: Format, name: string): Promise<void> {
  const { handle } = await openFile(path);
  const head = Buffer.alloc(16);
  try {
    await handle.read(head, 0, head.length, 0);
  } finally {
    await handle.close();
  }
  const refuse = (why: string, next: string): HoneError =>
    new HoneError({ what: `Cannot read the file as ${format}.`, where: name, why, next });
  const kind = kinds.find(({ fits }) => fits(head));
  if (/\.gz$/i.test(path)) {
    if (isGzip(head)) return;
    throw refuse("its name ends in .gz and it is not gzip", "Name it without .gz.");
  }
  // If the name has no ending that indicates a format, gzip is accepted.
  if (isGzip(head) && !/\.\w+$/.test(path)) return;
  if (kind && kind.format !== format) throw refuse(`its contents are ${kind.called}`, kind.next);
  if (!kind && (format === "xlsx" || format === "sqlite")) {
    throw refuse(
      `it does not begin like ${format === "xlsx" ? "an Excel workbook" : "an SQLite file"}`,
      "Set another `format`, for instance csv or jsonl if it is text, or download it again.",
    );
  }
}
