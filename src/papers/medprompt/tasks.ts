// The ladder's tasks as studies take them: the medical sets as rows, the issue area and the licences by the study files
// that Hone ships, so that a task is said once.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { HoneError, messageOf } from "../../core/errors.js";
import { type SourceOptions, shownPath } from "../../data/index.js";
import { readStudy } from "../../study/spec.js";
import type { Plan } from "../plans.js";
import { inFolder, medSets, readSet } from "./read.js";
import type { MedpromptSettings } from "./settings.js";

/** A task, or why it cannot be had. */
export type LadderTask =
  | { key: string; title: string; files: Plan["files"]; task: Readonly<Record<string, unknown>> }
  | { key: string; missing: string };

/** Where the sets' files and the law data lie; either may be absent. */
export interface DataFolders {
  med: string;
  has: ReadonlySet<string>;
  law: string | undefined;
}

/**
 * @param root a folder with `med` and `law` in it, or one with the medical sets' files themselves
 * @throws HoneError where it cannot be read
 */
export async function dataFolders(root: string): Promise<DataFolders> {
  const names = async (folder: string): Promise<Set<string>> => {
    try {
      return new Set(await readdir(folder));
    } catch (error) {
      throw new HoneError({
        what: "Cannot read the folder of data",
        where: shownPath(folder),
        why: messageOf(error),
        next: "Name another with --data; what it lacks is taken from the Hub.",
        kind: "usage",
        cause: error,
      });
    }
  };
  const inRoot = await names(root);
  const med = inRoot.has("med") ? join(root, "med") : root;
  return {
    med,
    has: inRoot.has("med") ? await names(med) : inRoot,
    law: inRoot.has("law") ? root : undefined,
  };
}

/** Part of test that is not looked at while prompts are worked on (§3.2). */
const eyesOff = 0.2;

const shipped: Readonly<Record<string, string>> = {
  "issue area": "scotus.study.yaml",
  "licence category": "licences.study.yaml",
};

export async function ladderTask(
  key: string,
  settings: Pick<MedpromptSettings, "chars" | "limit">,
  folders: DataFolders,
  options: SourceOptions,
): Promise<LadderTask> {
  const file = shipped[key];
  if (file !== undefined) return shippedTask(key, file, settings, folders);
  const title = medSets[key]?.title ?? key;
  try {
    const rows = await readSet(key, folders.med, folders.has, settings, options);
    return {
      key,
      title,
      files: { "train.jsonl": rows.train, "dev.jsonl": rows.dev, "test.jsonl": rows.test },
      task: {
        name: key,
        kind: "choice",
        data: {
          splits: { train: "file:train.jsonl", dev: "file:dev.jsonl", test: "file:test.jsonl" },
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
    if (!(error instanceof HoneError) || inFolder(key, folders.has)) throw error;
    return { key, missing: `${title}: ${error.failure.what} ${error.failure.why ?? ""}`.trim() };
  }
}

/** A shipped study's task with the reproduction's sizes. */
async function shippedTask(
  key: string,
  file: string,
  { chars, limit }: Pick<MedpromptSettings, "chars" | "limit">,
  { law }: DataFolders,
): Promise<LadderTask> {
  const { task } = await readStudy(fileURLToPath(new URL(`../../../examples/${file}`, import.meta.url)));
  if (task.kind === "motor") throw new Error(`${file} is no text task`);
  const { splits, input } = task.data;
  if (splits && law === undefined)
    return { key, missing: `${key}: the data folder has no law/scdb_oyez in it` };
  const inLaw = (refs: string | string[] | undefined) =>
    [refs ?? []].flat().map((ref) => ref.replace(/^file:/, `file:${law}/`));
  return {
    key,
    title: key,
    files: {},
    task: {
      ...task,
      data: {
        ...task.data,
        ...(splits
          ? { splits: { train: inLaw(splits.train), dev: inLaw(splits.dev), test: inLaw(splits.test) } }
          : {}),
        input: input.replace(/\|(\d+)\}\}$/, (_, most) => `|${Math.min(chars.context, Number(most))}}}`),
        limit,
        eyesOff,
      },
    },
  };
}
