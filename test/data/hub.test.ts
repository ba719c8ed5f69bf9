import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type ServerType, serve } from "@hono/node-server";
import { Hono } from "hono";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { resolveSource } from "../../src/data/index.js";
import { refusal, temporaryFolder } from "./make.js";

// A server that speaks as much of the Hub's protocol as its client uses, and that can be told to misbehave.
const commit = "0123456789abcdef0123456789abcdef01234567";
const big = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7919) % 251));
const files: Record<string, Buffer> = {
  "data/train.jsonl": Buffer.from('{"a":1}\n'),
  "data/test set.jsonl": Buffer.from('{"a":2}\n'),
  "data/empty.txt": Buffer.alloc(0),
  "big.bin": big,
};
let misbehave = "";
let failures = 0;
let requests: { path: string; range: string; token: string }[] = [];
let server: ServerType;
let other: ServerType;
let otherPort = 0;

const ranged = (bytes: Buffer, range: string | undefined, extra: Record<string, string> = {}): Response => {
  const found = /bytes=(\d+)-(\d*)/.exec(range ?? "");
  if (!found || bytes.length === 0) return new Response(new Uint8Array(bytes), { headers: extra });
  const from = Number(found[1]);
  const to = found[2] ? Math.min(Number(found[2]), bytes.length - 1) : bytes.length - 1;
  return new Response(new Uint8Array(bytes.subarray(from, to + 1)), {
    status: 206,
    headers: { ...extra, "content-range": `bytes ${from}-${to}/${bytes.length}` },
  });
};

const app = new Hono();
app.use(async (c, next) => {
  requests.push({
    path: decodeURIComponent(new URL(c.req.url).pathname),
    range: c.req.header("range") ?? "",
    token: c.req.header("authorization") ?? "",
  });
  if (failures > 0) {
    failures--;
    return c.text("busy", 503);
  }
  if (misbehave === "401") return c.json({ error: "gated" }, 401);
  if (misbehave === "404") return c.json({ error: "not found" }, 404);
  if (misbehave === "500") return c.text("oops", 500);
  return next();
});
app.get("/api/:type/owner/name/revision/:revision", (c) =>
  c.json({
    _id: "1",
    id: "owner/name",
    sha: misbehave === "sha" ? "../../../evil" : commit,
    lastModified: "2024-01-01",
  }),
);
app.get("/api/:type/owner/name/tree/:revision/*", (c) =>
  c.json(tree(new URL(c.req.url).pathname.split(`${commit}/`)[1] ?? "")),
);
app.get("/api/:type/owner/name/tree/:revision", (c) => c.json(tree("")));
function tree(folder: string): unknown[] {
  if (misbehave === "path") return [{ type: "file", path: "../../evil", size: 1, oid: "0" }];
  return Object.entries(files)
    .filter(([path]) => path.startsWith(folder))
    .map(([path, bytes]) => {
      const size = misbehave === "size" ? bytes.length + 5 : bytes.length;
      const oid = createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
      const sha256 = misbehave === "hash" ? "0".repeat(64) : createHash("sha256").update(bytes).digest("hex");
      return {
        type: "file",
        path,
        size,
        oid,
        ...(path === "big.bin" ? { lfs: { oid: sha256, size, pointerSize: 130 } } : {}),
      };
    });
}
app.get("/datasets/owner/name/resolve/:revision/*", (c) => {
  const path = decodeURIComponent(new URL(c.req.url).pathname.split(`${commit}/`)[1] ?? "");
  const bytes = files[path];
  if (!bytes) return c.text("no", 404, { "X-Error-Code": "EntryNotFound" });
  const headers = { etag: '"e"', "x-repo-commit": commit };
  // Large files live elsewhere, behind a redirect.
  if (path === "big.bin") return c.redirect(`http://127.0.0.1:${otherPort}/lfs`, 302);
  if (bytes.length === 0) return c.body("", 200, { ...headers, "content-range": "bytes 0-0/0" });
  return ranged(bytes, c.req.header("range"), headers);
});
const storage = new Hono();
let cuts = 0;
storage.get("/lfs", (c) => {
  requests.push({
    path: "/lfs",
    range: c.req.header("range") ?? "",
    token: c.req.header("authorization") ?? "",
  });
  const range = c.req.header("range");
  if (range === "bytes=0-0" || cuts === 0) return ranged(big, range, { etag: '"big"' });
  cuts--;
  const from = Number(/bytes=(\d+)/.exec(range ?? "")?.[1] ?? 0);
  const stream = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(new Uint8Array(big.subarray(from, from + 1_000_000)));
      await new Promise((done) => setTimeout(done, 50));
      controller.error(new Error("cut"));
    },
  });
  const headers = {
    "content-range": `bytes ${from}-${big.length - 1}/${big.length}`,
    "content-length": `${big.length - from}`,
  };
  return new Response(stream, { status: range ? 206 : 200, headers });
});

const listen = (hono: Hono): Promise<[ServerType, number]> =>
  new Promise((done) => {
    const started = serve({ fetch: hono.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) =>
      done([started, port]),
    );
  });

let cache: string;
beforeAll(async () => {
  let port: number;
  [server, port] = await listen(app);
  [other, otherPort] = await listen(storage);
  vi.stubEnv("HF_ENDPOINT", `http://127.0.0.1:${port}`);
  vi.stubEnv("HF_TOKEN", "hf_secret");
  vi.stubEnv("HF_HUB_OFFLINE", "");
});
afterAll(() => {
  vi.unstubAllEnvs();
  server.close();
  other.close();
});
beforeEach(async () => {
  cache = await temporaryFolder();
  misbehave = "";
  failures = 0;
  cuts = 0;
  requests = [];
});

const contents = async (ref: string, options = {}) =>
  Promise.all((await resolveSource(ref, { cache, ...options })).files.map((file) => readFile(file)));
/** Every file below the cache that is not a record of our own. */
const fetched = async () =>
  (await readdir(cache, { recursive: true, withFileTypes: true }))
    .filter((e) => e.isFile() && !e.name.endsWith(".json"))
    .map((e) => e.name);

describe("a Hub that behaves", () => {
  test("files by pattern, pinned to the commit, once", async () => {
    const ref = "hf:datasets/owner/name/data/*.jsonl";
    const { pinned } = await resolveSource(ref, { cache });
    expect(pinned).toBe(`hf:datasets/owner/name@${commit}/data/*.jsonl`);
    expect((await contents(ref)).map(String)).toEqual(['{"a":2}\n', '{"a":1}\n']);
    const downloads = () => requests.filter(({ path }) => path.includes("/resolve/")).length;
    const before = downloads();
    await contents(ref);
    expect(downloads()).toBe(before);
    requests = [];
    expect((await contents(pinned)).map(String)).toHaveLength(2);
    expect(await contents(ref, { offline: true })).toHaveLength(2);
    expect(requests).toEqual([]); // a commit never changes, and offline means offline
  });

  test("a large file behind a redirect, an empty one, and a token that stays with the Hub", async () => {
    const told: number[] = [];
    const [bytes] = await contents("hf:owner/name/big.bin", { progress: (done: number) => told.push(done) });
    expect(bytes!.equals(big)).toBe(true);
    expect(told.at(-1)).toBe(big.length);
    expect((await contents("hf:owner/name@main/data/empty.txt"))[0]).toHaveLength(0);
    expect(
      requests
        .filter(({ path }) => path.startsWith("/api/"))
        .every(({ token }) => token === "Bearer hf_secret"),
    ).toBe(true);
    expect(
      requests
        .filter(({ path }) => path === "/lfs")
        .map(({ token }) => token)
        .join(""),
    ).toBe("");
  });

  test("a stream that is cut goes on where it stopped; 503 is tried again", async () => {
    cuts = 2;
    failures = 2;
    const [bytes] = await contents("hf:owner/name/big.bin");
    expect(bytes!.equals(big)).toBe(true);
    expect(requests.filter(({ range }) => /^bytes=[1-9]\d*-/.test(range)).length).toBeGreaterThan(0);
  });
});

describe("a Hub that does not", () => {
  test.each([
    ["401", /HTTP 401/],
    ["404", /HTTP 404/],
    ["500", /HTTP 500/],
    ["sha", /commit is not 40/],
    ["path", /leaves its folder/],
    ["size", /bytes are offered|more bytes|cut off/],
    ["hash", /checksum/],
  ])("%s", async (how, why) => {
    misbehave = how;
    const failure = await refusal(() => contents("hf:owner/name/big.bin"));
    expect(failure.why).toMatch(why);
    expect(JSON.stringify(failure)).not.toContain("hf_secret");
    expect(await fetched()).toEqual([]);
  });

  test("nobody listens; nothing is cached while offline; no such file; a bad reference or token", async () => {
    expect((await refusal(() => contents("hf:owner/name/big.bin", { offline: true }))).what).toMatch(
      /network is off/,
    );
    expect((await refusal(() => contents("hf:owner/name/nope.bin"))).why).toMatch(/big\.bin/);
    const bad = ["hf:name/file", "hf:owner/na me/x/y", "hf:spaces/owner/name", "hf:owner/..name/x"];
    for (const ref of [...bad, "hf:owner/name@%2/x", "hf:owner/name@%2e%2E/x"]) {
      expect((await refusal(() => contents(ref))).where).toBe(ref);
    }
    vi.stubEnv("HF_TOKEN", "secret");
    expect((await refusal(() => contents("hf:owner/name/big.bin"))).where).toBe("HF_TOKEN");
    vi.stubEnv("HF_TOKEN", "");
    const endpoint = process.env.HF_ENDPOINT ?? "";
    vi.stubEnv("HF_ENDPOINT", "http://127.0.0.1:9");
    expect((await refusal(() => contents("hf:owner/name/big.bin"))).why).toMatch(/cannot be reached/);
    vi.stubEnv("HF_ENDPOINT", endpoint);
    vi.stubEnv("HF_TOKEN", "hf_secret");
  });

  test("a stop is obeyed", async () => {
    const stop = new AbortController();
    stop.abort(new Error("stopped"));
    await expect(resolveSource("hf:owner/name/big.bin", { cache, signal: stop.signal })).rejects.toThrow(
      "stopped",
    );
    expect(await readdir(join(cache))).toEqual([]);
  });
});
