// hone init: a study file that runs as it is, built from a data file's own fields where one is given, with the specialists
// that `hone advise` would name where that is asked for.

import { fromData, starter, studyName, studyText } from "../advise/study.js";
import { studyJsonSchema } from "../study/spec.js";
import { type AdviseFlags, adviseOn, tellsWhatThereIs } from "./advise.js";
import { makeOutput } from "./output.js";
import { refuseToOverwrite, writeStudy } from "./study-file.js";

interface Flags extends AdviseFlags {
  advise?: boolean;
  schema?: boolean;
}

export async function init(name: string, flags: Flags): Promise<void> {
  const output = makeOutput(flags);
  if (flags.schema) {
    process.stdout.write(`${JSON.stringify(studyJsonSchema(), null, 2)}\n`);
    return;
  }
  const path = /\.ya?ml$/.test(name) ? name : `${name}.study.yaml`;
  refuseToOverwrite(path, flags.force);
  const study = studyName(path);
  const asked = flags.advise || tellsWhatThereIs(flags);
  const { draft } = asked
    ? await adviseOn(path, flags)
    : { draft: flags.data === undefined ? starter(study) : await fromData(study, path, flags.data, flags) };
  const { rows: _, ...spec } = draft;
  await writeStudy(path, studyText(path, draft));
  output.record({ type: "done", path, spec });
  if (flags.json) return;
  output.say(
    `Wrote ${path}\n\nNext:\n  hone data check ${path}\n  hone run ${path} --dry-run\n  hone run ${path}`,
  );
}
