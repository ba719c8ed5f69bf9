// The one error that Hone shows to people: what went wrong, where, why, and what to type next.
// It is not for bugs: those stay ordinary errors and keep their stack.

/** Decides the exit code: 1 broke, 2 usage, 100 a gate was not met. */
export type FailureKind = "broke" | "usage" | "gate";

/** Process exit codes that scripts rely on: 0 success, 1 failure, 2 usage, 100 a gate was not met. */
export const exitCodes: Record<FailureKind, number> = { broke: 1, usage: 2, gate: 100 };

/** The parts of an error message: what, where, why, what to do next. */
export interface Failure {
  /** What could not be done, in one short sentence. */
  what: string;
  /** File, line, column, field or sample id. */
  where?: string;
  /** The cause as far as it is known. */
  why?: string;
  /** What to type or change next. */
  next?: string;
  /** `usage` for what the caller wrote wrongly, `gate` for a threshold not met, else `broke`. */
  kind?: FailureKind;
  cause?: unknown;
}

/**
 * A failure with a place and a remedy.
 *
 * @example
 * import { HoneError } from "@honelab/hone";
 * const error = new HoneError({ what: "Cannot read row", where: "a.jsonl:3", why: "not JSON", next: "Mend line 3." });
 * error.message.includes("a.jsonl:3"); // true
 */
export class HoneError extends Error {
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(describeFailure(failure), failure.cause === undefined ? undefined : { cause: failure.cause });
    this.name = "HoneError";
    this.failure = failure;
  }

  get exitCode(): number {
    return exitCodes[this.failure.kind ?? "broke"];
  }
}

/** One line per part; used for terminals and logs alike. */
export function describeFailure(failure: Failure): string {
  const lines = [failure.what];
  if (failure.where) lines.push(`  where: ${failure.where}`);
  if (failure.why) lines.push(`  why:   ${failure.why}`);
  if (failure.next) lines.push(`  next:  ${failure.next}`);
  return lines.join("\n");
}

/** The message of anything thrown, without a stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
