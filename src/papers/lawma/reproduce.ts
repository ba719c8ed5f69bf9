// hone reproduce lawma: the studies one after the other, and what they say about the paper's claims. The journal makes it
// resumable: what is finished is found there, so the same command goes on where it stopped.

import { cpus } from "node:os";
import { resolve } from "node:path";
import { HoneError } from "../../core/errors.js";
import { makeSpecializer } from "../../specializers/index.js";
import { openStudy } from "../../study/open.js";
import { version } from "../../version.js";
import { type Scores, scoresOf } from "../figures.js";
import type { ReproduceOptions, Reproduction } from "../index.js";
import { planName, runPlans } from "../plans.js";
import { type LawmaScores, lawmaClaims } from "./claims.js";
import { deviations } from "./deviations.js";
import { readLawma } from "./read.js";
import { type LawmaSettings, presets } from "./settings.js";
import { curveArms, mainArms, rowsOf, type StudyPlan, toPlan } from "./studies.js";
import { curveRecords, lawmaTables, taskRecords } from "./tables.js";
import { choose, heldOut } from "./tasks.js";

const nothing: Scores = new Map();

/**
 * Runs the reproduction, or continues it.
 * @param settings replaces the preset's sizes, for tests
 * @throws HoneError for missing or damaged data, and for models that cannot be trained
 */
export async function reproduceLawma(
  options: ReproduceOptions,
  settings: LawmaSettings = presets[options.preset],
): Promise<Reproduction> {
  const started = performance.now();
  const store = resolve(options.store ?? ".hone");
  const signal = options.signal ?? new AbortController().signal;
  const emit = options.onEvent ?? (() => {});
  const models = options.models && options.models.length > 0 ? options.models : settings.models;
  const small = models[0] as string;
  const large = models[1];
  const data = await readLawma(options.data ?? defaultData(), {
    signal,
    ...(options.base === undefined ? {} : { base: options.base }),
    progress: (done, total, note) => emit({ type: "fetch", done, total, note }),
  });
  const { chosen, leftOut } = choose(data.tasks, settings);
  const names = chosen.map(({ name }) => name);
  if (chosen.length === 0) throw nothingToDo(data.tasks.length);
  const pool = rowsOf(chosen, data.texts, settings);
  const kept = heldOut(names);

  const plans: StudyPlan[] = [];
  const plan = (part: string, model: string, rest: Omit<StudyPlan, "name" | "model">): string => {
    const name = planName("lawma", options.preset, part, model);
    plans.push({ name, model, ...rest });
    return name;
  };
  const arms = mainArms(settings);
  const main = plan("tasks", small, {
    description: `Lawma's comparison on ${names.length} tasks put into one`,
    rows: pool,
    specialists: Object.values(arms),
    seeds: [1],
  });
  const moved =
    kept.length === 0
      ? undefined
      : plan("transfer", small, {
          description: `Tuned on ${names.length - kept.length} tasks, tested on ${kept.length} others`,
          rows: {
            train: pool.train.filter(({ stratum }) => !kept.includes(stratum)),
            dev: pool.dev.filter(({ stratum }) => !kept.includes(stratum)),
            test: pool.test.filter(({ stratum }) => kept.includes(stratum)),
          },
          specialists: [settings.tune.transfer],
          seeds: [1],
        });
  const bent = curveArms(settings.curve);
  const curves = chosen
    .filter(({ name }) => settings.curve.tasks.includes(name))
    .map((task) =>
      plan(`curve-${task.name}`, small, {
        description: `What labels are worth on ${task.name}`,
        rows: rowsOf([task], data.texts, {
          instructionSentences: settings.instructionSentences,
          input: "chars" in settings.input ? { chars: settings.curve.chars } : settings.input,
          limit: {
            train: Math.max(...settings.curve.n),
            dev: settings.curve.dev,
            test: settings.curve.test,
          },
        }),
        specialists: [...bent.flatMap(({ tuned, linear }) => [tuned, linear]), "majority"],
        seeds: settings.curve.seeds,
      }),
    );
  const scaled =
    large === undefined
      ? undefined
      : plan("tasks", large, {
          description: `Lawma's comparison on ${names.length} tasks with a larger model`,
          rows: pool,
          specialists: [settings.tune.larger],
          seeds: [1],
        });

  const { finished, stopped } = await runPlans("lawma", plans.map(toPlan), { ...options, store, signal });

  const labelOf = (written: unknown): string =>
    makeSpecializer(written, "lawma", options.use?.specializers).label;
  const read = (study: string | undefined, subject: unknown): Scores => {
    if (study === undefined || !finished.has(study)) return nothing;
    const opened = openStudy(store, study);
    try {
      return scoresOf(opened, labelOf(subject));
    } finally {
      opened.close();
    }
  };
  const onCurve = (subject: unknown): Scores => new Map(curves.flatMap((study) => [...read(study, subject)]));
  const scores: LawmaScores = {
    zero: read(main, "zeroShot"),
    few: read(main, arms.few),
    all: read(main, arms.all),
    one: read(main, arms.one),
    linear: read(main, arms.linear),
    majority: read(main, arms.majority),
    transfer: { scores: read(moved, settings.tune.transfer), tasks: kept },
    curve: bent.map(({ n, tuned, linear }) => ({ n, tuned: onCurve(tuned), linear: onCurve(linear) })),
    curveZero: onCurve("zeroShot"),
    curveMajority: onCurve("majority"),
    larger:
      scaled === undefined
        ? null
        : { zero: read(scaled, "zeroShot"), all: read(scaled, settings.tune.larger) },
  };
  const tasks = taskRecords(chosen, scores, data);
  const curve = curveRecords(scores);
  return {
    type: "done",
    paper: "lawma",
    preset: options.preset,
    models: [...models.slice(0, 2)],
    claims: lawmaClaims(scores, data),
    tables: lawmaTables(tasks, curve, scores, leftOut),
    deviations: deviations(settings, data, names, leftOut),
    studies: plans.map(({ name }) => name),
    stopped,
    seconds: (performance.now() - started) / 1000,
    machine: `${cpus()[0]?.model.trim() ?? "unknown CPU"}, ${cpus().length} cores, Node ${process.version}`,
    hone: version,
    at: new Date().toISOString(),
    tasks,
    curve,
    leftOut,
    heldOut: kept,
  };
}

/** The folder of real data that this project's own measurements use. */
function defaultData(): string {
  const folder = process.env.HONE_TEST_DATA;
  if (folder !== undefined && folder !== "") return `file:${folder}/law`;
  throw new HoneError({
    what: "No data for lawma",
    why: "neither --data nor the environment's HONE_TEST_DATA names any",
    next: "Give --data with a folder of Lawma's task files and opinions, or hf:datasets/owner/name/**/*.json.",
    kind: "usage",
  });
}

function nothingToDo(all: number): HoneError {
  return new HoneError({
    what: "No task has enough examples",
    why: `of ${all} tasks every one was left out`,
    next: "Give the whole data with --data, or use another preset.",
    kind: "usage",
  });
}
