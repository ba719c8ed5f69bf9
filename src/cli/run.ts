// hone run STUDY: runs a study file from the first row to the verdict, or continues where it stopped.

import { dirname } from "node:path";
import { readStudy } from "../study/spec.js";
import { conduct, type RunFlags } from "./conduct.js";

export async function run(
  file: string,
  flags: RunFlags & { data?: string; allowModules?: boolean },
): Promise<void> {
  const spec = await readStudy(file, { allowModules: flags.allowModules ?? false });
  const data = `${flags.data === undefined ? "" : ` --data ${flags.data}`}${flags.allowModules ? " --allow-modules" : ""}`;
  await conduct(
    spec,
    flags,
    flags.data ?? dirname(file),
    `npx hone run ${file}${data}`,
    [
      `hone show ${spec.study} --sample ID    every prompt and answer of one sample`,
      `hone compare ${spec.study}             all pairs of subjects`,
      `hone report ${spec.study} --format md  the report as Markdown`,
    ],
    file,
  );
}
