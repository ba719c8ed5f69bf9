// One HTTP request, bounded in time and in bytes. Plain node:http with kept-alive connections: it costs a third of the CPU
// of global fetch, and the client must never be what a study waits for. No redirects, no cookies, no retries.
import http from "node:http";
import https from "node:https";
import { AttemptFailed } from "./retry.js";
import { onAbort } from "./wait.js";
/** @param base `http:` or `https:`, without a trailing slash */
export function connect(base, headers, limits) {
  const url = new URL(base);
  const secure = url.protocol === "https:";
  const request = secure ? https.request : http.request;
  // Free connections are dropped before the usual server does (5 s), so that no request meets a closing one.
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
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason);
        const started = performance.now();
        let settled = false;
        let response;
        const settle = (outcome) => {
          if (settled) return;
          settled = true;
          clearTimeout(timer);
          off();
          outcome();
        };
        const fail = (error) =>
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
          const chunks = [];
          let bytes = 0;
          const finish = () => {
            if (settled) return;
            let body;
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
          if (Number(incoming.headers["content-length"]) > limits.maxBytes) return tooLarge();
          incoming.on("data", (chunk) => {
            if (settled) return;
            timer.refresh();
            bytes += chunk.length;
            if (bytes > limits.maxBytes) return tooLarge();
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
            // The end usually comes in the same breath and frees the connection; a server that lingers loses it.
            const linger = setTimeout(() => outgoing.destroy(), 1_000).unref();
            incoming.once("close", () => clearTimeout(linger));
          });
          incoming.on("error", (error) => fail(broken(error, true)));
          incoming.on("end", finish);
          // Every exchange closes: an error is made only for one that was not over.
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
/** An answer must be UTF-8 to the last byte: a replaced character would be scored. An error page only has to be readable. */
function textOf(bytes, strict) {
  try {
    return new TextDecoder("utf-8", { fatal: strict }).decode(bytes);
  } catch {
    throw new AttemptFailed("malformed", notUtf8, { retry: true });
  }
}
export const notUtf8 = "the response is malformed: it is not UTF-8";
function timedOut(message) {
  return new AttemptFailed("timeout", message, { retry: true, overload: true });
}
/** What a socket or protocol error means. Node's own message is not repeated where it could hold the server's bytes. */
function broken(error, begun) {
  const code = String(error?.code ?? "");
  const hints = error ? { retry: true, cause: error } : { retry: true };
  if (code.startsWith("HPE_"))
    return new AttemptFailed("malformed", `the response is not HTTP (${code})`, hints);
  if (begun) return new AttemptFailed("cut-stream", "the connection was cut within the response", hints);
  if (code === "ECONNRESET" || code === "EPIPE")
    return new AttemptFailed("unreachable", "the connection was reset before a response came", hints);
  // A name that does not exist and a certificate that does not hold will not mend themselves within a minute.
  const lasting = code === "ENOTFOUND" || /CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO/.test(code);
  return new AttemptFailed("unreachable", `the endpoint cannot be reached (${code || "unknown cause"})`, {
    ...hints,
    retry: !lasting,
  });
}
