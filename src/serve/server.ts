// The lifecycle of a server of specialists and models: opened, listening, stopped. It binds loopback by default; any other address
// needs the caller's own token.

import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { HoneError } from "../core/errors.js";
import { version } from "../version.js";
import { makeApp } from "./app.js";
import { type OpenServedOptions, openServed, type Served } from "./served.js";
import { openShadowLog } from "./shadow.js";
import { makeShadow, type Shadow } from "./shadow-run.js";

/** Where the server listens, who may send requests, and which answers are shadowed. */
export interface ServeOptions
  extends Partial<
    Pick<OpenServedOptions, "store" | "allowModules" | "allowEndpoint" | "mostWaiting" | "open">
  > {
  /** 0, the default, takes any free port. */
  port?: number;
  /** Address to bind; anything but loopback needs `token`. Default: 127.0.0.1. */
  host?: string;
  /** Generated if absent. */
  token?: string;
  /** Host names by which clients may reach it, besides the host. */
  names?: readonly string[];
  /** `FIRST:SECOND`: both answer FIRST's requests; SECOND's answers are kept beside FIRST's and not shown. */
  shadow?: readonly string[];
  /** Seconds that an answer may take. Default: 600. */
  timeout?: number;
  log?: (text: string) => void;
}

/** A running server. */
export interface Serving {
  /** The address with its port, without a path. */
  url: string;
  token: string;
  models: string[];
  /** Takes no more requests, finishes those in flight, and closes the models. */
  stop: () => Promise<void>;
  /** Aborts requests in flight. */
  abort: () => void;
}

/** Most open connections; more are closed at once. A connection that sends no complete head is closed after `headMs`. */
const [mostConnections, headMs, bodyMs, idleMs] = [8_192, 10_000, 30_000, 15_000];

/**
 * Starts a server.
 * @param refs studies, saved specialists' paths and models' references, each optionally prefixed with `NAME=` to set its name
 * @throws HoneError where one cannot be opened, or the address cannot be bound
 * @example
 * import { serve } from "@honelab/hone";
 * const { url, token, stop } = await serve(["mock:?skill=0.8"]);
 * const reply = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${token}` } });
 * reply.status; // 200
 * await stop();
 */
export async function serve(refs: readonly string[], options: ServeOptions = {}): Promise<Serving> {
  const { host = "127.0.0.1", port = 0, log = () => {}, timeout = 600 } = options;
  const local = ["127.0.0.1", "::1", "localhost"].includes(host);
  if (!local && options.token === undefined)
    throw new HoneError({
      what: "A server that others can reach needs a token of your own",
      where: `--host ${host}`,
      why: "whoever has the token can use the models",
      next: "Give one with --token, for instance from `openssl rand -hex 32`, or leave --host out.",
      kind: "usage",
    });
  const token = options.token ?? randomBytes(24).toString("base64url");
  const least = local ? 8 : 16;
  if (token.length < least || !/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(token))
    throw new HoneError({
      what: "The token cannot be used",
      where: "--token",
      why: `a token has at least ${least} characters of visible ASCII`,
      next: "Make one with `openssl rand -hex 32`.",
      kind: "usage",
    });
  const stopping = new AbortController();
  const store = resolve(options.store ?? ".hone");
  const served = await openServed(refs, { ...options, store, signal: stopping.signal });
  const shadows = new Map<string, Shadow[]>();
  const closeShadows = () => Promise.all([...shadows.values()].flat().map((shadow) => shadow.close()));
  try {
    for (const pair of new Set(options.shadow ?? [])) {
      const { primary, second } = pairOf(pair, served);
      const out = await openShadowLog(store, primary.id, second.id);
      const shadow = makeShadow(primary, second, out, { signal: stopping.signal, tell: log });
      shadows.set(primary.id, [...(shadows.get(primary.id) ?? []), shadow]);
    }
    const server = createServer({
      headersTimeout: headMs,
      requestTimeout: bodyMs,
      keepAliveTimeout: idleMs,
      connectionsCheckingInterval: 2_000,
      maxHeaderSize: 16 * 1024,
    });
    server.maxConnections = mostConnections;
    const bound = await listen(server, host, port);
    const names = local
      ? ["127.0.0.1", "localhost", "[::1]"]
      : [host.includes(":") ? `[${host}]` : host, "127.0.0.1", "localhost"];
    const hosts = new Set(
      [...names, ...(options.names ?? [])].flatMap((name) => [
        `${name}:${bound}`.toLowerCase(),
        ...(bound === 80 ? [name.toLowerCase()] : []),
      ]),
    );
    const app = makeApp({ served, shadows, token, hosts, timeoutMs: timeout * 1000, log, version });
    const answer = getRequestListener(app.fetch, { hostname: "localhost", overrideGlobalObjects: false });
    server.on("request", (request, response) => {
      void answer(request, response);
    });
    // Input that is not HTTP gets one answer, and the connection is closed even if the other side keeps it open.
    server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
      if (!socket.writable || error.code === "ERR_HTTP_REQUEST_TIMEOUT") socket.destroy();
      else
        socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", () =>
          socket.destroy(),
        );
    });
    const shown =
      local || host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
    return {
      url: `http://${shown}:${bound}`,
      token,
      models: served.map(({ id }) => id),
      async stop() {
        await closeServer(server);
        await closeShadows();
        for (const one of served) await one.close();
      },
      abort() {
        stopping.abort();
        server.closeAllConnections();
      },
    };
  } catch (error) {
    await closeShadows();
    for (const one of served) await one.close();
    throw error;
  }
}

function pairOf(pair: string, served: readonly Served[]): { primary: Served; second: Served } {
  const [first = "", second = "", ...more] = pair.split(":");
  const [one, other] = [first, second].map((name) => served.find(({ id }) => id === name));
  const answers = (found: Served) => found.predictor ?? found.model;
  if (one && other && answers(one) && answers(other) && one !== other && more.length === 0)
    return { primary: one, second: other };
  const able = served.filter(answers).map(({ id }) => id);
  throw new HoneError({
    what: "A shadow must be a pair of specialists or models that are served",
    where: `--shadow ${pair}`,
    why: `those that answer are ${able.join(", ") || "none"}`,
    next: "Write FIRST:SECOND with two of them.",
    kind: "usage",
  });
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        new HoneError({
          what: "The server cannot listen there",
          where: `${host}:${port}`,
          why: error.code === "EADDRINUSE" ? "another program uses that port" : error.message,
          next: "Choose another with --port; 0 picks a free one.",
          kind: "usage",
        }),
      ),
    );
    server.listen(port, host, resolve);
  });
  return (server.address() as AddressInfo).port;
}

/** Requests in flight are finished; connections are closed when they are or become idle. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const idle = setInterval(() => server.closeIdleConnections(), 50);
    server.close(() => {
      clearInterval(idle);
      resolve();
    });
    server.closeIdleConnections();
  });
}
