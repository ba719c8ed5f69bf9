// Ways in which a bad endpoint spoils an answer, by name. The mock server uses them to test clients; each behaviour has been seen
// in real endpoints or proxies, or is one that a malicious endpoint could show.

import type { ServerResponse } from "node:http";
import type { Body } from "./mock-answers.js";

export interface Exchange {
  response: ServerResponse;
  /** The good answer. */
  body: Body;
  /** The Authorization header of the request. */
  authorization: string;
  /** Value of Retry-After, if a behaviour sends one. */
  retryAfter: string;
  /** Sends an answer as requested, streamed or whole. */
  send(body: Body): void;
  /** The bytes that `send` would put into the response's body. */
  bytes(body: Body): Buffer;
}

function fail(status: number, message: string, headers: Record<string, string> = {}) {
  return ({ response }: Exchange) => {
    const body = JSON.stringify({ error: { message, type: "mock_error", code: status } });
    response.writeHead(status, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      ...headers,
    });
    response.end(body);
  };
}

function raw(type: string, text: string) {
  return ({ response }: Exchange) => {
    response.writeHead(200, { "content-type": type, "content-length": Buffer.byteLength(text) });
    response.end(text);
  };
}

/** The good answer with its choices changed. */
function changed(change: (choice: Body) => Body) {
  return ({ body, send }: Exchange) =>
    send({ ...body, choices: (Array.isArray(body.choices) ? (body.choices as Body[]) : []).map(change) });
}

function withContent(choice: Body, content: string | null): Body {
  return "message" in choice
    ? { ...choice, message: { role: "assistant", content } }
    : { ...choice, text: content };
}

/** Writes as long as the client is connected, no faster than it reads. */
function forever(response: ServerResponse, piece: string): void {
  const more = () => {
    while (!response.destroyed && response.write(piece));
    if (!response.destroyed) response.once("drain", more);
  };
  more();
}

const table = {
  "429": fail(429, "slow down"),
  "429-retry-after": (exchange: Exchange) =>
    fail(429, "slow down", { "retry-after": exchange.retryAfter })(exchange),
  "500": fail(500, "something broke"),
  "503": fail(503, "overloaded"),
  "400": fail(400, "this request is not understood"),
  "too-long": fail(400, "This model's maximum context length is 8 tokens."),
  redirect: fail(307, "elsewhere", { location: "http://127.0.0.1:9/v1" }),
  hang: () => {},
  /** Half of the answer, then the connection is cut. */
  cut: ({ response, body, bytes }: Exchange) => {
    const whole = bytes(body);
    response.writeHead(200, { "content-type": streamType(whole), "content-length": whole.length });
    response.write(whole.subarray(0, whole.length >> 1), () => response.destroy());
  },
  /** The stream ends cleanly, but before the answer does. */
  "early-end": ({ response, body, bytes }: Exchange) => {
    const whole = bytes(body);
    response.writeHead(200, { "content-type": streamType(whole) });
    response.end(whole.subarray(0, whole.length >> 1));
  },
  /** One piece, then silence. */
  stall: ({ response, body, bytes }: Exchange) => {
    const whole = bytes(body);
    response.writeHead(200, { "content-type": streamType(whole) });
    response.write(whole.subarray(0, 20));
  },
  /** The good answer, except for one byte that is invalid in UTF-8. */
  "not-utf8": ({ response, body, bytes }: Exchange) => {
    const whole = bytes(body);
    whole[whole.indexOf('"object"') + 1] = 0xff;
    response.writeHead(200, { "content-type": streamType(whole), "content-length": whole.length });
    response.end(whole);
  },
  "wrong-json": ({ response, body, bytes }: Exchange) => {
    const whole = bytes(body).toString().replaceAll('"', "'");
    response.writeHead(200, {
      "content-type": streamType(whole),
      "content-length": Buffer.byteLength(whole),
    });
    response.end(whole);
  },
  html: raw("text/html", "<!doctype html><script>alert(1)</script><h1>502 Bad Gateway</h1>"),
  empty: raw("application/json", ""),
  "not-an-object": raw("application/json", "[null]"),
  "error-in-200": raw("application/json", '{"error":{"message":"upstream failed","code":502}}'),
  "no-choices": ({ body, send }: Exchange) => {
    const { choices: _choices, data: _data, ...rest } = body;
    send(rest);
  },
  "no-logprobs": changed(({ logprobs: _logprobs, ...choice }) => choice),
  "null-content": changed((choice) => withContent(choice, null)),
  "key-in-answer": (exchange: Exchange) =>
    changed((choice) => withContent(choice, `You sent ${exchange.authorization}.`))(exchange),
  "echo-key": (exchange: Exchange) =>
    fail(401, `Incorrect API key provided: ${exchange.authorization}.`)(exchange),
  /** As a well-known endpoint does: the first characters, asterisks, the last four. */
  "echo-key-short": (exchange: Exchange) => {
    const key = exchange.authorization.replace(/^Bearer /, "");
    const short = `${key.slice(0, 8)}${"*".repeat(Math.max(3, key.length - 12))}${key.slice(-4)}`;
    fail(401, `Incorrect API key provided: ${short}.`)(exchange);
  },
  "echo-key-500": (exchange: Exchange) => fail(500, `Cannot use ${exchange.authorization}.`)(exchange),
  huge: changed((choice) => withContent(choice, "x".repeat(10_000_000))),
  infinite: ({ response }: Exchange) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const event = { choices: [{ index: 0, delta: { content: "more ".repeat(200) }, text: "more " }] };
    forever(response, `data: ${JSON.stringify(event)}\n\n`);
  },
  "infinite-line": ({ response }: Exchange) => {
    response.writeHead(200, { "content-type": "application/json" });
    forever(response, "[".repeat(65_536));
  },
  /** Endless comments: never silent, never an answer. */
  "keep-alive-only": ({ response }: Exchange) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    const timer = setInterval(() => response.write(": still here\n\n"), 20);
    response.once("close", () => clearInterval(timer));
  },
  /** Headers a byte at a time. */
  "slow-headers": ({ response }: Exchange) => {
    const { socket } = response;
    socket?.write("HTTP/1.1 200 OK\r\nx-slow: ");
    const timer = setInterval(() => socket?.write("x"), 20);
    socket?.once("close", () => clearInterval(timer));
  },
  /** Announces more bytes than it sends. */
  "long-length": ({ response, body, bytes }: Exchange) => {
    const whole = bytes(body);
    response.writeHead(200, { "content-type": streamType(whole), "content-length": whole.length + 100 });
    response.write(whole, () => response.destroy());
  },
  /** Announces fewer bytes than it sends; the rest precedes the connection's next response. */
  "short-length": ({ response, body, bytes }: Exchange) => {
    const whole = bytes(body);
    const head = `HTTP/1.1 200 OK\r\ncontent-type: ${streamType(whole)}\r\ncontent-length: ${whole.length - 30}\r\n\r\n`;
    response.socket?.write(Buffer.concat([Buffer.from(head), whole]));
  },
  "not-http": ({ response }: Exchange) => {
    response.socket?.end("SSH-2.0-OpenSSH_9.2\r\n");
  },
  reset: ({ response }: Exchange) => {
    response.socket?.resetAndDestroy();
  },
  "no-usage": ({ body, send }: Exchange) => {
    const { usage: _usage, ...rest } = body;
    send(rest);
  },
  "negative-usage": ({ body, send }: Exchange) =>
    send({ ...body, usage: { prompt_tokens: -5, completion_tokens: -1 } }),
  "odd-usage": ({ body, send }: Exchange) =>
    send({ ...body, usage: { prompt_tokens: "NaN", completion_tokens: 1e300 } }),
} satisfies Record<string, (exchange: Exchange) => void>;

function streamType(bytes: Buffer | string): string {
  return bytes.toString().startsWith("data:") ? "text/event-stream" : "application/json";
}

export type Behaviour = keyof typeof table;
export const behaviours = Object.keys(table) as Behaviour[];

export function misbehave(behaviour: Behaviour, exchange: Exchange): void {
  table[behaviour](exchange);
}
