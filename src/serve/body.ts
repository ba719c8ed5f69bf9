// A request's body as checked JSON: of limited size, of the right type, and of the shape that its route takes.

import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import type { z } from "zod";
import { Problem } from "./problem.js";

/** Largest body in bytes. */
export const mostBytes = 8 * 1024 * 1024;
/** Deepest nesting of a body: what reads it calls itself once a level. */
const mostLevels = 200;

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Reads and checks a body. @throws Problem 413, 415 or 400 */
export async function readBody<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
  const type = c.req.header("content-type") ?? "";
  // Another site's page can send a form without a preflight.
  if (!/^application\/json\s*(;|$)/i.test(type))
    throw new Problem(415, "The body must be JSON: Content-Type: application/json.", {
      code: "content_type",
    });
  const bytes = await readBytes(c);
  let value: unknown;
  let levels = 0;
  try {
    const text = decoder.decode(bytes);
    levels = levelsOf(text);
    value = JSON.parse(text);
  } catch {
    throw new Problem(400, "The body is not valid JSON.", { code: "invalid_json" });
  }
  if (levels > mostLevels)
    throw new Problem(400, `The body is nested deeper than ${mostLevels} levels.`, { code: "invalid_json" });
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = firstIssue(parsed.error.issues[0] as z.core.$ZodIssue);
  const param = issue.path.map(String).join(".").slice(0, 200);
  throw new Problem(400, `${param || "The body"}: ${issue.message}`.slice(0, 500), { param });
}

/** Straight from the connection: a platform Request object would cost as much as the answer. */
function readBytes(c: Context): Promise<Uint8Array> {
  const tooLarge = () =>
    new Problem(413, `The body is larger than ${mostBytes / 1024 / 1024} MiB.`, { code: "too_large" });
  const { incoming } = c.env as HttpBindings;
  if (Number(incoming.headers["content-length"] ?? 0) > mostBytes) throw tooLarge();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    incoming.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= mostBytes) chunks.push(chunk);
      else {
        chunks.length = 0;
        reject(tooLarge());
      }
    });
    incoming.once("end", () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    const cut = () => reject(new Problem(400, "The body was cut off.", { code: "cut_off" }));
    incoming.once("error", cut);
    incoming.once("close", () => {
      // Every request closes eventually; an unused error would still cost its stack trace.
      if (!incoming.readableEnded) cut();
    });
  });
}

/** How deep lists and objects are nested in JSON text. */
function levelsOf(text: string): number {
  let level = 0;
  let most = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const letter = text[i];
    if (quoted) {
      if (letter === "\\") i++;
      else if (letter === '"') quoted = false;
    } else if (letter === '"') quoted = true;
    else if (letter === "{" || letter === "[") most = Math.max(most, ++level);
    else if (letter === "}" || letter === "]") level--;
  }
  return most;
}

/** Of a union's branches, the one that validated furthest is taken as the intended one. */
function firstIssue(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return issue;
  const inner = issue.errors.map((branch) => branch[0]).filter((one) => one !== undefined);
  const deepest = inner.sort((a, b) => b.path.length - a.path.length)[0];
  return deepest ? firstIssue({ ...deepest, path: [...issue.path, ...deepest.path] }) : issue;
}
