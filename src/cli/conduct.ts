// Running a study from the command line: signals, limits, progress, report, summary, exit code. Shared by run and demo.

import { appendFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { describeFailure, exitCodes } from "../core/errors.js";
import type { StudyRecord } from "../core/record.js";
import { renderDev } from "../report/dev.js";
import { oneLine, plainText } from "../report/escape.js";
import { formatWhole } from "../report/format.js";
import { renderSummary } from "../report/terminal.js";
import { requireFile, requireStore, writeOut } from "../store/place.js";
import type { Phase } from "../study/events.js";
import { openStudy } from "../study/open.js";
import { type RunOptions, runStudy, stoppedAfterDev } from "../study/run.js";
import type { StudySpec } from "../study/spec.js";
import { makeOutput } from "./output.js";
import { stopSignals } from "./stop.js";
import { filesOf } from "./study-file.js";

export interface LimitFlags {
  store: string;
  json?: boolean;
  quiet?: boolean;
  maxCost?: number;
  maxTime?: number;
  concurrency?: number;
  retryErrors?: boolean;
}

export interface RunFlags extends LimitFlags {
  dryRun?: boolean;
  devOnly?: boolean;
  /** File for JUnit's XML. */
  junit?: string;
}

/**
 * Runs a study with its command-line output, and sets the exit code.
 * @param base folder that relative sources start from
 * @param next commands to try afterwards
 */
export async function conduct(
  spec: StudySpec,
  flags: RunFlags,
  base: string,
  reproduce: string,
  next: readonly string[],
  file?: string,
): Promise<void> {
  const output = makeOutput(flags);
  if (flags.junit !== undefined) requireFile(flags.junit, "--junit", await filesOf(spec, base, file));
  if (flags.dryRun) {
    const { planStudy, renderPlan } = await import("../study/dryrun.js");
    const plan = await planStudy(spec, { store: flags.store, base });
    output.record(plan);
    if (!flags.json) output.prose(renderPlan(plan));
    return;
  }
  let answered = { done: 0, all: 0 };
  const record = await stoppable(flags, output.log, (limits, watch) =>
    runStudy(spec, {
      ...limits,
      base,
      reproduce,
      ...(flags.devOnly ? { devOnly: true } : {}),
      onEvent: (event) => {
        watch(event);
        if (event.type === "launch") answered.all = event.answers;
        if (event.type === "progress") answered = { done: event.doneAll, all: event.totalAll };
        // The done record comes last, after the report is on disk.
        if (event.type !== "done") output.event(event);
      },
    }),
  );
  if (record === undefined) return;
  const afterDev = record.stopped === stoppedAfterDev;
  if (!afterDev) await tellCi(record, flags.junit);
  // A table without any measurement would be empty.
  if (
    !afterDev &&
    record.results.some(({ n, unscored, causes }) => n + unscored > (causes.unanswered ?? 0))
  ) {
    const study = openStudy(flags.store, spec.study);
    const paths = await study.report(join(resolve(flags.store), "reports", spec.study));
    study.close();
    output.say("");
    output.say(renderSummary(record, { colour: output.colour, width: output.width }));
    output.prose(`\nReport: ${paths.html}`);
  }
  if (afterDev) {
    output.say(renderDev(record, output.width));
    const sealed = record.openings === 0 && record.openedBefore?.plans === 0;
    output.prose(
      `\n${sealed ? "The test stays sealed" : "This run did not open the test, but others have"}; the same command without --dev-only opens it.`,
    );
  } else if (record.stopped !== null) {
    output.prose(
      `\nStopped: ${record.stopped}. This run reached ${formatWhole(answered.done)} of ${formatWhole(answered.all)} answers; all that were ever given are in the journal, and the same command continues.`,
    );
  } else if (next.length > 0) output.prose(`\nTry next:\n${next.map((line) => `  ${line}`).join("\n")}`);
  if (record.gate && !record.gate.met && !afterDev)
    output.log(`\nThe gate was not met: ${oneLine(record.gate.text, 400)}.`);
  output.record(record);
  const failed = afterDev ? unscoredOnDev(record) : failedThroughout(record);
  if (failed !== undefined) {
    output.log(plainText(`\n${failed}`));
    process.exitCode ??= exitCodes.broke;
  }
  if (!afterDev && (record.stopped !== null || record.gate?.met === false))
    process.exitCode ??= exitCodes.gate;
}

/** The result for continuous integration: JUnit XML on request, and the step summary if GitHub names a file for it. */
async function tellCi(record: StudyRecord, junit: string | undefined): Promise<void> {
  const summary = process.env.GITHUB_STEP_SUMMARY;
  if (junit === undefined && !summary) return;
  const { renderJunit, renderStepSummary } = await import("../report/ci.js");
  if (junit !== undefined) await writeOut(junit, renderJunit(record));
  if (summary) await appendFile(summary, renderStepSummary(record));
}

/** The message for a model that failed on every sample; undefined if it did not. */
function failedThroughout(record: StudyRecord): string | undefined {
  // One that could not be made was not asked; the others may merely not have had their turn.
  const asking = record.subjects
    .filter(({ role, ids }) => role !== "reference" && ids.length > 0)
    .map(({ name }) => name);
  const asked = record.results.filter(({ subject }) => asking.includes(subject));
  const causes = new Map<string, number>();
  for (const [cause, n] of asked.flatMap((result) => Object.entries(result.causes)))
    if (cause !== "unanswered") causes.set(cause, (causes.get(cause) ?? 0) + n);
  if (causes.size === 0 || asked.some(({ n }) => n > 0)) return undefined;
  return describeFailure({
    what: `${record.model} failed on every sample`,
    why: [...causes].map(([cause, n]) => `${cause}: ${formatWhole(n)}`).join(", "),
    next: `Fix the cause (\`hone show ${record.study} --sample ID\` has it in full), then run the same command with --retry-errors.`,
  });
}

/** The message for a run that stopped after dev without a score of the model's; undefined if there is one. */
function unscoredOnDev({ subjects, results, model }: StudyRecord): string | undefined {
  const asking = subjects.filter(({ role }) => role !== "reference").map(({ name }) => name);
  if (results.some(({ subject, dev }) => asking.includes(subject) && dev && dev.n > 0)) return undefined;
  const next = "See the warnings above; fix the cause, then run the same command with --retry-errors.";
  return describeFailure({ what: `${model} has no score on dev`, next });
}

type Limits = Pick<
  RunOptions,
  "store" | "signal" | "drain" | "maxUsd" | "maxSeconds" | "concurrency" | "retryErrors"
>;

/**
 * Runs work within the flags' limits until done or stopped by a signal; then the exit code is 130 or 143.
 * @param work receives the limits, and a function to call with every event
 * @returns undefined if it was stopped at once and there is nothing to show
 */
export async function stoppable<T>(
  flags: LimitFlags,
  log: (text: string) => void,
  work: (limits: Limits, watch: (event: { type: string; phase?: Phase }) => void) => Promise<T>,
): Promise<T | undefined> {
  requireStore(flags.store);
  const stop = stopSignals(log);
  // Data are read and specialists are fitted first.
  stop.deaf(true);
  const watch = ({ phase }: { type: string; phase?: Phase }) => {
    if (phase !== undefined) stop.deaf(phase === "fit" || phase === "hand-over");
  };
  const limits: Limits = {
    store: flags.store,
    signal: stop.abort,
    drain: stop.drain,
    ...(flags.maxCost === undefined ? {} : { maxUsd: flags.maxCost }),
    ...(flags.maxTime === undefined ? {} : { maxSeconds: flags.maxTime }),
    ...(flags.concurrency === undefined ? {} : { concurrency: flags.concurrency }),
    ...(flags.retryErrors ? { retryErrors: true } : {}),
  };
  try {
    return await work(limits, watch);
  } catch (error) {
    // Draining ends work that had not begun, such as a wait for another program.
    const given = stop.drain.aborted && (error as { name?: unknown }).name === "AbortError";
    if (!stop.abort.aborted && !given) throw error;
    log("Stopped. Every finished answer is in the journal; the same command continues.");
    return undefined;
  } finally {
    const code = stop.code();
    if (code !== undefined) process.exitCode = code;
    stop.off();
  }
}
