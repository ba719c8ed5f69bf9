// Access control: only for the bound Host, not from other sites' pages, and only with the token. A browser sends the token
// once in the address and then in a cookie that no other site can send.

import { timingSafeEqual } from "node:crypto";
import type { HttpBindings } from "@hono/node-server";
import type { MiddlewareHandler } from "hono";
import { Problem } from "./problem.js";

export interface GuardOptions {
  token: string;
  /** Hosts with their port that requests may name. */
  hosts: ReadonlySet<string>;
}

const cookieName = "hone_token";

/** On every answer: nothing is loaded, framed, sniffed, cached or leaked to other sites. */
export const headers: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cache-control": "no-store",
};

/** Refuses requests that are not from here. No request is answered before it has passed. */
export function guard({ token, hosts }: GuardOptions): MiddlewareHandler {
  const same = comparer(token);
  return async (c, next) => {
    const host = c.req.header("host")?.toLowerCase() ?? "";
    // A name that an attacker's DNS points here is not ours (DNS rebinding). Nor is a host given in the request line
    // instead.
    const named = !(c.env as HttpBindings).incoming.url?.startsWith("/");
    if (named || !hosts.has(host))
      throw new Problem(403, "This server does not answer for that host.", { code: "host" });
    const origin = c.req.header("origin");
    if (origin !== undefined && !sameOrigin(origin, host))
      throw new Problem(403, "Requests from other sites are refused.", { code: "origin" });
    const site = c.req.header("sec-fetch-site");
    if (site !== undefined && site !== "same-origin" && site !== "none")
      throw new Problem(403, "Requests from other sites are refused.", { code: "origin" });
    const asked = c.req.method === "GET" && c.req.path === "/" ? c.req.query("token") : undefined;
    if (asked !== undefined && same(asked)) {
      c.header("set-cookie", `${cookieName}=${encodeURIComponent(token)}; Path=/; HttpOnly; SameSite=Strict`);
      return c.redirect("/", 303);
    }
    const [, bearer] = /^bearer (.+)$/i.exec(c.req.header("authorization") ?? "") ?? [];
    const given = bearer ?? c.req.header("x-api-key") ?? cookieOf(c.req.header("cookie"));
    if (given === undefined || !same(given)) {
      c.header("www-authenticate", "Bearer");
      throw new Problem(401, "Give the server's token: Authorization: Bearer TOKEN.", {
        code: "invalid_api_key",
      });
    }
    return next();
  };
}

function sameOrigin(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}

function cookieOf(header: string | undefined): string | undefined {
  for (const part of header?.split(";") ?? []) {
    const [name, ...value] = part.trim().split("=");
    if (name === cookieName) return decoded(value.join("="));
  }
  return undefined;
}

function decoded(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

/** Compares with the token in constant time; its length is no secret. */
function comparer(token: string): (given: string) => boolean {
  const known = Buffer.from(token);
  return (text) => {
    const given = Buffer.from(text);
    return given.length === known.length && timingSafeEqual(given, known);
  };
}
