// The ladder's tasks in the form that studies take: the medical sets as rows, the issue area and the licences from the
// study files that Hone ships, so that each task is defined once.

import { fileURLToPath } from "node:url";
import { HoneError } from "../../core/errors.js";
import type { SourceOptions } from "../../data/index.js";
import { readStudy } from "../../study/spec.js";
import type { DataFolder } from "../data.js";
import { byLabel, fileSplits, type Plan, splitFiles } from "../plans.js";
import { inFolder, medSets, readSet } from "./read.js";
import type { MedpromptSettings } from "./settings.js";

export interface LadderTask {
  key: string;
  title: string;
  files: Plan["files"];
  task: Readonly<Record<string, unknown>>;
}

/** Why a task is unavailable. */
interface Missing {
  missing: string;
}

/** Share of test that is not used while prompts are developed (§3.2). */
const eyesOff = 0.2;

const shipped: Readonly<Record<string, string>> = {
  "issue area": "scotus.study.yaml",
  "licence category": "licences.study.yaml",
};

export async function ladderTask(
  key: string,
  settings: Pick<MedpromptSettings, "chars" | "limit">,
  folder: DataFolder,
  options: SourceOptions,
): Promise<LadderTask | Missing> {
  const file = shipped[key];
  if (file !== undefined) return shippedTask(key, file, settings, folder);
  const title = medSets[key]?.title ?? key;
  try {
    const rows = await readSet(key, folder, settings, options);
    return {
      key,
      title,
      files: splitFiles(rows),
      task: {
        name: key,
        kind: "choice",
        ...byLabel,
        data: {
          splits: fileSplits,
          id: "id",
          input: "input",
          question: "{{question}}",
          options: "options",
          label: "answer",
          eyesOff,
        },
      },
    };
  } catch (error) {
    // A damaged file is an error; a set that neither the folder nor the Hub has is left out.
    if (!(error instanceof HoneError) || inFolder(key, folder)) throw error;
    return { missing: `${title}: ${error.failure.what} ${error.failure.why ?? ""}`.trim() };
  }
}

/** A shipped study's task with the reproduction's sizes. */
async function shippedTask(
  key: string,
  file: string,
  { chars, limit }: Pick<MedpromptSettings, "chars" | "limit">,
  folder: DataFolder,
): Promise<LadderTask | Missing> {
  const { task } = await readStudy(fileURLToPath(new URL(`../../../examples/${file}`, import.meta.url)));
  if (task.kind !== "choice") throw new Error(`${file} is not a choice task`);
  const { splits, input } = task.data;
  if (splits && !folder.names("law").has("scdb_oyez"))
    return { missing: `${key}: the data folder has no law/scdb_oyez in it` };
  const inLaw = (refs: string | string[] | undefined) =>
    [refs ?? []].flat().map((ref) => ref.replace(/^file:/, `file:${folder.path()}/`));
  return {
    key,
    title: key,
    files: {},
    task: {
      ...task,
      ...byLabel,
      data: {
        ...task.data,
        ...(splits
          ? { splits: { train: inLaw(splits.train), dev: inLaw(splits.dev), test: inLaw(splits.test) } }
          : {}),
        // The text alone and cut shorter, since prompts of this ladder hold several.
        input: input.replace(
          /^.*(\{\{\w+)\|(\d+)\}\}$/s,
          (_, field, most) => `${field}|${Math.min(chars.context, Number(most))}}}`,
        ),
        limit,
        eyesOff,
      },
    },
  };
}
