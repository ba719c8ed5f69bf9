// Splits a JSONL file into train.jsonl, dev.jsonl and test.jsonl without holding it in memory: the first pass reads the
// ids (8 bytes per row are kept), the second copies the lines byte for byte (other encodings are converted to UTF-8).

import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, realpath, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { HoneError } from "../core/errors.js";
import { temporaryName } from "../core/place.js";
import { shownPath } from "./files.js";
import { isBlank, parseJsonRow } from "./json.js";
import { formatByEnding } from "./readers.js";
import type { Encoding } from "./reading.js";
import { assignSplits, parts, type Shares, type SplitPlan, unitHash } from "./split.js";
import { asText, requiredField } from "./template.js";
import { byteLines } from "./text.js";

/** The split plan, and the fields that it uses. */
export interface SplitFileOptions extends SplitPlan {
  /** Default 0. */
  seed?: number;
  /** Field of the id. Default: `id` if the row has one, else the line's own bytes. Equal lines stay together. */
  id?: string;
  /** Field whose rows stay together; a row in which it is empty or null is its own group. */
  group?: string;
  /** Field whose values keep their proportions. */
  stratify?: string;
  encoding?: Encoding;
  signal?: AbortSignal;
}

/** Rows by split, and the files that they were written to. */
export interface SplitFileResult {
  train: number;
  dev: number;
  test: number;
  /** Rows that `counts` left over. */
  unused: number;
  /** The files written, by split. */
  files: Record<"train" | "dev" | "test", string>;
}

const maxStrata = 10_000;
const writeBytes = 256 * 1024;

/**
 * Splits a JSONL file. The three files appear together once all are complete; until then their old versions stay.
 * Memory: 9 to 17 bytes per row.
 *
 * @throws HoneError for malformed lines, missing fields, and ids that occur twice (both lines are named).
 */
export async function splitFile(
  path: string,
  folder: string,
  options: SplitFileOptions,
): Promise<SplitFileResult> {
  const name = shownPath(path);
  const encoding = options.encoding ?? "utf8";
  const format = formatByEnding(path) ?? "jsonl";
  if (format !== "jsonl" && format !== "json") {
    throw new HoneError({
      what: "Only JSON lines are split into files.",
      where: name,
      why: `the file is ${format}`,
      next: "A study divides rows of every format by itself: `split` in its `data:`.",
      kind: "usage",
    });
  }
  const plan: SplitPlan = options.counts
    ? { counts: options.counts }
    : { fractions: sensibleShares(options.fractions ?? { train: 0.7, dev: 0.1, test: 0.2 }, name) };
  const seed = options.seed ?? 0;

  let hashes = new Float64Array(1 << 16);
  let strata = options.stratify === undefined ? undefined : new Int32Array(1 << 16);
  const strataNames = new Map<string, number>();
  let ownIds: Float64Array | undefined = options.group === undefined ? undefined : new Float64Array(1 << 16);
  let n = 0;
  for await (const lines of byteLines(path, encoding, name)) {
    options.signal?.throwIfAborted();
    for (const { bytes, line } of lines) {
      if (isBlank(bytes)) continue;
      if (n === hashes.length) {
        hashes = grown(hashes, new Float64Array(n * 2));
        if (strata) strata = grown(strata, new Int32Array(n * 2));
        if (ownIds) ownIds = grown(ownIds, new Float64Array(n * 2));
      }
      const row = parseJsonRow(bytes, name, line);
      const place = `${name}:${line}`;
      const id = unitHash(seed, idOf(row, bytes, options.id, place));
      const group =
        options.group === undefined ? "" : asText(requiredField(row, options.group, place)).trim();
      hashes[n] = group === "" ? id : unitHash(seed, `group:${group}`);
      if (ownIds) ownIds[n] = id;
      if (strata)
        strata[n] = stratumOf(asText(requiredField(row, options.stratify!, place)), strataNames, place);
      n++;
    }
  }
  if (n === 0)
    throw new HoneError({ what: "The file has no rows.", where: name, next: "Check the file's contents." });
  hashes = hashes.subarray(0, n);
  const assigned = assignSplits(
    { hashes, grouped: true, ...(strata ? { strata: strata.subarray(0, n) } : {}) },
    plan,
  );
  const doubtful = repeated(ownIds ? ownIds.subarray(0, n) : hashes);
  return writeParts(
    path,
    folder,
    name,
    assigned,
    (row, bytes, line, seen) => {
      const place = `${name}:${line}`;
      const id = idOf(row, bytes, options.id, place);
      if (id.startsWith("line:") || !doubtful.has(unitHash(seed, id))) return;
      const first = seen.get(id);
      if (first !== undefined) {
        throw new HoneError({
          what: "Two rows have the same id.",
          where: `${name}:${first} and ${place}`,
          why: `both are ${JSON.stringify(id.slice(3, 103))}`,
          next: "Remove one, or name another field with --id.",
        });
      }
      seen.set(id, line);
    },
    doubtful.size > 0,
    encoding,
    options.signal,
  );
}

/** @throws HoneError for invalid fractions, fractions that do not sum to 1, or fractions that leave train nothing */
export function sensibleShares(shares: Shares, where: string): Shares {
  const { train, dev, test } = shares;
  const percent = (share: number) => `${Number((100 * share).toFixed(2))} %`;
  const whole = [dev, test].every((share) => share >= 0 && share <= 1);
  if (whole && train > 1e-9 && Math.abs(train + dev + test - 1) < 1e-9) return shares;
  throw new HoneError({
    what: "Rows cannot be split by these shares.",
    where,
    why: whole
      ? `dev takes ${percent(dev)} and test ${percent(test)}, which leaves train ${train > 1e-9 ? percent(train) : "nothing"}`
      : `dev is ${dev} and test ${test}; a share lies between 0 and 1`,
    next: "Give shares that together stay below 1, for instance --dev 0.1 --test 0.2.",
    kind: "usage",
  });
}

function idOf(row: Record<string, unknown>, bytes: Buffer, path: string | undefined, place: string): string {
  if (path !== undefined) return `id:${asText(requiredField(row, path, place))}`;
  if (Object.hasOwn(row, "id") && row.id !== null && row.id !== "") return `id:${asText(row.id)}`;
  return `line:${createHash("sha256").update(bytes).digest("base64")}`;
}

function grown<T extends Float64Array | Int32Array>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}

function stratumOf(value: string, names: Map<string, number>, place: string): number {
  const code = names.get(value) ?? names.size;
  if (code === names.size) {
    if (names.size >= maxStrata) {
      const why = `it has more than ${maxStrata} different values`;
      throw new HoneError({
        what: "Cannot stratify by this field.",
        where: place,
        why,
        next: "Name the label's field.",
      });
    }
    names.set(value, code);
  }
  return code;
}

/** Values that occur more than once. */
function repeated(values: Float64Array): Set<number> {
  const sorted = values.slice().sort();
  const out = new Set<number>();
  for (let i = 1; i < sorted.length; i++) if (sorted[i] === sorted[i - 1]) out.add(sorted[i]!);
  return out;
}

async function writeParts(
  path: string,
  folder: string,
  name: string,
  assigned: Uint8Array,
  checkId: (row: Record<string, unknown>, bytes: Buffer, line: number, seen: Map<string, number>) => void,
  checking: boolean,
  encoding: Encoding,
  signal: AbortSignal | undefined,
): Promise<SplitFileResult> {
  await mkdir(folder, { recursive: true });
  const files = {
    train: join(folder, "train.jsonl"),
    dev: join(folder, "dev.jsonl"),
    test: join(folder, "test.jsonl"),
  };
  const input = await realpath(path);
  for (const file of Object.values(files)) {
    if ((await realpath(file).catch(() => undefined)) === input) {
      const next = "Choose another output folder.";
      throw new HoneError({
        what: "The split would overwrite its own input.",
        where: name,
        next,
        kind: "usage",
      });
    }
  }
  const outputs: {
    temporary: string;
    target: string;
    handle: FileHandle;
    held: Buffer[];
    bytes: number;
    rows: number;
  }[] = [];
  const newline = Buffer.from("\n");
  const flush = async (out: (typeof outputs)[number]): Promise<void> => {
    // Not `write`, which on a full disk writes a part and says so only by the count that it returns.
    await out.handle.writeFile(Buffer.concat(out.held));
    out.held = [];
    out.bytes = 0;
  };
  const seen = new Map<string, number>();
  let unusedRows = 0;
  try {
    for (const part of parts) {
      const temporary = temporaryName(files[part]);
      outputs.push({
        temporary,
        target: files[part],
        handle: await open(temporary, "wx"),
        held: [],
        bytes: 0,
        rows: 0,
      });
    }
    let i = 0;
    for await (const lines of byteLines(path, encoding, name)) {
      signal?.throwIfAborted();
      for (const { bytes, line } of lines) {
        if (isBlank(bytes)) continue;
        if (checking) checkId(parseJsonRow(bytes, name, line), bytes, line, seen);
        const out = outputs[assigned[i++] ?? -1];
        if (!out) {
          unusedRows++;
          continue;
        }
        out.held.push(bytes, newline);
        out.bytes += bytes.length + 1;
        out.rows++;
      }
      // The pending lines are views of the chunk that was read; writing them releases it.
      for (const out of outputs) if (out.bytes > writeBytes) await flush(out);
    }
    if (i !== assigned.length) {
      const next = "Run it again when nothing else writes to the file.";
      throw new HoneError({ what: "The file changed while it was split.", where: name, next });
    }
    for (const out of outputs) {
      await flush(out);
      await out.handle.close();
    }
    for (const out of outputs) await rename(out.temporary, out.target);
  } catch (error) {
    for (const out of outputs) {
      await out.handle.close().catch(() => {}); // already closed if the failure came late
      await rm(out.temporary, { force: true });
    }
    throw error;
  }
  const [train, dev, test] = outputs.map(({ rows }) => rows) as [number, number, number];
  return { train, dev, test, unused: unusedRows, files };
}
