// Who gets in: nobody but the one with the token, at the bound host, from no other site.

import { request } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serve } from "../../src/serve/server.js";
import { type Asking, serving } from "./fixture.js";

let server: Asking;
let port: number;
beforeAll(async () => {
  server = await serving(["m=mock:"], {});
  port = Number(new URL(server.url).port);
});
afterAll(() => server.stop());

/** Status and headers of a request with exactly these headers. */
function raw(
  headers: Record<string, string>,
  path = "/v1/models",
  method = "GET",
  body?: string,
  to = port,
): Promise<{ status: number; headers: Record<string, unknown>; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      // A connection each: one that is kept may be closing when the next request goes out.
      {
        host: "127.0.0.1",
        port: to,
        path,
        method,
        headers,
        agent: false,
        setHost: headers.host === undefined,
      },
      (response) => {
        let text = "";
        response.on("data", (data) => {
          text += data;
        });
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        );
      },
    );
    asked.on("error", reject);
    asked.end(body);
  });
}

describe("the guard", () => {
  const routes: [method: string, path: string][] = [
    ["GET", "/"],
    ["GET", "/health"],
    ["GET", "/metrics"],
    ["GET", "/v1/models"],
    ["GET", "/v1/models/m"],
    ...["chat/completions", "completions", "responses", "embeddings", "classify"].map(
      (name): [string, string] => ["POST", `/v1/${name}`],
    ),
  ];

  it("refuses on every route: no token, a wrong one, a foreign host, a foreign origin", async () => {
    const good = { authorization: `Bearer ${server.token}` };
    const body = JSON.stringify({
      model: "m",
      input: "x",
      prompt: "x",
      messages: [{ role: "user", content: "x" }],
    });
    const json = { "content-type": "application/json" };
    const refused: [headers: Record<string, string>, status: number][] = [
      [{}, 401],
      [{ authorization: "Bearer " }, 401],
      [{ authorization: `Bearer ${server.token}x` }, 401],
      [{ authorization: `Bearer ${server.token.slice(1)}` }, 401],
      [{ authorization: `Basic ${Buffer.from(`x:${server.token}`).toString("base64")}` }, 401],
      [{ cookie: `hone_token=${server.token.toLowerCase()}-` }, 401],
      [{ ...good, host: "attacker.example" }, 403],
      [{ ...good, host: `attacker.example:${port}` }, 403],
      [{ ...good, host: `127.0.0.1.attacker.example:${port}` }, 403],
      [{ ...good, host: `127.0.0.1:${port + 1}` }, 403],
      [{ ...good, origin: "http://attacker.example" }, 403],
      [{ ...good, origin: "null" }, 403],
      [{ ...good, origin: `http://127.0.0.1:${port + 1}` }, 403],
      [{ ...good, "sec-fetch-site": "cross-site" }, 403],
      [{ ...good, "sec-fetch-site": "same-site" }, 403],
    ];
    for (const [method, path] of routes) {
      for (const [headers, status] of refused) {
        const found = await raw({ ...json, ...headers }, path, method, method === "POST" ? body : undefined);
        expect([method, path, headers, found.status]).toEqual([method, path, headers, status]);
        expect(found.headers["access-control-allow-origin"]).toBeUndefined();
        expect(found.text).not.toContain(server.token);
      }
      const found = await raw({ ...json, ...good }, path, method, method === "POST" ? body : undefined);
      expect([path, [200, 400].includes(found.status)]).toEqual([path, true]);
      expect(found.headers["content-security-policy"]).toMatch(/^default-src 'none'/);
      expect(found.headers["x-content-type-options"]).toBe("nosniff");
    }
    const names = ["localhost", "127.0.0.1", "[::1]"];
    for (const name of names)
      expect((await raw({ ...good, host: `${name}:${port}`, origin: `http://${name}:${port}` })).status).toBe(
        200,
      );
  });

  it("answers no preflight, no form and no page of another site", async () => {
    const good = { authorization: `Bearer ${server.token}` };
    const preflight = await raw(
      { ...good, origin: "http://attacker.example", "access-control-request-method": "POST" },
      "/v1/classify",
      "OPTIONS",
    );
    expect([preflight.status, preflight.headers["access-control-allow-origin"]]).toEqual([403, undefined]);
    expect((await raw(good, "/v1/classify", "OPTIONS")).status).toBe(404);
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
      expect(
        (await raw({ ...good, "content-type": type }, "/v1/chat/completions", "POST", "{}")).status,
      ).toBe(415);
  });

  it("takes a host by its name in any case, as host names are", async () => {
    const named = await serving(["mock:"], { names: ["Box.Local"] });
    const at = Number(new URL(named.url).port);
    const asked = (host: string) =>
      raw({ host: `${host}:${at}`, authorization: `Bearer ${named.token}` }, "/v1/models", "GET", "", at);
    expect([(await asked("Box.Local")).status, (await asked("box.local")).status]).toEqual([200, 200]);
    expect((await asked("box.other")).status).toBe(403);
    await named.stop();
  });

  it("takes the token once from the address and then from a cookie that no other site sends", async () => {
    const first = await raw({}, `/?token=${server.token}`);
    expect([first.status, first.headers.location]).toEqual([303, "/"]);
    const [cookie = ""] = first.headers["set-cookie"] as string[];
    expect(cookie).toMatch(/; Path=\/; HttpOnly; SameSite=Strict$/);
    expect((await raw({ cookie: cookie.split(";")[0] as string })).status).toBe(200);
    expect((await raw({}, "/?token=wrong")).status).toBe(401);
    expect((await raw({}, `/v1/models?token=${server.token}`)).status).toBe(401);
  });

  it("refuses bodies that are too large, said or not, and what is no HTTP", async () => {
    const good = { authorization: `Bearer ${server.token}`, "content-type": "application/json" };
    const large = `{"model":"m","messages":[{"role":"user","content":"${"x".repeat(9_000_000)}"}]}`;
    for (const headers of [{ "content-length": String(large.length) }, { "transfer-encoding": "chunked" }]) {
      const status = await raw({ ...good, ...headers }, "/v1/chat/completions", "POST", large).then(
        (found) => found.status,
        // The connection may be closed before all is written.
        () => 413,
      );
      expect(status).toBe(413);
    }
    const said = await new Promise<string>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => socket.write("\x16\x03\x01 hello\r\n\r\n"));
      let text = "";
      socket.on("data", (data) => {
        text += data;
      });
      socket.on("close", () => resolve(text));
      socket.on("error", () => resolve(text));
    });
    expect(said).toMatch(/^HTTP\/1\.1 400/);
    expect((await server.json("/v1/models")).status).toBe(200);
  });

  it("wants a token of one's own for anything but loopback", async () => {
    await expect(serve(["m=mock:"], { host: "0.0.0.0" })).rejects.toThrow(
      /needs a token of your own[\s\S]*--token/,
    );
    await expect(serve(["m=mock:"], { token: "short" })).rejects.toThrow(/at least 8/);
    await expect(serve(["m=mock:"], { host: "0.0.0.0", token: "0123456789" })).rejects.toThrow(/at least 16/);
    await expect(serve(["m=mock:"], { port })).rejects.toThrow(/another program uses that port/);
    const open = await serve(["m=mock:"], { host: "0.0.0.0", token: "0123456789abcdef", names: ["box"] });
    const own = Number(new URL(open.url).port);
    const ask = (host: string) =>
      new Promise<number>((resolve) => {
        request(
          {
            host: "127.0.0.1",
            port: own,
            path: "/health",
            headers: { host, authorization: "Bearer 0123456789abcdef" },
          },
          (response) => {
            response.resume();
            resolve(response.statusCode ?? 0);
          },
        ).end();
      });
    expect([await ask(`box:${own}`), await ask(`other:${own}`)]).toEqual([200, 403]);
    await open.stop();
  });
});
