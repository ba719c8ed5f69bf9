// Writes a study's report: report.html, report.md and report.json in one folder, each atomically.

import { join } from "node:path";
import { HoneError, messageOf } from "../core/errors.js";
import { writeWhole } from "../core/place.js";
import type { Limits } from "./details.js";
import { gather, type Source } from "./gather.js";
import { renderMarkdown } from "./markdown.js";
import { renderPage } from "./page.js";
import { readSynthetic } from "./synthetic.js";

export interface ReportRequest extends Source {
  /** Made if missing. Files of an earlier report in it are replaced. */
  folder: string;
  limits?: Limits;
}

/** Paths of the written files. The JSON file is the record, unchanged. */
export interface Written {
  html: string;
  markdown: string;
  json: string;
}

/** @throws HoneError naming the file that could not be written. */
export async function writeReport(request: ReportRequest): Promise<Written> {
  const limits = { bytes: 20_000_000, samples: 5_000, text: 60_000, ...request.limits };
  const gathered = gather(request, limits.samples);
  const { page } = renderPage(request, gathered, limits, await readSynthetic(request));
  const { folder, record } = request;
  const written = {
    html: join(folder, "report.html"),
    markdown: join(folder, "report.md"),
    json: join(folder, "report.json"),
  };
  await replaceFile(written.html, page);
  await replaceFile(written.markdown, renderMarkdown(request, gathered));
  await replaceFile(written.json, `${JSON.stringify(record, null, 2)}\n`);
  return written;
}

/** A reader sees the old file or the new one, never half of one. */
async function replaceFile(path: string, text: string): Promise<void> {
  try {
    await writeWhole(path, text);
  } catch (cause) {
    throw new HoneError({
      what: "Cannot write the report",
      where: path,
      why: messageOf(cause),
      next: "Make the path writable or choose another folder, then run `hone report` again.",
      cause,
    });
  }
}
