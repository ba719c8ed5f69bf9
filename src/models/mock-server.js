// The mock behind a real HTTP server on loopback that speaks the OpenAI protocol: chat, completions with echo and
// log-probabilities, embeddings, streaming. For tests and benchmarks of clients; it checks no key and is not for a network.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { randomFor } from "../core/random.js";
import { createBucket, openMind } from "./mock.js";
import { answerTo, eventsOf } from "./mock-answers.js";
import { misbehave } from "./mock-hostile.js";
import { at } from "./openai-wire.js";

export { behaviours } from "./mock-hostile.js";
/**
 * Starts a server on 127.0.0.1. `GET /stats` gives its counts to other processes.
 *
 * @example
 * import { openModel, startMockServer } from "@honelab/hone";
 * const server = await startMockServer({ latencyMs: 20, behaviour: { "429": 0.1, cut: 0.05 } });
 * const model = await openModel(`openai:mock?base=${server.url}`);
 * await model.close();
 * await server.close();
 */
export async function startMockServer(options = {}) {
  const {
    latencyMs = 0,
    behaviour = {},
    times = Number.POSITIVE_INFINITY,
    retryAfter = "1",
    seed = 0,
  } = options;
  const mind = openMind(options.model ?? "", options.oracle);
  const rates = Object.entries(behaviour);
  const mayPass = options.rateLimit === undefined ? () => true : createBucket(options.rateLimit);
  const stats = { requests: 0, answered: 0, repeated: 0, byPath: {}, byBehaviour: {}, peak: 0 };
  /** By request: how often it came, and whether it was answered well. */
  const seen = new Map();
  let underWay = 0;
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("error", () => {});
    request.on("end", () => take(request, response, Buffer.concat(chunks)));
  });
  server.keepAliveTimeout = 30_000;
  function take(request, response, bytes) {
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
  function pick(key, came) {
    if (rates.length === 0 || came >= times) return undefined;
    let left = randomFor(seed, "behaviour", key, came)();
    return rates.find(([, rate]) => {
      left -= rate;
      return left < 0;
    })?.[0];
  }
  function respond(request, response, path, bytes, kind, record) {
    let asked;
    let body;
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
    const events = (good) => eventsOf(good, withUsage).map((data) => `data: ${data}\n\n`);
    const send = (good) => {
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
  function answerGet(path, response) {
    if (path === "/stats") sendJson(response, 200, stats);
    else if (path === "/v1/models") sendJson(response, 200, { object: "list", data: [{ id: "mock" }] });
    else sendJson(response, 404, { error: { message: "no such path" } });
  }
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", resolve);
  });
  const { port } = server.address();
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
function sendJson(response, status, body) {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}
