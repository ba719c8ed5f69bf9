// Studies that a reproduction makes: written into the store as files that `hone run` takes too, then run one after the
// other. It knows nothing of any paper.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fingerprint } from "../core/json.js";
import { makePrivate, privateFolder } from "../store/private.js";
import { runStudy } from "../study/run.js";
import { parseStudy, type StudySpec } from "../study/spec.js";
import type { ReproduceOptions } from "./index.js";

/** A study by its name, with the rows of its files by the files' names. */
export interface Plan {
  name: string;
  description: string;
  /** What a study file says besides name and description. */
  study: Readonly<Record<string, unknown>>;
  files: Readonly<Record<string, readonly unknown[]>>;
}

/** Where a study's files lie in the store. */
export function studyFolder(store: string, name: string): string {
  return join(store, "papers", name);
}

/** `paper-preset-part-model`, cut with a fingerprint where it is longer than the 64 characters that a name may have. */
export function planName(paper: string, preset: string, part: string, model: string): string {
  const short = model
    .replace(/\?.*$/s, "")
    .replace(/^\w+:/, "")
    .replace(/[^A-Za-z0-9.-]+/g, "-")
    .slice(-24);
  const full = `${paper}-${preset}-${part}-${short || "model"}`;
  return full.length <= 64 ? full : `${full.slice(0, 55)}-${fingerprint(full, 8)}`;
}

/** Writes rows and study file, and returns the study as the file says it. */
export async function writePlan(plan: Plan, store: string): Promise<StudySpec> {
  const folder = studyFolder(store, plan.name);
  await mkdir(folder, privateFolder);
  for (const [file, rows] of Object.entries(plan.files))
    await writeFile(join(folder, file), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const study = { study: plan.name, description: plan.description, ...plan.study };
  const path = join(folder, `${plan.name}.study.json`);
  await writeFile(path, `${JSON.stringify(study, null, 2)}\n`);
  await makePrivate(folder);
  return parseStudy(study, path);
}

/**
 * Runs the plans in order until all are done or one stops.
 * @returns the names of the finished ones, and why it stopped before the end, where it did
 */
export async function runPlans(
  paper: string,
  plans: readonly Plan[],
  options: ReproduceOptions & { store: string; signal: AbortSignal },
): Promise<{ finished: Set<string>; stopped: string | null }> {
  const emit = options.onEvent ?? (() => {});
  const until = options.maxSeconds === undefined ? undefined : Date.now() + options.maxSeconds * 1000;
  let usdLeft = options.maxUsd;
  const finished = new Set<string>();
  for (const [i, one] of plans.entries()) {
    emit({ type: "stage", stage: i + 1, of: plans.length, title: one.description });
    const spec = await writePlan(one, options.store);
    const { preset, data: _d, models: _m, maxSeconds: _s, ...run } = options;
    const record = await runStudy(spec, {
      ...run,
      base: studyFolder(options.store, one.name),
      reproduce: `npx hone reproduce ${paper}${preset === "full" ? "" : ` --${preset}`}`,
      ...(until === undefined ? {} : { maxSeconds: Math.max(0, (until - Date.now()) / 1000) }),
      ...(usdLeft === undefined ? {} : { maxUsd: usdLeft }),
      onEvent: (event) => {
        if (event.type !== "done") emit(event);
      },
    });
    if (usdLeft !== undefined) usdLeft = Math.max(0, usdLeft - record.spentUsd);
    if (record.stopped !== null) return { finished, stopped: record.stopped };
    finished.add(one.name);
  }
  return { finished, stopped: null };
}
