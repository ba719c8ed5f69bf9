// Attacks on `hone serve`, route by route: other hosts, other sites, missing and wrong tokens, names rebound to loopback, paths that
// lead elsewhere, bodies that are not JSON or have wrong shapes, texts that contain markup, slow senders, idle connections, input that
// is not HTTP. None may get an answer that it must not get or cause an internal error, and the server must go on.

import { spawn } from "node:child_process";
import { request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { runStudy } from "../../dist/index.js";
import { parseStudy } from "../../dist/study/spec.js";
import { urlOf } from "../listening.js";
import { runCases } from "./lib/cases.js";
import { longTexts, texts } from "./lib/hostile.js";
import { writeModel } from "./lib/model-files.js";
import { drawnSchema, hostileSchema } from "./lib/schemas.js";
import { study, writeTones } from "./lib/tones.js";

const bin = join(import.meta.dirname, "../../bin/hone.js");
const token = "the-right-token-0123456789";
const posts = ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings", "/v1/classify"];
const gets = ["/", "/health", "/metrics", "/v1/models", "/v1/models/tones"];
const good = {
  "/v1/chat/completions": {
    model: "m",
    messages: [{ role: "user", content: "A rude letter" }],
    max_tokens: 4,
  },
  "/v1/completions": { model: "m", prompt: "A rude letter", max_tokens: 4 },
  "/v1/responses": { model: "m", input: "A rude letter", max_output_tokens: 4 },
  "/v1/embeddings": { model: "m", input: "A rude letter" },
  "/v1/classify": { model: "tones", input: "A rude letter" },
};
/** Cases of a full run; with fewer, the 10,000 idle connections are left out. */
const whole = 216;
/** Fuzzed requests per case: 5,040 in a full run. */
const fuzzed = (count) => (count >= whole ? 210 : 8);

export default {
  name: "serve",
  count: whole,
  async run({ count, seed, workdir, log, only }) {
    const server = await startServer(join(workdir, "serve-store"));
    try {
      const tally = await runCases({
        name: "serve",
        classes: classesOf(server, fuzzed(count)),
        count,
        seed,
        workdir,
        log,
        only,
        atOnce: 4,
      });
      if (count >= whole && only === undefined) await idle(server, 10_000, tally, log);
      return tally;
    } finally {
      server.child.kill("SIGKILL");
    }
  },
};

/** Starts the command itself, in its own process, with a study's champion and a mock. */
async function startServer(folder) {
  const { mkdirSync } = await import("node:fs");
  mkdirSync(folder, { recursive: true });
  writeTones(join(folder, "tones.jsonl"), 120);
  const spec = study({ model: "mock:?skill=0.5&seed=1", dev: 5, test: 20, specialists: ["linear"] });
  // A model of one layer, so that llama.cpp itself enforces grammars.
  const tiny = join(folder, "tiny.gguf");
  await writeModel(tiny, "llama", "gpt2");
  await runStudy(parseStudy(spec, "attack"), { store: join(folder, ".hone"), base: folder });
  const args = [
    bin,
    "serve",
    "tones",
    "m=mock:?skill=0.5",
    `tiny=llama:file:${tiny}?format=plain`,
    "--port",
    "0",
    "--token",
    token,
    "--json",
    "--store",
    join(folder, ".hone"),
  ];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  const server = { child, ended: undefined, stderr: "", port: 0 };
  child.stderr.on("data", (data) => {
    server.stderr = (server.stderr + data).slice(-20_000);
  });
  child.once("exit", (code, signal) => {
    server.ended = `it ended with ${signal ?? code}: ${server.stderr.slice(-500)}`;
  });
  server.port = Number(new URL(await urlOf(child)).port);
  return server;
}

/** Sends one request as given; undefined if the connection was closed without an answer. */
function ask({ port }, { path, method = "GET", headers = {}, body, waitMs = 30_000 }) {
  return new Promise((resolve) => {
    const given = { host: "127.0.0.1", port, path, method, headers, agent: false };
    let sent;
    try {
      sent = request({ ...given, setHost: headers.host === undefined }, (response) => {
        let text = "";
        response.on("data", (data) => {
          text += data;
        });
        response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text }));
        response.on("error", () => resolve(undefined));
      });
    } catch {
      // Node's client refuses to send it at all.
      resolve(undefined);
      return;
    }
    sent.setTimeout(waitMs, () => sent.destroy());
    sent.on("error", () => resolve(undefined));
    sent.end(body);
  });
}

/** Sends raw bytes to the port; returns what came back. */
function raw({ port }, bytes, ms = 1_500) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let text = "";
    const end = () => {
      socket.destroy();
      resolve(text);
    };
    socket.on("connect", () => socket.write(bytes));
    socket.on("data", (data) => {
      text += data;
    });
    socket.on("close", end);
    socket.on("error", end);
    setTimeout(end, ms);
  });
}

const bearer = { authorization: `Bearer ${token}` };
const json = { "content-type": "application/json" };

function classesOf(server, each) {
  /** The server is alive, and a valid request is answered. */
  const alive = async (attack) => {
    attack.expect(server.ended === undefined, server.ended ?? "");
    const found = await ask(server, { path: "/health", headers: bearer });
    attack.expect(found?.status === 200, `a good request is not answered: ${found?.status}`);
  };
  /** No answer is broken: it follows the protocol, as plain data, without the token. */
  const sound = (attack, found, told) => {
    if (found === undefined) return;
    const { status, headers, text } = found;
    attack.expect(status !== 500, `${told}: 500, ${text.slice(0, 200)}; ${server.stderr.slice(-800)}`);
    attack.expect(!text.includes(token), `${told}: the token is in the answer`);
    attack.expect(!/html/i.test(headers["content-type"] ?? ""), `${told}: it answers HTML`);
    attack.expect(headers["access-control-allow-origin"] === undefined, `${told}: it allows another site`);
    if (status !== 400 || headers["content-type"])
      attack.expect(
        /^default-src 'none'/.test(headers["content-security-policy"] ?? ""),
        `${told}: no policy`,
      );
  };
  const anyRoute = (attack) => {
    const path = attack.pick([...posts, ...gets]);
    const body = posts.includes(path) ? JSON.stringify(good[path]) : undefined;
    return { path, method: body === undefined ? "GET" : "POST", ...(body === undefined ? {} : { body }) };
  };
  /** The request must be refused with one of these statuses. */
  const refused = (attack, statuses, headersOf) => async () => {
    const route = anyRoute(attack);
    const headers = { ...(route.body ? json : {}), ...headersOf() };
    const found = await ask(server, { ...route, headers });
    attack.last = `${route.method} ${route.path} ${JSON.stringify(headers)}`;
    sound(attack, found, attack.last);
    attack.expect(found === undefined || statuses.includes(found.status), `it answered ${found?.status}`);
    await alive(attack);
    return { refused: true };
  };
  const port = () => server.port;
  const word = (attack) => attack.pick(texts).replace(/[^\x21-\x7e]/g, "") || "x";
  return {
    noToken: (attack) => refused(attack, [401], () => ({}))(),
    wrongToken: (attack) =>
      refused(attack, [401], () => {
        const wrong = attack.pick([
          token.slice(1),
          `${token}x`,
          token.toUpperCase(),
          "",
          word(attack),
          "null",
          "undefined",
          `${token}\t`.trim().slice(0, -1),
        ]);
        return attack.pick([
          { authorization: `Bearer ${wrong}` },
          { authorization: `Basic ${Buffer.from(`hone:${token}`).toString("base64")}` },
          { cookie: `hone_token=${encodeURIComponent(wrong)}` },
          { "x-api-key": wrong },
          { authorization: token },
        ]);
      })(),
    foreignHost: (attack) =>
      refused(attack, [403, 400], () => ({
        ...bearer,
        host: attack.pick([
          "attacker.example",
          `attacker.example:${port()}`,
          `127.0.0.1:${port() + 1}`,
          "127.0.0.1",
          `0.0.0.0:${port()}`,
          `localhost.attacker.example:${port()}`,
          `127.0.0.1:${port()}@attacker.example`,
          `[::ffff:7f00:1]:${port()}`,
          `2130706433:${port()}`,
          `LOCALHOST.:${port()}`,
        ]),
      }))(),
    // A page of attacker.example whose name was rebound to this server: the browser sends its own name as host and
    // origin.
    rebinding: (attack) =>
      refused(attack, [403], () => ({
        ...attack.pick([bearer, { cookie: `hone_token=${token}` }]),
        host: `rebound.example:${port()}`,
        origin: `http://rebound.example:${port()}`,
        "sec-fetch-site": "same-origin",
      }))(),
    foreignOrigin: (attack) =>
      refused(attack, [403], () => ({
        ...attack.pick([bearer, { cookie: `hone_token=${token}` }]),
        origin:
          attack.pick([
            "http://attacker.example",
            "null",
            `http://127.0.0.1:${port() + 1}`,
            "file://",
            `https://127.0.0.1.attacker.example:${port()}`,
            `http://127.0.0.1:${port()}.attacker.example`,
            "",
          ]) || "null",
      }))(),
    crossSite: (attack) =>
      refused(attack, [403], () => ({
        cookie: `hone_token=${token}`,
        "sec-fetch-site": attack.pick(["cross-site", "same-site"]),
      }))(),
    forms: async (attack) => {
      const path = attack.pick(posts);
      const type = attack.pick([
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
        "",
        "application/jsonp",
      ]);
      const found = await ask(server, {
        path,
        method: "POST",
        headers: { ...bearer, "content-type": type },
        body: JSON.stringify(good[path]),
      });
      sound(attack, found, `${path} as ${type}`);
      attack.expect(found?.status === 415, `${path} as ${type}: ${found?.status}`);
      return { refused: true };
    },
    traversal: async (attack) => {
      const paths = [
        "/../../../../etc/passwd",
        "/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/v1/models/../../../../etc/passwd",
        "/v1/models/..%2f..%2f..%2fetc%2fpasswd",
        "/v1/models/%00",
        "/v1/models/%ff%fe",
        "/v1/models/%",
        "/.hone/journal.db",
        "//etc/passwd",
        "/v1//models",
        "/v1/models/tones%2f..%2f..",
        "http://attacker.example/",
        `/v1/models/${encodeURIComponent(attack.pick(longTexts).slice(0, 4_000))}`,
        `/v1/models/${encodeURIComponent(word(attack))}`,
      ];
      const path = attack.pick(paths);
      const found = await ask(server, { path, headers: bearer });
      sound(attack, found, path);
      attack.expect(!/root:|SQLite format/.test(found?.text ?? ""), `${path} gave a file`);
      attack.expect(
        found === undefined || found.status !== 200 || path.includes("//models"),
        `${path}: ${found?.status}`,
      );
      await alive(attack);
      return { refused: true };
    },
    methods: async (attack) => {
      const path = attack.pick([...posts, ...gets]);
      const method = attack.pick([
        "PUT",
        "DELETE",
        "PATCH",
        "OPTIONS",
        "TRACE",
        "PROPFIND",
        posts.includes(path) ? "GET" : "POST",
      ]);
      const found = await ask(server, {
        path,
        method,
        headers: { ...bearer, ...json },
        body: method === "GET" ? undefined : "{}",
      });
      sound(attack, found, `${method} ${path}`);
      attack.expect(found === undefined || found.status >= 400, `${method} ${path}: ${found?.status}`);
      return { refused: true };
    },
    malformed: async (attack) => {
      for (let i = 0; i < each; i++) {
        const path = attack.pick(posts);
        const bytes = Buffer.from(JSON.stringify(good[path]));
        const hits = attack.int(1, 6);
        for (let k = 0; k < hits; k++) bytes[attack.int(0, bytes.length - 1)] = attack.int(0, 255);
        const body = attack.chance(0.3) ? bytes.subarray(0, attack.int(0, bytes.length)) : bytes;
        const found = await ask(server, { path, method: "POST", headers: { ...bearer, ...json }, body });
        sound(attack, found, `${path} ${JSON.stringify(body.toString("latin1"))}`);
      }
      await alive(attack);
      return { refused: true };
    },
    shapes: async (attack) => {
      for (let i = 0; i < each; i++) {
        const path = attack.pick(posts);
        const body = structuredClone(good[path]);
        const keys = [
          ...Object.keys(body),
          "stream",
          "n",
          "temperature",
          "seed",
          "stop",
          "logprobs",
          "top_logprobs",
          "echo",
          "max_tokens",
          "stream_options",
          "input",
          "samples",
          "task",
          "gold",
          "tools",
          "response_format",
          "__proto__",
          "constructor",
        ];
        for (let k = attack.int(1, 3); k > 0; k--) {
          const value = attack.pick([
            null,
            true,
            -1,
            0,
            1e308,
            2 ** 53,
            0.5,
            "",
            [],
            {},
            [[]],
            [null],
            [{}],
            "x",
            attack.pick(texts),
            { type: "json_schema" },
            [1, 2],
            [[1], [2]],
            Array(50).fill("x"),
          ]);
          Object.defineProperty(body, attack.pick(keys), {
            value,
            enumerable: true,
            configurable: true,
            writable: true,
          });
        }
        const found = await ask(server, {
          path,
          method: "POST",
          headers: { ...bearer, ...json },
          body: JSON.stringify(body),
        });
        sound(attack, found, `${path} ${JSON.stringify(body).slice(0, 500)}`);
      }
      await alive(attack);
      return { refused: true };
    },
    markup: async (attack) => {
      const evil = attack.pick([
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "javascript:alert(1)",
        "\r\nset-cookie: a=b",
        "\u202e<svg/onload=alert(1)>",
        attack.pick(texts),
      ]);
      const path = attack.pick(posts);
      const body = structuredClone(good[path]);
      const key = attack.pick(Object.keys(body));
      if (key === "messages") body.messages = [{ role: "user", content: evil || "x" }];
      else body[key] = evil;
      const found = await ask(server, {
        path,
        method: "POST",
        headers: { ...bearer, ...json },
        body: JSON.stringify(body),
      });
      sound(attack, found, `${path} ${JSON.stringify(body)}`);
      attack.expect(found?.headers["set-cookie"] === undefined, "a header was written by a body");
      const metrics = await ask(server, { path: "/metrics", headers: bearer });
      attack.expect(
        metrics?.text.split("\n").every((line) => line === "" || /^(#|hone_)/.test(line)),
        "a metric was written by a body",
      );
      return { refused: found === undefined || found.status >= 400 };
    },
    schemas: async (attack) => {
      // Each is refused with an error or enforced, in reasonable time; and a complete answer is JSON.
      for (let i = 0; i < 6; i++) {
        const hostile = attack.chance(0.5);
        const schema = hostile ? hostileSchema(attack) : drawnSchema(attack);
        const tool = { type: "function", function: { name: "f", parameters: schema } };
        const body = JSON.stringify({
          ...{
            ...good["/v1/chat/completions"],
            model: attack.pick(["m", "tiny"]),
            max_tokens: 40,
            temperature: 1,
          },
          ...(attack.chance(0.7)
            ? { response_format: { type: "json_schema", json_schema: { name: "x", schema } } }
            : { tools: [tool], tool_choice: "required" }),
        });
        const began = performance.now();
        const path = "/v1/chat/completions";
        const found = await ask(server, {
          path,
          method: "POST",
          headers: { ...bearer, ...json },
          body,
          waitMs: 90_000,
        });
        const told = `${body.slice(0, 300)} (${body.length} letters)`;
        sound(attack, found, told);
        attack.expect(server.ended === undefined, `${told}: ${server.ended}`);
        attack.expect(found !== undefined && performance.now() - began < 60_000, `${told}: it hangs`);
        attack.expect(
          [200, 400].includes(found?.status),
          `${told}: ${found?.status} ${found?.text.slice(0, 200)}`,
        );
        if (found?.status !== 200) continue;
        const [choice] = JSON.parse(found.text).choices;
        const calls = choice.message.tool_calls ?? [];
        if (choice.finish_reason !== "length")
          attack.expect(
            [choice.message.content ?? "0", ...calls.map((call) => call.function.arguments)].every(isJson),
            `${told}: ${JSON.stringify(choice.message).slice(0, 200)} is no JSON`,
          );
      }
      await alive(attack);
      return { refused: true };
    },
    deep: async (attack) => {
      const depth = attack.pick([1_000, 50_000, 500_000]);
      const nested = attack.pick([
        () => "[".repeat(depth) + "]".repeat(depth),
        () => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`,
        () => "[".repeat(depth),
      ])();
      const path = attack.pick(posts);
      const found = await ask(server, {
        path,
        method: "POST",
        headers: { ...bearer, ...json },
        body: `{"model":"m","input":${nested},"prompt":${nested},"messages":${nested}}`,
      });
      sound(attack, found, `${path}, ${depth} deep`);
      await alive(attack);
      return { refused: true };
    },
    large: async (attack) => {
      const size = attack.pick([9, 20]) * 1024 * 1024;
      const path = attack.pick(posts);
      const lying = attack.chance(0.3);
      const headers = {
        ...bearer,
        ...json,
        ...(attack.chance(0.5) ? { "transfer-encoding": "chunked" } : {}),
        ...(lying ? { "content-length": "999999999999" } : {}),
      };
      if (headers["transfer-encoding"]) delete headers["content-length"];
      const found = await ask(server, {
        path,
        method: "POST",
        headers,
        body: Buffer.alloc(size, 97),
        waitMs: 5_000,
      });
      attack.expect(
        found === undefined || [413, 400].includes(found.status),
        `${size} bytes: ${found?.status}`,
      );
      await alive(attack);
      return { refused: true };
    },
    slow: async (attack) => {
      const path = attack.pick(posts);
      const sockets = Array.from({ length: 40 }, () => {
        const socket = connect(server.port, "127.0.0.1");
        socket.on("error", () => {});
        const part = attack.pick([
          `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"mod`,
          `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nX-`,
          "G",
        ]);
        socket.on("connect", () => socket.write(part));
        return socket;
      });
      await new Promise((resolve) => setTimeout(resolve, 50));
      await alive(attack);
      for (const socket of sockets) socket.destroy();
      await alive(attack);
      return { refused: true };
    },
    noHttp: async (attack) => {
      const bytes = attack.pick([
        Buffer.from(Array.from({ length: attack.int(1, 400) }, () => attack.int(0, 255))),
        Buffer.from("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
        Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`),
        Buffer.from(
          `POST /v1/classify HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/models HTTP/1.1\r\n\r\n`,
        ),
        Buffer.from(`GET /${"a".repeat(40_000)} HTTP/1.1\r\n\r\n`),
        Buffer.from(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nX: ${"a".repeat(40_000)}\r\n\r\n`),
        Buffer.from(`GET / HTTP/9.9\r\nHost: x\r\n\r\n`),
      ]);
      const said = await raw(server, bytes, 400);
      attack.expect(!/^HTTP\/1\.1 200/m.test(said), `it answered ${said.slice(0, 200)}`);
      attack.expect(!said.includes(token), "the token is in the answer");
      await alive(attack);
      return { refused: true };
    },
    gone: async (attack) => {
      // A client that disconnects midway, during a stream too.
      const body = JSON.stringify({ ...good["/v1/chat/completions"], stream: true, max_tokens: 200 });
      const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      await Promise.all(Array.from({ length: 10 }, () => raw(server, head, attack.int(0, 30))));
      await alive(attack);
      return { refused: false };
    },
  };
}

function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Opens many silent connections: a valid request is answered meanwhile. Counts as one case. */
async function idle(server, n, tally, log) {
  const sockets = [];
  let failure;
  for (let i = 0; i < n; i += 500) {
    await Promise.all(
      Array.from({ length: 500 }, () => {
        const socket = connect(server.port, "127.0.0.1");
        sockets.push(socket);
        return new Promise((resolve) => {
          socket.on("connect", resolve);
          socket.on("error", resolve);
          socket.on("close", resolve);
        });
      }),
    );
  }
  const open = sockets.filter(({ destroyed }) => !destroyed).length;
  // The server closes connections that send no header; until then there may be no slot for another one.
  let answered = false;
  const started = performance.now();
  while (!answered && performance.now() - started < 90_000) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    const found = await ask(server, { path: "/health", headers: bearer, waitMs: 2_000 });
    answered = found?.status === 200;
  }
  if (server.ended !== undefined) failure = server.ended;
  else if (!answered) failure = "no good request was answered within 90 seconds";
  log(
    `serve: ${open} of ${n} idle connections open; a good request was answered after ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
  for (const socket of sockets) socket.destroy();
  tally.tried++;
  tally[failure === undefined ? "refused" : "killed"]++;
  tally.classes.idle = {
    tried: 1,
    refused: failure === undefined ? 1 : 0,
    passed: 0,
    killed: failure === undefined ? 0 : 1,
  };
  if (failure !== undefined) tally.notes.push(`idle connections: ${failure}`);
}
