// hone predict STUDY --data FILE: a study's champion, or any of its subjects, on new rows.

import { exitCodes, HoneError } from "../core/errors.js";
import { stdin } from "../data/files.js";
import { readRows } from "../data/index.js";
import { formatByEnding } from "../data/readers.js";
import { type Reading, readingOf } from "../data/reading.js";
import { fileSink, type PredictionSink, streamSink } from "../deploy/outputs.js";
import { type PredictSummary, predict } from "../deploy/predict.js";
import { plainText } from "../report/escape.js";
import { formatInterval, formatP, formatScore, formatWhole, plural } from "../report/format.js";
import { stoppable } from "./conduct.js";
import { makeOutput, type Output } from "./output.js";

export interface PredictFlags extends Reading {
  data: string;
  out?: string;
  subject?: string;
  skipBad?: boolean;
  allowModules?: boolean;
  allowEndpoint?: boolean;
  store: string;
  json?: boolean;
  quiet?: boolean;
  maxCost?: number;
  maxTime?: number;
  concurrency?: number;
}

export async function predictCommand(ref: string, flags: PredictFlags): Promise<void> {
  // Without a file predictions go to stdout: everything else then goes to stderr.
  const output = makeOutput(flags);
  const tell = flags.out === undefined ? output.log : output.prose;
  const sink = await sinkOf(flags, output);
  const bad: HoneError[] = [];
  const rows = readRows(flags.data, {
    ...readingOf(flags),
    ...(flags.data === stdin && flags.format === undefined ? { format: "jsonl" as const } : {}),
    ...(flags.skipBad ? { onBad } : {}),
  });
  function onBad(error: HoneError): void {
    bad.push(error);
    const { what, where, why } = error.failure;
    output.log(plainText(`! skipped: ${where ?? ""}: ${what} ${why ?? ""}`.trim()));
    output.record({ type: "bad", where, what, why });
  }
  let told = Date.now();
  let done = 0;
  const summary = await stoppable(flags, output.log, async (limits, watch) => {
    watch({ type: "predict", phase: "test" });
    const run = await predict(ref, rows, {
      ...limits,
      ...(flags.subject === undefined ? {} : { subject: flags.subject }),
      ...(flags.allowModules ? { allowModules: true } : {}),
      ...(flags.allowEndpoint ? { allowEndpoint: true } : {}),
      ...(flags.skipBad ? { onBad } : {}),
      onWait: output.log,
    }).catch(async (error) => {
      await sink.abandon();
      throw error;
    });
    try {
      for await (const prediction of run.predictions) {
        await sink.write(prediction);
        done++;
        if (!flags.quiet && flags.out !== undefined && Date.now() - told >= 5_000) {
          told = Date.now();
          output.log(`${formatWhole(done)} rows predicted`);
        }
      }
      const summary = run.summary();
      // A run stopped by a limit or a person is incomplete: the file appears only when all rows are in it.
      if (summary.stopped === null) await sink.finish();
      else await sink.abandon();
      return { ...summary, bad: bad.length };
    } catch (error) {
      await sink.abandon();
      throw remedied(error, flags);
    } finally {
      await run.close();
    }
  });
  if (summary === undefined) {
    await sink.abandon();
    return;
  }
  tellSummary(summary, flags, tell);
  output.record({ type: "done", ...summary, out: summary.stopped === null ? (flags.out ?? null) : null });
  if (summary.stopped !== null) process.exitCode ??= exitCodes.gate;
  else if (summary.n === 0 && summary.unscored > 0) process.exitCode ??= exitCodes.broke;
}

/** The destination of predictions: the file, records with --json, else lines on stdout. */
async function sinkOf({ out, json, data, format }: PredictFlags, output: Output): Promise<PredictionSink> {
  if (out !== undefined && out !== stdin) return fileSink(out, data);
  if (json)
    return {
      write: async (prediction) => output.record({ type: "prediction", ...prediction }),
      finish: async () => {},
      abandon: async () => {},
    };
  const read = format ?? (data === stdin ? "jsonl" : formatByEnding(data));
  return streamSink(process.stdout, read === "jsonl" || read === "json" ? "jsonl" : "csv");
}

/** The error of a row that stops the run, with a hint how to skip it. */
function remedied(error: unknown, { skipBad }: PredictFlags): unknown {
  if (skipBad || !(error instanceof HoneError) || !/:\d+|row \d+/.test(error.failure.where ?? ""))
    return error;
  const next = `${error.failure.next ?? "Fix the row."} Or skip such rows: --skip-bad.`;
  return new HoneError({ ...error.failure, next });
}

function tellSummary(summary: PredictSummary, flags: PredictFlags, tell: (text: string) => void): void {
  const { subject, study, n, unscored, bad, causes, expected, drift, stopped } = summary;
  const say = (text: string) => tell(plainText(text));
  if (stopped !== null) {
    say(
      `Stopped: ${stopped}. The calls that were made are in the journal; the same command continues, and writes ${flags.out ?? "the predictions"} when all rows are done.`,
    );
    return;
  }
  const parts = [
    `${plural(n, "row")} predicted by ${subject} (${study})`,
    unscored > 0 &&
      `${formatWhole(unscored)} without an answer (${Object.entries(causes)
        .map(([cause, count]) => `${cause} ${formatWhole(count)}`)
        .join(", ")}); the same command asks again for failed calls`,
    bad > 0 && `${plural(bad, "bad row")} skipped`,
  ];
  say(`${parts.filter(Boolean).join("; ")}.${flags.out === undefined ? "" : ` ${flags.out}`}`);
  if (expected) {
    const { mean, low, high, display, metric } = expected;
    say(
      `Expected ${metric} on rows like the study's test: ${formatScore(mean, expected.n, display)} (95 % interval ${formatInterval(low, high, expected.n, display)}, n = ${formatWhole(expected.n)}).`,
    );
  }
  const differing = drift.filter(({ differs }) => differs);
  for (const { of, test, size, p, text } of differing)
    say(
      `! These rows differ from the study's in ${of}: ${text} (${test} ${size.toFixed(2)}, Holm-adjusted ${formatP(p)}).`,
    );
  if (differing.length > 0)
    say("! The expected figure may not hold for them; label some of these rows and measure again.");
}
