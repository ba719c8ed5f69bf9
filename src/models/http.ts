// One HTTP request, bounded in time and in bytes. Plain node:http with keep-alive connections takes a third of the CPU time
// of global fetch, and the client must never be a study's bottleneck. No redirects, no cookies, no retries.

import http from "node:http";
import https from "node:https";
import { AttemptFailed } from "./retry.js";
import { onAbort } from "./wait.js";

export interface Reply {
  status: number;
  headers: http.IncomingHttpHeaders;
  /** Empty if a sink consumed the bytes. At status 200 it is valid UTF-8. */
  body: string;
  /** Milliseconds from sending to the last byte needed. */
  ms: number;
}

/** Receives the bytes of a 200 response as they arrive; returning `true` ends the exchange because nothing more is needed. */
export type Sink = (chunk: Buffer) => boolean;

export interface Connection {
  /**
   * @param path appended to the base
   * @param sink called when the headers have arrived; undefined keeps the body as text
   * @throws AttemptFailed for any failure; the signal's reason when aborted
   */
  post(
    path: string,
    body: string,
    signal: AbortSignal,
    sink?: (headers: http.IncomingHttpHeaders) => Sink | undefined,
  ): Promise<Reply>;
  close(): void;
}

export interface Limits {
  /** Longest wait for the response's headers, and then for each further chunk. */
  timeoutMs: number;
  /** Longest whole exchange, so that a server sending a byte a second cannot hold a call for ever. */
  totalMs: number;
  /** Most bytes of a response. */
  maxBytes: number;
}

/** @param base `http:` or `https:`, without a trailing slash */
export function connect(base: string, headers: http.OutgoingHttpHeaders, limits: Limits): Connection {
  const url = new URL(base);
  const secure = url.protocol === "https:";
  const request = secure ? https.request : http.request;
  // Idle connections are dropped before most servers drop them (5 s), so that no request uses a closing one.
  const agent = new (secure ? https : http).Agent({ keepAlive: true, timeout: 4_000 });
  const target = {
    protocol: url.protocol,
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port || (secure ? 443 : 80),
    method: "POST",
    agent,
  };
  const root = url.pathname.replace(/\/+$/, "");

  return {
    post(path, body, signal, sink) {
      return new Promise<Reply>((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const started = performance.now();
        let settled = false;
        let response: http.IncomingMessage | undefined;

        const settle = (outcome: () => void) => {
          if (settled) return;
          settled = true;
          clearTimeout(timer);
          off();
          outcome();
        };
        const fail = (error: unknown) =>
          settle(() => {
            outgoing.destroy();
            reject(error);
          });
        const timer = setTimeout(() => {
          const what = response ? "the response stalled for" : "no response within";
          fail(timedOut(`${what} ${limits.timeoutMs / 1000} s`));
        }, limits.timeoutMs);
        const off = onAbort(signal, () => fail(signal.reason));

        const outgoing = request({
          ...target,
          path: root + path,
          headers: {
            ...headers,
            "content-type": "application/json",
            "content-length": Buffer.byteLength(body),
          },
        });
        outgoing.on("error", (error) => fail(broken(error, response !== undefined)));
        outgoing.on("response", (incoming) => {
          response = incoming;
          timer.refresh();
          const status = incoming.statusCode ?? 0;
          const take = status === 200 ? sink?.(incoming.headers) : undefined;
          const chunks: Buffer[] = [];
          let bytes = 0;
          const finish = () => {
            if (settled) return;
            let body: string;
            try {
              body = textOf(Buffer.concat(chunks), status === 200);
            } catch (error) {
              return fail(error);
            }
            settle(() =>
              resolve({ status, headers: incoming.headers, body, ms: performance.now() - started }),
            );
          };
          const tooLarge = () =>
            fail(
              new AttemptFailed(
                "too-large",
                `the response is larger than ${limits.maxBytes} bytes (maxBytes=… raises the limit)`,
                { retry: false },
              ),
            );
          if (status === 200 && Number(incoming.headers["content-length"]) > limits.maxBytes)
            return tooLarge();
          incoming.on("data", (chunk: Buffer) => {
            if (settled) return;
            timer.refresh();
            bytes += chunk.length;
            if (bytes > limits.maxBytes) {
              if (status === 200) return tooLarge();
              // Of an error page the status and the beginning tell enough.
              finish();
              outgoing.destroy();
              return;
            }
            if (performance.now() - started > limits.totalMs) {
              return fail(timedOut(`the response was not complete within ${limits.totalMs / 1000} s`));
            }
            if (!take) {
              chunks.push(chunk);
              return;
            }
            try {
              if (!take(chunk)) return;
            } catch (error) {
              return fail(error);
            }
            finish();
            // The end usually arrives at once and frees the connection; if the server lingers, the connection is destroyed.
            const linger = setTimeout(() => outgoing.destroy(), 1_000).unref();
            incoming.once("close", () => clearTimeout(linger));
          });
          incoming.on("error", (error) => fail(broken(error, true)));
          incoming.on("end", finish);
          // Every exchange emits `close`; it is an error only if the exchange was not finished.
          incoming.on("close", () => {
            if (!settled) fail(broken(undefined, true));
          });
        });
        outgoing.end(body);
      });
    },
    close: () => agent.destroy(),
  };
}

/** An answer must be valid UTF-8: a replacement character would be scored. An error page only has to be readable. */
function textOf(bytes: Buffer, strict: boolean): string {
  try {
    return new TextDecoder("utf-8", { fatal: strict }).decode(bytes);
  } catch {
    throw new AttemptFailed("malformed", notUtf8, { retry: true });
  }
}

export const notUtf8 = "the response is malformed: it is not UTF-8";

function timedOut(message: string): AttemptFailed {
  return new AttemptFailed("timeout", message, { retry: true, overload: true });
}

/** Classifies a socket or protocol error. Node's own message is left out, since it could contain bytes from the server. */
function broken(error: Error | undefined, begun: boolean): AttemptFailed {
  const code = String((error as NodeJS.ErrnoException | undefined)?.code ?? "");
  const hints = error ? { retry: true, cause: error } : { retry: true };
  if (code.startsWith("HPE_"))
    return new AttemptFailed("malformed", `the response is not HTTP (${code})`, hints);
  if (begun) return new AttemptFailed("cut-stream", "the connection was cut within the response", hints);
  if (code === "ECONNRESET" || code === "EPIPE")
    return new AttemptFailed("unreachable", "the connection was reset before a response came", hints);
  // An unknown host name or an invalid certificate will not be fixed within a minute.
  const lasting = code === "ENOTFOUND" || /CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO/.test(code);
  return new AttemptFailed("unreachable", `the endpoint cannot be reached (${code || "unknown cause"})`, {
    ...hints,
    retry: !lasting,
  });
}
