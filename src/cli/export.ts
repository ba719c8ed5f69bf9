// hone export STUDY --out FOLDER and hone import FOLDER: a specialist as a folder that runs without its study.

import { stat } from "node:fs/promises";
import { join, relative } from "node:path";
import {
  type ExportOptions,
  exportSpecialist,
  type ImportOptions,
  importSpecialist,
} from "../deploy/export.js";
import { plainText } from "../report/escape.js";
import { formatWhole } from "../report/format.js";
import { makeOutput } from "./output.js";

export async function exportCommand(
  ref: string,
  flags: ExportOptions & { out: string; json?: boolean },
): Promise<void> {
  const output = makeOutput(flags);
  const { folder, subject, files, needs } = await exportSpecialist(ref, flags.out, flags);
  const sizes = await Promise.all(files.map(async (name) => (await stat(join(folder, name))).size));
  const shown = relative(process.cwd(), folder) || folder;
  output.record({ type: "export", folder, subject, files, needs });
  if (flags.json) return;
  output.prose(plainText(`${subject} is in ${shown}, in ${files.length} files:`));
  for (const [i, name] of files.entries())
    output.say(plainText(`  ${formatWhole(sizes[i] as number).padStart(13)} bytes  ${name}`));
  if (needs.length > 0) output.prose(plainText(`Needed, but not included: ${needs.join("; ")}.`));
  output.prose(`\nOn another machine: hone import ${shown}`);
}

export async function importCommand(from: string, flags: ImportOptions & { json?: boolean }): Promise<void> {
  const output = makeOutput(flags);
  const { name, path, saved } = await importSpecialist(from, flags);
  output.record({
    type: "import",
    name,
    path,
    subject: saved.name,
    model: saved.model,
    modules: saved.use ?? [],
  });
  if (flags.json) return;
  output.prose(
    plainText(
      `${saved.name} of the study ${saved.made.study} is imported as ${name}; its model is ${saved.model}.`,
    ),
  );
  if (saved.use)
    output.prose(
      plainText(
        `! It needs modules, whose code --allow-modules runs: ${saved.use.join(", ")}. Read them first.`,
      ),
    );
  output.prose(`\nTry next:\n  hone predict ${name} --data FILE --out answers.csv\n  hone serve ${name}`);
}
