// A hostile endpoint on loopback: the answer faults of mock-hostile.ts, and more that only an attacker would send: bytes
// that are not text, log-probabilities that are not numbers, bombs, headers out of bounds, keys echoed in other forms. Each
// behaviour applies to a share of the requests; the others are answered correctly.

import { createServer } from "node:http";
import { gzipSync } from "node:zlib";
import { randomFor } from "../../../dist/core/random.js";
import { openMind } from "../../../dist/models/mock.js";
import { answerTo, eventsOf } from "../../../dist/models/mock-answers.js";
import { behaviours, misbehave } from "../../../dist/models/mock-hostile.js";

const shortened = (key) => `${key.slice(0, 5)}${"*".repeat(8)}${key.slice(-4)}`;

/** The answer with every value under `name` replaced, at any depth. */
function replaced(body, name, value) {
  return JSON.parse(JSON.stringify(body, (key, old) => (key === name ? value(old) : old)));
}

function reply(response, status, bytes, headers = {}) {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(bytes);
}

/** The answer's JSON with a raw text in place of its log-probabilities: `NaN` cannot be written otherwise. */
const logprob =
  (text) =>
  ({ response, body }) =>
    reply(response, 200, JSON.stringify(replaced(body, "logprob", () => "@")).replaceAll('"@"', text));

/** A text with a mark where bytes that are not UTF-8 are inserted. */
const marked = (old) => (typeof old === "string" ? `@${old}` : old);

/** Additional behaviours; `changes` are those after which a well-formed answer may differ from the honest one. */
const own = {
  "invalid-utf8": ({ response, bytes }) => {
    const whole = bytes();
    const at = whole.indexOf("assistant") + 2;
    reply(
      response,
      200,
      Buffer.concat([whole.subarray(0, at), Buffer.from([0xff, 0xfe]), whole.subarray(at)]),
    );
  },
  "invalid-utf8-content": ({ response, body }) => {
    const text = JSON.stringify(
      replaced(replaced(replaced(body, "content", marked), "text", marked), "token", marked),
    );
    const [head, ...rest] = text.split("@").map((part) => Buffer.from(part));
    reply(response, 200, Buffer.concat([head, ...rest.flatMap((part) => [Buffer.from([0xc3, 0x28]), part])]));
  },
  utf16: ({ response, body }) => reply(response, 200, Buffer.from(JSON.stringify(body), "utf16le")),
  "nan-logprobs": logprob("NaN"),
  "null-logprobs": logprob("null"),
  "text-logprobs": logprob('"-0.1"'),
  "infinite-logprobs": logprob("-1e999"),
  "positive-logprobs": logprob("12"),
  "list-logprobs": logprob("[-0.1]"),
  "no-tokens": ({ response, body }) =>
    reply(response, 200, JSON.stringify(replaced(body, "top_logprobs", () => []))),
  "tokens-without-end": ({ response, body }) =>
    reply(
      response,
      200,
      JSON.stringify(
        replaced(body, "top_logprobs", (old) => (Array.isArray(old) ? Array(5_000).fill(old[0]) : old)),
      ),
    ),
  "deep-json": ({ response }) =>
    reply(response, 200, `{"choices":${"[".repeat(50_000)}${"]".repeat(50_000)}}`),
  "prototype-json": ({ response, body }) =>
    reply(
      response,
      200,
      `{"__proto__":{"polluted":1},"constructor":{"prototype":{}},${JSON.stringify(body).slice(1)}`,
    ),
  "choices-by-key": ({ response, body }) =>
    reply(response, 200, JSON.stringify({ ...body, choices: { 0: body.choices?.[0] } })),
  "two-answers": ({ response, body }) => reply(response, 200, JSON.stringify(body) + JSON.stringify(body)),
  "gzip-bomb": ({ response }) => reply(response, 200, bomb(), { "content-encoding": "gzip" }),
  "gzip-lie": ({ response, bytes }) => reply(response, 200, bytes(), { "content-encoding": "gzip" }),
  "many-headers": ({ response, bytes }) =>
    reply(
      response,
      200,
      bytes(),
      Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`x-${i}`, "y".repeat(100)])),
    ),
  "redirect-loop": ({ response, request }) => reply(response, 302, "", { location: request.url }),
  "redirect-file": ({ response }) => reply(response, 301, "", { location: "file:///etc/passwd" }),
  "retry-after-huge": ({ response }) => reply(response, 429, "{}", { "retry-after": "1e12" }),
  "retry-after-date": ({ response }) =>
    reply(response, 429, "{}", { "retry-after": "Fri, 31 Dec 9999 23:59:59 GMT" }),
  "retry-after-words": ({ response }) => reply(response, 503, "{}", { "retry-after": "-5, soon" }),
  "odd-status": ({ response }) => reply(response, 299, "{}"),
  "no-content": ({ response }) => response.writeHead(204).end(),
  "slow-body": ({ response, bytes }) => {
    const whole = bytes();
    response.writeHead(200, { "content-type": "application/json", "content-length": whole.length });
    let at = 0;
    const timer = setInterval(() => response.write(whole.subarray(at, ++at)), 30);
    response.once("close", () => clearInterval(timer));
  },
  "escapes-in-error": ({ response }) =>
    reply(
      response,
      400,
      JSON.stringify({ error: { message: "\u001b[2J\u001b]0;owned\u0007\u202e<script>" } }),
    ),
  "error-of-odd-shape": ({ response, random }) =>
    reply(
      response,
      400,
      [
        '{"error":[]}',
        '{"error":null}',
        '"x"',
        "{",
        '{"error":{"message":{}}}',
        `{"error":"${"x".repeat(1e6)}"}`,
      ][Math.floor(random() * 6)],
    ),
  "echo-key-shortened": ({ response, key }) =>
    reply(
      response,
      401,
      JSON.stringify({ error: { message: `Incorrect API key provided: ${shortened(key)}.` } }),
    ),
  "echo-key-in-json": ({ response, key }) =>
    reply(
      response,
      400,
      JSON.stringify({ error: { message: "no", headers: { authorization: `Bearer ${key}` } } }),
    ),
  "echo-key-as-html": ({ response, key }) =>
    reply(response, 502, `<html>${key}</html>`, { "content-type": "text/html" }),
  "echo-key-in-location": ({ response, key }) =>
    reply(response, 302, "", { location: `http://127.0.0.1:9/?key=${key}` }),
  "echo-key-in-cut-body": ({ response, key }) => {
    response.writeHead(500, { "content-length": 10_000 });
    response.write(`{"error":{"message":"${key}`, () => response.destroy());
  },
};
/** After these behaviours a well-formed answer may differ from the honest one. */
const changing = new Set(["key-in-answer", "positive-logprobs", "huge", "tokens-without-end", "no-tokens"]);
export const allBehaviours = [...behaviours, ...Object.keys(own)];
export const mayChange = (names) => names.some((name) => changing.has(name));

let packed;
const bomb = () => (packed ??= gzipSync(Buffer.alloc(100_000_000, "x")));

/**
 * @param rates share of requests by behaviour, together at most 1
 * @returns {Promise<{url: string, close: () => Promise<void>}>}
 */
export async function startEndpoint({ rates, key, seed }) {
  const mind = openMind("?skill=0.8&seed=5");
  let serial = 0;
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("error", () => {});
    request.on("end", () => {
      let asked;
      let body;
      try {
        asked = JSON.parse(Buffer.concat(chunks).toString());
        body = answerTo(mind, request.url, asked);
      } catch {
        body = "not JSON";
      }
      if (typeof body === "string") return reply(response, 400, JSON.stringify({ error: { message: body } }));
      const random = randomFor(seed, "request", serial++);
      let left = random();
      const name = Object.keys(rates).find((one) => {
        left -= rates[one];
        return left < 0;
      });
      const streamed = asked.stream === true;
      const bytes = (good = body) =>
        Buffer.from(
          streamed
            ? eventsOf(good, asked.stream_options?.include_usage === true)
                .map((data) => `data: ${data}\n\n`)
                .join("")
            : JSON.stringify(good),
        );
      const send = (good) =>
        reply(response, 200, bytes(good), streamed ? { "content-type": "text/event-stream" } : {});
      if (name === undefined) send(body);
      else if (own[name]) own[name]({ request, response, body, bytes, key, random });
      else
        misbehave(name, { response, body, authorization: `Bearer ${key}`, retryAfter: "0.05", send, bytes });
    });
  });
  server.on("clientError", (_, socket) => socket.destroy());
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/v1`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}
