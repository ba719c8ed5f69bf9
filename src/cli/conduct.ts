// Running a study from the command line: signals, limits, progress, report, summary, exit code. Shared by run and demo.

import { join, resolve } from "node:path";
import { exitCodes } from "../core/errors.js";
import { renderSummary } from "../report/terminal.js";
import { openStudy } from "../study/open.js";
import { type RunOptions, runStudy } from "../study/run.js";
import type { StudySpec } from "../study/spec.js";
import { makeOutput } from "./output.js";

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
}

/**
 * Runs a study as its user sees it, and sets the exit code.
 * @param base folder that relative sources start from
 * @param next commands to try afterwards
 */
export async function conduct(
  spec: StudySpec,
  flags: RunFlags,
  base: string,
  reproduce: string,
  next: readonly string[],
): Promise<void> {
  const output = makeOutput(flags);
  if (flags.dryRun) {
    const { planStudy, renderPlan } = await import("../study/dryrun.js");
    const plan = await planStudy(spec, { store: flags.store, base });
    output.record(plan);
    if (!flags.json) output.say(renderPlan(plan));
    return;
  }
  const record = await stoppable(flags, output.log, (limits) =>
    runStudy(spec, {
      ...limits,
      base,
      reproduce,
      // The done record comes last, after the report is on disk.
      onEvent: (event) => {
        if (event.type !== "done") output.event(event);
      },
    }),
  );
  if (record === undefined) return;
  const study = openStudy(flags.store, spec.study);
  const paths = await study.report(join(resolve(flags.store), "reports", spec.study));
  study.close();
  output.say("");
  output.say(renderSummary(record, { colour: output.colour, width: output.width }));
  output.say(`\nReport: ${paths.html}`);
  if (record.stopped !== null) output.say(`\nStopped: ${record.stopped}. The same command continues.`);
  else if (next.length > 0) output.say(`\nTry next:\n${next.map((line) => `  ${line}`).join("\n")}`);
  if (record.gate && !record.gate.met) output.log(`\nThe gate was not met: ${record.gate.text}.`);
  output.record(record);
  if (record.stopped !== null || record.gate?.met === false) process.exitCode ??= exitCodes.gate;
}

type Limits = Pick<
  RunOptions,
  "store" | "signal" | "drain" | "maxUsd" | "maxSeconds" | "concurrency" | "retryErrors"
>;

/**
 * Runs work within the limits that flags set and until a person stops it; then the exit code is 130.
 * @returns undefined where it was stopped at once and there is nothing to show
 */
export async function stoppable<T>(
  flags: LimitFlags,
  log: (text: string) => void,
  work: (limits: Limits) => Promise<T>,
): Promise<T | undefined> {
  const stop = stopSignals(log);
  try {
    return await work({
      store: flags.store,
      signal: stop.abort,
      drain: stop.drain,
      ...(flags.maxCost === undefined ? {} : { maxUsd: flags.maxCost }),
      ...(flags.maxTime === undefined ? {} : { maxSeconds: flags.maxTime }),
      ...(flags.concurrency === undefined ? {} : { concurrency: flags.concurrency }),
      ...(flags.retryErrors ? { retryErrors: true } : {}),
    });
  } catch (error) {
    if (!stop.abort.aborted) throw error;
    log("Stopped. Every finished answer is in the journal; the same command continues.");
    return undefined;
  } finally {
    if (stop.drain.aborted) process.exitCode = 130;
    stop.off();
  }
}

/** Ctrl-C once drains: what is in flight is finished. Twice aborts. */
function stopSignals(log: (text: string) => void): {
  drain: AbortSignal;
  abort: AbortSignal;
  off: () => void;
} {
  const drain = new AbortController();
  const abort = new AbortController();
  const onSignal = () => {
    if (drain.signal.aborted) {
      abort.abort();
      return;
    }
    log("Finishing what is in flight; press Ctrl-C again to stop at once.");
    drain.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    drain: drain.signal,
    abort: abort.signal,
    off: () => {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}
