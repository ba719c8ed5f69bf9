// hone report STUDY: the report again, in a folder or on stdout.

import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { HoneError } from "../core/errors.js";
import { outcomesCsv } from "../report/index.js";
import { requireFolder } from "../store/place.js";
import { openStudy } from "../study/open.js";
import { makeOutput } from "./output.js";

export async function report(
  name: string,
  flags: { store: string; out?: string; format?: string; json?: boolean },
): Promise<void> {
  const formats = ["html", "md", "json", "csv"];
  if (flags.format !== undefined && !formats.includes(flags.format)) {
    throw new HoneError({
      what: "Unknown report format",
      where: `--format ${flags.format}`,
      why: `known: ${formats.join(", ")}`,
      next: "Choose one of them, or leave --format out to write all to a folder.",
      kind: "usage",
    });
  }
  const output = makeOutput(flags);
  if (flags.out !== undefined) requireFolder(flags.out, "--out");
  const study = openStudy(flags.store, name);
  try {
    if (flags.format === "csv") {
      for (const line of outcomesCsv(study.record, study.outcomes())) process.stdout.write(line);
      return;
    }
    const paths = await study.report(resolve(flags.out ?? join(flags.store, "reports", name)));
    const wanted = { html: paths.html, md: paths.markdown, json: paths.json }[flags.format ?? ""];
    if (wanted) process.stdout.write(await readFile(wanted));
    else if (flags.json) output.record({ type: "report", study: name, ...paths });
    else output.say(`${paths.html}\n${paths.markdown}\n${paths.json}`);
  } finally {
    study.close();
  }
}
