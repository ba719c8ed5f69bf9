// The one error that Hone shows to people: what went wrong, where, why, and what to type next.
// It is not for bugs: those stay ordinary errors and keep their stack.
/** Process exit codes that scripts rely on: 0 fine, 1 broke, 2 usage, 100 a gate was not met. */
export const exitCodes = { broke: 1, usage: 2, gate: 100 };
/**
 * A failure with a place and a remedy.
 *
 * @example
 * import { HoneError } from "@honelab/hone";
 * const error = new HoneError({ what: "Cannot read row", where: "a.jsonl:3", why: "not JSON", next: "Mend line 3." });
 * error.message.includes("a.jsonl:3"); // true
 */
export class HoneError extends Error {
  failure;
  constructor(failure) {
    super(describeFailure(failure), failure.cause === undefined ? undefined : { cause: failure.cause });
    this.name = "HoneError";
    this.failure = failure;
  }
  get exitCode() {
    return exitCodes[this.failure.kind ?? "broke"];
  }
}
/** One line per part; used for terminals and logs alike. */
export function describeFailure(failure) {
  const lines = [failure.what];
  if (failure.where) lines.push(`  where: ${failure.where}`);
  if (failure.why) lines.push(`  why:   ${failure.why}`);
  if (failure.next) lines.push(`  next:  ${failure.next}`);
  return lines.join("\n");
}
/** The message of anything thrown, without a stack. */
export function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}
