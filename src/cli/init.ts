// hone init: a study file that runs as it is, built from a data file's own fields if one is given. Its specialists are the
// basic routes that `hone advise` finds for the model, or on request all that it names.

import { namesIn } from "../advise/advise.js";
import { specOf, studyText } from "../advise/study.js";
import { studyJsonSchema } from "../study/spec.js";
import { aboutText } from "./about.js";
import { type AdviseFlags, adviseOn, asksForAdvice } from "./advise.js";
import { makeOutput } from "./output.js";
import { pathWithin, refuseToOverwrite, writeStudy } from "./study-file.js";

interface Flags extends AdviseFlags {
  advise?: boolean;
  folder?: string;
  schema?: boolean;
}

export async function init(name: string, flags: Flags): Promise<void> {
  const output = makeOutput(flags);
  if (flags.schema) {
    process.stdout.write(`${JSON.stringify(studyJsonSchema(), null, 2)}\n`);
    return;
  }
  const path = await pathWithin(flags.folder ?? ".", /\.ya?ml$/.test(name) ? name : `${name}.study.yaml`);
  refuseToOverwrite(path, flags.force);
  const { draft } = await adviseOn(path, flags, { few: !asksForAdvice(flags) });
  await writeStudy(path, studyText(path, draft));
  const { about } = draft;
  output.record({ type: "done", path, spec: specOf(draft), ...(about ? { about } : {}) });
  if (flags.json) return;
  if (about) output.prose(`${aboutText(about)}\n`);
  const routes = draft.specialists.map((one) => namesIn(one).join(" + "));
  output.prose(`Wrote ${path}, for ${draft.model}: ${routes.join(", ")}`);
  output.say(`\nNext:\n  hone data check ${path}\n  hone run ${path} --dry-run\n  hone run ${path}`);
}
