// hone demo: the shipped study of licence texts.

import { fileURLToPath } from "node:url";
import { readStudy } from "../study/spec.js";
import { conduct, type RunFlags } from "./conduct.js";

const demoStudy = new URL("../../examples/licences.study.yaml", import.meta.url);

export async function demo(flags: RunFlags): Promise<void> {
  const path = fileURLToPath(demoStudy);
  const spec = await readStudy(path);
  await conduct(spec, flags, ".", "npx hone demo", [
    "npx hone compare licences          every pair of subjects, with adjusted p-values",
    "npx hone models list               all available models, local and remote",
    "npx hone init my-study --data FILE a study of your own data",
  ]);
}
