// The mock behind a real HTTP server on loopback that speaks the OpenAI protocol: chat, completions with echo and
// log-probabilities, embeddings, streaming. For tests and benchmarks of clients; it checks no key and must not be exposed to a network.

import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { randomFor } from "../core/random.js";
import { createBucket, openMind } from "./mock.js";
import { answerTo, type Body, eventsOf } from "./mock-answers.js";
import { type Behaviour, misbehave } from "./mock-hostile.js";
import type { Oracle } from "./mock-mind.js";
import { at } from "./openai-wire.js";

export type { Behaviour } from "./mock-hostile.js";
export { behaviours } from "./mock-hostile.js";

export interface MockServerOptions {
  /** The model that answers, as written after `mock:`, for instance `?skill=0.9&seed=1`; its latency and errors are ignored. */
  model?: string;
  oracle?: Oracle;
  /** Milliseconds before each answer. */
  latencyMs?: number;
  /** Share of requests that get each hostile behaviour. Which ones depends on the seed, the request and its repeat count. */
  behaviour?: Partial<Record<Behaviour, number>>;
  /** Applies behaviours only to the first so many occurrences of the same request. */
  times?: number;
  /** Value of Retry-After headers: seconds or an HTTP date. */
  retryAfter?: string;
  /** Requests per second above which it answers 429. */
  rateLimit?: number;
  seed?: number;
  /** 0, the default, uses any free port. */
  port?: number;
}

export interface MockStats {
  requests: number;
  /** Requests answered correctly and completely. */
  answered: number;
  /** Requests repeated after the same one had been answered correctly: work that was paid for twice. */
  repeated: number;
  byPath: Record<string, number>;
  /** Requests that got a behaviour, by its name; `429` also counts those over the rate limit. */
  byBehaviour: Record<string, number>;
  /** Most requests in flight at once. */
  peak: number;
}

export interface MockServer {
  /** The base URL, ending in `/v1`. */
  url: string;
  stats(): MockStats;
  close(): Promise<void>;
}

/**
 * Starts a server on 127.0.0.1. `GET /stats` reports its counts to other processes.
 *
 * @example
 * import { openModel, startMockServer } from "@honelab/hone";
 * const server = await startMockServer({ latencyMs: 20, behaviour: { "429": 0.1, cut: 0.05 } });
 * const model = await openModel(`openai:mock?base=${server.url}`);
 * await model.close();
 * await server.close();
 */
export async function startMockServer(options: MockServerOptions = {}): Promise<MockServer> {
  const {
    latencyMs = 0,
    behaviour = {},
    times = Number.POSITIVE_INFINITY,
    retryAfter = "1",
    seed = 0,
  } = options;
  const mind = openMind(options.model ?? "", options.oracle);
  const rates = Object.entries(behaviour) as [Behaviour, number][];
  const mayPass = options.rateLimit === undefined ? () => true : createBucket(options.rateLimit);
  const stats: MockStats = { requests: 0, answered: 0, repeated: 0, byPath: {}, byBehaviour: {}, peak: 0 };
  /** By request: how often it arrived, and whether it has been answered correctly. */
  const seen = new Map<string, { came: number; answered: boolean }>();
  let underWay = 0;

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("error", () => {});
    request.on("end", () => take(request, response, Buffer.concat(chunks)));
  });
  server.keepAliveTimeout = 30_000;

  function take(request: IncomingMessage, response: ServerResponse, bytes: Buffer): void {
    const path = request.url ?? "/";
    if (request.method === "GET") {
      answerGet(path, response);
      return;
    }
    stats.requests++;
    stats.byPath[path] = (stats.byPath[path] ?? 0) + 1;
    stats.peak = Math.max(stats.peak, ++underWay);
    response.once("close", () => underWay--);
    const key = createHash("sha1").update(path).update("\n").update(bytes).digest("base64");
    const record = seen.get(key) ?? { came: 0, answered: false };
    seen.set(key, record);
    if (record.answered) stats.repeated++;
    const kind = !mayPass() ? "429" : pick(key, record.came++);
    const answer = () => respond(request, response, path, bytes, kind, record);
    if (latencyMs > 0) setTimeout(answer, latencyMs);
    else answer();
  }

  function pick(key: string, came: number): Behaviour | undefined {
    if (rates.length === 0 || came >= times) return undefined;
    let left = randomFor(seed, "behaviour", key, came)();
    return rates.find(([, rate]) => {
      left -= rate;
      return left < 0;
    })?.[0];
  }

  function respond(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    bytes: Buffer,
    kind: Behaviour | undefined,
    record: { answered: boolean },
  ): void {
    let asked: unknown;
    let body: Body | string;
    try {
      asked = JSON.parse(bytes.toString());
      body = answerTo(mind, path, asked);
    } catch {
      body = "the request is not JSON";
    }
    if (typeof body === "string") {
      sendJson(response, 400, { error: { message: body, type: "invalid_request_error" } });
      return;
    }
    const streamed = at(asked, "stream") === true;
    const withUsage = at(asked, "stream_options", "include_usage") === true;
    const events = (good: Body) => eventsOf(good, withUsage).map((data) => `data: ${data}\n\n`);
    const send = (good: Body) => {
      if (!streamed) return sendJson(response, 200, good);
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const event of events(good)) response.write(event);
      response.end();
    };
    if (kind === undefined) {
      response.once("finish", () => {
        record.answered = true;
        stats.answered++;
      });
      send(body);
      return;
    }
    stats.byBehaviour[kind] = (stats.byBehaviour[kind] ?? 0) + 1;
    misbehave(kind, {
      response,
      body,
      authorization: request.headers.authorization ?? "",
      retryAfter,
      send,
      bytes: (good) => Buffer.from(streamed ? events(good).join("") : JSON.stringify(good)),
    });
  }

  function answerGet(path: string, response: ServerResponse): void {
    if (path === "/stats") sendJson(response, 200, stats);
    else if (path === "/v1/models") sendJson(response, 200, { object: "list", data: [{ id: "mock" }] });
    else sendJson(response, 404, { error: { message: "no such path" } });
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    stats: () => structuredClone(stats),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}
