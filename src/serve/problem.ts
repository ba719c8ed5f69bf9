// The server's errors in the form of the OpenAI protocol, one status and one body for each cause.

import { CallError, type CallFailure } from "../core/call.js";
import { HoneError } from "../core/errors.js";

/** An error with its status. Its message is shown to the client. */
export class Problem extends Error {
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
  readonly retryAfter: number | undefined;

  constructor(
    readonly status: number,
    message: string,
    more: { param?: string; code?: string; retryAfter?: number } = {},
  ) {
    super(message);
    this.name = "Problem";
    this.type =
      status === 401 || status === 403
        ? "authentication_error"
        : status === 429
          ? "rate_limit_error"
          : status >= 500
            ? "server_error"
            : "invalid_request_error";
    this.param = more.param ?? null;
    this.code = more.code ?? null;
    this.retryAfter = more.retryAfter;
  }
}

export function problemBody({ message, type, param, code }: Problem): {
  error: Record<string, string | null>;
} {
  return { error: { message, type, param, code } };
}

const callStatus: Record<CallFailure, [status: number, code?: string]> = {
  "rate-limited": [429, "rate_limited"],
  "server-error": [502, "upstream_error"],
  timeout: [504, "timeout"],
  "cut-stream": [502, "upstream_error"],
  malformed: [502, "upstream_error"],
  "no-logprobs": [400, "no_logprobs"],
  "too-large": [400, "too_large"],
  "too-long": [400, "context_length_exceeded"],
  refused: [400, "refused"],
  unreachable: [502, "upstream_unreachable"],
  unsupported: [400, "unsupported"],
};

/** Converts anything thrown into the error that the client sees. Internal details go to `log` only. */
export function problemOf(error: unknown, log: (text: string) => void): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof CallError) {
    const [status, code] = callStatus[error.failure];
    return new Problem(status, error.message, code === undefined ? {} : { code });
  }
  const text =
    error instanceof HoneError
      ? error.message
      : error instanceof Error
        ? (error.stack ?? error.message)
        : String(error);
  log(text);
  return new Problem(500, "The server could not answer; its log says why.", { code: "internal" });
}
