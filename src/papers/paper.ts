// The framework that all papers share: stages, limits, data, finished studies, the family of claims and the envelope of
// the result. A paper defines its data, the studies built from them and how figures become claims; it runs nothing.

import { resolve } from "node:path";
import { machineName } from "../core/cores.js";
import { HoneError } from "../core/errors.js";
import type { RunOptions } from "../study/run.js";
import { version } from "../version.js";
import { type Claim, type Draft, judge } from "./claim.js";
import { type DataFolder, type DataNeeds, openData } from "./data.js";
import {
  type FinishedStudy,
  namedPlans,
  type PaperEvent,
  type Plan,
  type Preset,
  readStudy,
  runPlans,
} from "./plans.js";

export interface ReproduceOptions extends Omit<RunOptions, "onEvent" | "reproduce" | "used"> {
  preset: Preset;
  /** The folder that contains `med`, `law`, `social` and `lexical`, or those of them that the paper reads. */
  data?: string;
  /** Models to run it with, the smallest first; the preset's own if absent. */
  models?: readonly string[];
  onEvent?: (event: PaperEvent) => void;
}

/** A table of the result, for people; scripts read the fields beside it. */
export interface PaperTable {
  title: string;
  head: string[];
  rows: string[][];
  /** Columns that hold numbers. */
  right: number[];
}

/** A table in which the columns from the given one on hold numbers. */
export function paperTable(title: string, head: readonly string[], rows: string[][], from = 1): PaperTable {
  return { title, head: [...head], rows, right: head.map((_, i) => i).slice(from) };
}

/** The result of a reproduction; scripts read it as the last line of `--json`. */
export interface Reproduction {
  type: "done";
  paper: string;
  preset: Preset;
  models: string[];
  claims: Claim[];
  /** The unit of which a difference of 0.01 is one, where it is not a point of accuracy. */
  unit?: string;
  tables: PaperTable[];
  /** What differs from the paper, in sentences. */
  deviations: string[];
  /** Names of the studies that are finished, for `hone show` and `hone report`. */
  studies: string[];
  /** Missing answers on test, mostly an endpoint's failures; claims are not judged while there are any. */
  unscored: number;
  /** Why it stopped early, if it did; claims are then missing. */
  stopped: string | null;
  /** Of this run alone. */
  seconds: number;
  /** Of the finished studies, over all their runs; absent from records before 2026-11-29. */
  studySeconds?: number;
  machine: string;
  hone: string;
  at: string;
  [more: string]: unknown;
}

export interface PaperEntry {
  name: string;
  /** One line. */
  summary: string;
  paper: string;
  /**
   * Runs the reproduction, or continues it.
   * @throws HoneError for missing or damaged data, and for models that cannot do what it asks
   */
  reproduce: (options: ReproduceOptions) => Promise<Reproduction>;
}

export interface Paper<Settings> extends PaperEntry {
  /** @param settings replaces the preset's sizes, for tests */
  reproduce: (options: ReproduceOptions, settings?: Settings) => Promise<Reproduction>;
}

/** What a paper's parts receive: the sizes, the models, and the data read. */
export interface Given<Settings, Data> {
  settings: Settings;
  models: readonly string[];
  data: Data;
}

export interface PaperSpec<Settings extends { models: readonly string[] }, Data, Own extends Plan, Figures> {
  name: string;
  summary: string;
  paper: string;
  unit?: string;
  /** The most models that it takes. */
  mostModels?: number;
  presets: Readonly<Record<Preset, Settings>>;
  /** Reads the paper's data; absent where it makes its own. */
  data:
    | (DataNeeds & {
        read: (
          folder: DataFolder,
          given: Omit<Given<Settings, unknown>, "data">,
          context: { signal: AbortSignal; progress: (done: number, total: number, note: string) => void },
        ) => Data | Promise<Data>;
      })
    | null;
  plans: (given: Given<Settings, Data>) => readonly Own[] | Promise<readonly Own[]>;
  /** Figures from the studies that are finished; undefined for the others. */
  figures: (
    plans: readonly { plan: Own; study: FinishedStudy | undefined }[],
    given: Given<Settings, Data>,
  ) => Figures;
  claims: (figures: Figures, given: Given<Settings, Data>) => readonly Draft[];
  tables: (figures: Figures, given: Given<Settings, Data>) => readonly PaperTable[];
  deviations: (given: Given<Settings, Data>, figures: Figures) => readonly (string | undefined)[];
  /** Fields of the result besides those that every paper has. */
  more: (figures: Figures, given: Given<Settings, Data>) => Readonly<Record<string, unknown>>;
}

/** Combines a paper's parts into what `hone reproduce` runs. */
export function definePaper<Settings extends { models: readonly string[] }, Data, Own extends Plan, Figures>(
  spec: PaperSpec<Settings, Data, Own, Figures>,
): Paper<Settings> {
  const { name, summary, paper } = spec;
  return {
    name,
    summary,
    paper,
    async reproduce(options, settings = spec.presets[options.preset]) {
      const started = performance.now();
      const since = Date.now();
      const { preset, data: folder, models: asked, onEvent, ...run } = options;
      const store = resolve(options.store ?? ".hone");
      const signal = options.signal ?? new AbortController().signal;
      const models = asked !== undefined && asked.length > 0 ? asked : settings.models;
      if (spec.mostModels !== undefined && models.length > spec.mostModels)
        throw tooMany(name, spec.mostModels);
      const given: Given<Settings, Data> = { settings, models, data: undefined as Data };
      if (spec.data !== null) {
        const opened = await openData(name, spec.data, folder, options.base);
        const progress = (done: number, total: number, note: string) =>
          onEvent?.({ type: "fetch", done, total, note });
        given.data = await spec.data.read(opened, given, { signal, progress });
      }
      const plans = namedPlans(name, preset, await spec.plans(given));
      const { finished, stopped } = await runPlans(plans, {
        ...run,
        store,
        signal,
        since,
        reproduce: `npx hone reproduce ${name}${preset === "full" ? "" : ` --${preset}`}`,
        ...(onEvent ? { onEvent } : {}),
      });
      const read = [...plans].map(([study, plan]) => ({
        plan,
        study: finished.has(study) ? readStudy(plan, study, { ...run, store }) : undefined,
      }));
      const figures = spec.figures(read, given);
      const unscored = read
        .flatMap(({ study }) => study?.record.results ?? [])
        .reduce((sum, result) => sum + result.unscored, 0);
      return {
        type: "done",
        paper: name,
        preset,
        models: [...models],
        claims: judge(spec.claims(figures, given), unscored),
        ...(spec.unit === undefined ? {} : { unit: spec.unit }),
        tables: spec.tables(figures, given).filter(({ rows }) => rows.length > 0),
        deviations: [
          ...spec.deviations(given, figures).filter((one) => one !== undefined),
          ...(unscored > 0
            ? [
                `${unscored} answers are missing, so that no claim is judged: run it again with --retry-errors to ask for them anew.`,
              ]
            : []),
        ],
        studies: [...plans.keys()].filter((study) => finished.has(study)),
        unscored,
        stopped,
        seconds: (performance.now() - started) / 1000,
        studySeconds: read.reduce((sum, { study }) => sum + (study?.record.seconds ?? 0), 0),
        machine: machineName(),
        hone: version,
        at: new Date().toISOString(),
        ...spec.more(figures, given),
      };
    },
  };
}

function tooMany(paper: string, most: number): HoneError {
  return new HoneError({
    what: `${paper} takes ${most === 1 ? "one model" : `at most ${most} models`}`,
    where: "--model",
    next: "Give fewer, the smallest first.",
    kind: "usage",
  });
}
