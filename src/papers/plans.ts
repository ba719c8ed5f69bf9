// The studies of a reproduction: written into the store as files that `hone run` takes too, run one after the other within
// the limits, and read back arm by arm. Independent of any particular paper.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson, fingerprint } from "../core/json.js";
import type { Result, StudyRecord } from "../core/record.js";
import type { SyntheticCard } from "../core/synthetic.js";
import { makeSpecializer } from "../specializers/index.js";
import { makePrivate, privateFolder } from "../store/private.js";
import { openStudy } from "../study/open.js";
import { type RunOptions, runStudy } from "../study/run.js";
import { parseStudy, type StudySpec } from "../study/spec.js";
import type { Row } from "./figures.js";

/** The scale: a few minutes to see that all of it works, what this project measures, or the paper's own sizes. */
export type Preset = "smoke" | "full" | "original";

/** Events of a running reproduction: its own stages, and all events of its studies. */
export type PaperEvent =
  | { type: "stage"; stage: number; of: number; title: string }
  | Exclude<Parameters<NonNullable<RunOptions["onEvent"]>>[0], { type: "done" }>;

/** One study. Its figures are looked up by the names of its arms. */
export interface Plan {
  /** Which of the paper's studies it is: part of its name, with paper, preset and model. */
  part: string;
  model: string;
  description: string;
  /** The study file's fields besides name, description, model and specialists. */
  study: Readonly<Record<string, unknown>>;
  /** The rows of its files, by the files' names. */
  files: Readonly<Record<string, readonly unknown[]>>;
  /** Other files, by name, written verbatim. */
  texts?: Readonly<Record<string, string>>;
  /** Specialists as a study file writes them, by the paper's names for them. `zeroShot` is the generalist. */
  arms: Readonly<Record<string, unknown>>;
}

/** A finished study, read back. */
export interface FinishedStudy {
  record: StudyRecord;
  /** Scored outcomes of an arm on test; none if the study has no such arm. */
  rows: (arm: string) => readonly Row[];
  /** The arm's result in the record, on the study's own task. */
  result: (arm: string) => Result | undefined;
  /** Cards of the synthetic data that the arm was trained on, one per round. */
  synthetic: (arm: string) => readonly SyntheticCard[];
}

/** The prompt format of choice tasks where a paper fixes it, so that its figures stay comparable: dev does not choose. */
export const byLabel = { answerBy: "label", scoring: "sum" } as const;

/** The splits of a study whose rows are files of its own, and these files. */
export const fileSplits = {
  train: "file:train.jsonl",
  dev: "file:dev.jsonl",
  test: "file:test.jsonl",
} as const;

export function splitFiles({
  train,
  dev,
  test,
}: Record<keyof typeof fileSplits, readonly unknown[]>): Plan["files"] {
  return { "train.jsonl": train, "dev.jsonl": dev, "test.jsonl": test };
}

/** Where a study's files lie in the store. */
function studyFolder(store: string, name: string): string {
  return join(store, "papers", name);
}

/** `paper-preset-part-model`, cut with a fingerprint where it is longer than the 64 characters that a name may have. */
export function planName(
  paper: string,
  preset: Preset,
  { part, model }: Pick<Plan, "part" | "model">,
): string {
  const short = model
    .replace(/\?.*$/s, "")
    .replace(/^\w+:/, "")
    .replace(/[^A-Za-z0-9.-]+/g, "-")
    .slice(-24);
  const full = `${paper}-${preset}-${part}-${short || "model"}`;
  return full.length <= 64 ? full : `${full.slice(0, 55)}-${fingerprint(full, 8)}`;
}

/** Plans by their names. Where models differ in their options alone, later ones get a fingerprint of theirs. */
export function namedPlans<Own extends Plan>(
  paper: string,
  preset: Preset,
  plans: readonly Own[],
): Map<string, Own> {
  const named = new Map<string, Own>();
  for (const plan of plans) {
    const name = planName(paper, preset, plan);
    named.set(named.has(name) ? `${name.slice(0, 55)}-${fingerprint(plan.model, 8)}` : name, plan);
  }
  return named;
}

/** Writes rows and study file, and returns the study as parsed from the file. */
async function writePlan(plan: Plan, name: string, store: string): Promise<StudySpec> {
  const folder = studyFolder(store, name);
  await mkdir(folder, privateFolder);
  for (const [file, rows] of Object.entries(plan.files))
    await writeFile(join(folder, file), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  for (const [file, text] of Object.entries(plan.texts ?? {})) await writeFile(join(folder, file), text);
  const { model, description, arms } = plan;
  // Arms that are written alike are one specialist; the generalist is in every study anyway.
  const written = new Map(Object.values(arms).map((arm) => [JSON.stringify(arm), arm]));
  written.delete(JSON.stringify("zeroShot"));
  const study = { study: name, description, model, ...plan.study, specialists: [...written.values()] };
  const path = join(folder, `${name}.study.json`);
  await writeFile(path, `${JSON.stringify(study, null, 2)}\n`);
  await makePrivate(folder);
  return parseStudy(study, path);
}

export interface PlanRun extends Omit<RunOptions, "onEvent" | "base" | "store" | "used"> {
  store: string;
  /** When the time that they may take began, in ms since 1970; now if absent. */
  since?: number;
  onEvent?: (event: PaperEvent) => void;
}

/**
 * Runs the plans in order until all are done or one stops. The limits apply to all of them together.
 * @returns the names of the finished ones, and why it stopped early, if it did
 */
export async function runPlans(
  plans: ReadonlyMap<string, Plan>,
  { onEvent: emit = () => {}, since = Date.now(), ...options }: PlanRun,
): Promise<{ finished: Set<string>; stopped: string | null }> {
  let usd = 0;
  const finished = new Set<string>();
  for (const [name, plan] of plans) {
    emit({ type: "stage", stage: finished.size + 1, of: plans.size, title: plan.description });
    const spec = await writePlan(plan, name, options.store);
    const record = await runStudy(spec, {
      ...options,
      base: studyFolder(options.store, name),
      used: { since, usd },
      onEvent: (event) => {
        if (event.type !== "done") emit(event);
      },
    });
    usd += record.spentUsd;
    if (record.stopped !== null) return { finished, stopped: record.stopped };
    finished.add(name);
  }
  return { finished, stopped: null };
}

/** Reads a finished study back. An arm is found by its definition, whatever the study's tables call it. */
export function readStudy(
  { arms }: Pick<Plan, "arms">,
  name: string,
  { store, use }: Pick<PlanRun, "store" | "use">,
): FinishedStudy {
  const opened = openStudy(store, name);
  try {
    const { record } = opened;
    const identity = (one: unknown) => canonicalJson(JSON.parse(JSON.stringify(one)));
    const known = new Map(record.subjects.map((subject) => [identity(subject.chain[0]), subject]));
    const subjectOf = (arm: string) => {
      if (!Object.hasOwn(arms, arm)) return undefined;
      const { name: made, options } = makeSpecializer(arms[arm], name, use?.specializers);
      return known.get(identity({ name: made, options }));
    };
    const tasks = new Map(record.tasks.map((card) => [card.key, card.name]));
    const measured = new Set(
      record.subjects.flatMap(({ ids, seeds }) => ids.map((id, i) => `${id} ${seeds[i]}`)),
    );
    const rows = new Map<string, Row[]>();
    for (const { subject, task, sample, seed, group, gold, grade } of opened.outcomes()) {
      if (grade.status !== "scored" || !measured.has(`${subject} ${seed}`)) continue;
      const { score, prediction, details = {}, trail = [] } = grade;
      const episodes = trail.filter((step) => step.kind === "episode");
      const row: Row = {
        ...{ task: tasks.get(task) as string, sample, seed, gold, prediction, score, details },
        ...(episodes.length > 0 ? { episodes } : {}),
      };
      const own = rows.get(subject) ?? [];
      rows.set(subject, own);
      own.push(group === undefined ? row : { ...row, group });
    }
    return {
      record,
      rows: (arm) => [...new Set(subjectOf(arm)?.ids)].flatMap((id) => rows.get(id) ?? []),
      synthetic: (arm) => (subjectOf(arm)?.synthetic ?? []).map(({ card }) => card),
      result: (arm) => record.results.find(({ subject }) => subject === subjectOf(arm)?.name),
    };
  } finally {
    opened.close();
  }
}
