// Output of the command line: records on stdout with --json, everything else for people. Progress is one line that
// rewrites itself on a terminal, and plain lines elsewhere. Respects NO_COLOR.

import { describeFailure, type Failure, HoneError } from "../core/errors.js";
import { plainText } from "../report/escape.js";
import { formatCost, formatCount, formatDuration, formatScore } from "../report/format.js";
import type { StudyEvent } from "../study/events.js";
import { columnsOf, fold } from "./width.js";

export interface Output {
  json: boolean;
  colour: boolean;
  width: number;
  /** A JSON record on stdout, only with --json. */
  record: (value: unknown) => void;
  /** Text for people: on stdout, or on stderr with --json. */
  say: (text: string) => void;
  /** The same for sentences and lists, which are wrapped to fit the terminal. */
  prose: (text: string) => void;
  /** Status messages: always on stderr. */
  log: (text: string) => void;
  /** An event of a running study. */
  event: (event: StudyEvent) => void;
}

/** Milliseconds between lines of progress where there is no terminal. */
const plainEveryMs = 5_000;

export function makeOutput(options: { json?: boolean; quiet?: boolean }): Output {
  const json = options.json ?? false;
  const terminal = process.stderr.isTTY === true && process.env.TERM !== "dumb";
  const colour =
    process.stdout.isTTY === true && (process.env.NO_COLOR ?? "") === "" && process.env.TERM !== "dumb";
  const width = Math.min(120, columnsOf() ?? 100);
  let lastPlain = 0;
  let liveLine = false;
  const clear = () => {
    if (liveLine) process.stderr.write("\r\x1b[2K");
    liveLine = false;
  };
  const log = (text: string) => {
    clear();
    process.stderr.write(`${fold(text, columnsOf(process.stderr))}\n`);
  };
  const say = (text: string) => {
    clear();
    (json ? process.stderr : process.stdout).write(`${text}\n`);
  };
  const record = (value: unknown) => {
    if (json) process.stdout.write(`${JSON.stringify(value)}\n`);
  };
  return {
    json,
    colour,
    width,
    record,
    log,
    say,
    prose: (text) => say(fold(text)),
    event(event) {
      record(event);
      if (event.type === "warning") return log(plainText(`! ${event.text}`));
      if (options.quiet) return;
      if (event.type === "launch") {
        const { tasks, subjects, answers } = event;
        const counts = tasks[0]?.counts;
        log(
          plainText(
            `${event.study}: ${subjects.length} subjects of ${event.model} on ${tasks.map((t) => t.name).join(", ")}`,
          ),
        );
        log(
          plainText(
            `  train ${counts?.train}, dev ${counts?.dev}, test ${counts?.test} (sealed); ${answers.toLocaleString("en")} answers to collect`,
          ),
        );
        return;
      }
      const line = plainText(
        event.type === "fetch"
          ? fetchLine(event)
          : event.type === "asking"
            ? `asking the generalist on dev in ${event.of} ways: ${event.done} done`
            : event.type === "progress"
              ? progressLine(event)
              : "",
      );
      if (line === "") return;
      if (terminal) {
        process.stderr.write(`\r\x1b[2K${line.slice(0, (columnsOf(process.stderr) ?? 100) - 1)}`);
        liveLine = true;
      } else if (Date.now() - lastPlain >= plainEveryMs || finished(event)) {
        lastPlain = Date.now();
        log(line);
      }
    },
  };
}

function finished(event: StudyEvent): boolean {
  return event.type === "progress" && event.total > 0 && event.done === event.total;
}

function fetchLine({ done, total, note }: Extract<StudyEvent, { type: "fetch" }>): string {
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
  return `fetching ${note}  ${megabytes(done)}${total > 0 ? ` of ${megabytes(total)}` : ""} MB`;
}

function progressLine(event: Extract<StudyEvent, { type: "progress" }>): string {
  const { running, tokens, usd, etaSeconds } = event;
  const share = Math.floor(100 * event.share);
  const score = (value: number) => formatScore(value, running?.n, event.display);
  return [
    `${String(share).padStart(3)}%`,
    `${event.phase} ${event.subject} ${event.total > 0 ? `${event.done}/${event.total}` : ""}`.trim(),
    running && `${score(running.mean)} [${score(running.low)}, ${score(running.high)}]`,
    event.unscored > 0 && `${event.unscored} unscored`,
    tokens > 0 && `${formatCount(tokens)} tokens`,
    usd > 0 && formatCost(usd),
    etaSeconds !== null && etaSeconds > 0 && `${formatDuration(etaSeconds * 1000)} left`,
    event.note,
  ]
    .filter((part): part is string => typeof part === "string" && part !== "")
    .join("  ");
}

/** What the operating system refused for reasons that are no bug: a full disk, missing rights. */
function failureOfSystem(error: unknown): Failure | undefined {
  const { code, path, message } = error as NodeJS.ErrnoException;
  const refusals = ["ENOSPC", "EDQUOT", "EIO", "EROFS", "EACCES", "EPERM", "EMFILE", "ENFILE"];
  if (!(error instanceof Error) || code === undefined || !refusals.includes(code)) return undefined;
  return {
    what: "The operating system refused to read or write a file",
    ...(path ? { where: path } : {}),
    why: message,
    next:
      code === "ENOSPC" || code === "EDQUOT"
        ? "Free space on the disk, or write elsewhere."
        : "Mend that, or write elsewhere.",
  };
}

/** Prints an error for people or scripts and returns the exit code. Bugs keep their stack. */
export function printError(error: unknown, json: boolean): number {
  const failure = error instanceof HoneError ? error.failure : failureOfSystem(error);
  const code = error instanceof HoneError ? error.exitCode : 1;
  const text = failure
    ? describeFailure(failure)
    : `Hone broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n  next:  This is a bug; please report it with the command that you typed.`;
  process.stderr.write(`\n${fold(plainText(text), columnsOf(process.stderr))}\n`);
  if (json) {
    const { what = "Hone broke", where, why, next } = failure ?? { what: text };
    process.stdout.write(`${JSON.stringify({ type: "error", what, where, why, next, code })}\n`);
  }
  return code;
}
